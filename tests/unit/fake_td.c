/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands of TDs, and their CPUID. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/fake_kvm.h"

#define PAGE		    4096ull
#define SEPT_VE_DISABLE	    (1ull << 28)
#define TDX_OPERAND_INVALID 0xC000010000000000ull
#define TDX_OPERAND_BUSY    0x8000020000000000ull
#define ADDRESS_SIZES	    0x80000008u

/* ------------------------------------------------------------------ CPUID */

/* Leaves with a meaning, then enough others to need room. */
static struct kvm_cpuid_entry2 entry(uint32_t i)
{
	static const uint32_t functions[] = {0, 1, 7, ADDRESS_SIZES};
	uint32_t function = i < 4 ? functions[i] : 0x1000 + i;

	return (struct kvm_cpuid_entry2){
		.function = function,
		.flags = function == 7 ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
		.eax = 0xffffffff,
		.ebx = 0xffffffff,
		.ecx = 0xffffffff,
		.edx = 0xffffffff,
	};
}

/* False: there is not room for n of them. */
static bool fill(struct kvm_cpuid2 *cpuid, uint32_t n)
{
	uint32_t i;

	if (cpuid->nent < n)
		return false;
	cpuid->nent = n;
	for (i = 0; i < n; i++)
		cpuid->entries[i] = entry(i);
	return true;
}

bool fake_cpuid_supported(struct kvm_cpuid2 *cpuid)
{
	return fill(cpuid, FAKE_CPUIDS);
}

/* Those of a TD can have no HLE, RTM or WAITPKG, nor a hypervisor's leaf. */
static struct kvm_cpuid_entry2 mask_of(uint32_t i)
{
	struct kvm_cpuid_entry2 e = entry(i);

	if (e.function == 0x1000 + 6)
		e.edx = 0x0000ffff;
	return e;
}

static int find_mask(const struct kvm_cpuid_entry2 *e)
{
	int i;

	for (i = 0; i < FAKE_TD_CPUIDS; i++) {
		struct kvm_cpuid_entry2 mask = mask_of((uint32_t)i);

		if (mask.function == e->function && mask.index == e->index)
			return i;
	}
	return -1;
}

static const char *entry_wrong(const struct kvm_cpuid_entry2 *e)
{
	struct kvm_cpuid_entry2 mask;
	uint32_t gpaw = e->eax >> 16 & 0xff;
	int i = find_mask(e);

	if (i < 0)
		return "KVM_TDX_INIT_VM: CPUID that a TD can't have";
	mask = mask_of((uint32_t)i);
	if ((e->eax & ~mask.eax) | (e->ebx & ~mask.ebx) | (e->ecx & ~mask.ecx) |
	    (e->edx & ~mask.edx))
		return "KVM_TDX_INIT_VM: bits that a TD can't have";
	if (e->function == 7 && (e->ebx & (1 << 4 | 1 << 11)))
		return "KVM_TDX_INIT_VM: HLE or RTM";
	if (e->function == 7 && (e->ecx & 1 << 5))
		return "KVM_TDX_INIT_VM: WAITPKG";
	if (e->function == ADDRESS_SIZES && gpaw != 48 && gpaw != 52)
		return "KVM_TDX_INIT_VM: width of GPAs";
	return NULL;
}

static const char *cpuid_wrong(const struct kvm_cpuid2 *cpuid)
{
	const char *wrong = cpuid->padding ? "KVM_TDX_INIT_VM: padding" : NULL;
	bool sizes = false;
	uint32_t i;

	for (i = 0; !wrong && i < cpuid->nent; i++) {
		wrong = entry_wrong(&cpuid->entries[i]);
		sizes = sizes || cpuid->entries[i].function == ADDRESS_SIZES;
	}
	return wrong || sizes ? wrong : "KVM_TDX_INIT_VM: no width of GPAs";
}

/* --------------------------------------------------------------- of the VM */

