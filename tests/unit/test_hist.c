/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "bench/stats/stats.h"

static struct hist *empty(void)
{
	struct hist *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	return h;
}

static void buckets_hold_their_values(void **state)
{
	(void)state;
	/* Around each power of two, where the scheme changes. */
	for (unsigned bit = 0; bit < HIST_MAX_BITS; bit++) {
		for (uint64_t d = 0; d < 5; d++) {
			uint64_t v = (1ull << bit) + d - 2;
			uint32_t i;

			if (v >> HIST_MAX_BITS)
				continue;
			i = hist_index(v);
			assert_true(i < HIST_BUCKETS);
			assert_true(hist_lowest(i) <= v);
			assert_true(i + 1 == HIST_BUCKETS ||
				    v < hist_lowest(i + 1));
		}
	}
}

static void middles_are_within_a_thousandth(void **state)
{
	uint64_t x = 88172645463325252ull;

	(void)state;
	for (int n = 0; n < 100000; n++) {
		uint64_t v, m, off;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		v = x >> (24 + n % 40);
		m = hist_middle(hist_index(v));
		off = m > v ? m - v : v - m;
		assert_true(off * 1000 <= v);
	}
}

static void lowest_is_its_own_bucket(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
		assert_int_equal(hist_index(hist_lowest(i)), i);
		assert_int_equal(hist_index(hist_middle(i)), i);
	}
}

static void record_counts_all(void **state)
{
	struct hist *h = empty();

	(void)state;
	hist_record(h, 0);
	hist_record(h, (1ull << 40) - 1);
	hist_record(h, 1ull << 40);
	hist_record(h, UINT64_MAX >> 1);
	assert_int_equal(h->count, 4);
	assert_int_equal(h->overflow, 2);
	assert_int_equal(h->min_plus_1, 1);
	assert_true(h->max == UINT64_MAX >> 1);
	assert_int_equal(h->bucket[0], 1);
	assert_int_equal(h->bucket[HIST_BUCKETS - 1], 1);
	free(h);
}

static void quantiles_are_exact_when_small(void **state)
{
	struct hist *h = empty();

	(void)state;
	assert_int_equal(hist_quantile(h, 0.5), 0);
	for (uint64_t v = 1; v <= 100; v++)
		hist_record(h, v);
	assert_int_equal(hist_quantile(h, 0), 1);
	assert_int_equal(hist_quantile(h, 0.5), 50);
	assert_int_equal(hist_quantile(h, 0.99), 99);
	assert_int_equal(hist_quantile(h, 0.991), 100);
	assert_int_equal(hist_quantile(h, 1), 100);
	free(h);
}

static void quantiles_stay_within_what_was_seen(void **state)
{
	struct hist *h = empty();

	(void)state;
	hist_record(h, 1000001);
	hist_record(h, 1000001);
	assert_int_equal(hist_quantile(h, 0.5), 1000001);
	hist_record(h, 1ull << 41);
	hist_record(h, 1ull << 42);
	assert_true(hist_quantile(h, 0.75) == 1ull << 42);
	free(h);
}

static void merged_is_as_if_recorded_together(void **state)
{
	struct hist *a = empty(), *b = empty(), *both = empty();

	(void)state;
	for (uint64_t v = 1; v < 1ull << 42; v = v * 3 + 1) {
		hist_record(v & 1 ? a : b, v);
		hist_record(both, v);
	}
	hist_merge(a, b);
	assert_memory_equal(a, both, sizeof(*a));
	free(a);
	free(b);
	free(both);
}

static void merging_into_an_empty_one_copies(void **state)
{
	struct hist *a = empty(), *b = empty();

	(void)state;
	hist_record(b, 5);
	hist_merge(a, b);
	assert_memory_equal(a, b, sizeof(*a));
	free(a);
	free(b);
}

static void full_buckets_stay_full(void **state)
{
	struct hist *a = empty(), *b = empty();

	(void)state;
	hist_record(a, 7);
	hist_record(b, 7);
	a->bucket[7] = UINT32_MAX;
	hist_merge(a, b);
	assert_int_equal(a->bucket[7], UINT32_MAX);
	free(a);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_hold_their_values),
		cmocka_unit_test(middles_are_within_a_thousandth),
		cmocka_unit_test(lowest_is_its_own_bucket),
		cmocka_unit_test(record_counts_all),
		cmocka_unit_test(quantiles_are_exact_when_small),
		cmocka_unit_test(quantiles_stay_within_what_was_seen),
		cmocka_unit_test(merged_is_as_if_recorded_together),
		cmocka_unit_test(merging_into_an_empty_one_copies),
		cmocka_unit_test(full_buckets_stay_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
