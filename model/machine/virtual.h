/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the machine on virtual time; not for the model. */
#ifndef TDMEM_MACHINE_VIRTUAL_H
#define TDMEM_MACHINE_VIRTUAL_H

#include "model/machine/context.h"
#include "model/machine/internal.h"
#include "model/machine/queue.h"

#define NEVER UINT64_MAX

/** How many copies of lines that others wrote a CPU remembers. */
#define COPIES 64u

/** Orders between two looks at *stop. */
#define POLL_EVERY 4096u

/** What a strand was last seen at: a line_op or one of these. */
enum doing {
	DOING_SPEND = NR_LINE_OPS,
	DOING_GUEST,
	DOING_WAIT,
	DOING_NOTHING,
	DOING_RETURNED,
	NR_DOINGS
};

/** A strand of the virtual machine. */
struct vstrand {
	struct strand s; /* must be first */
	struct context context;

	u64 spends;
	u64 place;	  /* package, complex, core: see place_of() */
	u32 *copies;	  /* of this CPU, shared by all strands on it */
	u64 interrupt_at; /* pending from then on; NEVER: none */
	/*
	 * While it is in the guest or parked: when it goes on unless something
	 * happens.  0: interrupts don't matter.
	 */
	u64 due;
	struct line *parked_on; /* NULL: not parked */
	u16 next, prev;		/* in the line's list: strand + 1, 0: none */
	u8 doing;

	void (*fn)(struct strand *, void *);
	void *arg;
} __attribute__((aligned(64)));

struct virtual
{
	struct machine base; /* must be first */

	/*
	 * The running strand goes on without a switch while its key is below:
	 * the smallest key of the others, or the watchdog's limit.
	 */
	u64 horizon;
	u64 limit;     /* key at which the watchdog must look */
	u32 countdown; /* orders until *stop is looked at */
	u32 writes;    /* numbers the writes; 0 is never used */
	struct queue queue;
	struct vstrand *strand;
	const u64 *place; /* of each CPU */
	u64 cost[4];	  /* of a line, by distance */

	u64 progress_at;
	u32 progress_by; /* strand + 1; 0: nobody yet */
	u32 strands, live;
	u64 polls;
	enum machine_end end;
	struct context main;

	struct virtual_config config;
	u32 jitter; /* in 2^-32 */
	u64 *places;
	u32 *copies;
};

static inline struct vstrand *vstrand_of(struct strand *s)
{
	return (struct vstrand *)s;
}

static inline struct virtual *virtual_of(struct machine *m)
{
	return (struct virtual *)m;
}

/* watchdog.c */

/** The next time at which the watchdog must look, as a key. */
u64 watchdog_limit(const struct virtual *m);

/**
 * Is it over?  `next` is the smallest key, or QUEUE_PARKED.  If so, sets
 * m->end and the reason.
 */
bool watchdog_bites(struct virtual *m, u64 next);

#endif
