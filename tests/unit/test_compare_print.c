/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The forms of comparisons.  What each makes of a small one is in tests/data/;
 * TDMEM_WRITE_DATA=1 in the environment writes those files anew, to be looked
 * at before they are committed.
 */
#define _GNU_SOURCE /* wcswidth */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <cmocka.h>

#include "bench/base/layout.h"
#include "bench/compare/doc.h"
#include "bench/compare/print.h"
#include "tests/unit/compare_kit.h"

enum { ROUNDS = 300 };

static char *printed(const struct comparison *c, const char *form,
		     struct compare_style style)
{
	char *text = NULL;
	size_t size, i = 0;
	FILE *f = open_memstream(&text, &size);

	while (strcmp(compare_forms[i]->name, form) != 0)
		i++;
	assert_true(compare_forms[i]->print(c, &style, f));
	assert_false(ferror(f));
	fclose(f);
	assert_int_equal(strlen(text), size);
	return text;
}

/* ------------------------------------------------------------ what is asked */

struct demand {
	size_t width; /* 0: any */
	bool ascii;
	bool trimmed;
};

/* The width by the C library, as the second opinion. */
static size_t columns(const char *line, size_t n)
{
	wchar_t wide[4096];
	char copy[4096];
	size_t count;
	int width;

	assert_true(n < sizeof(copy));
	memcpy(copy, line, n);
	copy[n] = '\0';
	count = mbstowcs(wide, copy, 4096);
	assert_true(count != (size_t)-1);
	width = wcswidth(wide, count);
	assert_true(width >= 0);
	return (size_t)width;
}

static void check_line(const char *line, size_t n, const struct demand *demand)
{
	for (size_t i = 0; i < n; i++) {
		assert_true((unsigned char)line[i] >= 0x20);
		assert_true(line[i] != 0x7f);
		assert_true(!demand->ascii || (unsigned char)line[i] < 0x7f);
	}
	if (demand->trimmed && n)
		assert_true(line[n - 1] != ' ');
	if (!demand->width)
		return;
	if (columns(line, n) > demand->width)
		print_error("too wide: %.*s\n", (int)n, line);
	assert_true(columns(line, n) <= demand->width);
}

/* Characters of the kit's names that act instead of being seen. */
static void check_seen(const char *text)
{
	static const char *const acting[] = {"\xe2\x80\xae", "\xe2\x80\x8b",
					     "\xe2\x80\xa8", "\xc2\x85"};

	for (size_t i = 0; i < sizeof(acting) / sizeof(*acting); i++)
		assert_null(strstr(text, acting[i]));
}

static void check_text(const char *text, const struct demand *demand)
{
	check_seen(text);
	while (*text) {
		size_t n = strcspn(text, "\n");

		assert_int_equal(text[n], '\n');
		check_line(text, n, demand);
		text += n + 1;
	}
}

/* Quoted for a shell, as a caller would do it. */
static char *quoted(struct kit *kit, const char *word)
{
	char *text = kit_alloc(kit, 4 * strlen(word) + 3, 1), *to = text;

	*to++ = '\'';
	for (; *word; word++)
		to += sprintf(to, *word == '\'' ? "'\\''" : "%c", *word);
	*to = '\'';
	return text;
}

static void check_form(const char *form, struct demand demand)
{
	for (unsigned int seed = 1; seed <= ROUNDS; seed++) {
		struct compare_style style = {.ascii = seed % 2,
					      .all = seed % 3 == 0};
		struct kit kit;
		char *text;

		kit_random_begin(&kit, seed);
		style.command = seed % 5 ? quoted(&kit, kit_name(&kit)) : NULL;
		text = printed(&kit.c, form, style);
		demand.ascii = style.ascii;
		check_text(text, &demand);
		free(text);
		kit_end(&kit);
	}
}

static void mail_is_fit_for_mails(void **state)
{
	(void)state;
	check_form("mail", (struct demand){.width = 75, .trimmed = true});
}

