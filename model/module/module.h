/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TDX module: its locks, PAMT, S-EPT, epochs, zero-step and teardown.
 *
 * Behaviour is that of the public TDX module 1.5.01: the same atomic
 * operations in the same order on lines laid out the same way, the same
 * checks, the same statuses.  No call ever waits for a lock: a try that fails
 * is a status.  A failed sanity check of the module ends the run of the
 * machine ("halt").
 *
 * Function names are the kernel's.  Each call runs on a logical processor
 * (struct lp) and returns the real 64-bit status.
 *
 * Left out: L2 VMs (TD partitioning), the migration calls and the op states
 * that only they reach, MEM.RD and MEM.WR (debug TDs), the single-step
 * defence, the key engine's own lock (BUSY|KET), and the contents of the
 * metadata that MNG.RD, VP.RD and VP.WR reach (they read as 0).
 *
 * Where a call takes `gpa` and `level`, RCX is their OR: bits of `gpa` that
 * overlap the level or the reserved bits are checked as the module does.
 */
#ifndef TDMEM_MODULE_H
#define TDMEM_MODULE_H

#include "model/machine/machine.h"

/** Addresses cannot be mixed up: each kind is a type of its own. */
typedef struct {
	u64 v;
} gpa_t;
typedef struct {
	u64 v;
} hpa_t;

#define GPA(x) ((gpa_t){ (x) })
#define HPA(x) ((hpa_t){ (x) })

/** Level of an S-EPT entry: the size that it maps if it is a leaf. */
enum tdx_level {
	LEVEL_4K = 0,
	LEVEL_2M = 1,
	LEVEL_1G = 2,
	LEVEL_512G = 3,
	LEVEL_256T = 4,
};

#define LEVEL_PAGES(level) (1ull << (9 * (unsigned)(level)))
#define LEVEL_BYTES(level) (LEVEL_PAGES(level) << 12)

typedef u64 tdx_status;

/* -------------------------------------------------------------- statuses */

#define TDX_SUCCESS			  0x0000000000000000ull
#define TDX_NON_RECOVERABLE_VCPU	  0x4000000100000000ull
#define TDX_NON_RECOVERABLE_TD		  0x6000000200000000ull
#define TDX_INTERRUPTED_RESUMABLE	  0x8000000300000000ull
#define TDX_INTERRUPTED_RESTARTABLE	  0x8000000400000000ull
#define TDX_OPERAND_INVALID		  0xC000010000000000ull
#define TDX_OPERAND_ADDR_RANGE_ERROR	  0xC000010100000000ull
#define TDX_OPERAND_BUSY		  0x8000020000000000ull
#define TDX_PREVIOUS_TLB_EPOCH_BUSY	  0x8000020100000000ull
#define TDX_OPERAND_BUSY_HOST_PRIORITY	  0x8000020400000000ull
#define TDX_HOST_PRIORITY_BUSY_TIMEOUT	  0x9000020500000000ull
#define TDX_PAGE_METADATA_INCORRECT	  0xC000030000000000ull
#define TDX_TD_ASSOCIATED_PAGES_EXIST	  0xC000040000000000ull
#define TDX_TD_FATAL			  0xE000060400000000ull
#define TDX_TDCS_NOT_ALLOCATED		  0xC000060600000000ull
#define TDX_LIFECYCLE_STATE_INCORRECT	  0xC000060700000000ull
#define TDX_OP_STATE_INCORRECT		  0xC000060800000000ull
#define TDX_NO_VCPUS			  0xC000060900000000ull
#define TDX_TDCX_NUM_INCORRECT		  0xC000061000000000ull
#define TDX_VCPU_STATE_INCORRECT	  0xC000070000000000ull
#define TDX_VCPU_ASSOCIATED		  0x8000070100000000ull
#define TDX_VCPU_NOT_ASSOCIATED		  0x8000070200000000ull
#define TDX_KEY_GENERATION_FAILED	  0x8000080000000000ull
#define TDX_TD_KEYS_NOT_CONFIGURED	  0x8000081000000000ull
#define TDX_KEY_CONFIGURED		  0x0000081500000000ull
#define TDX_WBCACHE_NOT_COMPLETE	  0x8000081700000000ull
#define TDX_HKID_NOT_FREE		  0xC000082000000000ull
#define TDX_NO_HKID_READY_TO_WBCACHE	  0x0000082100000000ull
#define TDX_WBCACHE_RESUME_ERROR	  0xC000082300000000ull
#define TDX_FLUSHVP_NOT_DONE		  0x8000082400000000ull
#define TDX_EPT_WALK_FAILED		  0xC0000B0000000000ull
#define TDX_EPT_ENTRY_NOT_PRESENT	  0xC0000B0300000000ull
#define TDX_GPA_RANGE_NOT_BLOCKED	  0xC0000B0600000000ull
#define TDX_GPA_RANGE_ALREADY_BLOCKED	  0x00000B0700000000ull
#define TDX_TLB_TRACKING_NOT_DONE	  0xC0000B0800000000ull
#define TDX_EPT_INVALID_PROMOTE_CONDITIONS 0xC0000B0900000000ull
#define TDX_PAGE_ALREADY_ACCEPTED	  0x00000B0A00000000ull
#define TDX_PAGE_SIZE_MISMATCH		  0xC0000B0B00000000ull
#define TDX_EPT_ENTRY_STATE_INCORRECT	  0xC0000B0D00000000ull
#define TDX_EPT_PAGE_NOT_FREE		  0xC0000B0E00000000ull

