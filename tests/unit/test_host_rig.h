/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine, a module, a host and one VM for the tests of the host. */
#ifndef TDMEM_TEST_HOST_RIG_H
#define TDMEM_TEST_HOST_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/host/internal.h"
#include "model/module/inspect.h"

enum { RIG_STRANDS = 40, RIG_VMS = 2 };
#define RIG_MEMORY (8ull << 30)

struct flag {
	struct line line;
	u32 value;
};

/** What a thread saw of the module and of KVM's operations. */
struct seen {
	u64 calls[NR_TDX_CALLS];
	u64 busy[NR_TDX_CALLS];
	u64 previous_epoch_busy;
	u32 max_tries[NR_TDX_CALLS];
	u64 ops[NR_KVM_OPS];
	u64 op_ps[NR_KVM_OPS];
	u64 op_tries[NR_KVM_OPS];
};

struct rig;
/** What strand `index` does; 0 is the host that made the VMs. */
typedef void role_fn(struct rig *rig, struct kvm_thread *t, u32 index);

struct rig {
	struct kvm_vm_config config;
	struct tdx_costs tdx;
	struct kvm_costs kvm;
	u32 vms;
	u32 strands;
	role_fn *role[RIG_STRANDS];
	bool leave_unfinalized;
	double jitter;
	u64 livelock_ps;
	u32 packages; /* 0: one; strands are on the first */

	struct tdx_module *module;
	struct kvm_host *host;
	struct kvm_vm *vm[RIG_VMS];
	struct kvm_thread thread[RIG_STRANDS];
	struct seen seen[RIG_STRANDS];
	struct flag ready, stop, step;
	enum machine_end end;
	char reason[256];
	int result[RIG_STRANDS]; /* for the roles */
	u64 value[RIG_STRANDS];
	struct machine *machine;
	struct cpu_place place[RIG_STRANDS];
	struct topology topology;
};

static inline void rig_op(void *ctx, enum kvm_op op, u64 begin_ps, u64 end_ps,
			  u32 tries)
{
	struct seen *seen = ctx;

	seen->ops[op]++;
	seen->op_ps[op] += end_ps - begin_ps;
	seen->op_tries[op] += tries;
}

static inline void rig_call(void *ctx, enum tdx_call call, tdx_status status,
			    u64 begin_ps, u64 end_ps)
{
	struct seen *seen = ctx;

	(void)begin_ps;
	(void)end_ps;
	seen->calls[call]++;
	seen->busy[call] += tdx_operand_busy(status);
	seen->previous_epoch_busy += status == TDX_PREVIOUS_TLB_EPOCH_BUSY;
}

static inline void rig_retries(void *ctx, enum tdx_call call, u32 tries)
{
	struct seen *seen = ctx;

	if (tries > seen->max_tries[call])
		seen->max_tries[call] = tries;
}

static const struct kvm_observer rig_observer = {
	.op = rig_op,
	.call = rig_call,
	.retries = rig_retries,
};

static inline void flag_set(struct strand *s, struct flag *flag, u32 value)
{
	line_store32(s, &flag->line, &flag->value, value);
}

static inline void flag_wait(struct strand *s, struct flag *flag, u32 from)
{
	while (line_load32(s, &flag->line, &flag->value) == from)
		line_wait(s, &flag->line, &flag->value, from, false);
}

/** The typical column of the published numbers. */
static inline void rig_costs(struct rig *rig)
{
	rig->tdx = (struct tdx_costs){
		.seamcall_ps = 1500 * PS_PER_NS,
		.tdcall_ps = 600 * PS_PER_NS,
		.td_enter_ps = 1250 * PS_PER_NS,
		.td_exit_ps = 1000 * PS_PER_NS,
		.accept_2m_ps = 700 * PS_PER_US,
		.demote_ps = 10 * PS_PER_US,
		.line_local_ps = 5 * PS_PER_NS,
	};
	rig->tdx.call_ps[TDH_MEM_SEPT_ADD] = 2800 * PS_PER_NS;
	rig->tdx.call_ps[TDH_MEM_PAGE_AUG] = 2000 * PS_PER_NS;
	rig->tdx.call_ps[TDG_MEM_PAGE_ACCEPT] = 2000 * PS_PER_NS;
	rig->tdx.call_ps[TDH_MEM_RANGE_BLOCK] = 2500 * PS_PER_NS;
	rig->tdx.call_ps[TDH_MEM_RANGE_UNBLOCK] = 2500 * PS_PER_NS;
	rig->tdx.call_ps[TDH_MEM_TRACK] = 2200 * PS_PER_NS;
	rig->tdx.call_ps[TDH_MEM_PAGE_REMOVE] = 3000 * PS_PER_NS;
	rig->tdx.call_ps[TDH_PHYMEM_PAGE_WBINVD] = 2800 * PS_PER_NS;
	rig->tdx.call_ps[TDH_PHYMEM_PAGE_RECLAIM] = 2000 * PS_PER_NS;
	rig->tdx.call_ps[TDH_PHYMEM_CACHE_WB] = 2 * PS_PER_MS;
	rig->kvm = (struct kvm_costs){
		.fault_ps = 1200 * PS_PER_NS,
		.exit_ps = 250 * PS_PER_NS,
		.remove_page_ps = 3000 * PS_PER_NS,
		.reclaim_page_ps = 1200 * PS_PER_NS,
		.clear_4k_ps = 1500 * PS_PER_NS,
		.flush_4k_ps = 400 * PS_PER_NS,
		.kick_base_ps = 3000 * PS_PER_NS,
		.kick_vcpu_ps = 1000 * PS_PER_NS,
		.vcpu_ioctl_ps = 500 * PS_PER_NS,
	};
}

