/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The energy statistic against one written as the paper has it, and how many
 * of the known steps of generated histories are found, and how many others.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/stats/changepoint.h"
#include "tests/unit/history_kit.h"

#define ROUNDS 40

static struct changepoint_null *new_null(void)
{
	struct changepoint_null *null =
		changepoint_null_new(&changepoint_rule_default);

	assert_non_null(null);
	return null;
}

static void shuffled(uint32_t *rank, size_t n, uint64_t *state)
{
	for (size_t i = 0; i < n; i++) {
		size_t j = history_random(state) % (i + 1);

		rank[i] = rank[j];
		rank[j] = (uint32_t)i;
	}
}

/* ------------------------------------------------------------- statistic */

static void assert_near(double a, double b, double most)
{
	if (fabs(a - b) <= most)
		return;
	print_error("%.17g and %.17g\n", a, b);
	fail();
}

static double score(uint32_t rank, size_t n)
{
	return (double)changepoint_score(rank, n) / 1024;
}

static void scores(void **unused)
{
	(void)unused;
	for (size_t n = 1; n <= 200; n++) {
		for (uint32_t r = 0; r < n; r++) {
			double share = (r + 0.5) / (double)n;

			assert_near(score(r, n), log(share / (1 - share)),
				    0.5 / 1024 + 1e-9);
			assert_near(score(r, n), -score((uint32_t)n - 1 - r, n),
				    0);
		}
	}
}

/* Mean distance of two different values of a set. */
static double within(const double *x, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			sum += fabs(x[i] - x[j]);
	return sum / ((double)n * (double)(n - 1));
}

static double between(const double *x, size_t m, const double *y, size_t k)
{
	double sum = 0;

	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < k; j++)
			sum += fabs(x[i] - y[j]);
	return sum / ((double)m * (double)k);
}

static double naive_q(const double *x, size_t at, size_t end)
{
	double m = (double)at, k = (double)(end - at);

	return m * k / (m + k) *
	       (2 * between(x, at, x + at, end - at) - within(x, at) -
		within(x + at, end - at));
}

static struct changepoint_split naive(const double *x, size_t n, size_t segment,
				      size_t stride)
{
	struct changepoint_split best = {0};

	for (size_t end = 2 * segment; end <= n; end++) {
		if ((n - end) % stride)
			continue;
		for (size_t at = segment; at + segment <= end; at++) {
			double q = naive_q(x, at, end);

			if (q > best.q + 1e-9)
				best = (struct changepoint_split){at, end, q};
		}
	}
	return best;
}

static void check_split(const uint32_t *rank, size_t n, size_t segment,
			size_t stride)
{
	struct changepoint_split slow, fast;
	double x[64];

	for (size_t i = 0; i < n; i++)
		x[i] = score(rank[i], n);
	slow = naive(x, n, segment, stride);
	assert_true(changepoint_split(rank, n, segment, stride, &fast));
	assert_near(fast.q, slow.q, 1e-8);
	if (slow.q == 0) {
		assert_int_equal(fast.at, 0);
		return;
	}
	/* Of two splits that are equal but for rounding either may be it. */
	assert_true(fast.at >= segment && fast.end <= n);
	assert_true(fast.at + segment <= fast.end);
	assert_int_equal((n - fast.end) % stride, 0);
	assert_near(naive_q(x, fast.at, fast.end), slow.q, 1e-8);
}

static void same_as_naive(void **unused)
{
	uint32_t rank[48];
	uint64_t state = 1;

	(void)unused;
	for (size_t n = 1; n <= 48; n++) {
		for (size_t round = 0; round < 3; round++) {
			shuffled(rank, n, &state);
			check_split(rank, n, 2, 1);
			check_split(rank, n, 5, 1);
			check_split(rank, n, 5, 5);
			check_split(rank, n, 3, 4);
			check_split(rank, n, 2, n);
			for (size_t i = 0; i < n; i++) /* with ties */
				rank[i] -= rank[i] % 3;
			check_split(rank, n, 5, 5);
			check_split(rank, n, 2, n);
		}
	}
}

/* Two levels that do not overlap: known by hand. */
static void known_value(void **unused)
{
	const uint32_t rank[] = {1, 0, 3, 2};
	double a = log(2.5 / 1.5), b = log(3.5 / 0.5); /* +-a and +-b */
	struct changepoint_split best;

	(void)unused;
	/* 2 * 2 / 4 * (2 E|X-Y| - E|X-X'| - E|Y-Y'|) */
	assert_true(changepoint_split(rank, 4, 2, 1, &best));
	assert_int_equal(best.at, 2);
	assert_int_equal(best.end, 4);
	assert_near(best.q, 2 * (a + b) - 2 * (b - a), 0.01);
}

