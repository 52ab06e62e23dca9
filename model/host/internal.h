/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of this room share: the VM, its mirror of the S-EPT, the
 * wrapper around the module's calls, and what a policy decides.
 */
#ifndef TDMEM_HOST_INTERNAL_H
#define TDMEM_HOST_INTERNAL_H

#include "model/host/host.h"
#include "model/host/lock.h"

/* --------------------------------------------------------------- mirror */

/*
 * A mirror SPTE.  A leaf holds the HPA that it maps in bits 51:12, an entry
 * that refers to a table holds the host's pointer to it: tables are never
 * freed while the VM lives, so a present one can be followed without a lock.
 */
#define SPTE_PRESENT 0x1ull
#define SPTE_LEAF    0x2ull
#define SPTE_BLOCKED 0x4ull   /* a removal gave up after BLOCK */
#define SPTE_EXTEND  0x1f0ull /* MR.EXTENDs that a build still owes */
#define SPTE_HPA     0x000ffffffffff000ull
#define SPTE_NONE    0x0ull
/* Somebody is inside a call for this entry; not present. */
#define FROZEN_SPTE 0x80000000000001a0ull

#define SPTE_EXTEND_SHIFT 4

/** A page table of the mirror; its partner is a page of the S-EPT. */
struct mirror_table {
	u64 spte[512];
	struct line line[64];
	hpa_t external;		   /* the S-EPT page; of the root: none */
	struct mirror_table *next; /* of all that the VM has made */
} __attribute__((aligned(64)));

static inline bool spte_present(u64 spte)
{
	return spte & SPTE_PRESENT;
}

static inline bool spte_leaf(u64 spte)
{
	return spte & SPTE_LEAF;
}

static inline hpa_t spte_hpa(u64 spte)
{
	return HPA(spte & SPTE_HPA);
}

static inline struct mirror_table *spte_table(u64 spte)
{
	return (struct mirror_table *)(uintptr_t)(spte & ~SPTE_PRESENT);
}

static inline unsigned spte_index(gpa_t gpa, enum tdx_level level)
{
	return (unsigned)(gpa.v >> (12 + 9 * (unsigned)level)) & 511;
}

/** A place in the mirror: the entry of `level` that covers a GPA. */
struct spte_ref {
	u64 *spte;
	struct line *line;
	gpa_t gpa; /* aligned to the level */
	enum tdx_level level;
};

/* A line that what comes before it is not on. */
#define OWN_LINE __attribute__((aligned(64)))

/* ------------------------------------------------------------- the host */

struct kvm_host {
	struct tdx_module *module;
	struct kvm_costs costs;
	/* What is above is read by all, always. */
	u64 memory OWN_LINE; /* bytes of mirror tables and VMs */
	u64 next, end;	     /* physical memory that is not given out */
	u32 first_hkid, hkids;
	bool *hkid_used;
	struct kvm_vm *vms; /* all that there are */
	bool vms_lock;	    /* never held across a call of the machine */
	u32 packages;
	/* of spin-doubling, shared by all VMs */
	u32 retry_max OWN_LINE;
	struct line retry_max_line;
	struct qspinlock tdx_lock; /* creation and HKID release */
	struct qnode nodes[MACHINE_MAX_STRANDS];
};

/* ------------------------------------------------------------------ VMs */

/* kvm_vcpu.mode: bit 0 IN_GUEST_MODE, above it the number of exits. */
#define VCPU_IN_GUEST 1u
#define VCPU_EXIT     2u

/* kvm_vm.gate: how many hold vCPUs out, and that the VM is dead. */
#define GATE_HOLDS 0xffffu
#define GATE_HOLD  1u
#define GATE_DEAD  0x10000u

