/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module scripts on real threads: the same answers as on the machine that can
 * be stopped anywhere, up to the first line that needs just that.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bench/script/script.h"

/* Lines of a script before its first race; *race: there is one. */
static size_t lines_before_race(const char *path, bool *race)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t room = 0, n = 0;

	assert_non_null(f);
	*race = false;
	while (!*race && getline(&line, &room, f) > 0) {
		*race = strstr(line, "\"race\"");
		n += !*race && line[0] == '{';
	}
	free(line);
	fclose(f);
	return n;
}

static int replay(const char *path, struct script_result *result, struct err *e)
{
	const struct script_options options = {
		.name = path,
		.diag = stderr,
		.keep_going = true,
		.threads = true,
	};
	FILE *in = fopen(path, "r");
	int ret;

	assert_non_null(in);
	ret = script_run(in, &options, result, e);
	fclose(in);
	return ret;
}

static void replay_one(const char *path, size_t *whole, size_t *answers)
{
	struct script_result result;
	struct err e = {.text = ""};
	bool race;
	size_t lines = lines_before_race(path, &race);
	int ret = replay(path, &result, &e);

	print_message("%-36s %6zu lines %6zu answers%s\n", path, result.lines,
		      result.expectations, race ? ", then a race" : "");
	if (ret && !race)
		print_message("%s\n", e.text);
	assert_int_equal(ret, race ? -1 : 0);
	if (race)
		assert_int_equal(e.status, EXIT_UNSUPPORTED);
	assert_int_equal(result.lines, lines);
	assert_int_equal(result.mismatches, 0);
	*whole += !race;
	*answers += result.expectations;
}

static void test_scripts(void **state)
{
	size_t whole = 0, answers = 0;
	glob_t found;

	(void)state;
	assert_int_equal(glob("tests/module/*.jsonl", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		replay_one(found.gl_pathv[i], &whole, &answers);
	print_message("%zu of %zu scripts to their end, %zu answers\n", whole,
		      found.gl_pathc, answers);
	assert_true(whole >= 29);
	assert_true(answers > 10000);
	globfree(&found);
}

/* An answer that differs is found there as well. */
static void test_mismatch(void **state)
{
	static char text[] =
		"{\"op\":\"tdmr\",\"base\":\"0x100000000\","
		"\"size\":\"0x100000000\"}\n"
		"{\"op\":\"td\",\"td\":0,\"vcpus\":1,\"gpaw\":48,"
		"\"state\":\"runnable\"}\n"
		"{\"op\":\"call\",\"name\":\"TDH.MEM.TRACK\",\"td\":0,"
		"\"expect\":{\"status\":\"0x1\"}}\n";
	const struct script_options options = {.name = "x", .threads = true};
	FILE *in = fmemopen(text, sizeof(text) - 1, "r");
	struct script_result result;
	struct err e;

	(void)state;
	assert_non_null(in);
	assert_int_equal(script_run(in, &options, &result, &e), 0);
	assert_int_equal(result.first_mismatch, 3);
	fclose(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_mismatch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
