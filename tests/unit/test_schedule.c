/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bench/plan/schedule.h"
#include "bench/stats/infer.h"

enum { CELLS = 24 };

static const struct repeat_rule fixed = {.min = 5, .max = 5, .ci_width = -1};

static struct repeat_value good(double rate)
{
	return (struct repeat_value){true, rate};
}

static void init(struct schedule *s, const struct repeat_rule *rule,
		 size_t ncells, uint64_t seed)
{
	assert_int_equal(schedule_init(s, rule, ncells, seed), 0);
}

static struct run_item get(struct schedule *s)
{
	struct run_item item = {0};

	assert_int_equal(schedule_next(s, &item), SCHEDULE_ITEM);
	return item;
}

static void expect(struct schedule *s, enum schedule_answer answer)
{
	struct run_item item;

	assert_int_equal(schedule_next(s, &item), answer);
}

/* ----------------------------------------------------------------- rounds */

static void a_round_has_every_cell_once(void **state)
{
	struct schedule s;

	(void)state;
	init(&s, &fixed, CELLS, 1);
	for (uint32_t round = 0; round < 5; round++) {
		int seen[CELLS] = {0};

		for (int i = 0; i < CELLS; i++) {
			struct run_item item = get(&s);

			assert_int_equal(item.repeat, round);
			seen[item.cell]++;
		}
		for (int i = 0; i < CELLS; i++)
			assert_int_equal(seen[i], 1);
	}
	expect(&s, SCHEDULE_END);
	assert_false(schedule_finished(&s)); /* nothing is in */
	schedule_free(&s);
}

/* The order of all items, one after the other. */
static void order_of(uint64_t seed, size_t order[5 * CELLS])
{
	struct schedule s;

	init(&s, &fixed, CELLS, seed);
	for (int i = 0; i < 5 * CELLS; i++)
		order[i] = get(&s).cell;
	schedule_free(&s);
}

static void orders_come_from_seed_and_round(void **state)
{
	size_t one[5 * CELLS], again[5 * CELLS], two[5 * CELLS];

	(void)state;
	order_of(1, one);
	order_of(1, again);
	order_of(2, two);
	assert_memory_equal(one, again, sizeof(one));
	for (int r = 0; r < 5; r++) {
		const size_t size = CELLS * sizeof(*one);

		assert_memory_not_equal(&one[r * CELLS], &two[r * CELLS], size);
		for (int q = 0; q < r; q++)
			assert_memory_not_equal(&one[r * CELLS],
						&one[q * CELLS], size);
	}
}

/* Sides are the even and the odd cells: neither may come first as a whole. */
static void sides_are_mixed_in_every_round(void **state)
{
	size_t order[5 * CELLS];

	(void)state;
	order_of(1, order);
	for (int r = 0; r < 5; r++) {
		int changes = 0;

		for (int i = 1; i < CELLS; i++)
			changes += order[r * CELLS + i] % 2 !=
				   order[r * CELLS + i - 1] % 2;
		assert_true(changes > 1);
	}
}

/* Each place is as likely for each cell: chi-square far above any chance. */
static void every_order_is_as_likely(void **state)
{
	enum { N = 6, ROUNDS = 6000 };
	const struct repeat_rule rule = {
		.min = ROUNDS, .max = ROUNDS, .ci_width = -1};
	unsigned seen[N][N] = {{0}};
	struct schedule s;
	double sum = 0;

	(void)state;
	init(&s, &rule, N, 7);
	for (int r = 0; r < ROUNDS; r++)
		for (int i = 0; i < N; i++)
			seen[get(&s).cell][i]++;
	for (int c = 0; c < N; c++)
		for (int i = 0; i < N; i++) {
			double off = seen[c][i] - ROUNDS / (double)N;

			sum += off * off / (ROUNDS / (double)N);
		}
	/* 25 degrees of freedom: 99.99999 % are below 77 */
	assert_true(sum < 77);
	schedule_free(&s);
}

/* ------------------------------------------------------------------- rule */

/* Run one cell alone; returns how many counted repeats it had. */
static uint32_t run_alone(const struct repeat_rule *rule, const double *rate,
			  uint32_t bad_from)
{
	struct schedule s;
	struct run_item item;
	uint32_t n = 0;

	init(&s, rule, 1, 1);
	while (schedule_next(&s, &item) == SCHEDULE_ITEM) {
		struct repeat_value v =
			good(item.repeat < rule->warmup ? 1e9 : rate[n]);

		n += item.repeat >= rule->warmup;
		v.ok = n <= bad_from;
		schedule_take(&s, &item, &v);
	}
	assert_true(schedule_finished(&s));
	schedule_free(&s);
	return n;
}

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

