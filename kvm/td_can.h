/* SPDX-License-Identifier: GPL-2.0-only */
/* Can this host run a TD, and if not, what is missing and what changes it? */
#ifndef TDMEM_KVM_TD_CAN_H
#define TDMEM_KVM_TD_CAN_H

#include <stdbool.h>

#include "kvm/can.h"

/** What is to be known of a host besides what KVM itself answers. */
struct td_host {
	bool kvm_intel; /* the module is there */
	char parameter; /* kvm_intel.tdx: 'Y', 'N'; 0: it has none */
	bool platform;	/* the CPU and its firmware offer TDX */
};

/** Find out; `root` is "", or a folder with copies of /sys and /proc. */
void td_host_read(struct td_host *host, const char *root);

/**
 * Does KVM of this host offer TDs?  If not, `ability` has the first thing that
 * stands in the way and the command that changes it.
 */
bool td_host_can(const struct td_host *host, const struct kvm_answers *a,
		 struct ability *ability);

#endif
