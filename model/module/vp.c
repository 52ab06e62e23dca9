/* SPDX-License-Identifier: GPL-2.0-only */
/* vCPUs outside the guest: CREATE, ADDCX, INIT, FLUSH, RD, WR. */
#include <string.h>

#include "model/module/vp.h"

tdx_status vcpu_associate(const struct call *c, struct tdvps *vcpu, bool *newly)
{
	u32 old;

	if (__atomic_load_n(&vcpu->state, __ATOMIC_ACQUIRE) != VCPU_READY)
		return TDX_VCPU_STATE_INCORRECT;
	old = line_cmpxchg32(c->s, &vcpu->line, &vcpu->head.assoc_lpid, NO_LP,
			     c->lp->id);
	*newly = old == NO_LP;
	if (*newly)
		line_xadd32(c->s, &vcpu->td->state_line,
			    &vcpu->td->state.num_assoc_vcpus, 1);
	else if (old != c->lp->id)
		return TDX_VCPU_ASSOCIATED;
	return TDX_SUCCESS;
}

/* --------------------------------------------------------------- CREATE */

static void vcpu_reset(struct tdvps *vcpu, struct td *td, hpa_t hpa)
{
	struct line line = vcpu->line;

	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->line = line;
	vcpu->head.assoc_lpid = NO_LP;
	vcpu->hpa = hpa;
	vcpu->td = td;
	vcpu->pages = 1;
}

static tdx_status create(const struct call *c, struct td *td, hpa_t tdvpr)
{
	struct pamt_walk w;
	struct tdvps *vcpu;
	tdx_status status = page_check(c, &w, tdvpr, ROLE_NEW_4K, OPERAND_RCX);

	if (status)
		return status;
	tdx_call_body(c, 0, WORK_CLEAR_4K);
	vcpu = MAKE(c->m, &control_page_make(c, tdvpr)->vcpu);
	if (!vcpu)
		tdx_call_halt(c, HALT_MODEL, 1, "the model is out of memory");
	vcpu_reset(vcpu, td, tdvpr);
	td_count_pages(c, td, 1);
	pamt_assign(c->s, w.at[LEVEL_4K].entry, PT_TDVPR, td->hpa);
	pamt_unwalk(c, &w);
	return TDX_SUCCESS;
}

tdx_status tdh_vp_create(struct lp *lp, hpa_t tdr, hpa_t tdvpr)
{
	struct pamt_walk w;
	struct call c;
	struct td *td;
	tdx_status status;

	tdx_call_begin(&c, lp, TDH_VP_CREATE);
	status = td_enter_shared(&c, &w, tdr, OPERAND_RDX, &td);
	if (!status) {
		status = create(&c, td, tdvpr);
		td_leave_shared(&c, &w, td);
	}
	return tdx_call_end(&c, status);
}

/* ------------------------------ calls that name a TDVPR and want OP_STATE */

typedef tdx_status vcpu_fn(const struct call *c, struct tdvps *vcpu,
			   const void *arg);

static tdx_status under_td(const struct call *c, struct tdvps *vcpu,
			   vcpu_fn *fn, const void *arg)
{
	struct pamt_ref tdr;
	tdx_status status = owner_lock(c, vcpu->td->hpa, &tdr);

	if (status)
		return status;
	status = op_state_enter(c, vcpu->td);
	if (!status) {
		status = fn(c, vcpu, arg);
		op_state_leave(c, vcpu->td);
	}
	owner_unlock(c, &tdr);
	return status;
}

static tdx_status with_tdvpr(struct lp *lp, enum tdx_call id, hpa_t tdvpr,
			     enum page_role role, vcpu_fn *fn, const void *arg)
{
	u32 operand = id == TDH_VP_ADDCX ? OPERAND_RDX : OPERAND_RCX;
	struct pamt_walk w;
	struct call c;
	tdx_status status;

	tdx_call_begin(&c, lp, id);
	status = page_check(&c, &w, tdvpr, role, operand);
	if (!status) {
		status = under_td(&c, vcpu_at(&c, tdvpr), fn, arg);
		pamt_unwalk(&c, &w);
	}
	return tdx_call_end(&c, status);
}

