/* SPDX-License-Identifier: GPL-2.0-only */
/* TDs from CREATE to the last RECLAIM, by calls alone. */
#include "tests/unit/module_kit.h"

#define TDR		  kit_tdr(0)
#define BIG		  GPA(0x200000)
#define ERR(call, status) assert_int_equal(call, status)

static struct tdx_out out;
static struct td_exit left;
static tdx_status status;

static void reclaim_ok(struct kit *k, hpa_t page)
{
	OK(tdh_phymem_page_reclaim(&k->lp, page, &out));
}

static void reclaim_control(struct kit *k, unsigned td, unsigned vcpus)
{
	unsigned v, i;

	for (v = 0; v < vcpus; v++)
		for (i = 0; i < TDX_TDVPS_PAGES; i++)
			reclaim_ok(k, kit_tdvps(td, v, i));
	ERR(tdh_phymem_page_reclaim(&k->lp, kit_tdr(td), &out),
	    TDX_TD_ASSOCIATED_PAGES_EXIST);
	for (i = 0; i < TDX_TDCS_PAGES; i++)
		reclaim_ok(k, kit_tdcs(td, i));
	reclaim_ok(k, kit_tdr(td));
	ERR(tdh_phymem_page_reclaim(&k->lp, kit_tdr(td), &out),
	    TDX_PAGE_METADATA_INCORRECT + OPERAND_RCX);
}

static void release_hkid(struct kit *k, unsigned td)
{
	OK(tdh_mng_vpflushdone(&k->lp, kit_tdr(td)));
	ERR(tdh_mng_key_freeid(&k->lp, kit_tdr(td)), TDX_WBCACHE_NOT_COMPLETE);
	OK(tdh_phymem_cache_wb(&k->lp, 0));
	OK(tdh_mng_key_freeid(&k->lp, kit_tdr(td)));
}

/* Build, run, remove while runnable, tear down; twice, in the same pages. */
static void a_whole_life(void **state)
{
	struct kit *k = kit_create(NULL);
	int life;
	u64 i;

	(void)state;
	for (life = 0; life < 2; life++) {
		kit_td_initialized(&k->lp, 0, 2);
		kit_tree(&k->lp, 0, GPA(0), LEVEL_4K, 0);
		OK(tdh_mem_page_add(&k->lp, TDR, GPA(0), kit_page(0), HPA(0),
				    &out));
		OK(tdh_mr_extend(&k->lp, TDR, GPA(0xF00), &out));
		kit_check(k);
		OK(tdh_mr_finalize(&k->lp, TDR));
		for (i = 1; i < 8; i++)
			kit_aug(&k->lp, 0, GPA(i << 12), LEVEL_4K, kit_page(i));
		kit_enter(&k->lp, 0, 0);
		kit_enter(&k->other, 0, 1);
		kit_check(k);
		for (i = 1; i < 8; i++)
			kit_accept(&k->lp, GPA(i << 12), LEVEL_4K);
		assert_true(td_gpa_accessible(&k->lp, GPA(0x7000)));
		assert_false(td_gpa_accessible(&k->lp, GPA(0x8000)));
		kit_exit(&k->lp);
		kit_exit(&k->other);
		kit_check(k);
		for (i = 0; i < 4; i++)
			OK(tdh_mem_range_block(&k->lp, TDR, GPA(i << 12),
					       LEVEL_4K, &out));
		OK(tdh_mem_track(&k->lp, TDR));
		for (i = 0; i < 4; i++) {
			OK(tdh_mem_page_remove(&k->lp, TDR, GPA(i << 12),
					       LEVEL_4K, &out));
			assert_int_equal(out.rcx, kit_page(i).v);
			OK(tdh_phymem_page_wbinvd(&k->lp, kit_page(i)));
		}
		ERR(tdh_mng_vpflushdone(&k->lp, TDR), TDX_FLUSHVP_NOT_DONE);
		OK(tdh_vp_flush(&k->lp, KIT_TDVPR(0, 0)));
		OK(tdh_vp_flush(&k->other, KIT_TDVPR(0, 1)));
		release_hkid(k, 0);
		kit_check(k);
		for (i = 4; i < 8; i++)
			reclaim_ok(k, kit_page(i));
		for (i = 0; i < 3; i++)
			reclaim_ok(k, kit_sept_page(i));
		reclaim_control(k, 0, 2);
		kit_check(k);
	}
	kit_destroy(k);
}

