/* SPDX-License-Identifier: GPL-2.0-only */
/* The line on a terminal that says how far a run is. */
#ifndef TDMEM_BENCH_BASE_PROGRESS_H
#define TDMEM_BENCH_BASE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct progress {
	bool shown; /* false: there is no terminal, nothing is printed */
	struct timespec begin;
	size_t done, all;	   /* runs */
	double weight, all_weight; /* what they cost, in any unit */
};

void progress_begin(struct progress *p, bool shown);
void progress_show(const struct progress *p);
/** Wipe the line out. */
void progress_end(const struct progress *p);

/** Seconds since the beginning. */
double progress_seconds(const struct progress *p);

#endif
