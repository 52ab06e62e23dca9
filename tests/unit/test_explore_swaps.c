/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is all that strands share announced?  Two steps that do not depend on each
 * other, one right after the other, are done the other way round: every strand
 * must do and see the same as before.  If it does not, the steps share
 * something that the explorer does not know of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <glob.h>
#include <cmocka.h>

#include "bench/explore/explore.h"
#include "model/machine/explore_impl.h"

enum { STEPS = 1500, RUNS = 150 };

/* An order, and what came of it. */
struct run {
	u32 n;
	u8 strand[STEPS];
	struct pending did[STEPS];
	u32 enabled[STEPS]; /* before the step */
	u64 saw[CLAIM_STRANDS];
	enum machine_end end;
	bool possible; /* each strand could go on when it had to */
};

static u64 add_to(u64 hash, u64 value)
{
	return mix64(hash ^ value) + 1;
}

/*
 * Left out are the value of a word that was lost, in which readers stand whose
 * order is none, and whether a wait is drawn, which is looked up for that.
 */
static void note_events(struct run *r, const struct events *events)
{
	for (size_t i = 0; i < events->n; i++) {
		const struct event *e = &events->event[i];
		u64 *saw = &r->saw[e->strand];

		if (e->kind == EVENT_WAIT)
			continue;
		*saw = add_to(*saw, e->kind);
		*saw = add_to(*saw, (uintptr_t)e->name);
		*saw = add_to(*saw, e->status);
		*saw = add_to(*saw, (u64)e->error + e->other);
	}
}

static void note_step(struct run *r, u32 i)
{
	const struct pending *did = &r->did[i];
	u64 *saw = &r->saw[r->strand[i]];

	*saw = add_to(*saw, did->op);
	for (u32 k = 0; k < did->n; k++)
		*saw = add_to(*saw,
			      did->access[k].bytes * 2 + did->access[k].write);
}

static u32 next_of(u32 enabled, u32 before, u64 *seed)
{
	u32 strand;

	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	/* Mostly on with the same one: calls are to meet in the middle. */
	if (*seed >> 62 && enabled >> before & 1)
		return before;
	do {
		*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
		strand = (u32)(*seed >> 60) % CLAIM_STRANDS;
	} while (!(enabled >> strand & 1));
	return strand;
}

/* Run an order, or when `seed` is there draw one. */
static void run(struct claim_world *w, struct explore_machine *m, struct run *r,
		u64 *seed)
{
	struct explore_program program = claim_world_program(w);
	struct events events = {.event = NULL};
	u32 enabled, i;

	memset(r->saw, 0, sizeof(r->saw));
	claim_world_record(w, &events);
	m->counting = program.counting;
	m->takes_locks = program.takes_locks;
	explore_machine_reset(m);
	assert_true(program.begin(w, &m->base));
	explore_machine_start(m);
	r->possible = true;
	for (i = 0; i < STEPS && (seed || i < r->n) && !m->halted; i++) {
		enabled = explore_machine_enabled(m);
		if (!enabled)
			break;
		if (seed)
			r->strand[i] = (u8)next_of(
				enabled, i ? r->strand[i - 1] : 0, seed);
		r->possible = r->possible && enabled >> r->strand[i] & 1;
		if (!r->possible)
			break;
		r->enabled[i] = enabled;
		r->did[i] = m->strand[r->strand[i]].next;
		note_step(r, i);
		claim_world_see(w,
				&(struct explore_step){.strand = r->strand[i]});
		explore_machine_step(m, r->strand[i]);
		program.step(w);
	}
	r->possible = r->possible && (seed || i == r->n);
	r->n = i;
	r->end = explore_machine_end(m);
	note_events(r, &events);
	events_free(&events);
	claim_world_record(w, NULL);
	program.end(w);
}

static bool can_swap(const struct run *r, u32 i)
{
	return r->strand[i] != r->strand[i + 1] &&
	       r->enabled[i] >> r->strand[i + 1] & 1 &&
	       !explore_dependent(&r->did[i], &r->did[i + 1]);
}

static u32 swap_all(struct claim_world *w, struct explore_machine *m,
		    const char *path, const struct run *r, struct run *other)
{
	u32 swaps = 0;

	for (u32 i = 0; i + 1 < r->n; i++) {
		bool same;

		if (!can_swap(r, i))
			continue;
		swaps++;
		other->n = r->n;
		memcpy(other->strand, r->strand, r->n);
		other->strand[i] = r->strand[i + 1];
		other->strand[i + 1] = r->strand[i];
		run(w, m, other, NULL);
		same = other->possible && other->end == r->end &&
		       !memcmp(other->saw, r->saw, sizeof(r->saw));
		if (!same)
			print_error("%s: steps %u and %u share something that "
				    "is not announced\n",
				    path, i, i + 1);
		assert_true(same);
	}
	return swaps;
}

static u32 check_claim(const char *path, struct explore_machine *m,
		       struct run *runs)
{
	struct claim *claim = calloc(1, sizeof(*claim));
	struct claim_world *w;
	u64 seed = 1;
	u32 swaps = 0;
	struct err e;

	assert_non_null(claim);
	assert_int_equal(claim_read(path, claim, &e), 0);
	w = claim_world_new(claim);
	assert_non_null(w);
	for (int i = 0; i < RUNS; i++) {
		run(w, m, &runs[0], &seed);
		swaps += swap_all(w, m, path, &runs[0], &runs[1]);
	}
	claim_world_free(w);
	free(claim);
	return swaps;
}

static void what_is_shared_is_announced(void **state)
{
	struct explore_machine *m = explore_machine_new();
	struct run *runs = calloc(2, sizeof(*runs));
	glob_t claims;

	(void)state;
	assert_non_null(m);
	assert_non_null(runs);
	assert_int_equal(glob("configs/explore/*.json", 0, NULL, &claims), 0);
	assert_true(claims.gl_pathc >= 17);
	for (size_t i = 0; i < claims.gl_pathc; i++)
		assert_true(check_claim(claims.gl_pathv[i], m, runs) > 0);
	globfree(&claims);
	free(runs);
	explore_machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_shared_is_announced),
	};

	return cmocka_run_group_tests_name("explore swaps", tests, NULL, NULL);
}
