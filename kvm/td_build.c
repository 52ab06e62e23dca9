/* SPDX-License-Identifier: GPL-2.0-only */
/* The build of a TD as what is measured: operations of host threads. */
#include <errno.h>
#include <stdlib.h>

#include "kvm/td.h"
#include "kvm/td_build.h"
#include "kvm/td_command.h"

static void end(struct kvm_cell_thread *t, const struct kvm_tdx_cmd *cmd)
{
	bool bugged = errno == EIO;
	struct err e;

	td_failed(cmd, &e);
	kvm_cell_end(t->cell, bugged ? CELL_VM_BUGGED : CELL_FAILED, "%s",
		     e.text);
}

/*
 * A page of zeros, always the same, which no TD has.  KVM of 6.16 to 6.18 says
 * EBUSY when the TDX module does, later ones try again themselves.
 */
static bool add(struct kvm_cell_thread *t, uint64_t gpa, bool measure)
{
	const struct vmm *vm = &t->cell->vm;
	uint64_t begin_ns = kvm_cell_now_ns(), tries = 1;
	struct kvm_tdx_cmd cmd;

	while (td_add(vm->vcpu[0].fd, gpa, vm->memory.at, measure, &cmd)) {
		if (errno != EBUSY) {
			end(t, &cmd);
			return false;
		}
		if (kvm_cell_gone(t->cell))
			return false;
		tries++;
	}
	kvm_cell_record(t, "build.latency", kvm_cell_now_ns() - begin_ns);
	kvm_cell_record(t, "build.attempts", tries);
	t->did[KVM_DID_BUILD]++;
	return true;
}

void td_host_build(struct kvm_cell_thread *t, const struct host_op *op)
{
	uint64_t gpa = t->cell->vm.memory.gpa + op->gpa, i;

	for (i = 0; i < op->pages && !kvm_cell_gone(t->cell); i++) {
		if (!add(t, gpa + i * 4096, op->arg != 0))
			return;
	}
}

void td_host_finalize(struct kvm_cell_thread *t, const struct host_op *op)
{
	struct kvm_tdx_cmd cmd = {.id = KVM_TDX_FINALIZE_VM};

	(void)op;
	__atomic_store_n(&t->cell->finalizing, 1, __ATOMIC_RELEASE);
	while (td_command(t->cell->vm.fd, &cmd)) {
		if (errno != EBUSY) {
			end(t, &cmd);
			return;
		}
		if (kvm_cell_gone(t->cell))
			return;
	}
	__atomic_store_n(&t->cell->finalized, 1, __ATOMIC_RELEASE);
	kvm_cell_tell(t->cell);
}

static bool finalized(const struct kvm_cell *cell)
{
	return __atomic_load_n(&cell->finalized, __ATOMIC_ACQUIRE);
}

static bool may_run(const struct kvm_cell *cell)
{
	return finalized(cell) || kvm_cell_gone(cell);
}

void td_wait_finalized(struct kvm_cell *cell)
{
	kvm_cell_await(cell, may_run);
}

/* ------------------------------------------------------------------ ioctls */

/* KVM_TDX_GET_CPUID; false: it was the last. */
static bool get(struct kvm_cell_thread *t, int vcpu, struct kvm_cpuid2 *given)
{
	struct kvm_tdx_cmd cmd = {.id = KVM_TDX_GET_CPUID,
				  .data = (uintptr_t)given};
	uint64_t begin_ns = kvm_cell_now_ns();
	bool busy;

	given->nent = TD_MOST_CPUIDS;
	busy = td_command(vcpu, &cmd) != 0;
	/*
	 * A TD that is finalized refuses this, and it can be that before
	 * KVM_TDX_FINALIZE_VM has come back.
	 */
	if (busy && errno == EINVAL &&
	    __atomic_load_n(&t->cell->finalizing, __ATOMIC_ACQUIRE))
		return false;
	if (busy && errno != EBUSY) {
		end(t, &cmd);
		return false;
	}
	kvm_cell_record(t, "ioctl.latency", kvm_cell_now_ns() - begin_ns);
	t->did[KVM_DID_IOCTL]++;
	t->busy += busy;
	return true;
}

void td_host_ioctl(struct kvm_cell_thread *t, const struct host_op *op)
{
	struct kvm_cpuid2 *given = calloc(
		1, sizeof(*given) + TD_MOST_CPUIDS * sizeof(given->entries[0]));
	int vcpu = t->cell->vm.vcpu[op->arg].fd;
	uint64_t i;

	if (!given)
		kvm_cell_end(t->cell, CELL_FAILED, "kvm: out of memory");
	for (i = 0; given && !kvm_cell_gone(t->cell); i++) {
		if (op->count ? i == op->count : finalized(t->cell))
			break;
		if (!get(t, vcpu, given))
			break;
		if (op->pace_ns)
			kvm_cell_sleep_ns(op->pace_ns);
	}
	free(given);
}
