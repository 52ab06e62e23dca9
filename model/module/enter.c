/* SPDX-License-Identifier: GPL-2.0-only */
/* VP.ENTER and TD exits. */
#include "model/module/vp.h"

/* Words of a VP.ENTER into the guest: same vCPU, nothing listed. */
enum { ENTER_WORDS = 10, EXIT_WORDS = 5 };

/* What a VP.ENTER has gathered on its way. */
struct entry {
	struct call c;
	struct tdvps *vcpu;
	bool newly_associated;
	bool counted; /* in the reference count of the vCPU's epoch */
	struct zero_step zero_step;
};

static void count_in_epoch(struct strand *s, struct tdvps *vcpu, int by)
{
	struct td *td = vcpu->td;

	line_xadd16(s, &td->track_line,
		    &td->track.refcount[vcpu->head.epoch & 1], (u16)by);
}

static tdx_status enter_epoch(struct entry *e)
{
	struct tdvps *vcpu = e->vcpu;
	struct td *td = vcpu->td;
	struct lock l = td_epoch_lock(td);

	if (!sharex_try(&e->c, &l, false))
		return with_operand(TDX_OPERAND_BUSY, OPERAND_TD_EPOCH);
	/* INVEPT when it differs is part of the whole cost of an entry */
	vcpu->head.epoch = __atomic_load_n(&td->track.epoch, __ATOMIC_SEQ_CST);
	count_in_epoch(e->c.s, vcpu, 1);
	e->counted = true;
	sharex_release(&e->c, &l, false);
	return TDX_SUCCESS;
}

/* Under OP_STATE: association, epoch, zero-step. */
static tdx_status prepare(struct entry *e)
{
	tdx_status status;

	if (e->vcpu->pages < TDX_TDVPS_PAGES)
		return TDX_TDCX_NUM_INCORRECT;
	status = vcpu_associate(&e->c, e->vcpu, &e->newly_associated);
	if (!status)
		status = enter_epoch(e);
	if (!status)
		status = zero_step_filter(&e->c, e->vcpu, &e->zero_step);
	if (e->counted && (status || e->zero_step.fault))
		count_in_epoch(e->c.s, e->vcpu, -1);
	return status;
}

/*
 * The way into the guest with OP_STATE dropped.  The tree is held over the
 * first half (L2, IBPB, INVEPT, VMCS), not over the second (MSRs, XSTATE).
 */
static void run(struct entry *e, struct td_exit *exit)
{
	const struct tdx_costs *costs = &e->c.m->costs;
	struct lock tree = td_tree_lock(e->vcpu->td);
	u64 extra = (e->newly_associated ? 1u : 0u) +
		    (e->zero_step.tree_held ? 2u : 0u);
	u64 rest = cost_left(costs->td_enter_ps, costs->seamcall_ps / 2,
			     ENTER_WORDS + extra, costs->line_local_ps);

	spend(e->c.s, rest / 2);
	__atomic_store_n(&e->vcpu->state, VCPU_ACTIVE, __ATOMIC_RELEASE);
	if (e->zero_step.tree_held) {
		exit->inject_ve = e->vcpu->td->notify_ept_faults &&
				  e->vcpu->last_exit_epf;
		sharex_release(&e->c, &tree, true);
	}
	spend(e->c.s, rest - rest / 2);
	e->c.lp->inside = e->vcpu;
	e->c.lp->last = e->vcpu;
}

/* The exit that the filter makes up: nobody entered. */
static void fake_violation(const struct entry *e, struct td_exit *exit)
{
	exit->rax = EXIT_EPT_VIOLATION;
	exit->rcx = QUALIFICATION_WRITE;
	exit->r8 = e->zero_step.gpa.v;
}

/* TDVPR and TDR are held.  True: the guest runs and they stay so. */
static bool enter(struct entry *e, struct td_exit *exit)
{
	struct td *td = e->vcpu->td;

	exit->rax = op_state_enter(&e->c, td);
	if (exit->rax)
		return false;
	exit->rax = prepare(e);
	op_state_leave(&e->c, td);
	if (exit->rax)
		return false;
	if (e->zero_step.fault) {
		fake_violation(e, exit);
		return false;
	}
	run(e, exit);
	return true;
}

static bool enter_vcpu(struct entry *e, hpa_t tdvpr, struct td_exit *exit)
{
	struct pamt_walk w;
	struct pamt_ref tdr;

	exit->rax =
		page_check(&e->c, &w, tdvpr, ROLE_TDVPR_SHARED, OPERAND_RCX);
	if (exit->rax)
		return false;
	e->vcpu = vcpu_at(&e->c, tdvpr);
	exit->rax = owner_lock(&e->c, e->vcpu->td->hpa, &tdr);
	if (!exit->rax) {
		if (enter(e, exit)) {
			e->vcpu->tdvpr = w;
			e->vcpu->tdr = tdr;
			return true;
		}
		owner_unlock(&e->c, &tdr);
	}
	pamt_unwalk(&e->c, &w);
	return false;
}

