/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vCPU loop: into the guest, out of it, and what KVM does in between.
 */
#include <errno.h>

#include "model/host/vcpu.h"

/* --------------------------------------------------------- association */

tdx_status vcpu_flush(struct kvm_thread *t, struct kvm_vcpu *vcpu)
{
	const struct kvm_costs *costs = &vcpu->vm->host->costs;
	/* The kernel sends the call to that CPU; the model borrows its LP. */
	struct lp lp = host_lp(t, vcpu->lp_id, vcpu->lp_package);
	tdx_status status;

	if (vcpu->lp_id != t->lp.id)
		spend(t->strand, costs->kick_base_ps + costs->kick_vcpu_ps);
	status = seamcall(t, TDH_VP_FLUSH, tdh_vp_flush(&lp, vcpu->tdvpr));
	if (status == TDX_SUCCESS ||
	    (status & TDX_STATUS_MASK) == TDX_VCPU_NOT_ASSOCIATED)
		vcpu->associated = false;
	return vcpu->associated ? status : TDX_SUCCESS;
}

int vcpu_load(struct kvm_thread *t, struct kvm_vcpu *vcpu)
{
	tdx_status status = TDX_SUCCESS;

	if (vcpu->associated && vcpu->lp_id != t->lp.id)
		status = vcpu_flush(t, vcpu);
	if (tdx_operand_busy(status))
		return -EBUSY;
	if (status)
		return vm_bug(t, vcpu->vm, tdx_call_name(TDH_VP_FLUSH), status);
	vcpu->lp_id = t->lp.id;
	vcpu->lp_package = t->lp.package;
	vcpu->associated = true;
	return 0;
}

/** The flush of the old association may meet a build: try until it is done. */
static int load_here(struct kvm_thread *t, struct kvm_vcpu *vcpu)
{
	int ret;

	do
		ret = vcpu_load(t, vcpu);
	while (ret == -EBUSY);
	return ret;
}

/* ------------------------------------------------------ guest mode, gate */

/** Only its own thread changes it; kicks take its line all the same. */
static u32 mode_of(const struct kvm_vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->mode, __ATOMIC_RELAXED);
}

static void set_mode(struct kvm_vcpu *vcpu, u32 mode)
{
	line_store32(vcpu->thread->strand, &vcpu->mode_line, &vcpu->mode, mode);
}

static void take_interrupt(struct kvm_thread *t)
{
	if (!interrupted(t->strand))
		return;
	interrupt_done(t->strand);
	trace_emit(t->strand, kick_taken);
}

/** Wait while somebody keeps vCPUs out.  The kernel turns in a loop here. */
static void wait_at_gate(struct kvm_vcpu *vcpu)
{
	struct kvm_thread *t = vcpu->thread;
	struct kvm_vm *vm = vcpu->vm;
	enum where before = account(t, WHERE_KEPT_OUT);
	u32 gate;

	trace_emit(t->strand, span, where_name(WHERE_KEPT_OUT), true);
	while ((gate = line_load32(t->strand, &vm->gate_line, &vm->gate)) &&
	       !(gate & GATE_DEAD))
		line_wait(t->strand, &vm->gate_line, &vm->gate, gate, false);
	account(t, before);
	trace_emit(t->strand, span, where_name(WHERE_KEPT_OUT), false);
}

void vcpu_exited(struct kvm_vcpu *vcpu)
{
	struct kvm_thread *t = vcpu->thread;

	vcpu->inside = false;
	account(t, WHERE_KVM);
	set_mode(vcpu, (mode_of(vcpu) & ~VCPU_IN_GUEST) + VCPU_EXIT);
	spend(t->strand, vcpu->vm->host->costs.exit_ps);
}

int vcpu_gone(struct kvm_vcpu *vcpu)
{
	struct kvm_thread *t = vcpu->thread;

	if (!t)
		return -EIO;
	plain_access(t->strand, &vcpu->thread, sizeof(vcpu->thread), true);
	__atomic_store_n(&vcpu->thread, NULL, __ATOMIC_RELEASE);
	qspin_unlock(t, &vcpu->mutex);
	account(t, WHERE_IDLE);
	return -EIO;
}

/* --------------------------------------------------------------- faults */

int vcpu_userspace(struct kvm_vcpu *vcpu)
{
	struct kvm_thread *t = vcpu->thread;

	qspin_unlock(t, &vcpu->mutex);
	spend(t->strand, vcpu->vm->host->costs.vcpu_ioctl_ps);
	qspin_lock(t, &vcpu->mutex);
	return load_here(t, vcpu);
}

/** Start timing, unless this is the same fault come back. */
static void fault_begin(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	if (vcpu->fault.v == gpa.v + 1)
		return;
	vcpu->fault.v = gpa.v + 1;
	vcpu->fault_begin_ps = now(vcpu->thread->strand);
	vcpu->fault_tries = 0;
}

static void fault_end(struct kvm_vcpu *vcpu, enum pf pf)
{
	struct kvm_thread *t = vcpu->thread;

	vcpu->fault.v = 0;
	if (pf != PF_FIXED)
		return;
	observe_op(t, KVM_OP_FAULT, vcpu->fault_begin_ps, vcpu->fault_tries);
	progress(t->strand);
}

/**
 * KVM_EXIT_MEMORY_FAULT: the page is shared and the guest takes it for
 * private.  Userspace converts it, or does nothing at all.
 */
