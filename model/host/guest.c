/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guest does, on the strand of its vCPU, between VP.ENTER and TD
 * exit.
 */
#include <errno.h>

#include "model/host/vcpu.h"

/* A store that misses the TLB and walks tables that are in the cache. */
#define GUEST_TOUCH_PS (20 * PS_PER_NS)

/** An interrupt has come: out, let KVM take it, in again. */
static int bounce(struct kvm_vcpu *vcpu)
{
	struct kvm_thread *t = vcpu->thread;
	struct td_exit exit;

	account(t, WHERE_MODULE);
	t->kicked++;
	td_interrupt_exit(&t->lp, &exit);
	vcpu_exited(vcpu);
	return vcpu_enter(vcpu);
}

static int take_interrupts(struct kvm_vcpu *vcpu)
{
	while (interrupted(vcpu->thread->strand))
		if (bounce(vcpu))
			return -EIO;
	return 0;
}

/**
 * Before the guest's next instruction: be inside, and have no interrupt
 * pending.  An interrupt comes at some other instruction than the next.
 */
static int guest_ready(struct kvm_vcpu *vcpu)
{
	struct kvm_thread *t = vcpu->thread;

	if (!t)
		return -EIO;
	vcpu->stuck.v = 0;
	if (!vcpu->inside && vcpu_enter(vcpu))
		return -EIO;
	if (!interrupted(t->strand))
		return 0;
	td_set_rip(&t->lp, GUEST_RIP_RUN);
	return take_interrupts(vcpu);
}

static bool in_memory(const struct kvm_vcpu *vcpu, gpa_t gpa)
{
	return gpa.v >> 12 < vcpu->vm->config.pages;
}

/* ------------------------------------------------------------ violations */

/* Extended exit qualification: the page is pending, and it says no #VE. */
enum { EXT_TYPE_MASK = 0xf, EXT_TYPE_PENDING = 6 };

static int handle_violation(struct kvm_vcpu *vcpu, const struct td_exit *exit,
			    gpa_t gpa, enum tdx_level level)
{
	vcpu_exited(vcpu);
	if ((exit->rdx & EXT_TYPE_MASK) == EXT_TYPE_PENDING) {
		vm_bug(vcpu->thread, vcpu->vm,
		       "the guest touched a page that it has not accepted", 0);
		return vcpu_gone(vcpu);
	}
	if (vcpu_fault(vcpu, gpa, level))
		return vcpu_gone(vcpu);
	return 0;
}

/** The guest's handler of a #VE asks what it was: a TDCALL. */
void guest_ve(struct kvm_vcpu *vcpu)
{
	struct kvm_thread *t = vcpu->thread;
	enum where before = account(t, WHERE_MODULE);

	td_set_rip(&t->lp, GUEST_RIP_VE);
	td_internal_exit(&t->lp);
	account(t, before);
}

/** One store.  0 done, 1 #VE, 2 it faulted and is to be tried again. */
static int store(struct kvm_vcpu *vcpu, gpa_t gpa, struct td_exit *exit)
{
	struct kvm_thread *t = vcpu->thread;
	bool exited;

	spend(t->strand, GUEST_TOUCH_PS);
	if (td_gpa_accessible(&t->lp, gpa))
		return 0;
	account(t, WHERE_MODULE);
	exited = td_ept_violation(&t->lp, gpa, exit);
	if (exited)
		return 2;
	account(t, WHERE_GUEST);
	guest_ve(vcpu);
	return 1;
}

int kvm_guest_touch(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	enum tdx_level level = vcpu->vm->config.max_level;
	struct td_exit exit;
	int ret;

	if (guest_ready(vcpu))
		return -EIO;
	if (!in_memory(vcpu, gpa))
		return -EINVAL;
	for (;;) {
		td_set_rip(&vcpu->thread->lp, GUEST_RIP_TOUCH);
		ret = store(vcpu, gpa, &exit);
		if (ret < 2)
			return ret;
		if (handle_violation(vcpu, &exit, gpa, level) ||
		    vcpu_enter(vcpu) || take_interrupts(vcpu))
			return -EIO;
	}
}

/* A page of the other kind: the fault comes back as it went. */
int kvm_guest_stuck(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct td_exit exit;
	int ret;

	if (!vcpu->thread)
		return -EIO;
	if (!in_memory(vcpu, gpa))
		return -EINVAL;
	vcpu->stuck.v = (gpa.v & ~0xfffull) + 1;
	if (!vcpu->inside) {
		ret = vcpu_try_enter(vcpu, &exit);
		if (ret < 0)
			return ret;
		if (ret == ENTER_FAULT)
			return vcpu_fault(vcpu, GPA(exit.r8), LEVEL_4K)
				       ? vcpu_gone(vcpu)
				       : 0;
	}
	if (take_interrupts(vcpu))
		return -EIO;
	td_set_rip(&vcpu->thread->lp, GUEST_RIP_STUCK);
	if (store(vcpu, gpa, &exit) < 2)
		return 0;
	/* The next call enters: in zero-step mode it may be refused. */
	return handle_violation(vcpu, &exit, gpa, LEVEL_4K);
}

/* --------------------------------------------------------------- ACCEPT */

static enum tdg_end accept_once(struct kvm_vcpu *vcpu, gpa_t gpa,
				enum tdx_level level, tdx_status *status,
				struct td_exit *exit)
{
	struct kvm_thread *t = vcpu->thread;
	struct timed timed = timed_begin(t);
	enum tdg_end end;

