/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's interface for VMs with private memory and for TDs, number by
 * number.  What is expected was computed from the headers of Linux 7.3 and is
 * written out here, so that neither old nor new headers can move it.
 * tests/cli/uapi.sh compiles this file against the newest headers as well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "kvm/uapi_tdx.h"

struct row {
	const char *what;
	unsigned long long is, expected;
};

#define NUMBER(name, value)                                                    \
	{                                                                      \
#name, name, value                                             \
	}
#define SIZE(type, value)                                                      \
	{                                                                      \
		"sizeof " #type, sizeof(struct type), value                    \
	}
#define AT(type, member, value)                                                \
	{                                                                      \
#type "." #member, offsetof(struct type, member), value        \
	}

static void hold(const struct row *row, size_t rows)
{
	size_t i, wrong = 0;

	for (i = 0; i < rows; i++) {
		if (row[i].is == row[i].expected)
			continue;
		print_error("%s: %#llx, expected %#llx\n", row[i].what,
			    row[i].is, row[i].expected);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

#define HOLD(rows) hold(rows, sizeof(rows) / sizeof((rows)[0]))

static void test_ioctls(void **state)
{
	static const struct row rows[] = {
		NUMBER(KVM_API_VERSION, 12),
		NUMBER(KVM_GET_API_VERSION, 0xAE00),
		NUMBER(KVM_CREATE_VM, 0xAE01),
		NUMBER(KVM_CHECK_EXTENSION, 0xAE03),
		NUMBER(KVM_GET_VCPU_MMAP_SIZE, 0xAE04),
		NUMBER(KVM_GET_SUPPORTED_CPUID, 0xC008AE05),
		NUMBER(KVM_CREATE_VCPU, 0xAE41),
		NUMBER(KVM_SET_USER_MEMORY_REGION, 0x4020AE46),
		NUMBER(KVM_SET_USER_MEMORY_REGION2, 0x40A0AE49),
		NUMBER(KVM_RUN, 0xAE80),
		NUMBER(KVM_SET_REGS, 0x4090AE82),
		NUMBER(KVM_SET_SREGS, 0x4138AE84),
		NUMBER(KVM_SET_CPUID2, 0x4008AE90),
		NUMBER(KVM_GET_CPUID2, 0xC008AE91),
		NUMBER(KVM_SET_TSC_KHZ, 0xAEA2),
		NUMBER(KVM_GET_TSC_KHZ, 0xAEA3),
		NUMBER(KVM_ENABLE_CAP, 0x4068AEA3),
		NUMBER(KVM_SIGNAL_MSI, 0x4020AEA5),
		NUMBER(KVM_MEMORY_ENCRYPT_OP, 0xC008AEBA),
		NUMBER(KVM_GET_STATS_FD, 0xAECE),
		NUMBER(KVM_SET_MEMORY_ATTRIBUTES, 0x4020AED2),
		NUMBER(KVM_CREATE_GUEST_MEMFD, 0xC040AED4),
		NUMBER(KVM_PRE_FAULT_MEMORY, 0xC040AED5),
	};

	(void)state;
	HOLD(rows);
}

static void test_numbers(void **state)
{
	static const struct row rows[] = {
		NUMBER(KVM_X86_DEFAULT_VM, 0),
		NUMBER(KVM_X86_SW_PROTECTED_VM, 1),
		NUMBER(KVM_X86_TDX_VM, 5),
		NUMBER(KVM_CAP_MAX_VCPUS, 66),
		NUMBER(KVM_CAP_SPLIT_IRQCHIP, 121),
		NUMBER(KVM_CAP_X2APIC_API, 129),
		NUMBER(KVM_X2APIC_API_USE_32BIT_IDS, 1),
		NUMBER(KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK, 2),
		NUMBER(KVM_CAP_EXIT_HYPERCALL, 201),
		NUMBER(KVM_CAP_BINARY_STATS_FD, 203),
		NUMBER(KVM_CAP_DISABLE_QUIRKS2, 213),
		NUMBER(KVM_CAP_USER_MEMORY2, 231),
		NUMBER(KVM_CAP_MEMORY_FAULT_INFO, 232),
		NUMBER(KVM_CAP_MEMORY_ATTRIBUTES, 233),
		NUMBER(KVM_CAP_GUEST_MEMFD, 234),
		NUMBER(KVM_CAP_VM_TYPES, 235),
		NUMBER(KVM_CAP_PRE_FAULT_MEMORY, 236),
		NUMBER(KVM_CAP_GUEST_MEMFD_FLAGS, 244),
		NUMBER(KVM_TDX_CAPABILITIES, 0),
		NUMBER(KVM_TDX_INIT_VM, 1),
		NUMBER(KVM_TDX_INIT_VCPU, 2),
		NUMBER(KVM_TDX_INIT_MEM_REGION, 3),
		NUMBER(KVM_TDX_FINALIZE_VM, 4),
		NUMBER(KVM_TDX_GET_CPUID, 5),
		NUMBER(KVM_TDX_MEASURE_MEMORY_REGION, 1),
		NUMBER(KVM_MEM_GUEST_MEMFD, 4),
		NUMBER(KVM_MEMORY_ATTRIBUTE_PRIVATE, 8),
		NUMBER(KVM_MEMORY_EXIT_FLAG_PRIVATE, 8),
		NUMBER(GUEST_MEMFD_FLAG_MMAP, 1),
		NUMBER(GUEST_MEMFD_FLAG_INIT_SHARED, 2),
		NUMBER(KVM_CPUID_FLAG_SIGNIFCANT_INDEX, 1),
		NUMBER(KVM_HC_MAP_GPA_RANGE, 12),
		NUMBER(KVM_MAP_GPA_RANGE_ENCRYPTED, 0x10),
		NUMBER(KVM_EXIT_IO, 2),
		NUMBER(KVM_EXIT_IO_OUT, 1),
		NUMBER(KVM_EXIT_HYPERCALL, 3),
		NUMBER(KVM_EXIT_MMIO, 6),
		NUMBER(KVM_EXIT_SHUTDOWN, 8),
		NUMBER(KVM_EXIT_FAIL_ENTRY, 9),
		NUMBER(KVM_EXIT_INTERNAL_ERROR, 17),
		NUMBER(KVM_EXIT_SYSTEM_EVENT, 24),
		NUMBER(KVM_EXIT_MEMORY_FAULT, 39),
		NUMBER(KVM_EXIT_TDX, 40),
		NUMBER(KVM_SYSTEM_EVENT_TDX_FATAL, 7),
		NUMBER(KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON, 4),
	};

	(void)state;
	HOLD(rows);
}

static void test_structures(void **state)
{
	static const struct row rows[] = {
		SIZE(kvm_enable_cap, 104),
		AT(kvm_enable_cap, args, 8),
		SIZE(kvm_cpuid2, 8),
		AT(kvm_cpuid2, entries, 8),
		SIZE(kvm_cpuid_entry2, 40),
		AT(kvm_cpuid_entry2, flags, 8),
		AT(kvm_cpuid_entry2, eax, 12),
		SIZE(kvm_tdx_cmd, 24),
		AT(kvm_tdx_cmd, id, 0),
		AT(kvm_tdx_cmd, flags, 4),
		AT(kvm_tdx_cmd, data, 8),
		AT(kvm_tdx_cmd, hw_error, 16),
		SIZE(kvm_tdx_capabilities, 2056),
		AT(kvm_tdx_capabilities, supported_attrs, 0),
		AT(kvm_tdx_capabilities, supported_xfam, 8),
		AT(kvm_tdx_capabilities, kernel_tdvmcallinfo_1_r11, 16),
		AT(kvm_tdx_capabilities, user_tdvmcallinfo_1_r11, 24),
		AT(kvm_tdx_capabilities, kernel_tdvmcallinfo_1_r12, 32),
		AT(kvm_tdx_capabilities, user_tdvmcallinfo_1_r12, 40),
		AT(kvm_tdx_capabilities, reserved, 48),
		AT(kvm_tdx_capabilities, cpuid, 2048),
		SIZE(kvm_tdx_init_vm, 264),
		AT(kvm_tdx_init_vm, attributes, 0),
		AT(kvm_tdx_init_vm, xfam, 8),
		AT(kvm_tdx_init_vm, mrconfigid, 16),
		AT(kvm_tdx_init_vm, mrowner, 64),
		AT(kvm_tdx_init_vm, mrownerconfig, 112),
		AT(kvm_tdx_init_vm, reserved, 160),
		AT(kvm_tdx_init_vm, cpuid, 256),
		SIZE(kvm_tdx_init_mem_region, 24),
		AT(kvm_tdx_init_mem_region, source_addr, 0),
		AT(kvm_tdx_init_mem_region, gpa, 8),
		AT(kvm_tdx_init_mem_region, nr_pages, 16),
		SIZE(kvm_userspace_memory_region2, 160),
		AT(kvm_userspace_memory_region2, slot, 0),
		AT(kvm_userspace_memory_region2, flags, 4),
		AT(kvm_userspace_memory_region2, guest_phys_addr, 8),
		AT(kvm_userspace_memory_region2, memory_size, 16),
		AT(kvm_userspace_memory_region2, userspace_addr, 24),
		AT(kvm_userspace_memory_region2, guest_memfd_offset, 32),
		AT(kvm_userspace_memory_region2, guest_memfd, 40),
		SIZE(kvm_create_guest_memfd, 64),
		AT(kvm_create_guest_memfd, size, 0),
		AT(kvm_create_guest_memfd, flags, 8),
		SIZE(kvm_memory_attributes, 32),
		AT(kvm_memory_attributes, address, 0),
		AT(kvm_memory_attributes, size, 8),
		AT(kvm_memory_attributes, attributes, 16),
		AT(kvm_memory_attributes, flags, 24),
		SIZE(kvm_pre_fault_memory, 64),
		AT(kvm_pre_fault_memory, gpa, 0),
		AT(kvm_pre_fault_memory, size, 8),
		AT(kvm_pre_fault_memory, flags, 16),
		SIZE(kvm_msi, 32),
	};

	(void)state;
	HOLD(rows);
}

static void test_run(void **state)
{
	static const struct row rows[] = {
		SIZE(kvm_run, 2352),
		AT(kvm_run, immediate_exit, 1),
		AT(kvm_run, exit_reason, 8),
		AT(kvm_run, io.direction, 32),
		AT(kvm_run, io.size, 33),
		AT(kvm_run, io.port, 34),
		AT(kvm_run, io.count, 36),
		AT(kvm_run, io.data_offset, 40),
		AT(kvm_run, mmio.phys_addr, 32),
		AT(kvm_run, mmio.data, 40),
		AT(kvm_run, mmio.len, 48),
		AT(kvm_run, mmio.is_write, 52),
		AT(kvm_run, hypercall.nr, 32),
		AT(kvm_run, hypercall.args, 40),
		AT(kvm_run, hypercall.ret, 88),
		AT(kvm_run, system_event.type, 32),
		AT(kvm_run, system_event.ndata, 36),
		AT(kvm_run, system_event.data, 40),
		AT(kvm_run, internal.suberror, 32),
		AT(kvm_run, internal.ndata, 36),
		AT(kvm_run, internal.data, 40),
		AT(kvm_run, hw, 32), /* where kvm_memory_fault() looks */
		AT(kvm_memory_fault, flags, 32 - 32),
		AT(kvm_memory_fault, gpa, 40 - 32),
		AT(kvm_memory_fault, size, 48 - 32),
#if !TDMEM_OWN_TDX_UAPI
		AT(kvm_run, memory_fault.flags, 32),
		AT(kvm_run, memory_fault.gpa, 40),
		AT(kvm_run, memory_fault.size, 48),
		AT(kvm_run, tdx.flags, 32),
		AT(kvm_run, tdx.nr, 40),
		AT(kvm_run, tdx.unknown.ret, 48),
#endif
	};

	(void)state;
	HOLD(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ioctls),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_structures),
		cmocka_unit_test(test_run),
	};

#ifdef TDMEM_UAPI_WHOSE
	/* For uapi.sh: what it compared is not this project's own. */
	puts(TDMEM_OWN_TDX_UAPI ? "# TDs: of this file"
				: "# TDs: of <asm/kvm.h>");
#endif
	return cmocka_run_group_tests(tests, NULL, NULL);
}