static void text_keeps_its_width_and_has_no_escapes(void **state)
{
	(void)state;
	check_form("text", (struct demand){.width = 79, .trimmed = true});
}

static void other_forms_are_plain(void **state)
{
	(void)state;
	check_form("lkp", (struct demand){.trimmed = true});
	check_form("mmtests", (struct demand){.trimmed = true});
	check_form("markdown", (struct demand){.trimmed = false});
}

/* Colours are added to the same text. */
static void colours_change_nothing_else(void **state)
{
	size_t colours = 0;

	(void)state;
	for (unsigned int seed = 1; seed <= ROUNDS; seed++) {
		struct compare_style style = {.all = true};
		char *plain, *colour, *to;
		struct kit kit;

		kit_random_begin(&kit, seed);
		plain = printed(&kit.c, "text", style);
		style.colour = true;
		colour = printed(&kit.c, "text", style);
		to = colour;
		for (const char *from = colour; *from; from++) {
			if (*from == '\033') {
				from += strcspn(from, "m");
				colours++;
			} else {
				*to++ = *from;
			}
		}
		*to = '\0';
		assert_string_equal(colour, plain);
		free(plain);
		free(colour);
		kit_end(&kit);
	}
	assert_true(colours > 100);
}

/* Every cell of a Markdown table row is told from the next by a bar. */
static size_t bars(const char *line, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		count += line[i] == '|';
		i += line[i] == '\\';
	}
	return count;
}

static void markdown_tables_keep_their_columns(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= ROUNDS; seed++) {
		struct compare_style style = {.all = true};
		struct kit kit;
		size_t want;
		char *text;

		kit_random_begin(&kit, seed);
		want = kit.c.nkeys + 2 + 5 * (kit.c.nsides - 1);
		text = printed(&kit.c, "markdown", style);
		for (char *line = strtok(text, "\n"); line;
		     line = strtok(NULL, "\n")) {
			if (*line == '|')
				assert_int_equal(bars(line, strlen(line)),
						 want);
			assert_null(strstr(line, "<b>"));
		}
		free(text);
		kit_end(&kit);
	}
}

/* ---------------------------------------------------------------------- JSON
 */

static void json_always_parses(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= ROUNDS; seed++) {
		struct compare_style style = {.ascii = seed % 2};
		json_t *document, *groups;
		json_error_t error;
		size_t rows = 0, i;
		struct kit kit;
		json_t *group;
		char *text;

		kit_random_begin(&kit, seed);
		style.command = kit_name(&kit);
		text = printed(&kit.c, "json", style);
		document = json_loads(text, JSON_REJECT_DUPLICATES, &error);
		if (!document)
			print_error("seed %u: %s\n", seed, error.text);
		assert_non_null(document);
		groups = json_object_get(document, "groups");
		json_array_foreach(groups, i, group) rows +=
			json_array_size(json_object_get(group, "rows"));
		assert_int_equal(rows, kit.c.nrows);
		for (const char *p = text; style.ascii && *p; p++)
			assert_true((unsigned char)*p < 0x80);
		json_decref(document);
		free(text);
		kit_end(&kit);
	}
}

/* ------------------------------------------------------------- the small one
 */

static char *contents(const char *path)
{
	char *text = calloc(1, 1 << 16);
	FILE *f = fopen(path, "r");

	if (f) {
		text[fread(text, 1, (1 << 16) - 1, f)] = '\0';
		fclose(f);
	}
	return text;
}