struct kvm_vcpu {
	u32 mode;
	struct line mode_line;
	u32 kick_seen;		    /* sender's: the mode that it kicked */
	struct kvm_vcpu *kick_next; /* sender's: others that it kicked */
	struct kvm_thread *thread;  /* while it runs; senders look at it */
	struct qspinlock mutex;
	struct kvm_vm *vm;
	hpa_t tdvpr;
	u32 lp_id, lp_package; /* where the module has it associated */
	bool associated;
	bool inside;
	gpa_t stuck; /* page that userspace leaves unresolved + 1; or 0 */
	gpa_t fault; /* page whose fault is not done + 1; or 0 */
	u64 fault_begin_ps;
	u32 fault_tries;
} __attribute__((aligned(64)));

/** Phases of a teardown that several threads do together. */
enum teardown_phase { PHASE_START, PHASE_RELEASED, PHASE_FAILED = 9 };

struct kvm_vm {
	struct kvm_host *host;
	struct kvm_vm *next; /* of the host's */
	struct kvm_vm_config config;

	/* invalidations in progress << 32 | their sequence */
	u64 inv OWN_LINE;
	struct line inv_line;
	u64 inv_begin, inv_end; /* bytes of GPA; written under mmu_lock */

	u32 gate __attribute__((aligned(64)));
	struct line gate_line;
	u32 phase;	/* of the teardown */
	u32 pages_done; /* teardown workers that have done their pages */
	struct line teardown_line;

	struct qrwlock mmu_lock;
	struct qspinlock slots_lock, invalidate_lock, sept_lock;

	/* Page of the build that ended with -EBUSY + 1; under slots_lock. */
	gpa_t unbuilt;
	u64 unbuilt_begin_ps;
	u32 unbuilt_tries;

	u32 runnable; /* finalized */
	u32 hkid;
	enum tdx_level root_level;
	hpa_t control, sept, data;   /* regions of physical memory */
	u64 control_used, sept_used; /* pages given out */
	u64 sept_pages;
	u64 extent, extent_end;
	bool reclaimed;

	struct mirror_table *root;
	struct mirror_table *tables; /* all but the root, linked or not */
	struct mirror_table *spare;  /* tables whose link failed */
	bool table_lock;
	u64 **shared; /* attribute: one bit a page, a block for each GiB */
	struct kvm_vcpu *vcpu;
	char bug[160];
};

static inline hpa_t vm_tdr(const struct kvm_vm *vm)
{
	return vm->control;
}

static inline bool vm_dead(const struct kvm_vm *vm)
{
	return __atomic_load_n(&vm->gate, __ATOMIC_RELAXED) & GATE_DEAD;
}

/** The same for a strand that goes another way when it is. */
static inline bool vm_seen_dead(struct kvm_thread *t, const struct kvm_vm *vm)
{
	plain_access(t->strand, &vm->gate, sizeof(vm->gate), false);
	return vm_dead(vm);
}

static inline bool vm_runnable(const struct kvm_vm *vm)
{
	return __atomic_load_n(&vm->runnable, __ATOMIC_ACQUIRE);
}

/** 0, or -EINVAL for a range that is not inside the guest's memory. */
int vm_check_range(struct kvm_thread *t, const struct kvm_vm *vm, gpa_t gpa,
		   u64 pages);

/**
 * Bug the VM: keep the first reason, make all vCPUs leave.  Always -EIO.
 * `status` 0: `what` says it all.
 */
int vm_bug(struct kvm_thread *t, struct kvm_vm *vm, const char *what,
	   tdx_status status);

/** The next page of the control region. */
hpa_t vm_control_page(struct kvm_vm *vm);

int attributes_init(struct kvm_vm *vm);
void attributes_free(struct kvm_vm *vm);
bool vm_page_private(const struct kvm_vm *vm, gpa_t gpa);
/** Does the whole range have this attribute? */
bool vm_range_is(const struct kvm_vm *vm, gpa_t gpa, u64 pages, bool private);
/** Get the memory that vm_set_attribute() needs: 0 or -ENOMEM. */
int vm_reserve_attribute(struct kvm_vm *vm, gpa_t gpa, u64 pages);
void vm_set_attribute(struct kvm_vm *vm, gpa_t gpa, u64 pages, bool private);