/* The sums of the longest series fit. */
static void longest(void **unused)
{
	size_t n = CHANGEPOINT_MAX, m = n / 2;
	uint32_t *rank = calloc(n, sizeof(*rank));
	double sum = 0, pairs = 0, k = (double)m;
	struct changepoint_split best;

	(void)unused;
	assert_non_null(rank);
	for (size_t i = 0; i < n; i++)
		rank[i] = (uint32_t)i;
	assert_true(changepoint_split(rank, n, 5, n, &best));
	/* Near the middle, where it is flat; in order distances are sums. */
	for (size_t i = 0; i < m; i++) {
		double x = score((uint32_t)(m + i), n);

		sum += x;
		pairs += x * (2 * (double)i - k + 1);
	}
	assert_near(best.q / (k / 2 * (4 * sum / k - 4 * pairs / k / (k - 1))),
		    1, 1e-6);
	free(rank);
}

/* --------------------------------------------------------------- finding */

struct count {
	size_t runs, steps, found, others;
};

/*
 * nsteps steps of 3 standard deviations, up or down, at least `apart` runs
 * from each other and from the ends.
 */
static size_t make_steps(size_t n, size_t apart, size_t nsteps, uint64_t *state,
			 size_t *at, double *by)
{
	size_t spare = n - (nsteps + 1) * apart, last = 0;
	int level = 0;

	for (size_t i = 0; i < nsteps; i++) {
		size_t left = nsteps - i + 1;
		size_t jump = history_random(state) % (2 * spare / left + 1);
		bool up = history_random(state) & 1;

		jump = jump > spare ? spare : jump;
		spare -= jump;
		last += apart + jump;
		at[i] = last;
		/* Values stay positive. */
		up = level <= -3 || (up && level < 3);
		level += up ? 1 : -1;
		by[i] = up ? 3 : -3;
	}
	return nsteps;
}

/* Each step may take one found change, within 3 runs; the rest is false. */
static void count_found(struct count *c, const size_t *at, size_t nsteps,
			const struct changepoint *found, size_t nfound)
{
	size_t used = 0, next = 0;

	for (size_t i = 0; i < nsteps; i++) {
		while (next < nfound && found[next].at + 3 < at[i])
			next++;
		if (next < nfound && found[next].at <= at[i] + 3) {
			used++;
			next++;
		}
	}
	c->steps += nsteps;
	c->found += used;
	c->others += nfound - used;
}

static struct count search(struct changepoint_null *null,
			   const struct history *kind, size_t n, size_t apart,
			   size_t nsteps, size_t rounds)
{
	double *value = calloc(n, sizeof(*value)), by[16];
	struct history h = *kind;
	struct count c = {0};
	size_t at[16];

	assert_non_null(value);
	for (size_t round = 0; round < rounds; round++) {
		uint64_t state = h.seed + round * 1000;
		struct changepoint *found;
		size_t nfound;

		make_steps(n, apart, nsteps, &state, at, by);
		h.seed = state;
		history_fill(&h, value, n, at, by, nsteps);
		assert_true(changepoint_find(null, value, n, &found, &nfound));
		count_found(&c, at, nsteps, found, nfound);
		c.runs += n;
		free(found);
	}
	free(value);
	return c;
}

/* 95 % of the steps found, and at most one false point in 1000 runs. */
static void check_count(const char *what, struct count c)
{
	/* For whoever looks at the log. */
	printf("# %s: %zu of %zu steps found, %zu others in %zu runs\n", what,
	       c.found, c.steps, c.others, c.runs);
	assert_true(c.found * 100 >= c.steps * 95);
	assert_true(c.others * 1000 <= c.runs);
}

static void steps_are_found(void **unused)
{
	static const struct {
		const char *what;
		size_t n, apart, nsteps;
		double sigma; /* 0.2: nearly normal; 1: very skewed */
	} kinds[] = {
		{"60 nights", 60, 10, 2, 0.5},
		{"a year", 365, 10, 6, 0.5},
		{"1000 runs", 1000, 10, 10, 0.5},
		{"1000 runs, little skewed", 1000, 20, 5, 0.2},
		{"1000 runs, much skewed", 1000, 20, 5, 1},
	};
	struct changepoint_null *null = new_null();

	(void)unused;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct history h = history_usual;

		h.seed = i + 1;
		h.sigma = kinds[i].sigma;
		check_count(kinds[i].what,
			    search(null, &h, kinds[i].n, kinds[i].apart,
				   kinds[i].nsteps, ROUNDS));
	}
	changepoint_null_free(null);
}

