/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/kvm.h>, and what headers older than the running kernel lack of it:
 * guest_memfd and memory attributes (Linux 6.8), pre-faulting (6.10), a
 * guest_memfd that the host maps (6.18).
 */
#ifndef TDMEM_KVM_UAPI_H
#define TDMEM_KVM_UAPI_H

#include <linux/kvm.h>

#ifndef KVM_X86_DEFAULT_VM
#define KVM_X86_DEFAULT_VM 0
#endif
#ifndef KVM_X86_SW_PROTECTED_VM
#define KVM_X86_SW_PROTECTED_VM 1
#endif
#ifndef KVM_CAP_VM_TYPES
#define KVM_CAP_VM_TYPES 235
#endif

#ifndef KVM_SET_USER_MEMORY_REGION2
#define KVM_CAP_USER_MEMORY2 231
#define KVM_MEM_GUEST_MEMFD  (1u << 2)
#define KVM_SET_USER_MEMORY_REGION2                                            \
	_IOW(KVMIO, 0x49, struct kvm_userspace_memory_region2)

struct kvm_userspace_memory_region2 {
	__u32 slot;
	__u32 flags;
	__u64 guest_phys_addr;
	__u64 memory_size;
	__u64 userspace_addr;
	__u64 guest_memfd_offset;
	__u32 guest_memfd;
	__u32 pad1;
	__u64 pad2[14];
};
#endif

#ifndef KVM_EXIT_MEMORY_FAULT
#define KVM_CAP_MEMORY_FAULT_INFO    232
#define KVM_EXIT_MEMORY_FAULT	     39
#define KVM_MEMORY_EXIT_FLAG_PRIVATE (1ull << 3)
#endif

#ifndef KVM_SET_MEMORY_ATTRIBUTES
#define KVM_CAP_MEMORY_ATTRIBUTES    233
#define KVM_MEMORY_ATTRIBUTE_PRIVATE (1ull << 3)
#define KVM_SET_MEMORY_ATTRIBUTES                                              \
	_IOW(KVMIO, 0xd2, struct kvm_memory_attributes)

struct kvm_memory_attributes {
	__u64 address;
	__u64 size;
	__u64 attributes;
	__u64 flags;
};
#endif

#ifndef KVM_CREATE_GUEST_MEMFD
#define KVM_CAP_GUEST_MEMFD    234
#define KVM_CREATE_GUEST_MEMFD _IOWR(KVMIO, 0xd4, struct kvm_create_guest_memfd)

struct kvm_create_guest_memfd {
	__u64 size;
	__u64 flags;
	__u64 reserved[6];
};
#endif

#ifndef GUEST_MEMFD_FLAG_MMAP
#define GUEST_MEMFD_FLAG_MMAP (1ull << 0)
#endif
#ifndef GUEST_MEMFD_FLAG_INIT_SHARED
#define GUEST_MEMFD_FLAG_INIT_SHARED (1ull << 1)
#endif
#ifndef KVM_CAP_GUEST_MEMFD_FLAGS
#define KVM_CAP_GUEST_MEMFD_FLAGS 244
#endif

#ifndef KVM_PRE_FAULT_MEMORY
#define KVM_CAP_PRE_FAULT_MEMORY 236
#define KVM_PRE_FAULT_MEMORY	 _IOWR(KVMIO, 0xd5, struct kvm_pre_fault_memory)

struct kvm_pre_fault_memory {
	__u64 gpa;
	__u64 size;
	__u64 flags;
	__u64 padding[5];
};
#endif

/* What kvm_run tells of KVM_EXIT_MEMORY_FAULT, beside what others tell. */
struct kvm_memory_fault {
	__u64 flags;
	__u64 gpa;
	__u64 size;
};

static inline const struct kvm_memory_fault *
kvm_memory_fault(const struct kvm_run *run)
{
	return (const struct kvm_memory_fault *)&run->hw;
}

_Static_assert(sizeof(struct kvm_userspace_memory_region2) == 160 &&
		       sizeof(struct kvm_memory_attributes) == 32 &&
		       sizeof(struct kvm_create_guest_memfd) == 64 &&
		       sizeof(struct kvm_pre_fault_memory) == 64,
	       "the sizes are part of the ioctls' numbers");

#endif