/* ------------------------------------------------------- out of order */

static void calls_in_the_wrong_order(void **state)
{
	const struct td_params params = {.gpaw = 48}, odd = {.gpaw = 40};
	struct kit *k = kit_create(NULL);
	struct lp *lp = &k->lp;
	hpa_t vp = KIT_TDVPR(0, 0);
	u64 value;
	unsigned i;

	(void)state;
	ERR(tdh_mng_create(lp, TDR, 31), TDX_OPERAND_INVALID + OPERAND_RDX);
	ERR(tdh_mng_create(lp, TDR, 64), TDX_OPERAND_INVALID + OPERAND_RDX);
	ERR(tdh_mng_create(lp, TDR, 32), TDX_HKID_NOT_FREE);
	ERR(tdh_mng_create(lp, HPA(GIB), 33),
	    TDX_OPERAND_ADDR_RANGE_ERROR + OPERAND_RCX);
	ERR(tdh_mng_key_config(lp, TDR),
	    TDX_PAGE_METADATA_INCORRECT + OPERAND_RCX);
	OK(tdh_mng_create(lp, TDR, 33));
	ERR(tdh_mng_create(lp, kit_tdr(1), 33), TDX_HKID_NOT_FREE);
	ERR(tdh_mng_addcx(lp, TDR, kit_tdcs(0, 0)), TDX_TD_KEYS_NOT_CONFIGURED);
	ERR(tdh_mem_track(lp, TDR), TDX_TD_KEYS_NOT_CONFIGURED);
	OK(tdh_mng_key_config(lp, TDR));
	ERR(tdh_mng_key_config(lp, TDR), TDX_LIFECYCLE_STATE_INCORRECT);
	ERR(tdh_mng_init(lp, TDR, &params), TDX_TDCS_NOT_ALLOCATED);
	for (i = 0; i < TDX_TDCS_PAGES; i++)
		OK(tdh_mng_addcx(lp, TDR, kit_tdcs(0, i)));
	ERR(tdh_mng_addcx(lp, TDR, kit_page(0)), TDX_TDCX_NUM_INCORRECT);
	ERR(tdh_mng_rd(lp, TDR, 0, &value), TDX_OP_STATE_INCORRECT);
	ERR(tdh_vp_create(lp, TDR, vp), TDX_OP_STATE_INCORRECT);
	ERR(tdh_mng_init(lp, TDR, &odd), TDX_OPERAND_INVALID + OPERAND_RDX);
	OK(tdh_mng_init(lp, TDR, &params));
	ERR(tdh_mng_init(lp, TDR, &params), TDX_OP_STATE_INCORRECT);
	ERR(tdh_mr_finalize(lp, TDR), TDX_NO_VCPUS);
	OK(tdh_vp_create(lp, TDR, vp));
	ERR(tdh_vp_init(lp, vp, 0), TDX_TDCX_NUM_INCORRECT);
	for (i = 1; i < TDX_TDVPS_PAGES; i++)
		OK(tdh_vp_addcx(lp, vp, kit_tdvps(0, 0, i)));
	ERR(tdh_vp_addcx(lp, vp, kit_page(0)), TDX_TDCX_NUM_INCORRECT);
	ERR(tdh_vp_rd(lp, vp, 0, &value), TDX_VCPU_STATE_INCORRECT);
	OK(tdh_vp_init(lp, vp, 0));
	ERR(tdh_vp_init(lp, vp, 0), TDX_VCPU_STATE_INCORRECT);
	ERR(tdh_vp_rd(&k->other, vp, 0, &value), TDX_VCPU_ASSOCIATED);
	ERR(tdh_vp_enter(lp, vp, &left), TDX_OP_STATE_INCORRECT);
	OK(tdh_mr_finalize(lp, TDR));
	ERR(tdh_mr_extend(lp, TDR, GPA(0), &out), TDX_OP_STATE_INCORRECT);
	ERR(tdh_mem_page_add(lp, TDR, GPA(0), kit_page(0), HPA(0), &out),
	    TDX_OP_STATE_INCORRECT);
	kit_check(k);
	kit_destroy(k);
}

