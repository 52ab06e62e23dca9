/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits of a vCPU that only TDs and VMs with private memory have. */
#ifndef TDMEM_KVM_TD_EXIT_H
#define TDMEM_KVM_TD_EXIT_H

struct kvm_cell_thread;
struct kvm_run;

enum td_goes {
	TD_NOT_MINE, /* it is like that of any VM */
	TD_GO_ON,    /* KVM_RUN again */
	TD_END,	     /* the cell has been ended */
};

/** KVM_RUN returned 0. */
enum td_goes td_exit(struct kvm_cell_thread *t, struct kvm_run *run);

/** KVM_RUN failed with this errno. */
enum td_goes td_fault(struct kvm_cell_thread *t, const struct kvm_run *run,
		      int error);

#endif
