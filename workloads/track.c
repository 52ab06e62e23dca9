/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BLOCK, TRACK and kick of pages that stay (they are unblocked again),
 * against vCPUs that enter and leave: VP.ENTER shares the epoch lock that
 * TRACK wants exclusively, and a vCPU that has not left since the TRACK
 * before the last keeps the next one from succeeding.
 */
#include "workloads/script.h"

static const struct knob pages = {
	.name = "pages",
	.type = KNOB_INT,
	.unit = "pages",
	.def = 256,
	.min = 1,
	.max = 1 << 20,
	.help = "pages in all, each tracked once",
};

static const struct knob *const knobs[] = {
	&pages,	      &knob_page_size,	   &knob_others,   &knob_tick_ns,
	&knob_stuck_percent, &knob_stuck_ns, &knob_host_threads, NULL
};

static void vcpu_script(const struct knob_values *values, struct who who,
			const struct area *range, const struct area *fresh,
			bool stuck)
{
	vcpu_pages(who, AGENT_TOUCH,
		   area_slice(range, who.vcpu, who.s->vcpus),
		   AGENT_ACCEPT_FIRST, 0, 0);
	vcpu_barrier(who, 0);
	if (stuck)
		vcpu_stuck(who, area_end(fresh) + who.vcpu * PAGE_BYTES,
			   (uint64_t)knob(values, "stuck_ns"));
	else
		vcpu_background(who, values, area_part(fresh, who.vcpu),
				AGENT_ACCEPT_FIRST);
}

static void host_script(struct scenario *s, const struct area *range,
			uint32_t thread)
{
	host_barrier(s, thread, 0);
	host_measure(s, thread, true);
	host_pages(s, thread, HOST_TRACK, 0,
		   area_slice(range, thread, s->hosts), 0, 0);
	host_measure(s, thread, false);
	host_barrier(s, thread, 1);
	if (thread == 0)
		host_stop(s, 0);
}

static int make(const struct knob_values *values, uint32_t vcpus,
		struct scenario *s, struct err *err)
{
	struct area range = {
		.each = (uint64_t)knob(values, "pages"),
		.users = 1,
		.level = knob(values, "page_size") == PAGE_2M,
	};
	struct area fresh = { .each = FRESH_PAGES, .users = vcpus };
	uint32_t threads = (uint32_t)knob(values, "host_threads");
	uint32_t stuck = stuck_vcpus(values, vcpus);
	uint32_t i;

	if (script_begin(s, &workload_track, 1, vcpus, threads, err))
		return -1;
	fresh.gpa = area_end(&range);
	for (i = 0; i < vcpus; i++)
		vcpu_script(values, (struct who){ s, 0, i }, &range, &fresh,
			    i < stuck);
	for (i = 0; i < threads; i++)
		host_script(s, &range, i);
	s->huge = range.level;
	return script_end(s, area_end(&fresh) + vcpus * PAGE_BYTES, err);
}

const struct workload workload_track = {
	.name = "track",
	.summary = "BLOCK, TRACK and kick against vCPUs that enter and leave",
	.operation = "track",
	.knobs = knobs,
	.make = make,
};
