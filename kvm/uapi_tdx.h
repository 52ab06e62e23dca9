/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What KVM offers for TDs, where the system's headers are older than the
 * running kernel: TDs are in Linux since 6.16.  Numbers, sizes and offsets
 * are those of the x86-64 interface; tests/unit/test_uapi.c has all of them
 * written out and is also compiled against the newest headers.
 */
#ifndef TDMEM_KVM_UAPI_TDX_H
#define TDMEM_KVM_UAPI_TDX_H

#include <linux/kvm_para.h> /* the hypercall MAP_GPA_RANGE */
#include <stddef.h>
#include <stdint.h>

#include "kvm/uapi.h"

#ifndef KVM_TDX_MEASURE_MEMORY_REGION
/** The headers have nothing of TDs: what follows is this file's. */
#define TDMEM_OWN_TDX_UAPI 1
#else
#define TDMEM_OWN_TDX_UAPI 0
#endif

#if TDMEM_OWN_TDX_UAPI
#define KVM_X86_TDX_VM 5

/** id of KVM_MEMORY_ENCRYPT_OP on a TD or a vCPU of one. */
enum kvm_tdx_cmd_id {
	KVM_TDX_CAPABILITIES,
	KVM_TDX_INIT_VM,
	KVM_TDX_INIT_VCPU,
	KVM_TDX_INIT_MEM_REGION,
	KVM_TDX_FINALIZE_VM,
	KVM_TDX_GET_CPUID,
	KVM_TDX_CMD_NR_MAX,
};

struct kvm_tdx_cmd {
	__u32 id;
	__u32 flags;
	__u64 data;	/* as the command says: an address or a value */
	__u64 hw_error; /* 0 in; status of the SEAMCALL that failed out */
};

struct kvm_tdx_capabilities {
	__u64 supported_attrs;
	__u64 supported_xfam;
	__u64 kernel_tdvmcallinfo_1_r11;
	__u64 user_tdvmcallinfo_1_r11;
	__u64 kernel_tdvmcallinfo_1_r12;
	__u64 user_tdvmcallinfo_1_r12;
	__u64 reserved[250];
	struct kvm_cpuid2 cpuid; /* nent: room in, number of entries out */
};

struct kvm_tdx_init_vm {
	__u64 attributes;
	__u64 xfam;
	__u64 mrconfigid[6];
	__u64 mrowner[6];
	__u64 mrownerconfig[6];
	__u64 reserved[12];
	struct kvm_cpuid2 cpuid;
};

struct kvm_tdx_init_mem_region {
	__u64 source_addr;
	__u64 gpa;
	__u64 nr_pages;
};

#define KVM_TDX_MEASURE_MEMORY_REGION (1ull << 0)
#endif

#ifndef KVM_EXIT_TDX
#define KVM_EXIT_TDX 40
#endif
#ifndef KVM_SYSTEM_EVENT_TDX_FATAL
#define KVM_SYSTEM_EVENT_TDX_FATAL 7
#endif

_Static_assert(sizeof(struct kvm_tdx_cmd) == 24 &&
		       sizeof(struct kvm_tdx_capabilities) == 2056 &&
		       sizeof(struct kvm_tdx_init_vm) == 264 &&
		       sizeof(struct kvm_tdx_init_mem_region) == 24,
	       "the kernel's structures of TDs");

#endif
