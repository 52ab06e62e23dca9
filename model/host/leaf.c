/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is done to one mapped page, 4K or 2M, with mmu_lock held for writing:
 * removal, a track alone, and the split of a 2M page.  All begin with BLOCK,
 * TRACK and a kick.
 */
#include <errno.h>

#include "model/host/internal.h"

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
	/* An attempt that began again tracks again: it is one page. */
	if (!r->tracked)
		observe_op(r->t, KVM_OP_TRACK, r->block_ps, r->attempts);
	r->tracked = true;
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

/** Times are from the first attempt at this page. */
static void removal_begin(struct removal *r)
{
	bool first = r->attempts++ == 0;

	r->spte = *r->ref.spte;
	if (first) {
		r->begin_ps = now(r->t->strand);
		r->tracked = false;
	}
	spend(r->t->strand, r->vm->host->costs.remove_page_ps);
	/* A kick before BLOCK is a part of what BLOCK and TRACK cost. */
	if (first)
		r->block_ps = now(r->t->strand);
	if (r->vm->config.policy.removal->hold_first) {
		hold_begin(r->t, r->vm);
		r->held = true;
	}
}

int leaf_remove(struct removal *r)
{
	struct kvm_thread *t = r->t;
	int ret;

	trace_emit(t->strand, span, "removal", true);
	removal_begin(r);
	ret = block_and_track(r);
	if (!ret)
		ret = removal_call(r, TDH_MEM_PAGE_REMOVE);
	let_in(r);
	if (!ret)
		ret = write_back(r);
	line_store64(t->strand, r->ref.line, r->ref.spte,
		     ret ? r->spte : SPTE_NONE);
	trace_emit(t->strand, span, "removal", false);
	if (ret)
		return ret;
	observe_op(t, KVM_OP_REMOVAL, r->begin_ps, r->attempts);
	progress(t->strand);
	return 0;
}

int leaf_track(struct removal *r)
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

/** The children of a 2M leaf: 512 leaves in the same state. */
static void fill_split(struct mirror_table *table, u64 spte)
{
	for (unsigned i = 0; i < 512; i++)
		table->spte[i] = (spte & ~SPTE_BLOCKED) + ((u64)i << 12);
}

static int demote(struct removal *r)
{
	struct kvm_vm *vm = r->vm;
	struct mirror_table *table = mirror_table_get(vm);
	struct sept_call c = {.call = TDH_MEM_PAGE_DEMOTE,
			      .level = r->ref.level,
			      .gpa = r->ref.gpa};
	int ret;

	if (!table)
		return vm_bug(r->t, vm, "no memory for a page of the S-EPT", 0);
	c.page = table->external;
	flush_pages(r->t, vm, 1);
	ret = retry_removal(r->t, vm, &c, &r->held);
	if (ret) {
		mirror_table_put(vm, table);
		return ret;
	}
	fill_split(table, r->spte);
	r->spte = (uintptr_t)table | SPTE_PRESENT;
	return 0;
}

int leaf_split(struct removal *r)
{
	int ret;

	if (r->ref.level == LEVEL_4K)
		return 0;
	removal_begin(r);
	ret = block_and_track(r);
	if (!ret)
		ret = demote(r);
	let_in(r);
	line_store64(r->t->strand, r->ref.line, r->ref.spte, r->spte);
	return ret;
}
