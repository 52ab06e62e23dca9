/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine on virtual time.
 *
 * Strands run in the order of their clocks, ties by id.  Spending only moves
 * a strand's own clock; before it does anything that others could notice, it
 * waits until nobody has a smaller clock.  An operation on a line then takes
 * effect at once, so that each is atomic and they happen in the order in which
 * they arrive; what the line costs is charged to the strand's clock, and with
 * it to whatever the strand does next.
 *
 * Strands on the same CPU do not share its time: each runs as if alone.
 */
#include <stdlib.h>
#include <string.h>

#include "model/machine/coherence.h"

#define DEFAULT_STACK_BYTES (64u << 10)

/* ------------------------------------------------------------ switching */

static _Noreturn void finish_run(struct virtual *m, struct vstrand *v)
{
	context_leave(&v->context, &m->main);
}

/**
 * Fetch the strand that lost the final of the tournament: it is the likeliest
 * one to come after the one that won.  Without the attribute gcc takes this
 * for a function without effects and drops the call.
 */
static inline __attribute__((always_inline)) void
prefetch_next(const struct virtual *m)
{
	u64 loser = queue_runner_up(&m->queue);
	const struct vstrand *v;
	const char *stack;

	if (loser == QUEUE_PARKED)
		return;
	v = &m->strand[queue_key_id(loser)];
	stack = v->context.sp;
	__builtin_prefetch(&v->place);
	__builtin_prefetch(stack);
	__builtin_prefetch(stack + 64);
	__builtin_prefetch(stack + 128);
}

/**
 * Give the turn to whoever has the smallest key, `next`.  The horizon of a
 * strand that got its turn is worked out only if it keeps it once: among many
 * strands that is rare.
 */
static void pass_turn(struct virtual *m, struct vstrand *v, u64 next)
{
	u32 id = queue_key_id(next);

	if (unlikely(next >= m->limit)) {
		if (watchdog_bites(m, next))
			finish_run(m, v);
		m->limit = watchdog_limit(m);
	}
	if (id == v->s.id) {
		m->horizon = queue_min(queue_others(&m->queue, id), m->limit);
		return;
	}
	m->horizon = 0;
	prefetch_next(m);
	context_switch(&v->context, &m->strand[id].context);
}

/** Wait until this strand's key is the smallest, or somebody changes it. */
static inline void await_key(struct virtual *m, struct vstrand *v, u64 key)
{
	if (key >= m->horizon)
		pass_turn(m, v, queue_set(&m->queue, v->s.id, key));
}

static __attribute__((noinline)) void poll_stop(struct virtual *m,
						struct vstrand *v)
{
	m->countdown = POLL_EVERY;
	m->polls++;
	if (!m->config.stop || !*m->config.stop)
		return;
	m->end = MACHINE_STOPPED;
	strcpy(m->base.reason, "stopped");
	finish_run(m, v);
}

/** Everything that happened before this strand's clock has happened. */
static inline void await_turn(struct virtual *m, struct vstrand *v)
{
	if (unlikely(!--m->countdown))
		poll_stop(m, v);
	await_key(m, v, queue_key(v->s.clock, v->s.id));
}

/** Change the time at which another strand goes on. */
static void reschedule(struct virtual *m, struct vstrand *v, u64 at)
{
	u64 key = queue_key(at, v->s.id);

	queue_set(&m->queue, v->s.id, key);
	m->horizon = queue_min(m->horizon, key);
}

/* ------------------------------------------------------ parking, waking */

static void park_on(struct virtual *m, struct vstrand *v, struct line *line)
{
	v->parked_on = line;
	v->prev = 0;
	v->next = line->waiters;
	if (v->next)
		m->strand[v->next - 1].prev = (u16)(v->s.id + 1);
	line->waiters = (u16)(v->s.id + 1);
}

static void unpark(struct virtual *m, struct vstrand *v)
{
	if (v->next)
		m->strand[v->next - 1].prev = v->prev;
	if (v->prev)
		m->strand[v->prev - 1].next = v->next;
	else
		v->parked_on->waiters = v->next;
	v->parked_on = NULL;
}

