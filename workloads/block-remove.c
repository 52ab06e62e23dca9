/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whole removal of pages (BLOCK, TRACK, kick, REMOVE, WBINVD) while vCPUs
 * run.  BUSY comes from TRACK against VP.ENTER (others ticking), from BLOCK
 * and REMOVE against ACCEPT of the same pages (others faulting in the same
 * range), and from all of them against the VP.ENTERs of vCPUs that are stuck.
 */
#include "workloads/script.h"

enum { ELSEWHERE, SAME };
static const char *const places[] = { "elsewhere", "same", NULL };

static const struct knob pages = {
	.name = "pages",
	.type = KNOB_INT,
	.unit = "pages",
	.def = 512,
	.min = 1,
	.max = 1 << 20,
	.help = "pages in all, each removed once",
};

static const struct knob piece = {
	.name = "piece",
	.type = KNOB_INT,
	.unit = "pages",
	.def = 32,
	.min = 0,
	.max = 1 << 20,
	.help = "pages of one hole; 0: one hole for all",
};

static const struct knob where = {
	.name = "where",
	.type = KNOB_CHOICE,
	.unit = "",
	.def = ELSEWHERE,
	.choices = places,
	.help = "others that fault: in memory of their own, or again and "
		"again in the range that is being removed",
};

static const struct knob *const knobs[] = {
	&pages,	       &piece,		 &knob_page_size,
	&knob_others,  &knob_tick_ns,	 &where,
	&knob_stuck_percent, &knob_stuck_ns, &knob_host_threads,
	NULL
};

/* Touch the range that is being removed over and over. */
static void vcpu_in_range(struct who who, const struct area *range,
			  uint64_t pace_ns)
{
	uint32_t first;

	vcpu_measure(who, true);
	first = who.s->vcpu[who.vcpu].n;
	vcpu_pages(who, AGENT_TOUCH, area_slice(range, 0, 1),
		   AGENT_ACCEPT_FIRST | AGENT_UNTIL_STOP, 0, pace_ns);
	scenario_vcpu(who.s, 0, who.vcpu,
		      (struct agent_op){ .opcode = AGENT_LOOP, .arg = first });
	vcpu_measure(who, false);
}

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
	else if (knob(values, "others") == OTHERS_FAULTING &&
		 knob(values, "where") == SAME)
		vcpu_in_range(who, range, (uint64_t)knob(values, "tick_ns"));
	else
		vcpu_background(who, values, area_part(fresh, who.vcpu),
				AGENT_ACCEPT_FIRST);
}

static void host_script(const struct knob_values *values, struct scenario *s,
			const struct area *range, uint32_t thread)
{
	uint64_t hole = (uint64_t)knob(values, "piece") *
			area_page_bytes(range) / PAGE_BYTES;

	host_barrier(s, thread, 0);
	host_measure(s, thread, true);
	host_pages(s, thread, HOST_PUNCH, 0,
		   area_slice(range, thread, s->hosts), hole, 0);
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

	if (script_begin(s, &workload_block_remove, 1, vcpus, threads, err))
		return -1;
	fresh.gpa = area_end(&range);
	for (i = 0; i < vcpus; i++)
		vcpu_script(values, (struct who){ s, 0, i }, &range, &fresh,
			    i < stuck);
	for (i = 0; i < threads; i++)
		host_script(values, s, &range, i);
	s->huge = range.level;
	return script_end(s, area_end(&fresh) + vcpus * PAGE_BYTES, err);
}

const struct workload workload_block_remove = {
	.name = "block-remove",
	.summary = "whole removal of pages while vCPUs run, fault or accept",
	.operation = "removal",
	.knobs = knobs,
	.make = make,
};