static void nothing_is_found(void **unused)
{
	static const size_t lengths[] = {20, 60, 250, 1000};
	struct changepoint_null *null = new_null();
	struct count all = {0};

	(void)unused;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct history h = history_usual;
		struct count c;

		h.seed = i + 100;
		c = search(null, &h, lengths[i], 5, 0, ROUNDS);
		all.runs += c.runs;
		all.others += c.others;
	}
	check_count("no steps", all);
	changepoint_null_free(null);
}

/* A large step of the last five runs of many: what a gate is for. */
static void newest_is_found(void **unused)
{
	struct changepoint_null *null = new_null();
	size_t at = 395, found_it = 0;
	double value[400], by = 8;

	(void)unused;
	for (size_t round = 0; round < ROUNDS; round++) {
		struct history h = history_usual;
		struct changepoint *found;
		size_t n;

		h.seed = round + 500;
		history_fill(&h, value, 400, &at, &by, 1);
		assert_true(changepoint_find(null, value, 400, &found, &n));
		for (size_t i = 0; i < n; i++)
			found_it += found[i].at >= 392 && found[i].at <= 398;
		free(found);
	}
	printf("# newest: %zu of %d\n", found_it, ROUNDS);
	assert_true(found_it * 100 >= ROUNDS * 95);
	changepoint_null_free(null);
}

/* Model output: no noise at all, and any step is one. */
static void exact_levels(void **unused)
{
	struct changepoint_null *null = new_null();
	struct changepoint *found;
	double value[40];
	size_t n;

	(void)unused;
	for (size_t i = 0; i < 40; i++)
		value[i] = 7;
	assert_true(changepoint_find(null, value, 40, &found, &n));
	assert_int_equal(n, 0);
	free(found);
	for (size_t i = 17; i < 40; i++)
		value[i] = i < 29 ? 7.001 : 6.5;
	assert_true(changepoint_find(null, value, 40, &found, &n));
	assert_int_equal(n, 2);
	assert_int_equal(found[0].at, 17);
	assert_int_equal(found[1].at, 29);
	assert_true(found[0].p <= changepoint_rule_default.alpha);
	free(found);
	/* One step, at every place. */
	for (size_t at = 5; at <= 35; at++) {
		for (size_t i = 0; i < 40; i++)
			value[i] = i < at ? 7 : 6.999;
		assert_true(changepoint_find(null, value, 40, &found, &n));
		assert_int_equal(n, 1);
		assert_int_equal(found[0].at, at);
		free(found);
	}
	changepoint_null_free(null);
}

static void short_series(void **unused)
{
	struct changepoint_null *null = new_null();
	const double value[] = {1, 1, 1, 1, 9, 9, 9, 9, 9};

	(void)unused;
	for (size_t n = 0; n <= 9; n++) {
		struct changepoint *found;
		size_t nfound;

		assert_true(changepoint_find(null, value, n, &found, &nfound));
		assert_int_equal(nfound, 0);
		free(found);
	}
	changepoint_null_free(null);
}

/* --------------------------------------------------------------- threads */

struct job {
	struct changepoint_null *null;
	const double *value;
	size_t n, nfound;
	struct changepoint *found;
};

static void *find(void *ctx)
{
	struct job *job = ctx;

	if (!changepoint_find(job->null, job->value, job->n, &job->found,
			      &job->nfound))
		job->nfound = SIZE_MAX;
	return NULL;
}

/* Who draws which permutation must not matter. */
static void same_with_threads(void **unused)
{
	const size_t at[] = {60, 110};
	const double by[] = {2, 1.5};
	struct changepoint_null *alone = new_null(), *shared = new_null();
	struct history h = history_usual;
	struct job one, job[4];
	pthread_t thread[4];
	double value[200];

	(void)unused;
	h.seed = 4;
	history_fill(&h, value, 200, at, by, 2);
	one = (struct job){.null = alone, .value = value, .n = 200};
	find(&one);
	assert_true(one.nfound >= 2 && one.nfound < 10);
	for (size_t i = 0; i < 4; i++) {
		job[i] = (struct job){.null = shared, .value = value, .n = 200};
		assert_int_equal(
			pthread_create(&thread[i], NULL, find, &job[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(job[i].nfound, one.nfound);
		assert_memory_equal(job[i].found, one.found,
				    one.nfound * sizeof(*one.found));
		free(job[i].found);
	}
	free(one.found);
	changepoint_null_free(alone);
	changepoint_null_free(shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scores),
		cmocka_unit_test(same_as_naive),
		cmocka_unit_test(known_value),
		cmocka_unit_test(longest),
		cmocka_unit_test(steps_are_found),
		cmocka_unit_test(nothing_is_found),
		cmocka_unit_test(newest_is_found),
		cmocka_unit_test(exact_levels),
		cmocka_unit_test(short_series),
		cmocka_unit_test(same_with_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
