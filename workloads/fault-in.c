/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All vCPUs touch fresh private memory at once: SEPT.ADD and PAGE.AUG, and
 * ACCEPT.  Host calls share the S-EPT tree, so on its own this measures how
 * the path scales; a share of the vCPUs can be stuck at one instruction,
 * whose VP.ENTERs take the tree exclusively once the module suspects them of
 * zero-stepping.
 */
#include "workloads/faults.h"

/* Without any, no policy has anything to decide: host calls share the tree. */
static const struct knob stuck_percent = {
	.name = "stuck_percent",
	.type = KNOB_INT,
	.unit = "%",
	.def = 25,
	.min = 0,
	.max = 99,
	.help = "vCPUs that fault at one instruction, which nobody resolves",
};

static const struct knob *const knobs[] = {
	&knob_pages,	&knob_total_pages, &knob_page_size,
	&knob_layout,	&knob_accept,	   &knob_ve_disable,
	&stuck_percent, &knob_stuck_ns,	   NULL};

static void fault_script(const struct knob_values *values, struct who who,
			 struct part part, bool tell)
{
	uint8_t flags = accept_flags(knob(values, "accept"));

	vcpu_barrier(who, 0);
	vcpu_measure(who, true);
	vcpu_pages(who, AGENT_TOUCH, part, flags | AGENT_RECORD, 0, 0);
	vcpu_measure(who, false);
	if (tell)
		vcpu_barrier(who, 1);
}

int faults_make(const struct workload *w, const struct knob_values *values,
		uint32_t vcpus, uint32_t stuck, struct scenario *s,
		struct err *err)
{
	struct area area = {
		.layout = (uint32_t)knob(values, "layout"),
		.level = knob(values, "page_size") == PAGE_2M,
	};
	uint64_t stuck_ns = (uint64_t)knob(values, "stuck_ns");
	uint64_t end;
	uint32_t v;

	if (accept_check(values, err) ||
	    script_begin(s, w, 1, vcpus, stuck ? 1 : 0, err))
		return -1;
	area.users = vcpus - stuck;
	area.each = pages_each(values, area.users);
	end = area_end(&area);
	for (v = 0; v < stuck; v++) {
		vcpu_barrier((struct who){s, 0, v}, 0);
		vcpu_stuck((struct who){s, 0, v}, end + v * PAGE_BYTES,
			   stuck_ns);
	}
	for (; v < vcpus; v++)
		fault_script(values, (struct who){s, 0, v},
			     area_part(&area, v - stuck), stuck != 0);
	if (stuck) {
		host_barrier(s, 0, 1);
		host_stop(s, 0);
	}
	s->huge = area.level;
	s->ve_disable = knob(values, "ve_disable");
	return script_end(s, end + stuck * PAGE_BYTES, err);
}

static int make(const struct knob_values *values, uint32_t vcpus,
		struct scenario *s, struct err *err)
{
	return faults_make(&workload_fault_in, values, vcpus,
			   stuck_vcpus(values, vcpus), s, err);
}

const struct workload workload_fault_in = {
	.name = "fault-in",
	.summary = "SEPT.ADD, PAGE.AUG and ACCEPT: vCPUs touch fresh memory",
	.operation = "fault",
	.knobs = knobs,
	.make = make,
};
