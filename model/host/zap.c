/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Taking private memory away: punched holes and attribute changes, page by
 * page with mmu_lock held for writing.
 */
#include <errno.h>

#include "model/host/internal.h"

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
	gpa_t end = GPA(gpa.v + (pages << 12)), last = end;
	bool flush = false, yielded = true;
	int ret;

	while (mirror_next_leaf(vm, gpa, end, &r.ref)) {
		gpa = r.ref.gpa;
		/* While mmu_lock was away the page may have gone. */
		if (gpa.v != last.v)
			r.attempts = 0;
		last = gpa;
		/* At least one step from yield to yield. */
		if (!yielded && qrw_contended(t, &vm->mmu_lock)) {
			yield(t, vm, &flush);
			yielded = true;
			continue;
		}
		ret = vm_seen_dead(t, vm) ? -EIO : fn(&r);
		if (ret && ret != -EAGAIN)
			return ret;
		yielded = ret;
		if (yielded) {
			yield(t, vm, &flush);
			continue;
		}
		gpa.v += LEVEL_BYTES(r.ref.level);
		flush = flush_after;
	}
	if (flush)
		flush_remote_tlbs(t, vm);
	return 0;
}

static int zap_range(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		     u64 pages)
{
	return each_leaf(t, vm, gpa, pages, leaf_remove, true);
}

/** Split a 2M page that lies across a boundary of a range. */
static int split_at(struct kvm_thread *t, struct kvm_vm *vm, gpa_t boundary)
{
	if (vm->config.max_level == LEVEL_4K ||
	    !(boundary.v & (LEVEL_BYTES(LEVEL_2M) - 1)))
		return 0;
	return each_leaf(t, vm, boundary, 1, leaf_split, false);
}

static int split_and_zap(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
			 u64 pages)
{
	int ret = split_at(t, vm, gpa);

	if (!ret)
		ret = split_at(t, vm, GPA(gpa.v + (pages << 12)));
	return ret ? ret : zap_range(t, vm, gpa, pages);
}

/** Zap a range between begin and end of an invalidation. */
static int invalidate(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		      u64 pages, bool zap)
{
	int ret = 0;

	qrw_write_lock(t, &vm->mmu_lock);
	invalidate_begin(t, vm, gpa, pages);
	if (zap)
		ret = split_and_zap(t, vm, gpa, pages);
	qrw_write_unlock(t, &vm->mmu_lock);
	return ret;
}

static void invalidated(struct kvm_thread *t, struct kvm_vm *vm)
{
	qrw_write_lock(t, &vm->mmu_lock);
	invalidate_end(t, vm);
	qrw_write_unlock(t, &vm->mmu_lock);
}

/* What an ioctl takes away, under the lock that keeps others from it. */
static int take_away(struct kvm_thread *t, struct kvm_vm *vm,
		     struct qspinlock *lock, gpa_t gpa, u64 pages)
{
	enum where before;
	int ret = vm_check_range(t, vm, gpa, pages);

	if (ret)
		return ret;
	before = account(t, WHERE_KVM);
	spend(t->strand, vm->host->costs.vcpu_ioctl_ps);
	qspin_lock(t, lock);
	ret = invalidate(t, vm, gpa, pages, true);
	invalidated(t, vm);
	qspin_unlock(t, lock);
	account(t, before);
	return ret;
}

int kvm_punch_hole(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		   u64 pages)
{
	return take_away(t, vm, &vm->invalidate_lock, gpa, pages);
}

int kvm_delete_slot(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		    u64 pages)
{
	return take_away(t, vm, &vm->slots_lock, gpa, pages);
}

int zap_release(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa, u64 pages)
{
	int ret;

	qspin_lock(t, &vm->slots_lock);
	qspin_lock(t, &vm->invalidate_lock);
	ret = invalidate(t, vm, gpa, pages, true);
	invalidated(t, vm);
	qspin_unlock(t, &vm->invalidate_lock);
	qspin_unlock(t, &vm->slots_lock);
	return ret;
}

static int set_attribute(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
			 u64 pages, bool to_private)
{
	int ret = vm_reserve_attribute(vm, gpa, pages);

	if (ret)
		return ret;
	/* To private removes shared mappings: not the module's. */
	ret = invalidate(t, vm, gpa, pages, !to_private);
	if (!ret) {
		/* One for all bits: who reads them reads few. */
		plain_access(t->strand, vm->shared, sizeof(*vm->shared), true);
		vm_set_attribute(vm, gpa, pages, to_private);
	}
	invalidated(t, vm);
	return ret;
}

int kvm_set_private(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		    u64 pages, bool to_private)
{
	enum where before;
	int ret = vm_check_range(t, vm, gpa, pages);

	if (ret)
		return ret;
	before = account(t, WHERE_KVM);
	spend(t->strand, vm->host->costs.vcpu_ioctl_ps);
	qspin_lock(t, &vm->slots_lock);
	if (!vm_range_is(vm, gpa, pages, to_private))
		ret = set_attribute(t, vm, gpa, pages, to_private);
	qspin_unlock(t, &vm->slots_lock);
	account(t, before);
	return ret;
}

int kvm_track_range(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		    u64 pages)
{
	enum where before;
	int ret = vm_check_range(t, vm, gpa, pages);

	if (ret)
		return ret;
	before = account(t, WHERE_KVM);
	qrw_write_lock(t, &vm->mmu_lock);
	ret = each_leaf(t, vm, gpa, pages, leaf_track, false);
	qrw_write_unlock(t, &vm->mmu_lock);
	account(t, before);
	return ret;
}
