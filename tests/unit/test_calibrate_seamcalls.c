/* SPDX-License-Identifier: GPL-2.0-only */
/* SEAMCALLs out of a result: which repeats count, and what is made of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench/calibrate/impl.h"
#include "bench/observe/environment.h"
#include "tests/unit/costs_kit.h"

#define METRIC(name, unit, histogram)                                          \
	"\"" name "\":{\"unit\":\"" unit "\",\"direction\":\"lower\","         \
	"\"histogram\":" histogram "}"

/* One repeat: 100 calls that took so long each, so many of them BUSY. */
static void put_repeat(FILE *f, const char *call, int ns, int busy)
{
	fprintf(f,
		"{\"status\":\"ok\",\"metrics\":{\"%s.busy\":%d},"
		"\"histograms\":{\"%s.latency\":{\"count\":100,\"overflow\":0,"
		"\"min\":%d,\"max\":%d,\"buckets\":[[%d,100]]}}},",
		call, busy, call, ns, ns, ns);
}

static void put_cell(FILE *f, const char *axes)
{
	fprintf(f,
		"{\"status\":\"ok\"}]},{\"axes\":{\"workload\":\"w\",%s},"
		"\"status\":\"ok\",\"repeats\":[",
		axes);
}

static void put_cells(FILE *f)
{
	fputs("{\"axes\":{\"workload\":\"w\",\"vcpus\":1},\"status\":\"ok\","
	      "\"repeats\":[",
	      f);
	for (int i = 0; i < 7; i++)
		put_repeat(f, "tdh_mem_page_aug", 700 + 10 * i, 0);
	put_repeat(f, "tdh_mem_page_aug", 990, 2); /* too often BUSY */
	for (int i = 0; i < 5; i++)
		put_repeat(f, "tdh_mem_range_block", 500, 0);
	put_cell(f, "\"vcpus\":1,\"more\":1"); /* counts as well */
	put_repeat(f, "tdh_mem_range_block", 500, 1);
	for (int i = 0; i < 5; i++)
		put_repeat(f, "tdh_mem_track", 400, 0);
	for (int i = 0; i < 6; i++)
		put_repeat(f, "tdh_mem_sept_add", 105, 0);
	put_cell(f, "\"vcpus\":2");
	put_repeat(f, "tdh_mem_track", 400, 0);
	put_cell(f, "\"vcpus\":1,\"side\":\"base\"");
	put_repeat(f, "tdh_mem_track", 400, 0);
	fputs("{\"status\":\"ok\"}]}]}", f);
}

/* A result of this host, made by `backend` and a probe. */
static int load(const char *backend, const char *table, const char *by,
		const char *more, struct samples *s, struct err *e)
{
	char path[] = "/tmp/tdmem-test-XXXXXX";
	json_t *env = environment(0, NULL);
	const char *cpu = json_string_value(json_object_get(env, "cpu"));
	FILE *f = fdopen(mkstemp(path), "w");
	int status;

	assert_non_null(f);
	fprintf(f,
		"{\"schema\":\"tdmem-result/1\","
		"\"tool\":{\"name\":\"tdmem\",\"version\":\"0\"},"
		"\"environment\":{\"cpu\":\"%s%s\",\"cpus\":7,\"kernel\":\"K\","
		"\"time\":\"T\",\"probe\":{\"table\":\"%s\",\"by\":\"%s\"}},"
		"\"config\":{\"backend\":\"%s\"},\"workloads\":{\"w\":{"
		"\"operation\":\"o\",\"modelled\":false}},\"costs\":{},"
		"\"partial\":false,\"metrics\":{",
		cpu ? cpu : "", more, table, by, backend);
	fputs(METRIC("tdh_mem_page_aug.latency", "ns", "true") "," METRIC(
		      "tdh_mem_page_aug.busy", "calls", "false") ",",
	      f);
	fputs(METRIC("tdh_mem_range_block.latency", "ns", "true") "," METRIC(
		      "tdh_mem_range_block.busy", "calls", "false") ",",
	      f);
	fputs(METRIC("tdh_mem_sept_add.latency", "ns", "true") ",", f);
	fputs(METRIC("tdh_mem_track.latency", "ns", "true") "},\"cells\":[", f);
	put_cells(f);
	fclose(f);
	json_decref(env);
	status = calibrate_load_seamcalls(path, s, e);
	unlink(path);
	return status;
}

/* What calibrate() would have found here. */
static void begin(struct calibration *c)
{
	struct primitive *p;

	*c = (struct calibration){.here = {"a day", "a host"}};
	p = calibrate_begin(c, "flush", "flush_4k", "a help");
	p->median = 100;
	p->interval = (struct interval){90, 110, 0.95};
}

