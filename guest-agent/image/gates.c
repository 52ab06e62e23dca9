/* SPDX-License-Identifier: GPL-2.0-only */
#include "guest-agent/image/gates.h"
#include "guest-agent/image/mailbox.h"

#define CODE_SEG 8ull
#define GATE	 0x8e00ull /* present, 64-bit interrupt gate */

#pragma GCC visibility push(hidden)
extern const char agent_gates[]; /* of entry.S */
#pragma GCC visibility pop

void agent_set_gates(uint64_t index)
{
	struct agent_stack *stack =
		(struct agent_stack *)(uintptr_t)(AGENT_STACKS +
						  (index << AGENT_STACK_SHIFT));
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} pointer = {sizeof(stack->idt) - 1, (uintptr_t)stack->idt};
	unsigned v;

	for (v = 0; v < AGENT_NR_VECTORS; v++) {
		uint64_t at = (uintptr_t)agent_gates + v * AGENT_GATE_BYTES;

		stack->idt[2 * v] = (at & 0xffff) | CODE_SEG << 16 |
				    GATE << 32 | (at >> 16 & 0xffff) << 48;
		stack->idt[2 * v + 1] = at >> 32;
	}
	__asm__ volatile("lidt %0" : : "m"(pointer));
}
