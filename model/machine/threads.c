/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine of host threads on real CPUs.
 *
 * Locked instructions are done by the inline operations of machine.h; here is
 * what time is, and the life of the threads.  A cost is paid by the work that
 * it stands for, where user space can do that, and what is left of it passes
 * by the clock.  A wait that ended too late makes the next one shorter, so
 * that costs hold on average however coarse the loop is.
 */
#define _GNU_SOURCE /* CPU_SET, pthread_attr_setaffinity_np */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "model/machine/threads.h"

#define DEFAULT_STACK_BYTES (1u << 20)

/*
 * Of the loops that wait: how late one may be to make it up (longer delays
 * are not the loop's), when a pause would be too coarse (140 cycles on some
 * CPUs), how long a word is looked at (a few times a hand-over by futex) and
 * what is worth a yield.
 */
#define CARRY_PS	(500 * PS_PER_NS)
#define PAUSE_PS	(200 * PS_PER_NS)
#define SPIN_PS		(20 * PS_PER_US)
#define SPIN_CROWDED_PS (2 * PS_PER_US)
#define YIELD_PS	(20 * PS_PER_US)

_Noreturn void strand_leave(struct tstrand *v)
{
	siglongjmp(v->out, 1);
}

/* ------------------------------------------------------- what strands do */

/* More is left than a thread that has a CPU to itself would give away. */
static void wait_politely(const struct threads *m, u64 left)
{
	if (m->oversubscribed && left > m->yield_ticks)
		sched_yield();
	else if (left > m->pause_ticks)
		tclock_pause();
}

/* Returns how far past the deadline it is. */
static u64 wait_until(struct threads *m, struct tstrand *v, u64 deadline)
{
	u64 at;

	while ((at = tclock_glance(&m->clock)) < deadline) {
		check_stop(m, v);
		wait_politely(m, deadline - at);
	}
	return at - deadline;
}

static void do_work(struct threads *m, struct tstrand *v, enum work work)
{
	unsigned char *page = v->scratch + (size_t)v->page * WORK_PAGE_BYTES;
	unsigned char *next;

	v->page = (v->page + 1) % SCRATCH_PAGES;
	next = v->scratch + (size_t)v->page * WORK_PAGE_BYTES;
	switch (work) {
	case WORK_CLEAR_4K:
		m->work.clear(page);
		break;
	case WORK_COPY_4K:
		m->work.copy(page, next);
		break;
	case WORK_FLUSH_4K:
		m->work.flush(page);
		break;
	case WORK_PLAIN:
		break;
	}
}

/* Of `ticks`, what has not been paid before. */
static u64 still_owed(struct tstrand *v, u64 ticks)
{
	u64 paid = v->paid < ticks ? v->paid : ticks;

	v->paid -= paid;
	return ticks - paid;
}

static void threads_spend(struct strand *s, u64 ps, enum work work)
{
	struct threads *m = threads_of(s);
	struct tstrand *v = tstrand_of(s);
	u64 begin, late;

	v->events++;
	check_stop(m, v);
	begin = tclock_glance(&m->clock);
	if (work != WORK_PLAIN)
		do_work(m, v, work);
	v->paid += m->spend_ticks;
	begin += still_owed(v, tclock_ticks(&m->clock, ps));
	/* Work that took longer than its cost did so: nothing is given back. */
	if (work != WORK_PLAIN && tclock_glance(&m->clock) >= begin)
		return;
	late = wait_until(m, v, begin);
	/* A little is this loop's fault, more is somebody else's. */
	v->paid += late < m->carry_ticks ? late : 0;
}

enum { SPEND_TRIES = 21, SPEND_BATCH = 64 };

static int by_value(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x > y) - (x < y);
}

/*
 * Reading the clock and everything around it takes time that no deadline
 * knows of: by how much spends in a row are longer than they should be, the
 * median of some tries, is taken off each.
 */
