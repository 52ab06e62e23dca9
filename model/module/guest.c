/* SPDX-License-Identifier: GPL-2.0-only */
/* TDCALLs on memory: ACCEPT, ATTR.RD, ATTR.WR; host priority as seen here. */
#include "model/module/vp.h"

/* A TDCALL in progress. */
struct tdcall {
	struct call c;
	struct tdvps *vcpu;
	gpa_t gpa;
	enum tdx_level level; /* asked for */
	struct sept_walk at;
	u64 entry; /* as read again under its lock */
	struct td_exit *exit;
	tdx_status *status;
};

static void tdcall_begin(struct tdcall *t, struct lp *lp, enum tdx_call id,
			 u64 rcx, tdx_status *status, struct td_exit *exit)
{
	tdx_call_begin(&t->c, lp, id);
	t->vcpu = lp->inside;
	t->level = (enum tdx_level)(rcx & 7);
	t->gpa = GPA(rcx & ~0xFFFull);
	t->status = status;
	t->exit = exit;
	*exit = (struct td_exit){.rax = TDX_SUCCESS};
	zero_step_forget(lp, t->vcpu);
	t->vcpu->last_exit_epf = false;
}

static bool operand_is_sane(const struct tdcall *t, u64 rcx,
			    enum tdx_level highest)
{
	const u64 reserved = 0xFFF0000000000FF8ull;

	return !(rcx & reserved) && t->level <= highest &&
	       t->gpa.v % LEVEL_BYTES(t->level) == 0 &&
	       sept_gpa_is_private(t->vcpu->td, t->gpa.v);
}

/* ---------------------------------------------------- how a TDCALL ends */

static void leave(struct tdcall *t, tdx_status rax)
{
	t->exit->rax = rax;
	trace_emit(t->c.s, call_exit, tdx_call_name(t->c.id), rax);
	td_leave(t->c.lp);
}

/* Turned away by host priority for as long as the TD allows? */
static bool lost_too_long(struct tdcall *t)
{
	struct tdvps *vcpu = t->vcpu;
	u64 tsc = module_tsc(&t->c);

	if (!vcpu->hp_busy) {
		vcpu->hp_busy = true;
		vcpu->hp_busy_start = tsc;
		return false;
	}
	if (tsc - vcpu->hp_busy_start < vcpu->td->hp_timeout_ticks)
		return false;
	vcpu->hp_busy = false;
	return true;
}

/* Status to the guest, RIP past the TDCALL; or out on the time-out. */
static enum tdg_end give_back(struct tdcall *t, tdx_status status)
{
	u64 operand = status & ~TDX_STATUS_MASK;

	t->vcpu->rip += TDCALL_BYTES;
	*t->status = status;
	if ((status & TDX_STATUS_MASK) == TDX_OPERAND_BUSY_HOST_PRIORITY) {
		/* older guests know only the plain one */
		*t->status = TDX_OPERAND_BUSY + operand;
		if (lost_too_long(t)) {
			leave(t, TDX_HOST_PRIORITY_BUSY_TIMEOUT);
			return TDG_EXITED;
		}
	} else {
		t->vcpu->hp_busy = false;
	}
	tdx_call_end(&t->c, *t->status);
	return TDG_RETURNED;
}

/* TD exit; the same TDCALL runs again at the next VP.ENTER. */
static enum tdg_end violate(struct tdcall *t, unsigned type, u64 entry)
{
	u64 leaf = entry & SEPT_LEAF ? 1 : 0;

	t->exit->rcx = type == EEQ_NONE ? 0 : QUALIFICATION_WRITE;
	t->exit->rdx = type;
	if (type != EEQ_NONE)
		t->exit->rdx |= (u64)t->level << 32 | (u64)t->at.level << 35 |
				(u64)sept_entry_info(entry)->public_code << 38 |
				leaf << 46;
	t->exit->r8 = t->gpa.v;
	leave(t, EXIT_EPT_VIOLATION);
	return TDG_EXITED;
}

static tdx_status lock_entry(struct tdcall *t)
{
	tdx_status status = entry_try(&t->c, t->at.entry, t->at.line, GUEST);

	if (status)
		return with_operand(status, OPERAND_RCX);
	t->entry = sept_load(t->at.entry);
	return TDX_SUCCESS;
}

static void unlock_entry(struct tdcall *t)
{
	entry_release(&t->c, t->at.entry, t->at.line);
}

/* --------------------------------------------------------------- ACCEPT */

static u32 counter_of(u64 entry)
{
	return (u32)((entry & SEPT_COUNTER) >> 12);
}

/* Cost of clearing chunk `i`; the last takes what division leaves. */
static u64 chunk_ps(const struct tdcall *t, u32 i)
{
	const struct tdx_costs *costs = &t->c.m->costs;
	u64 all = cost_left(costs->accept_2m_ps, costs->tdcall_ps, 3,
			    costs->line_local_ps);

	return i + 1 < ENTRIES ? all / ENTRIES
			       : all - all / ENTRIES * (ENTRIES - 1);
}

/* Clear chunk after chunk.  False: interrupted, entry has the counter. */
static bool clear_2m(struct tdcall *t, u64 *entry)
{
	for (;;) {
		u32 i = counter_of(*entry);

		spend_work(t->c.s, chunk_ps(t, i), WORK_CLEAR_4K);
		if (i == ENTRIES - 1) {
			*entry &= ~SEPT_COUNTER;
			return true;
		}
		*entry += 1ull << 12;
		if (interrupted(t->c.s))
			return false;
	}
}

