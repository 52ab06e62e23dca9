/* SPDX-License-Identifier: GPL-2.0-only */
/* The CPUID of a TD: what KVM and the TDX module both can give. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kvm/td.h"
#include "kvm/td_command.h"

/* CPUID entries that there is room for at first. */
enum { ROOM = 64 };

enum {
	LEAF_FEATURES = 1,
	LEAF_MORE_FEATURES = 7,
};
#define LEAF_ADDRESS_SIZES 0x80000008u

#define FEATURE_X2APIC	(1u << 21) /* leaf 1 ECX */
#define FEATURE_HLE	(1u << 4)  /* leaf 7 EBX */
#define FEATURE_RTM	(1u << 11) /* leaf 7 EBX */
#define FEATURE_WAITPKG (1u << 5)  /* leaf 7 ECX */

#define GPAW_SHIFT 16 /* leaf 80000008 EAX */
#define GPAW_MASK  (0xffu << GPAW_SHIFT)

/* ----------------------------------------------------------------- asking */

/** A request whose answer ends with CPUID entries. */
struct question {
	const char *name;
	unsigned long request;
	uint32_t id; /* of KVM_MEMORY_ENCRYPT_OP */
	size_t at;   /* where struct kvm_cpuid2 is in the answer */
};

static const struct question supported = {
	.name = "KVM_GET_SUPPORTED_CPUID",
	.request = KVM_GET_SUPPORTED_CPUID,
};
static const struct question capabilities = {
	.request = KVM_MEMORY_ENCRYPT_OP,
	.id = KVM_TDX_CAPABILITIES,
	.at = offsetof(struct kvm_tdx_capabilities, cpuid),
};
static const struct question given = {
	.request = KVM_MEMORY_ENCRYPT_OP,
	.id = KVM_TDX_GET_CPUID,
};

static int ask_once(int fd, const struct question *q, char *answer,
		    uint32_t room, struct kvm_tdx_cmd *cmd)
{
	((struct kvm_cpuid2 *)(answer + q->at))->nent = room;
	if (q->request != KVM_MEMORY_ENCRYPT_OP)
		return ioctl(fd, q->request, answer);
	*cmd = (struct kvm_tdx_cmd){.id = q->id, .data = (uintptr_t)answer};
	return td_command(fd, cmd);
}

static int question_failed(const struct question *q,
			   const struct kvm_tdx_cmd *cmd, struct err *e)
{
	if (q->request == KVM_MEMORY_ENCRYPT_OP)
		return td_failed(cmd, e);
	return err_set(e, EXIT_FAILED, "tdx: %s: %s", q->name, strerror(errno));
}

/* With ever more room, for the kernel does not say how much it takes. */
static void *ask(int fd, const struct question *q, struct err *e)
{
	struct kvm_tdx_cmd cmd = {.id = q->id};
	uint32_t room;
	char *answer;

	for (room = ROOM; room <= TD_MOST_CPUIDS; room *= 2) {
		answer = calloc(1,
				q->at + sizeof(struct kvm_cpuid2) +
					room * sizeof(struct kvm_cpuid_entry2));
		if (!answer) {
			err_set(e, EXIT_FAILED, "tdx: out of memory");
			return NULL;
		}
		if (ask_once(fd, q, answer, room, &cmd) == 0)
			return answer;
		free(answer);
		if (errno != E2BIG)
			break;
	}
	question_failed(q, &cmd, e);
	return NULL;
}

struct kvm_tdx_capabilities *td_capabilities(int vm, struct err *e)
{
	return ask(vm, &capabilities, e);
}

/* -------------------------------------------------------------- filtering */

static const struct kvm_cpuid_entry2 *find(const struct kvm_cpuid2 *in,
					   uint32_t function, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < in->nent; i++) {
		if (in->entries[i].function == function &&
		    in->entries[i].index == index)
			return &in->entries[i];
	}
	return NULL;
}

/* What a TD can't have although its capabilities do not say so. */
static void restrict_entry(struct kvm_cpuid_entry2 *entry)
{
	if (entry->function == LEAF_MORE_FEATURES && entry->index == 0) {
		entry->ebx &= ~(FEATURE_HLE | FEATURE_RTM);
		entry->ecx &= ~FEATURE_WAITPKG;
	} else if (entry->function == LEAF_ADDRESS_SIZES) {
		entry->eax &= ~GPAW_MASK;
		entry->eax |= (uint32_t)TD_GPAW << GPAW_SHIFT;
	}
}

/* KVM refuses an entry that the capabilities do not have. */
static void filter(struct kvm_cpuid2 *cpuid, const struct kvm_cpuid2 *can)
{
	uint32_t i, kept = 0;

	for (i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 entry = cpuid->entries[i];
		const struct kvm_cpuid_entry2 *mask =
			find(can, entry.function, entry.index);

		if (!mask)
			continue;
		entry.eax &= mask->eax;
		entry.ebx &= mask->ebx;
		entry.ecx &= mask->ecx;
		entry.edx &= mask->edx;
		restrict_entry(&entry);
		cpuid->entries[kept++] = entry;
	}
	cpuid->nent = kept;
	cpuid->padding = 0;
}

struct kvm_cpuid2 *
td_cpuid_of_td(int kvm, const struct kvm_tdx_capabilities *caps, struct err *e)
{
	struct kvm_cpuid2 *cpuid = ask(kvm, &supported, e);

	if (!cpuid)
		return NULL;
	filter(cpuid, &caps->cpuid);
	if (find(cpuid, LEAF_ADDRESS_SIZES, 0))
		return cpuid;
	err_set(e, EXIT_FAILED,
		"tdx: neither KVM_GET_SUPPORTED_CPUID nor KVM_TDX_CAPABILITIES "
		"may lack leaf %#x, which has the width of GPAs",
		LEAF_ADDRESS_SIZES);
	free(cpuid);
	return NULL;
}

int td_cpuid_of_vcpu(int vcpu, struct err *e)
{
	struct kvm_cpuid2 *cpuid = ask(vcpu, &given, e);
	const struct kvm_cpuid_entry2 *features;
	int status = 0;

	if (!cpuid)
		return -1;
	features = find(cpuid, LEAF_FEATURES, 0);
	if (!features || !(features->ecx & FEATURE_X2APIC))
		status = err_set(e, EXIT_FAILED,
				 "tdx: KVM_TDX_GET_CPUID: no x2APIC, without "
				 "which KVM starts no vCPU of a TD");
	else if (ioctl(vcpu, KVM_SET_CPUID2, cpuid))
		status = err_set(e, EXIT_FAILED, "tdx: KVM_SET_CPUID2: %s",
				 strerror(errno));
	free(cpuid);
	return status;
}
