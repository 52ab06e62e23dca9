/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/module/gates.h"

static const struct {
	enum tdx_level size;
	bool exclusive;
	enum pamt_type type;
	const char *name;
} roles[NR_PAGE_ROLES] = {
	[ROLE_TDR_SHARED] = {LEVEL_4K, false, PT_TDR, "TDR"},
	[ROLE_TDR_EXCLUSIVE] = {LEVEL_4K, true, PT_TDR, "TDR"},
	[ROLE_TDVPR_SHARED] = {LEVEL_4K, false, PT_TDVPR, "TDVPR"},
	[ROLE_TDVPR_EXCLUSIVE] = {LEVEL_4K, true, PT_TDVPR, "TDVPR"},
	[ROLE_NEW_4K] = {LEVEL_4K, true, PT_NDA, "PAMT_4K"},
	[ROLE_NEW_2M] = {LEVEL_2M, true, PT_NDA, "PAMT_2M"},
	[ROLE_FREE_SHARED] = {LEVEL_4K, false, PT_NDA, "PAMT_4K"},
};

#define OP(name) (1u << OP_##name)
#define RUNNING	 (OP(RUNNABLE) | OP(LIVE_EXPORT) | OP(LIVE_IMPORT))
#define RESIZE                                                                 \
	(OP(INITIALIZED) | RUNNING | OP(PAUSED_EXPORT) | OP(POST_EXPORT) |     \
	 OP(POST_IMPORT))
#define ANY_BUT_UNINITIALIZED (((1u << NR_OP_STATES) - 1) & ~1u)

static const u32 op_states[NR_TDX_CALLS] = {
	[TDH_VP_ENTER] = RUNNING,
	[TDH_MNG_INIT] = OP(UNINITIALIZED),
	[TDH_MEM_PAGE_ADD] = OP(INITIALIZED),
	[TDH_MR_EXTEND] = OP(INITIALIZED),
	[TDH_MR_FINALIZE] = OP(INITIALIZED),
	[TDH_VP_INIT] = OP(INITIALIZED),
	[TDH_VP_CREATE] = OP(INITIALIZED) | OP(STATE_IMPORT),
	[TDH_VP_ADDCX] = OP(INITIALIZED) | OP(STATE_IMPORT),
	[TDH_MEM_SEPT_ADD] = OP(INITIALIZED) | OP(RUNNABLE) | OP(LIVE_EXPORT) |
			     OP(MEMORY_IMPORT) | OP(STATE_IMPORT) |
			     OP(POST_IMPORT) | OP(LIVE_IMPORT),
	[TDH_MEM_PAGE_AUG] = OP(INITIALIZED) | RUNNING,
	[TDH_MEM_RANGE_BLOCK] = RESIZE,
	[TDH_MEM_RANGE_UNBLOCK] = RESIZE,
	[TDH_MEM_PAGE_PROMOTE] = RESIZE,
	[TDH_MEM_PAGE_DEMOTE] = RESIZE,
	[TDH_MEM_PAGE_RELOCATE] = RESIZE,
	[TDH_MEM_PAGE_REMOVE] = RESIZE | OP(FAILED_IMPORT),
	[TDH_MEM_SEPT_REMOVE] = ANY_BUT_UNINITIALIZED,
	[TDH_MEM_SEPT_RD] = ANY_BUT_UNINITIALIZED,
	[TDH_MNG_RD] = ANY_BUT_UNINITIALIZED,
	[TDH_VP_RD] = ANY_BUT_UNINITIALIZED,
	[TDH_VP_WR] = ANY_BUT_UNINITIALIZED,
	[TDH_MEM_TRACK] = ANY_BUT_UNINITIALIZED & ~OP(FAILED_IMPORT),
};

/* ------------------------------------------------------ physical pages */

bool hpa_is_sane(const struct tdx_module *m, hpa_t hpa, enum tdx_level size)
{
	unsigned bits = m->platform.max_pa - m->platform.hkid_bits;

	return hpa.v % LEVEL_BYTES(size) == 0 && hpa.v >> bits == 0;
}

tdx_status page_check(const struct call *c, struct pamt_walk *w, hpa_t hpa,
		      enum page_role role, u32 operand)
{
	enum tdx_level size = roles[role].size;

	if (!hpa_is_sane(c->m, hpa, size))
		return with_operand(TDX_OPERAND_INVALID, operand);
	if (!pamt_covers(c->m, hpa))
		return with_operand(TDX_OPERAND_ADDR_RANGE_ERROR, operand);
	if (pamt_walk(c, w, hpa, size, roles[role].exclusive,
		      roles[role].name) != TDX_SUCCESS)
		return with_operand(TDX_OPERAND_BUSY, operand);
	if (w->leaf == size && pamt_type(w->at[size].entry) == roles[role].type)
		return TDX_SUCCESS;
	pamt_unwalk(c, w);
	return with_operand(TDX_PAGE_METADATA_INCORRECT, operand);
}

