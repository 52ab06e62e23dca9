/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls that a script can make: which operands each takes, where it runs
 * and what its answer consists of.
 */
#include <string.h>

#include "bench/script/impl.h"

#define OPS_MEM (FIELD(TD) | FIELD(GPA) | FIELD(LEVEL))
#define OPS_PAGE                                                               \
	(FIELD(HPA) | FIELD(PAGE) | FIELD(TD) | FIELD(VCPU) | FIELD(INDEX))

/* One function a call: the registers, in the order that they have. */
#define CALL(name, expression)                                                 \
	static void name(struct lp *lp, struct script_call *c)                 \
	{                                                                      \
		c->status = (expression);                                      \
	}

CALL(sept_add, tdh_mem_sept_add(lp, c->tdr, c->gpa, c->level, c->hpa, &c->out))
CALL(page_add, tdh_mem_page_add(lp, c->tdr, GPA(c->gpa.v | (u64)c->level),
				c->hpa, HPA(c->args->v[F_SRC]), &c->out))
CALL(page_aug, tdh_mem_page_aug(lp, c->tdr, c->gpa, c->level, c->hpa, &c->out))
CALL(range_block, tdh_mem_range_block(lp, c->tdr, c->gpa, c->level, &c->out))
CALL(range_unblock,
     tdh_mem_range_unblock(lp, c->tdr, c->gpa, c->level, &c->out))
CALL(track, tdh_mem_track(lp, c->tdr))
CALL(page_remove, tdh_mem_page_remove(lp, c->tdr, c->gpa, c->level, &c->out))
CALL(sept_remove, tdh_mem_sept_remove(lp, c->tdr, c->gpa, c->level, &c->out))
CALL(page_promote, tdh_mem_page_promote(lp, c->tdr, c->gpa, c->level, &c->out))
CALL(page_demote,
     tdh_mem_page_demote(lp, c->tdr, c->gpa, c->level, c->hpa, &c->out))
CALL(page_relocate, tdh_mem_page_relocate(lp, c->tdr, c->gpa, c->hpa, &c->out))
CALL(mr_extend, tdh_mr_extend(lp, c->tdr, c->gpa, &c->out))
CALL(sept_rd, tdh_mem_sept_rd(lp, c->tdr, c->gpa, c->level, &c->out))
CALL(wbinvd,
     tdh_phymem_page_wbinvd(lp, tdx_hpa_with_hkid(lp->module, c->hpa,
						  (u32)c->args->v[F_HKID])))
CALL(reclaim, tdh_phymem_page_reclaim(lp, c->hpa, &c->out))
CALL(rdmd, tdh_phymem_page_rdmd(lp, c->hpa, &c->out))
CALL(vpflushdone, tdh_mng_vpflushdone(lp, c->tdr))
CALL(key_freeid, tdh_mng_key_freeid(lp, c->tdr))
CALL(cache_wb, tdh_phymem_cache_wb(lp, c->args->v[F_RESUME]))
CALL(vp_flush, tdh_vp_flush(lp, c->tdvpr))
CALL(enter, tdh_vp_enter(lp, c->tdvpr, &c->exit))
#undef CALL

static void accept(struct lp *lp, struct script_call *c)
{
	c->end =
		tdg_mem_page_accept(lp, c->gpa, c->level, &c->status, &c->exit);
}

static void attr_rd(struct lp *lp, struct script_call *c)
{
	c->end = tdg_mem_page_attr_rd(lp, c->gpa, &c->status, &c->exit);
}

static void attr_wr(struct lp *lp, struct script_call *c)
{
	gpa_t rcx = GPA(c->gpa.v | (u64)c->level);

	c->end = tdg_mem_page_attr_wr(lp, rcx, 0, &c->status, &c->exit);
}

static void leave(struct lp *lp, struct script_call *c)
{
	td_interrupt_exit(lp, &c->exit);
}

static void run_on(struct lp *lp, struct script_call *c)
{
	td_set_rip(lp, c->args->v[F_RIP]);
	td_interrupt_exit(lp, &c->exit);
}

/* A guest that gets a #VE asks what it was before it does anything else. */
static void fault(struct lp *lp, struct script_call *c)
{
	td_set_rip(lp, c->args->v[F_RIP]);
	c->exited = td_ept_violation(lp, c->gpa, &c->exit);
	if (!c->exited)
		td_internal_exit(lp);
}

