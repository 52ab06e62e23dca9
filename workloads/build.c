/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TD build: host thread 0 adds the initial image, PAGE.ADD and 16 MR.EXTEND
 * a page, and finalizes the TD.  More host threads may meanwhile issue vCPU
 * ioctls, as a userspace that breaks the rules can: PAGE.ADD and MR.EXTEND
 * need the TDR exclusively, VP.RD shares it, so both sides can find it busy.
 */
#include "workloads/script.h"

static const struct knob pages = {
	.name = "pages",
	.type = KNOB_INT,
	.unit = "pages",
	.def = 256,
	.min = 1,
	.max = 1 << 24,
	.help = "4K pages of the initial image",
};

static const struct knob measure = {
	.name = "measure",
	.type = KNOB_BOOL,
	.def = 1,
	.max = 1,
	.unit = "",
	.help = "MR.EXTEND each page as well",
};

static const struct knob racers = {
	.name = "racers",
	.type = KNOB_INT,
	.unit = "",
	.def = 1,
	.min = 0,
	.max = 64,
	.help = "host threads that issue vCPU ioctls meanwhile",
};

static const struct knob race_ns = {
	.name = "race_ns",
	.type = KNOB_INT,
	.unit = "ns",
	.def = 0,
	.min = 0,
	.max = 1000000000,
	.help = "racers: least time from one ioctl to the next",
};

static const struct knob *const knobs[] = {&pages, &measure, &racers, &race_ns,
					   NULL};

static void build_script(const struct knob_values *values, struct scenario *s,
			 uint64_t count)
{
	struct part image = {0, PAGE_BYTES, count, 0};

	host_barrier(s, 0, 0);
	host_measure(s, 0, true);
	host_pages(s, 0, HOST_BUILD, 0, image,
		   (uint64_t)knob(values, "measure"), 0);
	scenario_host(s, 0, (struct host_op){.opcode = HOST_FINALIZE});
	host_measure(s, 0, false);
}

static void race_script(const struct knob_values *values, struct scenario *s,
			uint32_t racer)
{
	host_barrier(s, racer, 0);
	host_measure(s, racer, true);
	scenario_host(s, racer,
		      (struct host_op){
			      .opcode = HOST_IOCTL,
			      .arg = (racer - 1) % s->vcpus,
			      .pace_ns = (uint64_t)knob(values, "race_ns"),
		      });
	host_measure(s, racer, false);
}

static int make(const struct knob_values *values, uint32_t vcpus,
		struct scenario *s, struct err *err)
{
	uint64_t count = (uint64_t)knob(values, "pages");
	uint32_t threads = 1 + (uint32_t)knob(values, "racers");
	uint32_t racer;

	if (script_begin(s, &workload_build, 1, vcpus, threads, err))
		return -1;
	s->finalized = false;
	build_script(values, s, count);
	for (racer = 1; racer < threads; racer++)
		race_script(values, s, racer);
	return script_end(s, count * PAGE_BYTES, err);
}

const struct workload workload_build = {
	.name = "build",
	.summary = "PAGE.ADD and MR.EXTEND of the initial image",
	.operation = "build",
	.knobs = knobs,
	.make = make,
};
