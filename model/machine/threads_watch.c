/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When a run on real threads is over.  The thread that called machine_run()
 * looks at the strands now and then; they tell it nothing but how often they
 * made progress and what they wait for.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/machine/threads.h"

void end_run(struct threads *m, enum machine_end end, const char *format, ...)
{
	va_list args;

	if (__atomic_exchange_n(&m->ended, 1, __ATOMIC_SEQ_CST))
		return;
	va_start(args, format);
	vsnprintf(m->base.reason, sizeof(m->base.reason), format, args);
	va_end(args);
	m->end = end;
	__atomic_store_n(&m->stop, 1, __ATOMIC_SEQ_CST);
	rouse_all(m);
}

/** What the watchdog remembers from one look to the next. */
struct watch {
	u64 at_ns, cpu_ns; /* of the last look */
	u64 progress, progress_ns;
	u64 quiet_ns; /* since the last progress */
	u64 begin_ns;
	/* Of each strand, at the last look; NULL: no memory. */
	struct strand_seen {
		u64 cpu_ns, waits;
	} * seen;
	bool looked; /* at strands, since the last progress */
};

static u64 clock_ns(clockid_t clock)
{
	struct timespec ts = {0, 0};

	clock_gettime(clock, &ts);
	return (u64)ts.tv_sec * 1000000000u + (u64)ts.tv_nsec;
}

/* CPU time of a strand; 0: it has returned. */
static u64 cpu_ns(const struct tstrand *v)
{
	clockid_t clock;

	return pthread_getcpuclockid(v->thread, &clock) ? 0 : clock_ns(clock);
}

static u64 progress_of(const struct threads *m)
{
	u64 sum = 0;

	for (u32 i = 0; i < m->strands; i++)
		sum += __atomic_load_n(&m->strand[i].progress,
				       __ATOMIC_RELAXED);
	return sum;
}

static u32 waiting(const struct threads *m)
{
	u32 n = 0;

	for (u32 i = 0; i < m->strands; i++)
		n += (u32)__atomic_load_n(&m->strand[i].waits,
					  __ATOMIC_SEQ_CST) &
		     1;
	return n;
}

static bool is_interrupted(const struct inbox *inbox)
{
	u32 arrived = __atomic_load_n(&inbox->arrived, __ATOMIC_SEQ_CST);

	return arrived != __atomic_load_n(&inbox->sent, __ATOMIC_SEQ_CST) ||
	       __atomic_load_n(&inbox->pending, __ATOMIC_SEQ_CST);
}

/* Is this strand held up by nothing but its word? */
static bool is_stuck(const struct tstrand *v)
{
	const u32 *word = __atomic_load_n(&v->word, __ATOMIC_RELAXED);

	if (__atomic_load_n(&v->interruptible, __ATOMIC_RELAXED) &&
	    is_interrupted(&v->inbox))
		return false;
	return __atomic_load_n(word, __ATOMIC_SEQ_CST) ==
	       __atomic_load_n(&v->seen, __ATOMIC_RELAXED);
}

static u64 sum_of_waits(const struct threads *m)
{
	u64 sum = 0;

	for (u32 i = 0; i < m->strands; i++)
		sum += __atomic_load_n(&m->strand[i].waits, __ATOMIC_SEQ_CST);
	return sum;
}

/*
 * All that have not returned wait, none for a word that has changed, and none
 * has begun or ended a wait in between: so there was an instant at which all
 * of them waited, and nobody is left who could write.  A strand that
 * returns ends no wait, so the number of live ones is looked at again too.
 */
static bool is_deadlocked(const struct threads *m)
{
	u64 waits = sum_of_waits(m);
	u32 live = __atomic_load_n(&m->live, __ATOMIC_SEQ_CST);

	if (!live || waiting(m) != live)
		return false;
	for (u32 i = 0; i < m->strands; i++) {
		const struct tstrand *v = &m->strand[i];

		if ((__atomic_load_n(&v->waits, __ATOMIC_SEQ_CST) & 1) &&
		    !is_stuck(v))
			return false;
	}
	return waits == sum_of_waits(m) &&
	       live == __atomic_load_n(&m->live, __ATOMIC_SEQ_CST);
}