static void operands_are_checked(void **state)
{
	struct kit *k = kit_create(NULL);
	struct lp *lp = &k->lp;

	(void)state;
	kit_td_initialized(lp, 0, 1);
	kit_tree(lp, 0, GPA(0), LEVEL_4K, 0);
	ERR(tdh_mem_page_add(lp, TDR, GPA(0), kit_page(0), HPA(0x10), &out),
	    TDX_OPERAND_INVALID + OPERAND_R9);
	/* SEAM memory, a private HKID, a bit that does not exist */
	ERR(tdh_mem_page_add(lp, TDR, GPA(0), kit_page(0), HPA(0xFC1FFF000),
			     &out),
	    TDX_OPERAND_INVALID + OPERAND_R9);
	ERR(tdh_mem_page_add(lp, TDR, GPA(0), kit_page(0), HPA(1ull << 51),
			     &out),
	    TDX_OPERAND_INVALID + OPERAND_R9);
	ERR(tdh_mem_page_add(lp, TDR, GPA(0), kit_page(0), HPA(1ull << 52),
			     &out),
	    TDX_OPERAND_INVALID + OPERAND_R9);
	OK(tdh_mem_page_add(lp, TDR, GPA(0), kit_page(0), HPA(0xFC2000000),
			    &out));
	ERR(tdh_mem_page_aug(lp, TDR, BIG, LEVEL_2M, kit_page(1), &out),
	    TDX_OPERAND_INVALID + OPERAND_R8);
	ERR(tdh_mem_page_aug(lp, TDR, GPA(0x1000), LEVEL_4K,
			     HPA(KIT_PAGES | 1ull << 46), &out),
	    TDX_OPERAND_INVALID + OPERAND_R8);
	ERR(tdh_mem_page_aug(lp, HPA(TDR.v + 1), GPA(0x1000), LEVEL_4K,
			     kit_page(1), &out),
	    TDX_OPERAND_INVALID + OPERAND_RDX);
	ERR(tdh_mem_page_aug(lp, TDR, GPA(1ull << 47), LEVEL_4K, kit_page(1),
			     &out),
	    TDX_OPERAND_INVALID + OPERAND_RCX);
	ERR(tdh_mem_sept_add(lp, TDR, GPA(0), LEVEL_256T, kit_page(1), &out),
	    TDX_OPERAND_INVALID + OPERAND_RCX);
	ERR(tdh_mem_sept_add(lp, TDR, BIG, LEVEL_2M, HPA(~0ull), &out),
	    TDX_OPERAND_INVALID + OPERAND_R8);
	/* bit 0 of RDX: a page that is there already is no error */
	ERR(tdh_mem_sept_add(lp, TDR, GPA(0), LEVEL_2M, kit_page(9), &out),
	    TDX_EPT_ENTRY_STATE_INCORRECT + OPERAND_RCX);
	OK(tdh_mem_sept_add(lp, HPA(TDR.v | 1), GPA(0), LEVEL_2M, kit_page(9),
			    &out));
	ERR(tdh_mr_extend(lp, TDR, GPA(0x80), &out),
	    TDX_OPERAND_INVALID + OPERAND_RCX);
	ERR(tdh_mr_extend(lp, TDR, GPA(0x1000), &out),
	    TDX_EPT_ENTRY_NOT_PRESENT + OPERAND_RCX);
	ERR(tdh_phymem_cache_wb(lp, 2), TDX_OPERAND_INVALID + OPERAND_RCX);
	kit_check(k);
	kit_destroy(k);
}

/* ------------------------------------------------------------ resizing */

