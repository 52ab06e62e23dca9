/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Strands of the machine of real threads: that interrupts are never lost, that
 * every run ends and leaves nothing behind, and which CPUs they are on.
 */
#define _GNU_SOURCE /* sched_getcpu, CPU_COUNT */
#include "tests/unit/threads_kit.h"

/* ------------------------------------------------------------ interrupts */

enum { KICKS = 300 };

/* In the guest for good, but for interrupts. */
static void stay_inside(struct strand *s, void *arg)
{
	struct world *w = arg;

	for (u32 i = 0; i < KICKS; i++) {
		u64 left = 3600 * PS_PER_S;

		while (!interrupted(s)) {
			left = spend_in_guest(s, left);
			w->both += left == 0;
		}
		interrupt_done(s);
		w->both += interrupted(s);
		progress(s);
		line_store32(s, &w->a.line, &w->a.value, i + 1);
	}
}

/* Inside, and looking at a word that does not change. */
static void wait_inside(struct strand *s, void *arg)
{
	struct world *w = arg;

	for (u32 i = 0; i < KICKS; i++) {
		while (line_wait(s, &w->b.line, &w->b.value, 0, true))
			;
		w->both += !interrupted(s);
		interrupt_done(s);
		progress(s);
		line_store32(s, &w->a.line, &w->a.value, i + 1);
	}
}

static void kick_and_wait(struct strand *s, void *arg)
{
	struct world *w = arg;

	for (u32 i = 0; i < KICKS; i++) {
		interrupt(s, w->strand[1], PS_PER_US);
		spend(s, 3 * PS_PER_US);
		while (line_load32(s, &w->a.line, &w->a.value) == i)
			line_wait(s, &w->a.line, &w->a.value, i, false);
		/* Sometimes after the other has fallen asleep, where it does.
		 */
		if (i % 16 == 0)
			spend(s, 100 * PS_PER_US);
	}
}

static void kicks_arrive(u32 cpus, enum threads_kick kick,
			 void (*target)(struct strand *, void *))
{
	struct world *w = make_world(cpus);
	struct threads_facts facts;

	w->config.kick = kick;
	add(w, kick_and_wait);
	add(w, target);
	kit_run(w->m, MACHINE_DONE);
	assert_int_equal(w->both, 0);
	assert_int_equal(w->a.value, KICKS);
	facts = threads_facts(w->m);
	if (kick == THREADS_KICK_SIGNAL)
		assert_string_equal(facts.kick, "signal");
	free_world(w);
}

static void a_kick_ends_the_guests_time(void **state)
{
	(void)state;
	kicks_arrive(MAX_CPUS, THREADS_KICK_BEST, stay_inside);
	kicks_arrive(MAX_CPUS, THREADS_KICK_SIGNAL, stay_inside);
	kicks_arrive(1, THREADS_KICK_BEST, stay_inside);
	kicks_arrive(1, THREADS_KICK_SIGNAL, stay_inside);
}

static void a_kick_ends_the_guests_wait(void **state)
{
	(void)state;
	kicks_arrive(MAX_CPUS, THREADS_KICK_BEST, wait_inside);
	kicks_arrive(MAX_CPUS, THREADS_KICK_SIGNAL, wait_inside);
	kicks_arrive(1, THREADS_KICK_BEST, wait_inside);
	kicks_arrive(1, THREADS_KICK_SIGNAL, wait_inside);
}

static void wait_outside(struct strand *s, void *arg)
{
	struct world *w = arg;

	w->flag = line_wait(s, &w->b.line, &w->b.value, 0, false);
}

static void kick_then_write(struct strand *s, void *arg)
{
	struct world *w = arg;

	for (u32 i = 0; i < 20; i++) {
		interrupt(s, w->strand[1], 0);
		spend(s, 20 * PS_PER_US);
	}
	line_store32(s, &w->b.line, &w->b.value, 1);
}

static void a_kick_does_not_end_other_waits(void **state)
{
	struct world *w = make_world(MAX_CPUS);

	(void)state;
	add(w, kick_then_write);
	add(w, wait_outside);
	kit_run(w->m, MACHINE_DONE);
	assert_true(w->flag);
	free_world(w);
}

/* What an interrupt that is seen takes off what is spent next. */
static void note_what_is_paid(struct strand *s, void *arg)
{
	const struct tstrand *v = tstrand_of(s);
	struct world *w = arg;

	for (u32 i = 0; i < KICKS; i++) {
		u64 before = v->paid;

		while (!interrupted(s))
			;
		if (w->seen < v->paid - before)
			w->seen = v->paid - before;
		before = v->paid;
		w->both += !interrupted(s) || v->paid != before;
		interrupt_done(s);
		line_store32(s, &w->a.line, &w->a.value, i + 1);
	}
	w->rounds = tclock_ticks(&threads_of(s)->clock, PS_PER_US);
}

