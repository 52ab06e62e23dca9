/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of a TD, in both orders, by one thread or by several: the private
 * pages are divided among them, worker 0 does the rest.
 */
#include <errno.h>

#include "model/host/internal.h"

enum { CACHE_WB_TRIES = 10000 }; /* the kernel's TDX_SEAMCALL_RETRIES */

/* -------------------------------------------------- workers in step */

static void set_phase(struct kvm_thread *t, struct kvm_vm *vm, u32 phase)
{
	line_store32(t->strand, &vm->teardown_line, &vm->phase, phase);
}

/** Wait until worker 0 has come so far.  0, or -EIO: it failed. */
static int wait_phase(struct kvm_thread *t, struct kvm_vm *vm, u32 phase)
{
	enum where before = account(t, WHERE_IDLE);
	u32 seen;

	while ((seen = line_load32(t->strand, &vm->teardown_line, &vm->phase)) <
	       phase)
		line_wait(t->strand, &vm->teardown_line, &vm->phase, seen,
			  false);
	account(t, before);
	return seen == PHASE_FAILED ? -EIO : 0;
}

static void pages_done(struct kvm_thread *t, struct kvm_vm *vm)
{
	line_xadd32(t->strand, &vm->teardown_line, &vm->pages_done, 1);
}

static void wait_pages(struct kvm_thread *t, struct kvm_vm *vm, u32 share)
{
	enum where before = account(t, WHERE_IDLE);
	u32 seen;

	while ((seen = line_load32(t->strand, &vm->teardown_line,
				   &vm->pages_done)) < share)
		line_wait(t->strand, &vm->teardown_line, &vm->pages_done, seen,
			  false);
	account(t, before);
}

/** This worker's part of the memory, cut at 2M so that none shares tables. */
static u64 part_begin(const struct kvm_vm *vm, u32 index, u32 share)
{
	u64 chunks = (vm->config.pages + 511) / 512;
	u64 page = chunks * index / share * 512;

	return page < vm->config.pages ? page : vm->config.pages;
}

/* -------------------------------------------------------- HKID release */

static int failed(struct kvm_thread *t, struct kvm_vm *vm, enum tdx_call call,
		  tdx_status status)
{
	return status ? vm_bug(t, vm, tdx_call_name(call), status) : 0;
}

static int flush_vcpus(struct kvm_thread *t, struct kvm_vm *vm)
{
	int ret = 0;

	for (u32 i = 0; i < vm->config.vcpus && !ret; i++) {
		if (vm->vcpu[i].associated)
			ret = failed(t, vm, TDH_VP_FLUSH,
				     vcpu_flush(t, &vm->vcpu[i]));
		progress(t->strand);
	}
	return ret;
}

static tdx_status write_back_package(struct kvm_thread *t, u32 package)
{
	struct lp lp = host_lp(t, t->lp.id, package);
	tdx_status status = TDX_SUCCESS;

	for (u32 i = 0; i < CACHE_WB_TRIES; i++) {
		status = seamcall(t, TDH_PHYMEM_CACHE_WB,
				  tdh_phymem_cache_wb(&lp, i > 0));
		if ((status & TDX_STATUS_MASK) != TDX_INTERRUPTED_RESUMABLE)
			break;
		if (interrupted(t->strand))
			interrupt_done(t->strand);
		progress(t->strand);
	}
	if ((status & TDX_STATUS_MASK) == TDX_NO_HKID_READY_TO_WBCACHE)
		return TDX_SUCCESS;
	return status;
}

static int release_locked(struct kvm_thread *t, struct kvm_vm *vm)
{
	hpa_t tdr = vm_tdr(vm);
	int ret = failed(t, vm, TDH_MNG_VPFLUSHDONE,
			 seamcall(t, TDH_MNG_VPFLUSHDONE,
				  tdh_mng_vpflushdone(&t->lp, tdr)));

	for (u32 i = 0; i < vm->host->packages && !ret; i++)
		ret = failed(t, vm, TDH_PHYMEM_CACHE_WB,
			     write_back_package(t, i));
	if (!ret)
		ret = failed(t, vm, TDH_MNG_KEY_FREEID,
			     seamcall(t, TDH_MNG_KEY_FREEID,
				      tdh_mng_key_freeid(&t->lp, tdr)));
	if (!ret)
		host_put_hkid(vm->host, vm->hkid);
	return ret;
}

static int release_hkid(struct kvm_thread *t, struct kvm_vm *vm)
{
	int ret = flush_vcpus(t, vm);

	if (ret)
		return ret;
	qspin_lock(t, &vm->host->tdx_lock);
	ret = release_locked(t, vm);
	qspin_unlock(t, &vm->host->tdx_lock);
	return ret;
}

/* ------------------------------------------------------------- RECLAIM */

static int reclaim(struct kvm_thread *t, struct kvm_vm *vm, hpa_t page,
		   u64 pages)
{
	u64 begin = now(t->strand);
	struct tdx_out out;
	tdx_status status;

	spend(t->strand, vm->host->costs.reclaim_page_ps);
	status = seamcall(t, TDH_PHYMEM_PAGE_RECLAIM,
			  tdh_phymem_page_reclaim(&t->lp, page, &out));
	if (status)
		return failed(t, vm, TDH_PHYMEM_PAGE_RECLAIM, status);
	clear_pages(t, vm, pages);
	observe_op(t, KVM_OP_RECLAIM, begin, 1);
	progress(t->strand);
	return 0;
}

