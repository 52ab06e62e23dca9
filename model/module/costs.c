/* SPDX-License-Identifier: GPL-2.0-only */
/* What calls cost, and what they all have in common at both ends. */
#include <stdio.h>

#include "model/module/td.h"

/*
 * Operations on lines of an uncontended, successful call with its tracking
 * gate, 4K where there is a choice: locked instructions and S-EPT stores.
 * test_module_ops counts them again.
 */
static const u16 words[NR_TDX_CALLS] = {
	[TDH_MNG_ADDCX] = 12,
	[TDH_MEM_PAGE_ADD] = 13,
	[TDH_MEM_SEPT_ADD] = 21,
	[TDH_VP_ADDCX] = 17,
	[TDH_MEM_PAGE_RELOCATE] = 23,
	[TDH_MEM_PAGE_AUG] = 20,
	[TDH_MEM_RANGE_BLOCK] = 14,
	[TDH_MNG_KEY_CONFIG] = 6,
	[TDH_MNG_CREATE] = 8,
	[TDH_VP_CREATE] = 15,
	[TDH_MNG_RD] = 8,
	[TDH_MEM_PAGE_DEMOTE] = 24,
	[TDH_MR_EXTEND] = 6,
	[TDH_MR_FINALIZE] = 6,
	[TDH_VP_FLUSH] = 9,
	[TDH_MNG_VPFLUSHDONE] = 8,
	[TDH_MNG_KEY_FREEID] = 8,
	[TDH_MNG_INIT] = 6,
	[TDH_VP_INIT] = 13,
	[TDH_MEM_PAGE_PROMOTE] = 1044,
	[TDH_PHYMEM_PAGE_RDMD] = 6,
	[TDH_MEM_SEPT_RD] = 13,
	[TDH_VP_RD] = 11,
	[TDH_PHYMEM_PAGE_RECLAIM] = 9,
	[TDH_MEM_PAGE_REMOVE] = 17,
	[TDH_MEM_SEPT_REMOVE] = 17,
	[TDH_MEM_TRACK] = 10,
	[TDH_MEM_RANGE_UNBLOCK] = 14,
	[TDH_PHYMEM_CACHE_WB] = 5,
	[TDH_PHYMEM_PAGE_WBINVD] = 6,
	[TDH_VP_WR] = 11,
	[TDG_MEM_PAGE_ACCEPT] = 3,
	[TDG_MEM_PAGE_ATTR_RD] = 2,
	[TDG_MEM_PAGE_ATTR_WR] = 2,
};

static u64 call_total(const struct tdx_costs *costs, enum tdx_call id)
{
	if (id == TDH_MEM_PAGE_DEMOTE && costs->demote_ps)
		return costs->demote_ps;
	return costs->call_ps[id];
}

void costs_prepare(const struct tdx_costs *costs, s64 body[NR_TDX_CALLS])
{
	unsigned id;

	for (id = 0; id < NR_TDX_CALLS; id++) {
		u64 fixed =
			is_tdcall(id) ? costs->tdcall_ps : costs->seamcall_ps;
		u64 total = call_total(costs, id);

		body[id] = 0;
		if (total)
			body[id] = (s64)total - (s64)fixed -
				   (s64)(words[id] * costs->line_local_ps);
	}
}

u64 cost_left(u64 total, u64 fixed, u64 nwords, u64 word_ps)
{
	u64 charged = fixed + nwords * word_ps;

	return total > charged ? total - charged : 0;
}

u64 tdx_call_body_ps(const struct call *c, int skipped)
{
	s64 body = c->m->body_ps[c->id];

	if (!call_total(&c->m->costs, c->id))
		return 0;
	body += skipped * (s64)c->m->costs.line_local_ps;
	return body > 0 ? (u64)body : 0;
}

void tdx_call_body(const struct call *c, int skipped, enum work work)
{
	u64 ps = tdx_call_body_ps(c, skipped);

	if (ps || work != WORK_PLAIN)
		spend_work(c->s, ps, work);
}

static u64 fixed_ps(const struct call *c)
{
	return is_tdcall(c->id) ? c->m->costs.tdcall_ps
				: c->m->costs.seamcall_ps;
}

void tdx_call_begin(struct call *c, struct lp *lp, enum tdx_call id)
{
	*c = (struct call){lp, lp->strand, lp->module, id};
	trace_emit(c->s, call_enter, tdx_call_name(id));
	spend(c->s, fixed_ps(c) / 2);
}

tdx_status tdx_call_end(const struct call *c, tdx_status status)
{
	u64 fixed = fixed_ps(c);

	spend(c->s, fixed - fixed / 2);
	trace_emit(c->s, call_exit, tdx_call_name(c->id), status);
	return status;
}

void tdx_call_halt(const struct call *c, u32 source, u32 code, const char *why)
{
	char text[160];
	const char *name = c->id < NR_TDX_CALLS ? tdx_call_name(c->id) : "lock";

	snprintf(text, sizeof(text), "%s: halt 0x%04x:%u %s", name, source,
		 code, why);
	machine_halt(c->s, text);
}
