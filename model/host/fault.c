/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mapping private memory: one attempt as kvm_tdp_page_fault makes it.
 *
 * A fault takes mmu_lock for reading; what keeps two of them off one entry
 * is that an entry is FROZEN while somebody is inside a call for it.
 */
#include <errno.h>

#include "model/host/internal.h"

/* ------------------------------------------------------- invalidations */

/*
 * One word, so that faults read both halves at once: invalidations in
 * progress in the upper half, how many have ended in the lower.
 */
#define INV_IN_PROGRESS (1ull << 32)

void invalidate_begin(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		      u64 pages)
{
	u64 end = gpa.v + (pages << 12);

	plain_access(t->strand, &vm->inv_begin, 2 * sizeof(u64), true);
	if (vm->inv < INV_IN_PROGRESS) {
		__atomic_store_n(&vm->inv_begin, gpa.v, __ATOMIC_RELAXED);
		__atomic_store_n(&vm->inv_end, end, __ATOMIC_RELAXED);
	} else {
		if (gpa.v < vm->inv_begin)
			__atomic_store_n(&vm->inv_begin, gpa.v,
					 __ATOMIC_RELAXED);
		if (end > vm->inv_end)
			__atomic_store_n(&vm->inv_end, end, __ATOMIC_RELAXED);
	}
	line_store64(t->strand, &vm->inv_line, &vm->inv,
		     vm->inv + INV_IN_PROGRESS);
}

void invalidate_end(struct kvm_thread *t, struct kvm_vm *vm)
{
	u64 sequence = (u32)(vm->inv + 1);

	line_store64(t->strand, &vm->inv_line, &vm->inv,
		     ((vm->inv >> 32) - 1) << 32 | sequence);
}

/** Has what a mapping of `level` would cover been invalidated since? */
static bool invalidated(const struct kvm_vm *vm, u64 inv, u64 seen, gpa_t gpa,
			enum tdx_level level)
{
	u64 begin = gpa.v & ~(LEVEL_BYTES(level) - 1);

	if ((u32)inv != (u32)seen)
		return true;
	return inv >= INV_IN_PROGRESS &&
	       begin < __atomic_load_n(&vm->inv_end, __ATOMIC_RELAXED) &&
	       begin + LEVEL_BYTES(level) >
		       __atomic_load_n(&vm->inv_begin, __ATOMIC_RELAXED);
}

static void inv_lost(struct kvm_thread *t, struct kvm_vm *vm)
{
	trace_lost(t->strand, "INVALIDATION", &vm->inv, ~(INV_IN_PROGRESS - 1));
}

static u64 invalidations(struct kvm_thread *t, struct kvm_vm *vm)
{
	return line_load64(t->strand, &vm->inv_line, &vm->inv);
}

/* ------------------------------------------------------------- mapping */

static enum pf pf_of(int ret)
{
	return ret == 0 ? PF_FIXED : ret == -EAGAIN ? PF_RETRY : PF_ERROR;
}

/** Somebody else has to do something to the entry first. */
static enum pf spte_lost(struct kvm_thread *t, const struct spte_ref *ref)
{
	/* Of all entries only a frozen one has the uppermost bit. */
	trace_lost(t->strand, "SPTE", ref->spte, 1ull << 63 | SPTE_BLOCKED);
	return PF_RETRY;
}

/**
 * Make a call for an absent entry while it is frozen, then store what it
 * becomes, or what it was when the call did not succeed.
 */
static enum pf set_spte(struct kvm_thread *t, struct kvm_vm *vm,
			const struct spte_ref *ref, u64 spte,
			const struct sept_call *c)
{
	int ret;

	if (line_cmpxchg64(t->strand, ref->line, ref->spte, SPTE_NONE,
			   FROZEN_SPTE) != SPTE_NONE)
		return spte_lost(t, ref);
	flush_pages(t, vm,
		    c->call == TDH_MEM_PAGE_AUG ? LEVEL_PAGES(c->level) : 1);
	ret = retry_fault(t, vm, c);
	line_store64(t->strand, ref->line, ref->spte, ret ? SPTE_NONE : spte);
	return pf_of(ret);
}

/** Put a new table below an absent entry. */
static enum pf link_table(struct kvm_thread *t, struct kvm_vm *vm,
			  const struct spte_ref *ref)
{
	struct mirror_table *table = mirror_table_get(vm);
	struct sept_call c = {
		.call = TDH_MEM_SEPT_ADD, .level = ref->level, .gpa = ref->gpa};
	enum pf pf;

	if (!table) {
		vm_bug(t, vm, "no memory for a page of the S-EPT", 0);
		return PF_ERROR;
	}
	c.page = table->external;
	pf = set_spte(t, vm, ref, (uintptr_t)table | SPTE_PRESENT, &c);
	if (pf != PF_FIXED)
		mirror_table_put(vm, table);
	return pf;
}

static void ref_at(struct spte_ref *ref, struct mirror_table *table, gpa_t gpa,
		   enum tdx_level level)
{
	unsigned i = spte_index(gpa, level);

	ref->spte = &table->spte[i];
	ref->line = &table->line[i / 8];
	ref->level = level;
	ref->gpa = GPA(gpa.v & ~(LEVEL_BYTES(level) - 1));
}

