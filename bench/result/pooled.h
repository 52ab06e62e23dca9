/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The histograms of several repeats seen as one, with weights, so that
 * quantiles of thousands of resamplings cost little each.
 */
#ifndef TDMEM_BENCH_RESULT_POOLED_H
#define TDMEM_BENCH_RESULT_POOLED_H

#include "bench/result/samples.h"

struct pooled {
	size_t n;	  /* histograms */
	size_t nplaces;	  /* buckets that any of them has filled */
	uint32_t *bucket; /* of each place, rising */
	uint64_t *below;  /* of each place n counts up to and with it */
	uint64_t *count;  /* n: values of each */
	uint64_t low_max, high_min;	  /* lowest maximum, highest minimum */
	const struct samples_hist **hist; /* n */
};

/** Where a quantile of any mixture can be: no need to look elsewhere. */
struct pooled_range {
	size_t first, last;
};

/** NULL histograms are left out.  False when out of memory. */
bool pooled_make(struct pooled *p, struct samples_hist *const *hist, size_t n);
void pooled_free(struct pooled *p);

/** Between the lowest and the highest of the single histograms' quantiles. */
struct pooled_range pooled_range(const struct pooled *p, double q);

/**
 * As samples_pooled_quantile() with a weight for each of the p->n; NaN when
 * nothing is left.
 */
double pooled_quantile(const struct pooled *p, struct pooled_range range,
		       const unsigned int *weight, double q);

#endif