/* --------------------------------------------------- calls of the module */

struct timed {
	u64 begin_ps;
	enum where before;
};

struct timed timed_begin(struct kvm_thread *t);
tdx_status timed_end(struct kvm_thread *t, struct timed timed,
		     enum tdx_call call, tdx_status status);

/** Every call goes through this: timed, accounted, observed. */
#define seamcall(t, call, expr)                                                \
	({                                                                     \
		struct timed timed_ = timed_begin(t);                          \
		timed_end(t, timed_, call, (expr));                            \
	})

/** Report an operation that ended now. */
static inline void observe_op(struct kvm_thread *t, enum kvm_op op,
			      u64 begin_ps, u32 tries)
{
	if (t->observer && t->observer->op)
		t->observer->op(t->observer_ctx, op, begin_ps, now(t->strand),
				tries);
}

/** One S-EPT call with everything it needs. */
struct sept_call {
	enum tdx_call call;
	enum tdx_level level;
	gpa_t gpa;
	hpa_t page; /* what is added; of PAGE.ADD: the target */
};

/* ------------------------------------------------------------- policies */

/** What a half says about a call that came back BUSY. */
enum verdict {
	RETRY_AGAIN,   /* issue it again, in place */
	RETRY_KICK,    /* kick, keep all out for one more call */
	RETRY_HOLD,    /* kick, keep all out until the page is done */
	RETRY_GIVE_UP, /* undo, let the caller begin again */
	RETRY_BUG,     /* must not happen: the VM is bugged */
};

/** What a half gets to know. */
struct busy {
	struct kvm_thread *t;
	struct kvm_host *host;
	enum tdx_call call;
	tdx_status status;
	u32 tries; /* calls so far that were not interrupted, this one too */
	u32 limit; /* of the VM; 0: none */
	bool held; /* all vCPUs are held out */
};

typedef enum verdict busy_fn(const struct busy *busy);

struct fault_policy {
	const char *name;
	busy_fn *busy;
	bool retry_locally; /* the whole fault again without VP.ENTER */
	bool vm_lock;	    /* calls are made under a VM-wide spinlock */
};

struct removal_policy {
	const char *name;
	busy_fn *busy;
	bool hold_first; /* keep all vCPUs out before BLOCK, until REMOVE */
	bool vm_lock;
};

/**
 * Issue a call as a half says until it is done.  *held is set when vCPUs
 * were kicked and stay held out: the caller lets them in.
 * 0, -EAGAIN the half gave up, -EIO the VM is bugged.
 */
int retry_fault(struct kvm_thread *t, struct kvm_vm *vm,
		const struct sept_call *c);
int retry_removal(struct kvm_thread *t, struct kvm_vm *vm,
		  const struct sept_call *c, bool *held);
/** One call, no policy. */
tdx_status sept_issue(struct kvm_thread *t, struct kvm_vm *vm,
		      const struct sept_call *c);

/* --------------------------------------------------------------- mirror */

struct mirror_table *mirror_table_get(struct kvm_vm *vm);
/** A table whose link failed. */
void mirror_table_put(struct kvm_vm *vm, struct mirror_table *table);
void mirror_free(struct kvm_vm *vm);

/**
 * The next present leaf in [gpa, end) while mmu_lock is held for writing or
 * nobody else is left.  False when there is none.
 */
bool mirror_next_leaf(struct kvm_vm *vm, gpa_t gpa, gpa_t end,
		      struct spte_ref *ref);

/** Where what maps this page ends; without a mapping: the next page. */
gpa_t mirror_after(struct kvm_vm *vm, gpa_t gpa);

/** Call fn for each S-EPT page, children before parents. */
int mirror_each_table(struct kvm_thread *t, struct kvm_vm *vm,
		      int (*fn)(struct kvm_thread *t, struct kvm_vm *vm,
				hpa_t page));

