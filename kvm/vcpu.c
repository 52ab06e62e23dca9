/* SPDX-License-Identifier: GPL-2.0-only */
/* The thread of a vCPU: KVM_RUN, and what comes out of it. */
#include <errno.h>
#include <linux/kvm_para.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kvm/cell.h"
#include "kvm/mailbox.h"
#include "kvm/td_build.h"
#include "kvm/td_exit.h"

static const char *exit_name(uint32_t reason)
{
	static const char *const name[] = {
		[KVM_EXIT_EXCEPTION] = "exception",
		[KVM_EXIT_SHUTDOWN] = "triple fault",
		[KVM_EXIT_FAIL_ENTRY] = "entry failed",
		[KVM_EXIT_INTERNAL_ERROR] = "internal error of KVM",
		[KVM_EXIT_SYSTEM_EVENT] = "system event",
	};

	if (reason < sizeof(name) / sizeof(name[0]) && name[reason])
		return name[reason];
	return "unexpected exit";
}

/* What KVM says besides the reason; 0: nothing. */
static uint64_t exit_detail(const struct kvm_run *run)
{
	switch (run->exit_reason) {
	case KVM_EXIT_FAIL_ENTRY:
		return run->fail_entry.hardware_entry_failure_reason;
	case KVM_EXIT_INTERNAL_ERROR:
		return run->internal.suberror;
	case KVM_EXIT_SYSTEM_EVENT:
		return run->system_event.type;
	default:
		return 0;
	}
}

static void end_of_script(struct kvm_cell_thread *t)
{
	const char *why = mailbox_result(vmm_box(&t->cell->vm, t->index));

	if (why && !kvm_cell_gone(t->cell))
		kvm_cell_end(t->cell, CELL_FAILED,
			     "vCPU %u: its script ended with %s", t->index,
			     why);
}

static void guest_fault(struct kvm_cell_thread *t)
{
	struct agent_fault f = mailbox_fault(vmm_box(&t->cell->vm, t->index));

	kvm_cell_end(t->cell, CELL_FAILED,
		     "vCPU %u: exception %llu (error %#llx) at %#llx, "
		     "address %#llx",
		     t->index, (unsigned long long)f.vector,
		     (unsigned long long)f.error, (unsigned long long)f.rip,
		     (unsigned long long)f.address);
}

static bool all_over(const struct kvm_cell *cell)
{
	return kvm_cell_gone(cell) ||
	       __atomic_load_n(&cell->vcpus_over, __ATOMIC_ACQUIRE) ==
		       cell->scenario->vcpus;
}

/* What comes then is in nobody's measured time. */
static void wait_for_all(struct kvm_cell_thread *t)
{
	kvm_cell_over(t);
	kvm_cell_await(t->cell, all_over);
}

/* False: the vCPU has ended. */
static bool doorbell(struct kvm_cell_thread *t, const struct kvm_run *run)
{
	bool ours = run->io.direction == KVM_EXIT_IO_OUT && run->io.size == 1 &&
		    run->io.count == 1 && run->io.port == AGENT_PORT;
	uint8_t bell = *((const uint8_t *)run + run->io.data_offset);

	switch (ours ? (enum agent_doorbell)bell : NR_AGENT_BELLS) {
	case AGENT_BELL_LEAVE:
		return true;
	case AGENT_BELL_BEGIN:
	case AGENT_BELL_END:
		kvm_cell_measure(t, bell == AGENT_BELL_BEGIN);
		return true;
	case AGENT_BELL_OVER:
		wait_for_all(t);
		return true;
	case AGENT_BELL_DONE:
		end_of_script(t);
		return false;
	case AGENT_BELL_FAULT:
		guest_fault(t);
		return false;
	default:
		kvm_cell_end(t->cell, CELL_FAILED,
			     "vCPU %u: I/O at port %#x that is not the agent's",
			     t->index, run->io.port);
		return false;
	}
}

/*
 * The guest asks for a conversion of so many pages.  What is not of its
 * memory, or no conversion, is an error of the call, which the agent reports.
 */
