/* SPDX-License-Identifier: GPL-2.0-only */
/* Quantiles of histograms as results have them. */
#include <math.h>
#include <stddef.h>

#include "bench/samples.h"
#include "guest-agent/hist.h"

const struct samples_level samples_levels[] = {
	{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {NULL, 0},
};

/* Several histograms seen as one. */
struct pool {
	struct samples_hist *const *hist;
	size_t n;
	const unsigned int *weight;
};

static uint64_t weight_of(const struct pool *pool, size_t i)
{
	if (!pool->hist[i])
		return 0;
	return pool->weight ? pool->weight[i] : 1;
}

/* Values in buckets up to this one. */
static uint64_t count_to(const struct samples_hist *h, uint32_t bucket)
{
	uint64_t count = 0;

	for (size_t i = 0; i < h->n && h->bucket[i].index <= bucket; i++)
		count += h->bucket[i].count;
	return count;
}

static uint64_t pooled_to(const struct pool *pool, uint32_t bucket)
{
	uint64_t count = 0;

	for (size_t i = 0; i < pool->n; i++) {
		uint64_t weight = weight_of(pool, i);

		if (weight)
			count += weight * count_to(pool->hist[i], bucket);
	}
	return count;
}

/* The first bucket up to which there are `rank` values, by bisection. */
static uint32_t bucket_of(const struct pool *pool, uint64_t rank)
{
	uint32_t low = 0, high = HIST_BUCKETS;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (pooled_to(pool, middle) >= rank)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct ends {
	uint64_t count, min, max;
};

static struct ends ends_of(const struct pool *pool)
{
	struct ends e = {.min = UINT64_MAX};

	for (size_t i = 0; i < pool->n; i++) {
		const struct samples_hist *h = pool->hist[i];
		uint64_t weight = weight_of(pool, i);

		if (!weight || !h->count)
			continue;
		e.count += weight * h->count;
		e.min = h->min < e.min ? h->min : e.min;
		e.max = h->max > e.max ? h->max : e.max;
	}
	return e;
}

double samples_pooled_quantile(struct samples_hist *const *hist, size_t n,
			       const unsigned int *weight, double q)
{
	struct pool pool = {hist, n, weight};
	struct ends e = ends_of(&pool);
	double target = ceil(q * (double)e.count);
	uint64_t rank = target < 1 ? 1 : (uint64_t)target, v;
	uint32_t bucket;

	if (!e.count)
		return (double)NAN;
	/* The ends are known exactly, buckets are not. */
	if (rank >= e.count)
		return (double)e.max;
	bucket = bucket_of(&pool, rank);
	if (bucket == HIST_BUCKETS) /* among the overflowed values */
		return (double)e.max;
	v = hist_middle(bucket);
	return (double)(v < e.min ? e.min : v > e.max ? e.max : v);
}

double samples_quantile(const struct samples_hist *hist, double q)
{
	/* Not written to: the pool's histograms are only read. */
	struct samples_hist copy = *hist, *one = &copy;

	return samples_pooled_quantile(&one, 1, NULL, q);
}
