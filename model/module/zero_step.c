/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Zero-step mitigation: an instruction that faults again and again without
 * getting on puts its GPAs on a list, and VP.ENTER then looks, under the
 * tree's exclusive lock, whether they still would fault.
 */
#include "model/module/vp.h"

static void forget(struct tdvps *vcpu)
{
	vcpu->head.epf_listed = 0;
	vcpu->epf_count = 0;
}

void zero_step_forget(const struct lp *lp, struct tdvps *vcpu)
{
	if (vcpu->rip != lp->entry_rip)
		forget(vcpu);
}

static bool is_listed(const struct tdvps *vcpu, gpa_t gpa)
{
	u32 i;

	for (i = 0; i < vcpu->head.epf_listed; i++)
		if (vcpu->epf_list[i] == gpa.v)
			return true;
	return false;
}

void zero_step_record(const struct lp *lp, struct tdvps *vcpu, gpa_t gpa)
{
	zero_step_forget(lp, vcpu);
	if (vcpu->epf_count < EPF_THRESHOLD)
		vcpu->epf_count++;
	else if (vcpu->head.epf_listed < EPF_LIST && !is_listed(vcpu, gpa))
		vcpu->epf_list[vcpu->head.epf_listed++] = gpa.v;
}

/* A PENDING page counts too, although the guest would get a #VE from it. */
static bool would_fault(const struct call *c, const struct td *td, u64 gpa)
{
	struct sept_walk at;

	sept_walk(c->m, c->s, td, GPA(gpa), LEVEL_4K, false, &at);
	if ((at.copy & SEPT_LEAF) && (at.copy & SEPT_RWX) == SEPT_RWX)
		return false;
	trace_emit(c->s, lost,
		   &(const struct obstacle){
			   "ZERO_STEP", at.entry, sizeof(*at.entry),
			   SEPT_LEAF | SEPT_RWX, SEPT_LEAF | SEPT_RWX});
	return true;
}

tdx_status zero_step_filter(const struct call *c, struct tdvps *vcpu,
			    struct zero_step *result)
{
	struct td *td = vcpu->td;
	struct lock tree = td_tree_lock(td);
	u32 i;

	*result = (struct zero_step){.tree_held = false};
	c->lp->entry_rip = vcpu->rip;
	if (!vcpu->head.epf_listed)
		return TDX_SUCCESS;
	if (!sharex_try(c, &tree, true))
		return with_operand(TDX_OPERAND_BUSY, OPERAND_SEPT_TREE);
	for (i = 0; i < vcpu->head.epf_listed; i++) {
		if (!would_fault(c, td, vcpu->epf_list[i]))
			continue;
		result->fault = true;
		result->gpa = GPA(vcpu->epf_list[i] & ~0xFFFull);
		sharex_release(c, &tree, true);
		return TDX_SUCCESS;
	}
	result->tree_held = true;
	return TDX_SUCCESS;
}

u32 tdx_zero_step_listed(const struct tdx_module *module, hpa_t tdvpr)
{
	const struct control_page *p = control_page(module, tdvpr);

	return p && p->vcpu ? p->vcpu->head.epf_listed : 0;
}