static tdx_status addcx(const struct call *c, struct tdvps *vcpu,
			const void *arg)
{
	const hpa_t *page = arg;
	struct pamt_walk w;
	tdx_status status;

	if (vcpu->pages >= TDX_TDVPS_PAGES)
		return TDX_TDCX_NUM_INCORRECT;
	status = page_check(c, &w, *page, ROLE_NEW_4K, OPERAND_RCX);
	if (status)
		return status;
	tdx_call_body(c, 0, WORK_CLEAR_4K);
	vcpu->pages++;
	td_count_pages(c, vcpu->td, 1);
	pamt_assign(c->s, w.at[LEVEL_4K].entry, PT_TDCX, vcpu->td->hpa);
	pamt_unwalk(c, &w);
	return TDX_SUCCESS;
}

tdx_status tdh_vp_addcx(struct lp *lp, hpa_t tdvpr, hpa_t page)
{
	return with_tdvpr(lp, TDH_VP_ADDCX, tdvpr, ROLE_TDVPR_EXCLUSIVE, addcx,
			  &page);
}

static tdx_status init(const struct call *c, struct tdvps *vcpu,
		       const void *arg)
{
	bool newly;

	(void)arg;
	if (vcpu->state != VCPU_UNINITIALIZED)
		return TDX_VCPU_STATE_INCORRECT;
	if (vcpu->pages < TDX_TDVPS_PAGES)
		return TDX_TDCX_NUM_INCORRECT;
	tdx_call_body(c, 0, WORK_PLAIN);
	line_xadd32(c->s, &vcpu->td->state_line, &vcpu->td->state.num_vcpus, 1);
	vcpu->state = VCPU_READY;
	return vcpu_associate(c, vcpu, &newly);
}

tdx_status tdh_vp_init(struct lp *lp, hpa_t tdvpr, u64 initial_rcx)
{
	(void)initial_rcx;
	return with_tdvpr(lp, TDH_VP_INIT, tdvpr, ROLE_TDVPR_EXCLUSIVE, init,
			  NULL);
}

static tdx_status access_field(const struct call *c, struct tdvps *vcpu,
			       const void *arg)
{
	tdx_status status;
	bool newly;

	(void)arg;
	if (vcpu->pages < TDX_TDVPS_PAGES)
		return TDX_TDCX_NUM_INCORRECT;
	status = vcpu_associate(c, vcpu, &newly);
	if (!status)
		tdx_call_body(c, newly ? -1 : 0, WORK_PLAIN);
	return status;
}

tdx_status tdh_vp_rd(struct lp *lp, hpa_t tdvpr, u64 field, u64 *value)
{
	(void)field;
	*value = 0;
	return with_tdvpr(lp, TDH_VP_RD, tdvpr, ROLE_TDVPR_SHARED, access_field,
			  NULL);
}

tdx_status tdh_vp_wr(struct lp *lp, hpa_t tdvpr, u64 field, u64 value)
{
	(void)field;
	(void)value;
	return with_tdvpr(lp, TDH_VP_WR, tdvpr, ROLE_TDVPR_SHARED, access_field,
			  NULL);
}

/* ---------------------------------------------------------------- FLUSH */

static tdx_status flush_under_td(const struct call *c, struct tdvps *vcpu)
{
	struct td *td = vcpu->td;

	if (td->tdr.lifecycle != KEYS_CONFIGURED)
		return TDX_TD_KEYS_NOT_CONFIGURED;
	if (vcpu->pages < TDX_TDVPS_PAGES)
		return TDX_TDCX_NUM_INCORRECT;
	if (vcpu->head.assoc_lpid != c->lp->id)
		return TDX_VCPU_NOT_ASSOCIATED;
	/* INVEPT of the trees, VMCLEAR */
	tdx_call_body(c, 0, WORK_PLAIN);
	vcpu->head.assoc_lpid = NO_LP;
	line_xadd32(c->s, &td->state_line, &td->state.num_assoc_vcpus, (u32)-1);
	if (c->lp->last == vcpu)
		c->lp->last = NULL;
	return TDX_SUCCESS;
}

tdx_status tdh_vp_flush(struct lp *lp, hpa_t tdvpr)
{
	struct pamt_walk w;
	struct pamt_ref tdr;
	struct tdvps *vcpu;
	struct call c;
	tdx_status status;

	tdx_call_begin(&c, lp, TDH_VP_FLUSH);
	status = page_check(&c, &w, tdvpr, ROLE_TDVPR_EXCLUSIVE, OPERAND_RCX);
	if (status)
		return tdx_call_end(&c, status);
	vcpu = vcpu_at(&c, tdvpr);
	status = owner_lock(&c, vcpu->td->hpa, &tdr);
	if (!status) {
		status = flush_under_td(&c, vcpu);
		owner_unlock(&c, &tdr);
	}
	pamt_unwalk(&c, &w);
	return tdx_call_end(&c, status);
}
