/* SPDX-License-Identifier: GPL-2.0-only */
/* The step machine: one strand, stopped at each operation, nested. */
#include "tests/unit/machine_kit.h"

struct program {
	struct line line;
	u64 a, b;
	u32 c;
	u16 d;
	u32 reached; /* how far its plain code has come */
};

/** Seven operations that count, among some that do not. */
static void small(struct strand *s, void *arg)
{
	struct program *p = arg;

	spend(s, PS_PER_MS);
	line_load64(s, &p->line, &p->a);
	line_xadd64(s, &p->line, &p->a, 1);
	p->reached = 1;
	line_store32(s, &p->line, &p->c, 5);
	line_cmpxchg16(s, &p->line, &p->d, 0, 3);
	p->reached = 2;
	line_store64(s, &p->line, &p->b, 9);
	p->reached = 3;
	line_load32(s, &p->line, &p->c);
	line_bts64(s, &p->line, &p->b, 2);
	p->reached = 4;
	line_xchg16(s, &p->line, &p->d, 4);
	p->reached = 5;
	line_xadd32(s, &p->line, &p->c, 1);
	p->reached = 6;
	line_btr64(s, &p->line, &p->b, 2);
	p->reached = 7;
}

static const enum line_op small_ops[] = {
	LINE_XADD64, LINE_CMPXCHG16, LINE_STORE64, LINE_BTS64,
	LINE_XCHG16, LINE_XADD32,    LINE_BTR64,
};
#define SMALL_OPS 7

static struct machine *step_machine(step_point_fn *point, void *ctx)
{
	struct step_config config = {
		.max_strands = 8,
		.point = point,
		.ctx = ctx,
	};
	struct machine *m = step_create(&config);

	assert_non_null(m);
	return m;
}

static const void *small_word(struct program *p, u32 n)
{
	const void *words[] = {&p->a, &p->d, &p->b, &p->b, &p->d, &p->c, &p->b};

	return words[n];
}

static void pauses_before_every_operation(void **state)
{
	struct machine *m = step_machine(NULL, NULL);
	struct program p = {0};
	struct strand *s = kit_strand(m, 0, small, &p);

	(void)state;
	assert_null(step_word(s));
	for (u32 i = 0; i < SMALL_OPS; i++) {
		/* The first call does none, each further one does one. */
		assert_int_equal(step_run(s, i != 0), STEP_PAUSED);
		assert_int_equal(p.reached, i);
		assert_int_equal(step_op(s), small_ops[i]);
		assert_ptr_equal(step_word(s), small_word(&p, i));
		/* Nothing to do: it stays there. */
		assert_int_equal(step_run(s, 0), STEP_PAUSED);
		assert_int_equal(p.reached, i);
	}
	assert_int_equal(p.b, 9 | 2);
	assert_int_equal(step_run(s, 1), STEP_RETURNED);
	assert_int_equal(p.reached, 7);
	assert_int_equal(p.b, 9);
	assert_null(step_word(s));
	assert_int_equal(step_run(s, 1), STEP_RETURNED);
	machine_destroy(m);
}

static void pauses_at_any_operation(void **state)
{
	struct machine *m = step_machine(NULL, NULL);

	(void)state;
	for (u32 n = 0; n < SMALL_OPS; n++) {
		struct program p = {0};
		struct strand *s = kit_strand(m, 0, small, &p);

		assert_int_equal(step_run(s, n), STEP_PAUSED);
		assert_int_equal(p.reached, n);
		assert_int_equal(step_run(s, SMALL_OPS), STEP_RETURNED);
	}
	machine_destroy(m);
}

static void strands_can_be_reused(void **state)
{
	struct machine *m = step_machine(NULL, NULL);
	struct program p = {0};
	struct strand *s = kit_strand(m, 0, small, &p);

	(void)state;
	for (u32 i = 0; i < 1000; i++) {
		assert_int_equal(p.a, i);
		/* Half of them are abandoned on the way. */
		if (i % 2)
			assert_int_equal(step_run(s, 3), STEP_PAUSED);
		else
			assert_int_equal(step_run(s, UINT64_MAX),
					 STEP_RETURNED);
		step_reuse(s, small, &p);
		assert_null(step_word(s));
	}
	machine_destroy(m);
}

/* ------------------------------------------------------------------ points */

struct watch {
	u32 points;
	struct program *p;
	struct strand *inner;
	u32 at; /* point before which the inner strand runs */
	u32 outer_reached;
};

static void watch_points(void *ctx, struct strand *s, const void *word,
			 enum line_op op)
{
	struct watch *w = ctx;

