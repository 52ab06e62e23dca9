/* SPDX-License-Identifier: GPL-2.0-only */
/* Warm-ups, partial results, and axes that the run made: in every format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "export_kit.h"
#include <cmocka.h> /* behind ours: its fail() is a macro */

#define WARM(seed, metrics, hists)                                             \
	"{\"warmup\":true,\"seed\":" #seed                                     \
	",\"status\":\"ok\",\"metrics\":{" metrics "},\"histograms\":{" hists  \
	"}}"

#define SIDE(side, status, repeats)                                            \
	"{\"axes\":{\"workload\":\"track\",\"policy\":\"spin\",\"vcpus\":2,"   \
	"\"side\":\"" side "\"},\"status\":\"" status                          \
	"\",\"reason\":\"\",\"notes\":[],\"repeats\":[" repeats "]}"

#define HIST(a, b) "\"track.latency\":" KIT_HIST(a, b)

/* The warm-up is ten times as fast, and so are its latencies. */
#define CELLS                                                                  \
	SIDE("base", "ok",                                                     \
	     WARM(6, "\"track.rate\":70", HIST(7, 77)) "," KIT_REPEAT(         \
		     7, "\"track.rate\":5", HIST(500, 600)))                   \
	",\n" SIDE("new", "ok",                                                \
		   WARM(6, "\"track.rate\":90", HIST(9, 99)) "," KIT_REPEAT(   \
			   7, "\"track.rate\":6", HIST(300, 400)))

#define RESULT KIT_TOP CELLS "]}"

static const char *const all_formats[] = {
	"csv",	"hgrm",		 "hlog",	   "openmetrics",
	"ktap", "github-bigger", "github-smaller", "bmf"};

enum { NR_FORMATS = sizeof(all_formats) / sizeof(*all_formats) };

/* What hgrm needs, and what no other format minds. */
static void run(struct kit *kit, const char *format, const char *result)
{
	static const char *metric = "track.latency", *cell = "side=new";

	memset(kit, 0, sizeof(*kit));
	if (strcmp(format, "hgrm") == 0) {
		kit->request.metrics = (struct strings){&metric, 1};
		kit->request.cells = (struct strings){&cell, 1};
	}
	kit_run(kit, format, result);
	assert_int_equal(kit->status, 0);
}

/* RESULT as a stopped run leaves it; for free(). */
static char *make_partial(void)
{
	char *text = strdup(RESULT);
	char *at = text ? strstr(text, "\"partial\":false") : NULL;

	assert_non_null(at);
	memcpy(at, "\"partial\": true", 15);
	return text;
}

static void all_are_tried(void **state)
{
	size_t n = 0;

	(void)state;
	while (export_formats[n])
		n++;
	assert_int_equal(n, NR_FORMATS);
}

static void csv_marks_warmups(void **state)
{
	struct kit kit;

	(void)state;
	run(&kit, "csv", RESULT);
	assert_non_null(strstr(kit.text, ",base,ok,1,6,true,track.rate,1/s,"
					 "70,true,false\n"));
	assert_non_null(strstr(kit.text, ",base,ok,2,7,false,track.rate,1/s,"
					 "5,true,false\n"));
	kit_end(&kit);
}