#define HOST PLACE_HOST
static const struct call_kind calls[] = {
	{TDH_MEM_SEPT_ADD, NULL, OPS_MEM | FIELD(HPA), FIELD(TDR_HPA), HOST,
	 ANSWER_MEM, sept_add},
	{TDH_MEM_PAGE_ADD, NULL,
	 FIELD(TD) | FIELD(GPA) | FIELD(HPA) | FIELD(SRC),
	 FIELD(LEVEL) | FIELD(TDR_HPA), HOST, ANSWER_MEM, page_add},
	{TDH_MEM_PAGE_AUG, NULL, OPS_MEM | FIELD(HPA), FIELD(TDR_HPA), HOST,
	 ANSWER_MEM, page_aug},
	{TDH_MEM_RANGE_BLOCK, NULL, OPS_MEM, FIELD(TDR_HPA), HOST, ANSWER_MEM,
	 range_block},
	{TDH_MEM_RANGE_UNBLOCK, NULL, OPS_MEM, FIELD(TDR_HPA), HOST, ANSWER_MEM,
	 range_unblock},
	{TDH_MEM_TRACK, NULL, FIELD(TD), FIELD(TDR_HPA), HOST, ANSWER_STATUS,
	 track},
	{TDH_MEM_PAGE_REMOVE, NULL, OPS_MEM, FIELD(TDR_HPA), HOST, ANSWER_MEM,
	 page_remove},
	{TDH_MEM_SEPT_REMOVE, NULL, OPS_MEM, FIELD(TDR_HPA), HOST, ANSWER_MEM,
	 sept_remove},
	{TDH_MEM_PAGE_PROMOTE, NULL, OPS_MEM, FIELD(TDR_HPA), HOST, ANSWER_MEM,
	 page_promote},
	{TDH_MEM_PAGE_DEMOTE, NULL, OPS_MEM | FIELD(HPA), FIELD(TDR_HPA), HOST,
	 ANSWER_MEM, page_demote},
	{TDH_MEM_PAGE_RELOCATE, NULL, FIELD(TD) | FIELD(GPA) | FIELD(HPA),
	 FIELD(TDR_HPA), HOST, ANSWER_MEM, page_relocate},
	{TDH_MEM_SEPT_RD, NULL, OPS_MEM, FIELD(TDR_HPA), HOST, ANSWER_MEM,
	 sept_rd},
	{TDH_MR_EXTEND, NULL, FIELD(TD) | FIELD(GPA), FIELD(TDR_HPA), HOST,
	 ANSWER_MEM, mr_extend},
	{TDH_PHYMEM_PAGE_WBINVD, NULL, FIELD(HKID), OPS_PAGE, HOST,
	 ANSWER_STATUS, wbinvd},
	{TDH_PHYMEM_PAGE_RECLAIM, NULL, 0, OPS_PAGE, HOST, ANSWER_RECLAIM,
	 reclaim},
	{TDH_PHYMEM_PAGE_RDMD, NULL, 0, OPS_PAGE, HOST, ANSWER_MD, rdmd},
	{TDH_MNG_VPFLUSHDONE, NULL, FIELD(TD), FIELD(TDR_HPA), HOST,
	 ANSWER_STATUS, vpflushdone},
	{TDH_MNG_KEY_FREEID, NULL, FIELD(TD), FIELD(TDR_HPA), HOST,
	 ANSWER_STATUS, key_freeid},
	{TDH_PHYMEM_CACHE_WB, NULL, FIELD(RESUME), 0, HOST, ANSWER_STATUS,
	 cache_wb},
	{TDH_VP_FLUSH, NULL, FIELD(TD) | FIELD(VCPU), FIELD(LP), PLACE_VCPU,
	 ANSWER_STATUS, vp_flush},
	{TDG_MEM_PAGE_ACCEPT, NULL, OPS_MEM | FIELD(VCPU), 0, PLACE_GUEST,
	 ANSWER_TDCALL, accept},
	{TDG_MEM_PAGE_ATTR_RD, NULL, FIELD(TD) | FIELD(VCPU) | FIELD(GPA), 0,
	 PLACE_GUEST, ANSWER_TDCALL, attr_rd},
	{TDG_MEM_PAGE_ATTR_WR, NULL, OPS_MEM | FIELD(VCPU), 0, PLACE_GUEST,
	 ANSWER_TDCALL, attr_wr},
};
#undef HOST

