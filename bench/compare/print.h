/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Comparisons as documents.  A form is one file, which defines one struct
 * compare_form, and one line in compare_forms.c.
 */
#ifndef TDMEM_BENCH_COMPARE_PRINT_H
#define TDMEM_BENCH_COMPARE_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "bench/compare/compare.h"

/** How it is printed. */
struct compare_style {
	bool colour;	     /* escape sequences; forms for files ignore it */
	bool ascii;	     /* nothing outside of ASCII */
	bool all;	     /* rows without a change as well */
	const char *command; /* how to get the same again, shell-quoted */
	json_t *more;	     /* members that JSON has besides; may be NULL */
};

struct compare_form {
	const char *name;
	const char *summary;
	/* Print to f; false when out of memory.  Errors are the stream's. */
	bool (*print)(const struct comparison *c,
		      const struct compare_style *style, FILE *f);
};

/** text, mail, lkp, mmtests, markdown, json; ended by NULL. */
extern const struct compare_form *const compare_forms[];

#endif