/** A write is done at line->free_at: everybody who waits gets a copy. */
static __attribute__((noinline)) void wake_waiters(struct virtual *m,
						   struct line *line)
{
	u32 next = line->waiters;

	while (next) {
		struct vstrand *v = &m->strand[next - 1];
		u64 cost = transfer_cost(m, v, line->owner);
		u64 at = line->free_at + jittered(&v->s, cost, m->jitter);

		next = v->next;
		if (v->due && v->due <= at)
			continue; /* an interrupt wakes it before */
		unpark(m, v);
		copy_line(v, line);
		v->due = 0;
		if (v->s.clock < at)
			v->s.clock = at;
		reschedule(m, v, v->s.clock);
	}
}

/* ------------------------------------------------------- what strands do */

static void virtual_order(struct strand *s, struct line *line, const void *word,
			  enum line_op op)
{
	struct virtual *m = virtual_of(s->machine);
	struct vstrand *v = vstrand_of(s);

	__builtin_prefetch(line, 1);
	__builtin_prefetch(word, 1);
	v->doing = (u8)op;
	await_turn(m, v);
	if (line_op_is_read(op)) {
		charge_read(m, v, line);
		return;
	}
	charge_write(m, v, line);
	if (unlikely(line->waiters))
		wake_waiters(m, line);
}

static void virtual_spend(struct strand *s, u64 ps, enum work work)
{
	struct virtual *m = virtual_of(s->machine);
	struct vstrand *v = vstrand_of(s);

	(void)work;
	/* The operation that it goes on from says more, if there is one. */
	if (v->doing >= NR_LINE_OPS)
		v->doing = DOING_SPEND;
	v->spends++;
	s->clock += jittered(s, ps, m->jitter);
	/* Even who does nothing but spend is seen by the watchdog. */
	if (unlikely(queue_key(s->clock, s->id) >= m->limit))
		await_turn(m, v);
}

/** What is left of `ps` after having done `passed` of `all`. */
static u64 left_of(u64 ps, u64 passed, u64 all)
{
	__extension__ unsigned __int128 product;
	u64 left;

	product = (__extension__(unsigned __int128) ps) * (all - passed);
	left = (u64)(product / all);
	return left ? left : 1;
}

static u64 virtual_spend_in_guest(struct strand *s, u64 ps)
{
	struct virtual *m = virtual_of(s->machine);
	struct vstrand *v = vstrand_of(s);
	u64 start = s->clock, end = start + jittered(s, ps, m->jitter);

	if (end < start || end > QUEUE_TIME_MAX)
		end = QUEUE_TIME_MAX; /* as good as for ever */
	v->due = end;
	if (v->interrupt_at < end)
		v->due = v->interrupt_at < start ? start : v->interrupt_at;
	v->doing = DOING_GUEST;
	if (unlikely(!--m->countdown))
		poll_stop(m, v);
	await_key(m, v, queue_key(v->due, s->id));
	s->clock = v->due;
	v->due = 0;
	if (s->clock >= end)
		return 0;
	return left_of(ps, s->clock - start, end - start);
}

static bool virtual_wait(struct strand *s, struct line *line, const u32 *word,
			 u32 seen, bool interruptible)
{
	struct virtual *m = virtual_of(s->machine);
	struct vstrand *v = vstrand_of(s);
	u64 key = QUEUE_PARKED;

	virtual_order(s, line, word, LINE_LOAD);
	if (*word != seen)
		return true;
	v->doing = DOING_WAIT;
	if (interruptible) {
		v->due = v->interrupt_at;
		if (v->due <= s->clock)
			v->due = s->clock;
		if (v->due != NEVER)
			key = queue_key(v->due, s->id);
	}
	park_on(m, v, line);
	await_key(m, v, key);
	if (!v->parked_on)
		return true;
	unpark(m, v);
	s->clock = v->due;
	v->due = 0;
	return false;
}

