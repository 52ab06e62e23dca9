/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running what a schedule says: worker threads take repeats of cells from it
 * and put what they gave into the journal.  What is there in the end does not
 * depend on the number of threads nor on the order in which they finish.
 */
#ifndef TDMEM_BENCH_RUN_RUN_H
#define TDMEM_BENCH_RUN_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/base/err.h"
#include "bench/run/journal.h"
#include "bench/run/sides.h"

/** What is run; everything is borrowed. */
struct run_setup {
	const struct sides *sides;
	unsigned jobs;		 /* worker threads, 1.. */
	bool progress;		 /* a line on stderr */
	struct journal *journal; /* what it holds already is not run again */
};

struct run_outcome {
	bool whole;	  /* nothing is missing */
	bool bad_journal; /* it holds what this run cannot have */
};

/**
 * Run all repeats that are not in the journal yet.  SIGINT and SIGTERM end it
 * early (a second one ends the program).  Returns -1 with *e when something
 * failed; the journal holds what was done until then, unless
 * it is a bad one.
 */
int run_cells(const struct run_setup *setup, struct run_outcome *outcome,
	      struct err *e);

#endif
