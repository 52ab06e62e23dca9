/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Can this host run VMs of these kinds, and if not, what is missing and what
 * changes it?  Asking is apart from judging, so that tests can answer.
 */
#ifndef TDMEM_KVM_CAN_H
#define TDMEM_KVM_CAN_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/observe/ability.h"

struct memory_kind;

enum kvm_cpu { KVM_CPU_NEITHER, KVM_CPU_VMX, KVM_CPU_SVM };

/** What KVM, the kernel and the CPU say. */
struct kvm_answers {
	int error; /* errno of opening /dev/kvm; 0: it is open */
	int api;   /* KVM_GET_API_VERSION */
	/* Values of capabilities, 0 where KVM does not know them. */
	unsigned vm_types, guest_memfd, guest_memfd_flags, attributes,
		pre_fault, stats;
	unsigned major, minor; /* of the running kernel */
	enum kvm_cpu cpu;
	bool hypervisor; /* the CPU is one of a VM */
};

/**
 * Open /dev/kvm, or what stands for it, and ask.  Returns its descriptor,
 * which the caller closes, or -1 with a->error.
 */
int kvm_ask(struct kvm_answers *a, const char *path);
/** Ask a VM for capabilities: what it has depends on its type. */
void kvm_ask_vm(struct kvm_answers *a, int vm);

/** Is there a KVM at all?  If not, `ability` says why. */
bool kvm_can_run(const struct kvm_answers *a, struct ability *ability);
/** Can a VM have this memory?  Of the VM's answers, or of KVM's. */
bool kvm_can_have(const struct kvm_answers *a, const struct memory_kind *kind,
		  struct ability *ability);

/**
 * All that the backend kvm can do here, for backend.abilities; nothing where
 * there is no KVM.
 */
size_t kvm_abilities(struct ability *list, size_t most);

#endif
