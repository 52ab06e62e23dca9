/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking memory back: BLOCK, UNBLOCK, TRACK, PAGE.REMOVE, SEPT.REMOVE. */
#include "model/module/gates.h"

/* Entry of what an S-EPT entry maps: the page, or the S-EPT page below. */
static struct pamt_ref mapped_page(const struct mem_call *mc)
{
	hpa_t hpa = sept_hpa(sept_clean(mc->entry, mc->level));
	bool leaf = mc->entry & SEPT_LEAF;

	return pamt_get(&mc->c, hpa, leaf ? mc->level : LEVEL_4K);
}

/* A gate that does not apply reads the epoch not: one word less. */
static int ungated(const struct mem_call *mc)
{
	return mem_needs_tracking(mc) ? 0 : 1;
}

/* ---------------------------------------------------------------- BLOCK */

static tdx_status range_block(struct mem_call *mc)
{
	struct pamt_ref page;

	tdx_call_body(&mc->c, 0, WORK_PLAIN);
	mem_store(mc, sept_block(mc->entry, mc->level));
	/* Block first, sample the epoch second: nobody new gets in between. */
	page = mapped_page(mc);
	plain_access(mc->c.s, &mc->td->track.epoch, sizeof(u64), false);
	page.entry->bepoch =
		__atomic_load_n(&mc->td->track.epoch, __ATOMIC_SEQ_CST);
	mem_unlock_entry(mc);
	return TDX_SUCCESS;
}

tdx_status tdh_mem_range_block(struct lp *lp, hpa_t tdr, gpa_t gpa,
			       enum tdx_level level, struct tdx_out *out)
{
	static const struct mem_rule rule = {
		.id = TDH_MEM_RANGE_BLOCK,
		.lowest = LEVEL_4K,
		.highest = LEVEL_ROOT,
		.tree_exclusive = true,
		.body = range_block,
	};

	return mem_run(lp, &rule, gpa.v | level, tdr.v, HPA(0), out);
}

/* -------------------------------------------------------------- UNBLOCK */

static tdx_status range_unblock(struct mem_call *mc)
{
	u64 bepoch = mapped_page(mc).entry->bepoch;

	if (mem_needs_tracking(mc) &&
	    !epoch_is_tracked(&mc->c, mc->td, bepoch)) {
		mem_unlock_entry(mc);
		return with_operand(TDX_TLB_TRACKING_NOT_DONE,
				    OPERAND_SEPT_TREE);
	}
	tdx_call_body(&mc->c, ungated(mc), WORK_PLAIN);
	mem_store(mc, sept_unblock(mc->entry) & ~ENTRY_EL);
	return TDX_SUCCESS;
}

tdx_status tdh_mem_range_unblock(struct lp *lp, hpa_t tdr, gpa_t gpa,
				 enum tdx_level level, struct tdx_out *out)
{
	static const struct mem_rule rule = {
		.id = TDH_MEM_RANGE_UNBLOCK,
		.lowest = LEVEL_4K,
		.highest = LEVEL_ROOT,
		.tree_exclusive = true,
		.body = range_unblock,
	};

	return mem_run(lp, &rule, gpa.v | level, tdr.v, HPA(0), out);
}

/* ---------------------------------------------------------------- TRACK */

static tdx_status advance_epoch(const struct call *c, struct td *td)
{
	struct lock epoch = td_epoch_lock(td);
	tdx_status status = TDX_SUCCESS;
	const u16 *before;
	u64 now;

	if (!sharex_try(c, &epoch, true))
		return with_operand(TDX_OPERAND_BUSY, OPERAND_TD_EPOCH);
	tdx_call_body(c, 0, WORK_PLAIN);
	now = td->track.epoch;
	before = &td->track.refcount[1 - (now & 1)];
	plain_access(c->s, before, sizeof(*before), false);
	if (__atomic_load_n(before, __ATOMIC_SEQ_CST)) {
		status = TDX_PREVIOUS_TLB_EPOCH_BUSY;
		trace_lost(c->s, "REFCOUNT", before, (u16)~0);
	} else {
		plain_access(c->s, &td->track.epoch, sizeof(u64), true);
		__atomic_store_n(&td->track.epoch, now + 1, __ATOMIC_SEQ_CST);
	}
	sharex_release(c, &epoch, true);
	return status;
}

