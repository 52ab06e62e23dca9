/* SPDX-License-Identifier: GPL-2.0-only */
#include "workloads/script.h"

#define ENTRIES_PER_TABLE 512ull

const struct knob knob_total_pages = {
	.name = "total_pages",
	.type = KNOB_INT,
	.unit = "pages",
	.def = 16384,
	.min = 1,
	.max = 1ll << 28,
	.help = "most pages of all vCPUs together; each has at least one",
};

const struct knob knob_stuck_percent = {
	.name = "stuck_percent",
	.type = KNOB_INT,
	.unit = "%",
	.def = 0,
	.min = 0,
	.max = 99,
	.help = "vCPUs that fault at one instruction, which nobody resolves",
};

const struct knob knob_stuck_ns = {
	.name = "stuck_ns",
	.type = KNOB_INT,
	.unit = "ns",
	.def = 0,
	.min = 0,
	.max = 1000000000,
	.help = "vCPUs that are stuck: time in userspace between two faults",
};

/* ----------------------------------------------------------------- pages */

uint64_t area_page_bytes(const struct area *area)
{
	return area->level ? ENTRIES_PER_TABLE * PAGE_BYTES : PAGE_BYTES;
}

static uint64_t round_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) / unit * unit;
}

/* Bytes from one user's first page to the next one's, layout disjoint. */
static uint64_t area_pitch(const struct area *area)
{
	uint64_t bytes = area_page_bytes(area);

	return round_up(area->each * bytes, ENTRIES_PER_TABLE * bytes);
}

struct part area_part(const struct area *area, uint32_t user)
{
	uint64_t bytes = area_page_bytes(area);
	struct part part = {area->gpa, bytes, area->each, area->level};

	switch (area->layout) {
	case LAYOUT_DISJOINT:
		part.gpa += user * area_pitch(area);
		break;
	case LAYOUT_INTERLEAVED:
		part.gpa += user * bytes;
		part.stride = area->users * bytes;
		break;
	default:
		break;
	}
	return part;
}

uint64_t area_end(const struct area *area)
{
	uint64_t bytes = area_page_bytes(area);
	uint64_t length = area->each * bytes;

	if (area->layout == LAYOUT_DISJOINT)
		length = area->users * area_pitch(area);
	if (area->layout == LAYOUT_INTERLEAVED)
		length *= area->users;
	return round_up(area->gpa + length, ENTRIES_PER_TABLE * bytes);
}

struct part area_slice(const struct area *area, uint32_t index, uint32_t parts)
{
	uint64_t bytes = area_page_bytes(area);
	uint32_t sharers = area->layout == LAYOUT_SHARED ? area->users : 1;
	uint64_t pages = area->each * area->users / sharers;
	uint64_t first = pages * index / parts;
	uint64_t end = pages * (index + 1ull) / parts;

	return (struct part){area->gpa + first * bytes, bytes, end - first,
			     area->level};
}

uint32_t stuck_vcpus(const struct knob_values *values, uint32_t vcpus)
{
	return (uint32_t)(vcpus * knob(values, "stuck_percent") / 100);
}

uint64_t pages_each(const struct knob_values *values, uint32_t users)
{
	uint64_t pages = (uint64_t)knob(values, "pages");
	uint64_t bound = (uint64_t)knob(values, "total_pages") / users;

	if (pages > bound)
		pages = bound;
	return pages ? pages : 1;
}

uint8_t accept_flags(int64_t accept)
{
	switch (accept) {
	case ACCEPT_FIRST:
		return AGENT_ACCEPT_FIRST;
	case ACCEPT_ON_VE:
		return AGENT_ACCEPT_ON_VE;
	default:
		return 0;
	}
}

int accept_check(const struct knob_values *values, struct err *err)
{
	if (!knob(values, "ve_disable") ||
	    knob(values, "accept") == ACCEPT_FIRST)
		return 0;
	return err_set(err, EXIT_USAGE,
		       "ve_disable: the first touch of a pending page would "
		       "end the TD; use it with \"accept\": \"first\"");
}

uint64_t pace_of_rate(int64_t rate)
{
	return rate ? NS_PER_S / (uint64_t)rate : 0;
}

/* -------------------------------------------------------------- scenario */