static void a_page_is_split_and_merged(void **state)
{
	struct kit *k = kit_create(NULL);
	struct tdx_show_pamt pamt;

	(void)state;
	kit_td(&k->lp, 0, 1);
	kit_tree(&k->lp, 0, BIG, LEVEL_2M, 0);
	kit_aug(&k->lp, 0, BIG, LEVEL_2M, kit_page(512));
	ERR(tdh_mem_page_demote(&k->lp, TDR, BIG, LEVEL_2M, kit_sept_page(5),
				&out),
	    TDX_GPA_RANGE_NOT_BLOCKED + OPERAND_RCX);
	kit_block(&k->lp, 0, BIG, LEVEL_2M);
	k->interrupt_after = 0;
	ERR(tdh_mem_page_demote(&k->lp, TDR, BIG, LEVEL_2M, kit_sept_page(5),
				&out),
	    TDX_INTERRUPTED_RESTARTABLE);
	assert_int_equal(out.rcx, BIG.v | LEVEL_2M);
	assert_int_equal(out.rdx, TDR.v);
	k->interrupt_after = -1;
	kit_check(k);
	OK(tdh_mem_page_demote(&k->lp, TDR, BIG, LEVEL_2M, kit_sept_page(5),
			       &out));
	assert_string_equal(kit_state(k, 0, GPA(BIG.v + 0x5000), LEVEL_4K),
			    "PENDING");
	tdx_show_pamt(k->m, kit_page(512 + 5), LEVEL_4K, &pamt);
	assert_string_equal(pamt.type, "REG");
	assert_int_equal(pamt.owner.v, TDR.v);
	kit_check(k);
	kit_enter(&k->lp, 0, 0);
	kit_accept(&k->lp, GPA(BIG.v + 0x5000), LEVEL_4K);
	kit_exit(&k->lp);
	kit_block(&k->lp, 0, BIG, LEVEL_2M);
	/* one is mapped, the others are pending */
	ERR(tdh_mem_page_promote(&k->lp, TDR, BIG, LEVEL_2M, &out),
	    TDX_EPT_INVALID_PROMOTE_CONDITIONS + OPERAND_RCX);
	kit_check(k);
	kit_destroy(k);
}

static void merging_can_be_interrupted(void **state)
{
	struct kit *k = kit_create(NULL);

	(void)state;
	kit_td(&k->lp, 0, 1);
	kit_tree(&k->lp, 0, BIG, LEVEL_2M, 0);
	kit_aug(&k->lp, 0, BIG, LEVEL_2M, kit_page(512));
	kit_block(&k->lp, 0, BIG, LEVEL_2M);
	OK(tdh_mem_page_demote(&k->lp, TDR, BIG, LEVEL_2M, kit_sept_page(5),
			       &out));
	kit_block(&k->lp, 0, BIG, LEVEL_2M);
	k->interrupt_after = 0;
	ERR(tdh_mem_page_promote(&k->lp, TDR, BIG, LEVEL_2M, &out),
	    TDX_INTERRUPTED_RESTARTABLE);
	k->interrupt_after = -1;
	kit_check(k);
	OK(tdh_mem_page_promote(&k->lp, TDR, BIG, LEVEL_2M, &out));
	assert_int_equal(out.rcx, kit_sept_page(5).v);
	assert_string_equal(kit_state(k, 0, BIG, LEVEL_2M), "PENDING");
	/* its entries stay locked, but it is no S-EPT page any more */
	kit_check(k);
	kit_destroy(k);
}