struct td *td_at(const struct call *c, hpa_t tdr)
{
	return control_page(c->m, tdr)->td;
}

struct tdvps *vcpu_at(const struct call *c, hpa_t tdvpr)
{
	return control_page(c->m, tdvpr)->vcpu;
}

tdx_status owner_lock(const struct call *c, hpa_t tdr, struct pamt_ref *ref)
{
	struct lock l;

	*ref = pamt_get(c, tdr, LEVEL_4K);
	l = pamt_lock(ref, "TDR");
	if (hp_try(c, &l, false, HOST) != TDX_SUCCESS)
		return with_operand(TDX_OPERAND_BUSY, OPERAND_TDR);
	return TDX_SUCCESS;
}

void owner_unlock(const struct call *c, const struct pamt_ref *ref)
{
	struct lock l = pamt_lock(ref, "TDR");

	hp_release(c, &l, false);
}

/* ------------------------------------------------------------ TD state */

tdx_status td_check(const struct td *td)
{
	if (td->tdr.fatal)
		return TDX_TD_FATAL;
	if (td->tdr.lifecycle != KEYS_CONFIGURED)
		return TDX_TD_KEYS_NOT_CONFIGURED;
	if (td->num_tdcx < TDX_TDCS_PAGES)
		return TDX_TDCS_NOT_ALLOCATED;
	return TDX_SUCCESS;
}

tdx_status op_state_check(const struct call *c, const struct td *td)
{
	if (op_states[c->id] >> td->state.op_state & 1)
		return TDX_SUCCESS;
	return TDX_OP_STATE_INCORRECT;
}

tdx_status op_state_enter(const struct call *c, struct td *td)
{
	struct lock l = td_op_state_lock(td);
	tdx_status status = td_check(td);

	if (status)
		return status;
	if (hp_try(c, &l, false, HOST) != TDX_SUCCESS)
		return with_operand(TDX_OPERAND_BUSY, OPERAND_OP_STATE);
	status = op_state_check(c, td);
	if (status)
		hp_release(c, &l, false);
	return status;
}

void op_state_leave(const struct call *c, struct td *td)
{
	struct lock l = td_op_state_lock(td);

	hp_release(c, &l, false);
}

tdx_status td_enter_shared(const struct call *c, struct pamt_walk *w, hpa_t tdr,
			   u32 operand, struct td **td)
{
	tdx_status status = page_check(c, w, tdr, ROLE_TDR_SHARED, operand);

	if (status)
		return status;
	*td = td_at(c, tdr);
	status = op_state_enter(c, *td);
	if (status)
		pamt_unwalk(c, w);
	return status;
}

void td_leave_shared(const struct call *c, struct pamt_walk *w, struct td *td)
{
	op_state_leave(c, td);
	pamt_unwalk(c, w);
}

void td_count_pages(const struct call *c, struct td *td, s64 pages)
{
	line_xadd64(c->s, &td->tdr_line, &td->tdr.chldcnt, (u64)pages);
}

/* ------------------------------------------------------------- tracking */

struct epoch_view epoch_read(const struct call *c, struct td *td)
{
	u64 pair[2];

	/* The epoch only grows. */
	line_read128(c->s, &td->track_line, td->track.pair, pair);
	return (struct epoch_view){
		.epoch = pair[0],
		.refcount = {(u16)pair[1], (u16)(pair[1] >> 16)},
	};
}

bool epoch_is_tracked(const struct call *c, struct td *td, u64 bepoch)
{
	struct epoch_view v;

	if (bepoch >> 63)
		return false;
	v = epoch_read(c, td);
	if (bepoch == v.epoch - 1)
		return v.refcount[bepoch & 1] == 0;
	return bepoch < v.epoch - 1;
}

bool td_needs_tracking(const struct td *td)
{
	return RUNNING >> td->state.op_state & 1;
}

/* --------------------------------------------------- calls on the S-EPT */

void mem_begin(struct mem_call *mc, struct lp *lp, enum tdx_call id, u64 rcx,
	       u64 rdx, struct tdx_out *out)
{
	tdx_call_begin(&mc->c, lp, id);
	mc->rcx = rcx;
	mc->rdx = rdx;
	mc->out = out;
	*out = (struct tdx_out){0, 0, 0};
}

void mem_show(struct mem_call *mc, u64 entry, enum tdx_level level)
{
	mc->out->rcx = sept_image(entry);
	mc->out->rdx = sept_image_info(entry, level);
}

tdx_status mem_refuse(struct mem_call *mc, tdx_status status)
{
	mem_show(mc, mc->entry, mc->level);
	return with_operand(status, OPERAND_RCX);
}