static void others_leave_warmups_out(void **state)
{
	/* Figures that only a warm-up can have given. */
	static const struct {
		const char *format, *good, *bad;
	} cases[] = {
		{"hgrm", "  300.000 0.5", "    9.000"},
		{"hgrm", "Total count    =            2]", "   99.000"},
		{"openmetrics", "model=\"true\"} 6\n", "} 90\n"},
		{"openmetrics", "_count{", "} 4\n"},
		{"github-bigger", "\"value\": 6.0", "90"},
		{"github-bigger", "median of 1", "median of 2"},
		{"github-smaller", "\"value\": 300.0", "\"value\": 9.0"},
		{"bmf", "\"upper_value\": 6.0", "90"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kit kit;

		run(&kit, cases[i].format, RESULT);
		if (!strstr(kit.text, cases[i].good))
			fail_msg("%s: no %s", cases[i].format, cases[i].good);
		if (strstr(kit.text, cases[i].bad))
			fail_msg("%s: %s", cases[i].format, cases[i].bad);
		kit_end(&kit);
	}
}

static void partial_results_are_marked(void **state)
{
	static const char *const mark[NR_FORMATS] = {
		",true,true\n",
		"partial: the run was stopped\n",
		"partial: the run was stopped]\n",
		"partial=\"true\"",
		"partial: the run was stopped\n",
		"partial: the run was stopped; ",
		"partial: the run was stopped; ",
		NULL, /* bmf has no place for it */
	};
	char *partial = make_partial();

	(void)state;
	for (size_t i = 0; i < NR_FORMATS; i++) {
		struct kit kit;

		if (!mark[i])
			continue;
		run(&kit, all_formats[i], RESULT);
		if (strstr(kit.text, mark[i]))
			fail_msg("%s: marked", all_formats[i]);
		kit_end(&kit);
		run(&kit, all_formats[i], partial);
		if (!strstr(kit.text, mark[i]))
			fail_msg("%s: not marked", all_formats[i]);
		kit_end(&kit);
	}
	free(partial);
}

static void the_caller_is_told_of_partial_ones(void **state)
{
	char *partial = make_partial();

	(void)state;
	for (size_t i = 0; i < NR_FORMATS; i++) {
		const char *metric = "track.latency", *cell = "side=new";
		bool told = false;
		struct kit kit = {.request.partial = &told};

		if (strcmp(all_formats[i], "hgrm") == 0) {
			kit.request.metrics = (struct strings){&metric, 1};
			kit.request.cells = (struct strings){&cell, 1};
		}
		kit_run(&kit, all_formats[i], partial);
		assert_int_equal(kit.status, 0);
		assert_true(told);
		kit_end(&kit);
		told = true;
		kit_run(&kit, all_formats[i], RESULT);
		assert_false(told);
		kit_end(&kit);
	}
	free(partial);
}

static void sides_are_told_apart(void **state)
{
	static const char *const want[NR_FORMATS][2] = {
		{"track,spin,2,,base,ok,", "track,spin,2,,new,ok,"},
		{"300.000", "400.000"}, /* --cell side=new */
		{";side=base,", ";side=new,"},
		{",side=\"base\",", ",side=\"new\","},
		{" side=base\n", " side=new\n"},
		{" side=base track.rate\"", " side=new track.rate\""},
		{" side=base track.latency.p50\"",
		 " side=new track.latency.p50\""},
		{" side=base\"", " side=new\""},
	};

	(void)state;
	for (size_t i = 0; i < NR_FORMATS; i++) {
		struct kit kit;

		run(&kit, all_formats[i], RESULT);
		for (int side = 0; side < 2; side++)
			if (!strstr(kit.text, want[i][side]))
				fail_msg("%s: no %s", all_formats[i],
					 want[i][side]);
		kit_end(&kit);
	}
}

static void csv_loses_no_axis(void **state)
{
	struct kit kit = {0};

	(void)state;
	kit_run(&kit, "csv",
		KIT_TOP KIT_CELL("track", "1", "ok", "", "") "," CELLS "]}");
	assert_int_equal(kit.status, -1);
	kit_end(&kit);
}

static void a_cell_of_warmups_has_no_figures(void **state)
{
	static const char only[] =
		KIT_TOP SIDE("new", "livelock",
			     WARM(6, "\"track.rate\":70", HIST(7, 77))) "]}";
	struct kit kit;

	(void)state;
	run(&kit, "openmetrics", only);
	assert_null(strstr(kit.text, "track_rate"));
	assert_non_null(strstr(kit.text, "status=\"livelock\""));
	kit_end(&kit);
	run(&kit, "csv", only);
	assert_non_null(strstr(kit.text, "true,track.rate,1/s,70"));
	kit_end(&kit);
	run(&kit, "hlog", only);
	assert_null(strstr(kit.text, "Tag="));
	kit_end(&kit);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_tried),
		cmocka_unit_test(csv_marks_warmups),
		cmocka_unit_test(others_leave_warmups_out),
		cmocka_unit_test(partial_results_are_marked),
		cmocka_unit_test(the_caller_is_told_of_partial_ones),
		cmocka_unit_test(sides_are_told_apart),
		cmocka_unit_test(csv_loses_no_axis),
		cmocka_unit_test(a_cell_of_warmups_has_no_figures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
