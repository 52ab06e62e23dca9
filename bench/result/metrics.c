/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "bench/result/metrics.h"

/* clang-format off */
#define COUNT(name, unit, direction, help) \
	{ name, unit, direction, false, help },
#define HISTOGRAM(name, unit, help) \
	{ name, unit, LOWER_IS_BETTER, true, help },

/*
 * Operations: name, what one of them is.  A rate counts those that ended in
 * the measured part of the run, over the virtual or real time of that part.
 */
#define OPERATIONS(X)                                                          \
	X("fault", "first touch of a page, as the guest sees it, and ACCEPT")  \
	X("accept", "TDG.MEM.PAGE.ACCEPT, as the guest sees it")               \
	X("convert", "MapGPA, to shared or to private, as the guest sees it")  \
	X("removal", "removal of one page: BLOCK, TRACK, kick, REMOVE")        \
	X("track", "BLOCK + TRACK + kick of one page")                         \
	X("build", "PAGE.ADD (+ MR.EXTEND) of one page")                       \
	X("reclaim", "reclaim of one page after the HKID is released")         \
	X("teardown", "teardown of a whole TD")                                \
	X("ioctl", "vCPU ioctl that races the build")                          \
	X("prefault", "KVM_PRE_FAULT_MEMORY of one page")

#define OPERATION_METRICS(op, what)                                            \
	COUNT(op ".rate", "1/s", HIGHER_IS_BETTER, "done in a second: " what)  \
	COUNT(op ".count", "operations", NO_DIRECTION, "done in all: " what)   \
	HISTOGRAM(op ".latency", "ns", "time of one " what)

/* Whatever gives up is begun again, so retries of calls are not all. */
#define ATTEMPTS(op, what) HISTOGRAM(op ".attempts", "attempts", what)

/* Where a thread's time can go; the accounts are those of the model. */
#define ACCOUNTS(X, who)                                                       \
	X("guest", NO_DIRECTION, "inside the guest", who)                      \
	X("module", NO_DIRECTION, "in module calls that did their work", who)  \
	X("busy", LOWER_IS_BETTER, "wasted in calls that ended BUSY", who)     \
	X("kvm", NO_DIRECTION, "in KVM software", who)                         \
	X("mmu_lock", LOWER_IS_BETTER, "waiting for mmu_lock", who)            \
	X("kept_out", LOWER_IS_BETTER, "turned away from VP.ENTER", who)       \
	X("idle", NO_DIRECTION, "halted, asleep or at a barrier", who)

#define VCPU_TIME(account, direction, what, who) \
	COUNT("time." account, "%", direction, who " time " what)
#define HOST_TIME(account, direction, what, who) \
	COUNT("host_time." account, "%", direction, who " time " what)

/*
 * Operands that a BUSY of a call can name: for calls that run beside others
 * what a stress run can produce, for the rest the registers that hold the
 * pages they lock.  A BUSY that names another operand counts as ".other", so
 * that no split loses any.
 */
#define NAMES_RCX(c)	   BUSY(c, "rcx")
#define NAMES_RCX_RDX(c)   BUSY(c, "rcx") BUSY(c, "rdx")
#define NAMES_RCX_TDR(c)   BUSY(c, "rcx") BUSY(c, "tdr") BUSY(c, "op_state")
#define NAMES_RCX_KOT(c)   BUSY(c, "rcx") BUSY(c, "kot")
#define NAMES_ADD(c)	   BUSY(c, "rdx") BUSY(c, "rcx") BUSY(c, "r8")
#define NAMES_TREE(c)                                                          \
	BUSY(c, "rdx") BUSY(c, "sept_tree") BUSY(c, "rcx") BUSY(c, "op_state")
#define NAMES_TREE_PAGE(c) NAMES_TREE(c) BUSY(c, "r8")
#define NAMES_ENTER(c)                                                         \
	NAMES_RCX_TDR(c) BUSY(c, "td_epoch") BUSY(c, "sept_tree")
#define NAMES_TRACK(c)                                                         \
	BUSY(c, "rcx") BUSY(c, "td_epoch") BUSY(c, "op_state")                 \
	COUNT(c ".previous_epoch_busy", "calls", LOWER_IS_BETTER,              \
	      "of these ended TDX_PREVIOUS_TLB_EPOCH_BUSY")
#define NAMES_CACHE(c)	   BUSY(c, "wbcache") BUSY(c, "kot")

