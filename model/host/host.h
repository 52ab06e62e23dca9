/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM on the model of the TDX module: the vCPU loop, the TDP MMU with its
 * mirror of the S-EPT, mmu_lock, faults, removals, kicks, conversions and
 * teardown, and the retry policies.  Behaviour is that of Linux 7.3.
 *
 * Everything here runs on a strand.  Counts and times go to the thread that
 * caused them; whoever owns the thread reads them after the run.
 */
#ifndef TDMEM_HOST_H
#define TDMEM_HOST_H

#include "model/module/module.h"

/* -------------------------------------------------------------- policies */

struct fault_policy;
struct removal_policy;

/** What KVM does on BUSY: a half for faults, a half for removals. */
struct retry_policy {
	const char *name;    /* "kick-once"; for free combinations NULL */
	const char *summary; /* one line */
	const char *source;  /* where it comes from */
	const struct fault_policy *fault;
	const struct removal_policy *removal;
};

/** The named policies; ended by one whose name is NULL. */
extern const struct retry_policy retry_policies[];

const struct fault_policy *fault_policy_find(const char *name);
const struct removal_policy *removal_policy_find(const char *name);
const char *fault_policy_name(const struct fault_policy *policy);
const char *removal_policy_name(const struct removal_policy *policy);

/* ------------------------------------------------------------ statistics */

/** What KVM's own work costs, in ps, apart from the module's calls. */
struct kvm_costs {
	u64 fault_ps;		/* software of one private fault */
	u64 exit_ps;		/* handling of any exit, fast path */
	u64 remove_page_ps;	/* software of one removed page */
	u64 reclaim_page_ps;	/* software of one reclaimed page */
	u64 clear_4k_ps;	/* 64 MOVDIR64B and a fence */
	u64 flush_4k_ps;	/* 64 CLFLUSHOPT and a fence */
	u64 kick_base_ps;	/* one round of IPIs, sender's part */
	u64 kick_vcpu_ps;	/* more for each vCPU inside the TD */
	u64 vcpu_ioctl_ps;	/* fixed part of an ioctl */
};

/** From sending an IPI to its arrival, in ps: half of a round's base. */
static inline u64 kvm_ipi_ps(const struct kvm_costs *costs)
{
	return costs->kick_base_ps / 2;
}

/** Operations that are timed; names: kvm_op_name(). */
enum kvm_op {
	KVM_OP_FAULT,	 /* private fault, from exit to done */
	KVM_OP_MAP,	 /* one attempt to map: the part under mmu_lock */
	KVM_OP_REMOVAL, /* whole removal of one page */
	KVM_OP_TRACK,	 /* BLOCK + TRACK + kick of one page */
	KVM_OP_KICK,	 /* one round of kicks until all are out */
	KVM_OP_CONVERT, /* one MapGPA */
	KVM_OP_BUILD,	 /* PAGE.ADD (+ MR.EXTEND) of one page */
	KVM_OP_RECLAIM, /* one page after HKID release */
	KVM_OP_TEARDOWN, /* a whole TD */
	KVM_OP_IOCTL,	 /* a vCPU ioctl that races the build */
	NR_KVM_OPS
};
const char *kvm_op_name(enum kvm_op op);

/** Where the time of a vCPU or of a host thread went. */
enum where {
	WHERE_GUEST,	 /* inside the guest */
	WHERE_MODULE,	 /* in calls that did their work */
	WHERE_BUSY,	 /* in calls that ended BUSY: wasted */
	WHERE_KVM,	 /* KVM software */
	WHERE_MMU_LOCK,	 /* waiting for mmu_lock */
	WHERE_KEPT_OUT,	 /* turned away from VP.ENTER by a kick-and-hold */
	WHERE_IDLE,	 /* halted, at a barrier outside, sleeping */
	NR_WHERES
};
const char *where_name(enum where where);

/** Receives what happens; one table a world, a context a thread. */
struct kvm_observer {
	/* An operation ended; `tries`: calls or attempts that it took. */
	void (*op)(void *ctx, enum kvm_op op, u64 begin_ps, u64 end_ps,
		   u32 tries);
	/* A call of the module ended. */
	void (*call)(void *ctx, enum tdx_call call, tdx_status status,
		     u64 begin_ps, u64 end_ps);
	/* How many calls in a row one try of a policy took until not BUSY. */
	void (*retries)(void *ctx, enum tdx_call call, u32 tries);
};

/** A host thread: a vCPU's, or a worker. */
struct kvm_thread {
	struct lp lp;
	struct strand *strand;
	const struct kvm_observer *observer; /* may be NULL */
	void *observer_ctx;
	enum where where;
	u64 where_since_ps;
	u64 spent_ps[NR_WHERES];
	u64 kicks_sent;	  /* rounds */
	u64 flushes_sent; /* rounds of TLB flushes */
	u64 ipis_sent;	  /* by both */
	u64 kicked;	  /* times this vCPU was kicked out */
};

/** Change the account that this thread's time goes to. */
static inline enum where account(struct kvm_thread *t, enum where where)
{
	enum where before = t->where;
	u64 at = now(t->strand);

	t->spent_ps[before] += at - t->where_since_ps;
	t->where_since_ps = at;
	t->where = where;
	return before;
}

/* ------------------------------------------------------------------- VMs */

struct kvm_host;
struct kvm_vm;
struct kvm_vcpu;

struct kvm_host_config {
	struct tdx_module *module; /* borrowed */
	struct kvm_costs costs;
	hpa_t memory;		   /* physical memory for guests and control */
	u64 memory_bytes;
	u32 first_hkid, hkids;	   /* for TDs */
};

