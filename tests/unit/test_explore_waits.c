/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waits, locks that are taken in one step, and additions whose result is not
 * or only partly looked at: what small random programs of these can come to,
 * by the explorer and by running all of their orders.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "model/machine/explore_impl.h"

enum {
	STRANDS = 3,
	OPS = 4,
	WORDS = 2,
	PROGRAMS = 20000,
	MOST = 4096, /* outcomes of a program */
	FLAG = 1,    /* the lowest bit of a word; a count is above it */
	COUNT = 2,
};

/* A hash of all that its strands saw, and of the words at the end. */
struct outcomes {
	u64 v[MOST];
	u32 n;
};

struct program {
	u32 strands;
	u8 op[STRANDS][OPS]; /* kind and word; NO_OP ends */
	struct line line[WORDS];
	u32 word[WORDS];
	u64 saw[STRANDS];
	struct outcomes *found; /* by the explorer */
};

enum kind {
	LOAD,
	SET,
	CLEAR,
	ADD_BLIND,   /* looks at nothing of the old value */
	ADD_LOOKING, /* looks at the flag */
	AWAIT_CLEAR,
	AWAIT_CHANGE,
	WAIT,
	TAKE,
	KINDS,
	NO_OP = 0xff,
};

static u32 do_op(struct strand *s, struct program *p, enum kind kind, u32 i)
{
	struct line *line = &p->line[i];
	u32 *word = &p->word[i];

	switch (kind) {
	case LOAD:
		return line_load32(s, line, word);
	case SET:
		line_store32(s, line, word, FLAG);
		break;
	case CLEAR:
		line_store32(s, line, word, 0);
		break;
	case ADD_BLIND:
		line_add32(s, line, word, COUNT, 0);
		break;
	case ADD_LOOKING:
		return line_add32(s, line, word, COUNT, FLAG);
	case AWAIT_CLEAR:
		return line_await32(s, line, word, 0, FLAG);
	case AWAIT_CHANGE:
		return line_await_change32(s, line, word, 0);
	case WAIT:
		line_wait(s, line, word, FLAG, false);
		break;
	case TAKE:
		assert_true(line_take32(s, word, FLAG, FLAG));
		break;
	default:
		break;
	}
	return 0;
}

/* What a strand sees is noted when it sees it, and in its own place. */
static void body(struct strand *s, void *program)
{
	struct program *p = program;

	for (int i = 0; i < OPS && p->op[s->id][i] != NO_OP; i++) {
		u8 op = p->op[s->id][i];

		p->saw[s->id] =
			p->saw[s->id] * 31 + 1 + do_op(s, p, op >> 4, op & 15);
	}
}

static bool begin(void *program, struct machine *m)
{
	struct program *p = program;

	memset(p->word, 0, sizeof(p->word));
	memset(p->saw, 0, sizeof(p->saw));
	for (u32 i = 0; i < p->strands; i++)
		if (!machine_strand(m, i, body, p))
			return false;
	return true;
}

static void note(const struct program *p, struct outcomes *all)
{
	u64 outcome = 1;

	for (u32 i = 0; i < STRANDS; i++)
		outcome = mix64(outcome ^ p->saw[i]);
	for (u32 i = 0; i < WORDS; i++)
		outcome = mix64(outcome ^ p->word[i]);
	for (u32 i = 0; i < all->n; i++)
		if (all->v[i] == outcome)
			return;
	assert_true(all->n < MOST);
	all->v[all->n++] = outcome;
}

static const char *check(void *program, enum machine_end end)
{
	struct program *p = program;

	(void)end;
	note(p, p->found);
	return NULL;
}

static void end(void *program)
{
	(void)program;
}

/* ------------------------------------------------------------ all orders */

/* Each prefix is run again, and then every strand is tried. */
static u64 enumerate(struct explore_machine *m, struct program *p,
		     struct outcomes *all, const u8 *order, u32 n)
{
	u8 longer[STRANDS * OPS];
	u64 orders = 0;
	u32 enabled;