#define CALLS(C)                                                               \
	C(TDH_VP_ENTER, "tdh_vp_enter", NAMES_ENTER)                           \
	C(TDH_MNG_ADDCX, "tdh_mng_addcx", NAMES_RCX_RDX)                       \
	C(TDH_MEM_PAGE_ADD, "tdh_mem_page_add", NAMES_ADD)                     \
	C(TDH_MEM_SEPT_ADD, "tdh_mem_sept_add", NAMES_TREE_PAGE)               \
	C(TDH_VP_ADDCX, "tdh_vp_addcx", NAMES_RCX_RDX)                         \
	C(TDH_MEM_PAGE_RELOCATE, "tdh_mem_page_relocate", NAMES_TREE_PAGE)     \
	C(TDH_MEM_PAGE_AUG, "tdh_mem_page_aug", NAMES_TREE_PAGE)               \
	C(TDH_MEM_RANGE_BLOCK, "tdh_mem_range_block", NAMES_TREE)              \
	C(TDH_MNG_KEY_CONFIG, "tdh_mng_key_config", NAMES_RCX)                 \
	C(TDH_MNG_CREATE, "tdh_mng_create", NAMES_RCX_KOT)                     \
	C(TDH_VP_CREATE, "tdh_vp_create", NAMES_RCX_RDX)                       \
	C(TDH_MNG_RD, "tdh_mng_rd", NAMES_RCX)                                 \
	C(TDH_MEM_PAGE_DEMOTE, "tdh_mem_page_demote", NAMES_TREE_PAGE)         \
	C(TDH_MR_EXTEND, "tdh_mr_extend", NAMES_RCX_RDX)                       \
	C(TDH_MR_FINALIZE, "tdh_mr_finalize", NAMES_RCX)                       \
	C(TDH_VP_FLUSH, "tdh_vp_flush", NAMES_RCX_TDR)                         \
	C(TDH_MNG_VPFLUSHDONE, "tdh_mng_vpflushdone", NAMES_RCX_KOT)           \
	C(TDH_MNG_KEY_FREEID, "tdh_mng_key_freeid", NAMES_RCX_KOT)             \
	C(TDH_MNG_INIT, "tdh_mng_init", NAMES_RCX)                             \
	C(TDH_VP_INIT, "tdh_vp_init", NAMES_RCX_TDR)                           \
	C(TDH_MEM_PAGE_PROMOTE, "tdh_mem_page_promote", NAMES_TREE)            \
	C(TDH_PHYMEM_PAGE_RDMD, "tdh_phymem_page_rdmd", NAMES_RCX)             \
	C(TDH_MEM_SEPT_RD, "tdh_mem_sept_rd", NAMES_TREE)                      \
	C(TDH_VP_RD, "tdh_vp_rd", NAMES_RCX_TDR)                               \
	C(TDH_PHYMEM_PAGE_RECLAIM, "tdh_phymem_page_reclaim", NAMES_RCX_TDR)   \
	C(TDH_MEM_PAGE_REMOVE, "tdh_mem_page_remove", NAMES_TREE)              \
	C(TDH_MEM_SEPT_REMOVE, "tdh_mem_sept_remove", NAMES_TREE)              \
	C(TDH_MEM_TRACK, "tdh_mem_track", NAMES_TRACK)                         \
	C(TDH_MEM_RANGE_UNBLOCK, "tdh_mem_range_unblock", NAMES_TREE)          \
	C(TDH_PHYMEM_CACHE_WB, "tdh_phymem_cache_wb", NAMES_CACHE)             \
	C(TDH_PHYMEM_PAGE_WBINVD, "tdh_phymem_page_wbinvd", NAMES_RCX)         \
	C(TDH_VP_WR, "tdh_vp_wr", NAMES_RCX_TDR)                               \
	C(TDG_MEM_PAGE_ACCEPT, "tdg_mem_page_accept", NAMES_RCX)               \
	C(TDG_MEM_PAGE_ATTR_RD, "tdg_mem_page_attr_rd", NAMES_RCX)             \
	C(TDG_MEM_PAGE_ATTR_WR, "tdg_mem_page_attr_wr", NAMES_RCX)

