/* SPDX-License-Identifier: GPL-2.0-only */
/* Changing what maps memory: PROMOTE, DEMOTE, RELOCATE. */
#include "model/module/gates.h"

/* Interrupted: nothing was committed, the operands are as they came. */
static tdx_status interrupted_restartable(struct mem_call *mc)
{
	mc->out->rcx = mc->rcx;
	mc->out->rdx = mc->rdx;
	return TDX_INTERRUPTED_RESTARTABLE;
}

static tdx_status busy(u32 operand)
{
	return with_operand(TDX_OPERAND_BUSY, operand);
}

/* -------------------------------------------------------------- PROMOTE */

/*
 * Lock all 512 entries, checking that they are the parts of one page:
 * *locked tells how many are held, whatever is returned.
 */
static tdx_status lock_children(struct mem_call *mc, struct sept_page *p,
				unsigned *locked)
{
	enum tdx_level level = mc->level - 1;
	u64 expected = 0;

	for (*locked = 0; *locked < ENTRIES;) {
		unsigned i = *locked;
		u64 *entry = &p->entry[i];
		enum sept_state state;
		u64 child;

		if (entry_try(&mc->c, entry, &p->line[i / 8], HOST) !=
		    TDX_SUCCESS)
			return TDX_OPERAND_BUSY;
		++*locked;
		child = sept_clean(sept_load(entry), level);
		state = sept_state(child);
		if (!i && ((state != STATE_MAPPED && state != STATE_PENDING) ||
			   sept_hpa(child).v % LEVEL_BYTES(mc->level)))
			return TDX_EPT_INVALID_PROMOTE_CONDITIONS;
		if (i && child != expected)
			return TDX_EPT_INVALID_PROMOTE_CONDITIONS;
		expected = child + LEVEL_BYTES(level);
	}
	return TDX_SUCCESS;
}

static void unlock_children(struct mem_call *mc, struct sept_page *p,
			    unsigned locked)
{
	unsigned i;

	for (i = 0; i < locked; i++)
		entry_release(&mc->c, &p->entry[i], &p->line[i / 8]);
}

static tdx_status merge(struct mem_call *mc, struct sept_page *p,
			struct pamt_ref *page)
{
	u64 body = tdx_call_body_ps(&mc->c, mem_needs_tracking(mc) ? 0 : 1);
	u64 first = sept_clean(sept_load(&p->entry[0]), mc->level - 1);

	/* half for the scan of the entries, half for that of the PAMT */
	spend(mc->c.s, body / 2);
	if (interrupted(mc->c.s))
		return interrupted_restartable(mc);
	if (pamt_merge(&mc->c, sept_hpa(first), mc->level, body - body / 2) !=
	    TDX_SUCCESS)
		return busy(OPERAND_RCX);
	mc->out->rcx = sept_hpa(mc->entry).v;
	/* child 0 as it is, accept counter and lock bit included */
	mem_store(mc, sept_load(&p->entry[0]));
	td_count_pages(&mc->c, mc->td, -1);
	pamt_set_type(mc->c.s, page->entry, PT_NDA);
	return TDX_SUCCESS;
}

static tdx_status promote_checked(struct mem_call *mc, struct pamt_ref *page)
{
	struct sept_page *p = sept_page_at(mc->c.m, sept_hpa(mc->entry));
	tdx_status status = mem_tracking_gate(mc, page->entry->bepoch);
	unsigned locked;

	if (status)
		return status;
	status = lock_children(mc, p, &locked);
	if (status)
		status = mem_refuse(mc, status);
	else
		status = merge(mc, p, page);
	/*
	 * On success they stay locked: the page is gone, and a late walker
	 * that still has a pointer to one finds it busy.
	 */
	if (status)
		unlock_children(mc, p, locked);
	return status;
}

static tdx_status page_promote(struct mem_call *mc)
{
	struct pamt_ref page = pamt_get(&mc->c, sept_hpa(mc->entry), LEVEL_4K);
	struct lock l = pamt_lock(&page, "PAMT_4K");
	tdx_status status;

	if (hp_try(&mc->c, &l, true, HOST) == TDX_SUCCESS) {
		status = promote_checked(mc, &page);
		hp_release(&mc->c, &l, true);
	} else {
		status = busy(OPERAND_RCX);
	}
	mem_unlock_entry(mc);
	return status;
}

tdx_status tdh_mem_page_promote(struct lp *lp, hpa_t tdr, gpa_t gpa,
				enum tdx_level level, struct tdx_out *out)
{
	static const struct mem_rule rule = {
		.id = TDH_MEM_PAGE_PROMOTE,
		.lowest = LEVEL_2M,
		.highest = LEVEL_1G,
		.body = page_promote,
	};

	return mem_run(lp, &rule, gpa.v | level, tdr.v, HPA(0), out);
}

/* --------------------------------------------------------------- DEMOTE */

/* RDX bit 0 of DEMOTE: how L2 pages are given; there are none here. */
#define L2_SEPT_ADD_MODE 1ull

