/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls that are the same for every kind of machine. */
#include "model/machine/internal.h"

static const char *const op_names[NR_LINE_OPS] = {
	[LINE_LOAD32] = "load32",
	[LINE_LOAD] = "load",		[LINE_STORE64] = "store64",
	[LINE_XADD16] = "xadd16",	[LINE_XADD32] = "xadd32",
	[LINE_XADD64] = "xadd64",	[LINE_CMPXCHG8] = "cmpxchg8",
	[LINE_CMPXCHG16] = "cmpxchg16", [LINE_CMPXCHG32] = "cmpxchg32",
	[LINE_CMPXCHG64] = "cmpxchg64", [LINE_XCHG16] = "xchg16",
	[LINE_XCHG32] = "xchg32",	[LINE_AND16] = "and16",
	[LINE_OR16] = "or16",		[LINE_BTS64] = "bts64",
	[LINE_BTR64] = "btr64",		[LINE_BTR32] = "btr32",
	[LINE_STORE32] = "store32",	[LINE_READ128] = "read128",
};

const char *line_op_name(enum line_op op)
{
	return (unsigned)op < NR_LINE_OPS ? op_names[op] : "?";
}

struct strand *machine_strand(struct machine *m, u32 cpu,
			      void (*fn)(struct strand *, void *), void *arg)
{
	return m->kind->add(m, cpu, fn, arg);
}

enum machine_end machine_run(struct machine *m)
{
	return m->kind->run(m);
}

const char *machine_reason(const struct machine *m)
{
	return m->reason;
}

u64 machine_events(const struct machine *m)
{
	return m->kind->events(m);
}

u64 machine_time(const struct machine *m)
{
	return m->kind->time(m);
}

void machine_destroy(struct machine *m)
{
	if (m)
		m->kind->destroy(m);
}