/** NULL when out of memory. */
struct kvm_host *kvm_host_create(const struct kvm_host_config *config);
/** Frees the VMs that are left as well. */
void kvm_host_destroy(struct kvm_host *host);
/** Host memory of mirror tables and the like, in bytes. */
u64 kvm_host_memory(const struct kvm_host *host);

struct kvm_vm_config {
	u32 vcpus;		   /* 1..1024 */
	u64 pages;		   /* guest memory, 4K pages, from GPA 0 */
	enum tdx_level max_level;  /* largest mapping: 4K as today, or 2M */
	struct td_params params;
	struct retry_policy policy;
	u32 retry_limit;	   /* of the spin halves; 0: none */
	bool clear_removed;	   /* clear pages after removal and reclaim
				      (CPUs with the partial-write erratum) */
};

/**
 * Create a VM and its vCPUs: MNG.CREATE .. MNG.INIT, VP.CREATE .. VP.INIT.
 * All memory is private.  NULL when out of memory or HKIDs.
 */
struct kvm_vm *kvm_create_vm(struct kvm_host *host, struct kvm_thread *t,
			     const struct kvm_vm_config *config);
/** Free the host's side only: nothing is called. */
void kvm_free_vm(struct kvm_vm *vm);

/** The VM's end state: bugged VMs answer -EIO to everything. */
bool kvm_vm_bugged(const struct kvm_vm *vm);
/** Why it is bugged, e.g. "TDH.MEM.RANGE.BLOCK: TDX_..."; "" if not. */
const char *kvm_vm_bug(const struct kvm_vm *vm);

/*
 * What a host thread can do to a VM.  All return 0 or a negative errno: -EIO
 * the VM is bugged, -EBUSY and -EAGAIN as KVM returns them, -EINVAL a range
 * outside the guest's memory.
 */
int kvm_init_mem_region(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
			u64 pages, bool measure);
int kvm_finalize(struct kvm_thread *t, struct kvm_vm *vm);
/** A vCPU ioctl (VP.RD); before finalize it races the build. */
int kvm_vcpu_ioctl(struct kvm_thread *t, struct kvm_vm *vm, u32 vcpu);
/** KVM_PRE_FAULT_MEMORY. */
int kvm_pre_fault(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		  u64 pages);
/** fallocate(PUNCH_HOLE) on the guest_memfd. */
int kvm_punch_hole(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		   u64 pages);
/**
 * Delete the memslot that this range is, and make it again.  The wait for
 * readers of the slots (SRCU) and the making cost nothing.
 */
int kvm_delete_slot(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		    u64 pages);
/** KVM_SET_MEMORY_ATTRIBUTES. */
int kvm_set_private(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		    u64 pages, bool to_private);
/** BLOCK, TRACK, kick, UNBLOCK of each mapped page of a range. */
int kvm_track_range(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		    u64 pages);

enum teardown_order {
	TEARDOWN_RUNNABLE, /* remove every page, then release the HKID */
	TEARDOWN_EARLY,	   /* release the HKID, then RECLAIM every page */
};
/**
 * Tear a VM down, its vCPUs being outside for good.  With `share` > 1 this is
 * worker `index` of `share` threads that do it together: the private pages
 * are divided among them, the rest is done by worker 0.
 */
int kvm_teardown(struct kvm_thread *t, struct kvm_vm *vm,
		 enum teardown_order order, u32 index, u32 share);

/* ------------------------------------------------------- vCPUs, the guest */

struct kvm_vcpu *kvm_vcpu(struct kvm_vm *vm, u32 index);

/** Take a vCPU into the guest on this thread for the first time. */
int kvm_vcpu_start(struct kvm_thread *t, struct kvm_vcpu *vcpu);
/** Leave the guest for good. */
void kvm_vcpu_finish(struct kvm_vcpu *vcpu);

/*
 * What the guest does; the vCPU is inside before and after.  Exits, faults,
 * kicks and re-entries happen on the way.  -EIO: the VM is bugged, the vCPU
 * is outside for good.
 */

/** Instructions of the guest, as the zero-step filter tells them apart. */
enum guest_rip {
	GUEST_RIP_RUN = 0x1000,
	GUEST_RIP_TOUCH = 0x2000,
	GUEST_RIP_ACCEPT = 0x3000,
	GUEST_RIP_VE = 0x4000,
	GUEST_RIP_STUCK = 0x5000,
	GUEST_RIP_VMCALL = 0x6000,
};

/** Store to a private page.  0 done; 1 a #VE: the page is pending. */
int kvm_guest_touch(struct kvm_vcpu *vcpu, gpa_t gpa);
/** ACCEPT; *status as the guest sees it. */
int kvm_guest_accept(struct kvm_vcpu *vcpu, gpa_t gpa, enum tdx_level level,
		     tdx_status *status);
/** One store to a page of the other kind, left unresolved by userspace. */
int kvm_guest_stuck(struct kvm_vcpu *vcpu, gpa_t gpa);
/** MapGPA. */
int kvm_guest_map_gpa(struct kvm_vcpu *vcpu, gpa_t gpa, u64 pages,
		      bool to_private);
/**
 * Run inside for a time.  Of a vCPU whose fault was left unresolved the time
 * passes in userspace: kvm_guest_stuck() goes on with the same fault.
 */
int kvm_guest_spin(struct kvm_vcpu *vcpu, u64 ps);
/** Wait inside, running, until *word is not `seen`. */
int kvm_guest_wait(struct kvm_vcpu *vcpu, struct line *line, const u32 *word,
		   u32 seen);
/** Halt (out of the guest) until *word is not `seen`. */
int kvm_guest_halt(struct kvm_vcpu *vcpu, struct line *line, const u32 *word,
		   u32 seen);
/** An exit to userspace and back. */
int kvm_guest_leave(struct kvm_vcpu *vcpu);

#endif
