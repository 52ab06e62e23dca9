/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Taking private memory away: punched holes, attribute changes, and the
 * removal of a leaf by BLOCK, TRACK, kick, REMOVE and WBINVD, all with
 * mmu_lock held for writing.
 */
#include <errno.h>

#include "model/host/internal.h"

/** One leaf that is being taken away. */
struct removal {
	struct kvm_thread *t;
	struct kvm_vm *vm;
	struct spte_ref ref;
	u64 spte;
	u32 attempts; /* for this page */
	bool held;    /* vCPUs are kept out until the page is done */
};

static int removal_call(struct removal *r, enum tdx_call call)
{
	struct sept_call c = {
		.call = call, .level = r->ref.level, .gpa = r->ref.gpa};

	return retry_removal(r->t, r->vm, &c, &r->held);
}

static void let_in(struct removal *r)
{
	if (r->held)
		hold_end(r->t, r->vm);
	r->held = false;
}

/** BLOCK, TRACK and the kick that lets the next TRACK succeed. */
static int block_and_track(struct removal *r)
{
	u64 begin = now(r->t->strand);
	int ret = 0;

	if (!(r->spte & SPTE_BLOCKED))
		ret = removal_call(r, TDH_MEM_RANGE_BLOCK);
	if (ret)
		return ret;
	r->spte |= SPTE_BLOCKED;
	if (!vm_runnable(r->vm))
		return 0;
	ret = removal_call(r, TDH_MEM_TRACK);
	if (ret)
		return ret;
	kick_all(r->t, r->vm);
	observe_op(r->t, KVM_OP_TRACK, begin, r->attempts);
	return 0;
}

static int write_back(struct removal *r)
{
	struct kvm_thread *t = r->t;
	hpa_t page = tdx_hpa_with_hkid(r->vm->host->module, spte_hpa(r->spte),
				       r->vm->hkid);
	u64 pages = LEVEL_PAGES(r->ref.level);

	for (u64 i = 0; i < pages; i++, page.v += 4096) {
		tdx_status status =
			seamcall(t, TDH_PHYMEM_PAGE_WBINVD,
				 tdh_phymem_page_wbinvd(&t->lp, page));

		if (status)
			return vm_bug(t, r->vm,
				      tdx_call_name(TDH_PHYMEM_PAGE_WBINVD),
				      status);
	}
	clear_pages(t, r->vm, pages);
	return 0;
}

static void removal_begin(struct removal *r)
{
	r->spte = *r->ref.spte;
	r->attempts++;
	spend(r->t->strand, r->vm->host->costs.remove_page_ps);
	if (r->vm->config.policy.removal->hold_first) {
		hold_begin(r->t, r->vm);
		r->held = true;
	}
}

/** 0 removed; -EAGAIN begin again; -EIO. */
static int remove_leaf(struct removal *r)
{
	struct kvm_thread *t = r->t;
	u64 begin = now(t->strand);
	int ret;

	removal_begin(r);
	ret = block_and_track(r);
	if (!ret)
		ret = removal_call(r, TDH_MEM_PAGE_REMOVE);
	let_in(r);
	if (!ret)
		ret = write_back(r);
	line_store64(t->strand, r->ref.line, r->ref.spte,
		     ret ? r->spte : SPTE_NONE);
	if (ret)
		return ret;
	observe_op(t, KVM_OP_REMOVAL, begin, r->attempts);
	progress(t->strand);
	return 0;
}

/** BLOCK, TRACK, kick, UNBLOCK: the page stays. */
static int track_leaf(struct removal *r)
{
	int ret;

	removal_begin(r);
	ret = block_and_track(r);
	if (!ret)
		ret = removal_call(r, TDH_MEM_RANGE_UNBLOCK);
	let_in(r);
	if (!ret)
		r->spte &= ~SPTE_BLOCKED;
	line_store64(r->t->strand, r->ref.line, r->ref.spte, r->spte);
	if (!ret)
		progress(r->t->strand);
	return ret;
}

/**
 * Let others have mmu_lock; before that the TLBs are flushed, because what
 * was zapped so far must not be seen any more.
 */
static void yield(struct kvm_thread *t, struct kvm_vm *vm, bool *flush)
{
	if (*flush)
		flush_remote_tlbs(t, vm);
	*flush = false;
	qrw_write_unlock(t, &vm->mmu_lock);
	qrw_write_lock(t, &vm->mmu_lock);
}

