/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checks that calls have in common: a physical page named by a register,
 * the TD's state, the GPA operand with tree and entry locks, TLB tracking.
 */
#ifndef TDMEM_MODULE_GATES_H
#define TDMEM_MODULE_GATES_H

#include "model/module/sept.h"

/** What a page named by a register has to be, and how it is locked. */
enum page_role {
	ROLE_TDR_SHARED,
	ROLE_TDR_EXCLUSIVE,
	ROLE_TDVPR_SHARED,
	ROLE_TDVPR_EXCLUSIVE,
	ROLE_NEW_4K,
	ROLE_NEW_2M, /* only its own entry: see pamt_2m_is_free() */
	ROLE_FREE_SHARED,
	NR_PAGE_ROLES
};

/** Is it aligned and without HKID or bits that do not exist? */
bool hpa_is_sane(const struct tdx_module *m, hpa_t hpa, enum tdx_level size);

/** Check, lock and type-check.  With a status nothing is held. */
tdx_status page_check(const struct call *c, struct pamt_walk *w, hpa_t hpa,
		      enum page_role role, u32 operand);

/** The TD of a TDR, the vCPU of a TDVPR whose type has been checked. */
struct td *td_at(const struct call *c, hpa_t tdr);
struct tdvps *vcpu_at(const struct call *c, hpa_t tdvpr);

/** Lock the TDR that owns a page: its own PAMT entry alone, shared. */
tdx_status owner_lock(const struct call *c, hpa_t tdr, struct pamt_ref *ref);
void owner_unlock(const struct call *c, const struct pamt_ref *ref);

/** Fatal, keys, TDCS pages. */
tdx_status td_check(const struct td *td);
/** Does the op state allow this call? */
tdx_status op_state_check(const struct call *c, const struct td *td);
/** td_check(), OP_STATE shared, op_state_check(); held if 0 is returned. */
tdx_status op_state_enter(const struct call *c, struct td *td);
void op_state_leave(const struct call *c, struct td *td);

/** TDR and OP_STATE shared; for calls that name the TDR in a register. */
tdx_status td_enter_shared(const struct call *c, struct pamt_walk *w, hpa_t tdr,
			   u32 operand, struct td **td);
void td_leave_shared(const struct call *c, struct pamt_walk *w, struct td *td);

/** Read the epoch and both counts at once. */
struct epoch_view {
	u64 epoch;
	u16 refcount[2];
};
struct epoch_view epoch_read(const struct call *c, struct td *td);
/** Has every vCPU that could know pages blocked in this epoch left? */
bool epoch_is_tracked(const struct call *c, struct td *td, u64 bepoch);
/** Does the op state let vCPUs run? */
bool td_needs_tracking(const struct td *td);

/* --------------------------------------------------- calls on the S-EPT */

/** A call that names a TD in RDX, a GPA and a level in RCX. */
struct mem_call {
	struct call c;
	u64 rcx, rdx;
	enum tdx_level level;
	gpa_t gpa;
	hpa_t page; /* R8, where the call has one */
	struct tdx_out *out;
	bool tree_exclusive;
	struct pamt_walk tdr;
	struct td *td;
	struct sept_walk at; /* at.copy: as read by the walk */
	u64 entry;	     /* as read again under its lock */
};

/** As a highest level: that of the TD's root. */
#define LEVEL_ROOT ((enum tdx_level)5)

/** What tells one call on an S-EPT entry from another. */
struct mem_rule {
	enum tdx_call id;
	enum tdx_level lowest, highest; /* of the entry */
	bool tree_exclusive;
	/* With the entry locked; must leave it unlocked. */
	tdx_status (*body)(struct mem_call *mc);
	u64 rdx_flags; /* bits of RDX that are not of the TDR's address */
};

/**
 * A whole call: TDR, OP_STATE, operand, tree, walk, entry lock, entry state,
 * the body, and all released again.  `page` is R8.
 */
tdx_status mem_run(struct lp *lp, const struct mem_rule *rule, u64 rcx, u64 rdx,
		   hpa_t page, struct tdx_out *out);

void mem_begin(struct mem_call *mc, struct lp *lp, enum tdx_call id, u64 rcx,
	       u64 rdx, struct tdx_out *out);
/** The operand alone: levels, alignment, reserved bits. */
tdx_status mem_operand(struct mem_call *mc, enum tdx_level lowest,
		       enum tdx_level highest);
void mem_unlock_entry(struct mem_call *mc);

/** Fill RCX and RDX with this entry. */
void mem_show(struct mem_call *mc, u64 entry, enum tdx_level level);
/** `status` with operand RCX, the entry being shown. */
tdx_status mem_refuse(struct mem_call *mc, tdx_status status);

/** Does this entry have to be blocked and tracked before it goes away? */
bool mem_needs_tracking(const struct mem_call *mc);
/** Blocked and tracked, or without need to be? */
tdx_status mem_tracking_gate(struct mem_call *mc, u64 bepoch);

/** Store the entry; without ENTRY_EL in it this unlocks it too. */
void mem_store(struct mem_call *mc, u64 entry);
/** Pages that the TD gains or loses. */
void td_count_pages(const struct call *c, struct td *td, s64 pages);

#endif
