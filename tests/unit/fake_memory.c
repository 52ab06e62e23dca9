/* SPDX-License-Identifier: GPL-2.0-only */
/* Slots, attributes and pages of the fake KVM. */
#define _GNU_SOURCE /* pread */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/fake_kvm.h"

#define PAGE 4096ull

static bool whole_pages(uint64_t at, uint64_t bytes)
{
	return bytes && ((at | bytes) & (PAGE - 1)) == 0 && at + bytes > at &&
	       (at + bytes) / PAGE <= FAKE_GFNS;
}

bool fake_slot_of(uint64_t gpa, const struct fake_slot **slot)
{
	unsigned i;

	for (i = 0; i < FAKE_SLOTS; i++) {
		*slot = &fake_vm.slot[i];
		if (gpa >= (*slot)->gpa && gpa - (*slot)->gpa < (*slot)->bytes)
			return true;
	}
	return false;
}

void *fake_shared(uint64_t gpa)
{
	const struct fake_slot *slot;

	if (!fake_slot_of(gpa, &slot) || !slot->at)
		abort();
	return (void *)(uintptr_t)(slot->at + (gpa - slot->gpa));
}

void fake_private(uint64_t gpa, void *data, size_t bytes, bool write)
{
	const struct fake_slot *slot;
	ssize_t n;

	if (!fake_slot_of(gpa, &slot) || slot->gmem < 0)
		abort();
	n = write ? pwrite(slot->gmem, data, bytes, (off_t)(gpa - slot->gpa))
		  : pread(slot->gmem, data, bytes, (off_t)(gpa - slot->gpa));
	if (n != (ssize_t)bytes)
		abort();
}

uint64_t fake_kvm_private_word(uint64_t gpa)
{
	uint64_t word;

	if (!(fake_vm.page[gpa / PAGE] & PAGE_MEASURED))
		abort();
	fake_private(gpa, &word, sizeof(word), false);
	return word;
}

/* ------------------------------------------------------------------ slots */

static bool overlaps(const struct kvm_userspace_memory_region2 *r)
{
	unsigned i;

	for (i = 0; i < FAKE_SLOTS; i++) {
		const struct fake_slot *s = &fake_vm.slot[i];

		if (i != r->slot && s->bytes &&
		    r->guest_phys_addr < s->gpa + s->bytes &&
		    s->gpa < r->guest_phys_addr + r->memory_size)
			return true;
	}
	return false;
}

/* What slot it may be, besides its place. */
static const char *slot_wrong(const struct kvm_userspace_memory_region2 *r,
			      bool plain)
{
	const struct fake_slot *old = &fake_vm.slot[r->slot];
	bool gmem = r->flags & KVM_MEM_GUEST_MEMFD;

	if (plain && gmem)
		return "KVM_SET_USER_MEMORY_REGION: flags";
	if (gmem && (r->flags & (KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES)))
		return "a guest_memfd: flags";
	if (r->flags &
	    ~(KVM_MEM_GUEST_MEMFD | KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES))
		return "KVM_SET_USER_MEMORY_REGION2: flags";
	if (old->bytes && r->memory_size && (gmem || old->gmem >= 0))
		return "a slot of a guest_memfd is changed";
	if (r->userspace_addr & (PAGE - 1))
		return "a slot: address";
	return NULL;
}

/* The pages of the slot leave the guest; what the guest_memfd has stays. */
static void delete_slot(struct fake_slot *slot)
{
	uint64_t at;

	for (at = 0; at < slot->bytes; at += PAGE) {
		uint8_t *page = &fake_vm.page[(slot->gpa + at) / PAGE];

		fake_counts.punched += (*page & PAGE_MAPPED) != 0;
		*page &= PAGE_PRIVATE;
	}
	*slot = (struct fake_slot){.gmem = -1};
}