static void virtual_interrupt(struct strand *s, struct strand *target,
			      u64 latency_ps)
{
	struct virtual *m = virtual_of(s->machine);
	struct vstrand *to = vstrand_of(target);
	u64 at;

	await_turn(m, vstrand_of(s));
	at = jittered(s, latency_ps, m->jitter);
	if (at < m->config.min_interrupt_ps)
		at = m->config.min_interrupt_ps;
	at += s->clock;
	if (at >= to->interrupt_at)
		return; /* it will be taken together with an earlier one */
	to->interrupt_at = at;
	if (at < to->s.clock)
		at = to->s.clock;
	if (at < to->due) {
		to->due = at;
		reschedule(m, to, at);
	}
}

/**
 * Whatever could have arrived by now was sent min_interrupt_ps ago or before:
 * waiting until nobody is that far behind is enough.
 */
static bool virtual_interrupted(struct strand *s)
{
	struct virtual *m = virtual_of(s->machine);
	struct vstrand *v = vstrand_of(s);
	u64 ahead = m->config.min_interrupt_ps, until = s->clock;

	if (unlikely(!--m->countdown))
		poll_stop(m, v);
	if (ahead)
		until = s->clock < ahead ? 0 : s->clock - ahead + 1;
	await_key(m, v, queue_key(until, s->id));
	return v->interrupt_at <= s->clock;
}

/** Whatever was sent before this is taken with it, even if on its way. */
static void virtual_interrupt_done(struct strand *s)
{
	await_turn(virtual_of(s->machine), vstrand_of(s));
	vstrand_of(s)->interrupt_at = NEVER;
}

static void virtual_progress(struct strand *s)
{
	struct virtual *m = virtual_of(s->machine);

	if (m->progress_at <= s->clock) {
		m->progress_at = s->clock;
		m->progress_by = s->id + 1;
	}
}

static __attribute__((noreturn)) void virtual_halt(struct strand *s,
						   const char *why)
{
	struct virtual *m = virtual_of(s->machine);

	m->end = MACHINE_HALTED;
	strncpy(m->base.reason, why, sizeof(m->base.reason) - 1);
	finish_run(m, vstrand_of(s));
}

static u64 virtual_now(struct strand *s)
{
	return s->clock;
}

static const struct machine_ops virtual_ops = {
	.order = virtual_order,
	.spend = virtual_spend,
	.spend_in_guest = virtual_spend_in_guest,
	.wait = virtual_wait,
	.interrupt = virtual_interrupt,
	.interrupted = virtual_interrupted,
	.interrupt_done = virtual_interrupt_done,
	.progress = virtual_progress,
	.halt = virtual_halt,
	.now = virtual_now,
};

/* ---------------------------------------------------------- the machine */

static void strand_entry(void *arg)
{
	struct vstrand *v = arg;
	struct virtual *m = virtual_of(v->s.machine);

	v->fn(&v->s, v->arg);
	v->doing = DOING_RETURNED;
	m->live--;
	if (!m->live)
		finish_run(m, v);
	pass_turn(m, v, queue_set(&m->queue, v->s.id, QUEUE_PARKED));
	abort();
}

static struct strand *virtual_add(struct machine *base, u32 cpu,
				  void (*fn)(struct strand *, void *),
				  void *arg)
{
	struct virtual *m = virtual_of(base);
	u32 id = m->strands;
	struct vstrand *v = &m->strand[id];
	size_t bytes = m->config.stack_bytes;

	if (id == m->config.max_strands || cpu >= m->config.topology->ncpus)
		return NULL;
	memset(v, 0, sizeof(*v));
	if (context_create(&v->context, bytes ? bytes : DEFAULT_STACK_BYTES, id,
			   strand_entry, v))
		return NULL;
	v->s.ops = &virtual_ops;
	v->s.machine = base;
	v->s.trace = m->config.trace;
	v->s.random = mix64(m->config.seed ^ mix64(id));
	v->s.id = id;
	v->s.cpu = (u16)cpu;
	v->s.timed = true;
	v->place = m->places[cpu];
	v->copies = m->copies + (size_t)cpu * COPIES;
	v->interrupt_at = NEVER;
	v->doing = DOING_NOTHING;
	v->fn = fn;
	v->arg = arg;
	m->strands++;
	m->live++;
	queue_set(&m->queue, id, queue_key(0, id));
	return &v->s;
}