static void forms_are_as_they_were(void **state)
{
	struct compare_style style = {
		.ascii = true,
		.command = "tdmem compare --format FORM --ascii --label before "
			   "--label kick-v2 results/2026-01-01-before.json "
			   "results/2026-01-01-kick-v2.json",
	};

	(void)state;
	for (size_t i = 0; compare_forms[i]; i++) {
		char path[64], *text, *want;
		struct kit kit;

		kit_small_begin(&kit);
		text = printed(&kit.c, compare_forms[i]->name, style);
		kit_end(&kit);
		snprintf(path, sizeof(path), "tests/data/compare.%s",
			 compare_forms[i]->name);
		if (getenv("TDMEM_WRITE_DATA")) {
			FILE *f = fopen(path, "w");

			fputs(text, f);
			fclose(f);
		}
		want = contents(path);
		assert_string_equal(text, want);
		free(want);
		free(text);
	}
}

/* -------------------------------------------------------------- its rules */

static void only_changes_are_shown_when_there_are_many(void **state)
{
	struct compare_style style = {0};
	struct kit kit;
	char *text;

	(void)state;
	kit_small_begin(&kit);
	text = printed(&kit.c, "text", style);
	assert_non_null(strstr(text, "50.51k"));
	free(text);
	/* The rows are the same ones, but now they count as many. */
	kit.c.group[1].nrows = 3;
	kit.c.row = realloc(memcpy(malloc(30 * sizeof(*kit.c.row)), kit.c.row,
				   8 * sizeof(*kit.c.row)),
			    30 * sizeof(*kit.c.row));
	for (size_t i = 8; i < 30; i++)
		kit.c.row[i] = kit.c.row[5];
	kit.c.group[1].nrows = 25;
	kit.c.nrows = 30;
	text = printed(&kit.c, "text", style);
	assert_null(strstr(text, "50.51k"));
	assert_non_null(strstr(text, "9.531k"));
	assert_non_null(strstr(text, "(3 of 5 rows; no change in the others)"));
	assert_non_null(strstr(text, "livelock"));
	free(text);
	style.all = true;
	text = printed(&kit.c, "text", style);
	assert_non_null(strstr(text, "50.51k"));
	free(text);
	kit.c.nrows = 8;
	struct compare_row *row = kit.c.row;

	kit_end(&kit);
	free(row);
}

static void long_names_are_cut_apart_and_explained(void **state)
{
	static const char *const full[] = {
		"a-policy-with-quite-a-long-name-one-of-them-and-more",
		"a-policy-with-quite-a-long-name-two-of-them-and-more",
	};
	struct compare_style style = {0};
	char *text, cut[2][80];
	struct kit kit;

	(void)state;
	kit_small_begin(&kit);
	kit.c.row[0].key[0] = full[0];
	kit.c.row[1].key[0] = full[1];
	text = printed(&kit.c, "mail", style);
	for (size_t i = 0; i < 2; i++) {
		const char *at = strstr(text, full[i]), *begin = at;

		/* "CUT = FULL", and CUT again in the table below. */
		assert_non_null(at);
		assert_null(strstr(at + 1, full[i]));
		while (begin[-1] != '\n')
			begin--;
		snprintf(cut[i], sizeof(cut[i]), "\n%.*s ",
			 (int)(at - begin) - 3, begin);
		assert_non_null(strstr(at, cut[i]));
	}
	assert_string_not_equal(cut[0], cut[1]);
	free(text);
	kit_end(&kit);
}

static void mmtests_signs_say_better(void **state)
{
	struct compare_style style = {0};
	struct kit kit;
	char *text;

	(void)state;
	kit_small_begin(&kit);
	text = printed(&kit.c, "mmtests", style);
	/* Latency 21 % lower is 21 % better; only medians have stars. */
	assert_non_null(strstr(text, " *  21.00%*\n"));
	assert_non_null(strstr(text, " *  -9.40%*\n"));
	/* 31 % higher, but with too few repeats. */
	assert_non_null(strstr(text, " ( -31.00%)\n"));
	assert_null(strstr(text, "* -31.00%*"));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (strstr(line, "%*"))
			assert_memory_equal(line, "Median", 6);
	free(text);
	kit_end(&kit);
}

