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
	check_plain("\xc2", "\\xc2");
	check_plain("\xe2\x80", "\\xe2\\x80");
	check_plain("\xf3\xa0\x81\x81\xe2\x80\x8b", "\\U000e0041\\u200b");
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
	"workload,policy,vcpus,where,status,repeat,seed,warmup,metric,unit,"   \
	"value,model,partial\n"

static void csv_has_a_row_for_each_value(void **state)
{
	/* clang-format off */
	static const char want[] = CSV_HEAD
		"track,spin,2,\"a,b\",ok,1,7,false,track.rate,1/s,1.5,true,false\n"
		"track,spin,2,\"a,b\",ok,1,7,false,track.latency.p50,ns,100,true,false\n"
		"track,spin,2,\"a,b\",ok,1,7,false,track.latency.p90,ns,300,true,false\n"
		"track,spin,2,\"a,b\",ok,1,7,false,track.latency.p99,ns,300,true,false\n"
		"track,spin,2,\"a,b\",ok,1,7,false,track.latency.p99.9,ns,300,true,false\n"
		"track,spin,2,\"a,b\",ok,1,7,false,track.latency.max,ns,300,true,false\n"
		"track,spin,2,\"a,b\",ok,1,7,false,track.latency.count,values,2,true,false\n"
		"track,spin,2,\"a,b\",ok,1,7,false,kicks.rounds,rounds,0,true,false\n"
		"track,spin,2,\"a,b\",ok,2,8,false,track.rate,1/s,2.5,true,false\n"
		"track,spin,2,\"a,b\",ok,2,8,false,track.latency.p50,ns,200,true,false\n"
		"track,spin,2,\"a,b\",ok,2,8,false,track.latency.p90,ns,400,true,false\n"
		"track,spin,2,\"a,b\",ok,2,8,false,track.latency.p99,ns,400,true,false\n"
		"track,spin,2,\"a,b\",ok,2,8,false,track.latency.p99.9,ns,400,true,false\n"
		"track,spin,2,\"a,b\",ok,2,8,false,track.latency.max,ns,400,true,false\n"
		"track,spin,2,\"a,b\",ok,2,8,false,track.latency.count,values,2,true,false\n"
		"live,\"q\"\"u\\o\\x0a\\x0d\\x09\\x1b[2Jt\\u2028e\\u202e\xc3\xa9\","
		"2,\"a,b\",ok,1,9,false,track.rate,1/s,3,false,false\n"
		"track,\"{\"\"fault\"\":\"\"eagain\"\"}\",2,\"a,b\","
		"unsupported,,,,,,,true,false\n"
		"track,\"'=cmd()\",2,\"a,b\",ok,1,-1,false,,,,true,false\n";
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
	assert_non_null(strstr(kit.text,
			       ",7,false,kicks.rounds,rounds,0,true,false\n"));
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

/* --------------------------------------------------------------------- hgrm */

static void hgrm_merges_repeats(void **state)
{
	/* clang-format off */
	static const char want[] =
		"       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
		"     100.000 0.000000000000          1           1.00\n"
		"     100.000 0.100000000000          1           1.11\n"
		"     100.000 0.200000000000          1           1.25\n"
		"     200.000 0.300000000000          2           1.43\n"
		"     200.000 0.400000000000          2           1.67\n"
		"     200.000 0.500000000000          2           2.00\n"
		"     300.000 0.550000000000          3           2.22\n"
		"     300.000 0.600000000000          3           2.50\n"
		"     300.000 0.650000000000          3           2.86\n"
		"     300.000 0.700000000000          3           3.33\n"
		"     300.000 0.750000000000          3           4.00\n"
		"     400.000 0.775000000000          4           4.44\n"
		"     400.000 1.000000000000          4\n"
		"#[Mean    =      250.000, StdDeviation   =      111.803]\n"
		"#[Max     =      400.000, Total count    =            4]\n"
		"#[Buckets =           32, SubBuckets     =          512]\n"
		"# tdmem: track.latency, ns, model output, not a measurement\n";
	/* clang-format on */
	const char *metric = "track.latency";
	struct kit kit = {.request.metrics = {&metric, 1}};

	(void)state;
	kit_run(&kit, "hgrm", KIT_RESULT);
	assert_int_equal(kit.status, 0);
	assert_string_equal(kit.text, want);
	kit_end(&kit);
}

#define KIT_OVERFLOW                                                           \
	"\"track.latency\":{\"count\":2,\"overflow\":1,\"min\":5,"             \
	"\"max\":2000000000000,\"buckets\":[[5,1]]}"

static void hgrm_has_no_mean_of_what_overflowed(void **state)
{
	const char *metric = "track.latency";
	struct kit kit = {.request.metrics = {&metric, 1}};

	(void)state;
	kit_run(&kit, "hgrm",
		KIT_TOP KIT_CELL("track", "1", "ok", "",
				 KIT_REPEAT(1, "", KIT_OVERFLOW)) "]}");
	assert_int_equal(kit.status, 0);
	assert_null(strstr(kit.text, "Mean"));
	assert_non_null(strstr(kit.text, "       5.000 0.500000000000 "));
	assert_non_null(strstr(kit.text, "2000000000000.000 1.000000000000 "));
	assert_non_null(strstr(kit.text, "Total count    =            2]"));
	kit_end(&kit);
}

static void hgrm_refuses(const char *metric, const char *result,
			 enum exit_status status)
{
	struct kit kit = {.request.metrics = {&metric, 1}};

	kit_run(&kit, "hgrm", result);
	assert_int_equal(kit.status, -1);
	assert_int_equal(kit.e.status, status);
	kit_end(&kit);
}

static void hgrm_is_of_one_histogram(void **state)
{
	(void)state;
	hgrm_refuses("track.rate", KIT_RESULT, EXIT_USAGE);
	hgrm_refuses("nonsense", KIT_RESULT, EXIT_USAGE);
	hgrm_refuses("track.latency", KIT_TOP KIT_CELLS "," KIT_CELLS "]}",
		     EXIT_USAGE);
	hgrm_refuses("track.latency", KIT_TOP "]}", EXIT_FAILED);
}

/* -------------------------------------------------------------- openmetrics */

#define OM_SPIN                                                                \
	"workload=\"track\",policy=\"spin\",vcpus=\"2\",where=\"a,b\","        \
	"model=\"true\""

#define OM_HOSTILE                                                             \
	"q\\\"u\\\\o\\\\x0a\\\\x0d\\\\x09\\\\x1b["                             \
	"2Jt\\\\u2028e\\\\u202e\xc3\xa9"

static void openmetrics_has_families(void **state)
{
	/* clang-format off */
	static const char *const want[] = {
		"# TYPE tdmem_run info\n",
		"tdmem_run_info{config=\"" OM_HOSTILE
			"\",version=\"0.1\",partial=\"false\"} 1\n",
		"tdmem_cell_info{" OM_SPIN ",status=\"ok\",reason=\"\"} 1\n",
		"status=\"unsupported\",reason=\"no\\\\x0aCPUs # left\"} 1\n",
		"policy=\"{\\\"fault\\\":\\\"eagain\\\"}\"",
		"# TYPE tdmem_track_rate_per_second gauge\n"
		"# UNIT tdmem_track_rate_per_second per_second\n"
		"# HELP tdmem_track_rate_per_second done: \\\"all\\\"\\\\x0a\n"
		"tdmem_track_rate_per_second{" OM_SPIN "} 2\n"
		"tdmem_track_rate_per_second{workload=\"live\",policy=\""
			OM_HOSTILE "\",vcpus=\"2\",where=\"a,b\","
			"model=\"false\"} 3\n#",
		"# TYPE tdmem_track_latency_seconds summary\n"
		"# UNIT tdmem_track_latency_seconds seconds\n"
		"# HELP tdmem_track_latency_seconds time of one\n"
		"tdmem_track_latency_seconds{" OM_SPIN
			",quantile=\"0.5\"} 2e-07\n",
		"tdmem_track_latency_seconds{" OM_SPIN
			",quantile=\"1.0\"} 4e-07\n"
		"tdmem_track_latency_seconds_count{" OM_SPIN "} 4\n#",
		"tdmem_kicks_rounds{" OM_SPIN "} 0\n# EOF\n",
	};
	/* clang-format on */
	struct kit kit = {0};

	(void)state;
	kit_run(&kit, "openmetrics", KIT_RESULT);
	assert_int_equal(kit.status, 0);
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
		if (!strstr(kit.text, want[i]))
			fail_msg("not there: %s", want[i]);
	assert_null(strstr(kit.text, "events")); /* nobody has it */
	kit_end(&kit);
}

static void openmetrics_names_are_names(void **state)
{
	static const char cell[] =
		"{\"axes\":{\"workload\":\"track\",\"mo\\ndel\":1,"
		"\"model\":2,\"1\":3},\"status\":\"ok\",\"repeats\":[]}]}";
	static const char twice[] =
		"{\"axes\":{\"workload\":\"track\",\"a b\":1,\"a-b\":2},"
		"\"status\":\"ok\",\"repeats\":[]}]}";
	char text[2000];
	struct kit kit = {0};

	(void)state;
	snprintf(text, sizeof(text), "%s%s", KIT_TOP, cell);
	kit_run(&kit, "openmetrics", text);
	assert_int_equal(kit.status, 0);
	assert_non_null(strstr(kit.text, "mo_del=\"1\",axis_model=\"2\","
					 "axis_1=\"3\",model=\"true\""));
	kit_end(&kit);
	snprintf(text, sizeof(text), "%s%s", KIT_TOP, twice);
	kit_run(&kit, "openmetrics", text);
	assert_int_equal(kit.status, -1);
	kit_end(&kit);
	kit_run(&kit, "openmetrics", KIT_TOP "]}");
	assert_int_equal(kit.status, 0);
	assert_non_null(strstr(kit.text, "} 1\n# EOF\n"));
	kit_end(&kit);
}

/* ------------------------------------------------------------ trend services
 */

static json_t *kit_json(struct kit *kit, const char *format, const char *metric)
{
	json_t *json;

	memset(kit, 0, sizeof(*kit));
	if (metric)
		kit->request.metrics = (struct strings){&metric, 1};
	kit_run(kit, format, KIT_RESULT);
	assert_int_equal(kit->status, 0);
	json = json_loads(kit->text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	kit_end(kit);
	return json;
}

static void check_entry(const json_t *list, size_t index, const char *name,
			double value, const char *range, const char *extra)
{
	const json_t *entry = json_array_get(list, index);

	assert_string_equal(json_string_value(json_object_get(entry, "name")),
			    name);
	assert_float_equal(json_number_value(json_object_get(entry, "value")),
			   value, 1e-9);
	assert_string_equal(json_string_value(json_object_get(entry, "range")),
			    range);
	assert_string_equal(json_string_value(json_object_get(entry, "extra")),
			    extra);
}

#define KIT_MODEL "model output, not a measurement; "

static void github_takes_one_direction(void **state)
{
	static const char spin[] = "track policy=spin vcpus=2 where=a,b ";
	char name[80];
	struct kit kit;
	json_t *list = kit_json(&kit, "github-bigger", NULL);

	(void)state;
	assert_int_equal(json_array_size(list), 2);
	snprintf(name, sizeof(name), "%strack.rate", spin);
	check_entry(list, 0, name, 2, "\xc2\xb1 0.5", KIT_MODEL "median of 2");
	check_entry(list, 1,
		    "live policy=q\"u\\o\\x0a\\x0d\\x09\\x1b[2Jt\\u2028e"
		    "\\u202e\xc3\xa9 vcpus=2 where=a,b track.rate",
		    3, "\xc2\xb1 0", "median of 1");
	json_decref(list);
	list = kit_json(&kit, "github-smaller", NULL);
	assert_int_equal(json_array_size(list), 2);
	snprintf(name, sizeof(name), "%strack.latency.p50", spin);
	check_entry(list, 0, name, 150, "\xc2\xb1 50", KIT_MODEL "median of 2");
	snprintf(name, sizeof(name), "%strack.latency.p99", spin);
	check_entry(list, 1, name, 350, "\xc2\xb1 50", KIT_MODEL "median of 2");
	json_decref(list);
	list = kit_json(&kit, "github-smaller", "kicks.rounds");
	assert_int_equal(json_array_size(list), 1);
	snprintf(name, sizeof(name), "%skicks.rounds", spin);
	check_entry(list, 0, name, 0, "\xc2\xb1 0", KIT_MODEL "median of 1");
	json_decref(list);
}

static void github_refuses_the_other_direction(void **state)
{
	const char *metric = "track.rate";
	struct kit kit = {.request.metrics = {&metric, 1}};

	(void)state;
	kit_run(&kit, "github-smaller", KIT_RESULT);
	assert_int_equal(kit.status, -1);
	assert_int_equal(kit.e.status, EXIT_USAGE);
	kit_end(&kit);
}

static void bmf_has_measures(void **state)
{
	struct kit kit;
	json_t *all = kit_json(&kit, "bmf", NULL), *one;
	double value, low, high;

	(void)state;
	assert_int_equal(json_object_size(all), 2);
	one = json_object_get(all, "track policy=spin vcpus=2 where=a,b");
	assert_int_equal(json_object_size(one), 3);
	assert_int_equal(json_unpack(json_object_get(one, "track.rate"),
				     "{sfsfsf!}", "value", &value,
				     "lower_value", &low, "upper_value", &high),
			 0);
	assert_float_equal(value, 2, 1e-9);
	assert_float_equal(low, 1.5, 1e-9);
	assert_float_equal(high, 2.5, 1e-9);
	json_decref(all);
	all = kit_json(&kit, "bmf", "run.events"); /* nobody has it */
	assert_int_equal(json_object_size(all), 0);
	json_decref(all);
}

/* --------------------------------------------------------------------- ktap */

static void ktap_has_a_point_for_each_cell(void **state)
{
	/* clang-format off */
	static const char hostile[] =
		"q\"u?o?x0a?x0d?x09?x1b[2Jt?u2028e?u202e\xc3\xa9";
	/* clang-format on */
	char want[1000];
	struct kit kit = {0};

	(void)state;
	snprintf(want, sizeof(want),
		 "KTAP version 1\n1..4\n"
		 "# tdmem %s, model output, not a measurement\n"
		 "ok 1 track policy=spin vcpus=2 where=a,b\n"
		 "ok 2 live policy=%s vcpus=2 where=a,b\n"
		 "ok 3 track policy={\"fault\":\"eagain\"} vcpus=2 where=a,b"
		 " # SKIP no?x0aCPUs ? left\n"
		 "# vm-bugged: %s\n"
		 "not ok 4 track policy==cmd() vcpus=2 where=a,b\n",
		 hostile, hostile, hostile);
	kit_run(&kit, "ktap", KIT_RESULT);
	assert_int_equal(kit.status, 0);
	assert_string_equal(kit.text, want);
	kit_end(&kit);
}

static void ktap_knows_what_failed(void **state)
{
	static const struct {
		const char *status, *begin;
	} cases[] = {
		{"ok", "\nok 1 "},	    {"livelock", "\nnot ok 1 "},
		{"timeout", "\nnot ok 1 "}, {"failed", "\nnot ok 1 "},
		{"unheard", "\nnot ok 1 "}, {"vm-bugged", "\nnot ok 1 "},
		{"unsupported", "\nok 1 "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kit kit = {0};
		char text[2000];

		snprintf(text, sizeof(text),
			 "%s{\"axes\":{\"workload\":\"track\"},\"status\":"
			 "\"%s\",\"reason\":\"\",\"repeats\":[]}]}",
			 KIT_TOP, cases[i].status);
		kit_run(&kit, "ktap", text);
		assert_int_equal(kit.status, 0);
		assert_non_null(strstr(kit.text, cases[i].begin));
		assert_int_equal(!!strstr(kit.text, "# SKIP unsupported\n"),
				 !strcmp(cases[i].status, "unsupported"));
		kit_end(&kit);
	}
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
		cmocka_unit_test(hgrm_merges_repeats),
		cmocka_unit_test(hgrm_has_no_mean_of_what_overflowed),
		cmocka_unit_test(hgrm_is_of_one_histogram),
		cmocka_unit_test(openmetrics_has_families),
		cmocka_unit_test(openmetrics_names_are_names),
		cmocka_unit_test(github_takes_one_direction),
		cmocka_unit_test(github_refuses_the_other_direction),
		cmocka_unit_test(bmf_has_measures),
		cmocka_unit_test(ktap_has_a_point_for_each_cell),
		cmocka_unit_test(ktap_knows_what_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
