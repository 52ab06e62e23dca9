/* SPDX-License-Identifier: GPL-2.0-only */
/* Names from results, so that they stay text wherever they are put. */
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/arena.h"
#include "bench/base/table.h"
#include "bench/export/export.h"
#include "bench/plot/plot.h"

enum { SLUG = 60 };

char *plot_slug(struct arena *arena, const char *text)
{
	char slug[SLUG + 1];
	size_t n = 0;

	for (; *text && n < SLUG; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x80 && isalnum(c))
			slug[n++] = (char)tolower(c);
		else if (n && slug[n - 1] != '-')
			slug[n++] = '-';
	}
	while (n && slug[n - 1] == '-')
		n--;
	return n ? arena_textn(arena, slug, n) : arena_text(arena, "unnamed");
}

/* Length in bytes of the first so many characters. */
static size_t first(const char *text, size_t characters)
{
	size_t i = 0;

	for (; text[i]; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80 &&
		    characters-- == 0)
			break;
	return i;
}

char *plot_text(struct arena *arena, const char *text, size_t characters)
{
	char *plain = export_plain(text), *cut = NULL;

	if (!plain)
		return NULL;
	if (first(plain, characters) < strlen(plain))
		cut = arena_print(arena, "%.*s...",
				  (int)first(plain, characters - 3), plain);
	else
		cut = arena_text(arena, plain);
	free(plain);
	return cut;
}

/* Between single quotes gnuplot sees nothing but their end. */
static void put_quoted(FILE *f, const char *text)
{
	fputc('\'', f);
	for (; *text; text++)
		fputs(*text == '\'' ? "''" : (char[]){*text, '\0'}, f);
	fputs("'\n", f);
}

void plot_put_string(FILE *f, const char *name, const char *text)
{
	fprintf(f, "%s = ", name);
	put_quoted(f, text);
}

void plot_put_element(FILE *f, const char *array, size_t index,
		      const char *text)
{
	fprintf(f, "%s[%zu] = ", array, index);
	put_quoted(f, text);
}

void plot_put_array(FILE *f, const char *name, size_t n)
{
	fprintf(f, "array %s[%zu]\n", name, n ? n : 1);
}

void plot_put_number(FILE *f, double value)
{
	/* printf() may give a NaN a sign. */
	if (isnan(value))
		fputs("\tNaN", f);
	else
		fprintf(f, "\t%.12g", value);
}

void plot_put_html(FILE *f, const char *text)
{
	static const char *const entity[128] = {
		['&'] = "&amp;",  ['<'] = "&lt;",   ['>'] = "&gt;",
		['"'] = "&quot;", ['\''] = "&#39;",
	};

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x80 && entity[c])
			fputs(entity[c], f);
		else
			fputc(c < 0x20 || c == 0x7f ? '?' : c, f);
	}
}

const char *plot_figure(double value, const char *unit, char *buf, size_t size)
{
	char text[FIGURE];

	if (isnan(value))
		snprintf(buf, size, "-");
	else if (strcmp(unit, "ns") == 0 && value >= 0)
		snprintf(buf, size, "%s", format_ns((uint64_t)value, text));
	else if (strcmp(unit, "1/s") == 0)
		snprintf(buf, size, "%s", format_rate(value, text));
	else
		snprintf(buf, size, "%s%s%s", format_count(value, text),
			 unit[0] ? " " : "", unit);
	return buf;
}

void plot_append(char *text, size_t size, const char *format, ...)
{
	size_t n = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + n, size - n, format, args);
	va_end(args);
}
