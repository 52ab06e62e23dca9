/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recording: what happens on a thread between MEASURE begin and end of its
 * own script.  Nothing here allocates but the first value of a histogram.
 */
#define _GNU_SOURCE /* RUSAGE_THREAD */
#include <string.h>
#include <sys/resource.h>

#include "bench/result/metrics.h"
#include "bench/sim/sim.h"
#include "model/machine/threads_delay.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)

const char *const sim_op_names[NR_SIM_OPS] = {
	[SIM_FAULT] = "fault",	   [SIM_ACCEPT] = "accept",
	[SIM_CONVERT] = "convert", [SIM_REMOVAL] = "removal",
	[SIM_TRACK] = "track",	   [SIM_BUILD] = "build",
	[SIM_RECLAIM] = "reclaim", [SIM_TEARDOWN] = "teardown",
	[SIM_IOCTL] = "ioctl",	   [SIM_PREFAULT] = "prefault",
};

static u32 operand_index(tdx_status status)
{
	switch ((u32)status) {
	case OPERAND_RCX:
		return 0;
	case OPERAND_RDX:
		return 1;
	case OPERAND_R8:
		return 2;
	case OPERAND_TDR:
		return 3;
	case OPERAND_SEPT_TREE:
		return 4;
	case OPERAND_TD_EPOCH:
		return 5;
	case OPERAND_KOT:
		return 6;
	case OPERAND_WBCACHE:
		return 7;
	case OPERAND_OP_STATE:
		return 8;
	default:
		return SIM_OPERAND_OTHER;
	}
}

/* ------------------------------------------------------------- recording */

static inline void record(struct sim_hists *hists, struct hist **slot,
			  u64 value)
{
	struct hist *h = *slot;

	if (!LIKELY(h)) {
		h = sim_hists_get(hists, slot);
		if (!h)
			return;
	}
	hist_record(h, value);
}

/* A latency, in ns. */
static inline void record_time(struct sim_hists *hists, struct hist **slot,
			       u64 begin_ps, u64 end_ps)
{
	record(hists, slot, (end_ps - begin_ps) / PS_PER_NS);
}

void sim_record_op(struct sim_recorder *rec, enum sim_op op, u64 begin_ps,
		   u64 end_ps)
{
	if (!rec->on)
		return;
	rec->did |= 1u << op;
	record_time(rec->hists, &rec->hists->slot.op[op], begin_ps, end_ps);
}

void sim_record_agent(struct sim_thread *t, enum agent_latency what,
		      u64 begin_ns, u64 end_ns)
{
	static const enum sim_op ops[NR_AGENT_LATENCIES] = {
		[AGENT_LAT_TOUCH] = SIM_FAULT,
		[AGENT_LAT_ACCEPT] = SIM_ACCEPT,
		[AGENT_LAT_CONVERT] = SIM_CONVERT,
	};
	struct sim_recorder *rec = &t->rec;

	if (!rec->on)
		return;
	sim_record_op(rec, ops[what], begin_ns * PS_PER_NS, end_ns * PS_PER_NS);
	rec->op_count++;
	rec->op_ps += (end_ns - begin_ns) * PS_PER_NS;
	rec->op_since_ps = 0;
}

void sim_op_goes_on(struct sim_thread *t)
{
	if (!t->rec.op_since_ps)
		t->rec.op_since_ps = now(t->kvm.strand) + 1;
}

/* Operations that can be given up and begun again. */
static bool has_attempts(enum kvm_op op)
{
	return op == KVM_OP_FAULT || op == KVM_OP_REMOVAL ||
	       op == KVM_OP_TRACK || op == KVM_OP_BUILD;
}

/* Operations of KVM that are metrics; faults and conversions are the agent's,
 * who sees all of them. */
static const enum sim_op op_of_kvm[NR_KVM_OPS] = {
	[KVM_OP_FAULT] = SIM_NONE,	  [KVM_OP_MAP] = SIM_NONE,
	[KVM_OP_REMOVAL] = SIM_REMOVAL,	  [KVM_OP_TRACK] = SIM_TRACK,
	[KVM_OP_KICK] = SIM_NONE,	  [KVM_OP_CONVERT] = SIM_NONE,
	[KVM_OP_BUILD] = SIM_BUILD,	  [KVM_OP_RECLAIM] = SIM_RECLAIM,
	[KVM_OP_TEARDOWN] = SIM_TEARDOWN, [KVM_OP_IOCTL] = SIM_IOCTL,
};

static void on_op(void *ctx, enum kvm_op op, u64 begin_ps, u64 end_ps,
		  u32 tries)
{
	struct sim_recorder *rec = ctx;
	struct sim_hists *h = rec->hists;

	if (!rec->on)
		return;
	if (has_attempts(op))
		record(h, &h->slot.attempts[op], tries);
	if (op == KVM_OP_MAP)
		record_time(h, &h->slot.map, begin_ps, end_ps);
	else if (op == KVM_OP_KICK)
		record_time(h, &h->slot.kick, begin_ps, end_ps);
	else if (op_of_kvm[op] != SIM_NONE)
		sim_record_op(rec, op_of_kvm[op], begin_ps, end_ps);
}

/*
 * VP.ENTER in zero-step mode: refused for the tree lock, or an EPT-violation
 * exit (reason 48 with success) made up before the guest ran.
 */
static void count_enter(struct sim_recorder *rec, tdx_status status)
{
	if (status != (TDX_OPERAND_BUSY | OPERAND_SEPT_TREE) &&
	    status != EXIT_EPT_VIOLATION)
		return;
	rec->refused++;
	rec->zero_step = true;
}