static void a_gigabyte_is_merged_removed_and_reclaimed(void **state)
{
	struct kit *k = kit_create(NULL);
	u64 i;

	(void)state;
	kit_td_initialized(&k->lp, 0, 1);
	kit_tree(&k->lp, 0, GPA(0), LEVEL_2M, 0);
	kit_tree(&k->lp, 0, GPA(1ull << 39), LEVEL_1G, 10);
	for (i = 0; i < ENTRIES; i++)
		kit_aug(&k->lp, 0, GPA(i << 21), LEVEL_2M,
			HPA(KIT_PAGES + (i << 21)));
	OK(tdh_mem_page_promote(&k->lp, TDR, GPA(0), LEVEL_1G, &out));
	assert_string_equal(kit_state(k, 0, GPA(0), LEVEL_1G), "PENDING");
	kit_check(k);
	OK(tdh_phymem_page_rdmd(&k->lp, kit_page(77), &out));
	assert_int_equal(out.r8, LEVEL_1G);
	OK(tdh_mem_page_demote(&k->lp, TDR, GPA(0), LEVEL_1G, kit_sept_page(20),
			       &out));
	kit_check(k);
	OK(tdh_mem_page_promote(&k->lp, TDR, GPA(0), LEVEL_1G, &out));
	OK(tdh_mr_finalize(&k->lp, TDR));
	release_hkid(k, 0);
	ERR(tdh_phymem_page_reclaim(&k->lp, kit_page(512), &out),
	    TDX_OPERAND_INVALID + OPERAND_RCX);
	reclaim_ok(k, HPA(KIT_PAGES));
	assert_int_equal(out.r8, LEVEL_1G);
	kit_check(k);
	kit_destroy(k);
}

static void a_page_moves(void **state)
{
	struct kit *k = kit_create(NULL);
	struct tdx_show_sept show;

	(void)state;
	kit_td(&k->lp, 0, 1);
	kit_tree(&k->lp, 0, GPA(0), LEVEL_4K, 0);
	kit_aug(&k->lp, 0, GPA(0), LEVEL_4K, kit_page(0));
	ERR(tdh_mem_page_relocate(&k->lp, TDR, GPA(0), kit_page(1), &out),
	    TDX_GPA_RANGE_NOT_BLOCKED + OPERAND_RCX);
	kit_block(&k->lp, 0, GPA(0), LEVEL_4K);
	ERR(tdh_mem_page_relocate(&k->lp, TDR, GPA(0), kit_page(0), &out),
	    TDX_OPERAND_INVALID + OPERAND_R8);
	OK(tdh_mem_page_relocate(&k->lp, TDR, GPA(0), kit_page(1), &out));
	assert_int_equal(out.rcx, kit_page(0).v);
	tdx_show_sept(k->m, TDR, GPA(0), LEVEL_4K, &show);
	assert_string_equal(show.state, "PENDING");
	assert_int_equal(show.hpa.v, kit_page(1).v);
	kit_check(k);
	kit_destroy(k);
}

static void five_levels(void **state)
{
	const struct td_params params = {.gpaw = 52};
	const gpa_t high = GPA(1ull << 50);
	struct kit *k = kit_create(NULL);
	u64 page = 0;
	int l;

	(void)state;
	kit_td_begin(&k->lp, 0, &params);
	for (l = LEVEL_256T; l > LEVEL_4K; l--)
		OK(tdh_mem_sept_add(&k->lp, TDR, high, (enum tdx_level)l,
				    kit_sept_page(page++), &out));
	kit_aug(&k->lp, 0, high, LEVEL_4K, kit_page(0));
	ERR(tdh_mem_page_aug(&k->lp, TDR, GPA(1ull << 51), LEVEL_4K,
			     kit_page(1), &out),
	    TDX_OPERAND_INVALID + OPERAND_RCX);
	OK(tdh_mem_sept_rd(&k->lp, TDR, high, LEVEL_256T, &out));
	assert_int_equal(out.rcx, 0x7);
	assert_int_equal(out.rdx, 0x8404);
	kit_check(k);
	kit_destroy(k);
}

/* ---------------------------------------------------------- write-back */

static void a_write_back_is_resumed(void **state)
{
	struct kit *k = kit_create(NULL);
	int tries = 0;

	(void)state;
	kit_td(&k->lp, 0, 1);
	ERR(tdh_phymem_cache_wb(&k->lp, 0), TDX_NO_HKID_READY_TO_WBCACHE);
	ERR(tdh_phymem_cache_wb(&k->lp, 1), TDX_WBCACHE_RESUME_ERROR);
	OK(tdh_mng_vpflushdone(&k->lp, TDR));
	k->interrupt_after = 0;
	status = tdh_phymem_cache_wb(&k->lp, 0);
	while (status == TDX_INTERRUPTED_RESUMABLE) {
		kit_check(k);
		status = tdh_phymem_cache_wb(&k->other, 1);
		tries++;
	}
	OK(status);
	assert_int_equal(tries, tdx_platform_default.cache_sub_blocks - 1);
	OK(tdh_mng_key_freeid(&k->lp, TDR));
	kit_destroy(k);
}

