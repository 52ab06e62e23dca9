/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Deciding a claim: with no preemption first, then one, two ..., so that what
 * is found needs as few as can be; at last without a bound.  What is found is
 * then sought with fewer steps until there is none.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/explore/explore.h"

/* Up to so many are tried before the bound is dropped. */
enum { PREEMPTIONS = 3 };

struct search {
	const struct claim *claim;
	struct claim_world *w;
	struct claim_answer *answer;
	struct timespec begin;
};

static double seconds_since(const struct timespec *begin)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)(at.tv_sec - begin->tv_sec) +
	       (double)(at.tv_nsec - begin->tv_nsec) / 1e9;
}

/* What is left of the bounds; false: nothing. */
static bool bounds_left(struct search *s, struct explore_bounds *bounds)
{
	const struct claim_answer *a = s->answer;
	u64 done = a->executions + a->redundant + a->cut;

	*bounds = s->claim->bounds;
	if (bounds->seconds > 0) {
		bounds->seconds -= seconds_since(&s->begin);
		if (bounds->seconds <= 0) {
			bounds->seconds = -1;
			return false;
		}
	}
	if (bounds->executions) {
		if (done >= bounds->executions)
			return false;
		bounds->executions -= done;
	}
	return true;
}

static void add(struct claim_answer *a, const struct explore_answer *one)
{
	a->executions += one->executions;
	a->redundant += one->redundant;
	a->steps += one->steps;
	if (one->longest > a->longest)
		a->longest = one->longest;
}

/* One search.  -1 with *e; else 1 when it found something. */
static int look(struct search *s, const struct explore_bounds *bounds,
		struct explore_answer *one, struct err *e)
{
	struct explore_program program = claim_world_program(s->w);

	explore(&program, bounds, one);
	add(s->answer, one);
	if (!one->no_memory)
		return one->broken;
	explore_answer_free(one);
	if (claim_world_setup_error(s->w))
		return err_set(e, EXIT_USAGE, "%s: %s", s->claim->name,
			       claim_world_setup_error(s->w));
	return err_set(e, EXIT_FAILED, "explore: out of memory");
}

static void keep(struct search *s, struct explore_answer *one)
{
	struct claim_answer *a = s->answer;

	free(a->schedule.strand);
	a->schedule = one->schedule;
	memcpy(a->why, one->why, sizeof(a->why));
	a->broken = true;
	a->bound = NULL;
	one->schedule = (struct explore_schedule){0};
	explore_answer_free(one);
}

/* The same with fewer steps, again and again. */
static int shorten(struct search *s, s64 preemptions, struct err *e)
{
	struct explore_bounds bounds;
	struct explore_answer one;
	int found = 1;

	while (found == 1 && s->answer->schedule.n > 1) {
		if (!bounds_left(s, &bounds))
			return 0;
		bounds.preemptions = preemptions;
		bounds.steps = s->answer->schedule.n - 1;
		found = look(s, &bounds, &one, e);
		if (found == 1)
			keep(s, &one);
	}
	s->answer->shortest = found == 0;
	return found < 0 ? -1 : 0;
}

/* What ended a search that is not complete. */
static const char *bound_of(const struct explore_answer *one)
{
	if (one->late)
		return "seconds";
	if (one->too_long)
		return "steps";
	return one->cut ? "preemptions" : "executions";
}

/* -1 with *e, 1: the claim is decided. */
static int search_with(struct search *s, s64 preemptions, struct err *e)
{
	struct claim_answer *a = s->answer;
	struct explore_bounds bounds;
	struct explore_answer one;
	int found;

	if (!bounds_left(s, &bounds)) {
		a->bound = bounds.seconds < 0 ? "seconds" : "executions";
		return 1;
	}
	bounds.preemptions = preemptions;
	found = look(s, &bounds, &one, e);
	if (found < 0)
		return -1;
	a->preemptions = preemptions;
	if (found) {
		keep(s, &one);
		return shorten(s, preemptions, e) ? -1 : 1;
	}
	a->cut = one.cut;
	a->complete = one.complete;
	a->bound = one.complete ? NULL : bound_of(&one);
	explore_answer_free(&one);
	return a->complete;
}

static int search_all(struct search *s, struct err *e)
{
	s64 most = s->claim->bounds.preemptions;
	int done = 0;

	for (s64 p = 0; !done && p <= (most < 0 ? PREEMPTIONS : most); p++)
		done = search_with(s, p, e);
	if (!done && most < 0)
		done = search_with(s, -1, e);
	return done < 0 ? -1 : 0;
}

int claim_search(const struct claim *claim, struct claim_answer *answer,
		 struct err *e)
{
	struct search s = {.claim = claim, .answer = answer};
	int ret;

	*answer = (struct claim_answer){.preemptions = -1};
	clock_gettime(CLOCK_MONOTONIC, &s.begin);
	s.w = claim_world_new(claim);
	if (!s.w)
		return err_set(e, EXIT_FAILED, "explore: out of memory");
	ret = search_all(&s, e);
	claim_world_free(s.w);
	answer->seconds = seconds_since(&s.begin);
	if (ret)
		claim_answer_free(answer);
	return ret;
}

void claim_answer_free(struct claim_answer *answer)
{
	free(answer->schedule.strand);
	answer->schedule = (struct explore_schedule){0};
}

int claim_execute(const struct claim *claim,
		  const struct explore_schedule *schedule, struct execution *x,
		  struct err *e)
{
	struct claim_world *w = claim_world_new(claim);
	struct explore_program program;
	const char *why, *setup;
	int ret = 0;

	*x = (struct execution){.claim = claim};
	if (!w)
		return err_set(e, EXIT_FAILED, "explore: out of memory");
	claim_world_record(w, &x->events);
	program = claim_world_program(w);
	why = explore_replay(&program, schedule, claim_world_see, w, &x->end);
	x->steps = claim_world_steps(w);
	setup = claim_world_setup_error(w);
	if (setup)
		ret = err_set(e, EXIT_USAGE, "%s: %s", claim->name, setup);
	else if (x->end == MACHINE_STOPPED || x->events.no_memory)
		ret = err_set(e, EXIT_FAILED, "explore: out of memory");
	else if (why)
		x->why = strdup(why);
	claim_world_free(w);
	if (ret)
		execution_free(x);
	return ret;
}

void execution_free(struct execution *x)
{
	events_free(&x->events);
	free((char *)x->why);
	x->why = NULL;
}
