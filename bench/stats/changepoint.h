/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the level of a series of values changes: E-divisive, that is
 * hierarchical bisection by the energy statistic (alpha 1) with a permutation
 * test (D. S. Matteson, N. A. James: A Nonparametric Approach for Multiple
 * Change Point Analysis of Multivariate Data, JASA 109, 2014).
 *
 * The statistic is that of scores of the values' ranks in their segment, not of
 * the values themselves.  So skewed noise and outliers weigh no more than their
 * order, and the permutation distribution is the same for all segments of a
 * length: it is drawn once and shared, which is what makes thousands of tests
 * cheap. Equal values get their order by lot, which keeps that exact.
 */
#ifndef TDMEM_BENCH_STATS_CHANGEPOINT_H
#define TDMEM_BENCH_STATS_CHANGEPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct changepoint_rule {
	size_t segment; /* values between two changes at least, 2 or more */
	/*
	 * The end of the right side is tried at every `stride`-th value, and
	 * at the last one; 1: at all, as in the paper.
	 */
	size_t stride;
	double alpha;	     /* largest p of a change */
	size_t permutations; /* (permutations + 1) * alpha is 1 or more */
	uint64_t seed;
};
extern const struct changepoint_rule changepoint_rule_default;

struct changepoint {
	size_t at; /* first value of the new level */
	double p;  /* of the permutation test, below or at alpha */
};

/** Two neighbouring parts of a segment: [0, at) and [at, end). */
struct changepoint_split {
	size_t at, end;
	double q; /* the scaled energy statistic between them */
};

/** The longest series there may be: sums of distances stay exact. */
enum { CHANGEPOINT_MAX = 65536 };

/**
 * What a rank counts among n: its log-odds, log((rank + 1/2) / (n - rank -
 * 1/2)), in units of 1/1024.  Plain ranks would say of the five highest of a
 * thousand values hardly more than of five high ones.
 */
int64_t changepoint_score(size_t rank, size_t n);

/**
 * The split of n ranks (0 to n - 1, in any number) with the largest statistic
 *
 *   q = m k / (m + k) * (2 E|X - Y| - E|X - X'| - E|Y - Y'|)
 *
 * of the m scores X before `at` and the k scores Y behind it up to `end`, the
 * expectations taken over all pairs; the first one of equals.  When there
 * is none, or none above 0, all of *best is 0.  False: out of memory.
 */
bool changepoint_split(const uint32_t *rank, size_t n, size_t segment,
		       size_t stride, struct changepoint_split *best);

/** Permutation distributions by length, drawn when asked for. */
struct changepoint_null;

/** For one rule, which is copied; may be used by many threads at once. */
struct changepoint_null *
changepoint_null_new(const struct changepoint_rule *rule);
void changepoint_null_free(struct changepoint_null *null);

/**
 * Find the changes of n values (no NaN), at most CHANGEPOINT_MAX, in rising
 * order.  A function of the values and the rule alone.  The caller frees
 * *found.  False: out of memory.
 */
bool changepoint_find(struct changepoint_null *null, const double *value,
		      size_t n, struct changepoint **found, size_t *nfound);

#endif
