/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every order in which the strands of a small program can run.
 *
 * The program is run again and again from its beginning, each time in an
 * order that differs from all before in the order of two operations that
 * depend on each other (the same bytes, one of them a write).  Orders that
 * differ in nothing else are run once: dynamic partial-order reduction with
 * the source sets of Abdulla, Aronsson, Jonsson and Sagonas (POPL 2014) and
 * Godefroid's sleep sets.
 *
 * What strands share must be in words that they reach by the operations of
 * machine.h, or be guarded by such words: only those are choices.
 */
#ifndef TDMEM_MACHINE_EXPLORE_H
#define TDMEM_MACHINE_EXPLORE_H

#include "model/machine/machine.h"

enum { EXPLORE_MAX_STRANDS = 16 };

/** What is run; begin() and end() enclose each execution. */
struct explore_program {
	void *ctx;
	/*
	 * Make a fresh world and give the machine its strands, always the
	 * same.  False: out of memory.
	 */
	bool (*begin)(void *ctx, struct machine *m);
	/*
	 * The execution ended: NULL when all is as it should be, else what is
	 * not, a text that stays.  MACHINE_DONE, _HALTED, _DEADLOCK, _LIVELOCK
	 * when somebody waits in explore_await(), or _TIMEOUT at the bound on
	 * steps.
	 */
	const char *(*check)(void *ctx, enum machine_end end);
	void (*end)(void *ctx);
	/* After each step; not NULL: the execution ends with it.  May be NULL.
	 */
	const char *(*step)(void *ctx);
	/*
	 * Operations, a bit each (1u << LINE_XADD16), of which two on the same
	 * word commute: they add, and who makes them looks only at bits of the
	 * old value that no such operation changes.
	 */
	u32 counting;
	/*
	 * Queued locks are taken in one step, by whoever comes first: how their
	 * queues work is no part of the orders.
	 */
	bool takes_locks;
};

/** Where to stop; 0: no bound. */
struct explore_bounds {
	u64 executions;
	u64 steps;	 /* of one execution */
	s64 preemptions; /* of one execution; -1: no bound */
	double seconds;
	const atomic_int *stop; /* may be NULL */
};

/** An order: which strand does the next operation, again and again. */
struct explore_schedule {
	size_t n;
	u8 *strand; /* owned */
	bool whole; /* an execution that ends where the schedule does */
};

struct explore_answer {
	bool broken;   /* `why` and `schedule` say how */
	bool complete; /* no bound was met: true of all orders */
	char why[200];
	struct explore_schedule schedule;
	u64 executions; /* to an end */
	u64 redundant;	/* given up: the same as one that was run */
	u64 cut;	/* given up at a bound on steps or preemptions */
	u64 too_long;	/* of these: on steps */
	bool late;	/* the bound on time was met */
	u64 steps;	/* in all */
	u64 longest;	/* execution, in steps */
	bool no_memory;
};

/**
 * Run all orders, or until one is found that breaks something.  The caller
 * frees the answer.
 */
void explore(const struct explore_program *program,
	     const struct explore_bounds *bounds,
	     struct explore_answer *answer);
void explore_answer_free(struct explore_answer *answer);

/**
 * For strands that tried something, failed, and would fail again: wait until
 * they would not, or, for those who would take it, until an interrupt is
 * pending.  Who does so skips executions that differ only in how often it
 * fails.
 */
void explore_await(struct strand *s, const struct obstacle *o,
		   bool interruptible);
/** Is it (still) in the way? */
bool explore_obstructed(const struct obstacle *o);
/** The word as it is. */
u64 explore_word(const struct obstacle *o);

/** What a strand did in a step; for those who look on. */
struct explore_step {
	u32 strand;
	enum line_op op;
	const void *word; /* NULL: an interrupt's flag */
	bool waits;
};

/**
 * Run one order.  Where the schedule has no entry any more, or names a strand
 * that cannot go on, the lowest one that can goes on.  `see` may be NULL.
 * Returns what check() or step() said, NULL: nothing; sets *end.
 */
const char *explore_replay(const struct explore_program *program,
			   const struct explore_schedule *schedule,
			   void (*see)(void *ctx,
				       const struct explore_step *step),
			   void *see_ctx, enum machine_end *end);

#endif
