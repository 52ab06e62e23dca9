/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of the threads machine.  threads.c has what strands do and the life
 * of the machine, threads_park.c waits that sleep, threads_kick.c interrupts,
 * threads_watch.c when a run is over.
 *
 * Words of different strands, and words of one that others write, lie on
 * different cache lines.
 */
#ifndef TDMEM_MACHINE_THREADS_H
#define TDMEM_MACHINE_THREADS_H

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

#include "model/machine/threads_clock.h"
#include "model/machine/threads_work.h"

#define LINE_ALIGNED __attribute__((aligned(64)))

/** A place to sleep at; several lines share one. */
struct lot {
	u32 sequence; /* futex: goes up with each wake */
} LINE_ALIGNED;

enum { NR_LOTS = 64 };

/** Pages that a strand clears, copies and flushes in turn: 1 MiB. */
enum { SCRATCH_PAGES = 256 };

/** Interrupts of a strand, written by whoever sends them. */
struct inbox {
	struct lot *lot; /* where the strand sleeps, or is about to */
	u32 pending;
	u64 ago; /* ticks: it arrived so much before it was made pending */
	/* Signals: who watches must know of those that are on their way. */
	u32 sent, arrived;
} LINE_ALIGNED;

struct tstrand {
	struct strand s; /* must be first; this part is its own alone */
	u64 paid;	 /* ticks that have passed of what comes next */
	u64 events;
	unsigned char *scratch;
	u32 page; /* next of them */
	void (*fn)(struct strand *, void *);
	void *arg;
	pthread_t thread;
	bool pinned;
	u32 os_cpu;	/* where */
	sigjmp_buf out; /* back to the begin of the thread */

	struct inbox inbox;

	/* written by itself, read by those that watch and interrupt it */
	u64 progress LINE_ALIGNED; /* calls of progress() */
	u64 waits;		   /* odd: it waits for the word below */
	const u32 *word;
	u32 seen;
	u32 interruptible;
} LINE_ALIGNED;

struct threads {
	struct machine base; /* must be first */
	struct threads_config config;
	struct tclock clock;
	struct page_work work;
	struct tstrand *strand;
	u32 strands;
	u64 carry_ticks; /* waited too long by this much: the next is shorter */
	u64 spend_ticks; /* what spending takes besides waiting */
	u64 read_ticks;	 /* what a reading of the clock takes */
	u64 pause_ticks; /* nearer to the end than this: no pause */
	u64 spin_ticks;	 /* look at a word for so long before sleeping */
	u64 yield_ticks; /* oversubscribed: yield if more than this is left */
	bool oversubscribed;
	enum threads_kick kick;
	int signal; /* of THREADS_KICK_SIGNAL */

	/* all strands read it, once it is written the run is over */
	u32 stop LINE_ALIGNED;
	u32 ended; /* who sets it says why */
	enum machine_end end;
	u64 end_ps;

	u32 gate LINE_ALIGNED;	/* futex: strands may begin */
	u32 ready LINE_ALIGNED; /* futex: strands that stand at the gate */
	u32 live LINE_ALIGNED;	/* futex: strands that have not returned */
	struct lot lot[NR_LOTS];
};

static inline struct tstrand *tstrand_of(struct strand *s)
{
	return (struct tstrand *)s;
}

static inline struct threads *threads_of(struct strand *s)
{
	return (struct threads *)s->machine;
}

static inline bool must_stop(const struct threads *m)
{
	return __atomic_load_n(&m->stop, __ATOMIC_RELAXED);
}

/** The run is over: leave whatever this strand is doing. */
_Noreturn void strand_leave(struct tstrand *v);

static inline void check_stop(struct threads *m, struct tstrand *v)
{
	if (unlikely(must_stop(m)))
		strand_leave(v);
}

/* threads_park.c */

void futex_wait(u32 *word, u32 seen, u64 timeout_ns); /* 0: no time-out */
void futex_wake_all(u32 *word);

/** machine_ops.wait and .wake */
bool threads_wait(struct strand *s, struct line *line, const u32 *word,
		  u32 seen, bool interruptible);
void threads_wake(struct strand *s, struct line *line);
/** Let a strand that sleeps look at everything again. */
void rouse(struct inbox *inbox);
void rouse_all(struct threads *m);

/* threads_kick.c */

/** Choose how strands are interrupted, install what it needs. */
void kick_init(struct threads *m);
const char *kick_name(enum threads_kick kick);
/** machine_ops.interrupt */
void threads_interrupt(struct strand *s, struct strand *target, u64 latency_ps);

/* threads_watch.c */

/** The first to say so ends the run; all others' reasons are dropped. */
__attribute__((format(printf, 3, 4))) void
end_run(struct threads *m, enum machine_end end, const char *format, ...);
/** Until all strands have returned, end the run when it has to be. */
void watch(struct threads *m);

#endif