static tdx_status split(struct mem_call *mc, hpa_t page, struct pamt_walk *w)
{
	u64 body = tdx_call_body_ps(&mc->c, mem_needs_tracking(mc) ? 0 : 1);
	hpa_t first = sept_leaf_hpa(mc->entry, mc->level);
	u64 child = sept_has(mc->entry, SEPT_IS_BLOCKED)
			    ? sept_unblock(mc->entry)
			    : mc->entry;

	child = (child & ~(SEPT_HPA | ENTRY_EL)) | first.v;
	/* half for the fill, half for the PAMT; what fails later was filled */
	sept_page_split(&mc->c, page, child, mc->level);
	spend_work(mc->c.s, body / 2, WORK_CLEAR_4K);
	if (interrupted(mc->c.s))
		return interrupted_restartable(mc);
	if (pamt_split(&mc->c, first, mc->level, body - body / 2) !=
	    TDX_SUCCESS)
		return busy(OPERAND_RCX);
	mem_store(mc, SEPT_NO_VE | page.v | SEPT_RWX | ENTRY_EL);
	/* unlike SEPT.ADD this leaves the new page's BEPOCH as it was */
	pamt_give(mc->c.s, w->at[LEVEL_4K].entry, PT_EPT, mc->td->hpa);
	td_count_pages(&mc->c, mc->td, 1);
	return TDX_SUCCESS;
}

static tdx_status demote_locked(struct mem_call *mc)
{
	struct pamt_walk w;
	struct pamt_ref big;
	tdx_status status;

	mc->entry = sept_clean(mc->entry, mc->level);
	big = pamt_get(&mc->c, sept_hpa(mc->entry), mc->level);
	status = mem_tracking_gate(mc, big.entry->bepoch);
	if (!status)
		status = page_check(&mc->c, &w, mc->page, ROLE_NEW_4K,
				    OPERAND_R8);
	if (status)
		return status;
	status = split(mc, mc->page, &w);
	pamt_unwalk(&mc->c, &w);
	return status;
}

static tdx_status page_demote(struct mem_call *mc)
{
	tdx_status status = demote_locked(mc);

	mem_unlock_entry(mc);
	return status;
}

tdx_status tdh_mem_page_demote(struct lp *lp, hpa_t tdr, gpa_t gpa,
			       enum tdx_level level, hpa_t page,
			       struct tdx_out *out)
{
	static const struct mem_rule rule = {
		.id = TDH_MEM_PAGE_DEMOTE,
		.lowest = LEVEL_2M,
		.highest = LEVEL_1G,
		.body = page_demote,
		.rdx_flags = L2_SEPT_ADD_MODE,
	};

	return mem_run(lp, &rule, gpa.v | level, tdr.v, page, out);
}

/* ------------------------------------------------------------- RELOCATE */

static void relocate_commit(struct mem_call *mc, struct pamt_ref *source,
			    struct pamt_walk *target, hpa_t page)
{
	bool pending = mc->entry & SEPT_PENDING;
	u64 entry = (mc->entry & ~SEPT_HPA) | page.v;

	tdx_call_body(&mc->c, mem_needs_tracking(mc) ? 0 : 1,
		      pending ? WORK_PLAIN : WORK_COPY_4K);
	pamt_set_type(mc->c.s, source->entry, PT_NDA);
	pamt_assign(mc->c.s, target->at[LEVEL_4K].entry, PT_REG, mc->td->hpa);
	if (sept_has(mc->entry, SEPT_IS_BLOCKED))
		entry = sept_unblock(entry);
	mem_store(mc, entry);
	mc->out->rcx = sept_hpa(mc->entry).v;
}

static tdx_status relocate_locked(struct mem_call *mc)
{
	hpa_t page = mc->page;
	hpa_t old = sept_hpa(mc->entry);
	struct pamt_walk target;
	struct pamt_ref source;
	struct lock l;
	tdx_status status;

	if (old.v == page.v)
		return with_operand(TDX_OPERAND_INVALID, OPERAND_R8);
	source = pamt_get(&mc->c, old, LEVEL_4K);
	l = pamt_lock(&source, "PAMT_4K");
	if (hp_try(&mc->c, &l, true, HOST) != TDX_SUCCESS)
		return busy(OPERAND_RCX);
	status = mem_tracking_gate(mc, source.entry->bepoch);
	if (!status)
		status = page_check(&mc->c, &target, page, ROLE_NEW_4K,
				    OPERAND_R8);
	if (!status) {
		relocate_commit(mc, &source, &target, page);
		pamt_unwalk(&mc->c, &target);
	}
	hp_release(&mc->c, &l, true);
	return status;
}

static tdx_status page_relocate(struct mem_call *mc)
{
	tdx_status status = relocate_locked(mc);

	mem_unlock_entry(mc);
	return status;
}

tdx_status tdh_mem_page_relocate(struct lp *lp, hpa_t tdr, gpa_t gpa,
				 hpa_t page, struct tdx_out *out)
{
	static const struct mem_rule rule = {
		.id = TDH_MEM_PAGE_RELOCATE,
		.lowest = LEVEL_4K,
		.highest = LEVEL_4K,
		.body = page_relocate,
	};

	return mem_run(lp, &rule, gpa.v, tdr.v, page, out);
}
