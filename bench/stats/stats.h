/* SPDX-License-Identifier: GPL-2.0-only */
/* What repeats and histograms say in a few numbers. */
#ifndef TDMEM_BENCH_STATS_STATS_H
#define TDMEM_BENCH_STATS_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "guest-agent/hist.h"

/** Add all that `from` has seen to `into`; full buckets stay full. */
void hist_merge(struct hist *into, const struct hist *from);

/**
 * The value below or at which a share `q` (0..1) of the recorded values are,
 * within the precision of a bucket and never outside of what was recorded.
 * Of an empty histogram 0.  A quantile among the overflowed values is the
 * largest value recorded.
 */
uint64_t hist_quantile(const struct hist *h, double q);

/** Several repeats of one number. */
struct summary {
	size_t n;
	double median, min, max; /* NaN when n is 0 */
	/*
	 * Largest distance of any repeat from the median, as a share of the
	 * median; 0 with one repeat.  The plain range: with three to ten
	 * repeats nothing finer can be said.
	 */
	double spread;
};

/** NaNs among the values are left out.  Reorders `value`. */
struct summary summarize(double *value, size_t n);

#endif
