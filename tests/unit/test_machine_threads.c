/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine of real threads: that operations are atomic and ordered, that
 * time passes and no wake is lost.  No test asserts that something was fast.
 */
#define _GNU_SOURCE /* sched_getcpu, CPU_COUNT */
#include "tests/unit/threads_kit.h"

/* ------------------------------------------------------------ operations */

static void operations_are_atomic(void **state)
{
	struct world *w = make_world(MAX_CPUS);

	(void)state;
	for (u32 i = 0; i < 4; i++)
		add(w, step_all);
	kit_run(w->m, MACHINE_DONE);
	assert_int_equal(w->mix.w16, (u16)(4 * STEPS));
	assert_int_equal(w->a.value, 4 * STEPS);
	assert_int_equal(w->mix.w64[0], 4 * STEPS);
	assert_int_equal(w->mix.w64[1], 4 * STEPS);
	nobody_is_left(w);
	free_world(w);
}

/* A bit that is set and cleared is a lock: who found it clear has it. */
static void lock_by_bits(struct strand *s, void *arg)
{
	struct world *w = arg;
	u64 *bits = &w->mix.w64[0];

	for (u32 i = 0; i < STEPS / 10; i++) {
		while (line_bts64(s, &w->mix.line, bits, 1) & 1)
			spend(s, 0);
		w->rounds++;
		line_btr64(s, &w->mix.line, bits, 1);
		while (line_cmpxchg8(s, &w->mix.line, &w->mix.w8, 0, 1))
			spend(s, 0);
		w->seen++;
		__atomic_store_n(&w->mix.w8, 0, __ATOMIC_RELEASE);
	}
}

static void bits_exclude(void **state)
{
	struct world *w = make_world(MAX_CPUS);

	(void)state;
	add(w, lock_by_bits);
	add(w, lock_by_bits);
	kit_run(w->m, MACHINE_DONE);
	assert_int_equal(w->rounds, 2 * (STEPS / 10));
	assert_int_equal(w->seen, 2 * (STEPS / 10));
	free_world(w);
}

enum { LITMUS_ROUNDS = 30000 };

/* Store to one's own word, then load the other's. */
static void store_then_load(struct strand *s, void *arg)
{
	struct world *w = arg;
	struct word *own = s->id ? &w->b : &w->a;
	struct word *other = s->id ? &w->a : &w->b;

	for (u32 i = 1; i <= LITMUS_ROUNDS; i++) {
		meet(s, &w->c, 4 * i - 2);
		line_store32(s, &own->line, &own->value, i);
		/* as vCPUs tell that they are inside, then look at the gate */
		if (line_load32(s, &other->line, &other->value) < i)
			__atomic_fetch_add(&w->seen, 1, __ATOMIC_SEQ_CST);
		meet(s, &w->c, 4 * i);
		if (s->id)
			continue;
		w->both += w->seen > 1;
		w->seen = 0;
	}
}

static void one_of_two_sees_the_other(void **state)
{
	struct world *w = make_world(MAX_CPUS);

	(void)state;
	add(w, store_then_load);
	add(w, store_then_load);
	kit_run(w->m, MACHINE_DONE);
	assert_int_equal(w->both, 0);
	free_world(w);
}

/* Long enough for the two to be at it at one time. */
enum { PAIRS = 3000000 };

/* The second word is half of the first, which is odd while it changes. */
static void write_pairs(struct strand *s, void *arg)
{
	struct world *w = arg;

	for (u64 i = 1; i <= PAIRS; i++) {
		line_store64(s, &w->mix.line, &w->mix.w64[0], 2 * i - 1);
		line_store64(s, &w->mix.line, &w->mix.w64[1], i);
		line_store64(s, &w->mix.line, &w->mix.w64[0], 2 * i);
	}
}

static void read_pairs(struct strand *s, void *arg)
{
	struct world *w = arg;
	u64 pair[2] = {0, 0};

	while (pair[0] < 2 * PAIRS) {
		line_read128(s, &w->mix.line, w->mix.w64, pair);
		/* An even one: the other was written and stays. */
		if (pair[0] % 2 == 0)
			w->both += pair[1] != pair[0] / 2;
	}
}

static void sixteen_bytes_are_of_one_instant(void **state)
{
	struct world *w = make_world(MAX_CPUS);

	(void)state;
	add(w, write_pairs);
	add(w, read_pairs);
	kit_run(w->m, MACHINE_DONE);
	assert_int_equal(w->both, 0);
	free_world(w);
}

/* ------------------------------------------------------------------ time */

enum { SPENDS = 2000 };

static void spend_much(struct strand *s, void *arg)
{
	struct world *w = arg;
	u64 begin = now(s), last = begin;

	for (u32 i = 0; i < SPENDS; i++) {
		spend_work(s, 5 * PS_PER_US, (enum work)(i % 4));
		w->both += now(s) < last;
		last = now(s);
	}
	for (u32 i = 0; i < SPENDS; i++)
		w->both += spend_in_guest(s, PS_PER_US) != 0;
	w->seen = now(s) - begin;
}