/* Functions of the running kernel that --probe watches. */
#define FUNCTIONS(X)                                                           \
	X("kvm_mmu_page_fault", "one page fault of a vCPU, as KVM handles it") \
	X("kvm_mmu_faultin_pfn", "finding the memory behind a page")           \
	X("kvm_gmem_get_pfn", "a page of a guest_memfd")                       \
	X("kvm_tdp_mmu_map", "mapping a page, under mmu_lock")                 \
	X("tdp_mmu_set_spte_atomic", "one entry, beside other vCPUs")          \
	X("kvm_unmap_gfn_range", "a range taken away, under mmu_lock")         \
	X("kvm_tdp_mmu_unmap_gfn_range", "the TDP MMU's part of that")         \
	X("tdp_mmu_zap_leafs", "entries of a range that are emptied")          \
	X("kvm_flush_remote_tlbs", "TLBs of all vCPUs, flushed")               \
	X("kvm_make_all_cpus_request", "a request to all vCPUs; no kick")      \
	X("kvm_gmem_fallocate", "a hole, or pages, of a guest_memfd")          \
	X("kvm_set_memslot", "a memslot made, changed or deleted")             \
	X("kvm_arch_destroy_vm", "a VM torn down")                             \
	X("sept_map", "a private entry set, with all calls that takes")        \
	X("sept_removal", "a private entry removed, with all calls it takes")

#define FUNCTION_METRICS(f, what)                                              \
	COUNT(f ".calls", "calls", NO_DIRECTION, "seen by the probe: " what)   \
	HISTOGRAM(f ".latency", "ns", "seen by the probe: " what)

#define BUSY(c, operand)                                                       \
	COUNT(c ".busy." operand, "calls", LOWER_IS_BETTER,                    \
	      "of these BUSY on operand " operand)
#define CALL_METRICS(id, c, operands)                                          \
	COUNT(c ".calls", "calls", NO_DIRECTION, "calls, whatever the status") \
	COUNT(c ".busy", "calls", LOWER_IS_BETTER, "of these ended BUSY")      \
	operands(c)                                                            \
	BUSY(c, "other")                                                       \
	HISTOGRAM(c ".latency", "ns", "time of one call, whatever the status") \
	HISTOGRAM(c ".retries", "tries",                                       \
		  "calls in a row that a policy made, until done or given up")

