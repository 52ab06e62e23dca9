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
	bool counts; /* see line_count32() and explore_program */
	/* Waits: it can go on when *word differs from `seen`. */
	const u32 *word; /* NULL: it can go on */
	u32 seen;
	struct obstacle obstacle; /* or when this is gone; word NULL: none */
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
	u32 counting; /* operations that commute: see explore_program */
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

/** Could the order of the two matter? */
bool explore_dependent(const struct pending *a, const struct pending *b);

/** How it ended, when no strand can go on. */
enum machine_end explore_machine_end(const struct explore_machine *m);

#endif
