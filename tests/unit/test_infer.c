/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The statistics of comparisons against an independent implementation: the
 * vectors of tests/vectors/infer.json, and how they were made, are there.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <jansson.h>

#include "bench/stats/infer.h"

#define VECTORS "tests/vectors/infer.json"
#define MOST	128

static json_t *vectors;

static int load(void **state)
{
	(void)state;
	vectors = json_load_file(VECTORS, 0, NULL);
	return vectors ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	json_decref(vectors);
	return 0;
}

static size_t numbers(const json_t *object, const char *name, double *value)
{
	json_t *list = json_object_get(object, name), *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		assert_in_range(i, 0, MOST - 1);
		value[i] = json_number_value(v);
	}
	return i;
}

static double number(const json_t *object, const char *name)
{
	json_t *v = json_object_get(object, name);

	assert_true(json_is_number(v));
	return json_number_value(v);
}

static void close_to(double got, double wanted)
{
	if (!(fabs(got - wanted) <= 1e-9))
		fail_msg("%.12g, not %.12g", got, wanted);
}

static void u_test_agrees(void **state)
{
	json_t *cases = json_object_get(vectors, "u_test"), *c;
	size_t i, exact = 0;

	(void)state;
	json_array_foreach(cases, i, c)
	{
		double a[MOST], b[MOST];
		size_t na = numbers(c, "a", a), nb = numbers(c, "b", b);
		struct u_test t;

		assert_true(u_test(a, na, b, nb, &t));
		close_to(t.u, number(c, "u"));
		close_to(t.p, number(c, "p"));
		close_to(t.delta, number(c, "delta"));
		assert_int_equal(t.exact, na + nb <= U_TEST_EXACT);
		exact += t.exact;
	}
	assert_in_range(i, 40, 100);
	assert_in_range(exact, 35, i - 4);
}

static void u_test_is_symmetric(void **state)
{
	json_t *cases = json_object_get(vectors, "u_test"), *c;
	size_t i;

	(void)state;
	json_array_foreach(cases, i, c)
	{
		double a[MOST], b[MOST];
		size_t na = numbers(c, "a", a), nb = numbers(c, "b", b);
		struct u_test ab, ba;

		assert_true(u_test(a, na, b, nb, &ab));
		assert_true(u_test(b, nb, a, na, &ba));
		close_to(ab.p, ba.p);
		close_to(ab.delta, -ba.delta);
		close_to(ab.u + ba.u, (double)na * (double)nb);
	}
}

static void u_test_at_the_edges(void **state)
{
	const double same[] = {5, 5, 5, 5}, low[] = {1, 2, 3, 4},
		     high[] = {5, 6, 7, 8};
	struct u_test t;

	(void)state;
	assert_true(u_test(same, 4, same, 4, &t));
	close_to(t.p, 1);
	close_to(t.delta, 0);
	assert_true(u_test(low, 4, high, 0, &t));
	close_to(t.p, 1);
	assert_true(u_test(low, 4, high, 4, &t));
	close_to(t.p, 2.0 / 70);
	close_to(t.delta, -1);
	close_to(u_test_least_p(4, 4), 2.0 / 70);
	/* 5 and 5: 2/252 is below 0.05, but not of seven comparisons */
	assert_int_equal(u_test_values_needed(1, 0.05), 4);
	assert_int_equal(u_test_values_needed(6, 0.05), 5);
	assert_int_equal(u_test_values_needed(7, 0.05), 6);
	assert_true(u_test_values_needed(1000000, 0.05) < 20);
}

static void median_intervals_agree(void **state)
{
	json_t *cases = json_object_get(vectors, "median"), *c;
	size_t i;

	(void)state;
	json_array_foreach(cases, i, c)
	{
		double a[MOST];
		size_t n = numbers(c, "a", a);
		struct interval v = median_interval(a, n, 0.95);

		close_to(median_of_sorted(a, n), number(c, "median"));
		close_to(v.low, number(c, "low"));
		close_to(v.high, number(c, "high"));
		close_to(v.coverage, number(c, "coverage"));
	}
	assert_int_equal(i, 40);
}

