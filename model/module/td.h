/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's own structures: global, of a TD, of a vCPU.  Words that share
 * a cache line in the module share a struct line here.
 */
#ifndef TDMEM_MODULE_TD_H
#define TDMEM_MODULE_TD_H

#include "model/module/pamt.h"

#define LINE_ALIGNED __attribute__((aligned(64)))

/* ----------------------------------------------------------------- TDs */

enum lifecycle {
	HKID_ASSIGNED,
	KEYS_CONFIGURED,
	LIFE_BLOCKED,
	TEARDOWN,
	NR_LIFECYCLES
};

enum op_state {
	OP_UNINITIALIZED,
	OP_INITIALIZED,
	OP_RUNNABLE,
	OP_LIVE_EXPORT,
	OP_PAUSED_EXPORT,
	OP_POST_EXPORT,
	OP_MEMORY_IMPORT,
	OP_STATE_IMPORT,
	OP_POST_IMPORT,
	OP_LIVE_IMPORT,
	OP_FAILED_IMPORT,
	NR_OP_STATES
};

/** TDR and TDCS of one TD. */
struct td {
	/* TDR, line 0 */
	struct {
		u32 fatal;
		u64 chldcnt; /* 4K pages that belong to the TD */
		u32 lifecycle;
	} LINE_ALIGNED tdr;
	/* TDCS, line 0 */
	struct {
		u32 num_vcpus;
		u32 num_assoc_vcpus;
		u32 op_state;
		u16 op_state_lock;
	} LINE_ALIGNED state;
	/* TDCS, line 2 */
	struct {
		u16 tree_lock;
	} LINE_ALIGNED tree;
	/* TDCS, line 8 */
	struct {
		union {
			struct {
				u64 epoch;
				u16 refcount[2];
			};
			u64 pair[2]; /* read at once */
		};
		u16 lock;
	} LINE_ALIGNED track;

	struct line tdr_line, state_line, tree_line, track_line;

	hpa_t hpa; /* of the TDR */
	u32 hkid;
	u32 num_tdcx;
	u64 keyed_packages; /* bit a package: KEY.CONFIG done */
	u32 gpaw;
	enum tdx_level root_level;
	bool pending_ve_disable;
	bool notify_ept_faults;
	u64 hp_timeout_ticks;
	struct sept_page *root;
	u64 counted_pages; /* scratch of tdx_check_invariants() */
	u32 counted_vcpus, counted_inside[2];
};

struct lock td_tree_lock(struct td *td);
struct lock td_epoch_lock(struct td *td);
struct lock td_op_state_lock(struct td *td);

/* ---------------------------------------------------------------- vCPUs */

enum vcpu_state {
	VCPU_UNINITIALIZED = 0,
	VCPU_READY = 2,
	VCPU_ACTIVE = 4,
	VCPU_DISABLED = 8,
};

enum { EPF_LIST = 32, EPF_THRESHOLD = 6 };
#define NO_LP 0xFFFFFFFFu

struct tdvps {
	/* the line of offset 0x1C0 */
	struct {
		u32 assoc_lpid; /* NO_LP: none */
		u64 epoch;
		u32 epf_listed;
	} LINE_ALIGNED head;
	struct line line;

	u32 state;
	u32 pages; /* TDVPR and TDCXs so far */
	hpa_t hpa; /* of the TDVPR */
	struct td *td;
	u64 rip;
	u32 epf_count;
	u64 epf_list[EPF_LIST];
	bool last_exit_epf; /* the last VM exit: EPT violation, private GPA */
	bool hp_busy;	    /* the last TDCALL lost to host priority */
	u64 hp_busy_start;  /* since this TSC */
	struct pamt_walk tdvpr; /* held while inside */
	struct pamt_ref tdr;	/* held shared while inside */
};

/* --------------------------------------------------------------- global */

enum { KOT_FREE, KOT_ASSIGNED, KOT_FLUSHED, KOT_RESERVED };

/** The lock and the first 15 entries share a line. */
struct kot_words {
	u16 lock;
	u16 pad;
	u32 wbinvd[]; /* packages still to flush: HKIDs, then the upper half */
};

struct kot {
	struct kot_words *words;
	struct line *line; /* of 16 words each */
	u8 *state;	   /* by HKID */
	u32 hkids;
};

/** Write-back state of a package. */
struct wbt {
	u8 lock LINE_ALIGNED;
	struct line line;
	u32 next;     /* sub-block to go on with; 0: nothing to resume */
	u8 *snapshot; /* by HKID: flushed when the pass began */
};

enum { MAX_TDMRS = 64 };

struct tdx_module {
	struct tdx_platform platform;
	struct tdx_costs costs;
	s64 body_ps[NR_TDX_CALLS];
	struct tdmr tdmr[MAX_TDMRS];
	u32 tdmrs;
	struct kot kot;
	struct wbt *wbt;
	u64 memory LINE_ALIGNED; /* bytes taken; the rest is read by all */
};

struct lock kot_lock(struct tdx_module *m);

/** Zeroed, on a line of its own, counted; NULL when out of memory. */
void *module_alloc(struct tdx_module *m, size_t size);
void module_free(struct tdx_module *m, void *p, size_t size);

/** Allocate what *slot points to if it is NULL; safe against others. */
#define MAKE(m, slot)                                                          \
	({                                                                     \
		__typeof__(*(slot)) made_ =                                    \
			__atomic_load_n((slot), __ATOMIC_ACQUIRE);             \
		if (!made_)                                                    \
			made_ = module_make((m), (void **)(slot),              \
					    sizeof(*made_));                   \
		made_;                                                         \
	})
void *module_make(struct tdx_module *m, void **slot, size_t size);

/** TSC ticks at this strand's time. */
u64 module_tsc(const struct call *c);

#endif
