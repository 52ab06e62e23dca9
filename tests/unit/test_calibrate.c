/* SPDX-License-Identifier: GPL-2.0-only */
/* Medians of batches, and what they make of a cost table. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bench/calibrate/impl.h"
#include "model/machine/threads_work.h"
#include "tests/unit/costs_kit.h"

static void load_base(struct costs *base)
{
	struct err e;

	if (costs_load("configs/costs/spr.json", "typ", base, &e))
		fail_msg("%s", e.text);
}

static void add(struct calibration *c, const char *name, const char *entry,
		double median)
{
	struct primitive *p = &c->primitive[c->n++];

	*p = (struct primitive){.help = "a help",
				.entry = entry,
				.median = median,
				.interval = {median * 0.9, median * 1.1, 0.95},
				.batches = 101};
	snprintf(p->name, sizeof(p->name), "%s", name);
}

static void test_table(void **state)
{
	struct calibration c = {.here = {"a day", "a host"}};
	struct costs base;
	struct err e;
	json_t *root;

	(void)state;
	load_base(&base);
	add(&c, "clear", "clear_4k", 250);
	add(&c, "line", "line_socket", (double)NAN);
	add(&c, "IPI, membarrier", "kick_base", (double)NAN);
	add(&c, "IPI, signal", NULL, 7000);
	root = calibrate_table(&c, &base, &e);
	if (!root)
		fail_msg("%s", e.text);
	assert_true(fabs(number(root, "clear_4k", "typ") - 250) < 1e-9);
	assert_true(fabs(number(root, "clear_4k", "low") - 225) < 1e-9);
	assert_string_equal(text(root, "clear_4k", "mark"), "measured");
	assert_non_null(strstr(text(root, "clear_4k", "source"), "a day"));
	assert_non_null(strstr(text(root, "clear_4k", "source"), "a host"));
	/* What was not measured is the base's, with its mark. */
	assert_true(number(root, "line_socket", "typ") == 59);
	assert_string_equal(text(root, "page_aug", "mark"), "assumption");
	/* The signal where there is no membarrier. */
	assert_true(fabs(number(root, "kick_base", "typ") - 7000) < 1e-9);
	json_decref(root);
	costs_free(&base);
}

/* 1044 words of 30 ns are more than the base's whole call. */
static void test_slow_words(void **state)
{
	struct calibration c = {.here = {"a day", "a host"}};
	struct costs base;
	struct err e;
	json_t *root;

	(void)state;
	load_base(&base);
	add(&c, "lock word", "line_local", 30);
	root = calibrate_table(&c, &base, &e);
	if (!root)
		fail_msg("%s", e.text);
	assert_true(number(root, "page_promote", "typ") >=
		    (1500 + 1044 * 30) / 1e3);
	assert_non_null(strstr(text(root, "page_promote", "source"), "raised"));
	assert_null(strstr(text(root, "cache_wb", "source"), "raised"));
	json_decref(root);
	costs_free(&base);
}

static double third(struct bench *b, void *ctx, char *why, size_t size)
{
	(void)b;
	(void)why;
	(void)size;
	/* One batch of three is disturbed: the median is not. */
	return ++*(int *)ctx % 3 ? 50 : 100000;
}

static double never(struct bench *b, void *ctx, char *why, size_t size)
{
	(void)b;
	(void)ctx;
	snprintf(why, size, "because");
	return -1;
}

static void test_measure(void **state)
{
	struct primitive p = {.median = (double)NAN};
	struct bench b = {0};
	int n = 0;

	(void)state;
	tclock_init(&b.clock, true);
	measure(&b, &p, third, &n);
	assert_int_equal(p.batches, CALIBRATE_BATCHES);
	assert_true(p.median == 50);
	assert_true(p.interval.low == 50 && p.interval.coverage >= 0.95);
	p.median = (double)NAN;
	measure(&b, &p, never, NULL);
	assert_true(isnan(p.median));
	assert_string_equal(p.why, "because");
}

static void test_clears(void **state)
{
	static unsigned char page[WORK_PAGE_BYTES]
		__attribute__((aligned(4096)));
	const char *name, *first = NULL;
	void (*clear)(void *);
	unsigned int ways = 0;

	(void)state;
	while ((name = page_clear_way(ways++, &clear))) {
		memset(page, 0xff, sizeof(page));
		clear(page);
		for (size_t i = 0; i < sizeof(page); i++)
			assert_int_equal(page[i], 0);
		if (!first)
			first = name;
		else
			assert_string_not_equal(name, first);
	}
	assert_string_equal(first, page_work().store_name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_slow_words),
		cmocka_unit_test(test_measure),
		cmocka_unit_test(test_clears),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