/** Do something to each leaf of a range, giving way between them. */
static int each_leaf(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		     u64 pages, int (*fn)(struct removal *r), bool flush_after)
{
	struct removal r = {.t = t, .vm = vm};
	gpa_t end = GPA(gpa.v + (pages << 12));
	bool flush = false, yielded = true;
	int ret;

	while (mirror_next_leaf(vm, gpa, end, &r.ref)) {
		gpa = r.ref.gpa;
		/* At least one step from yield to yield. */
		if (!yielded && qrw_contended(t, &vm->mmu_lock)) {
			yield(t, vm, &flush);
			yielded = true;
			continue;
		}
		ret = vm_dead(vm) ? -EIO : fn(&r);
		if (ret && ret != -EAGAIN)
			return ret;
		yielded = ret;
		if (yielded) {
			yield(t, vm, &flush);
			continue;
		}
		gpa.v += LEVEL_BYTES(r.ref.level);
		r.attempts = 0;
		flush = flush_after;
	}
	if (flush)
		flush_remote_tlbs(t, vm);
	return 0;
}

int zap_range(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa, u64 pages)
{
	return each_leaf(t, vm, gpa, pages, remove_leaf, true);
}

/**
 * A 2M leaf can only be taken away as a whole: today's kernel maps 4K, and
 * what it will do to a part of a larger one is not settled.
 */
static bool splits_leaf(struct kvm_vm *vm, gpa_t gpa, u64 pages)
{
	gpa_t end = GPA(gpa.v + (pages << 12));
	struct spte_ref ref;

	if (vm->config.max_level == LEVEL_4K)
		return false;
	if (mirror_next_leaf(vm, gpa, GPA(gpa.v + 4096), &ref) &&
	    ref.gpa.v < gpa.v)
		return true;
	return mirror_next_leaf(vm, GPA(end.v - 4096), end, &ref) &&
	       ref.gpa.v + LEVEL_BYTES(ref.level) > end.v;
}

/** Zap a range between begin and end of an invalidation. */
static int invalidate(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		      u64 pages, bool zap)
{
	int ret = 0;

	qrw_write_lock(t, &vm->mmu_lock);
	invalidate_begin(t, vm, gpa, pages);
	if (zap)
		ret = splits_leaf(vm, gpa, pages)
			      ? -EINVAL
			      : zap_range(t, vm, gpa, pages);
	qrw_write_unlock(t, &vm->mmu_lock);
	return ret;
}

static void invalidated(struct kvm_thread *t, struct kvm_vm *vm)
{
	qrw_write_lock(t, &vm->mmu_lock);
	invalidate_end(t, vm);
	qrw_write_unlock(t, &vm->mmu_lock);
}

int kvm_punch_hole(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		   u64 pages)
{
	enum where before;
	int ret = vm_check_range(vm, gpa, pages);

	if (ret)
		return ret;
	before = account(t, WHERE_KVM);
	spend(t->strand, vm->host->costs.vcpu_ioctl_ps);
	qspin_lock(t, &vm->invalidate_lock);
	ret = invalidate(t, vm, gpa, pages, true);
	invalidated(t, vm);
	qspin_unlock(t, &vm->invalidate_lock);
	account(t, before);
	return ret;
}

int kvm_set_private(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		    u64 pages, bool to_private)
{
	enum where before;
	int ret = vm_check_range(vm, gpa, pages);

	if (ret)
		return ret;
	before = account(t, WHERE_KVM);
	spend(t->strand, vm->host->costs.vcpu_ioctl_ps);
	qspin_lock(t, &vm->slots_lock);
	if (!vm_range_is(vm, gpa, pages, to_private)) {
		/* To private removes shared mappings: not the module's. */
		ret = invalidate(t, vm, gpa, pages, !to_private);
		if (!ret)
			vm_set_attribute(vm, gpa, pages, to_private);
		invalidated(t, vm);
	}
	qspin_unlock(t, &vm->slots_lock);
	account(t, before);
	return ret;
}

int kvm_track_range(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		    u64 pages)
{
	enum where before;
	int ret = vm_check_range(vm, gpa, pages);

	if (ret)
		return ret;
	before = account(t, WHERE_KVM);
	qrw_write_lock(t, &vm->mmu_lock);
	ret = each_leaf(t, vm, gpa, pages, track_leaf, false);
	qrw_write_unlock(t, &vm->mmu_lock);
	account(t, before);
	return ret;
}
