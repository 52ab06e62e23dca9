/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filling a TD before it runs: PAGE.ADD and MR.EXTEND of its initial image,
 * MR.FINALIZE, and the vCPU ioctls that a userspace breaking the rules lets
 * race with them.
 */
#include <errno.h>

#include "model/host/internal.h"

/* MR.EXTEND measures 256 bytes at a time. */
enum { EXTEND_BYTES = 256, EXTENDS = 4096 / EXTEND_BYTES };

static u64 spte_owed(u64 spte)
{
	return (spte & SPTE_EXTEND) >> SPTE_EXTEND_SHIFT;
}

/** What userspace gets for a status: BUSY is its own fault. */
static int errno_of(struct kvm_thread *t, struct kvm_vm *vm, enum tdx_call call,
		    tdx_status status)
{
	if (!status)
		return 0;
	if (tdx_operand_busy(status))
		return -EBUSY;
	return vm_bug(t, vm, tdx_call_name(call), status);
}

/**
 * Measure what is owed of a page that has been added.  How far it came is
 * kept in the entry, so that a range whose build failed can be built again.
 */
static int extend(struct kvm_thread *t, struct kvm_vm *vm,
		  const struct spte_ref *ref)
{
	u64 spte = *ref->spte, owed = spte_owed(spte);
	struct tdx_out out;
	int ret = 0;

	while (owed && !ret) {
		gpa_t chunk = GPA(ref->gpa.v + (EXTENDS - owed) * EXTEND_BYTES);

		ret = errno_of(t, vm, TDH_MR_EXTEND,
			       seamcall(t, TDH_MR_EXTEND,
					tdh_mr_extend(&t->lp, vm_tdr(vm), chunk,
						      &out)));
		if (!ret)
			owed--;
	}
	*ref->spte = (spte & ~SPTE_EXTEND) | owed << SPTE_EXTEND_SHIFT;
	return ret;
}

static int add(struct kvm_thread *t, struct kvm_vm *vm,
	       const struct spte_ref *ref, bool measure)
{
	hpa_t page = HPA(vm->data.v + ref->gpa.v);
	/* The last control page stands for userspace's buffer. */
	hpa_t source = HPA(vm->control.v + (vm->control_used << 12));
	struct tdx_out out;
	u64 spte = page.v | SPTE_LEAF | SPTE_PRESENT;
	int ret;

	if (line_cmpxchg64(t->strand, ref->line, ref->spte, SPTE_NONE,
			   FROZEN_SPTE) != SPTE_NONE)
		return -EBUSY;
	flush_pages(t, vm, 1);
	ret = errno_of(t, vm, TDH_MEM_PAGE_ADD,
		       seamcall(t, TDH_MEM_PAGE_ADD,
				tdh_mem_page_add(&t->lp, vm_tdr(vm), ref->gpa,
						 page, source, &out)));
	if (measure)
		spte |= (u64)EXTENDS << SPTE_EXTEND_SHIFT;
	line_store64(t->strand, ref->line, ref->spte, ret ? SPTE_NONE : spte);
	return ret;
}

static int build_locked(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
			bool measure)
{
	struct spte_ref ref;

	switch (fault_tables(t, vm, gpa, &ref)) {
	case PF_FIXED:
		return add(t, vm, &ref, measure);
	case PF_SPURIOUS:
		return 0;
	case PF_ERROR:
		return -EIO;
	default:
		return -EBUSY;
	}
}

/** Start timing, unless userspace comes back to a page that was busy. */
static void unbuilt_begin(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa)
{
	if (vm->unbuilt.v != gpa.v + 1) {
		vm->unbuilt.v = gpa.v + 1;
		vm->unbuilt_begin_ps = now(t->strand);
		vm->unbuilt_tries = 0;
	}
	vm->unbuilt_tries++;
}

static int build_page(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		      bool measure)
{
	struct spte_ref ref;
	int ret;

	if (mirror_next_leaf(vm, gpa, GPA(gpa.v + 4096), &ref) &&
	    !spte_owed(*ref.spte))
		return 0;
	unbuilt_begin(t, vm, gpa);
	qrw_read_lock(t, &vm->mmu_lock);
	ret = build_locked(t, vm, gpa, measure);
	qrw_read_unlock(t, &vm->mmu_lock);
	if (!ret && mirror_next_leaf(vm, gpa, GPA(gpa.v + 4096), &ref))
		ret = extend(t, vm, &ref);
	if (ret)
		return ret;
	vm->unbuilt.v = 0;
	observe_op(t, KVM_OP_BUILD, vm->unbuilt_begin_ps, vm->unbuilt_tries);
	progress(t->strand);
	return 0;
}

int kvm_init_mem_region(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
			u64 pages, bool measure)
{
	enum where before;
	int ret = vm_check_range(t, vm, gpa, pages);

	if (ret)
		return ret;
	if (vm_runnable(vm) || !vm_range_is(vm, gpa, pages, true))
		return -EINVAL;
	before = account(t, WHERE_KVM);
	spend(t->strand, vm->host->costs.vcpu_ioctl_ps);
	qspin_lock(t, &vm->slots_lock);
	for (u64 i = 0; i < pages && !ret; i++)
		ret = build_page(t, vm, GPA(gpa.v + (i << 12)), measure);
	qspin_unlock(t, &vm->slots_lock);
	account(t, before);
	return ret;
}

int kvm_finalize(struct kvm_thread *t, struct kvm_vm *vm)
{
	enum where before;
	int ret;

	if (vm_seen_dead(t, vm))
		return -EIO;
	if (vm_runnable(vm))
		return -EINVAL;
	before = account(t, WHERE_KVM);
	spend(t->strand, vm->host->costs.vcpu_ioctl_ps);
	ret = errno_of(t, vm, TDH_MR_FINALIZE,
		       seamcall(t, TDH_MR_FINALIZE,
				tdh_mr_finalize(&t->lp, vm_tdr(vm))));
	if (!ret)
		__atomic_store_n(&vm->runnable, 1, __ATOMIC_RELEASE);
	account(t, before);
	return ret;
}

static int read_vcpu(struct kvm_thread *t, struct kvm_vcpu *vcpu)
{
	int ret = vcpu_load(t, vcpu);
	u64 value;

	if (ret)
		return ret;
	return errno_of(t, vcpu->vm, TDH_VP_RD,
			seamcall(t, TDH_VP_RD,
				 tdh_vp_rd(&t->lp, vcpu->tdvpr, 0, &value)));
}

int kvm_vcpu_ioctl(struct kvm_thread *t, struct kvm_vm *vm, u32 vcpu)
{
	enum where before;
	u64 begin = now(t->strand);
	int ret;

	if (vm_seen_dead(t, vm))
		return -EIO;
	if (vcpu >= vm->config.vcpus)
		return -EINVAL;
	before = account(t, WHERE_KVM);
	spend(t->strand, vm->host->costs.vcpu_ioctl_ps);
	/* Its own mutex and nothing more: this is what races the build. */
	qspin_lock(t, &vm->vcpu[vcpu].mutex);
	ret = read_vcpu(t, &vm->vcpu[vcpu]);
	qspin_unlock(t, &vm->vcpu[vcpu].mutex);
	account(t, before);
	observe_op(t, KVM_OP_IOCTL, begin, 1);
	return ret;
}
