/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM_MEMORY_ENCRYPT_OP, and lists of CPUID entries; for kvm/td*.c only. */
#ifndef TDMEM_KVM_TD_COMMAND_H
#define TDMEM_KVM_TD_COMMAND_H

#include <stdint.h>

#include "bench/base/err.h"
#include "kvm/uapi_tdx.h"

/** CPUID entries that are asked for at most. */
enum { TD_MOST_CPUIDS = 4096 };

/** A command of KVM_MEMORY_ENCRYPT_OP: 0, or -1 with errno and hw_error. */
int td_command(int fd, struct kvm_tdx_cmd *cmd);

/** What failed, with errno and the status of the SEAMCALL, if any. */
int td_failed(const struct kvm_tdx_cmd *cmd, struct err *e);

/**
 * What KVM gives to all VMs, without what a TD can't have by `caps`, and with
 * the width of GPAs.  The caller frees it; NULL with *e.
 */
struct kvm_cpuid2 *
td_cpuid_of_td(int kvm, const struct kvm_tdx_capabilities *caps, struct err *e);

/** What a TD can have; the caller frees it; NULL with *e. */
struct kvm_tdx_capabilities *td_capabilities(int vm, struct err *e);

/** Give a vCPU the CPUID that the TD has been given. */
int td_cpuid_of_vcpu(int vcpu, struct err *e);

#endif
