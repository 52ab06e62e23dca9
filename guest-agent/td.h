/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest asks of the TDX module (TDCALL) and, through it, of the host
 * (TDVMCALL).  The instruction itself is a function that the caller gives, so
 * that all of this also runs where no TD is.
 */
#ifndef TDMEM_GUEST_AGENT_TD_H
#define TDMEM_GUEST_AGENT_TD_H

#include <stdbool.h>
#include <stdint.h>

#include "guest-agent/abi.h"

/** In and out of TDCALL; entry.S has the order. */
struct td_registers {
	uint64_t rax, rcx, rdx, r8, r9, r10, r11, r12, r13, r14, r15;
};

_Static_assert(sizeof(struct td_registers) == 11 * 8, "as entry.S has it");

typedef void td_call_fn(struct td_registers *r);

/** Why a TD gives up: R12 of ReportFatalError. */
enum td_fatal {
	TD_FATAL_INFO = 1, /* TDG.VP.INFO failed */
	TD_FATAL_ACCEPT,   /* ACCEPT gave a status that it must not give */
	TD_FATAL_CONVERT,  /* MapGPA did */
	TD_FATAL_APIC,	   /* the x2APIC can't be switched on */
};

/** The bit of GPAs that says shared; 0 with *status when it is not told. */
uint64_t td_shared_bit(td_call_fn *call, uint64_t *status);

/**
 * TDG.MEM.PAGE.ACCEPT; level 0: 4K, 1: 2M.  A status that is none of a page's
 * is in *status and gives AGENT_STOP.
 */
enum agent_result td_accept(td_call_fn *call, uint64_t gpa, unsigned level,
			    uint64_t *status);

/**
 * MapGPA until all is converted; gpa without the shared bit.  AGENT_STOP with
 * *status when the host refuses.
 */
enum agent_result td_convert(td_call_fn *call, uint64_t shared_bit,
			     uint64_t gpa, uint64_t bytes, bool to_private,
			     uint64_t *status);

/**
 * Was the #VE that has just been taken of a pending page?  Of which, is then
 * in *gpa.  Has to be asked once for each #VE, or the next is a double fault.
 */
bool td_pending(td_call_fn *call, uint64_t *gpa);

/** Write a byte to a port. */
void td_out(td_call_fn *call, uint16_t port, uint8_t value);

/** Halt until there is an interrupt; none has to be taken. */
void td_halt(td_call_fn *call);

/** Write an MSR; what the host answered, 0: done. */
uint64_t td_wrmsr(td_call_fn *call, uint32_t msr, uint64_t value);

/** Tell the host that this TD gives up, and why. */
void td_report_fatal(td_call_fn *call, enum td_fatal why, uint64_t gpa,
		     uint64_t status);

#endif
