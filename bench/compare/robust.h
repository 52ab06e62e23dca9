/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does a conclusion hold with other costs?  Most costs of the model are
 * assumptions with a low, a typical and a high value: what was concluded with
 * one column of the table is concluded again with the two others, from runs
 * of the same plan that are made in memory.
 */
#ifndef TDMEM_BENCH_COMPARE_ROBUST_H
#define TDMEM_BENCH_COMPARE_ROBUST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "bench/base/err.h"
#include "bench/compare/compare.h"

enum { ROBUST_COLUMNS = 3 };

/** "low", "typ", "high", and NULL. */
extern const char *const robust_columns[ROBUST_COLUMNS + 1];

/** What becomes of a conclusion. */
enum robust_outcome {
	ROBUST_SURVIVES,  /* it is the same with all columns */
	ROBUST_WEAKENS,	  /* what differs with one does not with another */
	ROBUST_REVERSES,  /* it does not survive: what is better changes */
	ROBUST_UNDECIDED, /* too few repeats to conclude anything */
	NR_ROBUST_OUTCOMES
};

/** One value in a ranking, with one column. */
struct robust_place {
	const char *value;  /* "spin" */
	const char *status; /* of its cell, "ok" */
	bool ahead;	    /* of the next one; false: does not differ */
};

/** One conclusion, with each column. */
struct robust_item {
	const char *workload, *metric;
	const char *where; /* "vcpus 8"; "" when nothing else varies */
	json_t *axes;	   /* of where */
	enum robust_outcome outcome;
	/* Of a ranking: the values, the best one first. */
	size_t nplaces;
	struct robust_place *place[ROBUST_COLUMNS];
	/* Of a change: which side's, and what it is. */
	const char *side;
	enum verdict verdict[ROBUST_COLUMNS];
	double ratio[ROBUST_COLUMNS]; /* new / base - 1; NaN: none */
};

struct robust {
	bool rankings; /* else changes */
	const char *by;
	size_t own; /* column of the result itself */
	size_t n;
	struct robust_item *item;
	size_t quiet; /* changes that are none with any column: no items */
	size_t count[NR_ROBUST_OUTCOMES];
	size_t needed; /* repeats, where some are undecided */
	struct arena *arena;
};

struct robust_setup {
	const struct compare_request *request;
	unsigned jobs; /* cells at a time */
	bool progress; /* a line on stderr */
};

/**
 * Run again and conclude again.  `comparison` is that of the request.  By
 * results or sides the conclusions are its changes, by any other axis the
 * rankings of the axis' values by the rate of each workload's operation.
 * -1 with *e: EXIT_UNSUPPORTED when a result is not model output, or of
 * another version of this program.  The caller frees it in any case.
 */
int robust_check(const struct robust_setup *setup,
		 const struct comparison *comparison, struct robust *robust,
		 struct err *e);
void robust_free(struct robust *robust);

/** As text of at most 75 columns; false when out of memory. */
bool robust_print(const struct robust *robust, bool ascii, FILE *f);

/** As JSON; NULL when out of memory. */
json_t *robust_json(const struct robust *robust);

#endif
