/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TDMEM_GUEST_AGENT_GATES_H
#define TDMEM_GUEST_AGENT_GATES_H

#include <stdint.h>

/** From now on exceptions of the vCPU with this index go to agent_fault(). */
void agent_set_gates(uint64_t index);

#endif