static const struct metric metrics[] = {
	OPERATIONS(OPERATION_METRICS)
	ATTEMPTS("fault", "attempts to map a page, until mapped")
	ATTEMPTS("removal", "times that the removal of a page was begun")
	ATTEMPTS("track", "times that it was begun, until the page was tracked")
	ATTEMPTS("build", "times that a page was begun, until added")
	HISTOGRAM("map.latency", "ns",
		  "time of one attempt to map: the part under mmu_lock")
	HISTOGRAM("kick.latency", "ns",
		  "time of one round of kicks, until all vCPUs are out")
	COUNT("kicks.rounds", "rounds", LOWER_IS_BETTER, "rounds of kicks")
	COUNT("kicks.flushes", "rounds", LOWER_IS_BETTER,
	      "rounds of TLB flushes, at the end of a range or of a part of it")
	COUNT("kicks.ipis", "IPIs", LOWER_IS_BETTER,
	      "IPIs sent by kicks and TLB flushes")
	COUNT("kicks.taken", "exits", LOWER_IS_BETTER,
	      "times that an IPI took a vCPU out of the guest")
	COUNT("kicks.second_tries", "calls", LOWER_IS_BETTER,
	      "seen by the probe: right after the same call had ended BUSY")
	COUNT("calls.total", "calls", NO_DIRECTION, "calls of the module")
	COUNT("calls.busy", "calls", LOWER_IS_BETTER, "of these ended BUSY")
	COUNT("calls.busy_per_1000", "per 1000 calls", LOWER_IS_BETTER,
	      "share of the calls that ended BUSY")
	ACCOUNTS(VCPU_TIME, "vCPU")
	ACCOUNTS(HOST_TIME, "host thread")
	COUNT("fairness.jain", "ratio", HIGHER_IS_BETTER,
	      "Jain's index over vCPUs of operations per time in them; 1: alike")
	COUNT("zero_step.vcpus", "vCPUs", NO_DIRECTION,
	      "vCPUs that the zero-step filter refused at some time")
	COUNT("zero_step.refused", "calls", LOWER_IS_BETTER,
	      "VP.ENTERs refused by the zero-step filter")
	COUNT("ioctl.busy", "ioctls", LOWER_IS_BETTER,
	      "vCPU ioctls that returned -EBUSY")
	COUNT("check.touches", "touches", NO_DIRECTION,
	      "touches after which the page was looked at")
	COUNT("check.fresh", "touches", NO_DIRECTION,
	      "of these found it zero but for what they wrote")
	COUNT("check.pages", "pages", NO_DIRECTION,
	      "pages of which each word was read at the end")
	COUNT("check.zero", "pages", NO_DIRECTION,
	      "of these had been removed and were zero again")
	COUNT("kvm.pf_taken", "faults", NO_DIRECTION,
	      "page faults of vCPUs that KVM took, while measured")
	COUNT("kvm.pf_fixed", "faults", NO_DIRECTION,
	      "of these mapped a page")
	COUNT("kvm.pf_spurious", "faults", LOWER_IS_BETTER,
	      "of these found it mapped")
	COUNT("kvm.pf_emulate", "faults", LOWER_IS_BETTER,
	      "of these had their instruction emulated")
	COUNT("kvm.pf_retried", "faults", LOWER_IS_BETTER,
	      "the others: begun again, or an error")
	COUNT("kvm.exits", "exits", LOWER_IS_BETTER,
	      "exits of vCPUs, while measured")
	COUNT("kvm.remote_tlb_flush", "flushes", LOWER_IS_BETTER,
	      "TLB flushes of all vCPUs, while measured")
	COUNT("kvm.remote_tlb_flush_requests", "requests", LOWER_IS_BETTER,
	      "requests for such flushes, one for each part of a range")
	COUNT("kvm.pages_4k", "pages", NO_DIRECTION,
	      "4K pages that KVM has mapped, at the end")
	COUNT("kvm.pages_2m", "pages", NO_DIRECTION,
	      "2M pages that KVM has mapped, at the end")
	COUNT("run.virtual_time", "ns", NO_DIRECTION,
	      "virtual time of the whole run")
	COUNT("run.time", "ns", NO_DIRECTION,
	      "real time of the whole run")
	COUNT("run.clock_read", "ns", NO_DIRECTION,
	      "what reading the clock costs; the next cost is shorter by it")
	COUNT("run.unpinned", "strands", NO_DIRECTION,
	      "strands that are not bound to a CPU of their own")
	COUNT("run.measured", "ns", NO_DIRECTION,
	      "time that strands measured, all together")
	COUNT("run.preempted", "switches", LOWER_IS_BETTER,
	      "times that the kernel took a strand off its CPU in that time")
	COUNT("run.delayed", "ns", LOWER_IS_BETTER,
	      "time that strands were ready and had no CPU, from the barrier "
	      "before they measured")
	COUNT("run.steal", "ns", LOWER_IS_BETTER,
	      "time that the hypervisor took from a CPU of the run, mean of CPUs")
	COUNT("run.events", "events", NO_DIRECTION,
	      "steps that the virtual machine made")
	COUNT("faults.exits", "exits", NO_DIRECTION,
	      "seen by the probe: exits of vCPUs for a page fault")
	COUNT("faults.local_retries", "faults", LOWER_IS_BETTER,
	      "seen by the probe: handled again without entering the guest")
	COUNT("probe.missed", "events", LOWER_IS_BETTER,
	      "entries and exits of functions that the kernel did not show")
	COUNT("probe.rate_without", "1/s", HIGHER_IS_BETTER,
	      "the workload's rate with the probe taken off, in this repeat")
	COUNT("probe.overhead", "%", LOWER_IS_BETTER,
	      "how much higher that is than the rate with it")
	FUNCTIONS(FUNCTION_METRICS)
	CALLS(CALL_METRICS)
};

/* clang-format on */

size_t metric_count(void)
{
	return sizeof(metrics) / sizeof(metrics[0]);
}

const struct metric *metric_at(size_t index)
{
	return &metrics[index];
}

int metric_find(const char *name)
{
	for (size_t i = 0; i < metric_count(); i++)
		if (strcmp(metrics[i].name, name) == 0)
			return (int)i;
	return -1;
}

const char *direction_name(enum direction direction)
{
	static const char *const name[] = {
		[HIGHER_IS_BETTER] = "higher",
		[LOWER_IS_BETTER] = "lower",
		[NO_DIRECTION] = "none",
	};

	return name[direction];
}

const char *metric_call_prefix(enum tdx_call call)
{
#define PREFIX(id, c, operands) [id] = c,
	static const char *const prefix[NR_TDX_CALLS] = {CALLS(PREFIX)};

	return prefix[call];
}
