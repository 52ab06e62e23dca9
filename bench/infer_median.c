/* SPDX-License-Identifier: GPL-2.0-only */
/* Intervals of medians, and of the change from one median to another. */
#include <math.h>
#include <stdlib.h>

#include "bench/infer.h"

double median_of_sorted(const double *sorted, size_t n)
{
	if (!n)
		return (double)NAN;
	if (n % 2)
		return sorted[n / 2];
	/* halved first: two huge values must not overflow */
	return sorted[n / 2 - 1] / 2 + sorted[n / 2] / 2;
}

/* log(n!) */
static double log_factorial(size_t n)
{
	int sign;

	return lgamma_r((double)n + 1, &sign);
}

/* Probability of exactly k of n where each is as likely as not. */
static double fair(size_t n, size_t k)
{
	return exp(log_factorial(n) - log_factorial(k) - log_factorial(n - k) -
		   (double)n * log(2));
}

/*
 * The k-th value from either end brackets the median unless fewer than k
 * values are on one side of it: each value is on either side as likely as not.
 */
struct interval median_interval(const double *sorted, size_t n,
				double confidence)
{
	double outside = fair(n, 0), next;
	size_t k = 1;

	for (; k < (n + 1) / 2; k++, outside = next) {
		next = outside + fair(n, k);
		if (1 - 2 * next < confidence)
			break;
	}
	return (struct interval){sorted[k - 1], sorted[n - k],
				 fmax(0, 1 - 2 * outside)};
}

/* ------------------------------------------------------------- bootstrap */

static uint64_t draw(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

/* Median of as many values drawn with replacement; `room` holds n. */
static double drawn_median(const double *value, size_t n, double *room,
			   uint64_t *state)
{
	for (size_t i = 0; i < n; i++)
		room[i] = value[draw(state) % n];
	qsort(room, n, sizeof(*room), by_value);
	return median_of_sorted(room, n);
}

bool change_interval(const double *a, size_t na, const double *b, size_t nb,
		     double confidence, size_t rounds, uint64_t seed,
		     struct interval *result)
{
	double *change = calloc(rounds + na + nb, sizeof(*change));
	double *room = change ? change + rounds : NULL;
	size_t tail = (size_t)((1 - confidence) / 2 * (double)rounds);

	if (!change)
		return false;
	for (size_t i = 0; i < rounds; i++) {
		double from = drawn_median(a, na, room, &seed);

		change[i] = drawn_median(b, nb, room, &seed) / from - 1;
	}
	qsort(change, rounds, sizeof(*change), by_value);
	*result = (struct interval){change[tail], change[rounds - 1 - tail],
				    confidence};
	free(change);
	return true;
}
