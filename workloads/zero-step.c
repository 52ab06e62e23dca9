/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One or more vCPUs fault again and again at one instruction, against
 * everybody else's faults.  After six such faults the module checks each of
 * their VP.ENTERs with the S-EPT tree held exclusively: SEPT.ADD and PAGE.AUG
 * of the others find it busy, and so do VP.ENTERs.  A policy that goes back
 * into the guest on BUSY makes its own vCPU fault at the same instruction
 * again, which is how victims become suspects.
 */
#include "workloads/faults.h"

static const struct knob attackers = {
	.name = "attackers",
	.type = KNOB_INT,
	.unit = "vCPUs",
	.def = 1,
	.min = 0,
	.max = 1023,
	.help = "vCPUs that are stuck; at least one is left that is not",
};

static const struct knob *const knobs[] = {
	&attackers,	   &knob_stuck_ns,   &knob_pages,
	&knob_total_pages, &knob_page_size,  &knob_layout,
	&knob_accept,	   &knob_ve_disable, NULL};

static int make(const struct knob_values *values, uint32_t vcpus,
		struct scenario *s, struct err *err)
{
	uint32_t stuck = (uint32_t)knob(values, "attackers");

	if (stuck >= vcpus)
		stuck = vcpus - 1;
	return faults_make(&workload_zero_step, values, vcpus, stuck, s, err);
}

const struct workload workload_zero_step = {
	.name = "zero-step",
	.summary = "vCPUs that fault at one instruction, against other faults",
	.operation = "fault",
	.knobs = knobs,
	.make = make,
};