static void measure_spend(struct threads *m)
{
	const u64 ps = SPEND_BATCH * CARRY_PS;
	struct tstrand *v = &m->strand[0];
	u64 took[SPEND_TRIES];

	memset(v, 0, sizeof(*v));
	v->s.machine = &m->base;
	for (int i = 0; i < SPEND_TRIES; i++) {
		u64 begin = tclock_read(&m->clock);

		for (int k = 0; k < SPEND_BATCH; k++)
			threads_spend(&v->s, CARRY_PS, WORK_PLAIN);
		took[i] = tclock_read(&m->clock) - begin;
	}
	qsort(took, SPEND_TRIES, sizeof(*took), by_value);
	took[0] = took[SPEND_TRIES / 2];
	if (took[0] > tclock_ticks(&m->clock, ps))
		m->spend_ticks =
			(took[0] - tclock_ticks(&m->clock, ps)) / SPEND_BATCH;
	if (m->spend_ticks > m->carry_ticks)
		m->spend_ticks = m->carry_ticks;
}

/* What has passed since an interrupt arrived is time of what comes of it. */
static bool interrupt_pending(struct tstrand *v)
{
	if (!__atomic_load_n(&v->inbox.pending, __ATOMIC_SEQ_CST))
		return false;
	v->paid += __atomic_exchange_n(&v->inbox.ago, 0, __ATOMIC_RELAXED);
	return true;
}

static u64 threads_spend_in_guest(struct strand *s, u64 ps)
{
	struct threads *m = threads_of(s);
	struct tstrand *v = tstrand_of(s);
	u64 begin = tclock_glance(&m->clock), at = begin, owed, left;

	v->events++;
	check_stop(m, v);
	owed = still_owed(v, tclock_ticks(&m->clock, ps));
	while (at - begin < owed) {
		if (interrupt_pending(v)) {
			left = (u64)((tclock_u128)(owed - (at - begin)) *
					     m->clock.ps_per_tick >>
				     32);
			return left ? left : 1;
		}
		check_stop(m, v);
		wait_politely(m, owed - (at - begin));
		at = tclock_glance(&m->clock);
	}
	if (at - begin - owed < m->carry_ticks)
		v->paid += at - begin - owed;
	return 0;
}

static bool threads_interrupted(struct strand *s)
{
	struct tstrand *v = tstrand_of(s);

	check_stop(threads_of(s), v);
	return interrupt_pending(v);
}

static void threads_interrupt_done(struct strand *s)
{
	__atomic_store_n(&tstrand_of(s)->inbox.pending, 0, __ATOMIC_SEQ_CST);
}

static void threads_progress(struct strand *s)
{
	struct tstrand *v = tstrand_of(s);

	__atomic_store_n(&v->progress, v->progress + 1, __ATOMIC_RELAXED);
}

static __attribute__((noreturn)) void threads_halt(struct strand *s,
						   const char *why)
{
	end_run(threads_of(s), MACHINE_HALTED, "%s", why);
	strand_leave(tstrand_of(s));
}

/*
 * Readings belong to who looks on, not to what is looked at.  Not more of them
 * than a short wait is: a loop that does nothing but read saves up nothing.
 */
static u64 threads_now(struct strand *s)
{
	struct threads *m = threads_of(s);
	struct tstrand *v = tstrand_of(s);

	if (v->paid < m->carry_ticks)
		v->paid += m->read_ticks;
	return tclock_ps(&m->clock, tclock_read(&m->clock));
}

static const struct machine_ops threads_ops = {
	.spend = threads_spend,
	.spend_in_guest = threads_spend_in_guest,
	.wait = threads_wait,
	.wake = threads_wake,
	.interrupt = threads_interrupt,
	.interrupted = threads_interrupted,
	.interrupt_done = threads_interrupt_done,
	.progress = threads_progress,
	.halt = threads_halt,
	.now = threads_now,
};

/* ----------------------------------------------------------- the threads */

/* On its own CPU, so that the pages are of memory that is near to it. */
static bool take_scratch(struct tstrand *v)
{
	size_t bytes = (size_t)SCRATCH_PAGES * WORK_PAGE_BYTES;

	v->scratch = aligned_alloc(WORK_PAGE_BYTES, bytes);
	if (v->scratch)
		memset(v->scratch, 0, bytes);
	return v->scratch;
}