static void holm_agrees(void **state)
{
	json_t *cases = json_object_get(vectors, "holm"), *c;
	size_t i;

	(void)state;
	json_array_foreach(cases, i, c)
	{
		double p[MOST], corrected[MOST];
		size_t n = numbers(c, "p", p);

		numbers(c, "corrected", corrected);
		assert_true(holm_correct(p, n));
		for (size_t k = 0; k < n; k++)
			close_to(p[k], corrected[k]);
	}
	assert_int_equal(i, 5);
}

/* A uniform number in 0..1 of the test's own. */
static double uniform(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (double)(*state >> 11) / 9007199254740992.0;
}

/* Of many intervals for a true change of 10 % nearly all hold it. */
static void change_intervals_cover(void **state)
{
	uint64_t seed = 1;
	unsigned held = 0;

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		double a[15], b[15];
		struct interval v;

		for (unsigned k = 0; k < 15; k++) {
			a[k] = 100 * (0.9 + 0.2 * uniform(&seed));
			b[k] = 110 * (0.9 + 0.2 * uniform(&seed));
		}
		assert_true(change_interval(a, 15, b, 15, 0.95, 400, i, &v));
		assert_true(v.low <= v.high);
		held += v.low <= 0.1 && 0.1 <= v.high;
	}
	assert_in_range(held, 270, 300);
}

static void change_intervals_repeat(void **state)
{
	const double a[] = {10, 11, 12, 13, 14}, b[] = {20, 22, 24, 26, 28};
	struct interval v, w;

	(void)state;
	assert_true(change_interval(a, 5, b, 5, 0.95, 1000, 7, &v));
	assert_true(change_interval(a, 5, b, 5, 0.95, 1000, 7, &w));
	close_to(v.low, w.low);
	close_to(v.high, w.high);
	assert_true(v.low < 1 && v.high > 1);
	assert_true(v.low >= 20.0 / 14 - 1 && v.high <= 28.0 / 10 - 1);
	/* one value a side: nothing to draw from but it */
	assert_true(change_interval(a, 1, b, 1, 0.95, 50, 7, &v));
	close_to(v.low, 1);
	close_to(v.high, 1);
}

/* Against values in order, for all lengths and with ties. */
static void percentiles_are_order_statistics(void **state)
{
	uint64_t seed = 3;
	double value[200];

	(void)state;
	for (size_t n = 1; n <= 200; n++) {
		struct interval v;
		size_t below = 0, above = 0,
		       tail = (size_t)((1 - 0.8) / 2 * (double)n);

		for (size_t i = 0; i < n; i++)
			value[i] = floor(uniform(&seed) * (n % 3 ? 1e6 : 5));
		v = percentile_interval(value, n, 0.8);
		for (size_t i = 0; i < n; i++) {
			below += value[i] < v.low;
			above += value[i] > v.high;
		}
		assert_true(below <= tail && above <= tail);
		below = above = 0;
		for (size_t i = 0; i < n; i++) {
			below += value[i] <= v.low;
			above += value[i] >= v.high;
		}
		assert_true(below > tail && above > tail);
	}
}

/* The median of the values written out as often as their weights say. */
static void weighted_medians_agree(void **state)
{
	static const double sorted[] = {1, 2, 3, 5, 8, 13, 21, 34};
	struct resamples r;

	(void)state;
	for (size_t n = 1; n <= 8; n++) {
		assert_true(resamples_make(&r, n, 200, n));
		for (size_t i = 0; i < 200; i++) {
			const unsigned int *w = resample(&r, i);
			double all[8];
			size_t k = 0;

			for (size_t j = 0; j < n; j++)
				for (unsigned int t = 0; t < w[j]; t++)
					all[k++] = sorted[j];
			assert_int_equal(k, n);
			close_to(weighted_median(sorted, w, n),
				 median_of_sorted(all, n));
		}
		resamples_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(u_test_agrees),
		cmocka_unit_test(u_test_is_symmetric),
		cmocka_unit_test(u_test_at_the_edges),
		cmocka_unit_test(median_intervals_agree),
		cmocka_unit_test(holm_agrees),
		cmocka_unit_test(change_intervals_cover),
		cmocka_unit_test(change_intervals_repeat),
		cmocka_unit_test(percentiles_are_order_statistics),
		cmocka_unit_test(weighted_medians_agree),
	};

	return cmocka_run_group_tests_name("infer", tests, load, unload);
}