static enum machine_end virtual_run(struct machine *base)
{
	struct virtual *m = virtual_of(base);
	u64 next = m->queue.key[1];

	m->end = MACHINE_DONE;
	if (!m->live)
		return MACHINE_DONE;
	m->limit = watchdog_limit(m);
	context_switch(&m->main, &m->strand[queue_key_id(next)].context);
	return m->end;
}

static u64 virtual_events(const struct machine *base)
{
	const struct virtual *m = (const struct virtual *)base;
	u64 events = m->polls * POLL_EVERY + (POLL_EVERY - m->countdown);

	for (u32 i = 0; i < m->strands; i++)
		events += m->strand[i].spends;
	return events;
}

static u64 virtual_time(const struct machine *base)
{
	const struct virtual *m = (const struct virtual *)base;
	u64 latest = 0;

	for (u32 i = 0; i < m->strands; i++)
		if (latest < m->strand[i].s.clock)
			latest = m->strand[i].s.clock;
	return latest;
}

static void virtual_destroy(struct machine *base)
{
	struct virtual *m = virtual_of(base);

	for (u32 i = 0; i < m->strands; i++)
		context_destroy(&m->strand[i].context);
	free(m->strand);
	free(m->queue.key);
	free(m->places);
	free(m->copies);
	free(m);
}

static const struct machine_kind virtual_kind = {
	.add = virtual_add,
	.run = virtual_run,
	.events = virtual_events,
	.time = virtual_time,
	.destroy = virtual_destroy,
};

static bool allocate(struct virtual *m)
{
	const struct topology *topology = m->config.topology;
	u32 strands = m->config.max_strands;
	u32 leaves = 2; /* the least that has a final */

	while (leaves < strands)
		leaves *= 2;
	m->queue.leaves = leaves;
	m->queue.key = aligned_alloc(64, leaves < 4 ? 64 : 16u * leaves);
	m->strand = aligned_alloc(64, strands * sizeof(*m->strand));
	m->places = calloc(topology->ncpus, sizeof(*m->places));
	m->copies =
		calloc((size_t)topology->ncpus * COPIES, sizeof(*m->copies));
	if (!m->queue.key || !m->strand || !m->places || !m->copies)
		return false;
	for (u32 i = 0; i < 2 * leaves; i++)
		m->queue.key[i] = QUEUE_PARKED;
	for (u32 i = 0; i < topology->ncpus; i++)
		m->places[i] = place_of(&topology->cpu[i]);
	return true;
}

struct machine *virtual_create(const struct virtual_config *config)
{
	struct virtual *m;

	if (config->max_strands < 1 ||
	    config->max_strands > MACHINE_MAX_STRANDS ||
	    config->topology->ncpus >= UINT16_MAX)
		return NULL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	m->base.kind = &virtual_kind;
	m->config = *config;
	if (m->config.livelock_ps > QUEUE_TIME_MAX)
		m->config.livelock_ps = QUEUE_TIME_MAX;
	if (!allocate(m)) {
		virtual_destroy(&m->base);
		return NULL;
	}
	m->place = m->places;
	m->countdown = POLL_EVERY;
	m->cost[0] = config->line.local_ps;
	m->cost[1] = config->line.complex_ps;
	m->cost[2] = config->line.socket_ps;
	m->cost[3] = config->line.remote_ps;
	/* 0.5 at most, so that the factor stays below 2 */
	m->jitter = (u32)(config->jitter * 4294967296.0);
	return &m->base;
}
