/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kvm/td.h"
#include "kvm/td_command.h"

#define PAGE_BYTES 4096ull

enum {
	ATTRIBUTE_SEPT_VE_DISABLE = 1 << 28,
	/* Of the split interrupt controller: KVM makes vCPUs of TDs with no
	   other, and nobody uses these. */
	IOAPIC_PINS = 24,
	/* KVM_TDX_INIT_VM that find no entropy. */
	MOST_TRIES = 16,
};

/* ------------------------------------------------------------------ caps */

static int enable_caps(int vm, struct err *e)
{
	static const struct {
		const char *name;
		uint32_t cap;
		uint64_t arg;
	} caps[] = {
		{"KVM_CAP_X2APIC_API", KVM_CAP_X2APIC_API,
		 KVM_X2APIC_API_USE_32BIT_IDS |
			 KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK},
		{"KVM_CAP_SPLIT_IRQCHIP", KVM_CAP_SPLIT_IRQCHIP, IOAPIC_PINS},
		/* Without it a TD can't ask for conversions. */
		{"KVM_CAP_EXIT_HYPERCALL", KVM_CAP_EXIT_HYPERCALL,
		 1ull << KVM_HC_MAP_GPA_RANGE},
	};
	size_t i;

	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		struct kvm_enable_cap cap = {.cap = caps[i].cap,
					     .args = {caps[i].arg}};

		if (ioctl(vm, KVM_ENABLE_CAP, &cap))
			return err_set(e, EXIT_FAILED,
				       "tdx: KVM_ENABLE_CAP of %s: %s",
				       caps[i].name, strerror(errno));
	}
	return 0;
}

static int check_vcpus(int vm, uint32_t vcpus, struct err *e)
{
	int most = ioctl(vm, KVM_CHECK_EXTENSION, (long)KVM_CAP_MAX_VCPUS);

	if (most < 0)
		return err_set(e, EXIT_FAILED, "tdx: KVM_CAP_MAX_VCPUS: %s",
			       strerror(errno));
	if (vcpus > (uint32_t)most)
		return err_set(e, EXIT_UNSUPPORTED,
			       "KVM_CAP_MAX_VCPUS of a TD is %d here, the cell "
			       "has %u vCPUs",
			       most, vcpus);
	return 0;
}

/* --------------------------------------------------------------- INIT_VM */

static int send_init_vm(int vm, const struct kvm_tdx_init_vm *init,
			struct err *e)
{
	struct kvm_tdx_cmd cmd = {.id = KVM_TDX_INIT_VM,
				  .data = (uintptr_t)init};
	int tries = 0;

	while (td_command(vm, &cmd)) {
		if (errno != EAGAIN || ++tries == MOST_TRIES)
			return td_failed(&cmd, e);
	}
	return 0;
}

/* XFAM 0: KVM adds what every TD has, and the agent uses no more. */
static int init_vm(int vm, uint64_t attributes, const struct kvm_cpuid2 *cpuid,
		   struct err *e)
{
	size_t bytes = sizeof(*cpuid) + cpuid->nent * sizeof(cpuid->entries[0]);
	struct kvm_tdx_init_vm *init =
		calloc(1, offsetof(struct kvm_tdx_init_vm, cpuid) + bytes);
	int status;

	if (!init)
		return err_set(e, EXIT_FAILED, "tdx: out of memory");
	init->attributes = attributes;
	memcpy(&init->cpuid, cpuid, bytes);
	status = send_init_vm(vm, init, e);
	free(init);
	return status;
}

static int configure(int kvm, int vm, const struct td_shape *shape,
		     const struct kvm_tdx_capabilities *caps, struct err *e)
{
	uint64_t attributes =
		shape->ve_disable ? (uint64_t)ATTRIBUTE_SEPT_VE_DISABLE : 0;
	struct kvm_cpuid2 *cpuid;
	int status;

	if (attributes & ~caps->supported_attrs)
		return err_set(
			e, EXIT_UNSUPPORTED,
			"KVM_TDX_CAPABILITIES: attributes %#llx, without "
			"SEPT_VE_DISABLE (bit 28)",
			(unsigned long long)caps->supported_attrs);
	cpuid = td_cpuid_of_td(kvm, caps, e);
	if (!cpuid)
		return -1;
	status = init_vm(vm, attributes, cpuid, e);
	free(cpuid);
	return status;
}

int td_begin(int kvm, int vm, const struct td_shape *shape, struct err *e)
{
	struct kvm_tdx_capabilities *caps;
	int status;

	if (enable_caps(vm, e) || check_vcpus(vm, shape->vcpus, e))
		return -1;
	caps = td_capabilities(vm, e);
	if (!caps)
		return -1;
	status = configure(kvm, vm, shape, caps, e);
	free(caps);
	return status;
}

/* --------------------------------------------- vCPUs, memory, end of build */

int td_vcpu(int vcpu, struct err *e)
{
	struct kvm_tdx_cmd cmd = {.id = KVM_TDX_INIT_VCPU};

	/* First its CPUID: KVM_TDX_INIT_VCPU switches the x2APIC on. */
	if (td_cpuid_of_vcpu(vcpu, e))
		return -1;
	return td_command(vcpu, &cmd) ? td_failed(&cmd, e) : 0;
}

/*
 * KVM keeps in the region how far it came when a signal interrupts it: the
 * same call goes on there.
 */
static int load(int vcpu, struct kvm_tdx_init_mem_region *region, bool measure,
		struct kvm_tdx_cmd *cmd)
{
	*cmd = (struct kvm_tdx_cmd){
		.id = KVM_TDX_INIT_MEM_REGION,
		.flags = measure ? KVM_TDX_MEASURE_MEMORY_REGION : 0,
		.data = (uintptr_t)region,
	};
	while (td_command(vcpu, cmd)) {
		if (errno != EINTR)
			return -1;
	}
	return 0;
}

int td_load(int vcpu, uint64_t gpa, const void *source, uint64_t bytes,
	    struct err *e)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (uintptr_t)source,
		.gpa = gpa,
		.nr_pages = bytes / PAGE_BYTES,
	};
	struct kvm_tdx_cmd cmd;

	return load(vcpu, &region, true, &cmd) ? td_failed(&cmd, e) : 0;
}

int td_add(int vcpu, uint64_t gpa, const void *source, bool measure,
	   struct kvm_tdx_cmd *cmd)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (uintptr_t)source,
		.gpa = gpa,
		.nr_pages = 1,
	};

	return load(vcpu, &region, measure, cmd);
}

int td_finalize(int vm, struct err *e)
{
	struct kvm_tdx_cmd cmd = {.id = KVM_TDX_FINALIZE_VM};

	return td_command(vm, &cmd) ? td_failed(&cmd, e) : 0;
}

/* -------------------------------------------------------------- interrupt */

/* To an x2APIC ID, the upper bits of which are in the upper half. */
int td_wake(int vm, uint32_t vcpu)
{
	enum { MSI_ADDRESS = 0xFEE00000, DESTINATION_SHIFT = 12, VECTOR = 48 };
	struct kvm_msi msi = {
		.address_lo = MSI_ADDRESS | (vcpu & 0xff) << DESTINATION_SHIFT,
		.address_hi = vcpu & ~0xffu,
		.data = VECTOR,
	};

	/* 0: its APIC is off yet, so it has not halted. */
	return ioctl(vm, KVM_SIGNAL_MSI, &msi) < 0 ? -1 : 0;
}
