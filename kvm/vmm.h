/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM of /dev/kvm with the guest agent in it, vCPUs at the reset vector.
 */
#ifndef TDMEM_KVM_VMM_H
#define TDMEM_KVM_VMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/base/err.h"
#include "guest-agent/image/mailbox.h"
#include "kvm/can.h"
#include "kvm/memory.h"

struct vmm_vcpu {
	int fd; /* -1: none */
	struct kvm_run *run;
};

struct vmm {
	unsigned long type; /* KVM_X86_..._VM */
	int kvm, fd;	    /* -1: closed */
	uint32_t nvcpus, nidle;
	struct vmm_vcpu *vcpu; /* idle ones behind the others */
	size_t run_bytes;
	struct memory memory;	  /* what scripts work on */
	struct memory own, image; /* the agent's tables and stacks; its code */
	/* What agent and host share, mapped here; NULL: it is not there. */
	char *control;
	size_t control_bytes;
};

/** What is asked for. */
struct vmm_shape {
	uint32_t vcpus; /* 1 to AGENT_MAX_VCPUS */
	uint32_t idle;	/* more of them that never run: for their ioctls */
	uint64_t pages; /* of 4K, for scripts to work on */
	bool huge;	/* in 2M pages where the kernel can, else 4K only */
	const struct memory_kind *memory;
	const struct memory_part *own; /* as of struct memory_place */
	uint32_t nown;
	bool ve_disable; /* of a TD: see struct td_shape */
	bool unfinished; /* of a TD: the build is left open */
};

/**
 * Open /dev/kvm and see that it will do.  Returns its descriptor; -1 with what
 * is missing, and what it takes, in `why`.
 */
int vmm_open(struct kvm_answers *answers, char *why, size_t size);

/**
 * Make a VM.  -1 with *e, EXIT_UNSUPPORTED if this kernel has no such VM or
 * memory, and nothing is left.
 */
int vmm_create(struct vmm *vm, const struct vmm_shape *shape, struct err *e);

bool vmm_is_td(const struct vmm *vm);

/** End the VM and give its memory back; what agent and host share is left. */
void vmm_release(struct vmm *vm);

/** Close the VM: vCPUs, the VM, then its memory.  Twice does nothing. */
void vmm_close(struct vmm *vm);

/** What agent and host share, and the box of a vCPU. */
struct agent_shared *vmm_shared(const struct vmm *vm);
struct agent_box *vmm_box(const struct vmm *vm, uint32_t vcpu);

/** Set the registers that a vCPU begins with; -1 with errno. */
int vmm_start_state(int vcpu, uint32_t index);

#endif