	(void)s;
	assert_true(w->points < SMALL_OPS);
	assert_int_equal(op, small_ops[w->points]);
	assert_ptr_equal(word, small_word(w->p, w->points));
	/* Before it is done. */
	assert_int_equal(w->p->reached, w->points);
	w->points++;
}

static void points_are_shown_once(void **state)
{
	struct program p = {0};
	struct watch w = {.p = &p};
	struct machine *m = step_machine(watch_points, &w);
	struct strand *s = kit_strand(m, 0, small, &p);

	(void)state;
	assert_int_equal(step_run(s, 2), STEP_PAUSED);
	assert_int_equal(w.points, 2);
	assert_int_equal(step_run(s, 0), STEP_PAUSED);
	assert_int_equal(w.points, 2);
	assert_int_equal(step_run(s, 100), STEP_RETURNED);
	assert_int_equal(w.points, SMALL_OPS);
	machine_destroy(m);
}

/* ----------------------------------------------------------------- nesting */

static void run_inner(void *ctx, struct strand *s, const void *word,
		      enum line_op op)
{
	struct watch *w = ctx;

	(void)word;
	(void)op;
	if (s == w->inner || w->points++ != w->at)
		return;
	w->outer_reached = w->p->reached;
	assert_int_equal(step_run(w->inner, UINT64_MAX), STEP_RETURNED);
}

static void inner_runs_out_of_a_point(void **state)
{
	(void)state;
	for (u32 at = 0; at < SMALL_OPS; at++) {
		struct program outer = {0}, inner = {0};
		struct watch w = {.p = &outer, .at = at};
		struct machine *m = step_machine(run_inner, &w);
		struct strand *s = kit_strand(m, 0, small, &outer);

		w.inner = kit_strand(m, 1, small, &inner);
		assert_int_equal(step_run(s, UINT64_MAX), STEP_RETURNED);
		assert_int_equal(w.outer_reached, at);
		assert_int_equal(inner.reached, 7);
		assert_int_equal(outer.reached, 7);
		machine_destroy(m);
	}
}

static void others_run_while_one_is_paused(void **state)
{
	struct machine *m = step_machine(NULL, NULL);
	struct program p[3] = {0};
	struct strand *s[3];

	(void)state;
	for (u32 i = 0; i < 3; i++)
		s[i] = kit_strand(m, i, small, &p[i]);
	for (u32 n = 0; n < SMALL_OPS; n++)
		for (u32 i = 0; i < 3; i++) {
			assert_int_equal(step_run(s[i], n != 0), STEP_PAUSED);
			assert_int_equal(p[i].reached, n);
		}
	for (u32 i = 3; i-- > 0;)
		assert_int_equal(step_run(s[i], 1), STEP_RETURNED);
	machine_destroy(m);
}

/** Each strand steps the next one, to a depth of eight. */
struct nest {
	struct line line;
	u64 word;
	struct strand *strand[8];
};

static void nested(struct strand *s, void *arg)
{
	struct nest *n = arg;
	u32 mine = s->id;

	line_xadd64(s, &n->line, &n->word, 1);
	if (mine < 7)
		while (step_run(n->strand[mine + 1], 1) == STEP_PAUSED)
			line_xadd64(s, &n->line, &n->word, 1);
	line_xadd64(s, &n->line, &n->word, 1);
}

static void nesting_is_deep(void **state)
{
	struct machine *m = step_machine(NULL, NULL);
	struct nest n = {0};

	(void)state;
	for (u32 i = 0; i < 8; i++)
		n.strand[i] = kit_strand(m, i, nested, &n);
	while (step_run(n.strand[0], 1) == STEP_PAUSED)
		;
	/* Strand i does one more than the one that it steps: 2, 3, 4, ... */
	assert_int_equal(n.word, 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9);
	machine_destroy(m);
}

/* -------------------------------------------------- halt, wait, interrupts */

static void halts(struct strand *s, void *arg)
{
	struct program *p = arg;

	line_xadd64(s, &p->line, &p->a, 1);
	machine_halt(s, arg ? "0x0003:10" : "");
}

static void halt_is_an_end(void **state)
{
	struct machine *m = step_machine(NULL, NULL);
	struct program p = {0};
	struct strand *s = kit_strand(m, 0, halts, &p);

	(void)state;
	assert_int_equal(step_run(s, 5), STEP_HALTED);
	assert_string_equal(machine_reason(m), "0x0003:10");
	assert_int_equal(step_run(s, 5), STEP_HALTED);
	step_reuse(s, small, &p);
	assert_int_equal(step_run(s, 100), STEP_RETURNED);
	machine_destroy(m);
}

