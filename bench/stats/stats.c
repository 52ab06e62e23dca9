/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <stdlib.h>

#include "bench/stats/stats.h"

static uint32_t add_full(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

void hist_merge(struct hist *into, const struct hist *from)
{
	if (from->count == 0)
		return;
	if (into->count == 0 || from->min_plus_1 < into->min_plus_1)
		into->min_plus_1 = from->min_plus_1;
	if (from->max > into->max)
		into->max = from->max;
	into->count += from->count;
	into->overflow += from->overflow;
	into->sum += from->sum;
	for (uint32_t i = 0; i < HIST_BUCKETS; i++)
		into->bucket[i] = add_full(into->bucket[i], from->bucket[i]);
}

static uint64_t within(const struct hist *h, uint64_t value)
{
	if (value > h->max)
		return h->max;
	if (h->min_plus_1 && value < h->min_plus_1 - 1)
		return h->min_plus_1 - 1;
	return value;
}

uint64_t hist_quantile(const struct hist *h, double q)
{
	double target = ceil(q * (double)h->count);
	uint64_t rank = target < 1 ? 1 : (uint64_t)target;
	uint64_t seen = 0;

	if (h->count == 0)
		return 0;
	/* The ends are known exactly, buckets are not. */
	if (rank >= h->count)
		return h->max;
	for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen >= rank)
			return within(h, hist_middle(i));
	}
	return h->max;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static size_t drop_nans(double *value, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!isnan(value[i]))
			value[kept++] = value[i];
	return kept;
}

struct summary summarize(double *value, size_t n)
{
	struct summary s = {
		.median = (double)NAN, .min = (double)NAN, .max = (double)NAN};
	double far;

	s.n = drop_nans(value, n);
	if (s.n == 0)
		return s;
	qsort(value, s.n, sizeof(*value), by_value);
	s.min = value[0];
	s.max = value[s.n - 1];
	s.median = (value[(s.n - 1) / 2] + value[s.n / 2]) / 2;
	far = fmax(s.max - s.median, s.median - s.min);
	s.spread = s.median != 0 ? far / fabs(s.median) : 0;
	return s;
}
