/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one place where calls of the module are made and made again: every
 * call is timed, accounted and observed here, and a BUSY one is retried as
 * the half of the policy says and nowhere else.
 */
#include <errno.h>

#include "model/host/internal.h"

struct timed timed_begin(struct kvm_thread *t)
{
	return (struct timed){.before = account(t, WHERE_MODULE),
			      .begin_ps = now(t->strand)};
}

tdx_status timed_end(struct kvm_thread *t, struct timed timed,
		     enum tdx_call call, tdx_status status)
{
	if (tdx_operand_busy(status))
		t->where = WHERE_BUSY;
	account(t, timed.before);
	if (t->observer && t->observer->call)
		t->observer->call(t->observer_ctx, call, status, timed.begin_ps,
				  now(t->strand));
	return status;
}

tdx_status sept_issue(struct kvm_thread *t, struct kvm_vm *vm,
		      const struct sept_call *c)
{
	struct timed timed = timed_begin(t);
	struct lp *lp = &t->lp;
	hpa_t tdr = vm_tdr(vm);
	struct tdx_out out;
	tdx_status status;

	switch (c->call) {
	case TDH_MEM_SEPT_ADD:
		status = tdh_mem_sept_add(lp, tdr, c->gpa, c->level, c->page,
					  &out);
		break;
	case TDH_MEM_PAGE_AUG:
		status = tdh_mem_page_aug(lp, tdr, c->gpa, c->level, c->page,
					  &out);
		break;
	case TDH_MEM_RANGE_BLOCK:
		status = tdh_mem_range_block(lp, tdr, c->gpa, c->level, &out);
		break;
	case TDH_MEM_RANGE_UNBLOCK:
		status = tdh_mem_range_unblock(lp, tdr, c->gpa, c->level, &out);
		break;
	case TDH_MEM_TRACK:
		status = tdh_mem_track(lp, tdr);
		break;
	case TDH_MEM_PAGE_REMOVE:
		status = tdh_mem_page_remove(lp, tdr, c->gpa, c->level, &out);
		break;
	case TDH_MEM_PAGE_DEMOTE:
		status = tdh_mem_page_demote(lp, tdr, c->gpa, c->level, c->page,
					     &out);
		break;
	default:
		machine_halt(t->strand, "host: not an S-EPT call");
	}
	return timed_end(t, timed, c->call, status);
}

static void observe_retries(struct kvm_thread *t, enum tdx_call call, u32 tries)
{
	if (t->observer && t->observer->retries)
		t->observer->retries(t->observer_ctx, call, tries);
}

/** Carry out a verdict.  0: issue the call again. */
static int obey(struct kvm_thread *t, struct kvm_vm *vm, enum verdict verdict,
		const struct busy *busy, bool *kicked, bool *held)
{
	switch (verdict) {
	case RETRY_AGAIN:
		return vm_seen_dead(t, vm) ? -EIO : 0;
	case RETRY_KICK:
		hold_begin(t, vm);
		*kicked = true;
		return 0;
	case RETRY_HOLD:
		hold_begin(t, vm);
		*held = true;
		return 0;
	case RETRY_GIVE_UP:
		return -EAGAIN;
	case RETRY_BUG:
		break;
	}
	return vm_bug(t, vm, tdx_call_name(busy->call), busy->status);
}

/** DEMOTE stops for an interrupt and has to be made again from the start. */
static bool interrupted_call(struct kvm_thread *t, tdx_status status)
{
	if ((status & TDX_STATUS_MASK) != TDX_INTERRUPTED_RESTARTABLE)
		return false;
	if (interrupted(t->strand)) {
		interrupt_done(t->strand);
		trace_emit(t->strand, kick_taken);
	}
	return true;
}

static int retry(struct kvm_thread *t, struct kvm_vm *vm,
		 const struct sept_call *c, busy_fn *decide, bool *held)
{
	struct busy busy = {.t = t,
			    .host = vm->host,
			    .call = c->call,
			    .limit = vm->config.retry_limit};
	bool kicked = false;
	u32 calls = 0;
	int ret = 0;

	do {
		busy.status = sept_issue(t, vm, c);
		calls++;
		busy.held = *held;
		/* Says nothing about contention: no half is asked. */
		if (interrupted_call(t, busy.status))
			continue;
		busy.tries++;
		if (!tdx_operand_busy(busy.status))
			break;
		ret = obey(t, vm, decide(&busy), &busy, &kicked, held);
		if (!ret)
			trace_emit(t->strand, attempt, false);
	} while (!ret);
	if (kicked)
		hold_end(t, vm);
	observe_retries(t, c->call, calls);
	if (!ret && busy.status != TDX_SUCCESS)
		ret = vm_bug(t, vm, tdx_call_name(c->call), busy.status);
	return ret;
}

int retry_fault(struct kvm_thread *t, struct kvm_vm *vm,
		const struct sept_call *c)
{
	const struct fault_policy *policy = vm->config.policy.fault;
	bool held = false;
	int ret;

	if (policy->vm_lock)
		qspin_lock(t, &vm->sept_lock);
	ret = retry(t, vm, c, policy->busy, &held);
	if (policy->vm_lock)
		qspin_unlock(t, &vm->sept_lock);
	return ret;
}

int retry_removal(struct kvm_thread *t, struct kvm_vm *vm,
		  const struct sept_call *c, bool *held)
{
	const struct removal_policy *policy = vm->config.policy.removal;
	int ret;

	if (policy->vm_lock)
		qspin_lock(t, &vm->sept_lock);
	ret = retry(t, vm, c, policy->busy, held);
	if (policy->vm_lock)
		qspin_unlock(t, &vm->sept_lock);
	return ret;
}
