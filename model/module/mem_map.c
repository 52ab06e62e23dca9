/* SPDX-License-Identifier: GPL-2.0-only */
/* Giving memory to a TD: SEPT.ADD, PAGE.ADD, PAGE.AUG, SEPT.RD. */
#include "model/module/gates.h"

/* RDX bit 0 of SEPT.ADD: an S-EPT page that is there already is no error. */
#define ALLOW_EXISTING 1ull
#define NULL_PA	       (~0ull)

/* SEAM memory of the recorded platform; no page of it can be a source. */
#define SEAMRR_BASE 0xFC0000000ull
#define SEAMRR_SIZE 0x2000000ull

static tdx_status sept_add(struct mem_call *mc)
{
	hpa_t page = mc->page;
	struct pamt_walk w;
	tdx_status status;

	if (page.v == NULL_PA) {
		mem_unlock_entry(mc);
		return with_operand(TDX_OPERAND_INVALID, OPERAND_R8);
	}
	if (sept_state(mc->entry) != STATE_FREE) {
		mem_unlock_entry(mc);
		if (mc->rdx & ALLOW_EXISTING)
			return TDX_SUCCESS;
		return mem_refuse(mc, TDX_EPT_ENTRY_STATE_INCORRECT);
	}
	/* bit 63 is ignored */
	page.v &= ~SEPT_NO_VE;
	status = page_check(&mc->c, &w, page, ROLE_NEW_4K, OPERAND_R8);
	if (status) {
		mem_unlock_entry(mc);
		return status;
	}
	sept_page_init(&mc->c, page);
	tdx_call_body(&mc->c, 0, WORK_CLEAR_4K);
	pamt_assign(mc->c.s, w.at[LEVEL_4K].entry, PT_EPT, mc->td->hpa);
	td_count_pages(&mc->c, mc->td, 1);
	mem_store(mc, SEPT_NO_VE | page.v | SEPT_RWX | ENTRY_EL);
	mem_unlock_entry(mc);
	pamt_unwalk(&mc->c, &w);
	return TDX_SUCCESS;
}

tdx_status tdh_mem_sept_add(struct lp *lp, hpa_t tdr, gpa_t gpa,
			    enum tdx_level level, hpa_t page,
			    struct tdx_out *out)
{
	static const struct mem_rule rule = {
		.id = TDH_MEM_SEPT_ADD,
		.lowest = LEVEL_2M,
		.highest = LEVEL_ROOT,
		.body = sept_add,
		.rdx_flags = ALLOW_EXISTING,
	};

	return mem_run(lp, &rule, gpa.v | level, tdr.v, page, out);
}

/* ------------------------------------------------------------- PAGE.AUG */

static tdx_status check_new_page(struct mem_call *mc, struct pamt_walk *w,
				 hpa_t page)
{
	bool big = mc->level == LEVEL_2M;
	tdx_status status = page_check(
		&mc->c, w, page, big ? ROLE_NEW_2M : ROLE_NEW_4K, OPERAND_R8);

	if (status || !big || pamt_2m_is_free(mc->c.m, page))
		return status;
	pamt_unwalk(&mc->c, w);
	return with_operand(TDX_PAGE_METADATA_INCORRECT, OPERAND_R8);
}

static tdx_status page_aug(struct mem_call *mc)
{
	hpa_t page = mc->page;
	struct pamt_walk w;
	tdx_status status = check_new_page(mc, &w, page);

	if (status) {
		mem_unlock_entry(mc);
		return status;
	}
	/* a walk to a 2M entry has one word less */
	tdx_call_body(&mc->c, mc->level == LEVEL_2M, WORK_PLAIN);
	/*
	 * Visible and unlocked before the page has its type: a REMOVE or
	 * DEMOTE of the same GPA in between halts the module.
	 */
	mem_store(mc, SEPT_LEAF_BITS | SEPT_PENDING | page.v);
	td_count_pages(&mc->c, mc->td, (s64)LEVEL_PAGES(mc->level));
	pamt_assign(mc->c.s, w.at[mc->level].entry, PT_REG, mc->td->hpa);
	pamt_unwalk(&mc->c, &w);
	return TDX_SUCCESS;
}

tdx_status tdh_mem_page_aug(struct lp *lp, hpa_t tdr, gpa_t gpa,
			    enum tdx_level level, hpa_t page,
			    struct tdx_out *out)
{
	static const struct mem_rule rule = {
		.id = TDH_MEM_PAGE_AUG,
		.lowest = LEVEL_4K,
		.highest = LEVEL_2M,
		.body = page_aug,
	};

