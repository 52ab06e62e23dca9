/* SPDX-License-Identifier: GPL-2.0-only */
/* One cell: its repeats are executed one by one, its text is made of them. */
#ifndef TDMEM_BENCH_CELL_H
#define TDMEM_BENCH_CELL_H

#include "bench/plan.h"
#include "bench/run.h"

/** What one repeat left: text for free(), NULL when it was stopped. */
struct repeat_result {
	char *text;
	enum cell_status status;
	char reason[256];
};

/**
 * Execute one repeat of a cell.  Any number of threads may do this at a time.
 * -1 with *e when it could not even try.
 */
int cell_repeat(const struct run_setup *setup, size_t index, uint32_t repeat,
		const atomic_int *stop, struct repeat_result *result,
		struct err *e);

/**
 * The text of a cell from its repeats: its status and reason are those of
 * the first repeat that did not end well.  NULL when out of memory.
 */
char *cell_text(const struct config *config, size_t index,
		const struct repeat_result *repeats, uint32_t n);

/** The scenario of a cell; -1 with *e. */
int cell_scenario(const struct config *config, const struct cell *cell,
		  struct scenario *scenario, struct err *e);

#endif