/** The part of a status above the operand id. */
#define TDX_STATUS_MASK 0xFFFFFFFF00000000ull

/** Operand ids, the low 32 bits of a status. */
enum tdx_operand {
	OPERAND_RAX = 0,
	OPERAND_RCX = 1,
	OPERAND_RDX = 2,
	OPERAND_RBX = 3,
	OPERAND_R8 = 8,
	OPERAND_R9 = 9,
	OPERAND_R10 = 10,
	OPERAND_R11 = 11,
	OPERAND_TDR = 0x80,
	OPERAND_TDCX = 0x81,
	OPERAND_TDVPR = 0x82,
	OPERAND_TDCS = 0x90,
	OPERAND_SEPT_TREE = 0x92,
	OPERAND_TD_EPOCH = 0xA9,
	OPERAND_OP_STATE = 0xAC,
	OPERAND_KOT = 0xBA,
	OPERAND_KET = 0xBB,
	OPERAND_WBCACHE = 0xBC,
};

static inline bool tdx_operand_busy(tdx_status status)
{
	return (status & TDX_STATUS_MASK) == TDX_OPERAND_BUSY;
}

/** Error bit set: informational codes are non-zero without it. */
static inline bool tdx_error(tdx_status status)
{
	return status >> 63;
}

/**
 * A status as people write it, e.g.
 * "TDX_OPERAND_BUSY | SEPT_TREE (0x8000020000000092)".
 * Writes at most `size` bytes with the NUL; returns buf.
 */
const char *tdx_status_print(tdx_status status, char *buf, size_t size);

/** "SEPT_TREE", "RCX", ...; NULL for an id that has no name. */
const char *tdx_operand_name(u32 operand);

/* ----------------------------------------------------------------- costs */

/** Every call of the module; order and names: tdx_call_name(). */
enum tdx_call {
	TDH_VP_ENTER,
	TDH_MNG_ADDCX,
	TDH_MEM_PAGE_ADD,
	TDH_MEM_SEPT_ADD,
	TDH_VP_ADDCX,
	TDH_MEM_PAGE_RELOCATE,
	TDH_MEM_PAGE_AUG,
	TDH_MEM_RANGE_BLOCK,
	TDH_MNG_KEY_CONFIG,
	TDH_MNG_CREATE,
	TDH_VP_CREATE,
	TDH_MNG_RD,
	TDH_MEM_PAGE_DEMOTE,
	TDH_MR_EXTEND,
	TDH_MR_FINALIZE,
	TDH_VP_FLUSH,
	TDH_MNG_VPFLUSHDONE,
	TDH_MNG_KEY_FREEID,
	TDH_MNG_INIT,
	TDH_VP_INIT,
	TDH_MEM_PAGE_PROMOTE,
	TDH_PHYMEM_PAGE_RDMD,
	TDH_MEM_SEPT_RD,
	TDH_VP_RD,
	TDH_PHYMEM_PAGE_RECLAIM,
	TDH_MEM_PAGE_REMOVE,
	TDH_MEM_SEPT_REMOVE,
	TDH_MEM_TRACK,
	TDH_MEM_RANGE_UNBLOCK,
	TDH_PHYMEM_CACHE_WB,
	TDH_PHYMEM_PAGE_WBINVD,
	TDH_VP_WR,
	TDG_MEM_PAGE_ACCEPT,
	TDG_MEM_PAGE_ATTR_RD,
	TDG_MEM_PAGE_ATTR_WR,
	NR_TDX_CALLS
};

