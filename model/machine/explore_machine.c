/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine that stops each strand before everything that others could
 * notice: operations on words, waits, and looks at the flag that stands for a
 * pending interrupt.  Time stands still.
 */
#include <stdlib.h>
#include <string.h>

#include "model/machine/explore_impl.h"

#define STACK_BYTES (256u << 10)

static struct explore_strand *explore_strand(struct strand *s)
{
	return (struct explore_strand *)s;
}

static struct explore_machine *machine_of(struct strand *s)
{
	return (struct explore_machine *)s->machine;
}

/* ------------------------------------------------------- what strands do */

/* Stop here until the search lets this strand go on. */
static void announce(struct explore_strand *v, const struct pending *next)
{
	struct explore_machine *m = machine_of(&v->s);

	v->next = *next;
	m->events++;
	context_switch(&v->context, &m->main);
}

static u32 bytes_of(enum line_op op)
{
	switch (op) {
	case LINE_CMPXCHG8:
		return 1;
	case LINE_XADD16:
	case LINE_CMPXCHG16:
	case LINE_XCHG16:
	case LINE_AND16:
	case LINE_OR16:
		return 2;
	case LINE_XADD32:
	case LINE_CMPXCHG32:
	case LINE_XCHG32:
	case LINE_BTR32:
	case LINE_STORE32:
	case LINE_LOAD32:
		return 4;
	case LINE_READ128:
		return 16;
	default:
		return 8;
	}
}

static void explore_order(struct strand *s, struct line *line, const void *word,
			  enum line_op op)
{
	struct pending next = {
		.access = {{word, bytes_of(op), !line_op_is_read(op)}},
		.n = 1,
		.op = op,
		.counts = machine_of(s)->counting >> op & 1,
		.adds = s->adds,
		.looks = s->looks,
	};

	(void)line;
	announce(explore_strand(s), &next);
}

static void look_at_flag(struct strand *s, struct strand *whose, bool write)
{
	struct pending next = {
		.access = {{(const char *)&explore_strand(whose)->flag, 1,
			    write}},
		.n = 1,
		.op = write ? LINE_STORE32 : LINE_LOAD,
	};

	announce(explore_strand(s), &next);
}

static void explore_plain(struct strand *s, const void *at, u32 bytes,
			  bool write)
{
	struct pending next = {
		.access = {{at, bytes, write}},
		.n = 1,
		.op = write ? LINE_STORE64 : LINE_LOAD,
	};

	announce(explore_strand(s), &next);
}

static void explore_spend(struct strand *s, u64 ps, enum work work)
{
	(void)s;
	(void)ps;
	(void)work;
}

static bool explore_interrupted(struct strand *s)
{
	look_at_flag(s, s, false);
	return explore_strand(s)->flag;
}

/* Time in the guest is as long as it takes: an interrupt may cut it short. */
static u64 explore_spend_in_guest(struct strand *s, u64 ps)
{
	return explore_interrupted(s) ? ps : 0;
}

static bool explore_wait(struct strand *s, struct line *line, const u32 *word,
			 u32 seen, bool interruptible)
{
	struct explore_strand *v = explore_strand(s);
	struct pending next = {
		.access = {{(const char *)word, sizeof(*word), false},
			   {(const char *)&v->flag, 1, false}},
		.n = interruptible ? 2 : 1,
		.op = LINE_LOAD,
		.word = word,
		.seen = seen,
		.flag = interruptible ? &v->flag : NULL,
	};

	(void)line;
	announce(v, &next);
	return !(interruptible && v->flag);
}

static void await(struct strand *s, const struct obstacle *o, bool tries,
		  bool interruptible)
{
	struct explore_strand *v = explore_strand(s);
	struct pending next = {
		.access = {{o->word, o->bytes, s->adds != 0},
			   {(const char *)&v->flag, 1, false}},
		.n = interruptible ? 2 : 1,
		.op = LINE_LOAD,
		.adds = s->adds,
		.looks = s->looks,
		.obstacle = *o,
		.tries = tries,
		.flag = interruptible ? &v->flag : NULL,
	};

	announce(v, &next);
}

static void explore_wait_for(struct strand *s, const struct obstacle *o)
{
	await(s, o, false, false);
}

void explore_await(struct strand *s, const struct obstacle *o,
		   bool interruptible)
{
	await(s, o, true, interruptible);
}

u64 explore_word(const struct obstacle *o)
{
	u64 value = 0;

	memcpy(&value, o->word, o->bytes);
	return value;
}

bool explore_obstructed(const struct obstacle *o)
{
	return (explore_word(o) ^ o->flip) & o->mask;
}

static void explore_interrupt(struct strand *s, struct strand *target,
			      u64 latency_ps)
{
	(void)latency_ps;
	look_at_flag(s, target, true);
	explore_strand(target)->flag = true;
}

static void explore_interrupt_done(struct strand *s)
{
	look_at_flag(s, s, true);
	explore_strand(s)->flag = false;
}

static void explore_progress(struct strand *s)
{
	trace_emit(s, progress);
}

static __attribute__((noreturn)) void explore_halt(struct strand *s,
						   const char *why)
{
	struct explore_strand *v = explore_strand(s);
	struct explore_machine *m = machine_of(s);

	memset(m->base.reason, 0, sizeof(m->base.reason));
	strncpy(m->base.reason, why, sizeof(m->base.reason) - 1);
	m->halted = true;
	v->ended = true;
	context_leave(&v->context, &m->main);
}