/**
 * Go down to the entry that can map `gpa` at `want`, adding tables.
 * PF_FIXED: *ref is an absent entry, at `want` or, where a table exists
 * already, below it.
 */
static enum pf descend(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		       enum tdx_level want, struct spte_ref *ref)
{
	struct mirror_table *table = vm->root;
	enum tdx_level level = vm->root_level;

	for (;; level--) {
		enum pf pf;
		u64 spte;

		ref_at(ref, table, gpa, level);
		/* Present tables stay: no need to ask the machine for them. */
		plain_access(t->strand, ref->spte, sizeof(spte), false);
		spte = __atomic_load_n(ref->spte, __ATOMIC_ACQUIRE);
		if (!spte_present(spte) || spte_leaf(spte))
			spte = line_load64(t->strand, ref->line, ref->spte);
		if (spte == FROZEN_SPTE)
			return spte_lost(t, ref);
		if (spte_leaf(spte))
			return spte & SPTE_BLOCKED ? spte_lost(t, ref)
						   : PF_SPURIOUS;
		if (!spte_present(spte)) {
			if (level <= want)
				return PF_FIXED;
			pf = link_table(t, vm, ref);
			if (pf != PF_FIXED)
				return pf;
			spte = __atomic_load_n(ref->spte, __ATOMIC_ACQUIRE);
		}
		table = spte_table(spte);
	}
}

static enum pf map(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		   enum tdx_level want)
{
	struct spte_ref ref;
	struct sept_call c = {.call = TDH_MEM_PAGE_AUG};
	enum pf pf = descend(t, vm, gpa, want, &ref);

	if (pf != PF_FIXED)
		return pf;
	c.level = ref.level;
	c.gpa = ref.gpa;
	c.page = HPA(vm->data.v + ref.gpa.v);
	return set_spte(t, vm, &ref, c.page.v | SPTE_LEAF | SPTE_PRESENT, &c);
}

enum pf fault_tables(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		     struct spte_ref *ref)
{
	return descend(t, vm, gpa, LEVEL_4K, ref);
}

/** The largest size, up to `want`, that this GPA may be mapped at. */
static enum tdx_level map_level(const struct kvm_vm *vm, gpa_t gpa,
				enum tdx_level want)
{
	u64 first = gpa.v & ~(LEVEL_BYTES(LEVEL_2M) - 1);

	if (want == LEVEL_4K || vm->config.max_level == LEVEL_4K)
		return LEVEL_4K;
	if ((first >> 12) + 512 > vm->config.pages ||
	    !vm_range_is(vm, GPA(first), 512, true))
		return LEVEL_4K;
	return LEVEL_2M;
}

static enum pf map_locked(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
			  enum tdx_level level, u64 seen)
{
	u64 begin;
	enum pf pf = PF_RETRY;

	qrw_read_lock(t, &vm->mmu_lock);
	begin = now(t->strand);
	if (!invalidated(vm, invalidations(t, vm), seen, gpa, level))
		pf = map(t, vm, gpa, level);
	else
		inv_lost(t, vm);
	observe_op(t, KVM_OP_MAP, begin, 1);
	qrw_read_unlock(t, &vm->mmu_lock);
	return pf;
}

enum pf fault_attempt(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa,
		      enum tdx_level level)
{
	u64 seen;

	trace_emit(t->strand, attempt, false);
	spend(t->strand, vm->host->costs.fault_ps);
	seen = invalidations(t, vm);
	plain_access(t->strand, vm->shared, sizeof(*vm->shared), false);
	if (!vm_page_private(vm, gpa))
		return PF_MEMORY_FAULT;
	level = map_level(vm, gpa, level);
	plain_access(t->strand, &vm->inv_begin, 2 * sizeof(u64), false);
	if (invalidated(vm, seen, seen, gpa, level)) {
		inv_lost(t, vm);
		return PF_RETRY;
	}
	return map_locked(t, vm, gpa, level, seen);
}

/* ------------------------------------------------- KVM_PRE_FAULT_MEMORY */

/** Map the page at gpa->v and move on to the next that is not mapped. */
static int pre_fault_page(struct kvm_thread *t, struct kvm_vm *vm, gpa_t *gpa)
{
	u64 begin = now(t->strand);
	u32 tries = 0;
	enum pf pf;

	do {
		pf = fault_attempt(t, vm, *gpa, vm->config.max_level);
		tries++;
		if (vm_seen_dead(t, vm))
			return -EIO;
	} while (pf == PF_RETRY);
	if (pf == PF_MEMORY_FAULT)
		return -EINVAL;
	if (pf == PF_FIXED) {
		observe_op(t, KVM_OP_FAULT, begin, tries);
		progress(t->strand);
	}
	*gpa = mirror_after(vm, *gpa);
	return 0;
}

int kvm_pre_fault(struct kvm_thread *t, struct kvm_vm *vm, gpa_t gpa, u64 pages)
{
	u64 end = gpa.v + (pages << 12);
	enum where before;
	int ret = vm_check_range(t, vm, gpa, pages);

	if (ret)
		return ret;
	if (!vm_runnable(vm))
		return -EINVAL;
	before = account(t, WHERE_KVM);
	spend(t->strand, vm->host->costs.vcpu_ioctl_ps);
	while (gpa.v < end && !ret)
		ret = pre_fault_page(t, vm, &gpa);
	account(t, before);
	return ret;
}
