/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every call has: where it runs, its fixed cost, its trace, its halts.
 */
#ifndef TDMEM_MODULE_CALL_H
#define TDMEM_MODULE_CALL_H

#include "model/module/module.h"

/** One call in progress, on the stack of its strand. */
struct call {
	struct lp *lp;
	struct strand *s;
	struct tdx_module *m;
	enum tdx_call id; /* NR_TDX_CALLS: a lock taken from outside */
};

/**
 * Sources of sanity-check halts.  Their numbers are the module's; HALT_MODEL
 * is this model's own (out of memory, a state that the module cannot reach).
 */
enum {
	HALT_LOCKS = 0x0001,
	HALT_PAMT = 0x0003,
	HALT_SEPT = 0x0004,
	HALT_MODEL = 0xFFFF,
};

/** Ends the run with "CALL: halt 0xSSSS:code why". */
_Noreturn void tdx_call_halt(const struct call *c, u32 source, u32 code,
			     const char *why);

/** Enter: trace and the first half of the fixed cost. */
void tdx_call_begin(struct call *c, struct lp *lp, enum tdx_call id);
/** Leave: the second half; returns status. */
tdx_status tdx_call_end(const struct call *c, tdx_status status);

/**
 * What is left of the call's whole cost after the fixed part and its lock
 * words, in ps.  `skipped` is how many words fewer (negative: more) than the
 * call's usual case this one operates on.
 */
u64 tdx_call_body_ps(const struct call *c, int skipped);
/** Let tdx_call_body_ps() pass. */
void tdx_call_body(const struct call *c, int skipped, enum work work);

/** A share of a whole: what total - fixed - words leaves, never negative. */
u64 cost_left(u64 total, u64 fixed, u64 words, u64 word_ps);

/** Fills in body costs; called once at creation. */
void costs_prepare(const struct tdx_costs *costs, s64 body[NR_TDX_CALLS]);

static inline tdx_status with_operand(tdx_status status, u32 operand)
{
	return status + operand;
}

static inline bool is_tdcall(enum tdx_call id)
{
	return id >= TDG_MEM_PAGE_ACCEPT && id < NR_TDX_CALLS;
}

#endif
