/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The private/shared attribute of each page: one bit, kept by GiB and only
 * where something has been shared.  Written under slots_lock.
 */
#include <errno.h>
#include <stdlib.h>

#include "model/host/internal.h"

enum { GIB_SHIFT = 18, GIB_WORDS = (1 << GIB_SHIFT) / 64 };

static u64 *block_of(const struct kvm_vm *vm, u64 gfn)
{
	return __atomic_load_n(&vm->shared[gfn >> GIB_SHIFT], __ATOMIC_ACQUIRE);
}

/** The word with the bit of `gfn`; its block exists. */
static u64 *word_of(u64 *block, u64 gfn)
{
	return &block[gfn / 64 % GIB_WORDS];
}

static u64 shared_bits(const struct kvm_vm *vm, u64 gfn)
{
	u64 *block = block_of(vm, gfn);

	return block ? __atomic_load_n(word_of(block, gfn), __ATOMIC_RELAXED)
		     : 0;
}

/** Bits of the word of `gfn` that lie in [gfn, end). */
static u64 word_mask(u64 gfn, u64 end)
{
	u64 mask = ~0ull << (gfn & 63);

	if ((gfn | 63) >= end)
		mask &= ~(~0ull << (end & 63));
	return mask;
}

static u64 blocks(const struct kvm_vm *vm)
{
	return (vm->config.pages >> GIB_SHIFT) + 1;
}

int attributes_init(struct kvm_vm *vm)
{
	vm->shared = calloc((size_t)blocks(vm), sizeof(*vm->shared));
	if (!vm->shared)
		return -ENOMEM;
	host_charge(vm->host, (s64)(blocks(vm) * sizeof(*vm->shared)));
	return 0;
}

void attributes_free(struct kvm_vm *vm)
{
	if (!vm->shared)
		return;
	for (u64 i = 0; i < blocks(vm); i++) {
		if (vm->shared[i])
			host_charge(vm->host, -(s64)GIB_WORDS * 8);
		free(vm->shared[i]);
	}
	host_charge(vm->host, -(s64)(blocks(vm) * sizeof(*vm->shared)));
	free(vm->shared);
}

bool vm_page_private(const struct kvm_vm *vm, gpa_t gpa)
{
	u64 gfn = gpa.v >> 12;

	return !(shared_bits(vm, gfn) >> (gfn & 63) & 1);
}

bool vm_range_is(const struct kvm_vm *vm, gpa_t gpa, u64 pages, bool private)
{
	u64 gfn = gpa.v >> 12, end = gfn + pages;

	for (; gfn < end; gfn = (gfn | 63) + 1) {
		u64 mask = word_mask(gfn, end);

		if ((shared_bits(vm, gfn) & mask) != (private ? 0 : mask))
			return false;
	}
	return true;
}

int vm_reserve_attribute(struct kvm_vm *vm, gpa_t gpa, u64 pages)
{
	u64 last = ((gpa.v >> 12) + pages - 1) >> GIB_SHIFT;

	for (u64 i = gpa.v >> 12 >> GIB_SHIFT; i <= last; i++) {
		u64 *block;

		if (vm->shared[i])
			continue;
		block = calloc(GIB_WORDS, sizeof(*block));
		if (!block)
			return -ENOMEM;
		host_charge(vm->host, GIB_WORDS * 8);
		__atomic_store_n(&vm->shared[i], block, __ATOMIC_RELEASE);
	}
	return 0;
}

void vm_set_attribute(struct kvm_vm *vm, gpa_t gpa, u64 pages, bool private)
{
	u64 gfn = gpa.v >> 12, end = gfn + pages;

	for (; gfn < end; gfn = (gfn | 63) + 1) {
		u64 mask = word_mask(gfn, end);
		u64 *word = word_of(block_of(vm, gfn), gfn);

		if (private)
			__atomic_and_fetch(word, ~mask, __ATOMIC_RELAXED);
		else
			__atomic_or_fetch(word, mask, __ATOMIC_RELAXED);
	}
}
