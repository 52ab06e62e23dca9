/* SPDX-License-Identifier: GPL-2.0-only */
/* The probe's tables, what it finds in a kernel, and the figures it makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bench/backend.h"
#include "bench/result/metrics.h"
#include "kvm/probe/impl.h"

static void is_metric(const char *name, bool histogram)
{
	int i = metric_find(name);

	if (i < 0)
		print_message("no such metric: %s\n", name);
	assert_true(i >= 0);
	assert_int_equal(metric_at((size_t)i)->histogram, histogram);
}

static void tables_name_metrics(void **state)
{
	char name[80];

	(void)state;
	for (size_t t = 0; probe_tables[t]; t++) {
		for (uint32_t i = 0; i < probe_tables[t]->n; i++) {
			const struct probe_point *p =
				&probe_tables[t]->point[i];

			for (uint32_t k = 0; k < probe_kinds(p); k++) {
				is_metric(p->kind[k].calls, false);
				is_metric(p->kind[k].latency, true);
			}
			if (!p->call)
				continue;
			assert_int_equal(p->returns, RETURNS_STATUS);
			snprintf(name, sizeof(name), "%s.busy.other", p->call);
			is_metric(name, false);
		}
	}
}

static const struct probe_table *table(const char *name)
{
	const struct probe_table *t = probe_table_find(name, strlen(name));

	assert_non_null(t);
	return t;
}

static uint32_t point(const struct probe_table *t, const char *function)
{
	for (uint32_t i = 0; i < t->n; i++) {
		if (strcmp(t->point[i].function, function) == 0)
			return i;
	}
	fail_msg("%s is not in the table %s", function, t->name);
	return 0;
}

static void symbols_are_found(void **state)
{
	static char text[] =
		"ffffffffc0401000 T kvm_mmu_page_fault\t[kvm]\n"
		"ffffffffc0402000 t kvm_faultin_pfn\t[kvm]\n"
		"0000000000000000 t tdp_mmu_zap_leafs.isra.0\t[kvm]\n"
		"ffffffffc0403000 t kvm_tdp_mmu_map_private_pfn\t[kvm]\n"
		"short\n"
		"\n"
		"ffffffff81000000 T kvm_set_memslot\n";
	const struct probe_table *t = table("kvm");
	struct probe_symbol s[PROBE_POINTS];
	FILE *f = fmemopen(text, sizeof(text) - 1, "r");
	uint32_t i;

	(void)state;
	assert_non_null(f);
	probe_symbols(f, t, s);
	fclose(f);
	assert_true(s[point(t, "kvm_mmu_page_fault")].found);
	assert_true(s[point(t, "kvm_set_memslot")].found);
	i = point(t, "kvm_mmu_faultin_pfn");
	assert_false(s[i].found);
	assert_true(s[i].found_before);
	i = point(t, "tdp_mmu_zap_leafs");
	assert_false(s[i].found);
	assert_string_equal(s[i].other, "tdp_mmu_zap_leafs.isra.0");
	/* Another function that begins with the name. */
	i = point(t, "kvm_tdp_mmu_map");
	assert_false(s[i].found);
	assert_string_equal(s[i].other, "");
}

static void texts_are_checked(void **state)
{
	static const char *const good[] = {"kvm", "seamcall", "kvm:bpf",
					   "seamcall:kprobes", "kvm:none"};
	static const char *const bad[] = {"",	  "kv",	  "kvmx",  "KVM",
					  "kvm:", ":bpf", "kvm:x", "kvm:bpf:"};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_int_equal(probe_check(good[i], &e), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(probe_check(bad[i], &e), -1);
		assert_int_equal(e.status, EXIT_USAGE);
	}
}

/* A probe that nothing is attached to: for the figures only. */
static struct probe probe_of(const char *name)
{
	struct probe p = {.table = table(name)};

	strcpy(p.ret_pf[5], "RET_PF_FIXED");
	return p;
}

