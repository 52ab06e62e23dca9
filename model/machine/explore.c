/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The search: a path of nodes, one before each step.  A node knows which
 * strands still have to be tried there (backtrack), which were (done), and
 * which need not be because what they would do was already tried before
 * something that does not depend on it (sleep).
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/machine/explore_impl.h"

/* A step that was done, and the state before it. */
struct node {
	u32 enabled, backtrack, done, sleep; /* a bit a strand */
	u32 strand;			     /* that did the step */
	u32 preemptions;		     /* up to here */
	struct pending did;
	u64 before; /* the 8 bytes around what it did, before */
	u32 clock[EXPLORE_MAX_STRANDS]; /* of the step: see after() */
};

struct search {
	const struct explore_program *program;
	const struct explore_bounds *bounds;
	struct explore_answer *answer;
	struct explore_machine *m;
	struct node *node;
	size_t *race; /* for find_races(): as many as nodes */
	size_t n, room;
	struct timespec until;
	/* Of each strand: the last step of each strand that it knows of, + 1 */
	u32 clock[EXPLORE_MAX_STRANDS][EXPLORE_MAX_STRANDS];
};

/* ---------------------------------------------------------- happens before */

static void join(u32 *into, const u32 *from)
{
	for (u32 i = 0; i < EXPLORE_MAX_STRANDS; i++)
		into[i] = into[i] > from[i] ? into[i] : from[i];
}

/* --------------------------------------------------------------- backtrack */

/* Does step k know of step i, which was before it? */
static bool after(const struct search *s, size_t k, size_t i)
{
	return s->node[k].clock[s->node[i].strand] > i;
}

/*
 * Strands that could begin what came after step i but not because of it,
 * with an operation of `strand`, whose clock is given, at its end.
 */
static u32 initials(const struct search *s, size_t i, u32 strand,
		    const u32 *clock)
{
	size_t first[EXPLORE_MAX_STRANDS];
	u32 begun = 0, found = 0;

	for (size_t k = i + 1; k <= s->n; k++) {
		u32 doer = k < s->n ? s->node[k].strand : strand;
		const u32 *knows = k < s->n ? s->node[k].clock : clock;
		bool alone = true;

		if (begun & 1u << doer || (k < s->n && after(s, k, i)))
			continue;
		for (u32 r = 0; r < EXPLORE_MAX_STRANDS; r++)
			alone &= !(begun & 1u << r) || knows[r] <= first[r];
		begun |= 1u << doer;
		first[doer] = k;
		found |= alone ? 1u << doer : 0;
	}
	return found;
}

/* The two could be the other way round: somebody must begin that. */
static void add_backtrack(struct search *s, size_t i, u32 strand,
			  const u32 *clock)
{
	struct node *node = &s->node[i];
	u32 candidates = initials(s, i, strand, clock) & node->enabled;

	/* None: a wait that only this step has let go on. */
	if (candidates && !(node->backtrack & candidates))
		node->backtrack |= candidates & -candidates;
}

/*
 * Could the operation have come before step i?  That is not known when an
 * addition after it, which it depends on, could have come before as well.
 */
static enum explore_ready was_ready(const struct search *s, size_t i, size_t n,
				    const struct pending *did)
{
	const struct node *node = &s->node[i];

	for (size_t k = i + 1; k < n && explore_waits(did); k++)
		if (explore_dependent(&s->node[k].did, did) &&
		    !explore_dependent(&s->node[k].did, &node->did))
			return NOT_KNOWN;
	return explore_was_ready(did, &node->did, node->before);
}

/*
 * What a strand did or would do at the end of the path, against the steps
 * that it depends on and does not know of otherwise.  Its clock then knows
 * them all.
 *
 * Who waits for a step cannot come before it, but perhaps before others that
 * this step knows of: who waits for a lock that is given back could have taken
 * it before the one who gave it back.  `known` is what it cannot pass.
 */