static enum tdg_end accept_pending(struct tdcall *t)
{
	u64 entry = t->entry;
	bool done = true;

	if (t->level == LEVEL_2M)
		done = clear_2m(t, &entry);
	else
		tdx_call_body(&t->c, 0, WORK_CLEAR_4K);
	if (done)
		entry = (entry & ~SEPT_PENDING) | SEPT_RWX;
	line_store64(t->c.s, t->at.line, t->at.entry, entry);
	unlock_entry(t);
	if (done)
		return give_back(t, TDX_SUCCESS);
	t->vcpu->hp_busy = false;
	tdx_call_end(&t->c, TDX_SUCCESS);
	return TDG_INTERRUPTED;
}

/* The walk got there: what is it? */
static enum tdg_end accept_entry(struct tdcall *t)
{
	bool was_leaf = t->at.copy & SEPT_LEAF;
	tdx_status status = lock_entry(t);

	if (status)
		return give_back(t, status);
	if (sept_state(t->entry) != STATE_FREE && !was_leaf)
		status = TDX_PAGE_SIZE_MISMATCH;
	else if (sept_has(t->entry, SEPT_ACCESSIBLE))
		status = TDX_PAGE_ALREADY_ACCEPTED;
	else if (sept_allowed(t->c.id, t->entry))
		return accept_pending(t);
	unlock_entry(t);
	if (!status)
		return violate(t, EEQ_ACCEPT, t->entry);
	return give_back(t, with_operand(status, t->at.level));
}

enum tdg_end tdg_mem_page_accept(struct lp *lp, gpa_t gpa, enum tdx_level level,
				 tdx_status *status, struct td_exit *exit)
{
	u64 rcx = gpa.v | level;
	struct tdcall t;

	tdcall_begin(&t, lp, TDG_MEM_PAGE_ACCEPT, rcx, status, exit);
	if (!operand_is_sane(&t, rcx, LEVEL_2M))
		return give_back(
			&t, with_operand(TDX_OPERAND_INVALID, OPERAND_RCX));
	if (sept_walk(t.c.m, t.c.s, t.vcpu->td, t.gpa, t.level, false, &t.at))
		return accept_entry(&t);
	if (sept_has(t.at.copy, SEPT_ACCESSIBLE))
		return give_back(&t, with_operand(TDX_PAGE_ALREADY_ACCEPTED,
						  t.at.level));
	return violate(&t, EEQ_ACCEPT, t.at.copy);
}

/* ----------------------------------------------------------- ATTR.RD, WR */

enum tdg_end tdg_mem_page_attr_rd(struct lp *lp, gpa_t gpa, tdx_status *status,
				  struct td_exit *exit)
{
	struct tdcall t;
	tdx_status st;

	tdcall_begin(&t, lp, TDG_MEM_PAGE_ATTR_RD, gpa.v & ~0xFFFull, status,
		     exit);
	if (!operand_is_sane(&t, gpa.v, LEVEL_4K))
		return give_back(
			&t, with_operand(TDX_OPERAND_INVALID, OPERAND_RCX));
	/* wherever the walk ends: any size will do */
	sept_walk(t.c.m, t.c.s, t.vcpu->td, t.gpa, LEVEL_4K, false, &t.at);
	st = lock_entry(&t);
	if (st)
		return give_back(&t, st);
	if (sept_allowed(t.c.id, t.entry))
		tdx_call_body(&t.c, 0, WORK_PLAIN);
	unlock_entry(&t);
	if (!sept_allowed(t.c.id, t.entry))
		return violate(&t, EEQ_NONE, t.entry);
	return give_back(&t, TDX_SUCCESS);
}

static enum tdg_end attr_wr_entry(struct tdcall *t)
{
	tdx_status status = lock_entry(t);

	if (status)
		return give_back(t, status);
	if (sept_state(t->entry) != STATE_FREE && !(t->entry & SEPT_LEAF)) {
		status = with_operand(TDX_PAGE_SIZE_MISMATCH, t->at.level);
	} else if (!sept_allowed(t->c.id, t->entry)) {
		unlock_entry(t);
		return violate(t, EEQ_ATTR_WR, t->entry);
	} else {
		tdx_call_body(&t->c, 0, WORK_PLAIN);
	}
	unlock_entry(t);
	return give_back(t, status);
}

enum tdg_end tdg_mem_page_attr_wr(struct lp *lp, gpa_t gpa, u64 attributes,
				  tdx_status *status, struct td_exit *exit)
{
	struct tdcall t;

	tdcall_begin(&t, lp, TDG_MEM_PAGE_ATTR_WR, gpa.v, status, exit);
	/* without L2 VMs there is nothing that could be set */
	if (attributes)
		return give_back(
			&t, with_operand(TDX_OPERAND_INVALID, OPERAND_RDX));
	if (!operand_is_sane(&t, gpa.v, LEVEL_1G))
		return give_back(
			&t, with_operand(TDX_OPERAND_INVALID, OPERAND_RCX));
	if (!sept_walk(t.c.m, t.c.s, t.vcpu->td, t.gpa, t.level, false, &t.at))
		return violate(&t, EEQ_ATTR_WR, t.at.copy);
	return attr_wr_entry(&t);
}
