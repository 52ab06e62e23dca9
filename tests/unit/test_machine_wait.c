/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting for a line to be written, on virtual time. */
#include "tests/unit/machine_kit.h"

#define WAITERS 40

struct scene {
	struct line line;
	u32 word, other;
	u32 seen;
	u64 at_ps[WAITERS]; /* when each waiter got through, by id */
	u32 calls[WAITERS]; /* of line_wait() */
	u64 write_ps;
};

static void waiter(struct strand *s, void *arg)
{
	struct scene *x = arg;

	while (line_load32(s, &x->line, &x->word) == 0) {
		x->calls[s->id]++;
		line_wait(s, &x->line, &x->word, 0, false);
	}
	x->at_ps[s->id] = now(s);
}

static void writer(struct strand *s, void *arg)
{
	struct scene *x = arg;

	spend(s, x->write_ps);
	line_store32(s, &x->line, &x->word, 1);
}

static void all_wake_a_transfer_after_the_write(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct scene x = {.write_ps = PS_PER_US};
	u64 written = PS_PER_US + KIT_LOCAL;

	(void)state;
	for (u32 i = 0; i < WAITERS; i++)
		kit_strand(m, i < 20 ? 8 + i : 600 + i, waiter, &x);
	kit_strand(m, 0, writer, &x);
	kit_run(m, MACHINE_DONE);
	for (u32 i = 0; i < WAITERS; i++) {
		u64 far = i < 20 ? KIT_SOCKET : KIT_REMOTE;

		/* The copy comes with the wake: looking again is local. */
		assert_int_equal(x.at_ps[i], written + far + KIT_LOCAL);
		assert_int_equal(x.calls[i], 1);
	}
	assert_int_equal(x.line.waiters, 0);
	/* Parked strands do nothing: load, wait, load; spend, store. */
	assert_int_equal(machine_events(m), 3 * WAITERS + 2);
	machine_destroy(m);
}

static void changed_before(struct strand *s, void *arg)
{
	struct scene *x = arg;

	assert_true(line_wait(s, &x->line, &x->word, 5, false));
	assert_true(line_wait(s, &x->line, &x->word, 5, true));
	x->at_ps[0] = now(s);
}

static void does_not_wait_for_what_has_happened(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct scene x = {.word = 6};

	(void)state;
	kit_strand(m, 0, changed_before, &x);
	kit_run(m, MACHINE_DONE);
	assert_int_equal(x.at_ps[0], 2 * KIT_LOCAL);
	machine_destroy(m);
}

/** The wait begins after the write although it is called before. */
static void write_is_not_missed(void **state)
{
	struct virtual_config config = kit_config();

	(void)state;
	for (u64 write_ps = 0; write_ps < 5000; write_ps += 250) {
		struct machine *m = kit_machine(&config);
		struct scene x = {.write_ps = write_ps};

		kit_strand(m, 0, waiter, &x);
		kit_strand(m, 8, writer, &x);
		kit_strand(m, 16, waiter, &x);
		kit_run(m, MACHINE_DONE);
		machine_destroy(m);
	}
}

static void write_other(struct strand *s, void *arg)
{
	struct scene *x = arg;

	for (u32 i = 0; i < 3; i++) {
		spend(s, PS_PER_US);
		line_store32(s, &x->line, &x->other, i);
	}
	spend(s, PS_PER_US);
	line_store32(s, &x->line, &x->word, 1);
}

static void neighbours_on_the_line_wake_too(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct scene x = {0};

	(void)state;
	kit_strand(m, 0, waiter, &x);
	kit_strand(m, 8, write_other, &x);
	kit_run(m, MACHINE_DONE);
	/* False sharing: it looks again after each write to the line. */
	assert_int_equal(x.calls[0], 4);
	machine_destroy(m);
}

/* -------------------------------------------------------------- hand over */

struct ring {
	struct line line[8];
	u32 turn[8];
	u32 rounds, laps;
};

