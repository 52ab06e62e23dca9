/* SPDX-License-Identifier: GPL-2.0-only */
/* Intervals of medians by order statistics. */
#include <math.h>
#include <stdlib.h>

#include "bench/stats/infer.h"

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
