/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bench/plan/costs.h"

#define TABLE "configs/costs/spr.json"

static void load(const char *column, struct costs *costs)
{
	struct err e = {.text = ""};

	if (costs_load(TABLE, column, costs, &e))
		fail_msg("%s", e.text);
}

static json_t *document(void)
{
	json_t *root = json_load_file(TABLE, 0, NULL);

	assert_non_null(root);
	return root;
}

/* The entry of a name, borrowed; *index is its place. */
static json_t *entry(json_t *root, const char *name, size_t *index)
{
	json_t *v;

	json_array_foreach(
		json_object_get(root, "entries"), (*index),
		v) if (strcmp(json_string_value(json_object_get(v, "name")),
			      name) == 0) return v;
	fail_msg("no entry %s", name);
	return NULL;
}

/* The table is refused with exactly this. */
static void refused(json_t *root, const char *text)
{
	struct costs costs;
	struct err e = {.text = ""};

	assert_int_equal(costs_parse("t.json", root, "typ", &costs, &e), -1);
	assert_int_equal(e.status, EXIT_USAGE);
	assert_string_equal(e.text, text);
	assert_null(costs.root);
}

static void within_20_percent(double us, double low, double high)
{
	assert_true(us >= low * 0.8);
	assert_true(us <= high * 1.2);
}

/* The sums of section 5 of the published numbers, nothing contending. */
static void typical_column_gives_the_published_sums(void **state)
{
	struct costs c;
	const struct tdx_costs *t = &c.model.tdx;
	const struct kvm_costs *k = &c.model.kvm;

	(void)state;
	load("typ", &c);
	within_20_percent((double)(t->td_exit_ps + k->exit_ps + k->fault_ps +
				   t->call_ps[TDH_MEM_PAGE_AUG] +
				   t->td_enter_ps +
				   t->call_ps[TDG_MEM_PAGE_ACCEPT]) /
				  1e6,
			  8, 8);
	within_20_percent((double)(t->call_ps[TDH_MEM_RANGE_BLOCK] +
				   t->call_ps[TDH_MEM_TRACK] +
				   t->call_ps[TDH_MEM_PAGE_REMOVE] +
				   t->call_ps[TDH_PHYMEM_PAGE_WBINVD] +
				   k->remove_page_ps + k->clear_4k_ps) /
				  1e6,
			  15.3, 18.4);
	within_20_percent((double)(t->call_ps[TDH_PHYMEM_PAGE_RECLAIM] +
				   k->reclaim_page_ps + k->clear_4k_ps) /
				  1e6,
			  4.8, 5.1);
	within_20_percent((double)t->demote_ps / 1e6, 10, 10);
	costs_free(&c);
}

static void columns_are_ordered(void **state)
{
	struct costs low, typ, high;

	(void)state;
	load("low", &low);
	load("typ", &typ);
	load("high", &high);
	assert_int_equal(low.model.tdx.seamcall_ps, 500000);
	assert_int_equal(typ.model.tdx.seamcall_ps, 1500000);
	assert_int_equal(high.model.tdx.seamcall_ps, 2700000);
	assert_int_equal(typ.model.line.remote_ps, 138000);
	assert_int_equal(typ.model.kvm.kick_vcpu_ps, 1000000);
	assert_true(low.model.tdx.call_ps[TDH_PHYMEM_CACHE_WB] == 500000000ull);
	costs_free(&low);
	costs_free(&typ);
	costs_free(&high);
}

static void parts_of_the_round_trip_add_up(void **state)
{
	static const char *const column[] = {"low", "typ", "high"};
	json_t *root = document();
	size_t at;
	json_t *whole = entry(root, "td_round_trip", &at);

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct costs c;
		double ns =
			json_number_value(json_object_get(whole, column[i]));

		load(column[i], &c);
		assert_int_equal(c.model.tdx.td_exit_ps + c.model.kvm.exit_ps +
					 c.model.tdx.td_enter_ps,
				 (u64)(ns * 1e3));
		costs_free(&c);
	}
	json_decref(root);
}

