/* SPDX-License-Identifier: GPL-2.0-only */
#include "guest-agent/td.h"

/* Leaves of TDCALL. */
enum {
	TDG_VP_VMCALL = 0,
	TDG_VP_INFO = 1,
	TDG_VP_VEINFO_GET = 3,
	TDG_MEM_PAGE_ACCEPT = 6,
};

/* Sub-functions of TDG.VP.VMCALL, the first ones numbered as exit reasons. */
enum {
	VMCALL_HLT = 12,
	VMCALL_IO = 30,
	VMCALL_WRMSR = 32,
	VMCALL_MAP_GPA = 0x10001,
	VMCALL_REPORT_FATAL = 0x10003,
};

enum {
	EXPOSED = 0xFC00, /* R10 to R15 are for the host */
	GPAW_MASK = 0x3f,
	REASON_EPT_VIOLATION = 48,
	VMCALL_RETRY = 1,
};

#define STATUS_MASK 0xFFFFFFFF00000000ull

/* Statuses of ACCEPT that are the page's; the low half is an operand. */
static const struct {
	uint64_t status;
	enum agent_result result;
} accepts[] = {
	{0, AGENT_OK},
	{0x00000B0A00000000ull, AGENT_ALREADY},	 /* PAGE_ALREADY_ACCEPTED */
	{0xC0000B0B00000000ull, AGENT_MISMATCH}, /* PAGE_SIZE_MISMATCH */
	{0x8000020000000000ull, AGENT_BUSY},	 /* OPERAND_BUSY */
	{0x8000020400000000ull, AGENT_BUSY},	 /* ... _HOST_PRIORITY */
};

uint64_t td_shared_bit(td_call_fn *call, uint64_t *status)
{
	struct td_registers r = {.rax = TDG_VP_INFO};
	uint64_t gpaw;

	call(&r);
	*status = r.rax;
	gpaw = r.rcx & GPAW_MASK;
	return r.rax || !gpaw ? 0 : 1ull << (gpaw - 1);
}

enum agent_result td_accept(td_call_fn *call, uint64_t gpa, unsigned level,
			    uint64_t *status)
{
	struct td_registers r = {.rax = TDG_MEM_PAGE_ACCEPT,
				 .rcx = gpa | level};
	unsigned i;

	call(&r);
	*status = r.rax;
	for (i = 0; i < sizeof(accepts) / sizeof(accepts[0]); i++) {
		if ((r.rax & STATUS_MASK) == accepts[i].status)
			return accepts[i].result;
	}
	return AGENT_STOP;
}

bool td_pending(td_call_fn *call, uint64_t *gpa)
{
	struct td_registers r = {.rax = TDG_VP_VEINFO_GET};

	call(&r);
	*gpa = r.r9;
	return r.rax == 0 && r.rcx == REASON_EPT_VIOLATION;
}

/* -------------------------------------------------------------- TDVMCALL */

/*
 * The answer of the host, R10.  TDCALL fails here only when the registers that
 * are exposed are wrong, which they are not.
 */
static uint64_t vmcall(td_call_fn *call, struct td_registers *r)
{
	r->rax = TDG_VP_VMCALL;
	r->rcx = EXPOSED;
	r->r10 = 0;
	call(r);
	return r->rax ? r->rax : r->r10;
}

/* The host may stop anywhere and say where it has to be asked to go on. */
enum agent_result td_convert(td_call_fn *call, uint64_t shared_bit,
			     uint64_t gpa, uint64_t bytes, bool to_private,
			     uint64_t *status)
{
	uint64_t end = gpa + bytes, next;

	for (;;) {
		struct td_registers r = {
			.r11 = VMCALL_MAP_GPA,
			.r12 = to_private ? gpa : gpa | shared_bit,
			.r13 = end - gpa,
		};

		*status = vmcall(call, &r);
		if (*status != VMCALL_RETRY)
			return *status ? AGENT_STOP : AGENT_OK;
		next = r.r11 & ~shared_bit;
		if (next < gpa || next >= end)
			return AGENT_STOP;
		gpa = next;
	}
}

void td_out(td_call_fn *call, uint16_t port, uint8_t value)
{
	struct td_registers r = {
		.r11 = VMCALL_IO,
		.r12 = 1, /* byte */
		.r13 = 1, /* write */
		.r14 = port,
		.r15 = value,
	};

	vmcall(call, &r);
}

/* R12 0: interrupts are not blocked, so that a pending one ends the halt. */
void td_halt(td_call_fn *call)
{
	struct td_registers r = {.r11 = VMCALL_HLT, .r12 = 0};

	vmcall(call, &r);
}

uint64_t td_wrmsr(td_call_fn *call, uint32_t msr, uint64_t value)
{
	struct td_registers r = {.r11 = VMCALL_WRMSR, .r12 = msr, .r13 = value};

	return vmcall(call, &r);
}

void td_report_fatal(td_call_fn *call, enum td_fatal why, uint64_t gpa,
		     uint64_t status)
{
	struct td_registers r = {
		.r11 = VMCALL_REPORT_FATAL,
		.r12 = why,
		.r13 = gpa,
		.r14 = status,
	};

	vmcall(call, &r);
}