/** "TDH.MEM.PAGE.AUG" */
const char *tdx_call_name(enum tdx_call call);

/**
 * What the calls cost, in ps.  call_ps[] is the cost of a whole uncontended
 * call; the model charges lock words and the fixed part one by one and the
 * rest inside the call, so that they add up to it.  0 means: the fixed part
 * and the lock words are all there is.
 */
struct tdx_costs {
	u64 call_ps[NR_TDX_CALLS];
	u64 seamcall_ps;   /* fixed part of a SEAMCALL, both ways */
	u64 tdcall_ps;	   /* fixed part of a TDCALL, both ways */
	u64 td_enter_ps;   /* VP.ENTER, whole, from call to guest */
	u64 td_exit_ps;	   /* from guest to the host's next instruction */
	u64 accept_2m_ps;  /* ACCEPT of 2M, whole: 512 chunks */
	u64 demote_ps;	   /* PAGE.DEMOTE 2M, whole */
	u64 line_local_ps; /* one operation on a line this CPU owns */
};

/* ------------------------------------------------------- the module, LPs */

/** Constants of the platform. */
struct tdx_platform {
	u32 max_pa;		 /* bits of a physical address, HKID included */
	u32 hkid_bits;		 /* upper bits of it that are the HKID */
	u32 first_private_hkid;	 /* the module's own; TDs have higher ones */
	u32 packages;		 /* 1..64 */
	u32 cache_sub_blocks;	 /* steps of CACHE.WB on each package */
	u64 tsc_hz;
};

/** A 1 TiB-range, one-package default like that of the recorded scripts. */
extern const struct tdx_platform tdx_platform_default;

struct tdx_module;

/** Returns NULL when out of memory.  Borrows nothing. */
struct tdx_module *tdx_module_create(const struct tdx_platform *platform,
				     const struct tdx_costs *costs);
void tdx_module_destroy(struct tdx_module *module);

/**
 * Make a range of physical memory usable (TDH.SYS.CONFIG and SYS.TDMR.INIT).
 * base and size are multiples of 1 GiB, not overlapping another TDMR.
 * Returns 0, or -1 for a range that is not so or when out of memory.
 * PAMT memory is taken as pages are touched.
 */
int tdx_module_add_tdmr(struct tdx_module *module, hpa_t base, u64 size);

/** What it was created for; owned by the module. */
const struct tdx_platform *tdx_module_platform(const struct tdx_module *module);

/** Host memory that PAMT, S-EPT and control structures take, in bytes. */
u64 tdx_module_memory(const struct tdx_module *module);

struct tdvps;

/**
 * A logical processor: what a strand runs calls on.  One strand at a time.
 * Zero it, then lp_init().
 */
struct lp {
	struct tdx_module *module;
	struct strand *strand;
	u32 id;		      /* 0.. */
	u32 package;	      /* below platform.packages */
	struct tdvps *inside; /* the vCPU in the guest here, or NULL */
	struct tdvps *last;   /* the vCPU that ran here last, or NULL */
	u64 entry_rip;	      /* guest RIP at the last VP.ENTER */
};

void lp_init(struct lp *lp, struct tdx_module *module, struct strand *strand,
	     u32 id, u32 package);

/* ------------------------------------------------------------ host calls */

