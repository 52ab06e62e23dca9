/* SPDX-License-Identifier: GPL-2.0-only */
/* Mann-Whitney U, exact and approximate, and Cliff's delta. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/stats/infer.h"

struct ranked {
	double value;
	bool of_a;
	unsigned rank2; /* twice the mid-rank, so that it is whole */
};

static int by_value(const void *x, const void *y)
{
	double a = ((const struct ranked *)x)->value;
	double b = ((const struct ranked *)y)->value;

	return (a > b) - (a < b);
}

static void put(struct ranked *r, const double *value, size_t n, bool of_a)
{
	for (size_t i = 0; i < n; i++)
		r[i] = (struct ranked){.value = value[i], .of_a = of_a};
}

/* Sorts, gives mid-ranks; returns the sum of t^3 - t over groups of ties. */
static double rank_all(struct ranked *r, size_t n)
{
	double ties = 0;
	size_t from, to;

	qsort(r, n, sizeof(*r), by_value);
	for (from = 0; from < n; from = to) {
		double t;

		for (to = from; to < n && r[to].value == r[from].value; to++)
			;
		for (size_t i = from; i < to; i++)
			r[i].rank2 = (unsigned)(from + to + 1);
		t = (double)(to - from);
		ties += t * t * t - t;
	}
	return ties;
}

/*
 * The permutation distribution of the (doubled) rank sum of `na` of the
 * values: ways[k][s] sets of k values have the sum s.  Each value is taken or
 * not, so the counts are built up value by value.  Doubles hold them: 2^53 is
 * passed, but only shares of the total are asked for.
 */
static double exact_p(const struct ranked *r, size_t n, size_t na,
		      unsigned observed2)
{
	size_t width = n * (n + 1) + 1; /* doubled ranks sum to n (n + 1) */
	double *ways = calloc((na + 1) * width, sizeof(*ways));
	double mean2 = (double)(na * (n + 1));
	double far = fabs(observed2 - mean2) - 1e-9;
	double all = 0, extreme = 0;

	if (!ways)
		return (double)NAN;
	ways[0] = 1;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = i < na ? i + 1 : na; k > 0; k--) {
			double *to = ways + k * width;
			const double *from = to - width;

			for (size_t s = r[i].rank2; s < width; s++)
				to[s] += from[s - r[i].rank2];
		}
	}
	for (size_t s = 0; s < width; s++) {
		double w = ways[na * width + s];

		all += w;
		if (fabs((double)s - mean2) >= far)
			extreme += w;
	}
	free(ways);
	return extreme / all;
}

/* Two-sided, with continuity correction; all values tied: nothing differs. */
static double normal_p(double u, double na, double nb, double ties)
{
	double n = na + nb, mean = na * nb / 2;
	double variance = na * nb / 12 * (n + 1 - ties / (n * (n - 1)));
	double z;

	if (!(variance > 0))
		return 1;
	z = (fabs(u - mean) - 0.5) / sqrt(variance);
	return fmin(1, erfc(z / sqrt(2)));
}

static double p_of(struct ranked *r, size_t na, size_t nb, double ties,
		   unsigned sum2, struct u_test *result)
{
	result->exact = na + nb <= U_TEST_EXACT;
	if (!na || !nb)
		return 1;
	if (result->exact)
		return exact_p(r, na + nb, na, sum2);
	return normal_p(result->u, (double)na, (double)nb, ties);
}

bool u_test(const double *a, size_t na, const double *b, size_t nb,
	    struct u_test *result)
{
	size_t n = na + nb;
	struct ranked *r = calloc(n + 1, sizeof(*r));
	double pairs = (double)na * (double)nb, ties;
	unsigned sum2 = 0;

	if (!r)
		return false;
	put(r, a, na, true);
	put(r + na, b, nb, false);
	ties = rank_all(r, n);
	for (size_t i = 0; i < n; i++)
		sum2 += r[i].of_a ? r[i].rank2 : 0;
	result->u = (sum2 - (double)(na * (na + 1))) / 2;
	result->delta = pairs > 0 ? 2 * result->u / pairs - 1 : 0;
	result->p = p_of(r, na, nb, ties, sum2, result);
	free(r);
	return !isnan(result->p);
}

double u_test_least_p(size_t na, size_t nb)
{
	double ways = 1;

	for (size_t i = 1; i <= na; i++)
		ways *= (double)(nb + i) / (double)i;
	return fmin(1, 2 / ways);
}

size_t u_test_values_needed(size_t comparisons, double alpha)
{
	for (size_t n = 1; n <= 1000; n++) {
		if (u_test_least_p(n, n) * (double)comparisons <= alpha)
			return n;
	}
	return SIZE_MAX;
}

struct placed {
	double p;
	size_t place;
};

static int by_p(const void *x, const void *y)
{
	double a = ((const struct placed *)x)->p;
	double b = ((const struct placed *)y)->p;

	return (a > b) - (a < b);
}

bool holm_correct(double *p, size_t n)
{
	struct placed *order = calloc(n + 1, sizeof(*order));
	double least = 0;

	if (!order)
		return false;
	for (size_t i = 0; i < n; i++)
		order[i] = (struct placed){p[i], i};
	qsort(order, n, sizeof(*order), by_p);
	for (size_t i = 0; i < n; i++) {
		least = fmax(least, order[i].p * (double)(n - i));
		p[order[i].place] = fmin(1, least);
	}
	free(order);
	return true;
}
