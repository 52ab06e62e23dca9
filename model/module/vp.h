/* SPDX-License-Identifier: GPL-2.0-only */
/* A vCPU between its TDVPR and its TD: what the VP calls share. */
#ifndef TDMEM_MODULE_VP_H
#define TDMEM_MODULE_VP_H

#include "model/module/gates.h"

/**
 * Bind the vCPU to this LP.  0, TDX_VCPU_STATE_INCORRECT or
 * TDX_VCPU_ASSOCIATED; *newly tells whether it was bound nowhere.
 */
tdx_status vcpu_associate(const struct call *c, struct tdvps *vcpu,
			  bool *newly);

/** Did the guest run on since the last VP.ENTER?  Then forget its faults. */
void zero_step_forget(const struct lp *lp, struct tdvps *vcpu);
/** An EPT violation on a private GPA becomes a TD exit. */
void zero_step_record(const struct lp *lp, struct tdvps *vcpu, gpa_t gpa);

/** What the filter of VP.ENTER found. */
struct zero_step {
	bool tree_held; /* passed: the tree is held exclusive */
	bool fault;	/* one of the listed GPAs would fault again */
	gpa_t gpa;	/* that one */
};
/** 0, or BUSY|SEPT_TREE. */
tdx_status zero_step_filter(const struct call *c, struct tdvps *vcpu,
			    struct zero_step *result);

/** TD exit: account, release what was held since VP.ENTER. */
void td_leave(struct lp *lp);

/** Qualification of EPT violations: a data write. */
#define QUALIFICATION_WRITE 2ull
/** Types of the extended exit qualification, RDX of such an exit. */
enum { EEQ_NONE = 0, EEQ_ACCEPT = 1, EEQ_ATTR_WR = 5, EEQ_PENDING = 6 };

/** Of a TDCALL instruction. */
#define TDCALL_BYTES 4

#endif
