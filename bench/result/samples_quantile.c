/* SPDX-License-Identifier: GPL-2.0-only */
/* Quantiles of histograms as results have them. */
#include <math.h>
#include <stdlib.h>

#include "bench/result/pooled.h"
#include "bench/result/samples.h"
#include "guest-agent/hist.h"

const struct samples_level samples_levels[] = {
	{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {NULL, 0},
};

double samples_quantile(const struct samples_hist *hist, double q)
{
	double target = ceil(q * (double)hist->count);
	uint64_t rank = target < 1 ? 1 : (uint64_t)target, seen = 0, v;
	size_t i = 0;

	if (!hist->count)
		return (double)NAN;
	/* The ends are known exactly, buckets are not. */
	if (rank >= hist->count)
		return (double)hist->max;
	while (i < hist->n && (seen += hist->bucket[i].count) < rank)
		i++;
	if (i == hist->n) /* among the overflowed values */
		return (double)hist->max;
	v = hist_middle(hist->bucket[i].index);
	v = v < hist->min ? hist->min : v;
	return (double)(v > hist->max ? hist->max : v);
}

double samples_pooled_quantile(struct samples_hist *const *hist, size_t n,
			       double q)
{
	struct pooled pool;
	unsigned int *weight = calloc(n + 1, sizeof(*weight));
	double value = (double)NAN;

	for (size_t i = 0; weight && i < n; i++)
		weight[i] = 1;
	if (weight && pooled_make(&pool, hist, n)) {
		value = pooled_quantile(&pool, pooled_range(&pool, q), weight,
					q);
		pooled_free(&pool);
	}
	free(weight);
	return value;
}
