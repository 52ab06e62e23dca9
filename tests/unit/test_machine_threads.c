/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine of real threads: that operations are atomic and ordered, that
 * waits and interrupts are never lost, that every run ends and leaves nothing
 * behind.  No test asserts that something was fast.
 */
#define _GNU_SOURCE /* sched_getcpu, CPU_COUNT */
#include <dirent.h>
#include <sched.h>
#include <stdlib.h>

#include "model/machine/threads.h"
#include "tests/unit/machine_kit.h"

enum { MAX_CPUS = 64, MAX_STRANDS = 16 };

/** The CPUs that this process may use. */
struct cpus {
	u32 n, os[MAX_CPUS];
	struct cpu_place place[MAX_CPUS];
	struct topology topology;
};

static void find_cpus(struct cpus *c, u32 most)
{
	cpu_set_t set;

	memset(c, 0, sizeof(*c));
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (u32 i = 0; i < CPU_SETSIZE && c->n < most; i++)
		if (CPU_ISSET(i, &set))
			c->os[c->n++] = i;
	c->topology = (struct topology){c->n, 1, c->place};
}

/** A machine of all CPUs or fewer, with memory that its strands share. */
struct world {
	struct cpus cpus;
	struct threads_config config;
	struct machine *m;
	struct strand *strand[MAX_STRANDS];
	u32 n;

	struct word {
		struct line line;
		u32 value;
	} __attribute__((aligned(64))) a, b, c;
	struct {
		struct line line;
		u16 w16;
		u64 w64[2];
		u8 w8;
	} __attribute__((aligned(64))) mix;
	u64 rounds, seen, both;
	u32 tasks; /* of the process, before it ran */
	bool flag;
};

static u32 count_tasks(void)
{
	DIR *dir = opendir("/proc/self/task");
	u32 n = 0;

	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

static struct world *make_world(u32 most_cpus)
{
	struct world *w = aligned_alloc(64, sizeof(*w));

	assert_non_null(w);
	memset(w, 0, sizeof(*w));
	find_cpus(&w->cpus, most_cpus);
	w->tasks = count_tasks();
	w->config = (struct threads_config){
		.topology = &w->cpus.topology,
		.os_cpu = w->cpus.os,
		.seed = 1,
		/* A safeguard, far above what any of this takes. */
		.max_ps = 120 * PS_PER_S,
		.max_strands = MAX_STRANDS,
	};
	return w;
}

static void add(struct world *w, void (*fn)(struct strand *, void *))
{
	if (!w->m)
		w->m = threads_create(&w->config);
	assert_non_null(w->m);
	w->strand[w->n] = machine_strand(w->m, w->n, fn, w);
	assert_non_null(w->strand[w->n]);
	w->n++;
}

static void free_world(struct world *w)
{
	machine_destroy(w->m);
	free(w);
}

/* The kernel takes a thread off the list a moment after it was joined. */
static void nobody_is_left(const struct world *w)
{
	for (int i = 0; count_tasks() > w->tasks && i < 10000; i++)
		sched_yield();
	assert_int_equal(count_tasks(), w->tasks);
}

/* ------------------------------------------------------------ operations */

enum { STEPS = 50000 };

static void step_all(struct strand *s, void *arg)
{
	struct world *w = arg;

	for (u32 i = 0; i < STEPS; i++) {
		u64 old;

		line_xadd16(s, &w->mix.line, &w->mix.w16, 1);
		line_xadd32(s, &w->a.line, &w->a.value, 1);
		line_xadd64(s, &w->mix.line, &w->mix.w64[0], 1);
		do
			old = line_load64(s, &w->mix.line, &w->mix.w64[1]);
		while (line_cmpxchg64(s, &w->mix.line, &w->mix.w64[1], old,
				      old + 1) != old);
	}
}

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

/* Meet: nobody goes on before all have come so far. */
static void meet(struct strand *s, struct word *at, u32 n)
{
	line_xadd32(s, &at->line, &at->value, 1);
	while (line_load32(s, &at->line, &at->value) < n)
		spend(s, 0);
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

/* Take turns: each waits for the word to be its own. */
static void take_turns(struct strand *s, void *arg)
{
	struct world *w = arg;
	u32 parity = s->id;

	for (;;) {
		u32 at = line_load32(s, &w->a.line, &w->a.value);

		if (at >= w->rounds)
			return;
		if (at % 2 != parity) {
			line_wait(s, &w->a.line, &w->a.value, at, false);
			continue;
		}
		/* Now and then late enough for the other to be asleep. */
		if (at % 64 < 2)
			spend(s, 200 * PS_PER_US);
		progress(s);
		line_store32(s, &w->a.line, &w->a.value, at + 1);
	}
}

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

/* -------------------------------------------------------------- its ends */

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

static void *nothing(void *arg)
{
	return arg;
}

int main(void)
{
	pthread_t first;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_are_atomic),
		cmocka_unit_test(bits_exclude),
		cmocka_unit_test(one_of_two_sees_the_other),
		cmocka_unit_test(sixteen_bytes_are_of_one_instant),
		cmocka_unit_test(costs_pass_by_the_clock),
		cmocka_unit_test(costs_pass_without_a_tsc),
		cmocka_unit_test(work_is_done),
		cmocka_unit_test(no_wake_is_lost),
		cmocka_unit_test(no_wake_is_lost_on_one_cpu),
		cmocka_unit_test(each_write_wakes),
		cmocka_unit_test(a_kick_ends_the_guests_time),
		cmocka_unit_test(a_kick_ends_the_guests_wait),
		cmocka_unit_test(a_kick_does_not_end_other_waits),
		cmocka_unit_test(a_halt_ends_all),
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

	/* Sanitizers start a thread of their own with the first one. */
	if (pthread_create(&first, NULL, nothing, NULL) ||
	    pthread_join(first, NULL))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
