/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An ordinary VM of /dev/kvm with the guest agent in it: memory from anonymous
 * memslots, vCPUs at the reset vector.
 */
#ifndef TDMEM_KVM_VMM_H
#define TDMEM_KVM_VMM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/base/err.h"
#include "guest-agent/image/mailbox.h"

struct vmm_vcpu {
	int fd; /* -1: none */
	struct kvm_run *run;
};

struct vmm {
	int kvm, fd; /* -1: closed */
	uint32_t nvcpus;
	struct vmm_vcpu *vcpu;
	size_t run_bytes;
	/* Mappings of this process; NULL: none. */
	char *image, *control, *memory;
	size_t control_bytes, memory_bytes;
};

/**
 * Open /dev/kvm and see that it will do.  Returns its descriptor; -1 with what
 * is missing in `why`.
 */
int vmm_open(char *why, size_t size);

/**
 * Make a VM of 1 to AGENT_MAX_VCPUS vCPUs and so many 4K pages for scripts to
 * work on; huge: in 2M pages where the kernel can, else in 4K pages only.
 * -1 with *e, and nothing is left.
 */
int vmm_create(struct vmm *vm, uint32_t nvcpus, uint64_t pages, bool huge,
	       struct err *e);

/** End the VM and give its memory back; what agent and host share is left. */
void vmm_release(struct vmm *vm);

/** Close the VM: vCPUs, the VM, then its memory.  Twice does nothing. */
void vmm_close(struct vmm *vm);

/** What agent and host share, and the box of a vCPU. */
struct agent_shared *vmm_shared(const struct vmm *vm);
struct agent_box *vmm_box(const struct vmm *vm, uint32_t vcpu);

#endif