tdx_status tdh_vp_enter(struct lp *lp, hpa_t tdvpr, struct td_exit *exit)
{
	struct entry e = {.vcpu = NULL};

	*exit = (struct td_exit){.rax = TDX_SUCCESS};
	tdx_call_begin(&e.c, lp, TDH_VP_ENTER);
	if (!enter_vcpu(&e, tdvpr, exit))
		return tdx_call_end(&e.c, exit->rax);
	trace_emit(e.c.s, call_exit, tdx_call_name(TDH_VP_ENTER), TDX_SUCCESS);
	trace_emit(e.c.s, vcpu, true);
	return TDX_SUCCESS;
}

/* -------------------------------------------------------------- TD exit */

void td_leave(struct lp *lp)
{
	struct call c = {lp, lp->strand, lp->module, TDH_VP_ENTER};
	const struct tdx_costs *costs = &c.m->costs;
	struct tdvps *vcpu = lp->inside;
	struct pamt_walk tdvpr = vcpu->tdvpr;
	struct pamt_ref tdr = vcpu->tdr;
	u64 rest = cost_left(costs->td_exit_ps, 0, EXIT_WORDS,
			     costs->line_local_ps);

	trace_emit(c.s, vcpu, false);
	lp->inside = NULL;
	spend(c.s, rest / 2);
	__atomic_store_n(&vcpu->state, VCPU_READY, __ATOMIC_RELEASE);
	count_in_epoch(c.s, vcpu, -1);
	owner_unlock(&c, &tdr);
	pamt_unwalk(&c, &tdvpr);
	spend(c.s, rest - rest / 2);
}

/* An exit of the vCPU by something else than an EPT violation. */
static struct tdvps *leave_by(struct lp *lp, enum td_exit_reason reason,
			      struct td_exit *exit)
{
	struct tdvps *vcpu = lp->inside;

	*exit = (struct td_exit){.rax = reason};
	zero_step_forget(lp, vcpu);
	vcpu->last_exit_epf = false;
	return vcpu;
}

void td_interrupt_exit(struct lp *lp, struct td_exit *exit)
{
	leave_by(lp, EXIT_EXTERNAL_INTERRUPT, exit);
	td_leave(lp);
}

void td_vmcall_exit(struct lp *lp, struct td_exit *exit)
{
	leave_by(lp, EXIT_TDVMCALL, exit)->rip += TDCALL_BYTES;
	td_leave(lp);
}

/* Would the guest get through this page by accepting it? */
static bool is_pending(const struct lp *lp, gpa_t gpa)
{
	struct sept_walk at;

	sept_walk(lp->module, lp->strand, lp->inside->td, gpa, LEVEL_4K, false,
		  &at);
	return sept_state(at.copy) == STATE_PENDING;
}

bool td_ept_violation(struct lp *lp, gpa_t gpa, struct td_exit *exit)
{
	struct tdvps *vcpu = lp->inside;
	bool private = sept_gpa_is_private(vcpu->td, gpa.v);
	bool pending = private && is_pending(lp, gpa);

	leave_by(lp, EXIT_EPT_VIOLATION, exit);
	if (pending && !vcpu->td->pending_ve_disable) {
		/* a VM exit that the module handles: #VE, and on it goes */
		spend(lp->strand, lp->module->costs.tdcall_ps);
		return false;
	}
	if (private) {
		zero_step_record(lp, vcpu, gpa);
		vcpu->last_exit_epf = true;
	}
	exit->rcx = QUALIFICATION_WRITE;
	exit->rdx = pending ? EEQ_PENDING : EEQ_NONE;
	exit->r8 = gpa.v & ~0xFFFull;
	td_leave(lp);
	return true;
}

/* ------------------------------------------------------ inside the guest */

void td_set_rip(struct lp *lp, u64 rip)
{
	lp->inside->rip = rip;
}

u64 td_rip(const struct lp *lp)
{
	return lp->inside->rip;
}

void td_internal_exit(struct lp *lp)
{
	struct tdvps *vcpu = lp->inside;

	zero_step_forget(lp, vcpu);
	vcpu->last_exit_epf = false;
	vcpu->hp_busy = false;
	spend(lp->strand, lp->module->costs.tdcall_ps);
}

bool td_gpa_accessible(struct lp *lp, gpa_t gpa)
{
	struct sept_walk at;

	if (!sept_gpa_is_private(lp->inside->td, gpa.v))
		return false;
	sept_walk(lp->module, lp->strand, lp->inside->td, gpa, LEVEL_4K, false,
		  &at);
	return (at.copy & SEPT_LEAF) && (at.copy & SEPT_RWX) == SEPT_RWX;
}