static void every_package_has_to_write_back(void **state)
{
	static const struct tdx_costs costs;
	struct tdx_platform platform = tdx_platform_default;
	struct kit *k = kit_create(NULL);
	struct lp lp;
	u32 i;

	(void)state;
	tdx_module_destroy(k->m);
	platform.packages = 40;
	k->m = tdx_module_create(&platform, &costs);
	assert_non_null(k->m);
	OK((u64)tdx_module_add_tdmr(k->m, HPA(KIT_BASE), KIT_SIZE));
	lp_init(&lp, k->m, &k->s, 0, 0);
	OK(tdh_mng_create(&lp, TDR, 33));
	for (i = 0; i < platform.packages; i++) {
		ERR(tdh_mng_addcx(&lp, TDR, kit_tdcs(0, 0)),
		    TDX_TD_KEYS_NOT_CONFIGURED);
		lp_init(&lp, k->m, &k->s, i, i);
		OK(tdh_mng_key_config(&lp, TDR));
	}
	OK(tdh_mng_addcx(&lp, TDR, kit_tdcs(0, 0)));
	OK(tdh_mng_vpflushdone(&lp, TDR));
	for (i = 0; i < platform.packages; i++) {
		ERR(tdh_mng_key_freeid(&lp, TDR), TDX_WBCACHE_NOT_COMPLETE);
		lp_init(&lp, k->m, &k->s, i, i);
		OK(tdh_phymem_cache_wb(&lp, 0));
	}
	OK(tdh_mng_key_freeid(&lp, TDR));
	kit_destroy(k);
}

/* ------------------------------------------- the invariants' own test */

static void what_is_amiss_is_found(void **state)
{
	const struct tdx_ref held[] = {
		{.what = TDX_SEPT_TREE, .tdr = TDR},
		{.what = TDX_EPOCH, .tdr = TDR},
		{.what = TDX_OP_STATE, .tdr = TDR},
		{.what = TDX_TDR, .tdr = TDR},
		{.what = TDX_TDVPR, .hpa = KIT_TDVPR(0, 0)},
		{.what = TDX_KOT},
		{.what = TDX_WBCACHE},
		{.what = TDX_SEPT_ENTRY, .tdr = TDR, .level = LEVEL_512G},
		{.what = TDX_PAMT, .hpa = TDR, .size = LEVEL_1G},
		{.what = TDX_PAMT, .hpa = TDR, .size = LEVEL_2M},
	};
	struct kit *k = kit_create(NULL);
	char why[100];
	size_t i;

	(void)state;
	kit_td(&k->lp, 0, 1);
	kit_tree(&k->lp, 0, GPA(0), LEVEL_1G, 0);
	/* the root is a TDCS page: lock an entry of the page below it */
	for (i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
		struct tdx_ref ref = held[i];

		if (ref.what == TDX_SEPT_ENTRY)
			ref.level = LEVEL_1G;
		OK(tdx_ref_lock(&k->lp, &ref, true));
		assert_false(tdx_check_invariants(k->m, why, sizeof(why)));
		assert_true(strlen(why) > 10);
		OK(tdx_ref_unlock(&k->lp, &ref, true));
		kit_check(k);
	}
	kit_destroy(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_life),
		cmocka_unit_test(calls_in_the_wrong_order),
		cmocka_unit_test(operands_are_checked),
		cmocka_unit_test(a_page_is_split_and_merged),
		cmocka_unit_test(merging_can_be_interrupted),
		cmocka_unit_test(a_gigabyte_is_merged_removed_and_reclaimed),
		cmocka_unit_test(a_page_moves),
		cmocka_unit_test(five_levels),
		cmocka_unit_test(a_write_back_is_resumed),
		cmocka_unit_test(every_package_has_to_write_back),
		cmocka_unit_test(what_is_amiss_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