static inline struct rig *rig_new(const char *policy, u32 vcpus, u64 pages)
{
	struct rig *rig = aligned_alloc(64, (sizeof(*rig) + 63) & ~63ull);
	const struct retry_policy *p = retry_policies;

	assert_non_null(rig);
	memset(rig, 0, sizeof(*rig));
	while (p->name && strcmp(p->name, policy))
		p++;
	assert_non_null(p->name);
	rig->config = (struct kvm_vm_config){
		.vcpus = vcpus,
		.pages = pages,
		.params = {.gpaw = 48},
		.policy = *p,
		.clear_removed = true,
	};
	rig->vms = 1;
	rig->livelock_ps = 50 * PS_PER_MS;
	rig_costs(rig);
	return rig;
}

struct rig_arg {
	struct rig *rig;
	u32 index;
};

static inline void rig_make_vms(struct rig *rig, struct kvm_thread *t)
{
	for (u32 i = 0; i < rig->vms; i++) {
		rig->vm[i] = kvm_create_vm(rig->host, t, &rig->config);
		if (!rig->vm[i])
			machine_halt(t->strand, "no VM");
		if (!rig->leave_unfinalized && kvm_finalize(t, rig->vm[i]))
			machine_halt(t->strand, "not finalized");
	}
}

static inline void rig_strand(struct strand *s, void *arg)
{
	struct rig *rig = ((struct rig_arg *)arg)->rig;
	u32 index = ((struct rig_arg *)arg)->index;
	struct kvm_thread *t = &rig->thread[index];

	t->strand = s;
	t->where = WHERE_IDLE;
	t->observer = &rig_observer;
	t->observer_ctx = &rig->seen[index];
	lp_init(&t->lp, rig->module, s, index, rig->place[index].package);
	if (index == 0) {
		rig_make_vms(rig, t);
		memset(&rig->seen[0], 0, sizeof(rig->seen[0]));
		flag_set(s, &rig->ready, 1);
	} else {
		flag_wait(s, &rig->ready, 0);
	}
	rig->role[index](rig, t, index);
	account(t, WHERE_IDLE);
}

/** Run the roles to the end; returns how the machine ended. */
static inline enum machine_end rig_run(struct rig *rig)
{
	struct tdx_platform platform = tdx_platform_default;
	struct kvm_host_config host = {.costs = rig->kvm,
				       .memory = HPA(1ull << 30),
				       .memory_bytes = RIG_MEMORY,
				       .hkids = RIG_VMS};
	struct virtual_config config = {
		.topology = &rig->topology,
		.line = {5 * PS_PER_NS, 50 * PS_PER_NS, 59 * PS_PER_NS,
			 138 * PS_PER_NS},
		.seed = 42,
		.jitter = rig->jitter,
		.livelock_ps = rig->livelock_ps,
		.max_ps = 60 * PS_PER_S,
		.max_strands = RIG_STRANDS,
	};
	struct rig_arg args[RIG_STRANDS];

	if (rig->packages)
		platform.packages = rig->packages;
	for (u16 i = 0; i < RIG_STRANDS; i++)
		rig->place[i] = (struct cpu_place){i, i / 8, 0};
	rig->topology = (struct topology){RIG_STRANDS, 1, rig->place};
	host.first_hkid = platform.first_private_hkid + 1;
	rig->module = tdx_module_create(&platform, &rig->tdx);
	assert_non_null(rig->module);
	assert_int_equal(
		tdx_module_add_tdmr(rig->module, host.memory, RIG_MEMORY), 0);
	host.module = rig->module;
	rig->host = kvm_host_create(&host);
	rig->machine = virtual_create(&config);
	assert_non_null(rig->host);
	assert_non_null(rig->machine);
	for (u32 i = 0; i < rig->strands; i++) {
		args[i] = (struct rig_arg){rig, i};
		assert_non_null(
			machine_strand(rig->machine, i, rig_strand, &args[i]));
	}
	rig->end = machine_run(rig->machine);
	snprintf(rig->reason, sizeof(rig->reason), "%s",
		 machine_reason(rig->machine));
	return rig->end;
}

static inline void rig_must_be_done(struct rig *rig)
{
	char why[256];

	if (rig_run(rig) != MACHINE_DONE)
		fail_msg("machine ended %d: %s", rig->end, rig->reason);
	if (!tdx_check_invariants(rig->module, why, sizeof(why)))
		fail_msg("%s", why);
}

static inline void rig_free(struct rig *rig)
{
	for (u32 i = 0; i < rig->vms; i++)
		kvm_free_vm(rig->vm[i]);
	kvm_host_destroy(rig->host);
	machine_destroy(rig->machine);
	tdx_module_destroy(rig->module);
	free(rig);
}

/** Sums over all threads. */
static inline u64 rig_busy(const struct rig *rig, enum tdx_call call)
{
	u64 sum = 0;

	for (u32 i = 0; i < rig->strands; i++)
		sum += rig->seen[i].busy[call];
	return sum;
}

static inline void assert_within(u64 value, u64 low, u64 high)
{
	if (value < low || value > high)
		fail_msg("%llu is not in %llu..%llu", (unsigned long long)value,
			 (unsigned long long)low, (unsigned long long)high);
}

#endif
