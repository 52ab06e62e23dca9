/* SPDX-License-Identifier: GPL-2.0-only */
/* Physical pages and caches: WBINVD, RECLAIM, RDMD, CACHE.WB. */
#include "model/module/gates.h"
#include "model/module/kot.h"

/* --------------------------------------------------------------- WBINVD */

static hpa_t without_hkid(const struct tdx_module *m, hpa_t hpa)
{
	const struct tdx_platform *p = &m->platform;
	u64 mask = ((1ull << p->hkid_bits) - 1) << (p->max_pa - p->hkid_bits);

	return HPA(hpa.v & ~mask);
}

tdx_status tdh_phymem_page_wbinvd(struct lp *lp, hpa_t page_with_hkid)
{
	struct pamt_walk w;
	struct call c;
	tdx_status status;

	tdx_call_begin(&c, lp, TDH_PHYMEM_PAGE_WBINVD);
	status = page_check(&c, &w, without_hkid(c.m, page_with_hkid),
			    ROLE_FREE_SHARED, OPERAND_RCX);
	if (!status) {
		tdx_call_body(&c, 0, WORK_FLUSH_4K);
		pamt_unwalk(&c, &w);
	}
	return tdx_call_end(&c, status);
}

/* -------------------------------------------------------------- RECLAIM */

static tdx_status reclaim_tdr(const struct call *c, const struct td *td)
{
	if (td->tdr.lifecycle != TEARDOWN)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	if (td->tdr.chldcnt)
		return TDX_TD_ASSOCIATED_PAGES_EXIST;
	/* nothing of an owner to lock and count: three words less */
	tdx_call_body(c, 3, WORK_PLAIN);
	return TDX_SUCCESS;
}

/* Words that a walk to a page of this size does not touch. */
static int words_less(enum tdx_level size)
{
	return size == LEVEL_4K ? 0 : size == LEVEL_2M ? 1 : 3;
}

static tdx_status reclaim_child(const struct call *c,
				const struct pamt_entry *e, enum tdx_level size)
{
	hpa_t owner = pamt_owner(e);
	struct pamt_ref tdr;
	tdx_status status = owner_lock(c, owner, &tdr);
	struct td *td;

	if (status)
		return status;
	td = td_at(c, owner);
	if (td->tdr.lifecycle == TEARDOWN) {
		tdx_call_body(c, words_less(size), WORK_PLAIN);
		td_count_pages(c, td, -(s64)LEVEL_PAGES(size));
	} else {
		status = TDX_LIFECYCLE_STATE_INCORRECT;
	}
	owner_unlock(c, &tdr);
	return status;
}

static void describe(const struct pamt_entry *e, enum tdx_level size,
		     struct tdx_out *out)
{
	out->rcx = pamt_type(e);
	out->rdx = pamt_owner(e).v;
	out->r8 = size;
}

static tdx_status reclaim(const struct call *c, hpa_t page,
			  const struct pamt_walk *w, struct tdx_out *out)
{
	struct pamt_entry *e = w->at[w->leaf].entry;
	enum pamt_type type = pamt_type(e);
	tdx_status status;

	if (type == PT_NDA || type == PT_RSVD)
		return with_operand(TDX_PAGE_METADATA_INCORRECT, OPERAND_RCX);
	describe(e, w->leaf, out);
	if (page.v % LEVEL_BYTES(w->leaf))
		return with_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	if (type == PT_TDR)
		status = reclaim_tdr(c, td_at(c, page));
	else
		status = reclaim_child(c, e, w->leaf);
	if (!status)
		pamt_set_type(c->s, e, PT_NDA);
	return status;
}

/* RECLAIM and RDMD: lock whatever leaf there is. */
static tdx_status walk_to_leaf(const struct call *c, struct pamt_walk *w,
			       hpa_t page, bool exclusive)
{
	if (!hpa_is_sane(c->m, page, LEVEL_4K))
		return with_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	if (!pamt_covers(c->m, page))
		return with_operand(TDX_OPERAND_ADDR_RANGE_ERROR, OPERAND_RCX);
	if (pamt_walk(c, w, page, LEVEL_4K, exclusive, "PAMT_PAGE") !=
	    TDX_SUCCESS)
		return with_operand(TDX_OPERAND_BUSY, OPERAND_RCX);
	return TDX_SUCCESS;
}

