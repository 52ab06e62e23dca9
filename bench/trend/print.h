/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Histories as documents.  A form is one file, which defines one struct
 * trend_form, and one line in trend_forms.c.
 */
#ifndef TDMEM_BENCH_TREND_PRINT_H
#define TDMEM_BENCH_TREND_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "bench/trend/trend.h"

struct trend_style {
	const struct trend_rule *rule; /* that changes were found by */
	const char *command; /* how to get the same again, shell-quoted */
};

struct trend_form {
	const char *name;
	const char *summary;
	/* Print to f; false when out of memory.  Errors are the stream's. */
	bool (*print)(const struct trend *t, const struct trend_style *style,
		      FILE *f);
};

/** text, json, mail; ended by NULL. */
extern const struct trend_form *const trend_forms[];

#endif
