/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Results as what is computed with: of each cell and metric the values of
 * its repeats, of a histogram its filled buckets.  Reads only the metrics
 * that are wanted and passes over the others' text without making anything
 * of it, so that results of hundreds of megabytes take seconds.
 */
#ifndef TDMEM_BENCH_RESULT_SAMPLES_H
#define TDMEM_BENCH_RESULT_SAMPLES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/base/err.h"

/** A metric as the result's own table has it. */
struct samples_metric {
	const char *name; /* "fault.rate", borrowed from the top */
	size_t length;	  /* of the name */
	const char *unit; /* "1/s" */
	bool histogram;
	int better; /* +1: higher is better, -1: lower, 0: neither */
};

struct samples_bucket {
	uint32_t index; /* see guest-agent/hist.h */
	uint32_t count;
};

/** A histogram of one repeat: its filled buckets in rising order. */
struct samples_hist {
	uint64_t count;	   /* values, overflow included */
	uint64_t overflow; /* values of 2^40 and above: above all buckets */
	uint64_t min, max; /* exact */
	size_t n;
	const struct samples_bucket *bucket;
};

/** All repeats of one metric in one cell. */
struct samples_series {
	size_t metric; /* index into the metrics of the result */
	/* One of the two, nrepeats long. */
	double *value;		    /* NaN: that repeat has none */
	struct samples_hist **hist; /* NULL: that repeat has none */
};

struct samples_cell {
	json_t *axes;	       /* workload, policy, vcpus, ...: an object */
	const char *workload;  /* borrowed from the axes; never NULL */
	const char *operation; /* of the workload: "fault"; "" if unknown */
	const char *status;    /* "ok", "livelock", ... */
	const char *reason;
	json_t *notes; /* list of texts; NULL: the cell has none */
	/* Repeats that can be compared: ended ok and no warm-up. */
	size_t nrepeats;
	size_t left_out; /* the others */
	size_t nseries;
	struct samples_series *series; /* metrics that any repeat has */
};

struct samples {
	char *path;
	json_t *top; /* the result without its cells */
	bool partial, modelled;
	bool real_cpus; /* the host that it ran on counts */
	size_t nmetrics;
	struct samples_metric *metric;
	size_t ncells;
	struct samples_cell *cell;
	struct arena *arena; /* owns all that is not JSON */
};

/**
 * Does the top of a result say so of any workload?  `is` is "modelled", or
 * "real_cpus".
 */
bool samples_any(const json_t *top, const char *is);

/**
 * Is a metric of a cell to be read?  `operation` is that of the cell's
 * workload ("fault"), so that "its own rate" can be asked for.
 */
typedef bool samples_wanted_fn(const void *ctx, const char *operation,
			       const struct samples_metric *metric);

/**
 * Read a result (tdmem-result/1).  -1 with *e (one line: file, place, what
 * was expected); *samples is then empty.  The caller frees it.
 */
int samples_load(const char *path, samples_wanted_fn *wanted, const void *ctx,
		 struct samples *samples, struct err *e);
void samples_free(struct samples *samples);

/** A cell's series of a metric by name; NULL: none. */
const struct samples_series *samples_find(const struct samples *samples,
					  const struct samples_cell *cell,
					  const char *metric);

/**
 * The value at or below which a share q (0..1) of a histogram's values are,
 * in its unit; as hist_quantile().  NaN for an empty one.
 */
double samples_quantile(const struct samples_hist *hist, double q);

/**
 * The same of several histograms together; NULL ones count nothing.  For
 * resamplings see bench/result/pooled.h.
 */
double samples_pooled_quantile(struct samples_hist *const *hist, size_t n,
			       double q);

/** The quantiles that every report of a latency gives. */
struct samples_level {
	const char *name; /* "p99.9" */
	double q;
};
extern const struct samples_level samples_levels[]; /* ended by NULL */

/**
 * What a metric is wanted for by default: the rate and the latency of the
 * operation that the workload is about.  A samples_wanted_fn; ctx is unused.
 */
samples_wanted_fn samples_headline;

#endif