static void find_races(struct search *s, u32 strand, const struct pending *did,
		       size_t n, u32 *clock)
{
	u32 known[EXPLORE_MAX_STRANDS];
	size_t races = 0;

	memcpy(known, clock, sizeof(known));
	for (size_t i = n; i-- > 0;) {
		const struct node *node = &s->node[i];
		enum explore_ready ready;

		if (known[node->strand] > i ||
		    !explore_dependent(&node->did, did))
			continue;
		join(clock, node->clock);
		ready = was_ready(s, i, n, did);
		if (ready == READY)
			join(known, node->clock);
		if (ready != NOT_READY)
			s->race[races++] = i;
	}
	while (races-- > 0)
		add_backtrack(s, s->race[races], strand, clock);
}

/* The step that was just done, the last node. */
static void tick(struct search *s)
{
	size_t last = s->n - 1;
	struct node *node = &s->node[last];
	u32 *clock = s->clock[node->strand];

	s->n--; /* it is no step of the path yet */
	find_races(s, node->strand, &node->did, last, clock);
	s->n++;
	clock[node->strand] = (u32)last + 1;
	memcpy(node->clock, clock, sizeof(node->clock));
}

/*
 * Those that wait might not have had to in another order.  That is so at the
 * end, and where only strands are left that sleep: what these would do was
 * tried before, but not with what the waiting ones could have done by then.
 */
static void find_waits(struct search *s)
{
	u32 enabled = s->m->halted ? 0 : explore_machine_enabled(s->m);

	for (u32 i = 0; i < s->m->strands; i++) {
		const struct explore_strand *v = &s->m->strand[i];
		u32 clock[EXPLORE_MAX_STRANDS];

		if (v->ended || enabled & 1u << i)
			continue;
		memcpy(clock, s->clock[i], sizeof(clock));
		find_races(s, i, &v->next, s->n, clock);
	}
}

/* ------------------------------------------------------------------- steps */

static bool push(struct search *s)
{
	size_t room = s->room ? 2 * s->room : 256;
	struct node *node;
	size_t *race;

	if (s->n == s->room) {
		node = realloc(s->node, room * sizeof(*node));
		s->node = node ? node : s->node;
		race = realloc(s->race, room * sizeof(*race));
		s->race = race ? race : s->race;
		if (!node || !race) {
			s->answer->no_memory = true;
			return false;
		}
		s->room = room;
	}
	s->node[s->n++] = (struct node){0};
	return true;
}

/* Those that slept go on sleeping unless the step could wake them. */
static u32 still_asleep(const struct search *s, const struct node *node)
{
	u32 asleep = (node->sleep | node->done) & ~(1u << node->strand);
	u32 left = 0;

	for (u32 i = 0; i < s->m->strands; i++)
		if (asleep & 1u << i &&
		    !explore_dependent(&s->m->strand[i].next, &node->did))
			left |= 1u << i;
	return left;
}

static bool is_preemption(const struct search *s, const struct node *node,
			  u32 strand)
{
	const struct node *before = node > s->node ? node - 1 : NULL;

	return before && before->strand != strand &&
	       node->enabled & 1u << before->strand;
}

static bool is_allowed(const struct search *s, const struct node *node,
		       u32 strand)
{
	return s->bounds->preemptions < 0 ||
	       node->preemptions + is_preemption(s, node, strand) <=
		       (u64)s->bounds->preemptions;
}

/* Who goes on at a new node: rather the one that just ran. */
static u32 choose(const struct search *s, const struct node *node, u32 from)
{
	const struct node *before = node > s->node ? node - 1 : NULL;

	if (before && from & 1u << before->strand)
		return before->strand;
	for (u32 i = 0; i < s->m->strands; i++)
		if (from & 1u << i && is_allowed(s, node, i))
			return i;
	return EXPLORE_MAX_STRANDS;
}

/* Do the step of the last node. */
static void do_step(struct search *s, u32 strand)
{
	struct node *node = &s->node[s->n - 1];

	node->strand = strand;
	node->did = s->m->strand[strand].next;
	node->before = explore_around(&node->did);
	explore_machine_step(s->m, strand);
	tick(s);
	s->answer->steps++;
}

/* --------------------------------------------------------------- executions */

static bool begin(struct search *s)
{
	explore_machine_reset(s->m);
	if (!s->program->begin(s->program->ctx, &s->m->base)) {
		s->answer->no_memory = true;
		return false;
	}
	explore_machine_start(s->m);
	memset(s->clock, 0, sizeof(s->clock));
	return true;
}

