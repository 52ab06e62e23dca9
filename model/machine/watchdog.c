/* SPDX-License-Identifier: GPL-2.0-only */
/* When a run on virtual time is over, and how to say why. */
#include <stdarg.h>
#include <stdio.h>

#include "model/machine/virtual.h"

static const char *doing_name(u32 doing)
{
	static const char *const names[] = {
		[DOING_SPEND - NR_LINE_OPS] = "spending time",
		[DOING_GUEST - NR_LINE_OPS] = "in the guest",
		[DOING_WAIT - NR_LINE_OPS] = "waiting for a line",
		[DOING_NOTHING - NR_LINE_OPS] = "not begun",
		[DOING_RETURNED - NR_LINE_OPS] = "returned",
	};

	if (doing < NR_LINE_OPS)
		return line_op_name((enum line_op)doing);
	return names[doing - NR_LINE_OPS];
}

__attribute__((format(printf, 2, 3))) static void say(struct virtual *m,
						      const char *format, ...)
{
	size_t room = sizeof(m->base.reason), used = 0;
	va_list ap;

	while (used < room - 1 && m->base.reason[used])
		used++;
	va_start(ap, format);
	vsnprintf(m->base.reason + used, room - used, format, ap);
	va_end(ap);
}

/** A time of day of the run, exact to the nanosecond. */
static void say_time(struct virtual *m, u64 ps)
{
	say(m, "%llu.%06llu ms", ps / PS_PER_MS, ps % PS_PER_MS / PS_PER_NS);
}

enum { SAID_DOINGS = 3 };

/** The thing that most strands were at; of as many the first. */
static u32 most_common(const u32 *count)
{
	u32 most = 0;

	for (u32 d = 1; d < DOING_RETURNED; d++)
		if (count[d] > count[most])
			most = d;
	return most;
}

/**
 * Who was doing what: how many at each thing, and the first of them.  Only
 * what is most common: a whole list would be cut in the middle of a word.
 */
static void say_doings(struct virtual *m)
{
	u32 count[NR_DOINGS] = {0}, first[NR_DOINGS] = {0};
	u32 left = 0;

	for (u32 i = m->strands; i-- > 0;) {
		u32 doing = m->strand[i].doing;

		left += doing < DOING_RETURNED;
		count[doing]++;
		first[doing] = i;
	}
	for (u32 n = 0; n < SAID_DOINGS && left; n++) {
		u32 d = most_common(count);

		say(m, "%s%u %s (strand %u%s)", n ? ", " : "; ", count[d],
		    doing_name(d), first[d], count[d] > 1 ? ", ..." : "");
		left -= count[d];
		count[d] = 0;
	}
	if (left)
		say(m, ", %u at other things", left);
}

u64 watchdog_limit(const struct virtual *m)
{
	u64 deadline = QUEUE_TIME_MAX - 1;

	if (m->config.max_ps)
		deadline = queue_min(deadline, m->config.max_ps);
	if (m->config.livelock_ps)
		deadline = queue_min(deadline,
				     m->progress_at + m->config.livelock_ps);
	return queue_key(deadline + 1, 0);
}

static void deadlocked(struct virtual *m)
{
	m->end = MACHINE_DEADLOCK;
	say(m, "all that are left wait for each other");
	say_doings(m);
}

static void timed_out(struct virtual *m, u64 limit)
{
	m->end = MACHINE_TIMEOUT;
	say(m, "not done at ");
	say_time(m, limit);
	say_doings(m);
}

static void livelocked(struct virtual *m)
{
	m->end = MACHINE_LIVELOCK;
	say(m, "no progress for ");
	say_time(m, m->config.livelock_ps);
	say(m, " after ");
	say_time(m, m->progress_at);
	if (m->progress_by)
		say(m, ", the last by strand %u", m->progress_by - 1);
	say_doings(m);
}

bool watchdog_bites(struct virtual *m, u64 next)
{
	u64 time = queue_key_time(next);
	u64 max = m->config.max_ps;

	if (next == QUEUE_PARKED)
		deadlocked(m);
	else if (m->config.livelock_ps &&
		 time > m->progress_at + m->config.livelock_ps)
		livelocked(m);
	else if (max && time > max)
		timed_out(m, max);
	else if (time >= QUEUE_TIME_MAX)
		timed_out(m, QUEUE_TIME_MAX);
	else
		return false;
	return true;
}
