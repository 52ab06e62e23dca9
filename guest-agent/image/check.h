/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TDMEM_GUEST_AGENT_CHECK_H
#define TDMEM_GUEST_AGENT_CHECK_H

#include "guest-agent/image/world.h"

/* Both count in the vCPU's box. */

/** Look at a page that has just been written to. */
void check_touched(struct vcpu *vcpu, uint64_t gpa);

/**
 * Read all pages that a script, which agent_run() has run to its end, touched
 * whatever the host says: those of a TOUCH without AGENT_UNTIL_STOP.
 */
void check_script(struct vcpu *vcpu, const struct agent_op *op, uint32_t nops);

#endif