/* ---------------------------------------------------------------- fault */

/** How an attempt to map ended. */
enum pf {
	PF_FIXED,
	PF_SPURIOUS, /* it is mapped already */
	PF_RETRY,
	PF_MEMORY_FAULT, /* the attribute says shared */
	PF_ERROR,	 /* bugged */
};

/** One attempt to make `gpa` mapped, at up to `level`. */
enum pf fault_attempt(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		      enum tdx_level level);
/** Find the leaf entry of 4K for a build, adding tables. */
enum pf fault_tables(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		     struct spte_ref *ref);

/* ----------------------------------------------------------- zap, kicks */

void invalidate_begin(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		      u64 pages);
void invalidate_end(struct kvm_thread *t, struct kvm_vm *vm);
/**
 * Remove all mapped pages of a range as the last close of a guest_memfd does:
 * slots_lock, the file's lock, mmu_lock.
 */
int zap_release(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa, u64 pages);

/** One leaf that something is being done to. */
struct removal {
	struct kvm_thread *t;
	struct kvm_vm *vm;
	struct spte_ref ref;
	u64 spte;
	u64 begin_ps; /* of the first attempt at this page */
	u64 block_ps; /* when BLOCK, or the kick before it, began */
	u32 attempts; /* for this page */
	bool tracked; /* in one of them: TRACK has been reported */
	bool held;    /* vCPUs are kept out until the page is done */
};
/* 0 done; -EAGAIN begin again; -EIO. */
int leaf_remove(struct removal *r);
/** BLOCK, TRACK, kick, UNBLOCK: the page stays. */
int leaf_track(struct removal *r);
/** BLOCK, TRACK, kick, DEMOTE: a 2M page becomes 512 of 4K. */
int leaf_split(struct removal *r);

/** Make all vCPUs leave the guest and wait until they have. */
void kick_all(struct kvm_thread *t, struct kvm_vm *vm);
/** The same for the flush at the end of a batch. */
void flush_remote_tlbs(struct kvm_thread *t, struct kvm_vm *vm);
/** Keep vCPUs out of VP.ENTER, kick those inside; and let them in again. */
void hold_begin(struct kvm_thread *t, struct kvm_vm *vm);
void hold_end(struct kvm_thread *t, struct kvm_vm *vm);

/** Remove the vCPU's association with the LP that it ran on last. */
tdx_status vcpu_flush(struct kvm_thread *t, struct kvm_vcpu *vcpu);
/** Bring the vCPU to this thread's LP. */
int vcpu_load(struct kvm_thread *t, struct kvm_vcpu *vcpu);

/* -------------------------------------------------------------- host.c */

/** A stretch of physical memory, 16 MiB aligned; false when there is none. */
bool host_get_extent(struct kvm_host *host, u64 bytes, u64 *base);
void host_put_extent(struct kvm_host *host, u64 base, u64 end);
int host_get_hkid(struct kvm_host *host, u32 *hkid);
void host_put_hkid(struct kvm_host *host, u32 hkid);
/** Zeroed memory that begins on a cache line; NULL: none.  For free(). */
void *zalloc_lines(size_t bytes);
/** The host knows of all VMs, those too whose making is cut short. */
void host_add_vm(struct kvm_host *host, struct kvm_vm *vm);
void host_remove_vm(struct kvm_host *host, struct kvm_vm *vm);
void host_charge(struct kvm_host *host, s64 bytes);
/** A logical processor of another package, or of another thread. */
struct lp host_lp(struct kvm_thread *t, u32 id, u32 package);

/** Clear pages after removal or reclaim, where the CPU needs it. */
void clear_pages(struct kvm_thread *t, struct kvm_vm *vm, u64 pages);
/** CLFLUSH pages before the module gets them. */
void flush_pages(struct kvm_thread *t, struct kvm_vm *vm, u64 pages);

#endif