/** Registers that a call returns besides RAX. */
struct tdx_out {
	u64 rcx, rdx, r8;
};

/* TD life: facts 2.13-2.15, 2.20, 8.  `tdr`, `page`: 4K pages of the host. */
tdx_status tdh_mng_create(struct lp *lp, hpa_t tdr, u32 hkid);
tdx_status tdh_mng_key_config(struct lp *lp, hpa_t tdr);
tdx_status tdh_mng_addcx(struct lp *lp, hpa_t tdr, hpa_t page);

/** Parameters of a TD (TD_PARAMS), as far as memory is concerned. */
struct td_params {
	u32 gpaw;		/* 48 or 52 */
	bool pending_ve_disable; /* ATTRIBUTES.SEPT_VE_DISABLE */
	bool notify_ept_faults;	/* NOTIFY_ENABLES bit 0 */
};
tdx_status tdh_mng_init(struct lp *lp, hpa_t tdr,
			const struct td_params *params);
tdx_status tdh_mng_rd(struct lp *lp, hpa_t tdr, u64 field, u64 *value);
tdx_status tdh_mng_vpflushdone(struct lp *lp, hpa_t tdr);
tdx_status tdh_mng_key_freeid(struct lp *lp, hpa_t tdr);
tdx_status tdh_mr_extend(struct lp *lp, hpa_t tdr, gpa_t gpa,
			 struct tdx_out *out);
tdx_status tdh_mr_finalize(struct lp *lp, hpa_t tdr);

tdx_status tdh_vp_create(struct lp *lp, hpa_t tdr, hpa_t tdvpr);
tdx_status tdh_vp_addcx(struct lp *lp, hpa_t tdvpr, hpa_t page);
tdx_status tdh_vp_init(struct lp *lp, hpa_t tdvpr, u64 initial_rcx);
tdx_status tdh_vp_flush(struct lp *lp, hpa_t tdvpr);
tdx_status tdh_vp_rd(struct lp *lp, hpa_t tdvpr, u64 field, u64 *value);
tdx_status tdh_vp_wr(struct lp *lp, hpa_t tdvpr, u64 field, u64 value);

/* Memory: facts 2.1-2.9, 2.18, 2.19.  `out` is always written. */
tdx_status tdh_mem_sept_add(struct lp *lp, hpa_t tdr, gpa_t gpa,
			    enum tdx_level level, hpa_t page,
			    struct tdx_out *out);
tdx_status tdh_mem_page_add(struct lp *lp, hpa_t tdr, gpa_t gpa, hpa_t page,
			    hpa_t source, struct tdx_out *out);
tdx_status tdh_mem_page_aug(struct lp *lp, hpa_t tdr, gpa_t gpa,
			    enum tdx_level level, hpa_t page,
			    struct tdx_out *out);
tdx_status tdh_mem_range_block(struct lp *lp, hpa_t tdr, gpa_t gpa,
			       enum tdx_level level, struct tdx_out *out);
tdx_status tdh_mem_range_unblock(struct lp *lp, hpa_t tdr, gpa_t gpa,
				 enum tdx_level level, struct tdx_out *out);
tdx_status tdh_mem_track(struct lp *lp, hpa_t tdr);
tdx_status tdh_mem_page_remove(struct lp *lp, hpa_t tdr, gpa_t gpa,
			       enum tdx_level level, struct tdx_out *out);
tdx_status tdh_mem_sept_remove(struct lp *lp, hpa_t tdr, gpa_t gpa,
			       enum tdx_level level, struct tdx_out *out);
tdx_status tdh_mem_page_promote(struct lp *lp, hpa_t tdr, gpa_t gpa,
				enum tdx_level level, struct tdx_out *out);
tdx_status tdh_mem_page_demote(struct lp *lp, hpa_t tdr, gpa_t gpa,
			       enum tdx_level level, hpa_t page,
			       struct tdx_out *out);
tdx_status tdh_mem_page_relocate(struct lp *lp, hpa_t tdr, gpa_t gpa,
				 hpa_t page, struct tdx_out *out);