	explore_machine_reset(m);
	assert_true(begin(p, &m->base));
	explore_machine_start(m);
	for (u32 i = 0; i < n; i++)
		explore_machine_step(m, order[i]);
	enabled = explore_machine_enabled(m);
	if (!enabled)
		note(p, all);
	for (u32 i = 0; i < n; i++)
		longer[i] = order[i];
	for (u32 i = 0; i < STRANDS; i++) {
		longer[n] = (u8)i;
		if (enabled & 1u << i)
			orders += enumerate(m, p, all, longer, n + 1);
	}
	return enabled ? orders : 1;
}

static unsigned int draw(u64 *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)(*seed >> 33);
}

static void make_random(struct program *p, u64 *seed)
{
	p->strands = 2 + draw(seed) % 2;
	for (u32 i = 0; i < p->strands; i++) {
		/* Three strands of two have 90 orders, two of four 70. */
		u32 n = p->strands == 2 ? OPS : 2;

		memset(p->op[i], NO_OP, OPS);
		for (u32 k = 0; k < n; k++)
			p->op[i][k] = (u8)(draw(seed) % KINDS << 4 |
					   draw(seed) % WORDS);
	}
}

static u64 explorer(struct program *p, struct outcomes *found)
{
	const struct explore_program program = {.ctx = p,
						.begin = begin,
						.check = check,
						.end = end,
						.takes_locks = true};
	const struct explore_bounds bounds = {.preemptions = -1};
	struct explore_answer a;
	u64 executions;

	found->n = 0;
	p->found = found;
	explore(&program, &bounds, &a);
	assert_true(a.complete && !a.broken);
	executions = a.executions;
	explore_answer_free(&a);
	return executions;
}

static bool has_all(const struct outcomes *of, const struct outcomes *in)
{
	for (u32 i = 0; i < of->n; i++) {
		u32 k = 0;

		while (k < in->n && in->v[k] != of->v[i])
			k++;
		if (k == in->n)
			return false;
	}
	return true;
}

static void nothing_is_missed(void **state)
{
	struct outcomes *sets = calloc(2, sizeof(*sets));
	struct program *p = calloc(1, sizeof(*p));
	struct explore_machine *m = explore_machine_new();
	u64 seed = 42, orders = 0, executions = 0;

	(void)state;
	assert_non_null(sets);
	assert_non_null(p);
	assert_non_null(m);
	m->takes_locks = true;
	for (int i = 0; i < PROGRAMS; i++) {
		make_random(p, &seed);
		sets[0].n = 0;
		orders += enumerate(m, p, &sets[0], NULL, 0);
		executions += explorer(p, &sets[1]);
		assert_true(has_all(&sets[0], &sets[1]));
		assert_true(has_all(&sets[1], &sets[0]));
	}
	/* or nothing was reduced, and nothing shown */
	assert_true(orders > 2 * executions);
	explore_machine_free(m);
	free(p);
	free(sets);
}

/*
 * The lock is free, taken and free again: who waits may take it at the first
 * time, though what it waits for in the end is the second.
 */
static void the_earlier_turn_is_not_missed(void **state)
{
	struct outcomes *found = calloc(1, sizeof(*found));
	struct program p = {
		.strands = 2,
		.op = {{TAKE << 4, CLEAR << 4, ADD_LOOKING << 4, NO_OP},
		       {TAKE << 4, CLEAR << 4, NO_OP}},
	};

	(void)state;
	assert_non_null(found);
	/* 0 then 1, 1 then 0, and 1 in between: who looks sees the flag. */
	assert_int_equal(explorer(&p, found), 4);
	assert_int_equal(found->n, 3);
	free(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_missed),
		cmocka_unit_test(the_earlier_turn_is_not_missed),
	};

	return cmocka_run_group_tests_name("explore waits", tests, NULL, NULL);
}