const struct call_kind call_enter = {TDH_VP_ENTER, "enter",	 0,    0,
				     PLACE_VCPU,   ANSWER_ENTER, enter};
const struct call_kind call_exit = {TDH_VP_ENTER, "exit",      0,    0,
				    PLACE_GUEST,  ANSWER_EXIT, leave};
const struct call_kind call_fault = {TDH_VP_ENTER, "fault",	 0,    0,
				     PLACE_GUEST,  ANSWER_FAULT, fault};
const struct call_kind call_progress = {TDH_VP_ENTER, "progress",  0,	  0,
					PLACE_GUEST,  ANSWER_EXIT, run_on};

const struct call_kind *call_kind_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		if (!strcmp(tdx_call_name(calls[i].id), name))
			return &calls[i];
	}
	return NULL;
}

/* ------------------------------------------------------------- operands */

static int find_td(struct world *w, const struct script_step *step,
		   struct script_td **td, struct err *e)
{
	const struct script_args *a = &step->args;

	*td = NULL;
	if (!given(a, F_TD))
		return 0;
	*td = &w->td[a->v[F_TD]];
	if (!(*td)->exists)
		return script_bad(e, step, "$.td", "there is no TD %llu",
				  (unsigned long long)a->v[F_TD]);
	if (given(a, F_VCPU) && a->v[F_VCPU] >= (*td)->vcpus)
		return script_bad(e, step, "$.vcpu",
				  "expected an integer below %u, this TD's "
				  "number of vCPUs",
				  (*td)->vcpus);
	return 0;
}

/* "page" names a control page of the TD in place of "hpa". */
static int find_page(const struct script_td *td, const struct script_step *step,
		     hpa_t *page, struct err *e)
{
	const struct script_args *a = &step->args;
	const u32 index = (u32)a->v[F_INDEX], vcpu = (u32)a->v[F_VCPU];

	*page = HPA(a->v[F_HPA]);
	if (given(a, F_HPA) && given(a, F_PAGE))
		return script_bad(e, step, "$.page",
				  "expected either \"hpa\" or \"page\"");
	if (!given(a, F_PAGE)) {
		if (step->call->optional & FIELD(PAGE) && !given(a, F_HPA))
			return script_bad(e, step, "$.hpa",
					  "missing, expected a hex string or "
					  "\"page\"");
		return 0;
	}
	if (!td)
		return script_bad(e, step, "$.td", "missing with \"page\"");
	if (a->v[F_PAGE] != PAGE_TDR && !given(a, F_INDEX))
		return script_bad(e, step, "$.index",
				  "missing for a page of that kind");
	if (a->v[F_PAGE] == PAGE_TDVPS && !given(a, F_VCPU))
		return script_bad(e, step, "$.vcpu",
				  "missing for a page of that kind");
	*page = a->v[F_PAGE] == PAGE_TDR    ? td->tdr
		: a->v[F_PAGE] == PAGE_TDCS ? world_tdcs_page(td, index)
					    : world_tdvps_page(td, vcpu, index);
	return 0;
}

int call_prepare(struct world *w, const struct script_step *step,
		 struct script_call *call, struct err *e)
{
	const struct script_args *a = &step->args;
	const u64 rcx = a->v[F_GPA] | a->v[F_LEVEL];
	struct script_td *td;

	memset(call, 0, sizeof(*call));
	call->kind = step->call;
	call->args = a;
	if (find_td(w, step, &td, e) || find_page(td, step, &call->hpa, e))
		return -1;
	if (td)
		call->tdr = td->tdr;
	if (given(a, F_TDR_HPA))
		call->tdr = HPA(a->v[F_TDR_HPA]);
	if (td && given(a, F_VCPU)) {
		call->tdvpr = world_tdvpr(td, (u32)a->v[F_VCPU]);
		call->vcpu = &td->vcpu[a->v[F_VCPU]];
	}
	/* The two share RCX: the level is what its low three bits say. */
	call->gpa = GPA(given(a, F_LEVEL) ? rcx & ~7ull : rcx);
	call->level = (enum tdx_level)(given(a, F_LEVEL) ? rcx & 7 : 0);
	if (call->kind->place == PLACE_GUEST && !call->vcpu->running)
		return script_bad(e, step, "$.vcpu",
				  "vCPU %llu of TD %llu is not in the guest",
				  (unsigned long long)a->v[F_VCPU],
				  (unsigned long long)a->v[F_TD]);
	return 0;
}