tdx_status tdh_mem_track(struct lp *lp, hpa_t tdr)
{
	struct pamt_walk w;
	struct call c;
	struct td *td;
	tdx_status status;

	tdx_call_begin(&c, lp, TDH_MEM_TRACK);
	status = td_enter_shared(&c, &w, tdr, OPERAND_RCX, &td);
	if (!status) {
		status = advance_epoch(&c, td);
		td_leave_shared(&c, &w, td);
	}
	return tdx_call_end(&c, status);
}

/* ---------------------------------------------------------- PAGE.REMOVE */

static void page_remove_commit(struct mem_call *mc, struct pamt_ref *page)
{
	mc->out->rcx = sept_leaf_hpa(mc->entry, mc->level).v;
	tdx_call_body(&mc->c, ungated(mc), WORK_PLAIN);
	mem_store(mc, SEPT_FREE_ENTRY);
	td_count_pages(&mc->c, mc->td, -(s64)LEVEL_PAGES(mc->level));
	pamt_set_type(mc->c.s, page->entry, PT_NDA);
}

static tdx_status page_remove(struct mem_call *mc)
{
	struct pamt_ref page;
	struct lock l;
	tdx_status status;

	mc->entry = sept_clean(mc->entry, mc->level);
	page = mapped_page(mc);
	l = pamt_lock(&page, "PAMT_PAGE");
	if (hp_try(&mc->c, &l, true, HOST) != TDX_SUCCESS) {
		mem_unlock_entry(mc);
		return with_operand(TDX_OPERAND_BUSY, OPERAND_RCX);
	}
	status = mem_tracking_gate(mc, page.entry->bepoch);
	if (!status)
		page_remove_commit(mc, &page);
	hp_release(&mc->c, &l, true);
	if (status)
		mem_unlock_entry(mc);
	return status;
}

tdx_status tdh_mem_page_remove(struct lp *lp, hpa_t tdr, gpa_t gpa,
			       enum tdx_level level, struct tdx_out *out)
{
	static const struct mem_rule rule = {
		.id = TDH_MEM_PAGE_REMOVE,
		.lowest = LEVEL_4K,
		.highest = LEVEL_1G,
		.body = page_remove,
	};

	return mem_run(lp, &rule, gpa.v | level, tdr.v, HPA(0), out);
}

/* ---------------------------------------------------------- SEPT.REMOVE */

/* By state alone: children that are free but locked pass. */
static bool children_are_free(const struct mem_call *mc)
{
	const struct sept_page *p = sept_page_at(mc->c.m, sept_hpa(mc->entry));
	unsigned i;

	plain_access(mc->c.s, p->entry, sizeof(p->entry), false);
	for (i = 0; i < ENTRIES; i++)
		if (sept_state(sept_load(&p->entry[i])) != STATE_FREE)
			return false;
	return true;
}

static tdx_status sept_remove_checked(struct mem_call *mc,
				      struct pamt_ref *page)
{
	tdx_status status = mem_tracking_gate(mc, page->entry->bepoch);

	if (status)
		return status;
	tdx_call_body(&mc->c, ungated(mc), WORK_PLAIN);
	if (!children_are_free(mc))
		return mem_refuse(mc, TDX_EPT_PAGE_NOT_FREE);
	mc->out->rcx = sept_hpa(mc->entry).v;
	mem_store(mc, SEPT_FREE_ENTRY);
	td_count_pages(&mc->c, mc->td, -1);
	pamt_set_type(mc->c.s, page->entry, PT_NDA);
	return TDX_SUCCESS;
}

static tdx_status sept_remove(struct mem_call *mc)
{
	struct pamt_ref page = mapped_page(mc);
	struct lock l = pamt_lock(&page, "PAMT_4K");
	tdx_status status;

	if (hp_try(&mc->c, &l, true, HOST) != TDX_SUCCESS) {
		mem_unlock_entry(mc);
		return with_operand(TDX_OPERAND_BUSY, OPERAND_RCX);
	}
	status = sept_remove_checked(mc, &page);
	if (status)
		mem_unlock_entry(mc);
	hp_release(&mc->c, &l, true);
	return status;
}

tdx_status tdh_mem_sept_remove(struct lp *lp, hpa_t tdr, gpa_t gpa,
			       enum tdx_level level, struct tdx_out *out)
{
	static const struct mem_rule rule = {
		.id = TDH_MEM_SEPT_REMOVE,
		.lowest = LEVEL_2M,
		.highest = LEVEL_ROOT,
		.tree_exclusive = true,
		.body = sept_remove,
	};

	return mem_run(lp, &rule, gpa.v | level, tdr.v, HPA(0), out);
}
