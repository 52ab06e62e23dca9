/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When nothing contends, a call on the virtual machine takes exactly what
 * the cost table says for the whole call: fixed part, words, and the rest.
 */
#include "tests/unit/module_kit.h"

enum { MAX_TIMES = 80, WORD_PS = 1000 };

struct timing {
	const char *what;
	u64 took, expected;
};

struct world {
	struct tdx_module *m;
	struct tdx_costs costs;
	struct lp lp, other;
	struct timing times[MAX_TIMES];
	u32 ntimes;
	bool finished;
};

static void note(struct world *w, const char *what, u64 since, u64 expected)
{
	assert_true(w->ntimes < MAX_TIMES);
	w->times[w->ntimes++] =
		(struct timing){what, now(w->lp.strand) - since, expected};
}

/* Time one expression, which has to succeed. */
#define TIMED(w, what, expected, expression)                                   \
	do {                                                                   \
		u64 since_ = now((w)->lp.strand);                              \
                                                                               \
		OK(expression);                                                \
		note(w, what, since_, expected);                               \
	} while (0)
#define CALL(w, id, expression)                                                \
	TIMED(w, #id, (w)->costs.call_ps[id], expression)

static struct tdx_costs odd_costs(void)
{
	struct tdx_costs c = {
		.seamcall_ps = 700001,
		.tdcall_ps = 300001,
		.td_enter_ps = 2500003,
		.td_exit_ps = 1200005,
		.accept_2m_ps = 90000007,
		.demote_ps = 7000013,
		.line_local_ps = WORD_PS,
	};
	unsigned i;

	for (i = 0; i < NR_TDX_CALLS; i++)
		c.call_ps[i] = 5000003 + 1001 * i;
	return c;
}

#define TDR	kit_tdr(0)
#define PAGE(n) kit_page(n)
#define FAR(n)	GPA((n)*GIB)

static void build(struct world *w, struct lp *lp)
{
	const struct td_params params = {.gpaw = 48};
	hpa_t tdvpr = KIT_TDVPR(0, 0);
	u64 value;
	unsigned i;

	CALL(w, TDH_MNG_CREATE, tdh_mng_create(lp, TDR, 33));
	CALL(w, TDH_MNG_KEY_CONFIG, tdh_mng_key_config(lp, TDR));
	for (i = 0; i < TDX_TDCS_PAGES; i++)
		CALL(w, TDH_MNG_ADDCX, tdh_mng_addcx(lp, TDR, kit_tdcs(0, i)));
	CALL(w, TDH_MNG_INIT, tdh_mng_init(lp, TDR, &params));
	CALL(w, TDH_MNG_RD, tdh_mng_rd(lp, TDR, 0, &value));
	CALL(w, TDH_VP_CREATE, tdh_vp_create(lp, TDR, tdvpr));
	for (i = 1; i < TDX_TDVPS_PAGES; i++)
		CALL(w, TDH_VP_ADDCX,
		     tdh_vp_addcx(lp, tdvpr, kit_tdvps(0, 0, i)));
	CALL(w, TDH_VP_INIT, tdh_vp_init(lp, tdvpr, 0));
	CALL(w, TDH_VP_FLUSH, tdh_vp_flush(lp, tdvpr));
	CALL(w, TDH_VP_RD, tdh_vp_rd(lp, tdvpr, 0, &value));
	CALL(w, TDH_VP_WR, tdh_vp_wr(lp, tdvpr, 0, 0));
	OK(tdh_vp_flush(lp, tdvpr));
}

static void add_image(struct world *w, struct lp *lp)
{
	struct tdx_out out;

	CALL(w, TDH_MEM_SEPT_ADD,
	     tdh_mem_sept_add(lp, TDR, GPA(0), LEVEL_512G, kit_sept_page(0),
			      &out));
	kit_tree(lp, 0, FAR(512), LEVEL_4K, 10);
	OK(tdh_mem_sept_add(lp, TDR, GPA(0), LEVEL_1G, kit_sept_page(1), &out));
	OK(tdh_mem_sept_add(lp, TDR, GPA(0), LEVEL_2M, kit_sept_page(2), &out));
	CALL(w, TDH_MEM_PAGE_ADD,
	     tdh_mem_page_add(lp, TDR, GPA(0), PAGE(0), HPA(0x10000000), &out));
	CALL(w, TDH_MR_EXTEND, tdh_mr_extend(lp, TDR, GPA(0), &out));
	/* before finalize nothing has to be tracked: a word less */
	CALL(w, TDH_MEM_PAGE_REMOVE,
	     tdh_mem_page_remove(lp, TDR, GPA(0), LEVEL_4K, &out));
	CALL(w, TDH_MEM_SEPT_REMOVE,
	     tdh_mem_sept_remove(lp, TDR, FAR(512), LEVEL_2M, &out));
	CALL(w, TDH_MR_FINALIZE, tdh_mr_finalize(lp, TDR));
}

static void map_and_accept(struct world *w, struct lp *lp)
{
	u64 enter = w->costs.td_enter_ps, leave = w->costs.td_exit_ps;
	struct tdx_out out;
	struct td_exit exit;
	tdx_status status;
	u64 since;

	CALL(w, TDH_MEM_PAGE_AUG,
	     tdh_mem_page_aug(lp, TDR, GPA(0), LEVEL_4K, PAGE(0), &out));
	CALL(w, TDH_MEM_PAGE_AUG,
	     tdh_mem_page_aug(lp, TDR, GPA(0x200000), LEVEL_2M, PAGE(512),
			      &out));
	TIMED(w, "VP.ENTER, new association", enter,
	      tdh_vp_enter(lp, KIT_TDVPR(0, 0), &exit));
	CALL(w, TDG_MEM_PAGE_ACCEPT,
	     (tdg_mem_page_accept(lp, GPA(0), LEVEL_4K, &status, &exit),
	      status));
	TIMED(w, "ACCEPT 2M", w->costs.accept_2m_ps,
	      (tdg_mem_page_accept(lp, GPA(0x200000), LEVEL_2M, &status, &exit),
	       status));
	CALL(w, TDG_MEM_PAGE_ATTR_RD,
	     (tdg_mem_page_attr_rd(lp, GPA(0), &status, &exit), status));
	CALL(w, TDG_MEM_PAGE_ATTR_WR,
	     (tdg_mem_page_attr_wr(lp, GPA(0), 0, &status, &exit), status));
	since = now(lp->strand);
	td_interrupt_exit(lp, &exit);
	note(w, "TD exit", since, leave);
	TIMED(w, "VP.ENTER, again", enter,
	      tdh_vp_enter(lp, KIT_TDVPR(0, 0), &exit));
	since = now(lp->strand);
	td_ept_violation(lp, GPA(0x1000), &exit);
	note(w, "TD exit, EPT violation", since, leave);
}

/* Seven faults, then the page is there: the filter passes. */
static void enter_filtered(struct world *w, struct lp *lp)
{
	struct td_exit exit;
	int i;

	for (i = 0; i < 7; i++) {
		OK(tdh_vp_enter(lp, KIT_TDVPR(0, 0), &exit));
		td_set_rip(lp, 0x1000);
		td_ept_violation(lp, GPA(0), &exit);
	}
	TIMED(w, "VP.ENTER, zero-step passes", w->costs.td_enter_ps,
	      tdh_vp_enter(lp, KIT_TDVPR(0, 0), &exit));
	td_interrupt_exit(lp, &exit);
}

static void change(struct world *w, struct lp *lp)
{
	const gpa_t big = GPA(0x200000);
	struct tdx_out out;

	CALL(w, TDH_MEM_RANGE_BLOCK,
	     tdh_mem_range_block(lp, TDR, big, LEVEL_2M, &out));
	CALL(w, TDH_MEM_TRACK, tdh_mem_track(lp, TDR));
	CALL(w, TDH_MEM_RANGE_UNBLOCK,
	     tdh_mem_range_unblock(lp, TDR, big, LEVEL_2M, &out));
	kit_block(lp, 0, big, LEVEL_2M);
	TIMED(w, "TDH_MEM_PAGE_DEMOTE", w->costs.demote_ps,
	      tdh_mem_page_demote(lp, TDR, big, LEVEL_2M, kit_sept_page(3),
				  &out));
	CALL(w, TDH_MEM_SEPT_RD, tdh_mem_sept_rd(lp, TDR, big, LEVEL_2M, &out));
	kit_block(lp, 0, big, LEVEL_2M);
	CALL(w, TDH_MEM_PAGE_PROMOTE,
	     tdh_mem_page_promote(lp, TDR, big, LEVEL_2M, &out));
	kit_block(lp, 0, GPA(0), LEVEL_4K);
	CALL(w, TDH_MEM_PAGE_RELOCATE,
	     tdh_mem_page_relocate(lp, TDR, GPA(0), PAGE(1), &out));
	CALL(w, TDH_PHYMEM_PAGE_RDMD, tdh_phymem_page_rdmd(lp, PAGE(1), &out));
	CALL(w, TDH_PHYMEM_PAGE_RDMD,
	     tdh_phymem_page_rdmd(lp, PAGE(512), &out));
	kit_block(lp, 0, GPA(0), LEVEL_4K);
	CALL(w, TDH_MEM_PAGE_REMOVE,
	     tdh_mem_page_remove(lp, TDR, GPA(0), LEVEL_4K, &out));
	CALL(w, TDH_PHYMEM_PAGE_WBINVD, tdh_phymem_page_wbinvd(lp, PAGE(1)));
	kit_block(lp, 0, GPA(0), LEVEL_2M);
	CALL(w, TDH_MEM_SEPT_REMOVE,
	     tdh_mem_sept_remove(lp, TDR, GPA(0), LEVEL_2M, &out));
}

static void fail_cheaply(struct world *w, struct lp *lp)
{
	struct tdx_ref tree = {.what = TDX_SEPT_TREE, .tdr = TDR};
	struct tdx_out out;
	u64 since;

	OK(tdx_ref_lock(lp, &tree, true));
	since = now(lp->strand);
	assert_int_equal(tdh_mem_page_aug(lp, TDR, GPA(0x400000), LEVEL_2M,
					  PAGE(1024), &out),
			 TDX_OPERAND_BUSY + OPERAND_SEPT_TREE);
	note(w, "AUG that is busy", since, w->costs.seamcall_ps + 9 * WORD_PS);
	OK(tdx_ref_unlock(lp, &tree, true));
}

static void tear_down(struct world *w, struct lp *lp)
{
	struct tdx_out out;
	unsigned i;

	OK(tdh_vp_flush(lp, KIT_TDVPR(0, 0)));
	CALL(w, TDH_MNG_VPFLUSHDONE, tdh_mng_vpflushdone(lp, TDR));
	CALL(w, TDH_PHYMEM_CACHE_WB, tdh_phymem_cache_wb(lp, 0));
	CALL(w, TDH_MNG_KEY_FREEID, tdh_mng_key_freeid(lp, TDR));
	CALL(w, TDH_PHYMEM_PAGE_RECLAIM,
	     tdh_phymem_page_reclaim(lp, PAGE(512), &out));
	for (i = 0; i < 20; i++)
		tdh_phymem_page_reclaim(lp, kit_sept_page(i), &out);
	CALL(w, TDH_PHYMEM_PAGE_RECLAIM,
	     tdh_phymem_page_reclaim(lp, KIT_TDVPR(0, 0), &out));
	for (i = 1; i < TDX_TDVPS_PAGES; i++)
		OK(tdh_phymem_page_reclaim(lp, kit_tdvps(0, 0, i), &out));
	for (i = 0; i < TDX_TDCS_PAGES; i++)
		OK(tdh_phymem_page_reclaim(lp, kit_tdcs(0, i), &out));
	CALL(w, TDH_PHYMEM_PAGE_RECLAIM,
	     tdh_phymem_page_reclaim(lp, TDR, &out));
}

static void live(struct strand *s, void *arg)
{
	struct world *w = arg;
	struct lp *lp = &w->lp;

	lp_init(lp, w->m, s, 0, 0);
	build(w, lp);
	add_image(w, lp);
	map_and_accept(w, lp);
	enter_filtered(w, lp);
	change(w, lp);
	fail_cheaply(w, lp);
	tear_down(w, lp);
	w->finished = true;
}

static void live_on_virtual_time(struct world *w)
{
	static struct cpu_place cpu;
	static const struct topology topology = {1, 1, &cpu};
	const struct virtual_config config = {
		.topology = &topology,
		.line = {WORD_PS, 20000, 50000, 130000},
		.seed = 1,
		.max_strands = 1,
	};
	struct machine *machine = virtual_create(&config);

	assert_non_null(machine);
	w->m = tdx_module_create(&tdx_platform_default, &w->costs);
	assert_non_null(w->m);
	OK((u64)tdx_module_add_tdmr(w->m, HPA(KIT_BASE), KIT_SIZE));
	assert_non_null(machine_strand(machine, 0, live, w));
	assert_int_equal(machine_run(machine), MACHINE_DONE);
	assert_true(w->finished);
	tdx_module_destroy(w->m);
	machine_destroy(machine);
}

static void an_uncontended_call_takes_what_the_table_says(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	u32 i;

	(void)state;
	assert_non_null(w);
	w->costs = odd_costs();
	live_on_virtual_time(w);
	for (i = 0; i < w->ntimes; i++)
		if (w->times[i].took != w->times[i].expected)
			fail_msg("%s: took %llu ps, not %llu", w->times[i].what,
				 (unsigned long long)w->times[i].took,
				 (unsigned long long)w->times[i].expected);
	assert_true(w->ntimes > 50);
	free(w);
}

/* 0 in the table: the fixed part and the words are all there is. */
static void without_whole_costs_the_parts_remain(void **state)
{
	struct tdx_costs costs = {.seamcall_ps = 701, .line_local_ps = 10};
	struct kit *k = kit_create(&costs);

	(void)state;
	kit_td(&k->lp, 0, 1);
	k->spent = 0;
	OK(tdh_mem_track(&k->lp, kit_tdr(0)));
	assert_int_equal(k->spent, 701);
	kit_destroy(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_uncontended_call_takes_what_the_table_says),
		cmocka_unit_test(without_whole_costs_the_parts_remain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
