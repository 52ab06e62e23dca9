/* SPDX-License-Identifier: GPL-2.0-only */
#include "workloads/range.h"

/** Where everything is. */
struct places {
	struct area range; /* what the host works on */
	struct area fresh; /* for vCPUs that fault elsewhere */
	uint64_t stuck;	   /* a page for each vCPU that is stuck */
};

static struct places places_of(const struct knob_values *values, uint32_t vcpus)
{
	struct places p = {
		.range = {.each = (uint64_t)knob(values, "pages"),
			  .users = 1,
			  .level = knob(values, "page_size") == PAGE_2M},
		.fresh = {.each = FRESH_PAGES, .users = vcpus},
	};

	p.fresh.gpa = area_end(&p.range);
	p.stuck = area_end(&p.fresh);
	return p;
}

/* Touch the range that is being worked on over and over. */
static void vcpu_contests(struct who who, const struct area *range,
			  uint64_t pace_ns)
{
	uint32_t first;

	vcpu_measure(who, true);
	first = vcpu_next(who);
	vcpu_pages(who, AGENT_TOUCH, area_slice(range, 0, 1),
		   AGENT_ACCEPT_FIRST | AGENT_UNTIL_STOP, 0, pace_ns);
	vcpu_loop(who, first, 0);
	vcpu_measure(who, false);
}

static void touch_range(struct who who, const struct places *p)
{
	vcpu_pages(who, AGENT_TOUCH,
		   area_slice(&p->range, who.vcpu, who.s->vcpus),
		   AGENT_ACCEPT_FIRST, 0, 0);
}

static void vcpu_script(const struct knob_values *values, struct who who,
			const struct places *p, const struct range_work *work)
{
	uint32_t stuck = stuck_vcpus(values, who.s->vcpus);

	if (!work->fresh)
		touch_range(who, p);
	vcpu_barrier(who, 0);
	if (who.vcpu < stuck)
		vcpu_stuck(who, p->stuck + who.vcpu * PAGE_BYTES,
			   (uint64_t)knob(values, "stuck_ns"));
	else if (work->contested && knob(values, "others") == OTHERS_FAULTING)
		vcpu_contests(who, &p->range,
			      (uint64_t)knob(values, "tick_ns"));
	else
		vcpu_background(who, values, area_part(&p->fresh, who.vcpu),
				AGENT_ACCEPT_FIRST);
	if (work->fresh)
		touch_range(who, p);
}

/* A part of the range, one operation or as many as it has pieces. */
static void host_work(struct scenario *s, uint32_t thread, struct part part,
		      const struct range_work *work)
{
	struct part one = part;
	uint64_t left;

	for (left = part.count; left; left -= one.count) {
		if (work->piece && work->piece < left)
			one.count = work->piece;
		else
			one.count = left;
		host_pages(s, thread, work->opcode, 0, one, work->arg, 0);
		one.gpa += one.count * one.stride;
	}
}

static void host_script(struct scenario *s, uint32_t thread,
			const struct places *p, const struct range_work *work)
{
	host_barrier(s, thread, 0);
	host_measure(s, thread, true);
	host_work(s, thread, area_slice(&p->range, thread, s->hosts), work);
	host_measure(s, thread, false);
	host_barrier(s, thread, 1);
	if (thread == 0)
		host_stop(s, 0);
}

int range_make(const struct workload *w, const struct knob_values *values,
	       uint32_t vcpus, const struct range_work *work,
	       struct scenario *s, struct err *err)
{
	uint32_t threads = (uint32_t)knob(values, "host_threads");
	struct places p = places_of(values, vcpus);
	uint32_t i;

	if (script_begin(s, w, 1, vcpus, threads, err))
		return -1;
	for (i = 0; i < vcpus; i++)
		vcpu_script(values, (struct who){s, 0, i}, &p, work);
	for (i = 0; i < threads; i++)
		host_script(s, i, &p, work);
	s->huge = p.range.level;
	return script_end(s, p.stuck + vcpus * PAGE_BYTES, err);
}
