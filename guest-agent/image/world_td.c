/* SPDX-License-Identifier: GPL-2.0-only */
/* The agent in a TD. */
#include "guest-agent/td.h"
#include "guest-agent/image/world.h"

enum {
	MSR_X2APIC_SIVR = 0x80F,
	APIC_ENABLED = 0x1FF, /* with the spurious vector 0xFF */
};

td_call_fn agent_tdcall __attribute__((visibility("hidden")));

static void give_up(enum td_fatal why, uint64_t gpa, uint64_t status)
{
	for (;;)
		td_report_fatal(agent_tdcall, why, gpa, status);
}

static void begin(struct vcpu *vcpu)
{
	uint64_t status;

	vcpu->shared_bit = td_shared_bit(agent_tdcall, &status);
	if (!vcpu->shared_bit)
		give_up(TD_FATAL_INFO, 0, status);
}

static void ring(enum agent_doorbell bell)
{
	td_out(agent_tdcall, AGENT_PORT, (uint8_t)bell);
}

static enum agent_result accept(uint64_t gpa, unsigned level)
{
	uint64_t status;
	enum agent_result r = td_accept(agent_tdcall, gpa, level, &status);

	if (r == AGENT_STOP)
		give_up(TD_FATAL_ACCEPT, gpa, status);
	return r;
}

static enum agent_result convert(const struct vcpu *vcpu, uint64_t gpa,
				 uint64_t bytes, bool to_private)
{
	uint64_t status;
	enum agent_result r = td_convert(agent_tdcall, vcpu->shared_bit, gpa,
					 bytes, to_private, &status);

	if (r == AGENT_STOP)
		give_up(TD_FATAL_CONVERT, gpa, status);
	return r;
}

/*
 * What ends a halt is an interrupt, and an APIC that is off takes none.  It
 * stays pending: interrupts are never enabled here.  The first time ends at
 * once, for the one to wait for may have come while the APIC was off.
 */
static void halt(struct vcpu *vcpu)
{
	uint64_t status;

	if (vcpu->apic_on) {
		td_halt(agent_tdcall);
		return;
	}
	status = td_wrmsr(agent_tdcall, MSR_X2APIC_SIVR, APIC_ENABLED);
	if (status)
		give_up(TD_FATAL_APIC, 0, status);
	vcpu->apic_on = true;
}

static bool pending(uint64_t *gpa)
{
	return td_pending(agent_tdcall, gpa);
}

const struct world world_td = {
	.begin = begin,
	.ring = ring,
	.accept = accept,
	.convert = convert,
	.halt = halt,
	.pending = pending,
};
