/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's side of the memory that it shares with the guest.  What the
 * guest wrote is copied out once and checked in the copy: whatever it is,
 * nothing is read out of range, and no value is taken that a run of that
 * length cannot have given.
 */
#ifndef TDMEM_KVM_MAILBOX_H
#define TDMEM_KVM_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest-agent/image/mailbox.h"

struct scenario;
struct vmm;

/** What a vCPU measured. */
struct agent_report {
	bool measured;
	uint64_t begin_ns, end_ns; /* of the guest's clock, when measured */
	struct hist hist[NR_AGENT_LATENCIES];
	struct agent_check check; /* not checked: see kvm/check.h */
};

/**
 * Fill the boxes with the scripts of a scenario that kvm_cell_fits(), with
 * addresses of the guest, and set up the barriers, before any vCPU runs.
 */
void mailbox_load(const struct vmm *vm, const struct scenario *s);

/**
 * Copy a report out of a box.  `most_ns` is the longest time, below 2^63, that
 * the vCPU can have run.  NULL, or what cannot be true of it.
 */
const char *mailbox_read(struct agent_report *report,
			 const struct agent_box *box, uint64_t most_ns);

/** The result of a box's script in words; NULL: it ended as it should. */
const char *mailbox_result(const struct agent_box *box);

/** The exception that a box tells of. */
struct agent_fault mailbox_fault(const struct agent_box *box);

#endif
