/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of text, and figures with their units. */
#ifndef TDMEM_BENCH_BASE_TABLE_H
#define TDMEM_BENCH_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TABLE_WIDTH = 79 };

struct table {
	size_t columns;
	size_t keep; /* columns that every part repeats */
	size_t left; /* columns, from the first, that are flush left */
	size_t gap;  /* between columns */
	/* May be set after table_init(). */
	size_t width;  /* of lines; 0: TABLE_WIDTH */
	size_t indent; /* of lines; 2 */
	size_t group;  /* columns after the kept ones that stay together; 1 */
	char **cell;   /* row by row, the first row is the head */
	size_t n, room;
	bool failed; /* out of memory */
};

/** Begin a table of so many columns. */
void table_init(struct table *t, size_t columns, size_t keep, size_t left);

/** The next cell; rows fill themselves. */
__attribute__((format(printf, 2, 3))) void table_add(struct table *t,
						     const char *format, ...);

/**
 * Print.  A table that is wider than its width is printed in parts, one below
 * the other; groups of columns are only torn where one alone is too wide.
 * Frees the table.
 */
void table_print(struct table *t, FILE *f);

enum { FIGURE = 24 };

/** "981/s", "98.2k/s", "1.23M/s"; "-" for NaN.  Returns buf. */
const char *format_rate(double per_second, char buf[FIGURE]);
/** "812ns", "10.1us", "3.20ms", "1.02s". */
const char *format_ns(uint64_t ns, char buf[FIGURE]);
/** Three digits and k, M, G: "12", "98.2k"; "-" for NaN. */
const char *format_count(double count, char buf[FIGURE]);

/**
 * Print words of `text`, made plain, in lines of TABLE_WIDTH with this indent.
 */
void print_wrapped(FILE *f, int indent, const char *text);

#endif