/*
 * For how long since the last look the strand ran that ran least, of those that
 * waited for nothing and so could have run all the time: at most `most`.
 * Only asked while there is no progress, so that looking does not disturb.
 */
static u64 least_run(struct threads *m, struct watch *w, u64 most)
{
	for (u32 i = 0; w->seen && i < m->strands; i++) {
		const struct tstrand *v = &m->strand[i];
		struct strand_seen last = w->seen[i], *seen = &w->seen[i];

		seen->waits = __atomic_load_n(&v->waits, __ATOMIC_SEQ_CST);
		seen->cpu_ns = cpu_ns(v);
		if (!w->looked || !seen->cpu_ns || seen->waits & 1 ||
		    seen->waits != last.waits)
			continue;
		if (most > seen->cpu_ns - last.cpu_ns)
			most = seen->cpu_ns - last.cpu_ns;
	}
	w->looked = true;
	return most;
}

/*
 * Time without progress counts as far as this process ran in it, and all of its
 * strands that could: one that others kept off its CPUs, or whose lock holder
 * they kept off, is not in a livelock.  Strands that share CPUs have each only
 * its part of that.
 */
static void look_at_progress(struct threads *m, struct watch *w)
{
	u64 progress = progress_of(m);
	u64 at = clock_ns(CLOCK_MONOTONIC);
	u64 cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	u64 wall = at - w->at_ns, ran = cpu - w->cpu_ns;

	w->at_ns = at;
	w->cpu_ns = cpu;
	if (progress != w->progress) {
		w->progress = progress;
		w->progress_ns = at;
		w->quiet_ns = 0;
		w->looked = false;
		return;
	}
	ran = ran < wall ? ran : wall;
	if (m->oversubscribed)
		ran = ran * m->config.topology->ncpus / m->strands;
	else
		ran = least_run(m, w, ran);
	w->quiet_ns += ran;
}

static double ms(u64 ns)
{
	return (double)ns / 1e6;
}

static void judge(struct threads *m, struct watch *w)
{
	const struct threads_config *c = &m->config;

	look_at_progress(m, w);
	if (c->stop && *c->stop)
		end_run(m, MACHINE_STOPPED, "stopped");
	else if (is_deadlocked(m))
		end_run(m, MACHINE_DEADLOCK,
			"all that are left wait for each other: %u of %u "
			"strands",
			waiting(m), m->strands);
	else if (c->livelock_ps && w->quiet_ns > c->livelock_ps / PS_PER_NS)
		end_run(m, MACHINE_LIVELOCK,
			"no progress for %.3f ms after %.3f ms; %u of %u "
			"strands wait",
			ms(w->quiet_ns), ms(w->progress_ns - w->begin_ns),
			waiting(m), m->strands);
	else if (c->max_ps && w->at_ns - w->begin_ns > c->max_ps / PS_PER_NS)
		end_run(m, MACHINE_TIMEOUT, "not done at %.3f ms",
			ms(w->at_ns - w->begin_ns));
}

/* Often enough for the limits, seldom enough not to be in the way. */
enum { LOOK_NS_MIN = 200000, LOOK_NS_MAX = 20000000, LOOKS = 8 };

static u64 look_every(const struct threads_config *c)
{
	u64 ns = LOOK_NS_MAX;

	if (c->livelock_ps && c->livelock_ps / PS_PER_NS / LOOKS < ns)
		ns = c->livelock_ps / PS_PER_NS / LOOKS;
	if (c->max_ps && c->max_ps / PS_PER_NS / LOOKS < ns)
		ns = c->max_ps / PS_PER_NS / LOOKS;
	return ns < LOOK_NS_MIN ? LOOK_NS_MIN : ns;
}

void watch(struct threads *m)
{
	u64 every = look_every(&m->config);
	struct watch w = {.at_ns = clock_ns(CLOCK_MONOTONIC),
			  .cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID)};
	u32 live;

	w.seen = calloc(m->strands + 1, sizeof(*w.seen));
	w.begin_ns = w.progress_ns = w.at_ns;
	while ((live = __atomic_load_n(&m->live, __ATOMIC_ACQUIRE))) {
		futex_wait(&m->live, live, every);
		if (!must_stop(m))
			judge(m, &w);
	}
	free(w.seen);
}
