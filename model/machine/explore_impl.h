/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the explorer's machine and its search only. */
#ifndef TDMEM_MACHINE_EXPLORE_IMPL_H
#define TDMEM_MACHINE_EXPLORE_IMPL_H

#include "model/machine/context.h"
#include "model/machine/explore.h"
#include "model/machine/internal.h"

/** Bytes that an operation works on. */
struct access {
	const char *at;
	u32 bytes;
	bool write;
};

/** What a strand will do when it goes on. */
struct pending {
	struct access access[2]; /* the second: an interrupt's flag */
	u32 n;			 /* 0: nothing that others could notice */
	enum line_op op;
	bool counts;	 /* see explore_program */
	u32 adds, looks; /* see line_add32(); adds 0: it is none */
	/* Waits: it can go on when *word differs from `seen`. */
	const u32 *word; /* NULL: it can go on */
	u32 seen;
	struct obstacle obstacle; /* or when this is gone; word NULL: none */
	bool tries;		  /* would, without waiting, for ever */
	const bool *flag;	  /* or when this is set; NULL: never */
};

struct explore_strand {
	struct strand s; /* must be first */
	struct context context;
	struct pending next;
	bool made, ended, flag; /* flag: an interrupt is pending */
	void (*fn)(struct strand *, void *);
	void *arg;
};

struct explore_machine {
	struct machine base; /* must be first */
	struct context main;
	struct explore_strand strand[EXPLORE_MAX_STRANDS];
	u32 strands;
	u32 counting;	  /* operations that commute: see explore_program */
	bool takes_locks; /* see explore_program */
	bool halted;
	u64 events;
};

struct explore_machine *explore_machine_new(void);
void explore_machine_free(struct explore_machine *m);

/** Forget all strands: the next execution begins. */
void explore_machine_reset(struct explore_machine *m);

/** Let each strand come to its first operation. */
void explore_machine_start(struct explore_machine *m);

/** Do a strand's operation and all up to its next one. */
void explore_machine_step(struct explore_machine *m, u32 strand);

/** Strands that can go on, a bit each. */
u32 explore_machine_enabled(const struct explore_machine *m);

/** Have all strands returned? */
bool explore_machine_done(const struct explore_machine *m);

static inline bool explore_overlap(const struct access *a,
				   const struct access *b)
{
	return (a->write || b->write) && a->at < b->at + b->bytes &&
	       b->at < a->at + a->bytes;
}

/* Bits that it can change: from the lowest one on that is added to. */
static inline u32 explore_changes(const struct pending *add)
{
	return -(add->adds & -add->adds);
}

static inline bool explore_commute(const struct pending *a,
				   const struct pending *b)
{
	if (a->access[0].at != b->access[0].at)
		return false;
	if (a->adds && b->adds)
		return !(explore_changes(a) & b->looks) &&
		       !(explore_changes(b) & a->looks);
	return a->counts && b->counts;
}

/** Could the order of the two matter?  Asked for each pair of steps. */
static inline bool explore_dependent(const struct pending *a,
				     const struct pending *b)
{
	for (u32 i = 0; i < a->n; i++)
		for (u32 k = 0; k < b->n; k++)
			if (explore_overlap(&a->access[i], &b->access[k]))
				return !explore_commute(a, b);
	return false;
}

/** The aligned 8 bytes that hold what an operation works on; 0: nothing. */
u64 explore_around(const struct pending *p);

/** Does it wait for a word? */
static inline bool explore_waits(const struct pending *p)
{
	return p->word || p->obstacle.word;
}

/** Could it go on, with a word as it was before another operation? */
enum explore_ready { NOT_READY, READY, NOT_KNOWN };
enum explore_ready explore_was_ready(const struct pending *p,
				     const struct pending *other, u64 before);

/** How it ended, when no strand can go on. */
enum machine_end explore_machine_end(const struct explore_machine *m);

#endif