static void figures_keep_four_digits(void **state)
{
	static const struct {
		double v;
		const char *unit, *text;
	} of[] = {
		{0, "1/s", "0"},
		{7, "calls", "7"},
		{7.5164, "1/s", "7.516"},
		{999.94, "1/s", "999.9"},
		{999.96, "1/s", "1.000k"},
		{98204, "1/s", "98.20k"},
		{1.2345e6, "1/s", "1.234M"},
		{812, "ns", "812ns"},
		{10123, "ns", "10.12us"},
		{3.204e6, "ns", "3.204ms"},
		{1.5e9, "ns", "1.500s"},
		{1e300, "ns", "1e+291s"},
		{1.2e-5, "%", "1.2e-05"},
		{-3.5, "%", "-3.500"},
	};
	char b[FIGURE];

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(*of); i++)
		assert_string_equal(figure_value(of[i].v, of[i].unit, b),
				    of[i].text);
	assert_string_equal(figure_value((double)NAN, "ns", b), "-");
	assert_string_equal(figure_change(0.0294, b), "+2.9%");
	assert_string_equal(figure_change(-0.0004, b), "0.0%");
	assert_string_equal(figure_change((double)INFINITY, b), "+inf%");
	assert_string_equal(figure_change((double)NAN, b), "-");
	assert_string_equal(
		figure_interval(&(struct interval){-0.0121, 0.08, 0.95}, b),
		"[-1.2,+8.0]");
	assert_string_equal(
		figure_interval(&(struct interval){-0.312, 0.0004, 0.95}, b),
		"[-31,0]");
}

/* ------------------------------------------------------------------ commands
 */

/* A broken command line gives a shell the same words. */
static void commands_can_be_pasted_back(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 40; seed++) {
		struct kit kit = {.arena = arena_new(),
				  .random = seed * 0x9e3779b97f4a7c15u};
		char path[] = "/tmp/tdmem-test-XXXXXX", run[64], got[8192];
		char *command = kit_alloc(&kit, 1, 1 << 16), *text = NULL;
		char *want = kit_alloc(&kit, 1, 1 << 13);
		size_t size, n = 0, nwords = 1 + kit_random(&kit, 6), have;
		struct demand demand = {
			.width = 75, .ascii = true, .trimmed = true};
		FILE *f;

		strcpy(command, "printf '%s\\0'");
		for (size_t i = 0; i < nwords; i++) {
			const char *word = kit_name(&kit);

			strcat(command, " ");
			strcat(command, quoted(&kit, word));
			strcpy(want + n, word);
			n += strlen(word) + 1;
		}
		f = open_memstream(&text, &size);
		assert_true(layout_command(f, 75, 2, command));
		fclose(f);
		check_text(text, &demand);
		f = fdopen(mkstemp(path), "w");
		fputs(text, f);
		fclose(f);
		snprintf(run, sizeof(run), "bash %s", path);
		f = popen(run, "r");
		have = fread(got, 1, sizeof(got), f);
		assert_int_equal(pclose(f), 0);
		remove(path);
		assert_int_equal(have, n);
		assert_memory_equal(got, want, n);
		free(text);
		arena_free(kit.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_is_fit_for_mails),
		cmocka_unit_test(text_keeps_its_width_and_has_no_escapes),
		cmocka_unit_test(other_forms_are_plain),
		cmocka_unit_test(colours_change_nothing_else),
		cmocka_unit_test(markdown_tables_keep_their_columns),
		cmocka_unit_test(json_always_parses),
		cmocka_unit_test(forms_are_as_they_were),
		cmocka_unit_test(only_changes_are_shown_when_there_are_many),
		cmocka_unit_test(long_names_are_cut_apart_and_explained),
		cmocka_unit_test(mmtests_signs_say_better),
		cmocka_unit_test(figures_keep_four_digits),
		cmocka_unit_test(commands_can_be_pasted_back),
	};

	/* For columns(); the program itself needs no locale. */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
