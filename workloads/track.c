/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BLOCK, TRACK and kick of pages that stay (they are unblocked again),
 * against vCPUs that enter and leave: VP.ENTER shares the epoch lock that
 * TRACK wants exclusively, and a vCPU that has not left since the TRACK
 * before the last keeps the next one from succeeding.
 */
#include "workloads/range.h"

static const struct knob pages = {
	.name = "pages",
	.type = KNOB_INT,
	.unit = "pages",
	.def = 256,
	.min = 1,
	.max = 1 << 20,
	.help = "pages in all, each tracked once",
};

static const struct knob *const knobs[] = {&pages, RANGE_KNOBS, NULL};

static int make(const struct knob_values *values, uint32_t vcpus,
		struct scenario *s, struct err *err)
{
	const struct range_work work = {.opcode = HOST_TRACK};

	return range_make(&workload_track, values, vcpus, &work, s, err);
}

const struct workload workload_track = {
	.name = "track",
	.summary = "BLOCK, TRACK and kick against vCPUs that enter and leave",
	.operation = "track",
	.knobs = knobs,
	.make = make,
};
