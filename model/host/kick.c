/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kicks: one round of IPIs to the vCPUs that are in guest mode, over when all
 * of them have left it; and the gate that keeps vCPUs out of VP.ENTER.
 *
 * A vCPU says that it is in guest mode before it looks at the gate, and who
 * closes the gate does so before it looks at the modes: one of the two sees
 * the other.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/host/internal.h"

/** Send one IPI if the vCPU is in guest mode. */
static bool kick_vcpu(struct kvm_thread *t, struct kvm_vcpu *vcpu)
{
	const struct kvm_costs *costs = &vcpu->vm->host->costs;
	struct kvm_thread *target;
	/* The kernel's test is a locked operation too: it takes the line. */
	u32 mode = line_xadd32(t->strand, &vcpu->mode_line, &vcpu->mode, 0);

	if (!(mode & VCPU_IN_GUEST))
		return false;
	plain_access(t->strand, &vcpu->thread, sizeof(vcpu->thread), false);
	target = __atomic_load_n(&vcpu->thread, __ATOMIC_ACQUIRE);
	if (!target || target == t)
		return false;
	vcpu->kick_seen = mode;
	spend(t->strand, costs->kick_vcpu_ps);
	trace_emit(t->strand, kick_sent, target->strand);
	/* Half of a round is the way there, half the way back. */
	interrupt(t->strand, target->strand, kvm_ipi_ps(costs));
	return true;
}

static void wait_until_out(struct kvm_thread *t, struct kvm_vcpu *vcpu)
{
	line_await_change32(t->strand, &vcpu->mode_line, &vcpu->mode,
			    vcpu->kick_seen);
}

/**
 * One round; only one runs at a time for a VM, as mmu_lock is held for
 * writing.  Returns the IPIs that it took.
 */
static u32 kick_round(struct kvm_thread *t, struct kvm_vm *vm)
{
	struct kvm_vcpu *kicked = NULL;
	u32 ipis = 0;

	for (u32 i = 0; i < vm->config.vcpus; i++) {
		struct kvm_vcpu *vcpu = &vm->vcpu[i];

		if (!kick_vcpu(t, vcpu))
			continue;
		vcpu->kick_next = kicked;
		kicked = vcpu;
		ipis++;
	}
	if (ipis)
		spend(t->strand, vm->host->costs.kick_base_ps);
	for (; kicked; kicked = kicked->kick_next)
		wait_until_out(t, kicked);
	t->ipis_sent += ipis;
	return ipis;
}

void kick_all(struct kvm_thread *t, struct kvm_vm *vm)
{
	u64 begin = now(t->strand);
	u32 ipis;

	trace_emit(t->strand, span, "kick", true);
	ipis = kick_round(t, vm);
	trace_emit(t->strand, span, "kick", false);
	t->kicks_sent++;
	observe_op(t, KVM_OP_KICK, begin, ipis);
}

void flush_remote_tlbs(struct kvm_thread *t, struct kvm_vm *vm)
{
	trace_emit(t->strand, span, "flush", true);
	kick_round(t, vm);
	trace_emit(t->strand, span, "flush", false);
	t->flushes_sent++;
}

void hold_begin(struct kvm_thread *t, struct kvm_vm *vm)
{
	line_xadd32(t->strand, &vm->gate_line, &vm->gate, GATE_HOLD);
	kick_all(t, vm);
}

void hold_end(struct kvm_thread *t, struct kvm_vm *vm)
{
	line_xadd32(t->strand, &vm->gate_line, &vm->gate, 0u - GATE_HOLD);
}

/* ------------------------------------------------------------ dead VMs */

bool kvm_vm_bugged(const struct kvm_vm *vm)
{
	return vm_dead(vm);
}

const char *kvm_vm_bug(const struct kvm_vm *vm)
{
	return vm_dead(vm) ? vm->bug : "";
}

/** Set the dead bit; false when somebody has done so before. */
static bool gate_kill(struct kvm_thread *t, struct kvm_vm *vm)
{
	u32 gate, seen = line_load32(t->strand, &vm->gate_line, &vm->gate);

	do {
		gate = seen;
		if (gate & GATE_DEAD)
			return false;
		seen = line_cmpxchg32(t->strand, &vm->gate_line, &vm->gate,
				      gate, gate | GATE_DEAD);
	} while (seen != gate);
	return true;
}

int vm_bug(struct kvm_thread *t, struct kvm_vm *vm, const char *what,
	   tdx_status status)
{
	char text[96];

	if (!gate_kill(t, vm))
		return -EIO;
	if (status)
		snprintf(vm->bug, sizeof(vm->bug), "%s: %s", what,
			 tdx_status_print(status, text, sizeof(text)));
	else
		snprintf(vm->bug, sizeof(vm->bug), "%s", what);
	for (u32 i = 0; i < vm->config.vcpus; i++) {
		struct kvm_vcpu *vcpu = &vm->vcpu[i];
		struct kvm_thread *target;

		plain_access(t->strand, &vcpu->thread, sizeof(vcpu->thread),
			     false);
		target = __atomic_load_n(&vcpu->thread, __ATOMIC_ACQUIRE);

		if (target && target != t)
			interrupt(t->strand, target->strand, 0);
	}
	return -EIO;
}
