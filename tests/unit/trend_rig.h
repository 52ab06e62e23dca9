/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of histories have in common: a folder for each test. */
#ifndef TDMEM_TESTS_TREND_RIG_H
#define TDMEM_TESTS_TREND_RIG_H

#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/trend/trend.h"
#include "tests/unit/trend_kit.h"

#include <cmocka.h> /* last: its fail() is a macro */

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static char dir[64];

static inline int setup(void **unused)
{
	(void)unused;
	kit_folder(dir);
	return 0;
}

static inline int teardown(void **unused)
{
	(void)unused;
	kit_remove(dir);
	return 0;
}

static inline struct trend_request asked(void)
{
	return (struct trend_request){.dir = dir, .jobs = 2};
}

static inline void load(const struct trend_request *request, struct trend *t)
{
	struct err e;

	if (trend_load(request, t, &e))
		fail_msg("%s", e.text);
}

static inline void find(struct trend *t)
{
	struct err e;

	if (trend_find_changes(t, &trend_rule_default, &e))
		fail_msg("%s", e.text);
}

static inline void load_and_find(struct trend *t)
{
	struct trend_request r = asked();

	load(&r, t);
	find(t);
}

/* One cell, which is `before` up to a night and then `after`. */
static inline void write_step(int from, int end, int at, struct kit_cell before,
			      struct kit_cell after)
{
	for (int night = from; night < end; night++) {
		struct kit_result r = {.night = night,
				       .cell = night < at ? &before : &after,
				       .ncells = 1};

		kit_write(dir, &r);
	}
}

static inline const struct trend_series *series(const struct trend *t,
						const char *metric)
{
	for (size_t i = 0; i < t->nseries; i++)
		if (strcmp(t->series[i].metric, metric) == 0)
			return &t->series[i];
	fail_msg("no %s", metric);
	return NULL;
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
