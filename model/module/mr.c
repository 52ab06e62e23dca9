/* SPDX-License-Identifier: GPL-2.0-only */
/* MR.EXTEND: measuring what PAGE.ADD brought in. */
#include "model/module/gates.h"

#define CHUNK_BYTES 256

static tdx_status extend(struct mem_call *mc, gpa_t gpa)
{
	tdx_status status = td_check(mc->td);

	if (!status)
		status = op_state_check(&mc->c, mc->td);
	if (status)
		return status;
	if (gpa.v % CHUNK_BYTES || !sept_gpa_is_private(mc->td, gpa.v))
		return with_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	/* to the leaf, whatever its size: any other end is one failure */
	sept_walk(mc->c.m, mc->c.s, mc->td, gpa, LEVEL_4K, false, &mc->at);
	mc->level = mc->at.level;
	mc->entry = mc->at.copy;
	if (!sept_allowed(mc->c.id, mc->entry))
		return mem_refuse(mc, TDX_EPT_ENTRY_NOT_PRESENT);
	tdx_call_body(&mc->c, 0, WORK_PLAIN);
	return TDX_SUCCESS;
}

tdx_status tdh_mr_extend(struct lp *lp, hpa_t tdr, gpa_t gpa,
			 struct tdx_out *out)
{
	struct mem_call mc;
	tdx_status status;

	mem_begin(&mc, lp, TDH_MR_EXTEND, gpa.v, tdr.v, out);
	status = page_check(&mc.c, &mc.tdr, tdr, ROLE_TDR_EXCLUSIVE,
			    OPERAND_RDX);
	if (!status) {
		mc.td = td_at(&mc.c, tdr);
		status = extend(&mc, gpa);
		pamt_unwalk(&mc.c, &mc.tdr);
	}
	return tdx_call_end(&mc.c, status);
}
