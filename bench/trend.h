/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The history of many results: what each metric of each cell was, run after
 * run, and where it changed.  trend_load() reads, trend_find_changes()
 * computes; printers and the dashboard only print.
 */
#ifndef TDMEM_BENCH_TREND_H
#define TDMEM_BENCH_TREND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/err.h"

/** One result file; texts are "" when the result does not say. */
struct trend_run {
	const char *path; /* below the folder of the history */
	const char *time; /* ISO 8601, UTC; runs are in its order */
	const char *host, *kernel, *cpu, *config, *version;
	const char *commit;	   /* environment.tags.commit */
	const json_t *environment; /* whole */
	bool partial, modelled;
	size_t ncells, nbad; /* cells in all, and those that are not ok */
};

/** A value of a run in a series. */
struct trend_point {
	size_t run;
	double value;	    /* median of the repeats; NaN: none, see status */
	double low, high;   /* smallest and largest repeat */
	const char *status; /* of the cell: "ok", "livelock", ... */
};

enum trend_kind { TREND_IMPROVED, TREND_REGRESSED, TREND_CHANGED };

/** A change point of a series. */
struct trend_change {
	char id[20];	      /* stable as long as the place of the change is */
	size_t point;	      /* first one of the new level */
	double before, after; /* medians of the two segments */
	double ratio;	      /* after / before - 1 */
	double p;	      /* U test between the segments */
	double confidence;    /* 1 - p of the permutation test */
	enum trend_kind kind;
	const char *acknowledged; /* why; NULL: not acknowledged */
};

/** One metric of one cell of one config on one host, with its kernels. */
struct trend_series {
	const char *config, *host, *workload, *operation;
	const char *cell; /* "policy=spin vcpus=8" */
	const json_t *axes;
	const char *metric; /* "fault.rate", "fault.latency p99" */
	const char *unit;
	int better; /* +1 higher, -1 lower, 0 neither */
	size_t npoints;
	struct trend_point *point; /* in the order of runs */
	size_t nchanges;
	struct trend_change *change;
};

struct trend {
	size_t nruns;
	struct trend_run *run;
	size_t nseries;
	struct trend_series *series;
	size_t nskipped; /* files below the folder that are no results */
	struct arena *arena;
};

#endif