static double value(const struct sample *s, const char *name)
{
	int i = metric_find(name);

	assert_true(i >= 0);
	return s->value[i];
}

static json_int_t returned(const json_t *all, const char *function,
			   const char *what)
{
	return json_integer_value(
		json_object_get(json_object_get(all, function), what));
}

static void statuses_become_the_models_metrics(void **state)
{
	static struct hist hist;
	struct probe p = probe_of("seamcall");
	struct probe_sum sum = {.hist = &hist, .second_tries = 3};
	json_t *all = json_object();
	struct sample s;

	(void)state;
	assert_true(sample_init(&s));
	for (int i = 0; i < 21; i++)
		hist_record(&hist, 1000);
	sum.calls = hist.count;
	probe_sum_result(&sum, 0, 10);
	probe_sum_result(&sum, 0x8000020000000092ull, 4); /* S-EPT tree */
	probe_sum_result(&sum, 0x8000020000000001ull, 2); /* RCX */
	probe_sum_result(&sum, 0x8000020000000093ull, 1); /* of no name */
	probe_sum_result(&sum, 0x8000020000000092ull, 1);
	probe_sum_result(&sum, 0xC0000B0D00000000ull, 3); /* not BUSY */
	assert_true(probe_take_sum(&p, point(p.table, "tdh_mem_page_aug"), 0,
				   &sum, &s, all));
	assert_true(value(&s, "tdh_mem_page_aug.calls") == 21);
	assert_true(value(&s, "tdh_mem_page_aug.busy") == 8);
	assert_true(value(&s, "tdh_mem_page_aug.busy.sept_tree") == 5);
	assert_true(value(&s, "tdh_mem_page_aug.busy.rcx") == 2);
	assert_true(value(&s, "tdh_mem_page_aug.busy.other") == 1);
	assert_true(value(&s, "calls.total") == 21);
	assert_true(value(&s, "calls.busy") == 8);
	assert_true(value(&s, "kicks.second_tries") == 3);
	assert_int_equal(sample_hist(&s, "tdh_mem_page_aug.latency")->count,
			 21);
	assert_int_equal(
		returned(all, "tdh_mem_page_aug",
			 "TDX_OPERAND_BUSY | SEPT_TREE (0x8000020000000092)"),
		5);
	assert_int_equal(
		returned(all, "tdh_mem_page_aug",
			 "TDX_EPT_ENTRY_STATE_INCORRECT (0xc0000b0d00000000)"),
		3);
	json_decref(all);
	sample_free(&s);
}

static void an_epoch_is_no_operand(void **state)
{
	static struct hist hist;
	struct probe p = probe_of("seamcall");
	struct probe_sum sum = {.hist = &hist, .calls = 3};
	json_t *all = json_object();
	struct sample s;

	(void)state;
	assert_true(sample_init(&s));
	for (int i = 0; i < 3; i++)
		hist_record(&hist, 1000);
	probe_sum_result(&sum, 0x8000020100000000ull, 2);
	probe_sum_result(&sum, 0x80000200000000a9ull, 1);
	assert_true(probe_take_sum(&p, point(p.table, "tdh_mem_track"), 0, &sum,
				   &s, all));
	assert_true(value(&s, "tdh_mem_track.previous_epoch_busy") == 2);
	assert_true(value(&s, "tdh_mem_track.busy") == 1);
	assert_true(value(&s, "tdh_mem_track.busy.td_epoch") == 1);
	json_decref(all);
	sample_free(&s);
}

