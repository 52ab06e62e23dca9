/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The history of many results: what each metric of each cell was, run after
 * run, and where it changed.  trend_load() reads, trend_find_changes()
 * computes; printers and the dashboard only print.
 */
#ifndef TDMEM_BENCH_TREND_TREND_H
#define TDMEM_BENCH_TREND_TREND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/base/args.h"
#include "bench/base/err.h"

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
const char *trend_kind_name(enum trend_kind kind); /* "regressed" */

/**
 * A change point of a series: the level of its values changed, or its cell
 * came to an end that is not "ok" and still does.  Of the latter `status` is
 * set, `after`, `ratio` and `p` are NaN, and `confidence` is 1; it is in the
 * series of the workload's rate only.
 */
struct trend_change {
	char id[20];	      /* stable as long as the place of the change is */
	size_t point;	      /* first one of the new level */
	double before, after; /* medians of the two segments */
	double ratio;	      /* after / before - 1 */
	double p;	      /* U test between the segments */
	double confidence;    /* 1 - p of the permutation test */
	enum trend_kind kind;
	const char *acknowledged; /* why; NULL: not acknowledged */
	const char *status;	  /* that it ends with now; NULL: a level */
};

/** One metric of one cell of one config on one host, with its kernels. */
struct trend_series {
	/*
	 * Of model output the machine that it ran on does not matter: host
	 * is then "model COST-TABLE/COLUMN TOPOLOGY".
	 */
	const char *config, *host, *workload, *operation;
	const char *cell; /* "policy=spin vcpus=8" */
	const json_t *axes;
	const char *metric; /* "fault.rate", "fault.latency p99" */
	const char *unit;
	int better; /* +1 higher, -1 lower, 0 neither */
	size_t npoints;
	struct trend_point *point; /* in the order of runs */
	size_t nchanges;
	struct trend_change *change; /* in the order of runs */
	/*
	 * What the series is known by: config, host, workload, cell and
	 * metric, each with a line end behind it.
	 */
	const char *key;
	bool modelled;
};

/** A file below the folder that was left out, and why. */
struct trend_skip {
	const char *path; /* below the folder of the history */
	const char *why;
};

struct trend {
	size_t nruns;
	struct trend_run *run;
	size_t nseries;
	struct trend_series *series;
	size_t nskipped; /* files below the folder that are no results */
	struct arena *arena;
	json_t *json; /* owns environments and axes */
	const char *dir;
	struct trend_skip *skip;   /* nskipped, in the order of their paths */
	size_t nparsed;		   /* result files that were not in the index */
	size_t nsearched;	   /* series whose changes were in no cache */
	const char *index_trouble; /* why a cache was not written; NULL: none */
	bool no_index;		   /* as requested */
};

/** What is read; all is borrowed. */
struct trend_request {
	const char *dir;
	struct strings metrics; /* patterns (fnmatch) of "fault.rate", ... */
	struct strings cells;	/* "AXIS=VALUE", all must hold */
	const char *since;	/* ISO 8601 or its beginning; NULL: all runs */
	unsigned int jobs;	/* threads, 1 or more */
	bool no_index;		/* neither read nor write the caches */
};

/**
 * Read the results below a folder, those that did not change from the index
 * in it.  A file that is no result, cannot be read, or is met twice through a
 * link is in `skip` and no error.  -1 with *e: the folder itself cannot be
 * read, a filter is wrong, or memory ran out.  The caller frees *trend.
 */
int trend_load(const struct trend_request *request, struct trend *trend,
	       struct err *e);

/** When a step is a change. */
struct trend_rule {
	size_t segment;	   /* runs that a level has at least, 2 or more */
	double alpha;	   /* largest p of the permutation test */
	double u_alpha;	   /* largest p of the U test between its neighbours */
	double material;   /* smallest change of interest, a share: 0.01 */
	uint64_t seed;	   /* of the permutations */
	unsigned int jobs; /* threads, 1 or more */
	const char *acks;  /* acknowledged changes; NULL: DIR/tdmem-acks.json */
};
extern const struct trend_rule trend_rule_default;

/**
 * Find the changes of each series and which are acknowledged.  Deterministic.
 * -1 with *e: the acknowledgements cannot be read, or memory ran out.
 */
int trend_find_changes(struct trend *trend, const struct trend_rule *rule,
		       struct err *e);

/** A change with its series. */
struct trend_found {
	const struct trend_series *series;
	const struct trend_change *change;
};

/**
 * All changes, those with the newest run first.  The caller frees the array;
 * NULL when out of memory (never for none).
 */
struct trend_found *trend_newest_first(const struct trend *trend, size_t *n);

/** Regressions that nobody has acknowledged. */
size_t trend_open_regressions(const struct trend *trend);

void trend_free(struct trend *trend);

#endif