static u64 explore_now(struct strand *s)
{
	(void)s;
	return 0;
}

static const struct machine_ops explore_ops = {
	.order = explore_order,
	.spend = explore_spend,
	.spend_in_guest = explore_spend_in_guest,
	.wait = explore_wait,
	.interrupt = explore_interrupt,
	.interrupted = explore_interrupted,
	.interrupt_done = explore_interrupt_done,
	.progress = explore_progress,
	.plain = explore_plain,
	.await = explore_wait_for,
	.halt = explore_halt,
	.now = explore_now,
};

/* ------------------------------------------------------------ the machine */

static void strand_entry(void *arg)
{
	struct explore_strand *v = arg;

	v->fn(&v->s, v->arg);
	v->ended = true;
	v->next = (struct pending){0};
	context_leave(&v->context, &machine_of(&v->s)->main);
}

static struct strand *explore_add(struct machine *base, u32 cpu,
				  void (*fn)(struct strand *, void *),
				  void *arg)
{
	struct explore_machine *m = (struct explore_machine *)base;
	struct explore_strand *v = &m->strand[m->strands];

	if (m->strands == EXPLORE_MAX_STRANDS)
		return NULL;
	if (!v->made && context_create(&v->context, STACK_BYTES, m->strands,
				       strand_entry, v))
		return NULL;
	if (v->made)
		context_restart(&v->context, strand_entry, v);
	v->made = true;
	v->ended = v->flag = false;
	v->next = (struct pending){0};
	v->s = (struct strand){
		.ops = &explore_ops,
		.machine = base,
		.random = mix64(m->strands),
		.id = m->strands++,
		.cpu = (u16)cpu,
		.explored = true,
		.takes_locks = m->takes_locks,
	};
	v->fn = fn;
	v->arg = arg;
	return &v->s;
}

static u64 explore_events(const struct machine *base)
{
	return ((const struct explore_machine *)base)->events;
}

static u64 explore_time(const struct machine *base)
{
	(void)base;
	return 0;
}

static void explore_destroy(struct machine *base)
{
	explore_machine_free((struct explore_machine *)base);
}

/* machine_run() is not for this machine: the search decides what is run. */
static const struct machine_kind explore_kind = {
	.add = explore_add,
	.events = explore_events,
	.time = explore_time,
	.destroy = explore_destroy,
};

struct explore_machine *explore_machine_new(void)
{
	struct explore_machine *m = calloc(1, sizeof(*m));

	if (m)
		m->base.kind = &explore_kind;
	return m;
}

void explore_machine_free(struct explore_machine *m)
{
	for (u32 i = 0; m && i < EXPLORE_MAX_STRANDS; i++)
		if (m->strand[i].made)
			context_destroy(&m->strand[i].context);
	free(m);
}

void explore_machine_reset(struct explore_machine *m)
{
	m->strands = 0;
	m->halted = false;
	m->base.reason[0] = '\0';
}

void explore_machine_step(struct explore_machine *m, u32 strand)
{
	context_switch(&m->main, &m->strand[strand].context);
}

void explore_machine_start(struct explore_machine *m)
{
	for (u32 i = 0; i < m->strands && !m->halted; i++)
		explore_machine_step(m, i);
}

static const char *around(const void *at)
{
	return (const char *)((uintptr_t)at & ~(uintptr_t)7);
}

u64 explore_around(const struct pending *p)
{
	u64 value = 0;

	if (p->n)
		memcpy(&value, around(p->access[0].at), sizeof(value));
	return value;
}

enum explore_ready explore_was_ready(const struct pending *p,
				     const struct pending *other, u64 before)
{
	const struct obstacle *o = &p->obstacle;
	const char *word = o->word ? o->word : (const char *)p->word;
	u64 value = 0;

	if (!word)
		return READY;
	if (!other->n || around(word) != around(other->access[0].at))
		return NOT_KNOWN;
	memcpy(&value, (const char *)&before + (word - around(word)),
	       o->word ? o->bytes : sizeof(*p->word));
	if (o->word ? !((value ^ o->flip) & o->mask) : value != p->seen)
		return READY;
	return p->flag ? NOT_KNOWN : NOT_READY;
}

static bool is_waiting(const struct pending *next)
{
	if (next->obstacle.word)
		return explore_obstructed(&next->obstacle);
	return next->word && *next->word == next->seen;
}

u32 explore_machine_enabled(const struct explore_machine *m)
{
	u32 enabled = 0;

	for (u32 i = 0; i < m->strands; i++) {
		const struct explore_strand *v = &m->strand[i];
		const struct pending *next = &v->next;

		if (!v->ended &&
		    (!is_waiting(next) || (next->flag && *next->flag)))
			enabled |= 1u << i;
	}
	return enabled;
}

bool explore_machine_done(const struct explore_machine *m)
{
	for (u32 i = 0; i < m->strands; i++)
		if (!m->strand[i].ended)
			return false;
	return true;
}

enum machine_end explore_machine_end(const struct explore_machine *m)
{
	if (m->halted)
		return MACHINE_HALTED;
	if (explore_machine_done(m))
		return MACHINE_DONE;
	for (u32 i = 0; i < m->strands; i++)
		if (!m->strand[i].ended && m->strand[i].next.tries)
			return MACHINE_LIVELOCK;
	return MACHINE_DEADLOCK;
}