/* Nobody begins before everybody stands here. */
static void pass_gate(struct threads *m)
{
	__atomic_fetch_add(&m->ready, 1, __ATOMIC_SEQ_CST);
	futex_wake_all(&m->ready);
	while (!__atomic_load_n(&m->gate, __ATOMIC_SEQ_CST))
		futex_wait(&m->gate, 0, 0);
}

static void run_strand(struct tstrand *v)
{
	if (sigsetjmp(v->out, 0) == 0 && !must_stop(threads_of(&v->s)))
		v->fn(&v->s, v->arg);
}

static void *thread_main(void *arg)
{
	struct tstrand *v = arg;
	struct threads *m = threads_of(&v->s);

	if (!take_scratch(v))
		end_run(m, MACHINE_HALTED, "out of memory");
	pass_gate(m);
	run_strand(v);
	if (__atomic_sub_fetch(&m->live, 1, __ATOMIC_SEQ_CST) == 0)
		futex_wake_all(&m->live);
	return NULL;
}

/* The CPUs that a thread may use: the one of its strand. */
static int pin(struct tstrand *v, pthread_attr_t *attr)
{
	size_t size = CPU_ALLOC_SIZE(v->os_cpu + 1);
	cpu_set_t *set = CPU_ALLOC(v->os_cpu + 1);
	int error;

	if (!set)
		return ENOMEM;
	CPU_ZERO_S(size, set);
	CPU_SET_S(v->os_cpu, size, set);
	error = pthread_attr_setaffinity_np(attr, size, set);
	CPU_FREE(set);
	return error;
}

static int start(struct threads *m, struct tstrand *v, bool pinned)
{
	size_t bytes = m->config.stack_bytes;
	pthread_attr_t attr;
	int error = pthread_attr_init(&attr);

	if (error)
		return error;
	error = pthread_attr_setstacksize(&attr,
					  bytes ? bytes : DEFAULT_STACK_BYTES);
	if (!error && pinned)
		error = pin(v, &attr);
	if (!error)
		error = pthread_create(&v->thread, &attr, thread_main, v);
	pthread_attr_destroy(&attr);
	v->pinned = pinned && !error;
	return error;
}

/* Where it belongs, or, if this process may not use that CPU, anywhere. */
static int start_somewhere(struct threads *m, struct tstrand *v)
{
	const struct threads_config *c = &m->config;

	if (c->os_cpu) {
		v->os_cpu = c->os_cpu[v->s.cpu % c->topology->ncpus];
		if (start(m, v, true) == 0)
			return 0;
	}
	return start(m, v, false);
}

/* Strands take no signals but those that interrupt them. */
static void block_signals(const struct threads *m, sigset_t *before)
{
	static const int own[] = {SIGSEGV, SIGBUS,  SIGFPE,
				  SIGILL,  SIGTRAP, SIGABRT};
	sigset_t set;

	sigfillset(&set);
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		sigdelset(&set, own[i]);
	sigdelset(&set, m->signal);
	pthread_sigmask(SIG_SETMASK, &set, before);
}