/* Two functions of the kernel are one call of the module. */
static void functions_of_one_call_add_up(void **state)
{
	static struct hist hist;
	struct probe p = probe_of("seamcall");
	struct probe_sum sum = {.hist = &hist, .calls = 1};
	json_t *all = json_object();
	struct sample s;

	(void)state;
	assert_true(sample_init(&s));
	hist_record(&hist, 5);
	probe_sum_result(&sum, 0, 1);
	assert_true(probe_take_sum(&p,
				   point(p.table, "tdh_phymem_page_wbinvd_tdr"),
				   0, &sum, &s, all));
	assert_true(probe_take_sum(
		&p, point(p.table, "tdh_phymem_page_wbinvd_hkid"), 0, &sum, &s,
		all));
	assert_true(value(&s, "tdh_phymem_page_wbinvd.calls") == 2);
	assert_int_equal(
		sample_hist(&s, "tdh_phymem_page_wbinvd.latency")->count, 2);
	json_decref(all);
	sample_free(&s);
}

static void results_have_the_kernels_names(void **state)
{
	static struct hist hist;
	struct probe p = probe_of("kvm");
	struct probe_sum sum = {.hist = &hist, .calls = 9, .other_results = 2};
	json_t *all = json_object();
	struct sample s;

	(void)state;
	assert_true(sample_init(&s));
	for (int i = 0; i < 9; i++)
		hist_record(&hist, 1000);
	probe_sum_result(&sum, 5, 4);
	probe_sum_result(&sum, 6, 1);		  /* no name is known */
	probe_sum_result(&sum, (uint64_t)-14, 2); /* -EFAULT */
	assert_true(probe_take_sum(&p, point(p.table, "kvm_tdp_mmu_map"), 0,
				   &sum, &s, all));
	assert_int_equal(returned(all, "kvm_tdp_mmu_map", "RET_PF_FIXED"), 4);
	assert_int_equal(returned(all, "kvm_tdp_mmu_map", "6"), 1);
	assert_int_equal(returned(all, "kvm_tdp_mmu_map", "-14"), 2);
	assert_int_equal(returned(all, "kvm_tdp_mmu_map", "other"), 2);
	assert_true(value(&s, "kvm_tdp_mmu_map.calls") == 9);
	json_decref(all);
	sample_free(&s);
}

/* Without times nothing is said of times and results, not even 0. */
static void counts_alone_are_calls(void **state)
{
	struct probe p = probe_of("seamcall");
	static struct hist none;
	struct probe_sum sum = {.calls = 7, .hist = &none};
	json_t *all = json_object();
	struct sample s;

	(void)state;
	assert_true(sample_init(&s));
	assert_true(probe_take_sum(&p, point(p.table, "tdh_mem_track"), 0, &sum,
				   &s, all));
	assert_true(value(&s, "tdh_mem_track.calls") == 7);
	assert_true(value(&s, "calls.total") == 7);
	assert_false(value(&s, "tdh_mem_track.busy") >= 0);
	assert_false(value(&s, "calls.busy") >= 0);
	assert_null(s.hist[metric_find("tdh_mem_track.latency")]);
	assert_int_equal(json_object_size(all), 0);
	json_decref(all);
	sample_free(&s);
}

static void none_counts_nothing(void **state)
{
	struct probe *p;
	struct sample s;
	struct err e;
	json_t *facts;

	(void)state;
	assert_true(sample_init(&s));
	assert_int_equal(probe_open("kvm:none", 2, &p, &e), 0);
	assert_false(probe_works(p));
	probe_attach(p);
	probe_sit(p, 0);
	probe_measure(p, 0, true);
	assert_true(probe_fill(p, &s));
	probe_detach(p);
	assert_null(s.probe);
	facts = probe_facts(p);
	assert_string_equal(json_string_value(json_object_get(facts, "by")),
			    "none");
	assert_non_null(json_object_get(facts, "missing"));
	json_decref(facts);
	probe_close(p);
	sample_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_name_metrics),
		cmocka_unit_test(symbols_are_found),
		cmocka_unit_test(texts_are_checked),
		cmocka_unit_test(statuses_become_the_models_metrics),
		cmocka_unit_test(an_epoch_is_no_operand),
		cmocka_unit_test(functions_of_one_call_add_up),
		cmocka_unit_test(results_have_the_kernels_names),
		cmocka_unit_test(counts_alone_are_calls),
		cmocka_unit_test(none_counts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
