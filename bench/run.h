/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running a plan: worker threads take repeats of cells in order, finished
 * cells become text at once.  What comes out does not depend on the number of
 * threads nor on the order in which they finish.
 */
#ifndef TDMEM_BENCH_RUN_H
#define TDMEM_BENCH_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/config.h"
#include "bench/costs.h"
#include "bench/err.h"
#include "bench/journal.h"
#include "bench/topology.h"

/** What is run; everything is borrowed. */
struct run_setup {
	const struct config *config;
	const struct costs *costs;
	const struct topology *topology;
	unsigned jobs;		 /* worker threads, 1.. */
	bool progress;		 /* a line on stderr */
	struct journal *journal; /* finished cells go here */
};

/** How far it got. */
struct run_outcome {
	char **cells; /* ncells texts; NULL: not done; free_cells() */
	size_t ncells, done;
	size_t broken;	  /* done cells whose model failed */
	bool interrupted; /* by SIGINT or SIGTERM */
};

/**
 * Run all cells whose text is not there yet.  SIGINT and SIGTERM end it early
 * (a second one ends the program).  Returns -1 with *e when something failed;
 * the outcome holds what was done until then in any case.
 */
int run_cells(const struct run_setup *setup, struct run_outcome *outcome,
	      struct err *e);

/** Would each workload make a scenario with these knobs?  -1 with *e. */
int check_scenarios(const struct config *config, struct err *e);

/** Room for the texts; -1 when out of memory. */
int make_cells(struct run_outcome *outcome, size_t ncells);
void free_cells(struct run_outcome *outcome);

#endif
