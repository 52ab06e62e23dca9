/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between an ordinary VM and a TD. */
#ifndef TDMEM_GUEST_AGENT_WORLD_H
#define TDMEM_GUEST_AGENT_WORLD_H

#include "guest-agent/image/mailbox.h"

/** Latencies that are not yet in a histogram. */
struct latencies {
	enum agent_latency what;
	uint32_t n;
	uint64_t ns[64];
};

/** A vCPU; all that it needs from page to page is on its stack. */
struct vcpu {
	struct agent_port port; /* must be first */
	struct agent_box *box;
	const struct world *world;
	uint64_t shared_bit; /* TD: of GPAs */
	bool apic_on;	     /* TD */
	uint64_t salt;
	uint64_t ns_mult;
	struct agent_check check;
	struct latencies *late;
	bool stored;  /* the last touch was no #VE */
	bool vmmcall; /* VM: hypercalls are made by AMD's instruction */
};

struct world {
	/* Whatever has to be done before the script. */
	void (*begin)(struct vcpu *vcpu);
	void (*ring)(enum agent_doorbell bell);
	enum agent_result (*accept)(uint64_t gpa, unsigned level);
	enum agent_result (*convert)(const struct vcpu *vcpu, uint64_t gpa,
				     uint64_t bytes, bool to_private);
	/* Until something wakes it up, or earlier. */
	void (*halt)(struct vcpu *vcpu);
	/* Was the #VE that has just been taken of a pending page?  Of which? */
	bool (*pending)(uint64_t *gpa);
};

/* Hidden: reached without a table of addresses. */
#pragma GCC visibility push(hidden)
extern const struct world world_vm, world_td;
#pragma GCC visibility pop

/** Which of them is this? */
const struct world *world_here(void);

#endif
