/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/report/report.h"
#include "bench/result/encode.h"
#include "bench/result/result.h"
#include "bench/stats/stats.h"

/* A file of this text, removed by the caller. */
static void put_file(char path[32], const char *text)
{
	FILE *f;
	int fd;

	strcpy(path, "/tmp/tdmem-test-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* ------------------------------------------------------------- histograms */

static void histograms_come_back(void **state)
{
	struct hist *h = calloc(1, sizeof(*h)), *back = calloc(1, sizeof(*h));
	json_t *json;

	(void)state;
	for (uint64_t v = 1; v < 1ull << 42; v = v * 7 + 3)
		hist_record(h, v);
	json = encode_hist(h);
	assert_non_null(json);
	assert_int_equal(decode_hist(json, back), 0);
	back->sum = h->sum; /* is not written */
	assert_memory_equal(h, back, sizeof(*h));
	/* added to what is there already */
	assert_int_equal(decode_hist(json, back), 0);
	assert_int_equal(back->count, 2 * h->count);
	assert_int_equal(back->overflow, 2 * h->overflow);
	json_decref(json);
	free(h);
	free(back);
}

static void no_histograms_are_refused(void **state)
{
	/* clang-format off */
	static const char *const bad[] = {
		"{}",
		"{'count':1,'overflow':0,'min':1,'max':1}",
		"{'count':-1,'overflow':0,'min':1,'max':1,'buckets':[]}",
		"{'count':1,'overflow':0,'min':1,'max':1,'buckets':[[1]]}",
		"{'count':1,'overflow':0,'min':1,'max':1,'buckets':[[-1,1]]}",
		"{'count':1,'overflow':0,'min':1,'max':1,'buckets':[[16384,1]]}",
		"{'count':1,'overflow':0,'min':1,'max':1,'buckets':[[1,0]]}",
		"{'count':1,'overflow':0,'min':1,'max':1,'buckets':[7]}",
	};
	/* clang-format on */
	struct hist *h = calloc(1, sizeof(*h));

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char text[200];
		json_t *json;

		snprintf(text, sizeof(text), "%s", bad[i]);
		for (char *p = text; *p; p++)
			*p = *p == '\'' ? '"' : *p;
		json = json_loads(text, 0, NULL);
		assert_non_null(json);
		if (decode_hist(json, h) == 0)
			fail_msg("%s was taken", bad[i]);
		json_decref(json);
	}
	free(h);
}

static void repeats_hold_what_was_measured(void **state)
{
	struct sample s;
	json_t *json, *metrics;
	char *text;

	(void)state;
	assert_true(sample_init(&s));
	sample_set(&s, "fault.rate", 0.1);
	sample_set(&s, "fault.count", 12345678901.0);
	hist_record(sample_hist(&s, "fault.latency"), 5);
	sample_hist(&s, "removal.latency"); /* stays empty */
	text = encode_repeat(&s, 99, false);
	assert_non_null(text);
	json = json_loads(text, 0, NULL);
	metrics = json_object_get(json, "metrics");
	assert_int_equal(json_object_size(metrics), 2);
	assert_non_null(strstr(text, "\"fault.count\":12345678901"));
	assert_non_null(strstr(text, "\"fault.rate\":0.1"));
	assert_int_equal(json_object_size(json_object_get(json, "histograms")),
			 1);
	assert_int_equal(json_integer_value(json_object_get(json, "seed")), 99);
	assert_string_equal(json_string_value(json_object_get(json, "status")),
			    "ok");
	json_decref(json);
	free(text);
	sample_free(&s);
}

static void warmups_are_marked(void **state)
{
	struct sample s;
	json_t *json;
	char *text;

	(void)state;
	assert_true(sample_init(&s));
	text = encode_repeat(&s, 1, true);
	json = json_loads(text, 0, NULL);
	assert_true(json_is_true(json_object_get(json, "warmup")));
	json_decref(json);
	free(text);
	text = encode_repeat(&s, 1, false);
	assert_null(strstr(text, "warmup"));
	free(text);
	sample_free(&s);
}

/* What a rule decides by must be what a reader of the result has. */
static void values_are_rounded_as_written(void **state)
{
	static const double value[] = {
		1 / 3.0, 12345678901234567.0, 103083.70257512345, 5, -0.1,
		1e300};

	(void)state;
	for (size_t i = 0; i < sizeof(value) / sizeof(*value); i++) {
		struct sample s;
		json_t *json, *v;
		char *text;

		assert_true(sample_init(&s));
		sample_set(&s, "fault.rate", value[i]);
		text = encode_repeat(&s, 1, false);
		json = json_loads(text, 0, NULL);
		v = json_object_get(json_object_get(json, "metrics"),
				    "fault.rate");
		assert_true(json_number_value(v) == encoded_value(value[i]));
		json_decref(json);
		free(text);
		sample_free(&s);
	}
}

static void bytes_become_text(void **state)
{
	json_t *good = json_bytes("a\xc3\xa4\n"), *bad = json_bytes("a\xff\n");

	(void)state;
	assert_string_equal(json_string_value(good), "a\xc3\xa4\n");
	assert_string_equal(json_string_value(bad), "a\\xff\n");
	json_decref(good);
	json_decref(bad);
}

/* ---------------------------------------------------------------- reading */

#define TOP                                                                    \
	"{\"schema\":\"tdmem-result/1\",\"tool\":{},\"environment\":{},"       \
	"\"config\":{},\"workloads\":{\"fault-in\":{\"operation\":\"fault\""   \
	",\"modelled\":true}},\"costs\":{},\"metrics\":{},\"partial\":false"
#define CELL(policy, vcpus, status, rates)                                     \
	"{\"axes\":{\"workload\":\"fault-in\",\"policy\":\"" policy            \
	"\",\"vcpus\":" vcpus "},\"status\":\"" status "\",\"reason\":\"why\"" \
	",\"repeats\":[" rates "]}"
#define RATE(r)                                                                \
	"{\"metrics\":{\"fault.rate\":" r "},\"histograms\":{\"fault.latency"  \
	"\":{\"count\":2,\"overflow\":0,\"min\":5,\"max\":7,\"buckets\":[[5,"  \
	"1],[7,1]]}}}"

static void load(const char *text, struct report *report)
{
	struct err e = {.text = ""};
	char path[32];
	int status;

	put_file(path, text);
	status = report_load(path, report, &e);
	unlink(path);
	if (status)
		fail_msg("%s", e.text);
}

static void refused(const char *text, const char *why)
{
	struct err e = {.text = ""};
	struct report report;
	char path[32];

	put_file(path, text);
	assert_int_equal(report_load(path, &report, &e), -1);
	unlink(path);
	assert_int_equal(e.status, EXIT_USAGE);
	assert_memory_equal(e.text, path, strlen(path));
	assert_string_equal(e.text + strlen(path), why);
}

static void cells_are_read(void **state)
{
	struct report r;

	(void)state;
	load(TOP ",\"cells\":[" CELL(
		     "spin", "4", "ok",
		     RATE("10") "," RATE("14")) ",\n" CELL("eagain", "4",
							   "livelock",
							   RATE("1")) "]}",
	     &r);
	assert_int_equal(r.ngroups, 1);
	assert_int_equal(r.group[0].npolicies, 2);
	assert_int_equal(r.group[0].nvcpus, 1);
	assert_true(r.group[0].cell[0].rate.median == 12);
	assert_int_equal(r.group[0].cell[0].latencies, 4);
	assert_int_equal(r.group[0].cell[0].p50, 5);
	assert_int_equal(r.group[0].cell[0].max, 7);
	assert_true(report_good(report_find(&r.group[0], 0, 0)));
	assert_false(report_good(report_find(&r.group[0], 1, 0)));
	report_free(&r);
}

static void warmups_are_not_read(void **state)
{
	struct report r;

	(void)state;
	load(TOP ",\"cells\":[" CELL(
		     "spin", "4", "ok",
		     "{\"warmup\":true,\"metrics\":{\"fault.rate\":1000},"
		     "\"histograms\":{}}," RATE("10") "," RATE("14")) "]}",
	     &r);
	assert_true(r.group[0].cell[0].rate.median == 12);
	assert_int_equal(r.group[0].cell[0].rate.n, 2);
	assert_int_equal(r.fewest, 2);
	assert_int_equal(r.most, 2);
	report_free(&r);
}

static void other_files_are_refused(void **state)
{
	(void)state;
	refused("", ": line 1: expected a result, a JSON object");
	refused("[]", ": line 1: expected a result, a JSON object");
	refused("{}", ": line 1: expected a member of an object");
	refused("{\"a\":1}", ": schema: expected \"tdmem-result/1\"");
	refused(TOP "}", ": line 1: cells: missing");
	refused("{\"cells\":[\"]\"",
		": line 1: cells: expected a list with an end");
	refused("{\"a\":1,\n\"a\":1}", ": line 2: the same member twice");
	refused("{\"cells\":[]}", ": schema: expected \"tdmem-result/1\"");
	refused(TOP ",\"cells\":[1]}", ": line 1: not a cell");
	refused(TOP ",\"cells\":[{}]}", ": line 1: not a cell");
	refused(TOP ",\"cells\":[]",
		": line 1: expected the end of the result");
	refused(TOP ",\"cells\":[]} x",
		": line 1: expected the end of the result");
	refused("{\"schema\":\"tdmem-result/1\",\"cells\":[]}",
		": tool: missing or not an object");
}

/* What exactly is wrong is said by jansson, in words of its own. */
static void half_files_are_refused(void **state)
{
	static const char whole[] =
		TOP ",\"cells\":[" CELL("spin", "4", "ok", RATE("10")) "]}";
	char half[sizeof(whole)];

	(void)state;
	for (size_t n = 0; n < strlen(whole); n++) {
		struct err e = {.text = ""};
		struct report report;
		char path[32];

		memcpy(half, whole, n);
		half[n] = '\0';
		put_file(path, half);
		if (report_load(path, &report, &e) == 0)
			fail_msg("taken with %zu bytes", n);
		unlink(path);
		assert_non_null(strstr(e.text, ": line 1: "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(histograms_come_back),
		cmocka_unit_test(no_histograms_are_refused),
		cmocka_unit_test(repeats_hold_what_was_measured),
		cmocka_unit_test(warmups_are_marked),
		cmocka_unit_test(values_are_rounded_as_written),
		cmocka_unit_test(bytes_become_text),
		cmocka_unit_test(cells_are_read),
		cmocka_unit_test(warmups_are_not_read),
		cmocka_unit_test(other_files_are_refused),
		cmocka_unit_test(half_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
