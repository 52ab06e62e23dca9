/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Results (tdmem-result/1), as they are written.  Cells are texts, each one
 * line of JSON; they are the same bytes for the same config and seed.
 */
#ifndef TDMEM_BENCH_RUN_WRITE_H
#define TDMEM_BENCH_RUN_WRITE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "bench/plan/config.h"
#include "bench/plan/costs.h"

struct journal;
struct sides;

/** What the top of a result is made from. */
struct result_top {
	const struct sides *sides;
	json_t *environment; /* borrowed */
	json_t *companions;  /* borrowed; NULL: none */
	bool partial;
};

/**
 * Write a result: the top, then each cell of which the journal, which must be
 * sorted, has a repeat.  False when out of memory or when the journal cannot
 * be read; write errors are the stream's.
 */
bool result_write(FILE *f, const struct result_top *top,
		  const struct journal *journal);

/** What two runs must have in common for one to go on from the other. */
json_t *result_identity(const struct sides *sides);

/** Members of a result: all knobs of each workload; the cost table. */
json_t *result_workloads(const struct config *config);
json_t *result_costs(const struct costs *costs);

#endif
