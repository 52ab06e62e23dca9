/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting for a word: first looking at it, then asleep.
 *
 * Lines hash to a few lots, each with a sequence number that is the futex.
 * A strand counts itself into the line, then reads the sequence, then looks
 * at the word, at its interrupt and at the end of the run; who changes one of
 * these looks at the count afterwards and moves the sequence.  So none is
 * missed, and who wakes up looks again.
 */
#include <linux/futex.h>
#include <limits.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "model/machine/threads.h"

void futex_wait(u32 *word, u32 seen, u64 timeout_ns)
{
	struct timespec ts = {(time_t)(timeout_ns / 1000000000u),
			      (long)(timeout_ns % 1000000000u)};

	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen,
		timeout_ns ? &ts : NULL, NULL, 0);
}

void futex_wake_all(u32 *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static struct lot *lot_of(struct threads *m, const struct line *line)
{
	u64 hash = mix64((u64)(uintptr_t)line);

	return &m->lot[hash % NR_LOTS];
}

static void lot_move(struct lot *lot)
{
	__atomic_fetch_add(&lot->sequence, 1, __ATOMIC_SEQ_CST);
	futex_wake_all(&lot->sequence);
}

void threads_wake(struct strand *s, struct line *line)
{
	lot_move(lot_of(threads_of(s), line));
}

void rouse(struct inbox *inbox)
{
	struct lot *lot = __atomic_load_n(&inbox->lot, __ATOMIC_SEQ_CST);

	if (lot)
		lot_move(lot);
}

void rouse_all(struct threads *m)
{
	for (u32 i = 0; i < NR_LOTS; i++)
		lot_move(&m->lot[i]);
}

/** A wait that has not ended. */
struct waiting {
	struct tstrand *v;
	const u32 *word;
	u32 seen;
	bool interruptible;
};

/* Why a wait is over. */
enum over { NOT_OVER, CHANGED, INTERRUPTED, STOPPED };

static enum over look(const struct threads *m, const struct waiting *w)
{
	if (__atomic_load_n(w->word, __ATOMIC_SEQ_CST) != w->seen)
		return CHANGED;
	if (w->interruptible &&
	    __atomic_load_n(&w->v->inbox.pending, __ATOMIC_SEQ_CST))
		return INTERRUPTED;
	return must_stop(m) ? STOPPED : NOT_OVER;
}

/* Look for a while; `ticks` 0: for ever. */
static enum over spin(struct threads *m, const struct waiting *w, u64 ticks)
{
	u64 begin = tclock_glance(&m->clock);
	enum over over;

	do {
		over = look(m, w);
		tclock_pause();
	} while (!over && (!ticks || tclock_glance(&m->clock) - begin < ticks));
	return over;
}

/*
 * A signal's handler moves the sequence too, so there is nothing to miss; but
 * the thread sanitizer puts handlers off until the thread does something that
 * it sees, and then there is.
 */
#define LOOK_AGAIN_NS 10000000u

static enum over sleep_at(struct threads *m, const struct waiting *w,
			  struct line *line)
{
	struct lot *lot = lot_of(m, line);
	enum over over;

	__atomic_fetch_add(&line->waiters, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&w->v->inbox.lot, lot, __ATOMIC_SEQ_CST);
	for (;;) {
		u32 sequence =
			__atomic_load_n(&lot->sequence, __ATOMIC_SEQ_CST);

		over = look(m, w);
		if (over)
			break;
		futex_wait(&lot->sequence, sequence,
			   w->interruptible ? LOOK_AGAIN_NS : 0);
	}
	__atomic_store_n(&w->v->inbox.lot, NULL, __ATOMIC_SEQ_CST);
	__atomic_fetch_sub(&line->waiters, 1, __ATOMIC_SEQ_CST);
	return over;
}

/* Tell the watchdog what is waited for: it knows a deadlock by it. */
static void publish(const struct waiting *w)
{
	struct tstrand *v = w->v;

	__atomic_store_n(&v->word, w->word, __ATOMIC_RELAXED);
	__atomic_store_n(&v->seen, w->seen, __ATOMIC_RELAXED);
	__atomic_store_n(&v->interruptible, w->interruptible, __ATOMIC_RELAXED);
	__atomic_fetch_add(&v->waits, 1, __ATOMIC_SEQ_CST);
}

static void withdraw(struct tstrand *v)
{
	__atomic_fetch_add(&v->waits, 1, __ATOMIC_SEQ_CST);
}

/*
 * Who can be interrupted is a vCPU inside the guest: it runs, and goes on
 * looking, so that an interrupt finds it on its CPU.  With more strands than
 * CPUs it sleeps like everybody else: the CPU is wanted.
 */
bool threads_wait(struct strand *s, struct line *line, const u32 *word,
		  u32 seen, bool interruptible)
{
	struct threads *m = threads_of(s);
	struct tstrand *v = tstrand_of(s);
	struct waiting w = {v, word, seen, interruptible};
	enum over over = spin(m, &w, m->spin_ticks);

	v->events++;
	if (!over) {
		publish(&w);
		if (interruptible && !m->oversubscribed)
			over = spin(m, &w, 0);
		else
			over = sleep_at(m, &w, line);
		withdraw(v);
	}
	if (over == STOPPED)
		strand_leave(v);
	return over == CHANGED;
}