tdx_status mem_operand(struct mem_call *mc, enum tdx_level lowest,
		       enum tdx_level highest)
{
	const u64 reserved = 0xFFF0000000000FF8ull;
	enum tdx_level level = (enum tdx_level)(mc->rcx & 7);

	if (highest > mc->td->root_level)
		highest = mc->td->root_level;
	mc->level = level;
	mc->gpa = GPA(mc->rcx & ~0xFFFull);
	if ((mc->rcx & reserved) || level < lowest || level > highest ||
	    mc->gpa.v % LEVEL_BYTES(level))
		return with_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	return TDX_SUCCESS;
}

static tdx_status walk_and_lock_entry(struct mem_call *mc)
{
	struct sept_walk *at = &mc->at;

	if (!sept_walk(mc->c.m, mc->c.s, mc->td, mc->gpa, mc->level, false,
		       at)) {
		mem_show(mc, at->copy, at->level);
		return with_operand(TDX_EPT_WALK_FAILED, OPERAND_RCX);
	}
	if (entry_try(&mc->c, at->entry, at->line, HOST) != TDX_SUCCESS) {
		mem_show(mc, at->copy, at->level);
		return with_operand(TDX_OPERAND_BUSY, OPERAND_RCX);
	}
	mc->entry = sept_load(at->entry);
	if (sept_allowed(mc->c.id, mc->entry))
		return TDX_SUCCESS;
	mem_unlock_entry(mc);
	if (mc->c.id == TDH_MEM_RANGE_BLOCK &&
	    sept_has(mc->entry, SEPT_IS_BLOCKED))
		return mem_refuse(mc, TDX_GPA_RANGE_ALREADY_BLOCKED);
	return mem_refuse(mc, TDX_EPT_ENTRY_STATE_INCORRECT);
}

static tdx_status open_tree(struct mem_call *mc)
{
	struct lock tree = td_tree_lock(mc->td);
	tdx_status status;

	if (!sept_gpa_is_private(mc->td, mc->gpa.v))
		return with_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	if (!sharex_try(&mc->c, &tree, mc->tree_exclusive))
		return with_operand(TDX_OPERAND_BUSY, OPERAND_SEPT_TREE);
	status = walk_and_lock_entry(mc);
	if (status)
		sharex_release(&mc->c, &tree, mc->tree_exclusive);
	return status;
}

void mem_unlock_entry(struct mem_call *mc)
{
	entry_release(&mc->c, mc->at.entry, mc->at.line);
}

/* OP_STATE and TDR are held. */
static tdx_status run_in_td(struct mem_call *mc, const struct mem_rule *rule)
{
	struct lock tree = td_tree_lock(mc->td);
	tdx_status status = mem_operand(mc, rule->lowest, rule->highest);

	if (!status)
		status = open_tree(mc);
	if (status)
		return status;
	status = rule->body(mc);
	sharex_release(&mc->c, &tree, mc->tree_exclusive);
	return status;
}

tdx_status mem_run(struct lp *lp, const struct mem_rule *rule, u64 rcx, u64 rdx,
		   hpa_t page, struct tdx_out *out)
{
	struct mem_call mc;
	tdx_status status;

	mem_begin(&mc, lp, rule->id, rcx, rdx, out);
	mc.page = page;
	mc.tree_exclusive = rule->tree_exclusive;
	status = td_enter_shared(&mc.c, &mc.tdr, HPA(rdx & ~rule->rdx_flags),
				 OPERAND_RDX, &mc.td);
	if (!status) {
		status = run_in_td(&mc, rule);
		td_leave_shared(&mc.c, &mc.tdr, mc.td);
	}
	return tdx_call_end(&mc.c, status);
}

bool mem_needs_tracking(const struct mem_call *mc)
{
	return sept_has(mc->entry, SEPT_TRACKED) && td_needs_tracking(mc->td);
}

tdx_status mem_tracking_gate(struct mem_call *mc, u64 bepoch)
{
	if (!mem_needs_tracking(mc))
		return TDX_SUCCESS;
	if (!sept_has(mc->entry, SEPT_IS_BLOCKED))
		return mem_refuse(mc, TDX_GPA_RANGE_NOT_BLOCKED);
	if (!epoch_is_tracked(&mc->c, mc->td, bepoch))
		return with_operand(TDX_TLB_TRACKING_NOT_DONE, OPERAND_RCX);
	return TDX_SUCCESS;
}

void mem_store(struct mem_call *mc, u64 entry)
{
	if (!(entry & ENTRY_EL))
		trace_emit(mc->c.s, held, "SEPT_ENTRY", mc->at.entry, true,
			   false);
	line_store64(mc->c.s, mc->at.line, mc->at.entry, entry);
}
