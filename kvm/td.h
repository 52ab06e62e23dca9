/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A TD, step by step as KVM wants them: td_begin() on a VM of the type TDX,
 * memory, td_vcpu() for each vCPU, td_load() of what it begins with,
 * td_finalize().  After that no register and no private page of it can be
 * reached.
 */
#ifndef TDMEM_KVM_TD_H
#define TDMEM_KVM_TD_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/base/err.h"
#include "kvm/uapi_tdx.h"

/**
 * GPAs of TDs have this many bits, the uppermost of which says that the page
 * is shared.  The other width, 52, needs EPT of five levels.
 */
enum { TD_GPAW = 48 };
#define TD_SHARED_BIT (1ull << (TD_GPAW - 1))

/** What a TD is asked for. */
struct td_shape {
	uint32_t vcpus;
	bool ve_disable; /* the access to a pending page ends the TD instead
			    of giving it a #VE */
};

/**
 * The first step of a VM that has no vCPUs yet: its interrupt controller, its
 * exits, its CPUID and attributes; the TD has a HKID then.  -1 with *e,
 * EXIT_UNSUPPORTED if this host has no such TD.
 */
int td_begin(int kvm, int vm, const struct td_shape *shape, struct err *e);

/** A vCPU of it, just created; 0 or -1 with *e. */
int td_vcpu(int vcpu, struct err *e);

/**
 * Copy memory of this process, measured, into private pages of the TD; the
 * range must have the attribute PRIVATE and a guest_memfd.  Any vCPU will do.
 * Addresses and bytes are of whole 4K pages.  0 or -1 with *e.
 */
int td_load(int vcpu, uint64_t gpa, const void *source, uint64_t bytes,
	    struct err *e);

/**
 * One such page, measured or only added; one try.  -1 with errno and *cmd for
 * td_failed().
 */
int td_add(int vcpu, uint64_t gpa, const void *source, bool measure,
	   struct kvm_tdx_cmd *cmd);

/** The measurement is complete and vCPUs can run; 0 or -1 with *e. */
int td_finalize(int vm, struct err *e);

/**
 * End a vCPU's halt, this one and all later ones, by an interrupt that stays
 * pending.  vcpu: the number that it was made with.  -1 with errno.
 */
int td_wake(int vm, uint32_t vcpu);

#endif
