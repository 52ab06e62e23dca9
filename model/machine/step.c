/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine that runs one strand when told.
 *
 * Whoever calls step_run() - the host's own code, or another strand out of a
 * point callback - is left where it is until the strand pauses, returns,
 * halts or blocks.  So calls nest like ordinary function calls.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/machine/context.h"
#include "model/machine/internal.h"

#define STACK_BYTES (256u << 10)

struct step_strand {
	struct strand s; /* must be first */
	struct context context;
	struct context *caller; /* while running: who called step_run() */
	enum step_end end;
	u64 budget;	  /* operations until it pauses */
	const void *word; /* of the operation at hand */
	enum line_op op;
	bool begun, pending;
	void (*fn)(struct strand *, void *);
	void *arg;
};

struct step_machine {
	struct machine base; /* must be first */
	struct step_config config;
	struct step_strand *strand;
	struct step_strand *running; /* the innermost */
	struct context main;
	u32 strands;
	u64 events; /* operations of any kind */
	u64 writes; /* those that may change something */
};

static struct step_strand *step_strand(struct strand *s)
{
	return (struct step_strand *)s;
}

static struct step_machine *step_machine(struct machine *m)
{
	return (struct step_machine *)m;
}

/* ------------------------------------------------------- what strands do */

/** Back to whoever called step_run(); returns when run again. */
static void come_back(struct step_strand *v, enum step_end end)
{
	v->end = end;
	context_switch(&v->context, v->caller);
}

static bool counts(enum line_op op)
{
	return op != LINE_LOAD && op != LINE_LOAD32 && op != LINE_STORE32;
}

static void step_order(struct strand *s, struct line *line, const void *word,
		       enum line_op op)
{
	struct step_strand *v = step_strand(s);
	struct step_machine *m = step_machine(s->machine);

	(void)line;
	m->events++;
	m->writes += !line_op_is_read(op);
	if (!counts(op))
		return;
	v->word = word;
	v->op = op;
	while (!v->budget)
		come_back(v, STEP_PAUSED);
	v->budget--;
	if (m->config.point)
		m->config.point(m->config.ctx, s, word, op);
	v->word = NULL;
}

static void step_spend(struct strand *s, u64 ps, enum work work)
{
	(void)s;
	(void)ps;
	(void)work;
}

static bool step_interrupted(struct strand *s)
{
	struct step_machine *m = step_machine(s->machine);

	if (step_strand(s)->pending)
		return true;
	return m->config.interrupted && m->config.interrupted(m->config.ctx, s);
}

static u64 step_spend_in_guest(struct strand *s, u64 ps)
{
	return step_interrupted(s) ? ps : 0;
}

static bool step_wait(struct strand *s, struct line *line, const u32 *word,
		      u32 seen, bool interruptible)
{
	(void)line;
	if (*word != seen)
		return true;
	if (interruptible && step_interrupted(s))
		return false;
	come_back(step_strand(s), STEP_BLOCKED);
	return !(interruptible && step_interrupted(s));
}

static void step_interrupt(struct strand *s, struct strand *target,
			   u64 latency_ps)
{
	(void)s;
	(void)latency_ps;
	step_strand(target)->pending = true;
}

static void step_interrupt_done(struct strand *s)
{
	step_strand(s)->pending = false;
}

static void step_progress(struct strand *s)
{
	(void)s;
}

static __attribute__((noreturn)) void step_halt(struct strand *s,
						const char *why)
{
	struct step_strand *v = step_strand(s);
	struct machine *m = s->machine;

	memset(m->reason, 0, sizeof(m->reason));
	strncpy(m->reason, why, sizeof(m->reason) - 1);
	v->word = NULL;
	v->end = STEP_HALTED;
	context_leave(&v->context, v->caller);
}

static u64 step_now(struct strand *s)
{
	struct step_machine *m = step_machine(s->machine);

	return m->config.now ? m->config.now(m->config.ctx, s) : 0;
}

static const struct machine_ops step_ops = {
	.order = step_order,
	.spend = step_spend,
	.spend_in_guest = step_spend_in_guest,
	.wait = step_wait,
	.interrupt = step_interrupt,
	.interrupted = step_interrupted,
	.interrupt_done = step_interrupt_done,
	.progress = step_progress,
	.halt = step_halt,
	.now = step_now,
};