/* Calls that a policy makes again; on_retries() says when it is done. */
static bool is_tried(enum tdx_call call)
{
	return call == TDH_MEM_SEPT_ADD || call == TDH_MEM_PAGE_AUG ||
	       call == TDH_MEM_RANGE_BLOCK || call == TDH_MEM_TRACK ||
	       call == TDH_MEM_PAGE_REMOVE || call == TDH_MEM_RANGE_UNBLOCK ||
	       call == TDH_MEM_PAGE_DEMOTE;
}

static void count_busy(struct sim_recorder *rec, enum tdx_call call,
		       tdx_status status)
{
	rec->operand[call][operand_index(status)]++;
	if (!is_tried(call))
		return;
	rec->trying = call;
	rec->tried++;
}

static void on_call(void *ctx, enum tdx_call call, tdx_status status,
		    u64 begin_ps, u64 end_ps)
{
	struct sim_recorder *rec = ctx;

	if (!rec->on)
		return;
	if (status) {
		if (tdx_operand_busy(status))
			count_busy(rec, call, status);
		else if (status == TDX_PREVIOUS_TLB_EPOCH_BUSY)
			rec->previous_epoch_busy++;
		if (call == TDH_VP_ENTER)
			count_enter(rec, status);
	}
	record_time(rec->hists, &rec->hists->slot.call[call], begin_ps, end_ps);
}

static void on_retries(void *ctx, enum tdx_call call, u32 tries)
{
	struct sim_recorder *rec = ctx;

	rec->tried = 0;
	if (rec->on)
		record(rec->hists, &rec->hists->slot.retries[call], tries);
}

const struct kvm_observer sim_observer = {
	.op = on_op,
	.call = on_call,
	.retries = on_retries,
};

/* --------------------------------------------------- the measured window */

static void read_totals(const struct kvm_thread *t, struct sim_totals *totals)
{
	memcpy(totals->spent_ps, t->spent_ps, sizeof(totals->spent_ps));
	totals->kicks_sent = t->kicks_sent;
	totals->flushes_sent = t->flushes_sent;
	totals->ipis_sent = t->ipis_sent;
	totals->kicked = t->kicked;
}

static void begin_measure(struct sim_thread *t, u64 at)
{
	struct sim_recorder *rec = &t->rec;

	if (rec->on)
		return;
	if (!rec->measured)
		rec->begin_ps = at;
	rec->on = true;
	rec->measured = true;
	rec->on_since_ps = at;
	rec->op_since_ps = 0;
	rec->tried = 0;
	read_totals(&t->kvm, &rec->base);
}

static void end_measure(struct sim_thread *t, u64 at)
{
	struct sim_recorder *rec = &t->rec;
	struct sim_totals end;
	u32 w;

	if (!rec->on)
		return;
	rec->on = false;
	rec->end_ps = at;
	rec->on_ps += at - rec->on_since_ps;
	read_totals(&t->kvm, &end);
	for (w = 0; w < NR_WHERES; w++)
		rec->total.spent_ps[w] +=
			end.spent_ps[w] - rec->base.spent_ps[w];
	rec->total.kicks_sent += end.kicks_sent - rec->base.kicks_sent;
	rec->total.flushes_sent += end.flushes_sent - rec->base.flushes_sent;
	rec->total.ipis_sent += end.ipis_sent - rec->base.ipis_sent;
	rec->total.kicked += end.kicked - rec->base.kicked;
}

/* Of this thread, so far. */
static u64 preemptions(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? 0 : (u64)usage.ru_nivcsw;
}

void sim_watch_delay(struct sim_thread *t)
{
	struct sim_recorder *rec = &t->rec;

	if (!t->sim->world->concurrent || rec->on)
		return;
	rec->delay_begun = true;
	rec->delay_unknown |= !thread_delay(&rec->delay_base);
}

static void end_delay(struct sim_recorder *rec)
{
	u64 now_ns = 0;

	rec->delay_unknown |= !thread_delay(&now_ns);
	if (!rec->delay_unknown)
		rec->delayed_ns += now_ns - rec->delay_base;
	rec->delay_begun = false;
}

/* By the thread itself, beside the window and not in it. */
static void watch_preemptions(struct sim_thread *t, bool begin)
{
	struct sim_recorder *rec = &t->rec;

	if (begin) {
		if (!rec->delay_begun)
			sim_watch_delay(t);
		rec->preempted_base = preemptions();
		return;
	}
	end_delay(rec);
	rec->preempted += preemptions() - rec->preempted_base;
	rec->watched_ps = rec->on_ps;
}

void sim_measure(struct sim_thread *t, bool begin)
{
	bool changes = begin != t->rec.on;

	if (t->sim->world->concurrent && changes && begin)
		watch_preemptions(t, true);
	if (begin && changes)
		counting_begin(&t->counting);
	/* One reading of the clock, so that the accounts add up. */
	account(&t->kvm, t->kvm.where);
	if (begin)
		begin_measure(t, t->kvm.where_since_ps);
	else
		end_measure(t, t->kvm.where_since_ps);
	if (!begin)
		counting_end(&t->counting);
	if (t->sim->world->concurrent && changes && !begin)
		watch_preemptions(t, false);
	if (changes && !begin)
		sim_window_leave(t);
	trace_emit(t->kvm.strand, measure, begin);
}

void sim_cut_measure(struct sim_thread *t, u64 at)
{
	if (!t->rec.on)
		return;
	if (at > t->kvm.where_since_ps) {
		t->kvm.spent_ps[t->kvm.where] += at - t->kvm.where_since_ps;
		t->kvm.where_since_ps = at;
	}
	/* A try without end is one, with as many calls as there were. */
	if (t->rec.tried)
		on_retries(&t->rec, t->rec.trying, t->rec.tried);
	t->rec.unfinished = true;
	end_measure(t, at);
}
