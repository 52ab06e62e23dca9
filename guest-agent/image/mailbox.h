/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that host and guest agent share, and where it is in the guest.  The
 * host fills it before the first entry and reads results when no vCPU runs
 * any more; it trusts nothing in it.
 *
 *   0x80000000  page tables
 *   0x80100000  a stack of 32 KiB for each vCPU, with its IDT
 *   0xC0000000  struct agent_shared
 *   0xC0100000  a box of 1 MiB for each vCPU
 *   0xFFFF0000  the image, up to the reset vector at 0xFFFFFFF0
 *   4 GiB       the memory that scripts work on: their address 0
 *
 * All is mapped to its own address.  In a TD what is from 0xC0000000 up to the
 * image is shared memory, everything else is private.
 */
#ifndef TDMEM_GUEST_AGENT_MAILBOX_H
#define TDMEM_GUEST_AGENT_MAILBOX_H

#define AGENT_TABLES	  0x80000000 /* PML4, PDPT, PDs of 2M pages */
#define AGENT_STACKS	  0x80100000
#define AGENT_STACK_SHIFT 15
#define AGENT_CONTROL	  0xC0000000
#define AGENT_BOX_SHIFT	  20
#define AGENT_IMAGE	  0xFFFF0000
#define AGENT_GATE_BYTES  16 /* code of one vector's stub */
#define AGENT_NR_VECTORS  32
#define AGENT_PORT	  0xE0 /* written to: enum agent_doorbell */

#ifndef __ASSEMBLER__
#include "guest-agent/abi.h"
#include "guest-agent/hist.h"

#define AGENT_MEMORY (1ull << 32)

enum {
	AGENT_MAX_VCPUS = 1020, /* boxes end 2M below 4 GiB, with the image */
	AGENT_MAX_BARRIERS = 64,
	/* what is left of the MiB of the tables, each for a GiB */
	AGENT_MAX_PDS = 254,
	/* two of them are for what is below 4 GiB */
	AGENT_MAX_GIB = AGENT_MAX_PDS - 2,
	AGENT_SCRIPT_AT = 0x80000,
	AGENT_BOX_BYTES = 1 << AGENT_BOX_SHIFT,
	AGENT_MAX_OPS =
		(AGENT_BOX_BYTES - AGENT_SCRIPT_AT) / sizeof(struct agent_op),
};

/** What a vCPU tells by a write to AGENT_PORT. */
enum agent_doorbell {
	AGENT_BELL_LEAVE, /* nothing: it only leaves and comes back */
	AGENT_BELL_DONE,  /* the script has ended, see agent_box.result */
	AGENT_BELL_FAULT, /* an exception, see agent_box.fault */
	AGENT_BELL_BEGIN, /* it is about to measure */
	AGENT_BELL_END,	  /* it has measured */
	AGENT_BELL_OVER,  /* its script is over: back when those of all are */
	NR_AGENT_BELLS
};

/** Who comes counts up; the last one opens. */
struct agent_barrier {
	uint32_t arrived, expected, open, unused;
};

struct agent_shared {
	uint32_t stop; /* the scripts come to their end */
	uint32_t gone; /* all waiting is over, whatever for */
	struct agent_barrier barrier[AGENT_MAX_BARRIERS];
};

/** Whether memory is what it must be: see check.c. */
struct agent_check {
	uint64_t touches, fresh, stale;	     /* when a page was touched */
	uint64_t pages, held, zero, damaged; /* at the end, of whole pages */
};

struct agent_fault {
	uint64_t vector, error, rip, address;
};

struct agent_box {
	uint32_t nops;
	uint32_t result;   /* enum agent_result, of agent_run() */
	uint64_t ns_mult;  /* ns = TSC * ns_mult >> 32 */
	uint64_t begin_ns; /* first begin of MEASURE, last end of it */
	uint64_t end_ns;
	uint32_t measured; /* number of begins */
	uint32_t unused;
	uint64_t salt; /* of this VM: what its pages are marked with */
	struct agent_fault fault;
	struct agent_check check;
	struct hist hist[NR_AGENT_LATENCIES];
};

_Static_assert(sizeof(struct agent_box) <= AGENT_SCRIPT_AT,
	       "the script is behind the box");

/** Of the guest alone, begins with zeros. */
struct agent_stack {
	uint64_t idt[AGENT_NR_VECTORS * 2];
	uint8_t stack[(1 << AGENT_STACK_SHIFT) - AGENT_NR_VECTORS * 16];
};

_Static_assert(sizeof(struct agent_stack) == 1 << AGENT_STACK_SHIFT,
	       "entry.S has the end of the stack");

/** Where the script of a box is. */
static inline struct agent_op *agent_box_script(struct agent_box *box)
{
	return (struct agent_op *)((char *)box + AGENT_SCRIPT_AT);
}
#endif
#endif
