/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits of a vCPU that only TDs have, or that mean something else there. */
#include <errno.h>
#include <string.h>

#include "kvm/cell.h"
#include "kvm/td_exit.h"
#include "kvm/uapi_tdx.h"
#include "model/module/module.h" /* the names of statuses */

#define PAGE_BYTES 4096ull

/* What data has of system events: registers as instructions number them. */
enum { R12 = 12, R13, R14, REGISTERS = 16 };

/* The agent gives up, see td_report_fatal(). */
static enum td_goes system_event(struct kvm_cell_thread *t,
				 const struct kvm_run *run)
{
	uint64_t data[REGISTERS] = {0};
	char status[128];

	if (run->system_event.type != KVM_SYSTEM_EVENT_TDX_FATAL)
		return TD_NOT_MINE;
	memcpy(data, (const void *)run->system_event.data,
	       sizeof(data[0]) * (run->system_event.ndata < REGISTERS
					  ? run->system_event.ndata
					  : REGISTERS));
	tdx_status_print(data[R14], status, sizeof(status));
	kvm_cell_end(t->cell, CELL_FAILED,
		     "vCPU %u: ReportFatalError, code %llu, at %#llx, after %s",
		     t->index, (unsigned long long)data[R12],
		     (unsigned long long)data[R13], status);
	return TD_END;
}

static enum td_goes internal_error(struct kvm_cell_thread *t,
				   const struct kvm_run *run)
{
	char status[128];

	if (run->internal.suberror !=
		    KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON ||
	    run->internal.ndata < 2)
		return TD_NOT_MINE;
	tdx_status_print(run->internal.data[0], status, sizeof(status));
	kvm_cell_end(t->cell, CELL_FAILED,
		     "vCPU %u: TDH.VP.ENTER on CPU %llu gave %s", t->index,
		     (unsigned long long)run->internal.data[1], status);
	return TD_END;
}

enum td_goes td_exit(struct kvm_cell_thread *t, struct kvm_run *run)
{
	if (!vmm_is_td(&t->cell->vm))
		return TD_NOT_MINE;
	switch (run->exit_reason) {
	case KVM_EXIT_SYSTEM_EVENT:
		return system_event(t, run);
	case KVM_EXIT_INTERNAL_ERROR:
		return internal_error(t, run);
	case KVM_EXIT_TDX:
		/* A quote and the like: what is left as it is, is refused. */
		return TD_GO_ON;
	default:
		return TD_NOT_MINE;
	}
}

/*
 * An access of the other kind than the page is: an implicit conversion, which
 * KVM leaves to us.
 */
enum td_goes td_fault(struct kvm_cell_thread *t, const struct kvm_run *run,
		      int error)
{
	const struct memory *m = &t->cell->vm.memory;
	const struct kvm_memory_fault *fault = kvm_memory_fault(run);
	bool to_private = fault->flags & KVM_MEMORY_EXIT_FLAG_PRIVATE;

	if (run->exit_reason != KVM_EXIT_MEMORY_FAULT || error != EFAULT ||
	    !vmm_is_td(&t->cell->vm) || fault->size % PAGE_BYTES ||
	    !memory_has(m, fault->gpa, fault->size / PAGE_BYTES))
		return TD_NOT_MINE;
	if (memory_convert(m, fault->gpa - m->gpa, fault->size, to_private) ==
		    0 ||
	    errno == EAGAIN || errno == EINTR)
		return TD_GO_ON;
	kvm_cell_end(t->cell, errno == EIO ? CELL_VM_BUGGED : CELL_FAILED,
		     "vCPU %u: implicit conversion of %#llx: %s", t->index,
		     (unsigned long long)fault->gpa, strerror(errno));
	return TD_END;
}
