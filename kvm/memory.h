/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory of a VM that scripts work on: its kinds, and what the host can
 * do to it.
 */
#ifndef TDMEM_KVM_MEMORY_H
#define TDMEM_KVM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/base/err.h"
#include "kvm/uapi.h"

/** What memory can be made of, and the VM that it needs. */
struct memory_kind {
	const char *name; /* host.memory of a config */
	const char *summary;
	unsigned long vm_type; /* KVM_X86_..._VM */
	const char *cure;      /* what a host takes that does not have it */
	bool gmem;	       /* faults are filled from a guest_memfd */
	bool private;	       /* its pages have the attribute PRIVATE */
	uint64_t gmem_flags;   /* GUEST_MEMFD_FLAG_... */
};

/** Of the backend kvm, ended by one without a name; the first is default. */
extern const struct memory_kind memory_kinds[];
/** Of a TD. */
extern const struct memory_kind memory_kind_td;

/** A part that is a memslot of its own. */
struct memory_part {
	uint64_t offset, bytes;
};

struct memory {
	const struct memory_kind *kind;
	int vm;			  /* borrowed */
	int gmem;		  /* -1: none */
	uint32_t slot;		  /* of the first part */
	struct memory_part *part; /* in order, without gaps */
	uint32_t nparts;
	uint64_t gpa;
	size_t bytes;
	/*
	 * Mapping of this process: the memory itself or, of private memory,
	 * what is there when pages are converted to shared.  NULL: none.
	 */
	char *at;
};

/** Where it goes. */
struct memory_place {
	int vm;
	uint32_t slot;
	uint64_t gpa;
	size_t bytes; /* whole pages */
	bool huge;    /* in 2M pages where the kernel can, else in 4K only */
	/* What is to be deleted alone: in order, borrowed. */
	const struct memory_part *own;
	uint32_t nown;
};

/**
 * Give a VM memory.  The VM kvm_can_have() it.  -1 with *e; memory_free() in
 * both cases.
 */
int memory_make(struct memory *m, const struct memory_kind *kind,
		const struct memory_place *place, struct err *e);
/** Give back what the VM does not hold; it has been closed. */
void memory_free(struct memory *m);

/** Anonymous memory of this process, to munmap(); NULL: none is left. */
void *memory_map(size_t bytes);
/** Memory of this process as a memslot, for what no kind is needed. */
int memory_plain_slot(int vm, uint32_t slot, uint64_t gpa, const void *at,
		      size_t bytes);

/** Are so many pages from gpa on all of them the memory's? */
bool memory_has(const struct memory *m, uint64_t gpa, uint64_t pages);

/*
 * Below, offset and bytes are of the memory and whole pages; -1 with errno.
 */

/** Take the pages away: they are zero when they are touched again. */
int memory_punch(const struct memory *m, uint64_t offset, uint64_t bytes);
/** The call that does it. */
const char *memory_punch_name(const struct memory *m);
/**
 * Delete the memslot of a part that was asked for alone, and make it again:
 * pages keep what they hold.
 */
int memory_reslot(const struct memory *m, uint64_t offset, uint64_t bytes);
/**
 * Make pages private or shared, and give back those of the other side, as
 * VMMs do.
 */
int memory_convert(const struct memory *m, uint64_t offset, uint64_t bytes,
		   bool to_private);

#endif
