/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/result/pooled.h"
#include "guest-agent/hist.h"

/* Buckets that any histogram has filled, a bit each. */
enum { SEEN_WORDS = HIST_BUCKETS / 64 };

static size_t count_places(const struct pooled *p, uint64_t *seen)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		for (size_t k = 0; k < p->hist[i]->n; k++) {
			uint32_t bucket = p->hist[i]->bucket[k].index;

			seen[bucket / 64] |= 1ull << bucket % 64;
		}
	}
	for (size_t i = 0; i < SEEN_WORDS; i++)
		n += (size_t)__builtin_popcountll(seen[i]);
	return n;
}

static void list_places(struct pooled *p, const uint64_t *seen)
{
	size_t place = 0;

	for (uint32_t i = 0; i < SEEN_WORDS; i++)
		for (uint64_t left = seen[i]; left; left &= left - 1)
			p->bucket[place++] =
				i * 64 + (uint32_t)__builtin_ctzll(left);
}

static void fill_ends(struct pooled *p)
{
	p->low_max = UINT64_MAX;
	for (size_t i = 0; i < p->n; i++) {
		const struct samples_hist *h = p->hist[i];

		p->count[i] = h->count;
		p->low_max = h->max < p->low_max ? h->max : p->low_max;
		p->high_min = h->min > p->high_min ? h->min : p->high_min;
	}
}

static void fill_places(struct pooled *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct samples_hist *h = p->hist[i];
		uint64_t below = 0;
		size_t k = 0;

		for (size_t place = 0; place < p->nplaces; place++) {
			if (k < h->n && h->bucket[k].index == p->bucket[place])
				below += h->bucket[k++].count;
			p->below[place * p->n + i] = below;
		}
	}
}

bool pooled_make(struct pooled *p, struct samples_hist *const *hist, size_t n)
{
	uint64_t *seen = calloc(SEEN_WORDS, sizeof(*seen));

	*p = (struct pooled){.hist = calloc(n + 1, sizeof(*p->hist))};
	if (seen && p->hist) {
		for (size_t i = 0; i < n; i++)
			if (hist[i] && hist[i]->count)
				p->hist[p->n++] = hist[i];
		p->nplaces = count_places(p, seen);
		p->bucket = calloc(p->nplaces + 1, sizeof(*p->bucket));
		p->below = calloc(p->nplaces * p->n + 1, sizeof(*p->below));
		p->count = calloc(p->n + 1, sizeof(*p->count));
	}
	if (p->bucket && p->below && p->count) {
		list_places(p, seen);
		fill_places(p);
		fill_ends(p);
	} else {
		pooled_free(p);
	}
	free(seen);
	return p->hist;
}

void pooled_free(struct pooled *p)
{
	free(p->hist);
	free(p->bucket);
	free(p->below);
	free(p->count);
	*p = (struct pooled){0};
}

static uint64_t rank_of(uint64_t count, double q)
{
	double target = ceil(q * (double)count);

	return target < 1 ? 1 : (uint64_t)target;
}

/* First place up to which there are `rank` values; nplaces: overflowed. */
static size_t place_of(const struct pooled *p, struct pooled_range in,
		       const unsigned int *weight, uint64_t rank)
{
	size_t low = in.first, high = in.last;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const uint64_t *below = p->below + middle * p->n;
		uint64_t count = 0;

		for (size_t i = 0; i < p->n; i++)
			count += weight[i] * below[i];
		if (count >= rank)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct pooled_range pooled_range(const struct pooled *p, double q)
{
	struct pooled_range all = {0, p->nplaces}, r = {p->nplaces, 0};
	unsigned int *weight = calloc(p->n + 1, sizeof(*weight));

	if (!weight || !p->n) {
		free(weight);
		return all;
	}
	for (size_t i = 0; i < p->n; i++) {
		size_t place;

		weight[i] = 1;
		place = place_of(p, all, weight, rank_of(p->hist[i]->count, q));
		weight[i] = 0;
		r.first = place < r.first ? place : r.first;
		r.last = place > r.last ? place : r.last;
	}
	free(weight);
	return r;
}

/* Within what was recorded: ends are known exactly, buckets are not. */
static double within(const struct pooled *p, const unsigned int *weight,
		     uint64_t v)
{
	uint64_t min = UINT64_MAX, max = 0;

	if (v >= p->high_min && v <= p->low_max)
		return (double)v;
	for (size_t i = 0; i < p->n; i++) {
		const struct samples_hist *h = p->hist[i];

		if (!weight[i])
			continue;
		min = h->min < min ? h->min : min;
		max = h->max > max ? h->max : max;
	}
	return (double)(v < min ? min : v > max ? max : v);
}

double pooled_quantile(const struct pooled *p, struct pooled_range range,
		       const unsigned int *weight, double q)
{
	uint64_t count = 0, rank;
	size_t place;

	for (size_t i = 0; i < p->n; i++)
		count += weight[i] * p->count[i];
	if (!count)
		return (double)NAN;
	rank = rank_of(count, q);
	place = rank < count ? place_of(p, range, weight, rank) : p->nplaces;
	if (place == p->nplaces) /* the largest, or among the overflowed */
		return within(p, weight, UINT64_MAX);
	return within(p, weight, hist_middle(p->bucket[place]));
}