	td_set_rip(&t->lp, GUEST_RIP_ACCEPT);
	end = tdg_mem_page_accept(&t->lp, gpa, level, status, exit);
	if (end == TDG_RETURNED)
		timed_end(t, timed, TDG_MEM_PAGE_ACCEPT, *status);
	else
		account(t, timed.before);
	return end;
}

int kvm_guest_accept(struct kvm_vcpu *vcpu, gpa_t gpa, enum tdx_level level,
		     tdx_status *status)
{
	enum tdx_level max = vcpu->vm->config.max_level;
	struct td_exit exit;

	if (guest_ready(vcpu))
		return -EIO;
	if (!in_memory(vcpu, gpa))
		return -EINVAL;
	for (;;) {
		enum tdg_end end = accept_once(vcpu, gpa, level, status, &exit);

		if (end == TDG_RETURNED)
			return 0;
		if (end == TDG_EXITED &&
		    (handle_violation(vcpu, &exit, gpa,
				      level < max ? level : max) ||
		     vcpu_enter(vcpu)))
			return -EIO;
		if (take_interrupts(vcpu))
			return -EIO;
	}
}

/* -------------------------------------------------------------- running */

/**
 * The guest cannot run on from a fault that userspace leaves unresolved: the
 * time passes in userspace, before the next KVM_RUN.
 */
static int stuck_outside(struct kvm_vcpu *vcpu, u64 ps)
{
	struct kvm_thread *t = vcpu->thread;
	enum where before = account(t, WHERE_IDLE);

	trace_emit(t->strand, span, where_name(WHERE_IDLE), true);
	spend(t->strand, ps);
	account(t, before);
	trace_emit(t->strand, span, where_name(WHERE_IDLE), false);
	return vm_seen_dead(t, vcpu->vm) ? vcpu_gone(vcpu) : 0;
}

int kvm_guest_spin(struct kvm_vcpu *vcpu, u64 ps)
{
	if (vcpu->thread && !vcpu->inside && vcpu->stuck.v)
		return stuck_outside(vcpu, ps);
	if (guest_ready(vcpu))
		return -EIO;
	td_set_rip(&vcpu->thread->lp, GUEST_RIP_RUN);
	while ((ps = spend_in_guest(vcpu->thread->strand, ps)))
		if (take_interrupts(vcpu))
			return -EIO;
	return 0;
}

int kvm_guest_wait(struct kvm_vcpu *vcpu, struct line *line, const u32 *word,
		   u32 seen)
{
	struct strand *s;

	if (guest_ready(vcpu))
		return -EIO;
	s = vcpu->thread->strand;
	td_set_rip(&vcpu->thread->lp, GUEST_RIP_RUN);
	while (line_load32(s, line, word) == seen) {
		line_wait(s, line, word, seen, true);
		if (take_interrupts(vcpu))
			return -EIO;
	}
	return 0;
}

/** A TDVMCALL: out to KVM. */
static void vmcall(struct kvm_vcpu *vcpu)
{
	struct kvm_thread *t = vcpu->thread;
	struct td_exit exit;

	account(t, WHERE_MODULE);
	td_set_rip(&t->lp, GUEST_RIP_VMCALL);
	td_vmcall_exit(&t->lp, &exit);
	vcpu_exited(vcpu);
}

static void blocked(struct kvm_vcpu *vcpu, struct line *line, const u32 *word,
		    u32 seen)
{
	struct strand *s = vcpu->thread->strand;
	enum where before = account(vcpu->thread, WHERE_IDLE);

	trace_emit(s, span, "halted", true);
	while (!vm_seen_dead(vcpu->thread, vcpu->vm) &&
	       line_load32(s, line, word) == seen)
		if (!line_wait(s, line, word, seen, true) && interrupted(s)) {
			interrupt_done(s);
			trace_emit(s, kick_taken);
		}
	account(vcpu->thread, before);
	trace_emit(s, span, "halted", false);
}

int kvm_guest_halt(struct kvm_vcpu *vcpu, struct line *line, const u32 *word,
		   u32 seen)
{
	if (guest_ready(vcpu))
		return -EIO;
	vmcall(vcpu);
	blocked(vcpu, line, word, seen);
	return vcpu_enter(vcpu);
}

int kvm_guest_leave(struct kvm_vcpu *vcpu)
{
	if (guest_ready(vcpu))
		return -EIO;
	vmcall(vcpu);
	return vcpu_userspace(vcpu) ? vcpu_gone(vcpu) : vcpu_enter(vcpu);
}

/* --------------------------------------------------------------- MapGPA */

/** KVM hands MapGPA to userspace in pieces of 2 MiB. */
static u64 map_gpa_chunk(gpa_t gpa, u64 pages)
{
	u64 left = 512 - (gpa.v >> 12 & 511);

	return left < pages ? left : pages;
}

int kvm_guest_map_gpa(struct kvm_vcpu *vcpu, gpa_t gpa, u64 pages,
		      bool to_private)
{
	struct kvm_thread *t = vcpu->thread;
	int ret = 0;
	u64 begin;

	if (guest_ready(vcpu))
		return -EIO;
	begin = now(t->strand);
	vmcall(vcpu);
	while (pages && !ret) {
		u64 chunk = map_gpa_chunk(gpa, pages);

		ret = vcpu_userspace(vcpu);
		if (!ret)
			ret = kvm_set_private(t, vcpu->vm, gpa, chunk,
					      to_private);
		gpa.v += chunk << 12;
		pages -= chunk;
	}
	if (ret == -EIO)
		return vcpu_gone(vcpu);
	if (vcpu_enter(vcpu))
		return -EIO;
	observe_op(t, KVM_OP_CONVERT, begin, 1);
	progress(t->strand);
	return ret;
}