static void start_all(struct threads *m)
{
	sigset_t before;
	u32 seen;

	block_signals(m, &before);
	for (u32 i = 0; i < m->strands; i++) {
		int error = start_somewhere(m, &m->strand[i]);

		if (!error)
			continue;
		end_run(m, MACHINE_HALTED, "thread %u of %u: %s", i + 1,
			m->strands, strerror(error));
		__atomic_sub_fetch(&m->live, m->strands - i, __ATOMIC_SEQ_CST);
		m->strands = i;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	while ((seen = __atomic_load_n(&m->ready, __ATOMIC_SEQ_CST)) <
	       m->strands)
		futex_wait(&m->ready, seen, 0);
}

static enum machine_end threads_run(struct machine *base)
{
	struct threads *m = (struct threads *)base;

	m->end = MACHINE_DONE;
	m->live = m->strands;
	m->oversubscribed = m->strands > m->config.topology->ncpus;
	m->spin_ticks = tclock_ticks(
		&m->clock, m->oversubscribed ? SPIN_CROWDED_PS : SPIN_PS);
	start_all(m);
	m->clock.begin = tclock_read(&m->clock);
	__atomic_store_n(&m->gate, 1, __ATOMIC_SEQ_CST);
	futex_wake_all(&m->gate);
	watch(m);
	for (u32 i = 0; i < m->strands; i++)
		pthread_join(m->strand[i].thread, NULL);
	m->end_ps = tclock_ps(&m->clock, tclock_read(&m->clock));
	return m->end;
}

/* ---------------------------------------------------------- the machine */

static struct strand *threads_add(struct machine *base, u32 cpu,
				  void (*fn)(struct strand *, void *),
				  void *arg)
{
	struct threads *m = (struct threads *)base;
	struct tstrand *v = &m->strand[m->strands];

	if (m->strands == m->config.max_strands || cpu > UINT16_MAX)
		return NULL;
	memset(v, 0, sizeof(*v));
	v->s = (struct strand){
		.ops = &threads_ops,
		.machine = base,
		.trace = m->config.trace,
		.random = mix64(m->config.seed ^ mix64(m->strands)),
		.id = m->strands,
		.cpu = (u16)cpu,
		.real = true,
	};
	v->fn = fn;
	v->arg = arg;
	m->strands++;
	return &v->s;
}

static u64 threads_events(const struct machine *base)
{
	const struct threads *m = (const struct threads *)base;
	u64 events = 0;

	for (u32 i = 0; i < m->strands; i++)
		events += m->strand[i].events;
	return events;
}

static u64 threads_time(const struct machine *base)
{
	return ((const struct threads *)base)->end_ps;
}

static void threads_destroy(struct machine *base)
{
	struct threads *m = (struct threads *)base;

	for (u32 i = 0; m->strand && i < m->strands; i++)
		free(m->strand[i].scratch);
	free(m->strand);
	free(m);
}

static const struct machine_kind threads_kind = {
	.add = threads_add,
	.run = threads_run,
	.events = threads_events,
	.time = threads_time,
	.destroy = threads_destroy,
};

struct threads_facts threads_facts(const struct machine *base)
{
	const struct threads *m = (const struct threads *)base;
	struct threads_facts f = {
		.strands = m->strands,
		.cpus = m->config.topology->ncpus,
		.clock = m->clock.tsc ? "TSC" : "CLOCK_MONOTONIC_RAW",
		.clock_hz = m->clock.hz,
		.read_ps = m->clock.read_ps,
		.clear = m->work.store_name,
		.flush = m->work.flush_name,
		.kick = kick_name(m->kick),
	};

	for (u32 i = 0; i < m->strands; i++)
		f.unpinned += !m->strand[i].pinned;
	return f;
}

struct machine *threads_create(const struct threads_config *config)
{
	struct threads *m;

	if (config->max_strands < 1 ||
	    config->max_strands > MACHINE_MAX_STRANDS)
		return NULL;
	m = aligned_alloc(64, sizeof(*m));
	if (!m)
		return NULL;
	memset(m, 0, sizeof(*m));
	m->base.kind = &threads_kind;
	m->config = *config;
	m->strand = aligned_alloc(64, config->max_strands * sizeof(*m->strand));
	if (!m->strand) {
		threads_destroy(&m->base);
		return NULL;
	}
	tclock_init(&m->clock, config->no_tsc);
	m->carry_ticks = tclock_ticks(&m->clock, CARRY_PS);
	m->read_ticks = tclock_ticks(&m->clock, m->clock.read_ps);
	m->pause_ticks = tclock_ticks(&m->clock, PAUSE_PS);
	m->yield_ticks = tclock_ticks(&m->clock, YIELD_PS);
	m->work = page_work();
	measure_spend(m);
	kick_init(m);
	return &m->base;
}
