/* SPDX-License-Identifier: GPL-2.0-only */
/* Intervals by drawing the repeats again and again. */
#include <stdlib.h>
#include <string.h>

#include "bench/stats/infer.h"

/* Above so many weights they are drawn when they are asked for. */
enum { KEPT_WEIGHTS = 1 << 22 };

/* splitmix64 */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static void draw_round(const struct resamples *r, size_t round,
		       unsigned int *weight)
{
	uint64_t state = r->seed, mixed;

	mixed = draw(&state) + round;
	state = draw(&mixed);
	memset(weight, 0, r->n * sizeof(*weight));
	for (size_t i = 0; i < r->n; i++)
		weight[draw(&state) % r->n]++;
}

static bool is_kept(const struct resamples *r)
{
	return r->n <= KEPT_WEIGHTS / r->rounds;
}

bool resamples_make(struct resamples *r, size_t n, size_t rounds, uint64_t seed)
{
	*r = (struct resamples){.n = n, .rounds = rounds, .seed = seed};
	r->weight = calloc(is_kept(r) ? n * rounds : n, sizeof(*r->weight));
	if (!r->weight)
		return false;
	for (size_t i = 0; is_kept(r) && i < rounds; i++)
		draw_round(r, i, r->weight + i * n);
	return true;
}

void resamples_free(struct resamples *r)
{
	free(r->weight);
	*r = (struct resamples){0};
}

const unsigned int *resample(struct resamples *r, size_t round)
{
	if (is_kept(r))
		return r->weight + round * r->n;
	draw_round(r, round, r->weight);
	return r->weight;
}

double weighted_median(const double *sorted, const unsigned int *weight,
		       size_t n)
{
	size_t half = (n - 1) / 2, seen = 0, i = 0, low;

	while ((seen += weight[i]) <= half)
		i++;
	low = i;
	if (n % 2 == 0 && seen <= n / 2)
		do
			i++;
		while (!weight[i]);
	return sorted[low] / 2 + sorted[i] / 2;
}

static void swap(double *a, double *b)
{
	double kept = *a;

	*a = *b;
	*b = kept;
}

/* The k-th smallest of the values, by Hoare's method. */
static double select_value(double *value, size_t n, size_t rank)
{
	ptrdiff_t low = 0, high = (ptrdiff_t)n - 1, k = (ptrdiff_t)rank;

	while (low < high) {
		double pivot = value[k];
		ptrdiff_t i = low, j = high;

		do {
			while (value[i] < pivot)
				i++;
			while (pivot < value[j])
				j--;
			if (i <= j)
				swap(&value[i++], &value[j--]);
		} while (i <= j);
		if (j < k)
			low = i;
		if (k < i)
			high = j;
	}
	return value[k];
}

struct interval percentile_interval(double *value, size_t n, double confidence)
{
	size_t tail = (size_t)((1 - confidence) / 2 * (double)n);

	return (struct interval){select_value(value, n, tail),
				 select_value(value, n, n - 1 - tail),
				 confidence};
}

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

static double *sorted_copy(const double *value, size_t n)
{
	double *copy = malloc(n * sizeof(*copy));

	if (copy) {
		memcpy(copy, value, n * sizeof(*copy));
		qsort(copy, n, sizeof(*copy), by_value);
	}
	return copy;
}

/* change[i] = median of the i-th drawing, over what is there already. */
static bool draw_medians(const double *value, size_t n, size_t rounds,
			 uint64_t seed, double *change, bool over)
{
	double *sorted = sorted_copy(value, n);
	struct resamples r;
	bool good = sorted && resamples_make(&r, n, rounds, seed);

	for (size_t i = 0; good && i < rounds; i++) {
		double m = weighted_median(sorted, resample(&r, i), n);

		change[i] = over ? m / change[i] - 1 : m;
	}
	if (good)
		resamples_free(&r);
	free(sorted);
	return good;
}

bool change_interval(const double *a, size_t na, const double *b, size_t nb,
		     double confidence, size_t rounds, uint64_t seed,
		     struct interval *result)
{
	double *change = calloc(rounds, sizeof(*change));
	bool good = change &&
		    draw_medians(a, na, rounds, seed, change, false) &&
		    draw_medians(b, nb, rounds, ~seed, change, true);

	if (good)
		*result = percentile_interval(change, rounds, confidence);
	free(change);
	return good;
}