static int capabilities(struct kvm_tdx_cmd *cmd, struct fake_vcpu *vcpu)
{
	struct kvm_tdx_capabilities *caps = (void *)(uintptr_t)cmd->data;
	uint32_t i;

	(void)vcpu;
	if (!fill(&caps->cpuid, FAKE_TD_CPUIDS))
		return fake_expected(E2BIG);
	for (i = 0; i < FAKE_TD_CPUIDS; i++)
		caps->cpuid.entries[i] = mask_of(i);
	caps->supported_attrs = SEPT_VE_DISABLE;
	caps->supported_xfam = 0xe7;
	return 0;
}

static int init_vm(struct kvm_tdx_cmd *cmd, struct fake_vcpu *vcpu)
{
	const struct kvm_tdx_init_vm *init = (void *)(uintptr_t)cmd->data;
	static const uint64_t zeros[12];
	const char *wrong = cpuid_wrong(&init->cpuid);

	(void)vcpu;
	if (fake_vm.td != TD_NONE)
		return fake_refuse(EINVAL, "KVM_TDX_INIT_VM: twice");
	if (fake_vm.nvcpus)
		return fake_refuse(EBUSY, "KVM_TDX_INIT_VM: vCPUs");
	if (memcmp(init->reserved, zeros, sizeof(zeros)))
		return fake_refuse(EINVAL, "KVM_TDX_INIT_VM: reserved");
	if ((init->attributes & ~SEPT_VE_DISABLE) || (init->xfam & ~0xe7ull))
		return fake_refuse(EINVAL, "KVM_TDX_INIT_VM: attributes, XFAM");
	if (wrong) {
		cmd->hw_error = TDX_OPERAND_INVALID;
		return fake_refuse(EINVAL, wrong);
	}
	if (fake_options.init_status) {
		cmd->hw_error = fake_options.init_status;
		return fake_expected(EINVAL);
	}
	if (fake_options.no_entropy) {
		fake_options.no_entropy--;
		return fake_expected(EAGAIN);
	}
	fake_vm.ve_disable = init->attributes & SEPT_VE_DISABLE;
	fake_vm.td = TD_INITIALIZED;
	return 0;
}

static int finalize(struct kvm_tdx_cmd *cmd, struct fake_vcpu *vcpu)
{
	(void)cmd;
	(void)vcpu;
	if (fake_vm.td != TD_INITIALIZED)
		return fake_refuse(EINVAL, "KVM_TDX_FINALIZE_VM: state");
	fake_vm.td = TD_RUNNABLE;
	fake_unlock();
	usleep(fake_options.finalize_us);
	fake_lock();
	return 0;
}

/* ----------------------------------------------------------------- of vCPUs */

static int get_cpuid(struct kvm_tdx_cmd *cmd, struct fake_vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = (void *)(uintptr_t)cmd->data;

	(void)vcpu;
	if (fill(cpuid, FAKE_VCPU_CPUIDS))
		return 0;
	cpuid->nent = FAKE_VCPU_CPUIDS;
	return fake_expected(E2BIG);
}

static int init_vcpu(struct kvm_tdx_cmd *cmd, struct fake_vcpu *vcpu)
{
	(void)cmd;
	if (vcpu->initialized)
		return fake_refuse(EINVAL, "KVM_TDX_INIT_VCPU: twice");
	if (!vcpu->x2apic)
		return fake_refuse(EINVAL, "KVM_TDX_INIT_VCPU: no x2APIC");
	vcpu->initialized = true;
	return 0;
}

static const char *region_wrong(const struct kvm_tdx_init_mem_region *r)
{
	const struct fake_slot *slot;
	uint64_t i;

	if (!r->source_addr || r->source_addr & (PAGE - 1))
		return "KVM_TDX_INIT_MEM_REGION: source";
	if (!r->nr_pages || r->gpa & (PAGE - 1) ||
	    r->gpa / PAGE + r->nr_pages > FAKE_GFNS)
		return "KVM_TDX_INIT_MEM_REGION: pages";
	for (i = 0; i < r->nr_pages; i++) {
		uint64_t gpa = r->gpa + i * PAGE;

		if (!fake_slot_of(gpa, &slot) || slot->gmem < 0)
			return "KVM_TDX_INIT_MEM_REGION: no guest_memfd";
		if (!(fake_vm.page[gpa / PAGE] & PAGE_PRIVATE))
			return "KVM_TDX_INIT_MEM_REGION: shared page";
		if (fake_vm.page[gpa / PAGE] & PAGE_MAPPED)
			return "KVM_TDX_INIT_MEM_REGION: page twice";
	}
	return NULL;
}

