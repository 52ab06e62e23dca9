/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cost tables (tdmem-costs/1): what each operation takes on a kind of host,
 * low, typical and high, each marked measured, derived or assumption, with
 * its source.  The model gets one column; results carry the whole table.
 */
#ifndef TDMEM_BENCH_PLAN_COSTS_H
#define TDMEM_BENCH_PLAN_COSTS_H

#include <jansson.h>
#include <stddef.h>

#include "bench/backend.h"
#include "bench/base/err.h"

enum { COSTS_MAX_BYTES = 1 << 20 };

/** One line of the table, for lists. */
struct cost_name {
	const char *name;
	const char *help;
};

struct costs {
	json_t *root;	  /* the document */
	const char *path; /* borrowed from the caller of costs_load() */
	const char *column;
	struct model_costs model; /* of the column */
};

/**
 * Load a table and check it: every entry that the model needs is there once,
 * none is unknown, figures are not negative and low <= typ <= high, and a
 * whole call costs at least its fixed part and its lock words, in each
 * column.  `path` and `column` ("low", "typ", "high") must outlive it.
 * Returns -1 with *e, EXIT_USAGE, naming the file and the JSON path.
 */
int costs_load(const char *path, const char *column, struct costs *costs,
	       struct err *e);
void costs_free(struct costs *costs);

/** The same for a document that is there; takes the reference. */
int costs_parse(const char *path, json_t *root, const char *column,
		struct costs *costs, struct err *e);

/** Entries that a table has, in order. */
size_t cost_count(void);
const struct cost_name *cost_at(size_t index);

/**
 * The least that entry `index` may be in a table with these parts: a whole
 * call has a fixed part and lock words.  0: it is no whole call.  In the unit
 * of the parts.
 */
double cost_least(size_t index, double seamcall, double tdcall,
		  double line_local);

#endif
