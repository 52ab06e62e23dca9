/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ACCEPT of memory that the host has added beforehand: no fault, no exit.
 * ACCEPT takes nothing but the lock of its S-EPT entry, so only vCPUs that
 * accept the same page (layout shared) meet.
 */
#include "workloads/script.h"

static const struct knob *const knobs[] = {&knob_pages, &knob_total_pages,
					   &knob_page_size, &knob_layout, NULL};

static void prefault(struct scenario *s, const struct area *area)
{
	uint32_t v;

	if (area->layout != LAYOUT_DISJOINT) {
		host_pages(s, 0, HOST_PREFAULT, 0, area_slice(area, 0, 1), 0,
			   0);
		return;
	}
	for (v = 0; v < area->users; v++)
		host_pages(s, 0, HOST_PREFAULT, 0, area_part(area, v), 0, 0);
}

static int make(const struct knob_values *values, uint32_t vcpus,
		struct scenario *s, struct err *err)
{
	struct area area = {
		.each = pages_each(values, vcpus),
		.users = vcpus,
		.layout = (uint32_t)knob(values, "layout"),
		.level = knob(values, "page_size") == PAGE_2M,
	};
	uint32_t v;

	if (script_begin(s, &workload_accept, 1, vcpus, 1, err))
		return -1;
	prefault(s, &area);
	host_barrier(s, 0, 0);
	for (v = 0; v < vcpus; v++) {
		struct who who = {s, 0, v};

		vcpu_barrier(who, 0);
		vcpu_measure(who, true);
		vcpu_pages(who, AGENT_ACCEPT, area_part(&area, v), AGENT_RECORD,
			   0, 0);
		vcpu_measure(who, false);
	}
	s->huge = area.level;
	return script_end(s, area_end(&area), err);
}

const struct workload workload_accept = {
	.name = "accept",
	.summary = "ACCEPT at 4K and 2M of memory that is already there",
	.operation = "accept",
	.knobs = knobs,
	.make = make,
};
