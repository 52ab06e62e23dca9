/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "bench/backend.h"
#include "bench/result/metrics.h"

static void names_are_unique_and_found(void **state)
{
	(void)state;
	assert_true(metric_count() > 150);
	for (size_t i = 0; i < metric_count(); i++)
		assert_int_equal(metric_find(metric_at(i)->name), (int)i);
	assert_int_equal(metric_find("fault"), -1);
	assert_int_equal(metric_find(""), -1);
}

static void every_metric_has_unit_and_help(void **state)
{
	(void)state;
	for (size_t i = 0; i < metric_count(); i++) {
		const struct metric *m = metric_at(i);

		assert_non_null(strchr(m->name, '.'));
		assert_true(m->unit[0] != '\0');
		assert_true(m->help[0] != '\0');
		assert_true(m->direction <= NO_DIRECTION);
	}
}

static void every_call_has_its_metrics(void **state)
{
	static const char *const part[] = {"calls", "busy", "busy.other",
					   "latency", "retries"};
	char name[80];

	(void)state;
	for (unsigned c = 0; c < NR_TDX_CALLS; c++) {
		const char *prefix = metric_call_prefix((enum tdx_call)c);

		assert_non_null(prefix);
		for (size_t i = 0; i < sizeof(part) / sizeof(*part); i++) {
			snprintf(name, sizeof(name), "%s.%s", prefix, part[i]);
			assert_true(metric_find(name) >= 0);
		}
	}
}

static void oracle_operands_are_there(void **state)
{
	static const char *const name[] = {
		"tdh_mem_page_aug.busy.sept_tree",
		"tdh_mem_page_aug.busy.r8",
		"tdh_mem_track.busy.td_epoch",
		"tdh_mem_track.previous_epoch_busy",
		"tdh_vp_enter.busy.tdr",
		"tdh_vp_enter.busy.sept_tree",
		"tdh_phymem_cache_wb.busy.wbcache",
		"tdh_mng_key_freeid.busy.kot",
		"tdg_mem_page_accept.busy.rcx",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++)
		assert_true(metric_find(name[i]) >= 0);
}

static void sample_keeps_what_was_set(void **state)
{
	struct sample s;
	struct hist *h;
	int rate = metric_find("fault.rate");
	int latency = metric_find("fault.latency");

	(void)state;
	assert_true(sample_init(&s));
	assert_true(isnan(s.value[rate]));
	assert_null(s.hist[latency]);
	sample_set(&s, "fault.rate", 12.5);
	assert_true(s.value[rate] == 12.5);
	h = sample_hist(&s, "fault.latency");
	assert_non_null(h);
	hist_record(h, 77);
	assert_ptr_equal(sample_hist(&s, "fault.latency"), h);
	assert_int_equal(s.hist[latency]->count, 1);
	sample_free(&s);
}

static void status_names_are_those_of_results(void **state)
{
	(void)state;
	assert_string_equal(cell_status_name(CELL_OK), "ok");
	assert_string_equal(cell_status_name(CELL_VM_BUGGED), "vm-bugged");
	assert_string_equal(cell_status_name(CELL_LIVELOCK), "livelock");
	assert_string_equal(cell_status_name(CELL_TIMEOUT), "timeout");
	assert_string_equal(cell_status_name(CELL_UNSUPPORTED), "unsupported");
}

static void errors_are_one_visible_line(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(err_set(&e, EXIT_USAGE, "a\nb%sc", "\x1b[31m"), -1);
	assert_int_equal(e.status, EXIT_USAGE);
	assert_string_equal(e.text, "a\\x0ab\\x1b[31mc");
}

static void long_errors_are_cut(void **state)
{
	char longer[2000];
	struct err e;

	(void)state;
	memset(longer, '\n', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	err_set(&e, EXIT_FAILED, "%s", longer);
	assert_true(strlen(e.text) < sizeof(e.text));
	assert_true(strlen(e.text) > sizeof(e.text) - 8);
	assert_int_equal(strlen(e.text) % 4, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_unique_and_found),
		cmocka_unit_test(every_metric_has_unit_and_help),
		cmocka_unit_test(every_call_has_its_metrics),
		cmocka_unit_test(oracle_operands_are_there),
		cmocka_unit_test(sample_keeps_what_was_set),
		cmocka_unit_test(status_names_are_those_of_results),
		cmocka_unit_test(errors_are_one_visible_line),
		cmocka_unit_test(long_errors_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