int fake_set_slot(const struct kvm_userspace_memory_region2 *r, bool plain)
{
	bool gmem = r->flags & KVM_MEM_GUEST_MEMFD;
	const char *wrong;

	if (r->slot >= FAKE_SLOTS)
		return fake_refuse(EINVAL, "a slot: number");
	wrong = slot_wrong(r, plain);
	if (!wrong && r->memory_size &&
	    !whole_pages(r->guest_phys_addr, r->memory_size))
		wrong = "a slot: pages";
	if (!wrong && gmem &&
	    (r->guest_memfd_offset & (PAGE - 1) ||
	     lseek((int)r->guest_memfd, 0, SEEK_END) <
		     (off_t)(r->guest_memfd_offset + r->memory_size)))
		wrong = "a slot: beyond its guest_memfd";
	if (wrong)
		return fake_refuse(EINVAL, wrong);
	if (!r->memory_size) {
		delete_slot(&fake_vm.slot[r->slot]);
		return 0;
	}
	if (overlaps(r))
		return fake_refuse(EEXIST, "slots overlap");
	fake_vm.slot[r->slot] = (struct fake_slot){
		.gpa = r->guest_phys_addr,
		.bytes = r->memory_size,
		.at = r->userspace_addr,
		.gmem = gmem ? (int)r->guest_memfd : -1,
	};
	return 0;
}

int fake_check_gmem(const struct kvm_create_guest_memfd *g)
{
	unsigned i;

	/* KVM lets nobody map the private memory of TDs. */
	if (g->flags)
		return fake_refuse(EINVAL, "KVM_CREATE_GUEST_MEMFD: flags");
	if (!whole_pages(0, g->size))
		return fake_refuse(EINVAL, "KVM_CREATE_GUEST_MEMFD: size");
	for (i = 0; i < 6; i++) {
		if (g->reserved[i])
			return fake_refuse(EINVAL,
					   "KVM_CREATE_GUEST_MEMFD: reserved");
	}
	return 0;
}

/* ------------------------------------------------------------------ pages */

int fake_set_attributes(const struct kvm_memory_attributes *a)
{
	bool private = a->attributes & KVM_MEMORY_ATTRIBUTE_PRIVATE;
	uint64_t gfn, end;

	if (a->flags || (a->attributes & ~KVM_MEMORY_ATTRIBUTE_PRIVATE) ||
	    !whole_pages(a->address, a->size))
		return fake_refuse(EINVAL, "KVM_SET_MEMORY_ATTRIBUTES");
	end = (a->address + a->size) / PAGE;
	if (fake_vm.td == TD_RUNNABLE && fake_options.busy_conversions) {
		fake_options.busy_conversions--;
		return fake_expected(EAGAIN);
	}
	for (gfn = a->address / PAGE; gfn < end; gfn++) {
		uint8_t *page = &fake_vm.page[gfn];

		if (fake_vm.td == TD_RUNNABLE &&
		    private != ((*page & PAGE_PRIVATE) != 0))
			fake_counts.converted++;
		/* Pages of the other kind are taken away. */
		*page = private ? *page | PAGE_PRIVATE : 0;
	}
	return 0;
}

void fake_punch(int gmem, uint64_t offset, uint64_t bytes)
{
	unsigned i;
	uint64_t at;

	for (i = 0; i < FAKE_SLOTS; i++) {
		const struct fake_slot *s = &fake_vm.slot[i];

		if (s->gmem != gmem || !s->bytes)
			continue;
		for (at = offset; at < offset + bytes && at < s->bytes;
		     at += PAGE) {
			uint8_t *page = &fake_vm.page[(s->gpa + at) / PAGE];

			fake_counts.punched += (*page & PAGE_MAPPED) != 0;
			*page &= PAGE_PRIVATE;
		}
	}
}

int fake_prefault(struct kvm_pre_fault_memory *p)
{
	const struct fake_slot *slot;

	if (p->flags || !whole_pages(p->gpa, p->size))
		return fake_refuse(EINVAL, "KVM_PRE_FAULT_MEMORY");
	if (fake_vm.td != TD_RUNNABLE)
		return fake_refuse(EOPNOTSUPP, "KVM_PRE_FAULT_MEMORY: early");
	while (p->size) {
		if (!fake_slot_of(p->gpa, &slot))
			return fake_refuse(ENOENT, "KVM_PRE_FAULT_MEMORY: gpa");
		fake_vm.page[p->gpa / PAGE] |= PAGE_MAPPED;
		p->gpa += PAGE;
		p->size -= PAGE;
	}
	return 0;
}
