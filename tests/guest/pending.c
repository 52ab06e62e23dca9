/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A world in an ordinary VM whose pages are pending as those of a TD are: not
 * present in the page tables until they are accepted, and a page fault stands
 * for the #VE.  The agent's main.c is compiled with VECTOR_VE 14 for it.
 */
#include "guest-agent/image/world.h"

#define PRESENT 1ull

/* The PD entry, of 2M, that maps an address of the memory. */
static volatile uint64_t *entry(uint64_t gpa)
{
	/* Behind PML4, PDPT and two PDs of what is below 4 GiB. */
	return (volatile uint64_t *)(uintptr_t)AGENT_TABLES + 4 * 512 +
	       ((gpa - AGENT_MEMORY) >> 21);
}

static void take_away(uint64_t gpa)
{
	*entry(gpa) &= ~PRESENT;
	__asm__ volatile("invlpg (%0)" : : "r"(gpa) : "memory");
}

static void begin(struct vcpu *vcpu)
{
	uint64_t gpa = AGENT_MEMORY;

	(void)vcpu;
	for (; *entry(gpa) & PRESENT; gpa += 2ull << 20) {
		take_away(gpa);
		if ((gpa & ((1ull << 30) - 1)) == (511ull << 21))
			break;
	}
}

static void ring(enum agent_doorbell bell)
{
	__asm__ volatile("outb %b0, %1"
			 :
			 : "a"(bell), "N"(AGENT_PORT)
			 : "memory");
}

/* What was accepted is pending again, for whoever looks at it next. */
static enum agent_result accept(uint64_t gpa, unsigned level)
{
	(void)level;
	if (*entry(gpa) & PRESENT) {
		take_away(gpa);
		return AGENT_ALREADY;
	}
	*entry(gpa) |= PRESENT;
	return AGENT_OK;
}

static enum agent_result convert(const struct vcpu *vcpu, uint64_t gpa,
				 uint64_t bytes, bool to_private)
{
	(void)vcpu;
	(void)gpa;
	(void)bytes;
	(void)to_private;
	return AGENT_MISMATCH;
}

static void halt(struct vcpu *vcpu)
{
	(void)vcpu;
}

static bool pending(uint64_t *gpa)
{
	__asm__ volatile("movq %%cr2, %0" : "=r"(*gpa));
	return *gpa >= AGENT_MEMORY;
}

const struct world world_vm = {
	.begin = begin,
	.ring = ring,
	.accept = accept,
	.convert = convert,
	.halt = halt,
	.pending = pending,
};