/* The rule said once more, with nothing kept from repeat to repeat. */
static uint32_t needed(const struct repeat_rule *rule, const double *rate)
{
	for (uint32_t n = rule->min; n < rule->max; n++) {
		double sorted[64];
		struct interval i;

		memcpy(sorted, rate, n * sizeof(*rate));
		qsort(sorted, n, sizeof(*sorted), by_value);
		i = median_interval(sorted, n, 0.95);
		if (i.coverage >= 0.95 &&
		    i.high - i.low <=
			    rule->ci_width * median_of_sorted(sorted, n))
			return n;
	}
	return rule->max;
}

static void it_goes_on_until_the_interval_is_narrow(void **state)
{
	static const struct repeat_rule rules[] = {
		{.min = 6, .max = 40, .ci_width = 0.05},
		{.min = 2, .max = 40, .ci_width = 0.1, .warmup = 3},
		{.min = 10, .max = 12, .ci_width = 0.01},
	};
	uint32_t x = 1, seen[64] = {0};
	int different = 0;

	(void)state;
	for (int i = 0; i < 300; i++) {
		const struct repeat_rule *rule = &rules[i % 3];
		double rate[64];
		uint32_t n;

		for (int k = 0; k < 64; k++) {
			x = x * 1664525 + 1013904223;
			rate[k] = 1000 + (x >> 16) % (10 + (unsigned)i);
		}
		n = run_alone(rule, rate, UINT32_MAX);
		assert_int_equal(n, needed(rule, rate));
		assert_true(n >= 6 && n <= rule->max);
		seen[n]++;
	}
	for (int k = 0; k < 64; k++)
		different += seen[k] > 0;
	assert_true(different > 5);
}

static void five_values_are_never_enough(void **state)
{
	const struct repeat_rule rule = {.min = 2, .max = 9, .ci_width = 0.5};
	static const double same[9] = {5, 5, 5, 5, 5, 5, 5, 5, 5};

	(void)state;
	assert_int_equal(run_alone(&rule, same, UINT32_MAX), 6);
}