	return mem_run(lp, &rule, gpa.v | level, tdr.v, page, out);
}

/* ------------------------------------------------------------- PAGE.ADD */

static bool source_is_sane(const struct tdx_module *m, hpa_t source)
{
	const struct tdx_platform *p = &m->platform;
	u64 hkid = source.v >> (p->max_pa - p->hkid_bits);

	return source.v % LEVEL_BYTES(LEVEL_4K) == 0 &&
	       source.v >> p->max_pa == 0 && hkid < p->first_private_hkid &&
	       source.v - SEAMRR_BASE >= SEAMRR_SIZE;
}

static tdx_status page_add_operands(struct mem_call *mc, hpa_t source)
{
	tdx_status status = td_check(mc->td);

	if (!status)
		status = op_state_check(&mc->c, mc->td);
	if (!status)
		status = mem_operand(mc, LEVEL_4K, LEVEL_4K);
	if (status)
		return status;
	if (!sept_gpa_is_private(mc->td, mc->gpa.v))
		return with_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	if (!sept_walk(mc->c.m, mc->c.s, mc->td, mc->gpa, mc->level, false,
		       &mc->at)) {
		mem_show(mc, mc->at.copy, mc->at.level);
		return with_operand(TDX_EPT_WALK_FAILED, OPERAND_RCX);
	}
	mc->entry = mc->at.copy;
	if (!sept_allowed(mc->c.id, mc->entry))
		return mem_refuse(mc, TDX_EPT_ENTRY_STATE_INCORRECT);
	if (!source_is_sane(mc->c.m, source))
		return with_operand(TDX_OPERAND_INVALID, OPERAND_R9);
	return TDX_SUCCESS;
}

/* TDR exclusive keeps everybody else out: no tree lock, no entry lock. */
static tdx_status page_add(struct mem_call *mc, hpa_t page, hpa_t source)
{
	tdx_status status = page_add_operands(mc, source);
	struct pamt_walk w;

	if (!status)
		status = page_check(&mc->c, &w, page, ROLE_NEW_4K, OPERAND_R8);
	if (status)
		return status;
	tdx_call_body(&mc->c, 0, WORK_COPY_4K);
	if (sept_load(mc->at.entry) & ENTRY_EL)
		tdx_call_halt(&mc->c, HALT_SEPT, 4, "entry locked under TDR");
	mem_store(mc, SEPT_LEAF_BITS | SEPT_RWX | page.v);
	mc->td->tdr.chldcnt++;
	pamt_assign(mc->c.s, w.at[LEVEL_4K].entry, PT_REG, mc->td->hpa);
	pamt_unwalk(&mc->c, &w);
	return TDX_SUCCESS;
}

tdx_status tdh_mem_page_add(struct lp *lp, hpa_t tdr, gpa_t gpa, hpa_t page,
			    hpa_t source, struct tdx_out *out)
{
	struct mem_call mc;
	tdx_status status;

	mem_begin(&mc, lp, TDH_MEM_PAGE_ADD, gpa.v, tdr.v, out);
	status = page_check(&mc.c, &mc.tdr, tdr, ROLE_TDR_EXCLUSIVE,
			    OPERAND_RDX);
	if (!status) {
		mc.td = td_at(&mc.c, tdr);
		status = page_add(&mc, page, source);
		pamt_unwalk(&mc.c, &mc.tdr);
	}
	return tdx_call_end(&mc.c, status);
}

/* -------------------------------------------------------------- SEPT.RD */

static tdx_status sept_rd(struct mem_call *mc)
{
	mem_show(mc, mc->entry, mc->level);
	tdx_call_body(&mc->c, 0, WORK_PLAIN);
	mem_unlock_entry(mc);
	return TDX_SUCCESS;
}

tdx_status tdh_mem_sept_rd(struct lp *lp, hpa_t tdr, gpa_t gpa,
			   enum tdx_level level, struct tdx_out *out)
{
	static const struct mem_rule rule = {
		.id = TDH_MEM_SEPT_RD,
		.lowest = LEVEL_4K,
		.highest = LEVEL_ROOT,
		.body = sept_rd,
	};

	return mem_run(lp, &rule, gpa.v | level, tdr.v, HPA(0), out);
}