static const struct primitive *of(const struct calibration *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->primitive[i].name, name) == 0)
			return &c->primitive[i];
	fail_msg("no %s", name);
	return NULL;
}

static void is_not(const struct calibration *c, const char *name,
		   const char *why)
{
	const struct primitive *p = of(c, name);

	assert_true(isnan(p->median));
	if (!strstr(p->why, why))
		fail_msg("%s: %s", name, p->why);
}

static void test_repeats(void **state)
{
	struct calibration c;
	const struct primitive *p;
	struct samples s;
	struct err e;

	(void)state;
	if (load("tdx", "seamcall", "bpf", "", &s, &e))
		fail_msg("%s", e.text);
	begin(&c);
	assert_int_equal(calibrate_seamcalls(&c, &s, &e), 0);
	/* Seven medians, 700 to 760, without the flush in them. */
	p = of(&c, "tdh_mem_page_aug");
	assert_int_equal(p->batches, 7);
	assert_true(p->median == 730 - 100);
	assert_true(p->interval.low == 700 - 110);
	assert_true(p->interval.high == 760 - 90);
	assert_true(p->interval.coverage > 0.95);
	/* Of two cells, one BUSY of 100 allowed, and nothing subtracted. */
	p = of(&c, "tdh_mem_range_block");
	assert_int_equal(p->batches, 6);
	assert_true(p->median == 500 && p->interval.low == 500);
	/* Neither two vCPUs nor the other side count. */
	is_not(&c, "tdh_mem_track", "5 repeats with one vCPU");
	is_not(&c, "tdh_mem_page_remove", "0 repeats");
	is_not(&c, "tdh_mem_sept_add", "flush_4k");
	assert_string_equal(c.seamcalls.when, "T");
	assert_non_null(strstr(c.seamcalls.where, "7 CPUs, K"));
	samples_free(&s);
}

/*
 * The base says that a SEAMCALL of nothing takes 1500 ns: 500 ns of a whole
 * one leave 500 - 14 words of 6 ns, and in the high column of 10 ns.
 */
static void test_table(void **state)
{
	struct calibration c;
	struct costs base;
	struct samples s;
	struct err e;
	json_t *root;

	(void)state;
	if (load("tdx", "seamcall", "bpf", "", &s, &e) ||
	    costs_load("configs/costs/spr.json", "typ", &base, &e))
		fail_msg("%s", e.text);
	begin(&c);
	assert_int_equal(calibrate_seamcalls(&c, &s, &e), 0);
	root = calibrate_table(&c, &base, &e);
	if (!root)
		fail_msg("%s", e.text);
	assert_true(number(root, "page_aug", "typ") == 630);
	assert_true(number(root, "range_block", "high") == 500);
	assert_string_equal(text(root, "page_aug", "mark"), "measured");
	assert_non_null(strstr(text(root, "page_aug", "source"), "; T"));
	assert_non_null(strstr(text(root, "page_aug", "source"), "7 repeats"));
	assert_null(strstr(text(root, "page_aug", "source"), "a host"));
	assert_true(number(root, "mem_track", "typ") == 2200);
	assert_string_equal(text(root, "mem_track", "mark"), "assumption");
	assert_true(number(root, "seamcall", "high") == 500 - 14 * 10 - 1);
	assert_true(number(root, "seamcall", "typ") == 500 - 14 * 10 - 1);
	assert_non_null(strstr(text(root, "seamcall", "source"), "lowered"));
	json_decref(root);
	costs_free(&base);
	samples_free(&s);
}

static void test_refused(void **state)
{
	static const struct {
		const char *backend, *table, *by, *more, *says;
	} bad[] = {
		{"sim", "seamcall", "bpf", "", "config.backend: expected"},
		{"kvm", "seamcall", "bpf", "", "not \"kvm\""},
		{"tdx", "kvm", "bpf", "", "environment.probe.table: expected"},
		{"tdx", "seamcall", "kprobes", "", "environment.probe.by"},
		{"tdx", "seamcall", "bpf", " X", "environment.cpu: expected"},
	};
	struct samples s;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(load(bad[i].backend, bad[i].table, bad[i].by,
				      bad[i].more, &s, &e),
				 -1);
		assert_int_equal(e.status, EXIT_USAGE);
		if (!strstr(e.text, bad[i].says))
			fail_msg("%s: %s", bad[i].says, e.text);
		assert_null(s.top);
	}
}

static void test_without(void **state)
{
	struct calibration c;
	struct err e;

	(void)state;
	begin(&c);
	assert_int_equal(calibrate_seamcalls(&c, NULL, &e), 0);
	is_not(&c, "SEAMCALLs", "--probe seamcall");
	assert_string_equal(c.seamcalls.when, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repeats),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