static void bad_ends_are_done_at_the_minimum(void **state)
{
	const struct repeat_rule rule = {.min = 4, .max = 9, .ci_width = 0};
	static const double rate[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

	(void)state;
	assert_int_equal(run_alone(&rule, rate, UINT32_MAX), 9);
	assert_int_equal(run_alone(&rule, rate, 0), 4);
	assert_int_equal(run_alone(&rule, rate, 3), 4);
	assert_int_equal(run_alone(&rule, rate, 6), 7);
}

static void what_is_not_measured_goes_on(void **state)
{
	const struct repeat_rule rule = {.min = 2, .max = 9, .ci_width = 1};
	static const double none[9] = {NAN, NAN, NAN, NAN, NAN,
				       NAN, NAN, NAN, NAN};

	(void)state;
	assert_int_equal(run_alone(&rule, none, UINT32_MAX), 9);
}

static void time_ends_it_at_the_minimum(void **state)
{
	const struct repeat_rule rule = {
		.min = 3, .max = 9, .warmup = 1, .ci_width = -1};
	struct repeat_value v = good(1);
	struct schedule s;
	uint32_t dropped = 0;

	(void)state;
	init(&s, &rule, 2, 1);
	schedule_time_over(&s);
	for (int i = 0; i < 8; i++) {
		struct run_item item = get(&s);

		dropped += schedule_take(&s, &item, &v);
	}
	expect(&s, SCHEDULE_END);
	assert_true(schedule_finished(&s));
	assert_int_equal(dropped, 0);
	schedule_free(&s);
}

/* ---------------------------------------------------------------- waiting */

static void only_what_depends_waits(void **state)
{
	const struct repeat_rule rule = {.min = 1, .max = 3, .ci_width = -1};
	struct repeat_value v = good(1);
	struct run_item slow, other, next;
	struct schedule s;

	(void)state;
	init(&s, &rule, 2, 1);
	slow = get(&s);
	other = get(&s);
	/* both are under way: whether they go on is not known */
	expect(&s, SCHEDULE_WAIT);
	schedule_take(&s, &other, &v);
	next = get(&s);
	assert_int_equal(next.cell, other.cell);
	assert_int_equal(next.repeat, 1);
	schedule_take(&s, &next, &v);
	/* the round of the slow one is not left without it */
	expect(&s, SCHEDULE_WAIT);
	schedule_take(&s, &slow, &v);
	assert_int_equal(get(&s).cell, slow.cell);
	schedule_free(&s);
}

static void counts_need_no_waiting(void **state)
{
	struct schedule s;

	(void)state;
	init(&s, &fixed, 1, 1);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(get(&s).repeat, i);
	expect(&s, SCHEDULE_END);
	schedule_free(&s);
}

static void dropped_repeats_are_told(void **state)
{
	const struct repeat_rule rule = {
		.min = 2, .max = 9, .warmup = 1, .ci_width = -1};
	struct repeat_value v = {false, 1};
	struct schedule s;
	uint32_t dropped = 0;

	(void)state;
	init(&s, &rule, 1, 1);
	for (int i = 0; i < 3; i++) {
		struct run_item item = get(&s);

		assert_int_equal(dropped, 0);
		dropped = schedule_take(&s, &item, &v);
	}
	assert_int_equal(dropped, 7);
	assert_true(schedule_finished(&s));
	schedule_free(&s);
}

/* ----------------------------------------------------------------- resume */

static double rate_of(const struct run_item *item)
{
	return 1000 + (double)((item->repeat * 17) % (1 + item->cell * 10));
}

/* Cut after any number of items, in any order of coming in: the same ones. */
static void what_is_in_is_not_run_again(void **state)
{
	const struct repeat_rule rule = {
		.min = 3, .max = 14, .warmup = 1, .ci_width = 0.02};
	enum { N = 7 };
	struct run_item all[N * 15], item;
	struct schedule s;
	size_t n = 0;

	(void)state;
	init(&s, &rule, N, 3);
	while (schedule_next(&s, &item) == SCHEDULE_ITEM) {
		struct repeat_value v = good(rate_of(&item));

		all[n++] = item;
		schedule_take(&s, &item, &v);
	}
	schedule_free(&s);
	assert_true(n > N * 4 && n < N * 15);
	for (size_t cut = 0; cut <= n; cut++) {
		size_t count = cut;
		uint32_t dropped;

		init(&s, &rule, N, 3);
		for (size_t i = 0; i < cut; i++) {
			struct repeat_value v = good(rate_of(&all[i]));

			assert_int_equal(
				schedule_restore(&s, &all[i], &v, &dropped), 0);
		}
		assert_int_equal(schedule_finished(&s), cut == n);
		while (schedule_next(&s, &item) == SCHEDULE_ITEM) {
			struct repeat_value v = good(rate_of(&item));

			schedule_take(&s, &item, &v);
			count++;
		}
		assert_int_equal(count, n);
		assert_true(schedule_finished(&s));
		schedule_free(&s);
	}
}

static void strange_items_are_refused(void **state)
{
	struct repeat_value v = good(1);
	struct schedule s;
	uint32_t dropped;

	(void)state;
	init(&s, &fixed, 2, 1);
	assert_int_equal(
		schedule_restore(&s, &(struct run_item){2, 0}, &v, &dropped),
		-1);
	assert_int_equal(
		schedule_restore(&s, &(struct run_item){0, 5}, &v, &dropped),
		-1);
	assert_int_equal(
		schedule_restore(&s, &(struct run_item){0, 4}, &v, &dropped),
		0);
	assert_int_equal(
		schedule_restore(&s, &(struct run_item){0, 4}, &v, &dropped),
		-1);
	schedule_free(&s);
}

/* A journal with a hole beyond the minimum: made by nobody, but no hang. */
static void holes_are_filled(void **state)
{
	const struct repeat_rule rule = {.min = 1, .max = 4, .ci_width = -1};
	struct repeat_value v = good(1);
	struct schedule s;
	struct run_item item;
	uint32_t dropped;

	(void)state;
	init(&s, &rule, 1, 1);
	schedule_restore(&s, &(struct run_item){0, 0}, &v, &dropped);
	schedule_restore(&s, &(struct run_item){0, 3}, &v, &dropped);
	for (uint32_t i = 1; i < 3; i++) {
		item = get(&s);
		assert_int_equal(item.repeat, i);
		schedule_take(&s, &item, &v);
	}
	expect(&s, SCHEDULE_END);
	schedule_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_round_has_every_cell_once),
		cmocka_unit_test(orders_come_from_seed_and_round),
		cmocka_unit_test(sides_are_mixed_in_every_round),
		cmocka_unit_test(every_order_is_as_likely),
		cmocka_unit_test(it_goes_on_until_the_interval_is_narrow),
		cmocka_unit_test(five_values_are_never_enough),
		cmocka_unit_test(bad_ends_are_done_at_the_minimum),
		cmocka_unit_test(what_is_not_measured_goes_on),
		cmocka_unit_test(time_ends_it_at_the_minimum),
		cmocka_unit_test(only_what_depends_waits),
		cmocka_unit_test(counts_need_no_waiting),
		cmocka_unit_test(dropped_repeats_are_told),
		cmocka_unit_test(what_is_in_is_not_run_again),
		cmocka_unit_test(strange_items_are_refused),
		cmocka_unit_test(holes_are_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