/* As the kernel does: how far it came is in the structure. */
static int init_mem_region(struct kvm_tdx_cmd *cmd, struct fake_vcpu *vcpu)
{
	struct kvm_tdx_init_mem_region *r = (void *)(uintptr_t)cmd->data;
	bool measure = cmd->flags & KVM_TDX_MEASURE_MEMORY_REGION;
	const char *wrong = region_wrong(r);
	unsigned done = 0;

	if (!wrong && !vcpu->initialized)
		wrong = "KVM_TDX_INIT_MEM_REGION: vCPU";
	if (wrong)
		return fake_refuse(EINVAL, wrong);
	if (r->nr_pages == 1 && fake_options.busy_adds) {
		fake_options.busy_adds--;
		cmd->hw_error = TDX_OPERAND_BUSY;
		return fake_expected(EBUSY);
	}
	for (; r->nr_pages; done++) {
		if (fake_options.piece && done == fake_options.piece)
			return fake_expected(EINTR);
		fake_private(r->gpa, (void *)(uintptr_t)r->source_addr, PAGE,
			     true);
		fake_vm.page[r->gpa / PAGE] |= PAGE_MAPPED | PAGE_ACCEPTED;
		if (measure)
			fake_vm.page[r->gpa / PAGE] |= PAGE_MEASURED;
		fake_counts.measured += measure;
		r->source_addr += PAGE;
		r->gpa += PAGE;
		r->nr_pages--;
	}
	return 0;
}

/* ---------------------------------------------------------------- commands */

int fake_td_command(struct kvm_tdx_cmd *cmd, struct fake_vcpu *vcpu)
{
	static const struct {
		int (*fn)(struct kvm_tdx_cmd *cmd, struct fake_vcpu *vcpu);
		bool of_vcpu;
		uint32_t flags;
	} commands[] = {
		[KVM_TDX_CAPABILITIES] = {capabilities, false, 0},
		[KVM_TDX_INIT_VM] = {init_vm, false, 0},
		[KVM_TDX_INIT_VCPU] = {init_vcpu, true, 0},
		[KVM_TDX_INIT_MEM_REGION] = {init_mem_region, true,
					     KVM_TDX_MEASURE_MEMORY_REGION},
		[KVM_TDX_FINALIZE_VM] = {finalize, false, 0},
		[KVM_TDX_GET_CPUID] = {get_cpuid, true, 0},
	};

	if (cmd->hw_error)
		return fake_refuse(EINVAL, "KVM_MEMORY_ENCRYPT_OP: hw_error");
	if (cmd->id >= KVM_TDX_CMD_NR_MAX)
		return fake_refuse(EINVAL, "KVM_MEMORY_ENCRYPT_OP: command");
	if (commands[cmd->id].of_vcpu != (vcpu != NULL))
		return fake_refuse(EINVAL, "KVM_MEMORY_ENCRYPT_OP: of whom");
	if (cmd->flags & ~commands[cmd->id].flags)
		return fake_refuse(EINVAL, "KVM_MEMORY_ENCRYPT_OP: flags");
	/* Who races a build has to expect that it is over. */
	if (cmd->id == KVM_TDX_GET_CPUID && fake_vm.td == TD_RUNNABLE)
		return fake_expected(EINVAL);
	if (vcpu && fake_vm.td != TD_INITIALIZED)
		return fake_refuse(EINVAL, "a command of a vCPU: state");
	return commands[cmd->id].fn(cmd, vcpu);
}