/** Passes a token on to the next strand. */
static void pass_on(struct strand *s, void *arg)
{
	struct ring *r = arg;
	u32 mine = s->id, next = (s->id + 1) % 8;

	for (u32 i = 0; i < r->rounds; i++) {
		while (line_load32(s, &r->line[mine], &r->turn[mine]) == i)
			line_wait(s, &r->line[mine], &r->turn[mine], i, true);
		r->laps++;
		line_xadd32(s, &r->line[next], &r->turn[next], 1);
	}
}

static void token_goes_round(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m;
	struct ring r = {.rounds = 100, .turn = {1}};

	(void)state;
	config.jitter = 0.3;
	m = kit_machine(&config);
	for (u32 i = 0; i < 8; i++)
		kit_strand(m, 8 * i, pass_on, &r);
	kit_run(m, MACHINE_DONE);
	assert_int_equal(r.laps, 800);
	machine_destroy(m);
}

/* ------------------------------------- a line's list, taken from anywhere */

struct list {
	struct line line;
	u32 word;
	struct strand *waiter[WAITERS];
	u32 interrupted, woken;
};

static void list_waiter(struct strand *s, void *arg)
{
	struct list *l = arg;

	if (line_wait(s, &l->line, &l->word, 0, true))
		l->woken++;
	else
		l->interrupted++;
}

/** Kicks every third out of the list, then wakes the rest. */
static void kick_some_wake_all(struct strand *s, void *arg)
{
	struct list *l = arg;

	spend(s, PS_PER_US);
	for (u32 i = 0; i < WAITERS; i += 3)
		interrupt(s, l->waiter[(i * 7) % WAITERS], i);
	spend(s, PS_PER_US);
	line_store32(s, &l->line, &l->word, 1);
}

static void list_can_be_left_anywhere(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct list l = {0};

	(void)state;
	for (u32 i = 0; i < WAITERS; i++)
		l.waiter[i] = kit_strand(m, i, list_waiter, &l);
	kit_strand(m, 100, kick_some_wake_all, &l);
	kit_run(m, MACHINE_DONE);
	assert_int_equal(l.interrupted, (WAITERS + 2) / 3);
	assert_int_equal(l.woken, WAITERS - (WAITERS + 2) / 3);
	assert_int_equal(l.line.waiters, 0);
	machine_destroy(m);
}

static void write_then_kick(struct strand *s, void *arg)
{
	struct list *l = arg;

	spend(s, PS_PER_US);
	interrupt(s, l->waiter[0], 100 * PS_PER_US); /* too late */
	interrupt(s, l->waiter[1], 1);		     /* before the write */
	line_store32(s, &l->line, &l->word, 1);
}

static void whatever_comes_first_ends_the_wait(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct list l = {0};

	(void)state;
	l.waiter[0] = kit_strand(m, 8, list_waiter, &l);
	l.waiter[1] = kit_strand(m, 16, list_waiter, &l);
	kit_strand(m, 0, write_then_kick, &l);
	kit_run(m, MACHINE_DONE);
	assert_int_equal(l.woken, 1);
	assert_int_equal(l.interrupted, 1);
	assert_int_equal(l.waiter[0]->clock,
			 PS_PER_US + KIT_LOCAL + KIT_SOCKET);
	assert_int_equal(l.waiter[1]->clock, PS_PER_US + 1);
	machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_wake_a_transfer_after_the_write),
		cmocka_unit_test(does_not_wait_for_what_has_happened),
		cmocka_unit_test(write_is_not_missed),
		cmocka_unit_test(neighbours_on_the_line_wake_too),
		cmocka_unit_test(token_goes_round),
		cmocka_unit_test(list_can_be_left_anywhere),
		cmocka_unit_test(whatever_comes_first_ends_the_wait),
	};

	return cmocka_run_group_tests_name("machine wait", tests, NULL, NULL);
}
