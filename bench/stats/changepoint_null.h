/* SPDX-License-Identifier: GPL-2.0-only */
/* The permutation test of changepoint.h, for changepoint.c alone. */
#ifndef TDMEM_BENCH_STATS_CHANGEPOINT_NULL_H
#define TDMEM_BENCH_STATS_CHANGEPOINT_NULL_H

#include "bench/stats/changepoint.h"

/** A number that is as good as random, of two (SplitMix64's finalizer). */
static inline uint64_t changepoint_mix(uint64_t seed, uint64_t x)
{
	x += seed * 0x9e3779b97f4a7c15 + 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

const struct changepoint_rule *
changepoint_null_rule(const struct changepoint_null *null);

/**
 * The share of permutations of n ranks whose best split is as good as q, the
 * order that was seen being one of them.  Ends early as soon as it is above
 * the rule's alpha; it is then what was counted so far, above alpha.
 * False: out of memory.
 */
bool changepoint_null_p(struct changepoint_null *null, size_t n, double q,
			double *p);

#endif
