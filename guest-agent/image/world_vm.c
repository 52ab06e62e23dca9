/* SPDX-License-Identifier: GPL-2.0-only */
/* The agent in a VM that is no TD. */
#include <cpuid.h>

#include "guest-agent/image/world.h"

/* Linux's numbers, <linux/kvm_para.h>. */
#define HC_MAP_GPA_RANGE 12ull
#define MAP_GPA_PRIVATE	 (1ull << 4)

#define HYGON_EBX 0x6f677948u /* "Hygo", which <cpuid.h> does not have */

/* KVM would write the right one over the other; then it would be timed. */
static void begin(struct vcpu *vcpu)
{
	unsigned a, b, c, d;

	__cpuid(0, a, b, c, d);
	vcpu->vmmcall = b == signature_AMD_ebx || b == HYGON_EBX;
}

static void ring(enum agent_doorbell bell)
{
	__asm__ volatile("outb %b0, %1"
			 :
			 : "a"(bell), "N"(AGENT_PORT)
			 : "memory");
}

/* It has nothing to accept. */
static enum agent_result accept(uint64_t gpa, unsigned level)
{
	(void)gpa;
	(void)level;
	return AGENT_OK;
}

/* The host lets this in only where pages have the attribute PRIVATE. */
static enum agent_result convert(const struct vcpu *vcpu, uint64_t gpa,
				 uint64_t bytes, bool to_private)
{
	uint64_t result = HC_MAP_GPA_RANGE;
	uint64_t how = to_private ? MAP_GPA_PRIVATE : 0;

	if (vcpu->vmmcall)
		__asm__ volatile("vmmcall"
				 : "+a"(result)
				 : "b"(gpa), "c"(bytes >> 12), "d"(how)
				 : "memory");
	else
		__asm__ volatile("vmcall"
				 : "+a"(result)
				 : "b"(gpa), "c"(bytes >> 12), "d"(how)
				 : "memory");
	return result ? AGENT_MISMATCH : AGENT_OK;
}

static void halt(struct vcpu *vcpu)
{
	(void)vcpu;
	__asm__ volatile("hlt" : : : "memory");
}

static bool pending(uint64_t *gpa)
{
	(void)gpa;
	return false;
}

const struct world world_vm = {
	.begin = begin,
	.ring = ring,
	.accept = accept,
	.convert = convert,
	.halt = halt,
	.pending = pending,
};
