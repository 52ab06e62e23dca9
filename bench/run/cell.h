/* SPDX-License-Identifier: GPL-2.0-only */
/* One cell: its repeats are executed one by one, its text is made of them. */
#ifndef TDMEM_BENCH_RUN_CELL_H
#define TDMEM_BENCH_RUN_CELL_H

#include <stdio.h>

#include "bench/plan/plan.h"
#include "bench/run/journal.h"
#include "bench/run/repeat.h"
#include "bench/run/sides.h"

/**
 * Execute one repeat of a cell of the sides.  Any number of threads may do
 * this at a time.  -1 with *e when it could not even try.
 */
int cell_repeat(const struct sides *sides, const struct run_item *item,
		const atomic_int *stop, struct repeat *result, struct err *e);

/**
 * The same for a cell of one side, whose config says what the side is called.
 */
int side_repeat(const struct side *side, const struct run_item *item,
		const atomic_int *stop, struct repeat *result, struct err *e);

/**
 * The same with somebody who looks on: `trace` is called by the strands, may
 * be NULL, and has no effect on a side that another program executes.
 */
int side_repeat_traced(const struct side *side, const struct run_item *item,
		       const struct trace *trace, const atomic_int *stop,
		       struct repeat *result, struct err *e);

/**
 * Write a cell from its n repeats, 1 or more, which are in the journal in
 * order.  Its status and reason are those of the first repeat that did not
 * end ok; warm-ups count only where there is nothing else.  -1: out of
 * memory, or the journal cannot be read; write errors are the stream's.
 */
int cell_write(FILE *f, const struct sides *sides, const struct journal *j,
	       const struct journal_entry *entry, size_t n);

/** The scenario of a cell; -1 with *e. */
int cell_scenario(const struct config *config, const struct cell *cell,
		  struct scenario *scenario, struct err *e);

/** The most vCPUs and host threads that a cell has; -1 with *e. */
int cells_threads(const struct config *config, uint32_t *most, struct err *e);

/** Would each workload make a scenario with these knobs?  -1 with *e. */
int check_scenarios(const struct config *config, struct err *e);

#endif