static void a_missing_entry_is_named(void **state)
{
	json_t *root = document();
	size_t at;

	(void)state;
	entry(root, "page_aug", &at);
	json_array_remove(json_object_get(root, "entries"), at);
	refused(root, "t.json: entries: the cost \"page_aug\" is missing");
}

static void every_entry_is_needed(void **state)
{
	(void)state;
	for (size_t i = 0; i < cost_count(); i++) {
		json_t *root = document();
		struct costs c;
		struct err e = {.text = ""};

		json_array_remove(json_object_get(root, "entries"), i);
		assert_int_equal(costs_parse("t", root, "typ", &c, &e), -1);
		assert_non_null(strstr(e.text, "is missing"));
	}
}

static void doubled_and_unknown_entries(void **state)
{
	json_t *root = document(), *list = json_object_get(root, "entries");
	size_t at;

	(void)state;
	json_array_append_new(list, json_deep_copy(entry(root, "tdcall", &at)));
	assert_int_equal(json_array_size(list), 37);
	refused(root, "t.json: entries[36].name: \"tdcall\" is there twice");
	root = document();
	json_object_set_new(entry(root, "tdcall", &at), "name",
			    json_string("tdcal"));
	refused(root, "t.json: entries[2].name: unknown cost \"tdcal\"; "
		      "did you mean \"tdcall\"?");
}

static void figures_are_checked(void **state)
{
	json_t *root = document();
	size_t at;

	(void)state;
	json_object_set_new(entry(root, "tdcall", &at), "low",
			    json_integer(-1));
	refused(root, "t.json: entries[2].low: -1 is below 0");
	root = document();
	json_object_set_new(entry(root, "tdcall", &at), "low",
			    json_integer(601));
	refused(root, "t.json: entries[2].typ: 600 is below low, 601");
	root = document();
	json_object_set_new(entry(root, "tdcall", &at), "high",
			    json_integer(599));
	refused(root, "t.json: entries[2].high: 599 is below typ, 600");
	root = document();
	json_object_set_new(entry(root, "tdcall", &at), "unit",
			    json_string("s"));
	refused(root, "t.json: entries[2].unit: unknown unit \"s\"; "
		      "did you mean \"ps\"?");
	root = document();
	json_object_set_new(entry(root, "tdcall", &at), "mark",
			    json_string("guess"));
	refused(root, "t.json: entries[2].mark: unknown mark \"guess\"; "
		      "expected one of measured, derived, assumption");
	root = document();
	json_object_set_new(entry(root, "tdcall", &at), "source",
			    json_string(""));
	refused(root, "t.json: entries[2].source: expected a source, not \"\"");
}

static void a_whole_call_holds_its_parts(void **state)
{
	json_t *root = document(), *track;
	size_t at;

	(void)state;
	track = entry(root, "mem_track", &at);
	json_object_set_new(track, "low", json_integer(539));
	/* 500 ns SEAMCALL + 10 operations of 4 ns */
	refused(root, "t.json: entries[12].low: 539 ns is below 540 ns, the "
		      "fixed part and 10 lock words");
	root = document();
	json_object_set_new(entry(root, "td_exit", &at), "low",
			    json_integer(1));
	json_object_set_new(entry(root, "td_enter", &at), "low",
			    json_integer(1));
	refused(root, "t.json: td_enter + td_exit, low: 2 ns is below 564 ns, "
		      "the fixed part and 16 lock words");
}

static void other_documents_are_refused(void **state)
{
	(void)state;
	refused(json_array(), "t.json: expected an object, not a list");
	refused(json_object(), "t.json: schema: missing");
	refused(json_pack("{ss}", "schema", "tdmem-costs/2"),
		"t.json: schema: expected \"tdmem-costs/1\", not "
		"\"tdmem-costs/2\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(typical_column_gives_the_published_sums),
		cmocka_unit_test(columns_are_ordered),
		cmocka_unit_test(parts_of_the_round_trip_add_up),
		cmocka_unit_test(a_missing_entry_is_named),
		cmocka_unit_test(every_entry_is_needed),
		cmocka_unit_test(doubled_and_unknown_entries),
		cmocka_unit_test(figures_are_checked),
		cmocka_unit_test(a_whole_call_holds_its_parts),
		cmocka_unit_test(other_documents_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