static u64 paid_for_kicks(enum threads_kick kick)
{
	struct world *w = make_world(MAX_CPUS);
	struct threads_facts facts;
	u64 most;

	w->config.kick = kick;
	add(w, kick_and_wait);
	add(w, note_what_is_paid);
	kit_run(w->m, MACHINE_DONE);
	facts = threads_facts(w->m);
	assert_int_equal(w->both, 0);
	assert_in_range(w->seen, 0, w->rounds);
	if (strcmp(facts.kick, "signal") == 0)
		assert_int_equal(w->seen, 0);
	most = w->seen;
	free_world(w);
	return most;
}

/* Once for an interrupt, and not more than the way back is to take. */
static void the_way_back_is_made_up_for(void **state)
{
	(void)state;
	paid_for_kicks(THREADS_KICK_BEST);
	assert_int_equal(paid_for_kicks(THREADS_KICK_SIGNAL), 0);
}

/* -------------------------------------------------------------- its ends */

enum { HOGS = 8 };

/* Takes its part of a CPU until it is told to stop. */
static void *hog(void *arg)
{
	const u32 *stop = arg;

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED))
		;
	return NULL;
}

static void work_for(struct strand *s, void *arg)
{
	struct world *w = arg;
	struct timespec ts;

	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	while (ts.tv_nsec < 8 * 1000000);
	progress(s);
	line_store32(s, &w->a.line, &w->a.value, 1);
}

static void look_for(struct strand *s, void *arg)
{
	struct world *w = arg;

	while (!line_load32(s, &w->a.line, &w->a.value))
		spend(s, PS_PER_US);
}

/* A ninth of a CPU is little, and the other strand can only turn. */
static void others_make_no_livelock(void **state)
{
	struct world *w = make_world(2);
	pthread_t thread[HOGS];
	enum machine_end end;
	u32 stop = 0;

	(void)state;
	if (w->cpus.n < 2) {
		print_message("needs two CPUs\n");
		free(w);
		skip();
	}
	for (int i = 0; i < HOGS; i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(w->cpus.os[1], &set);
		assert_int_equal(pthread_create(&thread[i], NULL, hog, &stop),
				 0);
		pthread_setaffinity_np(thread[i], sizeof(set), &set);
	}
	w->config.livelock_ps = 30 * PS_PER_MS;
	add(w, look_for);
	add(w, work_for);
	end = machine_run(w->m);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < HOGS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(end, MACHINE_DONE);
	free_world(w);
}

static void spend_for_ever(struct strand *s, void *arg)
{
	(void)arg;
	for (;;)
		spend(s, PS_PER_US);
}

static void wait_for_ever(struct strand *s, void *arg)
{
	struct world *w = arg;

	for (;;)
		line_wait(s, &w->a.line, &w->a.value, 0, s->id & 1);
}

static void sleep_in_guest(struct strand *s, void *arg)
{
	(void)arg;
	spend_in_guest(s, UINT64_MAX);
}

static void halt_soon(struct strand *s, void *arg)
{
	(void)arg;
	spend(s, PS_PER_MS);
	machine_halt(s, "as it was told");
}

static void ends_as(struct world *w, enum machine_end end, const char *reason)
{
	kit_run(w->m, end);
	assert_non_null(strstr(machine_reason(w->m), reason));
	assert_int_equal(w->a.line.waiters, 0);
	nobody_is_left(w);
	free_world(w);
}

static void a_halt_ends_all(void **state)
{
	struct world *w = make_world(MAX_CPUS);

	(void)state;
	add(w, spend_for_ever);
	add(w, wait_for_ever);
	add(w, wait_for_ever);
	add(w, sleep_in_guest);
	add(w, halt_soon);
	ends_as(w, MACHINE_HALTED, "as it was told");
}

static void a_livelock_is_seen(void **state)
{
	struct world *w = make_world(MAX_CPUS);

	(void)state;
	w->config.livelock_ps = 20 * PS_PER_MS;
	add(w, spend_for_ever);
	add(w, wait_for_ever);
	ends_as(w, MACHINE_LIVELOCK, "no progress for");
}

static void a_deadlock_is_seen(void **state)
{
	struct world *w = make_world(MAX_CPUS);

	(void)state;
	add(w, wait_for_ever);
	add(w, wait_for_ever);
	add(w, wait_for_ever);
	ends_as(w, MACHINE_DEADLOCK, "3 of 3 strands");
}

static void progress_for_ever(struct strand *s, void *arg)
{
	(void)arg;
	for (;;) {
		spend(s, PS_PER_US);
		progress(s);
	}
}

static void a_limit_ends_it(void **state)
{
	struct world *w = make_world(MAX_CPUS);

	(void)state;
	w->config.livelock_ps = 3600 * PS_PER_S;
	w->config.max_ps = 10 * PS_PER_MS;
	add(w, progress_for_ever);
	add(w, wait_for_ever);
	ends_as(w, MACHINE_TIMEOUT, "not done at");
}

