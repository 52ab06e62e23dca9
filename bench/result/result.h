/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Results (tdmem-result/1).  Cells are texts, each one line of JSON; they are
 * the same bytes for the same config and seed.
 */
#ifndef TDMEM_BENCH_RESULT_RESULT_H
#define TDMEM_BENCH_RESULT_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "bench/base/err.h"
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

/**
 * Takes one cell of a result that is read; `top` is all that comes before
 * the cells.  Not 0: it is not a cell.
 */
typedef int result_cell_fn(void *ctx, const json_t *top, json_t *cell);

/**
 * Read a result: everything but the cells is returned (the caller owns it),
 * the cells are given to `cell` one by one, so that a large result never is
 * in memory as a whole tree.  NULL with *e: not a result, with the place.
 */
json_t *result_read(const char *path, result_cell_fn *cell, void *ctx,
		    struct err *e);

struct scan;

/** The same for its text: takes it from *s, or tells that it is no cell. */
typedef int result_text_fn(void *ctx, const json_t *top, struct scan *s);

/** As result_read(), for readers that make no tree of a cell. */
json_t *result_read_text(const char *path, result_text_fn *cell, void *ctx,
			 struct err *e);

#endif
