/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the vCPU loop and what the guest does. */
#ifndef TDMEM_HOST_VCPU_H
#define TDMEM_HOST_VCPU_H

#include "model/host/internal.h"

/** How a try to enter ended. */
enum enter {
	ENTER_INSIDE = 0,
	ENTER_AGAIN = 1,
	ENTER_FAULT = 2, /* refused with a fault made up, as zero-step does */
};

/** Try to enter until inside or refused with a fault.  -EIO: gone. */
int vcpu_try_enter(struct kvm_vcpu *vcpu, struct td_exit *exit);
/** The same, and such faults are handled: inside, or -EIO. */
int vcpu_enter(struct kvm_vcpu *vcpu);

/** What is common to all TD exits, after the module's part. */
void vcpu_exited(struct kvm_vcpu *vcpu);

/** Handle a private EPT violation at `gpa`.  0: enter again; or -EIO. */
int vcpu_fault(struct kvm_vcpu *vcpu, gpa_t gpa, enum tdx_level level);

/** Out to userspace and back into KVM_RUN.  0 or -EIO. */
int vcpu_userspace(struct kvm_vcpu *vcpu);

/** The guest's handler of a #VE. */
void guest_ve(struct kvm_vcpu *vcpu);

/** The vCPU is outside for good: always -EIO. */
int vcpu_gone(struct kvm_vcpu *vcpu);

#endif