/* --------------------------------------------------------------- running */

static void strand_entry(void *arg)
{
	struct step_strand *v = arg;

	v->fn(&v->s, v->arg);
	v->end = STEP_RETURNED;
	context_leave(&v->context, v->caller);
}

static bool ended(const struct step_strand *v)
{
	return v->begun && (v->end == STEP_RETURNED || v->end == STEP_HALTED);
}

enum step_end step_run(struct strand *s, u64 ops)
{
	struct step_strand *v = step_strand(s);
	struct step_machine *m = step_machine(s->machine);
	struct step_strand *caller = m->running;

	assert(!v->caller && "a strand cannot run itself");
	if (ended(v))
		return v->end;
	v->begun = true;
	v->budget = ops;
	v->caller = caller ? &caller->context : &m->main;
	m->running = v;
	context_switch(v->caller, &v->context);
	m->running = caller;
	v->caller = NULL;
	return v->end;
}

void step_reuse(struct strand *s, void (*fn)(struct strand *, void *),
		void *arg)
{
	struct step_strand *v = step_strand(s);

	assert(!v->caller && "a running strand cannot be reused");
	v->fn = fn;
	v->arg = arg;
	v->begun = false;
	v->word = NULL;
	context_restart(&v->context, strand_entry, v);
}

const void *step_word(struct strand *s)
{
	return step_strand(s)->word;
}

enum line_op step_op(struct strand *s)
{
	return step_strand(s)->op;
}

/* ---------------------------------------------------------- the machine */

static struct strand *step_add(struct machine *base, u32 cpu,
			       void (*fn)(struct strand *, void *), void *arg)
{
	struct step_machine *m = step_machine(base);
	struct step_strand *v = &m->strand[m->strands];

	if (m->strands == m->config.max_strands)
		return NULL;
	if (context_create(&v->context, STACK_BYTES, m->strands, strand_entry,
			   v))
		return NULL;
	v->s.ops = &step_ops;
	v->s.machine = base;
	v->s.random = mix64(m->strands);
	v->s.id = m->strands++;
	v->s.cpu = (u16)cpu;
	v->fn = fn;
	v->arg = arg;
	return &v->s;
}

/** One strand after the other, again and again while that helps. */
static enum machine_end step_run_all(struct machine *base)
{
	struct step_machine *m = step_machine(base);
	u64 before;
	u32 blocked;

	do {
		before = m->writes;
		blocked = 0;
		for (u32 i = 0; i < m->strands; i++) {
			switch (step_run(&m->strand[i].s, UINT64_MAX)) {
			case STEP_HALTED:
				return MACHINE_HALTED;
			case STEP_BLOCKED:
				blocked++;
				break;
			default:
				break;
			}
		}
	} while (blocked && m->writes != before);
	if (blocked)
		strcpy(base->reason, "all that are left wait for each other");
	return blocked ? MACHINE_DEADLOCK : MACHINE_DONE;
}

static u64 step_events(const struct machine *base)
{
	return ((const struct step_machine *)base)->events;
}

static u64 step_time(const struct machine *base)
{
	const struct step_machine *m = (const struct step_machine *)base;
	u64 latest = 0;

	for (u32 i = 0; i < m->strands; i++) {
		u64 at = step_now(&m->strand[i].s);

		if (latest < at)
			latest = at;
	}
	return latest;
}

static void step_destroy(struct machine *base)
{
	struct step_machine *m = step_machine(base);

	for (u32 i = 0; i < m->strands; i++)
		context_destroy(&m->strand[i].context);
	free(m->strand);
	free(m);
}

static const struct machine_kind step_kind = {
	.add = step_add,
	.run = step_run_all,
	.events = step_events,
	.time = step_time,
	.destroy = step_destroy,
};

struct machine *step_create(const struct step_config *config)
{
	struct step_machine *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->base.kind = &step_kind;
	m->config = *config;
	m->strand = calloc(config->max_strands, sizeof(*m->strand));
	if (!m->strand) {
		free(m);
		return NULL;
	}
	return &m->base;
}