tdx_status tdh_phymem_page_reclaim(struct lp *lp, hpa_t page,
				   struct tdx_out *out)
{
	struct pamt_walk w;
	struct call c;
	tdx_status status;

	*out = (struct tdx_out){0, 0, 0};
	tdx_call_begin(&c, lp, TDH_PHYMEM_PAGE_RECLAIM);
	status = walk_to_leaf(&c, &w, page, true);
	if (!status) {
		status = reclaim(&c, page, &w, out);
		pamt_unwalk(&c, &w);
	}
	return tdx_call_end(&c, status);
}

tdx_status tdh_phymem_page_rdmd(struct lp *lp, hpa_t page, struct tdx_out *out)
{
	struct pamt_walk w;
	struct call c;
	tdx_status status;

	*out = (struct tdx_out){0, 0, 0};
	tdx_call_begin(&c, lp, TDH_PHYMEM_PAGE_RDMD);
	status = walk_to_leaf(&c, &w, page, false);
	if (!status) {
		describe(w.at[w.leaf].entry, w.leaf, out);
		tdx_call_body(&c, w.leaf == LEVEL_4K ? 0 : 2 * (int)w.leaf,
			      WORK_PLAIN);
		pamt_unwalk(&c, &w);
	}
	return tdx_call_end(&c, status);
}

/* ------------------------------------------------------------- CACHE.WB */

/* What the pass is for: the HKIDs that are flushed as it begins. */
static u32 take_snapshot(const struct call *c, struct wbt *wbt)
{
	const struct kot *k = &c->m->kot;
	u32 flushed = 0, i;

	for (i = 0; i < k->hkids; i++) {
		wbt->snapshot[i] = k->state[i] == KOT_FLUSHED;
		flushed += wbt->snapshot[i];
	}
	return flushed;
}

static u32 in_snapshot(const struct call *c, const struct wbt *wbt)
{
	u32 count = 0, i;

	for (i = 0; i < c->m->kot.hkids; i++)
		count += wbt->snapshot[i];
	return count;
}

/* Cost of sub-block `i`; the last takes what division leaves. */
static u64 sub_block_ps(const struct call *c, u64 body, u32 i)
{
	u32 n = c->m->platform.cache_sub_blocks;

	return i + 1 < n ? body / n : body - body / n * (n - 1);
}

static tdx_status write_back(const struct call *c, struct wbt *wbt)
{
	/* the usual case: one HKID, one word */
	u64 body = tdx_call_body_ps(c, 1 - (int)in_snapshot(c, wbt));
	u32 n = c->m->platform.cache_sub_blocks;
	u32 i;

	for (i = wbt->next; i < n; i++) {
		spend(c->s, sub_block_ps(c, body, i));
		if (i + 1 < n && interrupted(c->s)) {
			wbt->next = i + 1;
			return TDX_INTERRUPTED_RESUMABLE;
		}
	}
	wbt->next = 0;
	for (i = 0; i < c->m->kot.hkids; i++)
		if (wbt->snapshot[i])
			kot_package_flushed(c, i, c->lp->package);
	return TDX_SUCCESS;
}

static tdx_status cache_wb(const struct call *c, struct wbt *wbt, bool resume)
{
	if (resume) {
		if (!wbt->next)
			return TDX_WBCACHE_RESUME_ERROR;
	} else {
		wbt->next = 0;
		if (!take_snapshot(c, wbt))
			return TDX_NO_HKID_READY_TO_WBCACHE;
	}
	return write_back(c, wbt);
}

tdx_status tdh_phymem_cache_wb(struct lp *lp, u64 command)
{
	struct wbt *wbt = &lp->module->wbt[lp->package];
	struct lock kot = kot_lock(lp->module);
	tdx_status status;
	struct call c;

	tdx_call_begin(&c, lp, TDH_PHYMEM_CACHE_WB);
	if (command > 1) {
		status = with_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	} else if (!mutex_try(&c, &wbt->lock, &wbt->line)) {
		status = with_operand(TDX_OPERAND_BUSY, OPERAND_WBCACHE);
	} else {
		if (sharex_try(&c, &kot, false)) {
			status = cache_wb(&c, wbt, command == 1);
			sharex_release(&c, &kot, false);
		} else {
			status = with_operand(TDX_OPERAND_BUSY, OPERAND_KOT);
		}
		mutex_release(&c, &wbt->lock, &wbt->line);
	}
	return tdx_call_end(&c, status);
}