static void it_can_be_stopped(void **state)
{
	struct world *w = make_world(MAX_CPUS);
	atomic_int stop = 1;

	(void)state;
	w->config.stop = &stop;
	add(w, progress_for_ever);
	add(w, wait_for_ever);
	ends_as(w, MACHINE_STOPPED, "stopped");
}

/* ------------------------------------------------------------------ CPUs */

static void tell_cpu(struct strand *s, void *arg)
{
	struct world *w = arg;

	if (sched_getcpu() != (int)w->cpus.os[s->id % w->cpus.n])
		__atomic_fetch_add(&w->both, 1, __ATOMIC_RELAXED);
	if (s->id == 0)
		line_store32(s, &w->a.line, &w->a.value, 1);
	else
		meet(s, &w->a, 1);
}

static void strands_are_where_they_belong(void **state)
{
	struct world *w = make_world(2);
	struct threads_facts facts;

	(void)state;
	for (u32 i = 0; i < 6; i++)
		add(w, tell_cpu);
	kit_run(w->m, MACHINE_DONE);
	assert_int_equal(w->both, 0);
	facts = threads_facts(w->m);
	assert_int_equal(facts.strands, 6);
	assert_int_equal(facts.cpus, w->cpus.n);
	assert_int_equal(facts.unpinned, 0);
	assert_true(facts.clock_hz > 0);
	free_world(w);
}

static void a_cpu_that_is_not_there_is_told(void **state)
{
	struct world *w = make_world(2);

	(void)state;
	w->rounds = 100;
	w->cpus.os[0] = 100000;
	add(w, take_turns);
	add(w, take_turns);
	kit_run(w->m, MACHINE_DONE);
	assert_int_equal(threads_facts(w->m).unpinned, w->cpus.n > 1 ? 1 : 2);
	free_world(w);
}

static void it_runs_without_pinning(void **state)
{
	struct world *w = make_world(MAX_CPUS);

	(void)state;
	w->config.os_cpu = NULL;
	add(w, kick_and_wait);
	add(w, stay_inside);
	kit_run(w->m, MACHINE_DONE);
	assert_int_equal(threads_facts(w->m).unpinned, 2);
	assert_string_equal(threads_facts(w->m).kick, "signal");
	free_world(w);
}

static void many_strands_on_one_cpu_end(void **state)
{
	struct world *w = make_world(1);

	(void)state;
	for (u32 i = 0; i < MAX_STRANDS; i++)
		add(w, step_all);
	kit_run(w->m, MACHINE_DONE);
	assert_int_equal(w->a.value, MAX_STRANDS * STEPS);
	free_world(w);
}

#define LINE_OF(type, member) (offsetof(type, member) / 64)

/* What one strand writes and another reads or writes: lines of their own. */
static void strands_share_no_lines(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct tstrand) % 64, 0);
	assert_int_equal(_Alignof(struct tstrand), 64);
	assert_true(offsetof(struct tstrand, inbox) % 64 == 0);
	assert_int_equal(sizeof(struct inbox), 64);
	assert_true(offsetof(struct tstrand, progress) % 64 == 0);
	assert_true(LINE_OF(struct tstrand, out) <
		    LINE_OF(struct tstrand, inbox));
	assert_true(LINE_OF(struct tstrand, inbox) <
		    LINE_OF(struct tstrand, progress));
	assert_true(LINE_OF(struct threads, pause_ticks) <
		    LINE_OF(struct threads, stop));
	assert_true(LINE_OF(struct threads, end_ps) <
		    LINE_OF(struct threads, gate));
	assert_true(LINE_OF(struct threads, live) <
		    LINE_OF(struct threads, lot));
	assert_int_equal(sizeof(struct lot), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kick_ends_the_guests_time),
		cmocka_unit_test(a_kick_ends_the_guests_wait),
		cmocka_unit_test(a_kick_does_not_end_other_waits),
		cmocka_unit_test(the_way_back_is_made_up_for),
		cmocka_unit_test(a_halt_ends_all),
		cmocka_unit_test(others_make_no_livelock),
		cmocka_unit_test(a_livelock_is_seen),
		cmocka_unit_test(a_deadlock_is_seen),
		cmocka_unit_test(a_limit_ends_it),
		cmocka_unit_test(it_can_be_stopped),
		cmocka_unit_test(strands_are_where_they_belong),
		cmocka_unit_test(a_cpu_that_is_not_there_is_told),
		cmocka_unit_test(it_runs_without_pinning),
		cmocka_unit_test(many_strands_on_one_cpu_end),
		cmocka_unit_test(strands_share_no_lines),
	};

	return cmocka_run_group_tests(tests, start_a_thread, NULL);
}
