/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of the comparison only. */
#ifndef TDMEM_BENCH_COMPARE_IMPL_H
#define TDMEM_BENCH_COMPARE_IMPL_H

#include "bench/base/arena.h"
#include "bench/compare/compare.h"

/** The cells of all sides that are the same but for the side. */
struct compare_cell {
	const struct samples_cell **side; /* nsides; NULL: not there */
	const struct samples_cell *any;	  /* one that is there */
	char *key;			  /* axes that are no side, as text */
};

/** Cells by workload, workloads in the order of the base. */
struct compare_cells {
	struct compare_cell *cell;
	size_t n;
};

/**
 * Make the sides and match their cells.  Everything is owned by the arena of
 * the comparison.  -1 with *e.
 */
int compare_match(struct comparison *c, struct compare_cells *cells,
		  struct err *e);

/** What is the same on all sides and what is not.  -1 with *e. */
int compare_aspects(struct comparison *c, const struct compare_cells *cells,
		    struct err *e);

/** Estimates and changes, without verdicts.  False when out of memory. */
bool compare_measure(struct comparison *c, const struct compare_cells *cells);

/** "out of memory", -1. */
int compare_no_memory(struct err *e);

#endif
