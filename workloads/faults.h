/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TDMEM_WORKLOADS_FAULTS_H
#define TDMEM_WORKLOADS_FAULTS_H

#include "workloads/script.h"

/**
 * Make a scenario in which vCPUs 0..stuck-1 fault at one instruction each
 * while all others touch fresh pages; at least one does.  Uses the knobs of
 * fault-in.
 */
int faults_make(const struct workload *w, const struct knob_values *values,
		uint32_t vcpus, uint32_t stuck, struct scenario *s,
		struct err *err);

#endif
