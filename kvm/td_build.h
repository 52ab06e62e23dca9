/* SPDX-License-Identifier: GPL-2.0-only */
/* The build of a TD as what is measured: operations of host threads. */
#ifndef TDMEM_KVM_TD_BUILD_H
#define TDMEM_KVM_TD_BUILD_H

#include "kvm/cell.h"

/** PAGE.ADD of a range, page by page. */
void td_host_build(struct kvm_cell_thread *t, const struct host_op *op);
void td_host_finalize(struct kvm_cell_thread *t, const struct host_op *op);
/** Ioctls on a vCPU that race the build. */
void td_host_ioctl(struct kvm_cell_thread *t, const struct host_op *op);

/** Before that no vCPU can run. */
void td_wait_finalized(struct kvm_cell *cell);

#endif
