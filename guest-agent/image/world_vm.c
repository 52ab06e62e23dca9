/* SPDX-License-Identifier: GPL-2.0-only */
/* The agent in a VM that is no TD. */
#include "guest-agent/image/world.h"

static void begin(struct vcpu *vcpu)
{
	(void)vcpu;
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

/* The host lets no script with this in. */
static enum agent_result convert(const struct vcpu *vcpu, uint64_t gpa,
				 uint64_t bytes, bool to_private)
{
	(void)vcpu;
	(void)gpa;
	(void)bytes;
	(void)to_private;
	return AGENT_MISMATCH;
}

static void halt(void)
{
	__asm__ volatile("hlt" : : : "memory");
}

static bool pending(void)
{
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
