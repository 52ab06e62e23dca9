/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Results in the formats of other programs.  A format is one file, which
 * defines one struct export_format, and one line in export_formats.c.
 */
#ifndef TDMEM_BENCH_EXPORT_EXPORT_H
#define TDMEM_BENCH_EXPORT_EXPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "bench/base/err.h"
#include "bench/base/strlist.h"
#include "bench/stats/stats.h"

/** What is asked for; all is borrowed. */
struct export_request {
	const char *path;	/* of the result */
	struct strings metrics; /* names; none: what the format takes */
	struct strings cells;	/* "AXIS=VALUE", all must hold */
	FILE *out;
	bool *partial; /* set when the result is partial; may be NULL */
};

/** What a format does with --metric. */
enum export_metrics { EXPORT_MANY, EXPORT_ONE, EXPORT_NONE };

struct export_format {
	const char *name;
	const char *summary;
	enum export_metrics metrics;
	/*
	 * Write to request->out.  -1 with *e; what was written then is of no
	 * use.  Write errors are the stream's.
	 */
	int (*function)(const struct export_request *request, struct err *e);
};

/** All formats, ended by NULL. */
extern const struct export_format *const export_formats[];

/** A cell that was selected; all is borrowed. */
struct export_cell {
	const json_t *top; /* all members of the result but the cells */
	json_t *axes;
	json_t *repeats; /* those that count: no warm-ups */
	json_t *all;	 /* warm-ups as well */
	const char *workload, *status, *reason;
	bool model; /* model output, not a measurement */
};

/** Takes a cell: 0, or why not. */
enum export_status { EXPORT_GOOD, EXPORT_BAD_CELL, EXPORT_NO_MEMORY };
typedef enum export_status export_cell_fn(void *ctx,
					  const struct export_cell *cell);

/**
 * Read the result of a request and give the selected cells to `take`, in
 * order.  The top, which the caller owns; NULL with *e: no result, a metric
 * or an axis that it does not have, or no cell that is as asked for.
 */
json_t *export_read(const struct export_request *request, export_cell_fn *take,
		    void *ctx, struct err *e);

/**
 * Is a metric the rate or the latency of what the cell's workload is about?
 * What formats take that were not told a metric.
 */
bool export_is_main(const struct export_cell *cell, const char *metric);

/** Was the run of a result stopped before its end? */
bool export_partial(const json_t *top);

/** Is a repeat a warm-up, which is part of no figure? */
bool export_warmup(const json_t *repeat);

/** Is a metric asked for?  Without --metric all are. */
bool export_wanted(const struct export_request *request, const char *metric);

/** A member of a metric in the table of the result: "unit"; never NULL. */
const char *export_about(const json_t *top, const char *metric,
			 const char *member);

/**
 * A copy, for free(), in which nothing moves a cursor, ends a line or turns
 * the direction of writing, as plain_text().  NULL when out of memory.
 */
char *export_plain(const char *text);

/** The value of an axis as such a text; objects as JSON.  For free(). */
char *export_axis(const json_t *value);

/**
 * Add a metric's histograms of all repeats to *into; of a cell that has none
 * nothing.  Then *into may be anything when it is a bad cell.
 */
enum export_status export_merge(const struct export_cell *cell,
				const char *metric, struct hist *into);

/** The repeats of a number; n is 0 when no repeat has it. */
enum export_status export_summary(const struct export_cell *cell,
				  const char *metric, struct summary *summary);

/** What is told of a histogram besides its count. */
struct export_quantile {
	const char *name; /* "p99" */
	double q;	  /* 1: the maximum, which is exact */
};

/** p50, p90, p99, p99.9, max; ended by a NULL name. */
extern const struct export_quantile export_quantiles[];

#endif