/* Two calls at once never share an LP: the second gets one of its own. */
struct script_lp *call_place(struct world *w, const struct script_call *call,
			     const struct script_lp *taken)
{
	if (call->kind->place == PLACE_GUEST)
		return call->vcpu->running;
	if (call->kind->place == PLACE_VCPU && !call->vcpu->running &&
	    !given(call->args, F_LP) && &call->vcpu->lp != taken)
		return &call->vcpu->lp;
	return world_host(w, taken);
}

void call_job(struct lp *lp, void *call)
{
	struct script_call *c = call;

	c->kind->run(lp, c);
}

void call_done(struct script_call *call, struct script_lp *lp)
{
	if (call->kind == &call_enter && !call->status)
		call->vcpu->running = lp;
	else if (call->kind->place == PLACE_GUEST && !lp->lp.inside)
		call->vcpu->running = NULL;
}

/* --------------------------------------------------------------- answer */

static void put_exit(json_t *result, const struct td_exit *exit)
{
	put_status(result, exit->rax);
	put_hex(result, "rcx", exit->rcx);
	put_hex(result, "rdx", exit->rdx);
	put_hex(result, "r8", exit->r8);
}

static void put_tdcall(json_t *result, const struct script_call *call)
{
	switch (call->end) {
	case TDG_RETURNED:
		put_status(result, call->status);
		break;
	case TDG_INTERRUPTED:
		json_object_set_new(result, "status",
				    json_string("interrupted"));
		break;
	case TDG_EXITED:
		put_exit(result, &call->exit);
		json_object_set_new(result, "exit", json_true());
		break;
	}
}

static void put_enter(json_t *result, const struct script_call *call)
{
	if (call->status == EXIT_EPT_VIOLATION) {
		put_exit(result, &call->exit);
		return;
	}
	put_status(result, call->status);
	if (!call->status && call->exit.inject_ve)
		json_object_set_new(result, "inject", json_string("VE"));
}

/*
 * RDX of an interrupted call that starts over is the operand again: told only
 * when it is more than the address of a TDR.
 */
static void put_mem(struct world *w, const struct script_call *call,
		    json_t *result)
{
	put_status(result, call->status);
	put_hex(result, "rcx", call->out.rcx);
	if ((call->status & TDX_STATUS_MASK) != TDX_INTERRUPTED_RESTARTABLE ||
	    world_td_of(w, call->out.rdx) < 0)
		put_hex(result, "rdx", call->out.rdx);
}

void call_answer(struct world *w, const struct script_call *call,
		 json_t *result)
{
	switch (call->kind->answer) {
	case ANSWER_STATUS:
		put_status(result, call->status);
		break;
	case ANSWER_MEM:
		put_mem(w, call, result);
		break;
	case ANSWER_RECLAIM:
		put_status(result, call->status);
		put_hex(result, "rcx", call->out.rcx);
		put_int(result, "owner_td", world_td_of(w, call->out.rdx));
		put_hex(result, "r8", call->out.r8);
		break;
	case ANSWER_MD:
		put_status(result, call->status);
		put_hex(result, "rcx", call->out.rcx);
		put_hex(result, "rdx", call->out.rdx);
		put_hex(result, "r8", call->out.r8);
		break;
	case ANSWER_TDCALL:
		put_tdcall(result, call);
		break;
	case ANSWER_ENTER:
		put_enter(result, call);
		break;
	case ANSWER_EXIT:
		put_status(result, call->exit.rax);
		break;
	case ANSWER_FAULT:
		if (call->exited)
			put_exit(result, &call->exit);
		else
			json_object_set_new(result, "inject",
					    json_string("VE"));
		break;
	}
}
