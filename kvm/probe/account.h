/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an entry and an exit of a function do to the seat of a thread and to a
 * slot: in the kernel where BPF sees them, here where perf shows them.
 */
#ifndef TDMEM_KVM_PROBE_ACCOUNT_H
#define TDMEM_KVM_PROBE_ACCOUNT_H

#include "kvm/probe/shared.h"

#define STATUS_MASK   0xffffffff00000000ull
#define OPERAND_BUSY  0x8000020000000000ull /* TDX_OPERAND_BUSY */
#define OUTSIDE_GUEST 0x700		    /* KVM_REQ_OUTSIDE_GUEST_MODE */
#define SPTE_PRESENT  (1ull << 11)	    /* SPTE_MMU_PRESENT_MASK */

/* The argument that tells the two kinds of calls apart, from 0. */
static __always_inline uint32_t probe_split_arg(uint32_t split)
{
	return split == SPLIT_PRESENT ? 2 : 1;
}

static __always_inline uint32_t probe_kind(uint32_t split, uint64_t arg)
{
	if (split == SPLIT_OUTSIDE_GUEST)
		return (uint32_t)arg == OUTSIDE_GUEST;
	return split == SPLIT_PRESENT && (arg & SPTE_PRESENT) != 0;
}

static __always_inline void count_result(struct probe_slot *slot,
					 uint64_t value)
{
	uint32_t i;

	for (i = 0; i < PROBE_RESULTS; i++) {
		if (slot->result[i].count && slot->result[i].value != value)
			continue;
		slot->result[i].value = value;
		slot->result[i].count++;
		return;
	}
	slot->other_results++;
}

/* It has returned this; `busy` of the seat tells second tries. */
static __always_inline void take_result(struct probe_seat *seat, uint32_t point,
					uint32_t returns,
					struct probe_slot *slot, uint64_t value)
{
	if (returns != RETURNS_STATUS) {
		count_result(slot, (uint64_t)(int64_t)(int32_t)value);
		return;
	}
	count_result(slot, value);
	slot->second_tries += seat->busy == point + 1;
	seat->busy = (value & STATUS_MASK) == OPERAND_BUSY ? point + 1 : 0;
}

#endif
