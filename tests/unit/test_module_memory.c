/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory is taken as pages are touched, and not much of it. */
#include "tests/unit/module_kit.h"

#define TIB (1ull << 40)

/* Host bytes for each touched 4K page, S-EPT pages of the guest included. */
#define BYTES_A_PAGE 34

struct big {
	struct kit k; /* must be first */
	u64 next_sept_page;
};

/* A platform of 2 TiB of memory; pages come one after the other. */
static struct big *big_create(void)
{
	static const struct tdx_costs free_of_charge;
	struct big *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->k.s.ops = &kit_machine_ops;
	b->k.interrupt_after = -1;
	b->k.m = tdx_module_create(&tdx_platform_default, &free_of_charge);
	assert_non_null(b->k.m);
	OK((u64)tdx_module_add_tdmr(b->k.m, HPA(KIT_BASE), 2 * TIB));
	lp_init(&b->k.lp, b->k.m, &b->k.s, 0, 0);
	kit_td(&b->k.lp, 0, 1);
	return b;
}

static void big_destroy(struct big *b)
{
	tdx_module_destroy(b->k.m);
	free(b);
}

/* Add whatever S-EPT pages are missing above a GPA. */
static void grow_tree(struct big *b, gpa_t gpa, enum tdx_level leaf)
{
	enum tdx_level l;
	struct tdx_out out;
	tdx_status status;

	for (l = LEVEL_512G; l > leaf; l--) {
		hpa_t page = HPA(KIT_BASE + TIB + b->next_sept_page * 4096);

		status = tdh_mem_sept_add(&b->k.lp, kit_tdr(0), gpa, l, page,
					  &out);
		if (!status)
			b->next_sept_page++;
	}
}

static void touch(struct big *b, gpa_t from, u64 pages)
{
	u64 i;

	for (i = 0; i < pages; i++) {
		gpa_t gpa = GPA(from.v + i * 4096);

		if (i % ENTRIES == 0)
			grow_tree(b, gpa, LEVEL_4K);
		kit_aug(&b->k.lp, 0, gpa, LEVEL_4K,
			HPA(KIT_BASE + GIB + gpa.v));
	}
}

static void a_dense_page_takes_few_bytes(void **state)
{
	const u64 pages = GIB / 4096;
	struct big *b = big_create();
	u64 before = tdx_module_memory(b->k.m), taken;

	(void)state;
	touch(b, GPA(0), pages);
	taken = tdx_module_memory(b->k.m) - before;
	if (taken > pages * BYTES_A_PAGE)
		fail_msg("%.2f bytes a page", (double)taken / (double)pages);
	print_message("%.2f bytes a page\n", (double)taken / (double)pages);
	big_destroy(b);
}

/* 64 times 16 MiB spread over 1 TiB cost about what 1 GiB in one piece does. */
static void what_is_not_touched_costs_nothing(void **state)
{
	struct big *b = big_create();
	u64 before = tdx_module_memory(b->k.m), pages = 0, i;

	(void)state;
	for (i = 0; i < 64; i++) {
		touch(b, GPA(i * TIB / 64), 4096);
		pages += 4096;
	}
	assert_true(tdx_module_memory(b->k.m) - before <
		    pages * BYTES_A_PAGE * 5 / 4);
	big_destroy(b);
}

static void a_2m_page_takes_no_4k_entries(void **state)
{
	struct big *b = big_create();
	u64 before, i;

	(void)state;
	grow_tree(b, GPA(0), LEVEL_2M);
	kit_aug(&b->k.lp, 0, GPA(0), LEVEL_2M, HPA(KIT_BASE + GIB));
	before = tdx_module_memory(b->k.m);
	for (i = 1; i < ENTRIES; i++)
		kit_aug(&b->k.lp, 0, GPA(i << 21), LEVEL_2M,
			HPA(KIT_BASE + GIB + (i << 21)));
	assert_int_equal(tdx_module_memory(b->k.m), before);
	big_destroy(b);
}

static void memory_is_used_again(void **state)
{
	struct kit *k = kit_create(NULL);
	struct tdx_out out;
	u64 before;
	int i;

	(void)state;
	kit_td_initialized(&k->lp, 0, 1);
	kit_tree(&k->lp, 0, GPA(0), LEVEL_4K, 0);
	kit_aug(&k->lp, 0, GPA(0), LEVEL_4K, kit_page(0));
	before = tdx_module_memory(k->m);
	for (i = 0; i < 100; i++) {
		OK(tdh_mem_page_remove(&k->lp, kit_tdr(0), GPA(0), LEVEL_4K,
				       &out));
		OK(tdh_mem_sept_remove(&k->lp, kit_tdr(0), GPA(0), LEVEL_2M,
				       &out));
		OK(tdh_mem_sept_add(&k->lp, kit_tdr(0), GPA(0), LEVEL_2M,
				    kit_sept_page(2), &out));
		kit_aug(&k->lp, 0, GPA(0), LEVEL_4K, kit_page(0));
	}
	assert_int_equal(tdx_module_memory(k->m), before);
	kit_destroy(k);
}

static void ranges_are_checked(void **state)
{
	struct kit *k = kit_create(NULL);

	(void)state;
	/* overlapping, not aligned, empty, beyond the address bits */
	assert_int_equal(tdx_module_add_tdmr(k->m, HPA(KIT_BASE + GIB), GIB),
			 -1);
	assert_int_equal(tdx_module_add_tdmr(k->m, HPA(0x1000), GIB), -1);
	assert_int_equal(tdx_module_add_tdmr(k->m, HPA(0), 4096), -1);
	assert_int_equal(tdx_module_add_tdmr(k->m, HPA(0), 0), -1);
	assert_int_equal(tdx_module_add_tdmr(k->m, HPA(1ull << 46), GIB), -1);
	OK((u64)tdx_module_add_tdmr(k->m, HPA(0), GIB));
	kit_destroy(k);
}

static void senseless_platforms_are_refused(void **state)
{
	static const struct tdx_costs costs;
	struct tdx_platform p = tdx_platform_default;

	(void)state;
	p.packages = 0;
	assert_null(tdx_module_create(&p, &costs));
	p.packages = 65;
	assert_null(tdx_module_create(&p, &costs));
	p = tdx_platform_default;
	p.max_pa = 64;
	assert_null(tdx_module_create(&p, &costs));
	tdx_module_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dense_page_takes_few_bytes),
		cmocka_unit_test(what_is_not_touched_costs_nothing),
		cmocka_unit_test(a_2m_page_takes_no_4k_entries),
		cmocka_unit_test(memory_is_used_again),
		cmocka_unit_test(ranges_are_checked),
		cmocka_unit_test(senseless_platforms_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
