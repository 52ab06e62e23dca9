/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "export_kit.h"
#include <cmocka.h> /* behind ours: its fail() is a macro */

static void formats_are_complete(void **state)
{
	(void)state;
	for (size_t i = 0; export_formats[i]; i++) {
		const struct export_format *f = export_formats[i];

		assert_non_null(f->function);
		assert_true(f->summary[0]);
		assert_ptr_equal(kit_format(f->name), f);
	}
}

/* --------------------------------------------------------------------- text */

static void check_plain(const char *text, const char *want)
{
	char *plain = export_plain(text);

	assert_string_equal(plain, want);
	free(plain);
}

static void texts_are_made_harmless(void **state)
{
	(void)state;
	check_plain("", "");
	check_plain("a\n\x1b\x7f", "a\\x0a\\x1b\\x7f");
	check_plain("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa7",
		    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa7");
	check_plain("\xc2\x85\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6",
		    "\\u0085\\u2028\\u202e\\u2066");
	/* no UTF-8: nothing is read behind the end */
	check_plain("\xc2", "\xc2");
	check_plain("\xe2\x80", "\xe2\x80");
}

/* ---------------------------------------------------------------- selection */

static void check_error(const char *result, const char *metric,
			const char *cell, const char *want)
{
	struct kit kit = {0};

	if (metric)
		kit.request.metrics = (struct strings){&metric, 1};
	if (cell)
		kit.request.cells = (struct strings){&cell, 1};
	kit_run(&kit, "csv", result);
	assert_int_equal(kit.status, -1);
	assert_int_equal(kit.e.status, EXIT_USAGE);
	assert_non_null(strstr(kit.e.text, want));
	kit_end(&kit);
}

static void what_is_not_there_is_an_error(void **state)
{
	(void)state;
	check_error(KIT_RESULT, "track.rat", NULL, "track.rat");
	check_error(KIT_RESULT, NULL, "policy=none", "policy=none");
	check_error(KIT_RESULT, NULL, "polic=spin", "polic=spin");
	check_error("{\"cells\":[]}", NULL, NULL, "schema");
	check_error(KIT_TOP "{}]}", NULL, NULL, "not a cell");
	check_error(KIT_TOP "{\"axes\":{\"workload\":3}}]}", NULL, NULL,
		    "not a cell");
	check_error(KIT_TOP KIT_CELL(
			    "track", "1", "ok", "",
			    KIT_REPEAT(1, "\"track.rate\":\"no\"", "")) "]}",
		    NULL, NULL, "not a cell");
	check_error(
		KIT_TOP KIT_CELL("track", "1", "ok", "",
				 KIT_REPEAT(1, "", "\"track.latency\":7")) "]}",
		NULL, NULL, "not a cell");
}

static void cells_are_selected(void **state)
{
	const char *const where[] = {"policy={\"fault\":\"eagain\"}",
				     "vcpus=2"};
	struct kit kit = {0};

	(void)state;
	kit.request.cells = (struct strings){(const char **)where, 2};
	kit_run(&kit, "csv", KIT_RESULT);
	assert_int_equal(kit.status, 0);
	assert_non_null(strstr(kit.text, "unsupported"));
	assert_null(strstr(kit.text, "spin"));
	kit_end(&kit);
}

/* ---------------------------------------------------------------------- csv */

#define CSV_HEAD                                                               \
	"workload,policy,vcpus,where,status,repeat,seed,metric,unit,value,"    \
	"model\n"

static void csv_has_a_row_for_each_value(void **state)
{
	/* clang-format off */
	static const char want[] = CSV_HEAD
		"track,spin,2,\"a,b\",ok,1,7,track.rate,1/s,1.5,true\n"
		"track,spin,2,\"a,b\",ok,1,7,track.latency.p50,ns,100,true\n"
		"track,spin,2,\"a,b\",ok,1,7,track.latency.p90,ns,300,true\n"
		"track,spin,2,\"a,b\",ok,1,7,track.latency.p99,ns,300,true\n"
		"track,spin,2,\"a,b\",ok,1,7,track.latency.p99.9,ns,300,true\n"
		"track,spin,2,\"a,b\",ok,1,7,track.latency.max,ns,300,true\n"
		"track,spin,2,\"a,b\",ok,1,7,track.latency.count,values,2,true\n"
		"track,spin,2,\"a,b\",ok,1,7,kicks.rounds,rounds,0,true\n"
		"track,spin,2,\"a,b\",ok,2,8,track.rate,1/s,2.5,true\n"
		"track,spin,2,\"a,b\",ok,2,8,track.latency.p50,ns,200,true\n"
		"track,spin,2,\"a,b\",ok,2,8,track.latency.p90,ns,400,true\n"
		"track,spin,2,\"a,b\",ok,2,8,track.latency.p99,ns,400,true\n"
		"track,spin,2,\"a,b\",ok,2,8,track.latency.p99.9,ns,400,true\n"
		"track,spin,2,\"a,b\",ok,2,8,track.latency.max,ns,400,true\n"
		"track,spin,2,\"a,b\",ok,2,8,track.latency.count,values,2,true\n"
		"live,\"q\"\"u\\o\\x0a\\x0d\\x09\\x1b[2Jt\\u2028e\\u202e\xc3\xa9\","
		"2,\"a,b\",ok,1,9,track.rate,1/s,3,false\n"
		"track,\"{\"\"fault\"\":\"\"eagain\"\"}\",2,\"a,b\","
		"unsupported,,,,,,true\n"
		"track,\"'=cmd()\",2,\"a,b\",ok,1,-1,,,,true\n";
	/* clang-format on */
	struct kit kit = {0};

	(void)state;
	kit_run(&kit, "csv", KIT_RESULT);
	assert_int_equal(kit.status, 0);
	assert_string_equal(kit.text, want);
	kit_end(&kit);
}

static void csv_of_one_metric(void **state)
{
	const char *metric = "kicks.rounds";
	struct kit kit = {.request.metrics = {&metric, 1}};

	(void)state;
	kit_run(&kit, "csv", KIT_RESULT);
	assert_int_equal(kit.status, 0);
	assert_non_null(strstr(kit.text, ",7,kicks.rounds,rounds,0,true\n"));
	assert_null(strstr(kit.text, ",8,")); /* it was not measured there */
	assert_null(strstr(kit.text, "track.rate"));
	kit_end(&kit);
}

static void csv_of_no_cells(void **state)
{
	struct kit kit = {0};

	(void)state;
	kit_run(&kit, "csv", KIT_TOP "]}");
	assert_int_equal(kit.status, 0);
	assert_string_equal(kit.text, CSV_HEAD);
	kit_end(&kit);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_are_complete),
		cmocka_unit_test(texts_are_made_harmless),
		cmocka_unit_test(what_is_not_there_is_an_error),
		cmocka_unit_test(cells_are_selected),
		cmocka_unit_test(csv_has_a_row_for_each_value),
		cmocka_unit_test(csv_of_one_metric),
		cmocka_unit_test(csv_of_no_cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