static int reclaim_page(struct kvm_thread *t, struct kvm_vm *vm, hpa_t page)
{
	return reclaim(t, vm, page, 1);
}

static int reclaim_range(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
			 gpa_t end)
{
	struct spte_ref ref;
	int ret = 0;

	while (!ret && mirror_next_leaf(vm, gpa, end, &ref)) {
		ret = reclaim(t, vm, spte_hpa(*ref.spte),
			      LEVEL_PAGES(ref.level));
		if (!ret)
			*ref.spte = SPTE_NONE;
		gpa = GPA(ref.gpa.v + LEVEL_BYTES(ref.level));
	}
	return ret;
}

/** Pages [from, to) of the control region. */
static int reclaim_control(struct kvm_thread *t, struct kvm_vm *vm, u64 from,
			   u64 to)
{
	int ret = 0;

	for (u64 i = from; i < to && !ret; i++)
		ret = reclaim_page(t, vm, HPA(vm->control.v + (i << 12)));
	return ret;
}

/** The TDR goes last; it is under the module's own key. */
static int reclaim_tdr(struct kvm_thread *t, struct kvm_vm *vm)
{
	struct kvm_host *host = vm->host;
	hpa_t page = tdx_hpa_with_hkid(host->module, vm_tdr(vm),
				       host->first_hkid - 1);
	int ret = reclaim_control(t, vm, 0, 1);

	if (!ret)
		ret = failed(t, vm, TDH_PHYMEM_PAGE_WBINVD,
			     seamcall(t, TDH_PHYMEM_PAGE_WBINVD,
				      tdh_phymem_page_wbinvd(&t->lp, page)));
	return ret;
}

/** vCPUs, S-EPT, TDCS, TDR: the order of the kernel. */
static int reclaim_rest(struct kvm_thread *t, struct kvm_vm *vm)
{
	u64 tdcs_end = 1 + TDX_TDCS_PAGES;
	int ret = reclaim_control(t, vm, tdcs_end, vm->control_used);

	if (!ret)
		ret = mirror_each_table(t, vm, reclaim_page);
	if (!ret)
		ret = reclaim_control(t, vm, 1, tdcs_end);
	if (!ret)
		ret = reclaim_tdr(t, vm);
	vm->reclaimed = !ret;
	return ret;
}

/* -------------------------------------------------------- the two orders */

static int remove_part(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		       gpa_t end)
{
	if (gpa.v >= end.v)
		return 0;
	return zap_release(t, vm, gpa, (end.v - gpa.v) >> 12);
}

/** This worker's pages. */
static int do_part(struct kvm_thread *t, struct kvm_vm *vm,
		   enum teardown_order order, u32 index, u32 share)
{
	gpa_t gpa = GPA(part_begin(vm, index, share) << 12);
	gpa_t end = GPA(part_begin(vm, index + 1, share) << 12);
	int ret;

	if (order == TEARDOWN_RUNNABLE)
		ret = remove_part(t, vm, gpa, end);
	else
		ret = reclaim_range(t, vm, gpa, end);
	pages_done(t, vm);
	return ret;
}

static int lead(struct kvm_thread *t, struct kvm_vm *vm,
		enum teardown_order order, u32 share)
{
	int ret = vm_seen_dead(t, vm) ? -EIO : 0;

	if (ret || order == TEARDOWN_EARLY) {
		if (!ret)
			ret = release_hkid(t, vm);
		set_phase(t, vm, ret ? PHASE_FAILED : PHASE_RELEASED);
		if (ret)
			return ret;
	}
	ret = do_part(t, vm, order, 0, share);
	wait_pages(t, vm, share);
	if (vm_seen_dead(t, vm))
		return -EIO;
	if (order == TEARDOWN_RUNNABLE)
		ret = release_hkid(t, vm);
	return ret ? ret : reclaim_rest(t, vm);
}

static int follow(struct kvm_thread *t, struct kvm_vm *vm,
		  enum teardown_order order, u32 index, u32 share)
{
	if (order == TEARDOWN_EARLY && wait_phase(t, vm, PHASE_RELEASED))
		return -EIO;
	/* Of a dead VM too: worker 0 may be waiting for all. */
	return do_part(t, vm, order, index, share);
}

int kvm_teardown(struct kvm_thread *t, struct kvm_vm *vm,
		 enum teardown_order order, u32 index, u32 share)
{
	enum where before;
	u64 begin = now(t->strand);
	int ret;

	if (index >= share)
		return -EINVAL;
	before = account(t, WHERE_KVM);
	if (index)
		ret = follow(t, vm, order, index, share);
	else
		ret = lead(t, vm, order, share);
	account(t, before);
	if (!index && !ret)
		observe_op(t, KVM_OP_TEARDOWN, begin, 1);
	return ret;
}
