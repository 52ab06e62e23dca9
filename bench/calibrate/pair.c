/* SPDX-License-Identifier: GPL-2.0-only */
/* Primitives that need two threads: lines, futexes, interrupts. */
#define _GNU_SOURCE /* pthread_sigqueue, CPU_SET */
#include <errno.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/calibrate/impl.h"
#include "model/machine/threads.h"

enum { MINE = 1, YOURS = 2, LOOK_EVERY = 1024, SLEEP_NS = 10000000 };

/* What the two share; each word alone on its line. */
struct calibrate_pair {
	u32 word LINE_ALIGNED;
	u32 stop LINE_ALIGNED;
	u32 ready LINE_ALIGNED;
	u32 taken LINE_ALIGNED;	 /* signals */
	u32 beat LINE_ALIGNED;	 /* goes up while the partner runs */
	u32 asleep LINE_ALIGNED; /* or about to be */
	u64 awake_at;		 /* ticks: when the partner ran again */
	enum pair_game game LINE_ALIGNED;
	struct bench *bench;
	pthread_t partner;
	int signal;
} LINE_ALIGNED;

static u32 get(const u32 *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void set(u32 *word, u32 value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

/* --------------------------------------------------------- the partner */

static bool swap(u32 *word, u32 from, u32 to)
{
	return __atomic_compare_exchange_n(word, &from, to, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void give_back_line(struct calibrate_pair *p)
{
	while (!get(&p->stop))
		swap(&p->word, YOURS, MINE);
}

static void give_back_futex(struct calibrate_pair *p)
{
	while (!get(&p->stop)) {
		if (get(&p->word) != YOURS) {
			set(&p->asleep, 1);
			futex_wait(&p->word, MINE, SLEEP_NS);
			continue;
		}
		p->awake_at = tclock_read(&p->bench->clock);
		set(&p->asleep, 0);
		set(&p->word, MINE);
		futex_wake_all(&p->word);
	}
}

static void *partner(void *arg)
{
	struct calibrate_pair *p = arg;
	u32 beat = 0;

	bind_thread(pthread_self(), p->bench->other);
	set(&p->ready, 1);
	switch (p->game) {
	case PAIR_LINE:
		give_back_line(p);
		break;
	case PAIR_FUTEX:
	case PAIR_SWITCH:
		give_back_futex(p);
		break;
	case PAIR_IPI:
	case PAIR_SIGNAL:
		while (!get(&p->stop))
			__atomic_store_n(&p->beat, ++beat, __ATOMIC_RELAXED);
		break;
	}
	return NULL;
}

/* ------------------------------------------------------------- batches */

static bool too_late(const struct bench *b)
{
	return tclock_glance(&b->clock) > b->deadline;
}

static const char late[] = "the other thread did not answer in time";

static double line_batch(struct bench *b, void *ctx, char *why, size_t size)
{
	enum { TIMES = 200 };
	struct calibrate_pair *p = ctx;
	u64 begin = tclock_read(&b->clock);

	for (int i = 0; i < TIMES; i++) {
		u32 tries = 0;

		while (!swap(&p->word, MINE, YOURS))
			if (++tries % LOOK_EVERY == 0 && too_late(b)) {
				snprintf(why, size, "%s", late);
				return -1;
			}
	}
	return (double)(tclock_read(&b->clock) - begin) / (2 * TIMES);
}

/* On one CPU nobody can wait for the other but by sleeping. */
static double switch_batch(struct bench *b, void *ctx, char *why, size_t size)
{
	enum { TIMES = 20 };
	struct calibrate_pair *p = ctx;
	u64 begin = tclock_read(&b->clock);

	for (int i = 0; i < TIMES; i++) {
		set(&p->word, YOURS);
		futex_wake_all(&p->word);
		while (get(&p->word) == YOURS) {
			futex_wait(&p->word, YOURS, SLEEP_NS);
			if (too_late(b)) {
				snprintf(why, size, "%s", late);
				return -1;
			}
		}
	}
	return (double)(tclock_read(&b->clock) - begin) / (2 * TIMES);
}

/* Look at a word until it has the value; false: too late. */
static bool look(const struct bench *b, const u32 *word, u32 value)
{
	u32 tries = 0;

	while (get(word) != value)
		if (++tries % LOOK_EVERY == 0 && too_late(b))
			return false;
	return true;
}

static void rest(const struct bench *b, u64 us)
{
	u64 begin = tclock_read(&b->clock);

	while (tclock_glance(&b->clock) - begin < us * b->clock.hz / 1000000)
		tclock_pause();
}

static double wake_partner(struct bench *b, struct calibrate_pair *p)
{
	u64 begin;

	if (!look(b, &p->asleep, 1))
		return -1;
	/* From "about to sleep" to asleep: far longer than the call takes. */
	rest(b, 30);
	begin = tclock_read(&b->clock);
	set(&p->word, YOURS);
	futex_wake_all(&p->word);
	if (!look(b, &p->word, MINE))
		return -1;
	return (double)(s64)(p->awake_at - begin);
}

static long membarrier(int command, unsigned int flags, u32 cpu)
{
	return syscall(SYS_membarrier, command, flags, (int)cpu);
}

/*
 * Until the partner is seen to run: to a CPU that executes something else no
 * interrupt is sent, and a signal waits for its thread.  False: too late.
 */
static bool partner_runs(struct bench *b, struct calibrate_pair *p)
{
	u32 before = get(&p->beat), tries = 0;

	while (get(&p->beat) == before)
		if (++tries % LOOK_EVERY == 0 && too_late(b))
			return false;
	return true;
}

/*
 * As far apart as kicks are: one right after the other they are faster, by
 * 5 % on one machine.
 */
enum { KICK_EVERY_US = 10 };

static double send_ipi(struct bench *b, struct calibrate_pair *p)
{
	u64 begin;

	rest(b, KICK_EVERY_US);
	if (!partner_runs(b, p))
		return -1;
	begin = tclock_read(&b->clock);
	if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ,
		       MEMBARRIER_CMD_FLAG_CPU, b->other))
		return -1;
	return (double)(tclock_read(&b->clock) - begin);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	struct calibrate_pair *p = info->si_value.sival_ptr;

	(void)number;
	(void)context;
	if (info->si_code == SI_QUEUE && p)
		__atomic_fetch_add(&p->taken, 1, __ATOMIC_SEQ_CST);
}

static double send_signal(struct bench *b, struct calibrate_pair *p)
{
	union sigval value = {.sival_ptr = p};
	u32 before = get(&p->taken);
	u64 begin;

	rest(b, KICK_EVERY_US);
	if (!partner_runs(b, p))
		return -1;
	begin = tclock_read(&b->clock);
	if (pthread_sigqueue(p->partner, p->signal, value) ||
	    !look(b, &p->taken, before + 1))
		return -1;
	return (double)(tclock_read(&b->clock) - begin);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Long enough to be timed one by one: a disturbed one does not matter. */
static double median_batch(struct bench *b, struct calibrate_pair *p,
			   double (*once)(struct bench *,
					  struct calibrate_pair *),
			   char *why, size_t size)
{
	enum { TIMES = 15 };
	double ticks[TIMES];

	for (int i = 0; i < TIMES; i++) {
		ticks[i] = once(b, p);
		if (ticks[i] < 0) {
			snprintf(why, size, "%s", late);
			return -1;
		}
	}
	qsort(ticks, TIMES, sizeof(*ticks), by_value);
	return median_of_sorted(ticks, TIMES);
}

static double futex_batch(struct bench *b, void *ctx, char *why, size_t size)
{
	return median_batch(b, ctx, wake_partner, why, size);
}

static double ipi_batch(struct bench *b, void *ctx, char *why, size_t size)
{
	return median_batch(b, ctx, send_ipi, why, size);
}

static double signal_batch(struct bench *b, void *ctx, char *why, size_t size)
{
	return median_batch(b, ctx, send_signal, why, size);
}

/* ---------------------------------------------------------------- games */

static batch_fn *const batches[] = {
	[PAIR_LINE] = line_batch,     [PAIR_FUTEX] = futex_batch,
	[PAIR_SWITCH] = switch_batch, [PAIR_IPI] = ipi_batch,
	[PAIR_SIGNAL] = signal_batch,
};

static void play(struct bench *b, struct primitive *result,
		 struct calibrate_pair *p)
{
	int error = pthread_create(&p->partner, NULL, partner, p);

	if (error) {
		snprintf(result->why, sizeof(result->why), "no thread: %s",
			 strerror(error));
		return;
	}
	while (!get(&p->ready))
		sched_yield();
	measure(b, result, batches[p->game], p);
	set(&p->stop, 1);
	futex_wake_all(&p->word);
	pthread_join(p->partner, NULL);
}

void measure_pair(struct bench *b, struct primitive *result,
		  enum pair_game game)
{
	struct calibrate_pair *p = aligned_alloc(64, sizeof(*p));
	struct sigaction old, action = {.sa_sigaction = on_signal,
					.sa_flags = SA_SIGINFO | SA_RESTART};

	if (!p) {
		snprintf(result->why, sizeof(result->why), "out of memory");
		return;
	}
	memset(p, 0, sizeof(*p));
	p->word = MINE;
	p->game = game;
	p->bench = b;
	p->signal = SIGRTMIN + 7;
	sigemptyset(&action.sa_mask);
	if (game == PAIR_IPI &&
	    membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0)) {
		snprintf(result->why, sizeof(result->why), "membarrier: %s",
			 strerror(errno));
	} else {
		sigaction(p->signal, &action, &old);
		play(b, result, p);
		sigaction(p->signal, &old, NULL);
	}
	free(p);
}
