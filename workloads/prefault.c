/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM_PRE_FAULT_MEMORY of fresh pages by host threads: SEPT.ADD and PAGE.AUG
 * without an exit of a vCPU before them, while vCPUs run or fault elsewhere.
 * When all is there vCPUs touch it, which has to fault no more.
 */
#include "workloads/range.h"

static const struct knob pages = {
	.name = "pages",
	.type = KNOB_INT,
	.unit = "pages",
	.def = 512,
	.min = 1,
	.max = 1 << 20,
	.help = "pages in all, each given once",
};

static const struct knob *const knobs[] = {&pages, RANGE_KNOBS, NULL};

static int make(const struct knob_values *values, uint32_t vcpus,
		struct scenario *s, struct err *err)
{
	const struct range_work work = {.opcode = HOST_PREFAULT, .fresh = true};

	return range_make(&workload_prefault, values, vcpus, &work, s, err);
}

const struct workload workload_prefault = {
	.name = "prefault",
	.summary = "pages given before anybody touches them, while vCPUs run",
	.operation = "prefault",
	.knobs = knobs,
	.make = make,
};
