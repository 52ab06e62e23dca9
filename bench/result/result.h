/* SPDX-License-Identifier: GPL-2.0-only */
/* Results (tdmem-result/1), as they are read. */
#ifndef TDMEM_BENCH_RESULT_RESULT_H
#define TDMEM_BENCH_RESULT_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "bench/base/err.h"

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