/* The steps of the path once more; clocks are as they were. */
static void repeat_path(struct search *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		/* A fresh world may lie elsewhere. */
		s->node[i].did = s->m->strand[s->node[i].strand].next;
		explore_machine_step(s->m, s->node[i].strand);
		memcpy(s->clock[s->node[i].strand], s->node[i].clock,
		       sizeof(s->node[i].clock));
		s->answer->steps++;
		/* It said nothing the first time. */
		if (s->program->step)
			s->program->step(s->program->ctx);
	}
}

static bool keep_schedule(struct search *s)
{
	struct explore_schedule *schedule = &s->answer->schedule;

	schedule->strand = malloc(s->n + 1);
	if (!schedule->strand) {
		s->answer->no_memory = true;
		return false;
	}
	for (size_t i = 0; i < s->n; i++)
		schedule->strand[i] = (u8)s->node[i].strand;
	schedule->n = s->n;
	schedule->whole = true;
	return true;
}

static void found(struct search *s, const char *why)
{
	s->answer->broken = keep_schedule(s);
	strncpy(s->answer->why, why, sizeof(s->answer->why) - 1);
}

static void count_execution(struct search *s)
{
	s->answer->executions++;
	if (s->n > s->answer->longest)
		s->answer->longest = s->n;
}

/* All strands have ended, or none can go on. */
static void finish(struct search *s)
{
	const char *why =
		s->program->check(s->program->ctx, explore_machine_end(s->m));

	find_waits(s);
	count_execution(s);
	if (why)
		found(s, why);
}

/* A bound on steps is met: this may be all that there is to see. */
static void cut_off(struct search *s)
{
	const char *why = s->program->check(s->program->ctx, MACHINE_TIMEOUT);

	s->answer->cut++;
	s->answer->too_long++;
	if (why)
		found(s, why);
}

static bool is_late(const struct search *s)
{
	struct timespec at;

	if (s->bounds->stop && *s->bounds->stop)
		return true;
	if (s->bounds->seconds <= 0)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec > s->until.tv_sec ||
	       (at.tv_sec == s->until.tv_sec && at.tv_nsec >= s->until.tv_nsec);
}

/* A new node for the state that is reached; false: the execution ends. */
static bool open_node(struct search *s, u32 sleep)
{
	u32 enabled = s->m->halted ? 0 : explore_machine_enabled(s->m);
	struct node *node;

	if (!enabled) {
		finish(s);
		return false;
	}
	if (s->bounds->steps && s->n >= s->bounds->steps) {
		cut_off(s);
		return false;
	}
	if (!push(s))
		return false;
	node = &s->node[s->n - 1];
	node->enabled = enabled;
	node->sleep = sleep;
	if (s->n > 1)
		node->preemptions = node[-1].preemptions +
				    is_preemption(s, node - 1, node[-1].strand);
	return true;
}

/* From the state that the path leads to on to an end. */
static void run_on(struct search *s, u32 sleep)
{
	while (open_node(s, sleep)) {
		struct node *node = &s->node[s->n - 1];
		u32 strand = choose(s, node, node->enabled & ~sleep);
		const char *why;

		if (strand == EXPLORE_MAX_STRANDS) {
			bool bounded = node->enabled & ~sleep;

			s->answer->cut += bounded;
			s->answer->redundant += !bounded;
			s->n--;
			if (!bounded)
				find_waits(s);
			return;
		}
		node->backtrack = 1u << strand;
		do_step(s, strand);
		why = s->program->step ? s->program->step(s->program->ctx)
				       : NULL;
		if (why) {
			count_execution(s);
			found(s, why);
			return;
		}
		sleep = still_asleep(s, node);
	}
}

/* The last node where something is left to try; it becomes the last one. */
static bool go_back(struct search *s, u32 *strand)
{
	while (s->n > 0) {
		struct node *node = &s->node[s->n - 1];
		u32 left;

		node->done |= 1u << node->strand;
		left = node->backtrack & ~(node->done | node->sleep);
		while (left) {
			u32 i = (u32)__builtin_ctz(left);

			if (is_allowed(s, node, i)) {
				*strand = i;
				return true;
			}
			s->answer->cut++;
			node->done |= 1u << i;
			left &= left - 1;
		}
		s->n--;
	}
	return false;
}

