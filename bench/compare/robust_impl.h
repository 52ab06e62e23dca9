/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of robust only. */
#ifndef TDMEM_BENCH_COMPARE_ROBUST_IMPL_H
#define TDMEM_BENCH_COMPARE_ROBUST_IMPL_H

#include "bench/base/arena.h"
#include "bench/compare/robust.h"

/** The same with each column; that of the result itself is borrowed. */
struct robust_runs {
	const struct robust_setup *setup;
	/* Of each result with each column. */
	const struct samples **samples[ROBUST_COLUMNS];
	const struct comparison *comparison[ROBUST_COLUMNS];
};

/**
 * Run the plan of a result with another column of its cost table, and read
 * what comes out.  -1 with *e, and *to is empty.
 */
int robust_rerun(const struct robust_setup *setup, const struct samples *from,
		 const char *column, struct samples *to, struct err *e);

/**
 * Does this program get the numbers that are in a result?  It runs one repeat
 * again.  -1 with *e, EXIT_UNSUPPORTED, when it does not.
 */
int robust_is_ours(const struct samples *samples, const char *column,
		   struct err *e);

/** Make the items; false when out of memory. */
bool robust_rank(const struct robust_runs *columns, struct robust *robust);
bool robust_changes(const struct robust_runs *columns, struct robust *robust);

/** A new item of a row; NULL when out of memory. */
struct robust_item *robust_item(struct robust *robust,
				const struct comparison *c, size_t row);

/** A row's cell and metric as one text, for free(); NULL: no memory. */
char *robust_key(const struct comparison *c, size_t row);

#endif
