/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The metrics: one table, from which results, the schema, the manual and the
 * reports take names, units and directions.
 */
#ifndef TDMEM_BENCH_RESULT_METRICS_H
#define TDMEM_BENCH_RESULT_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/module/module.h"

enum direction { HIGHER_IS_BETTER, LOWER_IS_BETTER, NO_DIRECTION };

struct metric {
	const char *name; /* "<operation>.<quantity>" */
	const char *unit;
	enum direction direction;
	bool histogram; /* values are kept as a histogram */
	const char *help;
};

/** All metrics, in the order of results.  Valid for the whole run. */
size_t metric_count(void);
const struct metric *metric_at(size_t index);

/** Index of a metric; -1 for a name that is none. */
int metric_find(const char *name);

/** "higher", "lower" or "none", as results have it. */
const char *direction_name(enum direction direction);

/** What the names of a call's metrics begin with: "tdh_mem_page_aug". */
const char *metric_call_prefix(enum tdx_call call);

#endif