static int memory_fault(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct kvm_thread *t = vcpu->thread;

	if (vcpu_userspace(vcpu))
		return -EIO;
	if (vcpu->stuck.v == gpa.v + 1)
		return 0;
	return kvm_set_private(t, vcpu->vm, gpa, 1, true);
}

static int handle_fault(struct kvm_vcpu *vcpu, gpa_t gpa, enum tdx_level level)
{
	const struct fault_policy *policy = vcpu->vm->config.policy.fault;
	struct kvm_thread *t = vcpu->thread;
	bool stuck;
	enum pf pf;

	gpa.v &= ~0xfffull;
	stuck = vcpu->stuck.v == gpa.v + 1;
	fault_begin(vcpu, gpa);
	do {
		if (stuck) {
			spend(t->strand, vcpu->vm->host->costs.fault_ps);
			pf = PF_MEMORY_FAULT;
		} else {
			pf = fault_attempt(t, vcpu->vm, gpa, level);
		}
		vcpu->fault_tries++;
		if (vm_seen_dead(t, vcpu->vm))
			return -EIO;
	} while (pf == PF_RETRY && policy->retry_locally);
	if (pf == PF_MEMORY_FAULT)
		return memory_fault(vcpu, gpa);
	if (pf != PF_RETRY)
		fault_end(vcpu, pf);
	return 0;
}

int vcpu_fault(struct kvm_vcpu *vcpu, gpa_t gpa, enum tdx_level level)
{
	struct strand *s = vcpu->thread->strand;
	int ret;

	trace_emit(s, span, "fault", true);
	ret = handle_fault(vcpu, gpa, level);
	trace_emit(s, span, "fault", false);
	return ret;
}

/* ------------------------------------------------------------- entering */

static tdx_status enter_once(struct kvm_vcpu *vcpu, struct td_exit *exit)
{
	struct kvm_thread *t = vcpu->thread;
	tdx_status status = seamcall(t, TDH_VP_ENTER,
				     tdh_vp_enter(&t->lp, vcpu->tdvpr, exit));

	if (status != TDX_SUCCESS) {
		vcpu_exited(vcpu);
		return status;
	}
	vcpu->inside = true;
	account(t, WHERE_GUEST);
	if (exit->inject_ve)
		guest_ve(vcpu);
	return status;
}

/** One turn of the loop: 0 inside, 1 not yet, ENTER_FAULT, -EIO. */
static int enter_turn(struct kvm_vcpu *vcpu, struct td_exit *exit)
{
	struct kvm_thread *t = vcpu->thread;
	struct kvm_vm *vm = vcpu->vm;
	tdx_status status;
	u32 gate;

	trace_emit(t->strand, attempt, true);
	take_interrupt(t);
	set_mode(vcpu, mode_of(vcpu) | VCPU_IN_GUEST);
	gate = line_load32(t->strand, &vm->gate_line, &vm->gate);
	if (gate) {
		set_mode(vcpu, (mode_of(vcpu) & ~VCPU_IN_GUEST) + VCPU_EXIT);
		if (gate & GATE_DEAD)
			return -EIO;
		wait_at_gate(vcpu);
		return ENTER_AGAIN;
	}
	status = enter_once(vcpu, exit);
	if (status == TDX_SUCCESS)
		return ENTER_INSIDE;
	if (tdx_operand_busy(status))
		return ENTER_AGAIN;
	if (status == EXIT_EPT_VIOLATION)
		return ENTER_FAULT;
	return vm_bug(t, vm, tdx_call_name(TDH_VP_ENTER), status);
}

int vcpu_try_enter(struct kvm_vcpu *vcpu, struct td_exit *exit)
{
	int turn;

	if (!vcpu->thread)
		return -EIO;
	account(vcpu->thread, WHERE_KVM);
	do
		turn = enter_turn(vcpu, exit);
	while (turn == ENTER_AGAIN);
	return turn < 0 ? vcpu_gone(vcpu) : turn;
}

int vcpu_enter(struct kvm_vcpu *vcpu)
{
	struct td_exit exit;
	int turn;

	while ((turn = vcpu_try_enter(vcpu, &exit)) == ENTER_FAULT)
		if (vcpu_fault(vcpu, GPA(exit.r8), vcpu->vm->config.max_level))
			return vcpu_gone(vcpu);
	return turn;
}

/* ------------------------------------------------------- start and end */

int kvm_vcpu_start(struct kvm_thread *t, struct kvm_vcpu *vcpu)
{
	account(t, WHERE_KVM);
	qspin_lock(t, &vcpu->mutex);
	plain_access(t->strand, &vcpu->thread, sizeof(vcpu->thread), true);
	__atomic_store_n(&vcpu->thread, t, __ATOMIC_RELEASE);
	return load_here(t, vcpu) ? vcpu_gone(vcpu) : vcpu_enter(vcpu);
}

void kvm_vcpu_finish(struct kvm_vcpu *vcpu)
{
	struct kvm_thread *t = vcpu->thread;
	struct td_exit exit;

	if (!t)
		return;
	if (vcpu->inside) {
		account(t, WHERE_MODULE);
		td_set_rip(&t->lp, GUEST_RIP_VMCALL);
		td_vmcall_exit(&t->lp, &exit);
		vcpu_exited(vcpu);
	}
	vcpu_gone(vcpu);
}

struct kvm_vcpu *kvm_vcpu(struct kvm_vm *vm, u32 index)
{
	return index < vm->config.vcpus ? &vm->vcpu[index] : NULL;
}
