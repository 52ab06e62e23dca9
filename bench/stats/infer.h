/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can be inferred from a few repeats: intervals of medians, whether two
 * sets of repeats differ, by how much, and what is left of that when many
 * comparisons are made at once.  No distribution is assumed anywhere.
 */
#ifndef TDMEM_BENCH_STATS_INFER_H
#define TDMEM_BENCH_STATS_INFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * What is called a difference unless the user says otherwise: the chance of
 * any false one in a whole table, and the share below which none matters.
 */
#define DIFFERENCE_ALPHA    0.05
#define DIFFERENCE_MATERIAL 0.01

/** An interval and the probability with which it covers what it is of. */
struct interval {
	double low, high;
	double coverage; /* 0..1; may miss what was asked with few values */
};

/**
 * Confidence interval of the median between two order statistics: the
 * narrowest symmetric pair that covers at least `confidence` (0..1).  With
 * too few values for that it is the whole range, with its true coverage.
 * `sorted` is in rising order; n is 1 or more.
 */
struct interval median_interval(const double *sorted, size_t n,
				double confidence);

/** Median of n values in rising order; NaN of none. */
double median_of_sorted(const double *sorted, size_t n);

/** Outcome of a Mann-Whitney U test. */
struct u_test {
	double u;     /* pairs in which a is above b, ties counting half */
	double p;     /* two-sided; 1 when a side is empty */
	double delta; /* Cliff's delta, -1..1: above 0 when a is above b */
	bool exact;   /* p is of the permutation distribution, not the normal */
};

/** Up to this many values on both sides together p is exact. */
enum { U_TEST_EXACT = 60 };

/**
 * Mann-Whitney U of two sets of values in any order.  Exact for up to
 * U_TEST_EXACT values, ties included: p is the share of all divisions of the
 * values in which U is at least as far from its mean.  Above that the normal
 * approximation, with continuity and tie correction.  No NaNs.
 * Returns false when out of memory.
 */
bool u_test(const double *a, size_t na, const double *b, size_t nb,
	    struct u_test *result);

/** The smallest p that u_test() can give without ties: 2 / C(na + nb, na). */
double u_test_least_p(size_t na, size_t nb);

/**
 * How many values on each side are needed so that one of `comparisons` can be
 * significant at `alpha` after Holm's correction; SIZE_MAX when more than 1000.
 */
size_t u_test_values_needed(size_t comparisons, double alpha);

/**
 * Holm's correction: each p becomes the smallest family-wise error rate at
 * which its comparison would be called different.  In place, any order.
 * Returns false when out of memory.
 */
bool holm_correct(double *p, size_t n);

/**
 * Resamplings of n things, the same each time for the same seed: how often
 * each of them is drawn when n are drawn with replacement.
 */
struct resamples {
	size_t n, rounds;
	uint64_t seed;
	unsigned int *weight; /* n for each round; for large n of one only */
};

/** `n` and `rounds` are 1 or more.  False when out of memory. */
bool resamples_make(struct resamples *r, size_t n, size_t rounds,
		    uint64_t seed);
void resamples_free(struct resamples *r);

/** The n weights of one round; valid until the next call. */
const unsigned int *resample(struct resamples *r, size_t round);

/** Median of values in rising order, the i-th there weight[i] times. */
double weighted_median(const double *sorted, const unsigned int *weight,
		       size_t n);

/**
 * The interval that leaves out the same share at either end of n values, 1 or
 * more, NaNs not among them.  Reorders them.
 */
struct interval percentile_interval(double *value, size_t n, double confidence);

/**
 * Bootstrap interval of the relative change of the median from a to b,
 * b / a - 1: percentiles over `rounds` resamplings, drawn from `seed`.
 * Values in any order, none 0 or NaN; both sides 1 or more.
 * Returns false when out of memory.
 */
bool change_interval(const double *a, size_t na, const double *b, size_t nb,
		     double confidence, size_t rounds, uint64_t seed,
		     struct interval *result);

#endif