/* Another order: the path but its last step, which another strand does. */
static void run_again(struct search *s, u32 strand)
{
	struct node *node = &s->node[s->n - 1];
	const char *why;

	if (!begin(s))
		return;
	repeat_path(s, s->n - 1);
	do_step(s, strand);
	why = s->program->step ? s->program->step(s->program->ctx) : NULL;
	if (why) {
		count_execution(s);
		found(s, why);
	} else {
		run_on(s, still_asleep(s, node));
	}
	s->program->end(s->program->ctx);
}

static bool may_go_on(struct search *s)
{
	const struct explore_answer *a = s->answer;

	if (a->broken || a->no_memory)
		return false;
	s->answer->late = is_late(s);
	if (a->late ||
	    (s->bounds->executions &&
	     a->executions + a->redundant + a->cut >= s->bounds->executions)) {
		s->answer->complete = false;
		return false;
	}
	return true;
}

static void search(struct search *s)
{
	u32 strand;

	s->answer->complete = true;
	if (!begin(s))
		return;
	run_on(s, 0);
	s->program->end(s->program->ctx);
	while (!s->answer->broken && go_back(s, &strand) && may_go_on(s))
		run_again(s, strand);
	s->answer->complete &= !s->answer->cut && !s->answer->broken;
}

void explore(const struct explore_program *program,
	     const struct explore_bounds *bounds, struct explore_answer *answer)
{
	struct search s = {
		.program = program,
		.bounds = bounds,
		.answer = answer,
		.m = explore_machine_new(),
	};

	*answer = (struct explore_answer){.no_memory = !s.m};
	clock_gettime(CLOCK_MONOTONIC, &s.until);
	s.until.tv_sec += (time_t)bounds->seconds;
	if (s.m) {
		s.m->counting = program->counting;
		s.m->takes_locks = program->takes_locks;
		search(&s);
	}
	free(s.node);
	free(s.race);
	explore_machine_free(s.m);
}

void explore_answer_free(struct explore_answer *answer)
{
	free(answer->schedule.strand);
	*answer = (struct explore_answer){0};
}

/* ------------------------------------------------------------------ replay */

static u32 next_of(const struct explore_schedule *schedule, size_t i,
		   u32 enabled)
{
	if (i < schedule->n && enabled & 1u << schedule->strand[i])
		return schedule->strand[i];
	return (u32)__builtin_ctz(enabled);
}

const char *explore_replay(const struct explore_program *program,
			   const struct explore_schedule *schedule,
			   void (*see)(void *ctx,
				       const struct explore_step *step),
			   void *see_ctx, enum machine_end *end)
{
	struct explore_machine *m = explore_machine_new();
	const char *why = NULL;
	u32 enabled;

	*end = MACHINE_STOPPED;
	if (m)
		m->takes_locks = program->takes_locks;
	if (!m || !program->begin(program->ctx, &m->base)) {
		explore_machine_free(m);
		return "out of memory";
	}
	explore_machine_start(m);
	for (size_t i = 0;
	     !why && !m->halted && !(schedule->whole && i >= schedule->n) &&
	     (enabled = explore_machine_enabled(m)) != 0;
	     i++) {
		u32 strand = next_of(schedule, i, enabled);
		const struct pending *next = &m->strand[strand].next;
		struct explore_step step = {
			.strand = strand,
			.op = next->op,
			.word = next->n ? next->access[0].at : NULL,
			.waits = next->word != NULL,
		};

		if (see)
			see(see_ctx, &step);
		explore_machine_step(m, strand);
		why = program->step ? program->step(program->ctx) : NULL;
	}
	*end = !m->halted && explore_machine_enabled(m)
		       ? MACHINE_TIMEOUT
		       : explore_machine_end(m);
	if (!why)
		why = program->check(program->ctx, *end);
	program->end(program->ctx);
	explore_machine_free(m);
	return why;
}
