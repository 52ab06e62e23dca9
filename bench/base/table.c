/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* vasprintf */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/layout.h"
#include "bench/base/plain.h"
#include "bench/base/table.h"

enum { INDENT = 2 };

void table_init(struct table *t, size_t columns, size_t keep, size_t left)
{
	*t = (struct table){
		.columns = columns,
		.keep = keep,
		.left = left,
		.width = TABLE_WIDTH,
		.indent = INDENT,
		.group = 1,
	};
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

	for (size_t i = column; i < t->n; i += t->columns) {
		size_t width = layout_width(t->cell[i]);

		if (width > widest)
			widest = width;
	}
	return widest;
}

/* A line, whose blanks are only written before something. */
struct pen {
	FILE *f;
	size_t blanks;
};

static void print_cell(const struct table *t, struct pen *pen, const char *text,
		       size_t column, size_t width)
{
	size_t pad = width - layout_width(text), n = strlen(text);

	pen->blanks += column ? t->gap : t->indent;
	if (column >= t->left)
		pen->blanks += pad;
	while (n && text[n - 1] == ' ')
		n--;
	if (n) {
		fprintf(pen->f, "%*s%.*s", (int)pen->blanks, "", (int)n, text);
		pen->blanks = 0;
	}
	pen->blanks += strlen(text) - n;
	if (column < t->left)
		pen->blanks += pad;
}

/* One part: the kept columns, then those from..to. */
static void print_part(const struct table *t, FILE *f, const size_t *width,
		       size_t from, size_t to)
{
	for (size_t row = 0; row < t->n / t->columns; row++) {
		char **cell = t->cell + row * t->columns;
		struct pen pen = {.f = f};

		for (size_t c = 0; c < t->keep; c++)
			print_cell(t, &pen, cell[c], c, width[c]);
		for (size_t c = from; c < to; c++)
			print_cell(t, &pen, cell[c], c, width[c]);
		fputc('\n', f);
	}
}

static size_t part_width(const struct table *t, const size_t *width,
			 size_t from, size_t to)
{
	size_t sum = t->indent;

	for (size_t c = 0; c < t->keep; c++)
		sum += width[c] + t->gap;
	for (size_t c = from; c < to; c++)
		sum += width[c] + (c + 1 < to ? t->gap : 0);
	return sum;
}

/* Where the group of a column ends. */
static size_t group_end(const struct table *t, size_t column)
{
	size_t end = column + t->group - (column - t->keep) % t->group;

	return end < t->columns ? end : t->columns;
}

/* As many groups of columns as fit; else as many columns, but one. */
static size_t part_end(const struct table *t, const size_t *width, size_t from)
{
	size_t to = from;

	while (to < t->columns &&
	       part_width(t, width, from, group_end(t, to)) <= t->width)
		to = group_end(t, to);
	if (to > from)
		return to;
	to = from + 1;
	while (to < group_end(t, from) &&
	       part_width(t, width, from, to + 1) <= t->width)
		to++;
	return to;
}

static bool print_parts(struct table *t, FILE *f)
{
	size_t *width = calloc(t->columns, sizeof(*width));

	if (!width)
		return false;
	for (size_t c = 0; c < t->columns; c++)
		width[c] = column_width(t, c);
	/* Rather narrow gaps than two parts. */
	t->gap = 2;
	if (part_width(t, width, t->keep, t->columns) > t->width)
		t->gap = 1;
	for (size_t from = t->keep, to = 0; to < t->columns; from = to) {
		to = from < t->columns ? part_end(t, width, from) : from;
		if (from > t->keep)
			fputc('\n', f);
		print_part(t, f, width, from, to);
	}
	free(width);
	return true;
}

void table_print(struct table *t, FILE *f)
{
	if (!t->failed && !print_parts(t, f))
		t->failed = true;
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

static void wrap(FILE *f, int indent, const char *text)
{
	int column = 0;

	while (*text) {
		int n = (int)strcspn(text, " ");

		if (column && column + 1 + n > TABLE_WIDTH) {
			fputc('\n', f);
			column = 0;
		}
		if (column)
			column += fprintf(f, " ");
		else
			column = fprintf(f, "%*s", indent, "");
		fprintf(f, "%.*s", n, text);
		column += n;
		text += n;
		text += strspn(text, " ");
	}
	fputc('\n', f);
}

void print_wrapped(FILE *f, int indent, const char *text)
{
	char *plain = plain_text(text);

	wrap(f, indent, plain ? plain : "?");
	free(plain);
}
