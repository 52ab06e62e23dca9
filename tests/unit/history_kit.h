/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Histories with known changes: levels, skewed noise, outliers.  The same
 * numbers from the same seed everywhere.
 */
#ifndef TDMEM_TESTS_HISTORY_KIT_H
#define TDMEM_TESTS_HISTORY_KIT_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

struct history {
	uint64_t seed;
	double level;	 /* of the first run */
	double sigma;	 /* of the logarithm of the noise: its skewness */
	double noise;	 /* standard deviation, outliers left out, of level */
	double outliers; /* share of runs that are far above */
};

/* Median 1 and a long upper tail, as of times on a busy machine. */
static const struct history history_usual = {
	.level = 1000, .sigma = 0.5, .noise = 0.02, .outliers = 0.02};

/* SplitMix64. */
static inline uint64_t history_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

/* Above 0, below 1. */
static inline double history_uniform(uint64_t *state)
{
	return ((double)(history_random(state) >> 12) + 0.5) / 0x1p52;
}

static inline double history_normal(uint64_t *state)
{
	double r = sqrt(-2 * log(history_uniform(state)));

	return r * cos(2 * 3.14159265358979323846 * history_uniform(state));
}

/* Lognormal noise with mean 0 and standard deviation 1, or an outlier. */
static inline double history_noise(const struct history *h, uint64_t *state)
{
	double s2 = h->sigma * h->sigma;
	double mean = exp(s2 / 2), sd = mean * sqrt(exp(s2) - 1);
	double x = (exp(h->sigma * history_normal(state)) - mean) / sd;
	double u = history_uniform(state), far = history_uniform(state);

	/* 5 to 10 standard deviations, as runs beside something else are. */
	return u < h->outliers ? 5 + 5 * far : x;
}

/*
 * n runs with nsteps steps: at[i] is the first run of a level, by[i] its
 * distance from the one before in standard deviations of the noise.
 */
static inline void history_fill(const struct history *h, double *value,
				size_t n, const size_t *at, const double *by,
				size_t nsteps)
{
	uint64_t state = h->seed;
	double sd = h->level * h->noise, level = h->level;
	size_t step = 0;

	for (size_t i = 0; i < n; i++) {
		if (step < nsteps && at[step] == i)
			level += by[step++] * sd;
		value[i] = level + sd * history_noise(h, &state);
	}
}

#endif