int script_begin(struct scenario *s, const struct workload *w, uint32_t tds,
		 uint32_t vcpus, uint32_t hosts, struct err *err)
{
	if (!scenario_init(s, tds, vcpus, hosts))
		return err_set(err, EXIT_FAILED, "%s: out of memory", w->name);
	s->operation = w->operation;
	s->finalized = true;
	return 0;
}

int script_end(struct scenario *s, uint64_t end, struct err *err)
{
	s->pages = end / PAGE_BYTES;
	if (!s->failed)
		return 0;
	scenario_free(s);
	return err_set(err, EXIT_FAILED, "a scenario: out of memory");
}

static void vcpu_op(struct who who, struct agent_op op)
{
	scenario_vcpu(who.s, who.td, who.vcpu, op);
}

uint32_t vcpu_next(struct who who)
{
	return who.s->vcpu[who.td * who.s->vcpus + who.vcpu].n;
}

void vcpu_loop(struct who who, uint32_t first, uint32_t count)
{
	vcpu_op(who, (struct agent_op){.opcode = AGENT_LOOP,
				       .arg = first,
				       .count = count});
}

void vcpu_barrier(struct who who, uint32_t id)
{
	vcpu_op(who, (struct agent_op){.opcode = AGENT_BARRIER, .arg = id});
}

void vcpu_measure(struct who who, bool begin)
{
	vcpu_op(who, (struct agent_op){.opcode = AGENT_MEASURE, .arg = begin});
}

void vcpu_pages(struct who who, uint16_t opcode, struct part part,
		uint8_t flags, uint64_t arg, uint64_t pace_ns)
{
	vcpu_op(who, (struct agent_op){.opcode = opcode,
				       .level = part.level,
				       .flags = flags,
				       .count = (uint32_t)part.count,
				       .gpa = part.gpa,
				       .stride = part.stride,
				       .arg = arg,
				       .pace_ns = pace_ns});
}

void vcpu_stuck(struct who who, uint64_t gpa, uint64_t pace_ns)
{
	vcpu_measure(who, true);
	vcpu_op(who, (struct agent_op){.opcode = AGENT_STUCK,
				       .gpa = gpa,
				       .pace_ns = pace_ns});
	vcpu_measure(who, false);
}

void vcpu_background(struct who who, const struct knob_values *values,
		     struct part fresh, uint8_t flags)
{
	uint64_t tick_ns = (uint64_t)knob(values, "tick_ns");

	vcpu_measure(who, true);
	switch (knob(values, "others")) {
	case OTHERS_HALTED:
		vcpu_op(who, (struct agent_op){.opcode = AGENT_HALT});
		break;
	case OTHERS_TICKING:
		vcpu_op(who, (struct agent_op){.opcode = AGENT_TICK,
					       .arg = tick_ns});
		break;
	case OTHERS_FAULTING:
		vcpu_pages(who, AGENT_TOUCH, fresh,
			   flags | AGENT_RECORD | AGENT_UNTIL_STOP, 0, tick_ns);
		/* they wait inside when the pages are used up */
		__attribute__((fallthrough));
	default:
		vcpu_op(who, (struct agent_op){.opcode = AGENT_SPIN});
		break;
	}
	vcpu_measure(who, false);
}

void host_barrier(struct scenario *s, uint32_t thread, uint32_t id)
{
	scenario_host(s, thread,
		      (struct host_op){.opcode = HOST_BARRIER, .arg = id});
}

void host_measure(struct scenario *s, uint32_t thread, bool begin)
{
	scenario_host(s, thread,
		      (struct host_op){.opcode = HOST_MEASURE, .arg = begin});
}

void host_stop(struct scenario *s, uint32_t thread)
{
	scenario_host(s, thread, (struct host_op){.opcode = HOST_STOP});
}

void host_pages(struct scenario *s, uint32_t thread, enum host_opcode opcode,
		uint32_t td, struct part part, uint64_t arg, uint64_t pace_ns)
{
	if (!part.count)
		return;
	scenario_host(
		s, thread,
		(struct host_op){.opcode = opcode,
				 .td = td,
				 .gpa = part.gpa,
				 .pages = part.count * part.stride / PAGE_BYTES,
				 .arg = arg,
				 .pace_ns = pace_ns});
}
