/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* fallocate */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm/memory.h"
#include "kvm/uapi_tdx.h"

#define BYTES_2M (2ull << 20)

const struct memory_kind memory_kinds[] = {
	{
		.name = "anonymous",
		.summary = "anonymous memory of the VMM below a memslot",
		.vm_type = KVM_X86_DEFAULT_VM,
		.cure = "",
	},
	{
		.name = "guest-memfd",
		.summary = "a guest_memfd that the host maps, ordinary VM",
		.vm_type = KVM_X86_DEFAULT_VM,
		.gmem = true,
		.gmem_flags =
			GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED,
		.cure = "Linux 6.18 or newer",
	},
	{
		.name = "private",
		.summary = "private pages of a guest_memfd, software-protected",
		.vm_type = KVM_X86_SW_PROTECTED_VM,
		.gmem = true,
		.private = true,
		.cure = "Linux 6.8 or newer, built after scripts/config -e "
			"EXPERT -e KVM_SW_PROTECTED_VM",
	},
	{.name = NULL},
};

const struct memory_kind memory_kind_td = {
	.name = "td",
	.summary = "private pages of a guest_memfd, of a TD",
	.vm_type = KVM_X86_TDX_VM,
	.gmem = true,
	.private = true,
	.cure = "Linux 6.16 or newer on a CPU with TDX",
};

/* ---------------------------------------------------------------- mapping */

static void *map_file(size_t bytes, int fd)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			flags | MAP_NORESERVE, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

void *memory_map(size_t bytes)
{
	return map_file(bytes, -1);
}

/* Bytes more than asked for, so that both ends can be at 2M. */
static char *map_aligned(size_t bytes, bool huge)
{
	char *at = memory_map(bytes + BYTES_2M);
	size_t before = -(uintptr_t)at & (BYTES_2M - 1);

	if (!at)
		return NULL;
	if (before)
		munmap(at, before);
	munmap(at + before + bytes, BYTES_2M - before);
	at += before;
	/* A kernel without huge pages refuses both, and has 4K pages. */
	madvise(at, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return at;
}

/* ------------------------------------------------------------------ slots */

int memory_plain_slot(int vm, uint32_t slot, uint64_t gpa, const void *at,
		      size_t bytes)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)at,
	};

	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

/* `bytes` 0 deletes it. */
static int set_slot(const struct memory *m, uint32_t index, uint64_t bytes)
{
	uint64_t offset = m->part[index].offset;
	struct kvm_userspace_memory_region2 region = {
		.slot = m->slot + index,
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = m->gpa + offset,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)m->at + offset,
		.guest_memfd = (uint32_t)m->gmem,
		.guest_memfd_offset = offset,
	};

	if (!m->kind->gmem)
		return memory_plain_slot(m->vm, region.slot,
					 region.guest_phys_addr, m->at + offset,
					 bytes);
	return ioctl(m->vm, KVM_SET_USER_MEMORY_REGION2, &region);
}

static void add_part(struct memory *m, uint64_t offset, uint64_t end)
{
	if (end > offset)
		m->part[m->nparts++] =
			(struct memory_part){offset, end - offset};
}

/* Those that are to be alone, and what is between them. */
static int make_slots(struct memory *m, const struct memory_place *place)
{
	uint64_t end = 0;
	uint32_t i;

	m->part = calloc(2 * (size_t)place->nown + 1, sizeof(*m->part));
	if (!m->part)
		return -1;
	for (i = 0; i < place->nown; i++) {
		const struct memory_part *own = &place->own[i];

		add_part(m, end, own->offset);
		end = own->offset + own->bytes;
		add_part(m, own->offset, end);
	}
	add_part(m, end, m->bytes);
	for (i = 0; i < m->nparts; i++) {
		if (set_slot(m, i, m->part[i].bytes))
			return -1;
	}
	return 0;
}

static int set_private(const struct memory *m, uint64_t offset, uint64_t bytes,
		       bool to_private)
{
	struct kvm_memory_attributes attributes = {
		.address = m->gpa + offset,
		.size = bytes,
		.attributes = to_private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0,
	};

	return ioctl(m->vm, KVM_SET_MEMORY_ATTRIBUTES, &attributes);
}

/* --------------------------------------------------- beginning and end */

static int make_gmem(struct memory *m)
{
	struct kvm_create_guest_memfd gmem = {
		.size = m->bytes,
		.flags = m->kind->gmem_flags,
	};

	m->gmem = ioctl(m->vm, KVM_CREATE_GUEST_MEMFD, &gmem);
	return m->gmem < 0 ? -1 : 0;
}

int memory_make(struct memory *m, const struct memory_kind *kind,
		const struct memory_place *place, struct err *e)
{
	const char *what = "KVM_CREATE_GUEST_MEMFD";

	*m = (struct memory){
		.kind = kind,
		.vm = place->vm,
		.gmem = -1,
		.slot = place->slot,
		.gpa = place->gpa,
		.bytes = place->bytes,
	};
	if (kind->gmem && make_gmem(m))
		goto failed;
	what = "mmap";
	m->at = kind->gmem_flags & GUEST_MEMFD_FLAG_MMAP
			? map_file(m->bytes, m->gmem)
			: map_aligned(m->bytes, place->huge);
	if (!m->at)
		goto failed;
	what = kind->gmem ? "KVM_SET_USER_MEMORY_REGION2"
			  : "KVM_SET_USER_MEMORY_REGION";
	if (make_slots(m, place))
		goto failed;
	what = "KVM_SET_MEMORY_ATTRIBUTES";
	if (kind->private && set_private(m, 0, m->bytes, true))
		goto failed;
	return 0;
failed:
	return err_set(e, EXIT_FAILED, "memory %s: %s: %s", kind->name, what,
		       strerror(errno));
}

void memory_free(struct memory *m)
{
	if (m->gmem >= 0)
		close(m->gmem);
	m->gmem = -1;
	if (m->at)
		munmap(m->at, m->bytes);
	m->at = NULL;
	free(m->part);
	m->part = NULL;
	m->nparts = 0;
}

/* ------------------------------------------------------ what the host does */

bool memory_has(const struct memory *m, uint64_t gpa, uint64_t pages)
{
	return gpa >= m->gpa && gpa - m->gpa < m->bytes && gpa % 4096 == 0 &&
	       pages && pages <= (m->bytes - (gpa - m->gpa)) / 4096;
}

static int discard(const struct memory *m, uint64_t offset, uint64_t bytes,
		   bool of_gmem)
{
	if (of_gmem)
		return fallocate(m->gmem,
				 FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				 (off_t)offset, (off_t)bytes);
	return madvise(m->at + offset, bytes, MADV_DONTNEED);
}

int memory_punch(const struct memory *m, uint64_t offset, uint64_t bytes)
{
	return discard(m, offset, bytes, m->kind->gmem);
}

const char *memory_punch_name(const struct memory *m)
{
	return m->kind->gmem ? "FALLOC_FL_PUNCH_HOLE" : "MADV_DONTNEED";
}

int memory_reslot(const struct memory *m, uint64_t offset, uint64_t bytes)
{
	uint32_t low = 0, high = m->nparts;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (m->part[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == m->nparts || m->part[low].offset != offset ||
	    m->part[low].bytes != bytes) {
		errno = ENOENT;
		return -1;
	}
	return set_slot(m, low, 0) ? -1 : set_slot(m, low, bytes);
}

int memory_convert(const struct memory *m, uint64_t offset, uint64_t bytes,
		   bool to_private)
{
	if (set_private(m, offset, bytes, to_private))
		return -1;
	return discard(m, offset, bytes, !to_private);
}
