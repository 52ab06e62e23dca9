/* SPDX-License-Identifier: GPL-2.0-only */
/* Repeats that another tdmem executes: BINARY run CONFIG --one CELL:REPEAT. */
#ifndef TDMEM_BENCH_RUN_REMOTE_H
#define TDMEM_BENCH_RUN_REMOTE_H

#include <stdatomic.h>
#include <stdint.h>

#include "bench/base/err.h"
#include "bench/run/repeat.h"

struct side;

/** What `--version` of a program says; -1 with *e: it is no tdmem. */
int remote_version(const char *binary, char *buf, size_t size, struct err *e);

/** What is to be executed. */
struct remote_item {
	struct run_item item; /* of the program's own cells */
	uint64_t seed;	      /* that it must have */
	const char *rate;     /* name of the metric that the rule is about */
};

/**
 * Have the side's program execute one repeat.  What it prints is checked.
 * -1 with *e; when *stop becomes non-zero it is killed and the repeat's text
 * is NULL.
 */
int remote_repeat(const struct side *side, const struct remote_item *what,
		  const atomic_int *stop, struct repeat *result, struct err *e);

#endif