static bool hypercall(struct kvm_cell_thread *t, struct kvm_run *run)
{
	const struct memory *memory = &t->cell->vm.memory;
	uint64_t gpa = run->hypercall.args[0], pages = run->hypercall.args[1];
	bool to_private = run->hypercall.args[2] & KVM_MAP_GPA_RANGE_ENCRYPTED;

	run->hypercall.ret = EINVAL;
	if (run->hypercall.nr != KVM_HC_MAP_GPA_RANGE ||
	    !memory_has(memory, gpa, pages))
		return true;
	if (memory_convert(memory, gpa - memory->gpa, pages * 4096,
			   to_private) == 0) {
		run->hypercall.ret = 0;
		return true;
	}
	if (errno == EAGAIN || errno == EINTR) {
		run->hypercall.ret = EAGAIN; /* it asks again */
		return true;
	}
	kvm_cell_end(t->cell, errno == EIO ? CELL_VM_BUGGED : CELL_FAILED,
		     "vCPU %u: a conversion: %s", t->index, strerror(errno));
	return false;
}

static bool stopped(const struct kvm_cell *cell)
{
	return kvm_cell_gone(cell) ||
	       __atomic_load_n(&vmm_shared(&cell->vm)->stop, __ATOMIC_ACQUIRE);
}

/* False: the vCPU has ended. */
static bool handle_exit(struct kvm_cell_thread *t, struct kvm_run *run)
{
	enum td_goes of_td = td_exit(t, run);

	if (of_td != TD_NOT_MINE)
		return of_td == TD_GO_ON;
	switch (run->exit_reason) {
	case KVM_EXIT_HYPERCALL:
		return hypercall(t, run);
	case KVM_EXIT_IO:
		return doorbell(t, run);
	case KVM_EXIT_HLT:
		/* Nothing wakes it but the end of the scripts. */
		kvm_cell_await(t->cell, stopped);
		return true;
	case KVM_EXIT_INTR:
		return true;
	case KVM_EXIT_MMIO:
		kvm_cell_end(t->cell, CELL_FAILED,
			     "vCPU %u: access to %#llx, where no memory is",
			     t->index, (unsigned long long)run->mmio.phys_addr);
		return false;
	default:
		kvm_cell_end(t->cell, CELL_FAILED,
			     "vCPU %u: %s (exit %u, %#llx)", t->index,
			     exit_name(run->exit_reason), run->exit_reason,
			     (unsigned long long)exit_detail(run));
		return false;
	}
}

/* KVM_RUN itself has failed; false: the vCPU has ended. */
static bool run_failed(struct kvm_cell_thread *t, const struct kvm_run *run,
		       int error)
{
	enum td_goes of_td = td_fault(t, run, error);

	if (of_td != TD_NOT_MINE)
		return of_td == TD_GO_ON;
	if (error == EFAULT && run->exit_reason == KVM_EXIT_MEMORY_FAULT)
		kvm_cell_end(t->cell, CELL_FAILED,
			     "vCPU %u: KVM has no page for %#llx", t->index,
			     (unsigned long long)kvm_memory_fault(run)->gpa);
	else if (error == EIO)
		kvm_cell_end(t->cell, CELL_VM_BUGGED,
			     "vCPU %u: KVM_RUN: KVM gave the VM up", t->index);
	else
		kvm_cell_end(t->cell, CELL_FAILED, "vCPU %u: KVM_RUN: %s",
			     t->index, strerror(error));
	return false;
}

void kvm_cell_vcpu(struct kvm_cell_thread *t)
{
	const struct vmm_vcpu *vcpu = &t->cell->vm.vcpu[t->index];
	bool goes_on = true;

	td_wait_finalized(t->cell);
	while (goes_on && !kvm_cell_gone(t->cell)) {
		if (ioctl(vcpu->fd, KVM_RUN, 0) == 0) {
			goes_on = handle_exit(t, vcpu->run);
		} else if (errno != EINTR && errno != EAGAIN) {
			goes_on = run_failed(t, vcpu->run, errno);
		}
	}
}
