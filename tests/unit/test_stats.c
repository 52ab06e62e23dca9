/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench/stats/stats.h"

static void nothing_has_no_median(void **state)
{
	struct summary s = summarize(NULL, 0);

	(void)state;
	assert_int_equal(s.n, 0);
	assert_true(isnan(s.median));
	assert_true(isnan(s.min));
	assert_true(isnan(s.max));
}

static void one_has_no_spread(void **state)
{
	double v[] = {42};
	struct summary s = summarize(v, 1);

	(void)state;
	assert_true(s.median == 42 && s.min == 42 && s.max == 42);
	assert_true(s.spread == 0);
}

static void odd_and_even_medians(void **state)
{
	double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2};

	(void)state;
	assert_true(summarize(odd, 3).median == 2);
	assert_true(summarize(even, 4).median == 2.5);
}

static void spread_is_the_farther_end(void **state)
{
	double v[] = {100, 90, 130};
	struct summary s = summarize(v, 3);

	(void)state;
	assert_true(s.min == 90 && s.max == 130);
	assert_float_equal(s.spread, 0.3, 1e-9);
}

static void nans_are_left_out(void **state)
{
	double v[] = {(double)NAN, 5, (double)NAN, 7};
	struct summary s = summarize(v, 4);

	(void)state;
	assert_int_equal(s.n, 2);
	assert_true(s.median == 6);
}

static void zeros_have_no_spread(void **state)
{
	double v[] = {0, 0};

	(void)state;
	assert_true(summarize(v, 2).spread == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_has_no_median),
		cmocka_unit_test(one_has_no_spread),
		cmocka_unit_test(odd_and_even_medians),
		cmocka_unit_test(spread_is_the_farther_end),
		cmocka_unit_test(nans_are_left_out),
		cmocka_unit_test(zeros_have_no_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
