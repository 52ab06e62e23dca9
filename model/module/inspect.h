/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looking into the module, and holding its locks from outside, for tests,
 * `tdmem module` and pictures.  Looking does not go through the machine: no
 * time passes and nothing is ordered.
 */
#ifndef TDMEM_MODULE_INSPECT_H
#define TDMEM_MODULE_INSPECT_H

#include "model/module/module.h"

enum tdx_object {
	TDX_SEPT_TREE,	/* .tdr */
	TDX_EPOCH,	/* .tdr */
	TDX_OP_STATE,	/* .tdr */
	TDX_TDR,	/* .tdr: its PAMT 4K entry alone, no parents */
	TDX_TDVPR,	/* .hpa: its PAMT 4K entry alone */
	TDX_KOT,
	TDX_WBCACHE,	/* of the package of the LP */
	TDX_SEPT_ENTRY, /* .tdr .gpa .level .guest */
	TDX_PAMT,	/* .hpa .size: that entry alone */
};

/** Names a lock of the module. */
struct tdx_ref {
	enum tdx_object what;
	hpa_t tdr;
	hpa_t hpa;
	gpa_t gpa;
	enum tdx_level level;
	enum tdx_level size;
	bool guest; /* acquire it as the guest's side does */
};

/**
 * Take a lock as its users do, with its atomic steps, on the strand of `lp`.
 * Returns 0, the busy status of that lock with its operand, or
 * TDX_EPT_WALK_FAILED when there is no such S-EPT entry.
 */
tdx_status tdx_ref_lock(struct lp *lp, const struct tdx_ref *ref,
			bool exclusive);
/** Release it; halts as the module does when it is not held like that. */
tdx_status tdx_ref_unlock(struct lp *lp, const struct tdx_ref *ref,
			  bool exclusive);

/** The raw word of a lock; S-EPT entries: the whole entry. */
u64 tdx_ref_raw(struct lp *lp, const struct tdx_ref *ref);

struct tdx_show_sept {
	bool reachable;
	enum tdx_level level; /* not reachable: where the walk stopped */
	const char *state;    /* "MAPPED", "NL_BLOCKED", ... */
	bool el, hp;
	hpa_t hpa;	      /* 2M leaf: bits 20:12 clear */
	u32 accept_counter;   /* of a pending 2M leaf */
};
/** The walk ignores R, W and X: it looks below blocked entries. */
void tdx_show_sept(struct tdx_module *module, hpa_t tdr, gpa_t gpa,
		   enum tdx_level level, struct tdx_show_sept *show);

struct tdx_show_pamt {
	const char *type; /* "NDA", "REG", "EPT", "TDR", "TDCX", "TDVPR" */
	u16 raw_lock;
	hpa_t owner;	  /* TDR */
	u64 bepoch;
};
void tdx_show_pamt(struct tdx_module *module, hpa_t hpa, enum tdx_level size,
		   struct tdx_show_pamt *show);

struct tdx_show_td {
	u16 sept_tree_lock, epoch_lock, op_state_lock, tdr_lock, kot_lock;
	u64 epoch;
	u16 refcount[2];
	u64 chldcnt;
	const char *lifecycle; /* "KEYS_CONFIGURED", ... */
	const char *op_state;  /* "RUNNABLE", ... */
	u32 assoc_vcpus;
};
void tdx_show_td(struct tdx_module *module, hpa_t tdr,
		 struct tdx_show_td *show);

struct tdx_show_vcpu {
	const char *state; /* "READY", "ACTIVE", ... */
	u32 epf_count;
	u32 epf_listed;
	u64 epf_list[32];
	u64 vcpu_epoch;
	bool associated;
	bool in_guest;
};
void tdx_show_vcpu(struct tdx_module *module, hpa_t tdvpr,
		   struct tdx_show_vcpu *show);

/**
 * What a word that the machine was asked about is: "pamt4k",
 * "tdcs.op_state_lock", "tdcs.refcount[0]", "sept-entry", ...; the names are
 * those of the recorded scripts.  "?" for a word that is not the module's.
 */
const char *tdx_word_name(const struct tdx_module *module, const void *word);

/**
 * What must hold whenever no call is running, vCPUs inside or not: lock words
 * at rest, reference counts, associations, child counts, unlocked entries.
 * False: `why` tells in one line what does not.
 */
bool tdx_check_invariants(struct tdx_module *module, char *why, size_t size);

#endif
