/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bench/base/names.h"
#include "bench/base/table.h"

static void figures_have_three_digits_and_a_unit(void **state)
{
	char b[FIGURE];

	(void)state;
	assert_string_equal(format_rate(0, b), "0/s");
	assert_string_equal(format_rate(7.516, b), "7.52/s");
	assert_string_equal(format_rate(999.4, b), "999/s");
	assert_string_equal(format_rate(999.6, b), "1.00k/s");
	assert_string_equal(format_rate(98200, b), "98.2k/s");
	assert_string_equal(format_rate(1.234e6, b), "1.23M/s");
	assert_string_equal(format_rate((double)NAN, b), "-");
	assert_string_equal(format_ns(0, b), "0ns");
	assert_string_equal(format_ns(999, b), "999ns");
	assert_string_equal(format_ns(10149, b), "10.1us");
	assert_string_equal(format_ns(9996, b), "10.0us");
	assert_string_equal(format_ns(1020000000, b), "1.02s");
	assert_string_equal(format_ns(3600000000000, b), "3600s");
	assert_string_equal(format_count(31.62, b), "31.6");
	assert_string_equal(format_count(8192, b), "8.19k");
}

static char *printed(struct table *t)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	table_print(t, f);
	fclose(f);
	assert_null(t->cell);
	return text;
}

static void columns_are_aligned(void **state)
{
	struct table t;
	char *text;

	(void)state;
	table_init(&t, 3, 1, 1);
	for (int i = 0; i < 3; i++)
		table_add(&t, "%s", i ? "head" : "name");
	table_add(&t, "longer name");
	table_add(&t, "%d", 1);
	table_add(&t, "%d", 123456);
	text = printed(&t);
	assert_string_equal(text, "  name         head    head\n"
				  "  longer name     1  123456\n");
	free(text);
}

static void wide_tables_are_printed_in_parts(void **state)
{
	struct table t;
	char *text, *line;
	int key_lines = 0;

	(void)state;
	table_init(&t, 31, 1, 1);
	for (int row = 0; row < 2; row++)
		for (int c = 0; c < 31; c++)
			table_add(&t, "%s%d", c ? "column" : "key", row);
	text = printed(&t);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		assert_true(strlen(line) <= TABLE_WIDTH);
		assert_memory_equal(line, "  key", 5);
		key_lines++;
	}
	/* 30 columns of 7 and a gap: 9 a part, so 4 parts of 2 rows */
	assert_int_equal(key_lines, 8);
	free(text);
}

static void text_is_wrapped(void **state)
{
	char *text = NULL, *line, words[600] = "";
	size_t size;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	for (int i = 0; i < 60; i++)
		strcat(words, "wordword ");
	print_wrapped(f, 4, words);
	fclose(f);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		assert_true(strlen(line) <= TABLE_WIDTH);
		assert_memory_equal(line, "    w", 5);
	}
	free(text);
}

static void near_names_are_suggested(void **state)
{
	static const char *const names[] = {"vcpus", "policy", "pages", NULL};
	char b[200];

	(void)state;
	assert_int_equal(find_name("pages", array_name, names), 2);
	assert_int_equal(find_name("page", array_name, names), -1);
	assert_string_equal(
		unknown_name("vcpu", "key", array_name, names, b, sizeof(b)),
		"unknown key \"vcpu\"; did you mean \"vcpus\"?");
	assert_string_equal(
		unknown_name("polcy", "key", array_name, names, b, sizeof(b)),
		"unknown key \"polcy\"; did you mean \"policy\"?");
	assert_string_equal(
		unknown_name("colour", "key", array_name, names, b, sizeof(b)),
		"unknown key \"colour\"; expected one of vcpus, policy, pages");
}

static void long_names_are_harmless(void **state)
{
	static const char *const names[] = {"vcpus", NULL};
	char longer[5000], b[100];

	(void)state;
	memset(longer, 'v', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	unknown_name(longer, "key", array_name, names, b, sizeof(b));
	assert_true(strlen(b) < sizeof(b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_have_three_digits_and_a_unit),
		cmocka_unit_test(columns_are_aligned),
		cmocka_unit_test(wide_tables_are_printed_in_parts),
		cmocka_unit_test(text_is_wrapped),
		cmocka_unit_test(near_names_are_suggested),
		cmocka_unit_test(long_names_are_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
