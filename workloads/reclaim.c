/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Teardown of one or many TDs: while they can run (BLOCK, TRACK, REMOVE and
 * WBINVD of each page, as KVM does), against early release of the HKID and
 * RECLAIM of each page.  Both end with VP.FLUSH, VPFLUSHDONE, CACHE.WB,
 * FREEID and RECLAIM of what is left.
 */
#include "workloads/script.h"

static const char *const orders[] = {"runnable", "early", NULL};

static const struct knob order = {
	.name = "order",
	.type = KNOB_CHOICE,
	.unit = "",
	.def = 0, /* as enum teardown_order of the model */
	.choices = orders,
	.help = "remove every page, then release the HKID; or the HKID first",
};

static const struct knob tds = {
	.name = "tds",
	.type = KNOB_INT,
	.unit = "TDs",
	.def = 1,
	.min = 1,
	.max = 64,
	.help = "TDs that are torn down at once",
};

static const struct knob *const knobs[] = {&order,
					   &tds,
					   &knob_host_threads,
					   &knob_pages,
					   &knob_total_pages,
					   &knob_page_size,
					   NULL};

/*
 * Threads are dealt out to TDs when there are more of them, and TDs to
 * threads when not.
 */
static bool mine(uint32_t td, uint32_t thread, const struct scenario *s)
{
	if (s->hosts > s->tds)
		return thread % s->tds == td;
	return td % s->hosts == thread;
}

static void host_script(const struct knob_values *values, struct scenario *s,
			uint32_t thread)
{
	uint32_t td;

	for (td = 0; td < s->tds; td++)
		scenario_host(s, thread,
			      (struct host_op){.opcode = HOST_JOIN, .td = td});
	host_barrier(s, thread, 0);
	host_measure(s, thread, true);
	for (td = 0; td < s->tds; td++) {
		if (mine(td, thread, s))
			scenario_host(
				s, thread,
				(struct host_op){
					.opcode = HOST_TEARDOWN,
					.td = td,
					.arg = (uint64_t)knob(values, "order"),
				});
	}
	host_measure(s, thread, false);
}

static int make(const struct knob_values *values, uint32_t vcpus,
		struct scenario *s, struct err *err)
{
	uint32_t ntds = (uint32_t)knob(values, "tds");
	uint32_t threads = (uint32_t)knob(values, "host_threads");
	struct area area = {.users = vcpus,
			    .each = pages_each(values, vcpus * ntds),
			    .level = knob(values, "page_size") == PAGE_2M};
	uint32_t td, i;

	if (script_begin(s, &workload_reclaim, ntds, vcpus, threads, err))
		return -1;
	for (td = 0; td < ntds; td++) {
		for (i = 0; i < vcpus; i++)
			vcpu_pages((struct who){s, td, i}, AGENT_TOUCH,
				   area_part(&area, i), AGENT_ACCEPT_FIRST, 0,
				   0);
	}
	for (i = 0; i < threads; i++)
		host_script(values, s, i);
	s->huge = area.level;
	return script_end(s, area_end(&area), err);
}

const struct workload workload_reclaim = {
	.name = "reclaim",
	.summary = "teardown: page by page while runnable, or early release",
	.operation = "teardown",
	.knobs = knobs,
	.make = make,
};