static void waits(struct strand *s, void *arg)
{
	struct program *p = arg;

	while (!line_load32(s, &p->line, &p->c))
		if (!line_wait(s, &p->line, &p->c, 0, true))
			break;
	p->reached = 1;
}

static void wait_blocks_until_changed(void **state)
{
	struct machine *m = step_machine(NULL, NULL);
	struct program p = {0};
	struct strand *s = kit_strand(m, 0, waits, &p);

	(void)state;
	assert_int_equal(step_run(s, 5), STEP_BLOCKED);
	assert_int_equal(step_run(s, 5), STEP_BLOCKED);
	assert_int_equal(p.reached, 0);
	p.c = 1;
	assert_int_equal(step_run(s, 5), STEP_RETURNED);
	assert_int_equal(p.reached, 1);
	machine_destroy(m);
}

static void kicks(struct strand *s, void *arg)
{
	interrupt(s, arg, PS_PER_S);
}

static void interrupt_ends_a_wait(void **state)
{
	struct machine *m = step_machine(NULL, NULL);
	struct program p = {0};
	struct strand *s = kit_strand(m, 0, waits, &p);
	struct strand *kicker = kit_strand(m, 1, kicks, s);

	(void)state;
	assert_int_equal(step_run(s, 5), STEP_BLOCKED);
	assert_int_equal(step_run(kicker, 5), STEP_RETURNED);
	assert_int_equal(step_run(s, 5), STEP_RETURNED);
	assert_int_equal(p.c, 0);
	assert_true(interrupted(s));
	assert_int_equal(spend_in_guest(s, 77), 77);
	interrupt_done(s);
	assert_false(interrupted(s));
	assert_int_equal(spend_in_guest(s, 77), 0);
	machine_destroy(m);
}

struct outside {
	u64 time;
	int checks, pending_from;
};

static u64 outside_now(void *ctx, struct strand *s)
{
	(void)s;
	return ((struct outside *)ctx)->time;
}

static bool outside_interrupted(void *ctx, struct strand *s)
{
	struct outside *o = ctx;

	(void)s;
	return o->checks++ >= o->pending_from;
}

static void time_and_interrupts_come_from_outside(void **state)
{
	struct outside o = {.time = 55, .pending_from = 2};
	struct step_config config = {
		.max_strands = 1,
		.interrupted = outside_interrupted,
		.now = outside_now,
		.ctx = &o,
	};
	struct machine *m = step_create(&config);
	struct program p = {0};
	struct strand *s = kit_strand(m, 0, small, &p);

	(void)state;
	assert_int_equal(now(s), 55);
	spend(s, 1000);
	assert_int_equal(now(s), 55);
	o.time = 66;
	assert_int_equal(now(s), 66);
	assert_int_equal(machine_time(m), 66);
	assert_false(interrupted(s));
	assert_false(interrupted(s));
	assert_true(interrupted(s));
	machine_destroy(m);
}

/* ------------------------------------------------------------- all of them */

static void sets(struct strand *s, void *arg)
{
	struct program *p = arg;

	line_store32(s, &p->line, &p->c, 1);
}

static void all_can_be_run_to_the_end(void **state)
{
	struct machine *m = step_machine(NULL, NULL);
	struct program p = {0};

	(void)state;
	kit_strand(m, 0, waits, &p);
	kit_strand(m, 0, sets, &p);
	kit_run(m, MACHINE_DONE);
	assert_int_equal(p.reached, 1);
	machine_destroy(m);

	p = (struct program){0};
	m = step_machine(NULL, NULL);
	kit_strand(m, 0, waits, &p);
	kit_run(m, MACHINE_DEADLOCK);
	machine_destroy(m);

	m = step_machine(NULL, NULL);
	kit_strand(m, 0, halts, &p);
	kit_run(m, MACHINE_HALTED);
	machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_before_every_operation),
		cmocka_unit_test(pauses_at_any_operation),
		cmocka_unit_test(strands_can_be_reused),
		cmocka_unit_test(points_are_shown_once),
		cmocka_unit_test(inner_runs_out_of_a_point),
		cmocka_unit_test(others_run_while_one_is_paused),
		cmocka_unit_test(nesting_is_deep),
		cmocka_unit_test(halt_is_an_end),
		cmocka_unit_test(wait_blocks_until_changed),
		cmocka_unit_test(interrupt_ends_a_wait),
		cmocka_unit_test(time_and_interrupts_come_from_outside),
		cmocka_unit_test(all_can_be_run_to_the_end),
	};

	return cmocka_run_group_tests_name("machine step", tests, NULL, NULL);
}
