/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Conversion of memory to shared and back, asked for by vCPUs (MapGPA), one
 * or many at once.  To shared removes the pages; to private is book-keeping,
 * and the pages are faulted in and accepted again before the next round.
 */
#include "workloads/script.h"

static const struct knob pages = {
	.name = "pages",
	.type = KNOB_INT,
	.unit = "pages",
	.def = 32,
	.min = 1,
	.max = 65536,
	.help = "pages of each vCPU that converts, one MapGPA each",
};

static const struct knob converters = {
	.name = "converters",
	.type = KNOB_INT,
	.unit = "vCPUs",
	.def = 0,
	.min = 0,
	.max = 1024,
	.help = "vCPUs that convert; 0: all of them",
};

static const struct knob rounds = {
	.name = "rounds",
	.type = KNOB_INT,
	.unit = "",
	.def = 2,
	.min = 1,
	.max = 1000000,
	.help = "times that each page is converted to shared and back",
};

static const struct knob *const knobs[] = {
	&pages,	      &knob_total_pages, &knob_page_size, &rounds, &converters,
	&knob_layout, &knob_others,	 &knob_tick_ns,	  NULL};

static void convert_script(const struct knob_values *values, struct who who,
			   struct part part, bool tell)
{
	uint8_t flags = AGENT_ACCEPT_FIRST | AGENT_RECORD;
	uint32_t first;

	vcpu_pages(who, AGENT_TOUCH, part, AGENT_ACCEPT_FIRST, 0, 0);
	vcpu_barrier(who, 0);
	vcpu_measure(who, true);
	first = vcpu_next(who);
	vcpu_pages(who, AGENT_CONVERT, part, AGENT_RECORD, 0, 0);
	vcpu_pages(who, AGENT_CONVERT, part, AGENT_RECORD, 1, 0);
	vcpu_pages(who, AGENT_TOUCH, part, flags, 0, 0);
	vcpu_loop(who, first, (uint32_t)knob(values, "rounds"));
	vcpu_measure(who, false);
	if (tell)
		vcpu_barrier(who, 1);
}

static int make(const struct knob_values *values, uint32_t vcpus,
		struct scenario *s, struct err *err)
{
	struct area area = {
		.users = (uint32_t)knob(values, "converters"),
		.layout = (uint32_t)knob(values, "layout"),
		.level = knob(values, "page_size") == PAGE_2M,
	};
	struct area fresh = {.each = FRESH_PAGES};
	uint32_t v;

	if (area.users == 0 || area.users > vcpus)
		area.users = vcpus;
	if (area.layout == LAYOUT_SHARED && area.users > 1)
		return err_set(
			err, EXIT_USAGE,
			"layout: vCPUs can't convert the same pages: one "
			"would touch as private what another has just "
			"made shared; use disjoint or interleaved");
	fresh.users = vcpus - area.users;
	if (script_begin(s, &workload_convert, 1, vcpus, fresh.users ? 1 : 0,
			 err))
		return -1;
	area.each = pages_each(values, area.users);
	fresh.gpa = area_end(&area);
	for (v = 0; v < vcpus; v++) {
		struct who who = {s, 0, v};

		if (v < area.users) {
			convert_script(values, who, area_part(&area, v),
				       fresh.users != 0);
			continue;
		}
		vcpu_barrier(who, 0);
		vcpu_background(who, values, area_part(&fresh, v - area.users),
				AGENT_ACCEPT_FIRST);
	}
	if (fresh.users) {
		host_barrier(s, 0, 1);
		host_stop(s, 0);
	}
	s->huge = area.level;
	return script_end(s, area_end(&fresh), err);
}

const struct workload workload_convert = {
	.name = "convert",
	.summary = "private to shared and back, by one vCPU or many",
	.operation = "convert",
	.knobs = knobs,
	.make = make,
};
