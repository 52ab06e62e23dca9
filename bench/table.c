/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* vasprintf */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bench/table.h"

enum { INDENT = 2 };

void table_init(struct table *t, size_t columns, size_t keep, size_t left)
{
	*t = (struct table){.columns = columns, .keep = keep, .left = left};
}

static bool make_room(struct table *t)
{
	size_t room = t->room ? t->room * 2 : 64;
	char **cell;

	if (t->n < t->room)
		return true;
	cell = realloc(t->cell, room * sizeof(*cell));
	if (!cell)
		return false;
	t->cell = cell;
	t->room = room;
	return true;
}

void table_add(struct table *t, const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n >= 0 && make_room(t))
		t->cell[t->n++] = text;
	else
		t->failed = true;
}

static size_t column_width(const struct table *t, size_t column)
{
	size_t widest = 0;

	for (size_t i = column; i < t->n; i += t->columns)
		if (strlen(t->cell[i]) > widest)
			widest = strlen(t->cell[i]);
	return widest;
}

static void print_cell(const struct table *t, FILE *f, size_t row,
		       size_t column, bool last)
{
	const char *text = t->cell[row * t->columns + column];
	int width = (int)column_width(t, column);

	if (column >= t->left)
		fprintf(f, "%*s%*s", column ? (int)t->gap : INDENT, "", width,
			text);
	else
		fprintf(f, "%*s%-*s", column ? (int)t->gap : INDENT, "",
			last ? 0 : width, text);
}

/* One part: the kept columns, then those from..to. */
static void print_part(const struct table *t, FILE *f, size_t from, size_t to)
{
	for (size_t row = 0; row < t->n / t->columns; row++) {
		for (size_t c = 0; c < t->keep; c++)
			print_cell(t, f, row, c, false);
		for (size_t c = from; c < to; c++)
			print_cell(t, f, row, c, c + 1 == to);
		fputc('\n', f);
	}
}

static size_t part_width(const struct table *t, size_t from, size_t to)
{
	size_t width = INDENT;

	for (size_t c = 0; c < t->keep; c++)
		width += column_width(t, c) + t->gap;
	for (size_t c = from; c < to; c++)
		width += column_width(t, c) + (c + 1 < to ? t->gap : 0);
	return width;
}

/* As many columns as fit, but one. */
static size_t part_end(const struct table *t, size_t from)
{
	size_t to = from + 1;

	while (to < t->columns && part_width(t, from, to + 1) <= TABLE_WIDTH)
		to++;
	return to;
}

void table_print(struct table *t, FILE *f)
{
	/* Rather narrow gaps than two parts. */
	t->gap = 2;
	if (part_width(t, t->keep, t->columns) > TABLE_WIDTH)
		t->gap = 1;
	for (size_t from = t->keep; from < t->columns && !t->failed;) {
		size_t to = part_end(t, from);

		if (from > t->keep)
			fputc('\n', f);
		print_part(t, f, from, to);
		from = to;
	}
	if (t->failed)
		fputs("  (out of memory)\n", f);
	for (size_t i = 0; i < t->n; i++)
		free(t->cell[i]);
	free(t->cell);
	*t = (struct table){0};
}

/* ---------------------------------------------------------------- figures */

/* Three digits. */
static void digits(double v, const char *unit, char buf[FIGURE])
{
	int decimals = v < 9.995 ? 2 : v < 99.95 ? 1 : 0;

	snprintf(buf, FIGURE, "%.*f%s", decimals, v, unit);
}

static const char *scaled(double v, const char *const units[4],
			  char buf[FIGURE])
{
	int i = 0;

	while (i < 3 && v >= 999.5) {
		v /= 1000;
		i++;
	}
	if (i == 0 && v == floor(v))
		snprintf(buf, FIGURE, "%.0f%s", v, units[0]);
	else
		digits(v, units[i], buf);
	return buf;
}

const char *format_rate(double per_second, char buf[FIGURE])
{
	static const char *const units[] = {"/s", "k/s", "M/s", "G/s"};

	return isnan(per_second) ? strcpy(buf, "-")
				 : scaled(per_second, units, buf);
}

const char *format_ns(uint64_t ns, char buf[FIGURE])
{
	static const char *const units[] = {"ns", "us", "ms", "s"};

	return scaled((double)ns, units, buf);
}

const char *format_count(double count, char buf[FIGURE])
{
	static const char *const units[] = {"", "k", "M", "G"};

	return isnan(count) ? strcpy(buf, "-") : scaled(count, units, buf);
}

/* ------------------------------------------------------------------- text */

void print_wrapped(FILE *f, int indent, const char *text)
{
	int column = 0;

	while (*text) {
		int n = (int)strcspn(text, " ");

		if (column && column + 1 + n > TABLE_WIDTH) {
			fputc('\n', f);
			column = 0;
		}
		if (column)
			column += fprintf(f, " %.*s", n, text);
		else
			column = fprintf(f, "%*s%.*s", indent, "", n, text);
		text += n;
		text += strspn(text, " ");
	}
	fputc('\n', f);
}