static void time_is_spent(bool no_tsc)
{
	struct world *w = make_world(MAX_CPUS);
	/* What spends take besides waiting is guessed, so not to the ns. */
	u64 least = SPENDS * 6 * PS_PER_US / 10 * 9;

	w->config.no_tsc = no_tsc;
	add(w, spend_much);
	kit_run(w->m, MACHINE_DONE);
	assert_int_equal(w->both, 0);
	assert_true(w->seen >= least);
	assert_true(machine_time(w->m) >= w->seen);
	assert_true(machine_events(w->m) >= 2 * SPENDS);
	free_world(w);
}

static void costs_pass_by_the_clock(void **state)
{
	(void)state;
	time_is_spent(false);
}

static void costs_pass_without_a_tsc(void **state)
{
	(void)state;
	time_is_spent(true);
}

static void read_much(struct strand *s, void *arg)
{
	const struct tstrand *v = tstrand_of(s);
	struct world *w = arg;
	u64 before = v->paid;

	now(s);
	w->both = v->paid - before;
	for (u32 i = 0; i < STEPS; i++)
		now(s);
	w->seen = v->paid;
	w->flag = w->both == threads_of(s)->read_ticks;
	w->rounds = threads_of(s)->carry_ticks + w->both;
}

/* A reading shortens what is spent next; many do not shorten it by more. */
static void readings_are_made_up_for(void **state)
{
	struct world *w = make_world(MAX_CPUS);

	(void)state;
	add(w, read_much);
	kit_run(w->m, MACHINE_DONE);
	assert_true(w->flag);
	assert_true(w->both > 0);
	assert_in_range(w->seen, w->both, w->rounds);
	free_world(w);
}

static void work_is_done(void **state)
{
	static unsigned char page[2][WORK_PAGE_BYTES]
		__attribute__((aligned(WORK_PAGE_BYTES)));
	static const unsigned char zero[WORK_PAGE_BYTES];
	struct page_work work = page_work();

	(void)state;
	for (size_t i = 0; i < WORK_PAGE_BYTES; i++)
		page[0][i] = (unsigned char)(i * 7 + 1);
	work.copy(page[1], page[0]);
	assert_memory_equal(page[0], page[1], WORK_PAGE_BYTES);
	work.flush(page[1]);
	assert_memory_equal(page[0], page[1], WORK_PAGE_BYTES);
	work.clear(page[0]);
	assert_memory_equal(page[0], zero, WORK_PAGE_BYTES);
}

/* ----------------------------------------------------------------- waits */

static void turns_are_taken(u32 cpus)
{
	struct world *w = make_world(cpus);

	w->rounds = 2000;
	add(w, take_turns);
	add(w, take_turns);
	kit_run(w->m, MACHINE_DONE);
	assert_int_equal(w->a.value, 2000);
	assert_int_equal(w->a.line.waiters, 0);
	free_world(w);
}

static void no_wake_is_lost(void **state)
{
	(void)state;
	turns_are_taken(MAX_CPUS);
}

static void no_wake_is_lost_on_one_cpu(void **state)
{
	(void)state;
	turns_are_taken(1);
}

/* Any 32-bit operation, and those on its halves, end a wait. */
static void wake_by_each(struct strand *s, void *arg)
{
	struct world *w = arg;
	union {
		u32 *word;
		u16 *half;
	} at = {.word = &w->a.value};

	for (u32 i = 0; i < 5; i++) {
		u32 seen = i;

		spend(s, 500 * PS_PER_US);
		if (i == 0)
			line_store32(s, &w->a.line, &w->a.value, seen + 1);
		else if (i == 1)
			line_xadd32(s, &w->a.line, &w->a.value, 1);
		else if (i == 2)
			line_cmpxchg32(s, &w->a.line, &w->a.value, seen, 3);
		else if (i == 3)
			line_xchg32(s, &w->a.line, &w->a.value, 4);
		else
			line_xchg16(s, &w->a.line, at.half, 5);
		while (line_load32(s, &w->b.line, &w->b.value) <= i)
			spend(s, PS_PER_US);
	}
}

static void wait_for_each(struct strand *s, void *arg)
{
	struct world *w = arg;

	for (u32 i = 0; i < 5; i++) {
		while (line_load32(s, &w->a.line, &w->a.value) == i)
			line_wait(s, &w->a.line, &w->a.value, i, false);
		line_store32(s, &w->b.line, &w->b.value, i + 1);
	}
}

static void each_write_wakes(void **state)
{
	struct world *w = make_world(MAX_CPUS);

	(void)state;
	add(w, wake_by_each);
	add(w, wait_for_each);
	kit_run(w->m, MACHINE_DONE);
	assert_int_equal(w->b.value, 5);
	free_world(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_are_atomic),
		cmocka_unit_test(bits_exclude),
		cmocka_unit_test(one_of_two_sees_the_other),
		cmocka_unit_test(sixteen_bytes_are_of_one_instant),
		cmocka_unit_test(costs_pass_by_the_clock),
		cmocka_unit_test(costs_pass_without_a_tsc),
		cmocka_unit_test(readings_are_made_up_for),
		cmocka_unit_test(work_is_done),
		cmocka_unit_test(no_wake_is_lost),
		cmocka_unit_test(no_wake_is_lost_on_one_cpu),
		cmocka_unit_test(each_write_wakes),
	};

	return cmocka_run_group_tests(tests, start_a_thread, NULL);
}