tdx_status tdh_mem_sept_rd(struct lp *lp, hpa_t tdr, gpa_t gpa,
			   enum tdx_level level, struct tdx_out *out);

/* Physical pages and caches: facts 2.10-2.12. */
tdx_status tdh_phymem_page_wbinvd(struct lp *lp, hpa_t page_with_hkid);
tdx_status tdh_phymem_page_reclaim(struct lp *lp, hpa_t page,
				   struct tdx_out *out);
tdx_status tdh_phymem_page_rdmd(struct lp *lp, hpa_t page,
				struct tdx_out *out);
/** @command: RCX, 0 start or 1 resume; anything else is an invalid operand. */
tdx_status tdh_phymem_cache_wb(struct lp *lp, u64 command);

/** An HPA with an HKID in its upper bits, as PAGE.WBINVD takes it. */
hpa_t tdx_hpa_with_hkid(const struct tdx_module *module, hpa_t page,
			u32 hkid);

/** How many TDCS pages MNG.ADDCX and TDVPS pages VP.CREATE+ADDCX need. */
enum { TDX_TDCS_PAGES = 6, TDX_TDVPS_PAGES = 6 };

/* --------------------------------------------- entry, exit, guest's side */

enum td_exit_reason {
	EXIT_EXTERNAL_INTERRUPT = 1,
	EXIT_EPT_VIOLATION = 48,
	EXIT_TDVMCALL = 77,
};

/** What VP.ENTER returned, at entry failure or at TD exit. */
struct td_exit {
	tdx_status rax;	 /* a status; the exit reason in the low half */
	u64 rcx, rdx, r8;
	bool inject_ve;	 /* VP.ENTER: the guest starts with a #VE */
};

/**
 * TDH.VP.ENTER up to the point where the guest runs.  0: lp->inside is set,
 * the guest runs until one of the td_*() below ends in a TD exit.  Otherwise
 * the vCPU was not entered: a status, or 0x30 (an EPT-violation exit made up
 * by the zero-step filter) with *exit filled.
 */
tdx_status tdh_vp_enter(struct lp *lp, hpa_t tdvpr, struct td_exit *exit);

/* Everything below: a vCPU is inside on this LP. */

/** The guest runs on to this instruction. */
void td_set_rip(struct lp *lp, u64 rip);
u64 td_rip(const struct lp *lp);

/** TD exit by an external interrupt. */
void td_interrupt_exit(struct lp *lp, struct td_exit *exit);

/** TD exit by a TDVMCALL (TDG.VP.VMCALL); RIP moves past it. */
void td_vmcall_exit(struct lp *lp, struct td_exit *exit);

/** A VM exit that the module handles itself: a TDCALL such as VEINFO.GET. */
void td_internal_exit(struct lp *lp);

/**
 * The guest touched a private GPA that its S-EPT does not let it.
 * True: TD exit, *exit is filled.  False: the guest gets a #VE and runs on.
 */
bool td_ept_violation(struct lp *lp, gpa_t gpa, struct td_exit *exit);

/** Would a guest access to this private GPA go through?  A page walk. */
bool td_gpa_accessible(struct lp *lp, gpa_t gpa);

/** How a TDCALL ended. */
enum tdg_end {
	TDG_RETURNED,	 /* status in *status, RIP advanced */
	TDG_INTERRUPTED, /* the same TDCALL has to run again, RIP as it was */
	TDG_EXITED,	 /* TD exit, *exit filled */
};

enum tdg_end tdg_mem_page_accept(struct lp *lp, gpa_t gpa,
				 enum tdx_level level, tdx_status *status,
				 struct td_exit *exit);
enum tdg_end tdg_mem_page_attr_rd(struct lp *lp, gpa_t gpa,
				  tdx_status *status, struct td_exit *exit);
enum tdg_end tdg_mem_page_attr_wr(struct lp *lp, gpa_t gpa, u64 attributes,
				  tdx_status *status, struct td_exit *exit);

/** Entries in the zero-step list of the vCPU (0..32). */
u32 tdx_zero_step_listed(const struct tdx_module *module, hpa_t tdvpr);

#endif
