/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults and removals together, each at its rate.  Each vCPU has two sets of
 * pages; in a round it faults one in while host threads remove the other,
 * which it faulted in the round before.  So every touch is a fault, every
 * removal removes, and there is as much memory at the end as at the start.
 */
#include "workloads/script.h"

static const struct knob pages = {
	.name = "pages",
	.type = KNOB_INT,
	.unit = "pages",
	.def = 16,
	.min = 1,
	.max = 65536,
	.help = "pages of each vCPU in a round",
};

/* Each removal kicks every vCPU, so the work grows with pages times vCPUs. */
static const struct knob total_pages = {
	.name = "total_pages",
	.type = KNOB_INT,
	.unit = "pages",
	.def = 1024,
	.min = 1,
	.max = 1ll << 28,
	.help = "most pages of all vCPUs in a round; each has at least one",
};

static const struct knob rounds = {
	.name = "rounds",
	.type = KNOB_INT,
	.unit = "",
	.def = 4,
	.min = 1,
	.max = 10000,
	.help = "rounds: each faults in and removes the pages of every vCPU",
};

static const struct knob fault_rate = {
	.name = "fault_rate",
	.type = KNOB_INT,
	.unit = "1/s",
	.def = 20000,
	.min = 0,
	.max = 10000000,
	.help = "faults of each vCPU; 0: as fast as they can",
};

static const struct knob removal_rate = {
	.name = "removal_rate",
	.type = KNOB_INT,
	.unit = "1/s",
	.def = 0,
	.min = 0,
	.max = 10000000,
	.help = "removals of each host thread; 0: as fast as they can",
};

static const struct knob *const knobs[] = {
	&pages,	      &total_pages,    &rounds,
	&fault_rate,  &removal_rate,   &knob_host_threads,
	&knob_layout, &knob_page_size, NULL};

static void vcpu_script(const struct knob_values *values, struct who who,
			const struct area set[2])
{
	uint32_t n = (uint32_t)knob(values, "rounds");
	uint32_t r;

	vcpu_pages(who, AGENT_TOUCH, area_part(&set[1], who.vcpu),
		   AGENT_ACCEPT_FIRST, 0, 0);
	vcpu_barrier(who, 0);
	vcpu_measure(who, true);
	for (r = 0; r < n; r++) {
		if (r)
			vcpu_barrier(who, r);
		vcpu_pages(who, AGENT_TOUCH, area_part(&set[r & 1], who.vcpu),
			   AGENT_ACCEPT_FIRST | AGENT_RECORD, 0,
			   pace_of_rate(knob(values, "fault_rate")));
	}
	vcpu_measure(who, false);
}

static void host_removes(const struct knob_values *values, struct scenario *s,
			 const struct area *set, uint32_t thread)
{
	uint64_t pace_ns = pace_of_rate(knob(values, "removal_rate"));
	uint64_t piece = area_page_bytes(set) / PAGE_BYTES;
	uint32_t v;

	if (set->layout == LAYOUT_INTERLEAVED) {
		host_pages(s, thread, HOST_PUNCH, 0,
			   area_slice(set, thread, s->hosts), piece, pace_ns);
		return;
	}
	for (v = thread; v < set->users; v += s->hosts)
		host_pages(s, thread, HOST_PUNCH, 0, area_part(set, v), piece,
			   pace_ns);
}

static void host_script(const struct knob_values *values, struct scenario *s,
			const struct area set[2], uint32_t thread)
{
	uint32_t n = (uint32_t)knob(values, "rounds");
	uint32_t r;

	host_barrier(s, thread, 0);
	host_measure(s, thread, true);
	for (r = 0; r < n; r++) {
		if (r)
			host_barrier(s, thread, r);
		host_removes(values, s, &set[!(r & 1)], thread);
	}
	host_measure(s, thread, false);
}

static int make(const struct knob_values *values, uint32_t vcpus,
		struct scenario *s, struct err *err)
{
	struct area set[2] = {
		{.each = pages_each(values, vcpus),
		 .users = vcpus,
		 .layout = (uint32_t)knob(values, "layout"),
		 .level = knob(values, "page_size") == PAGE_2M},
	};
	uint32_t threads = (uint32_t)knob(values, "host_threads");
	uint32_t i;

	if (set[0].layout == LAYOUT_SHARED)
		return err_set(err, EXIT_USAGE,
			       "layout: with shared pages a round would fault "
			       "each only once; use disjoint or interleaved");
	if (script_begin(s, &workload_churn, 1, vcpus, threads, err))
		return -1;
	set[1] = set[0];
	set[1].gpa = area_end(&set[0]);
	for (i = 0; i < vcpus; i++)
		vcpu_script(values, (struct who){s, 0, i}, set);
	for (i = 0; i < threads; i++)
		host_script(values, s, set, i);
	s->huge = set[0].level;
	return script_end(s, area_end(&set[1]), err);
}

const struct workload workload_churn = {
	.name = "churn",
	.summary = "steady state: faults and removals together, at given rates",
	.operation = "fault",
	.knobs = knobs,
	.make = make,
};
