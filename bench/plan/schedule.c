/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/plan/plan.h"
#include "bench/plan/schedule.h"
#include "bench/stats/infer.h"

#define CONFIDENCE 0.95

struct schedule_cell {
	uint32_t in;	/* counted repeats */
	uint32_t rates; /* of those that have one */
	bool bad;	/* a counted repeat did not end ok */
	bool done;
};

/* ----------------------------------------------------------------- rounds */

static uint64_t draw(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* A function of seed and round: what was before leaves no trace in it. */
static void shuffle(struct schedule *s)
{
	uint64_t state = plan_seed(s->seed, "order of a round", s->round);

	for (size_t i = 0; i < s->ncells; i++)
		s->order[i] = i;
	for (size_t i = s->ncells; i-- > 1;) {
		size_t j = draw(&state) % (i + 1), kept = s->order[i];

		s->order[i] = s->order[j];
		s->order[j] = kept;
	}
	s->passed = 0;
}

int schedule_init(struct schedule *s, const struct repeat_rule *rule,
		  size_t ncells, uint64_t seed)
{
	*s = (struct schedule){
		.rule = *rule,
		.seed = seed,
		.ncells = ncells,
		.cell = calloc(ncells, sizeof(*s->cell)),
		.rate = calloc(ncells * rule->max, sizeof(*s->rate)),
		.given = calloc(ncells, schedule_most(rule)),
		.order = calloc(ncells, sizeof(*s->order)),
	};
	if (!s->cell || !s->rate || !s->given || !s->order) {
		schedule_free(s);
		return -1;
	}
	shuffle(s);
	return 0;
}

void schedule_free(struct schedule *s)
{
	free(s->cell);
	free(s->rate);
	free(s->given);
	free(s->order);
	memset(s, 0, sizeof(*s));
}

/* ------------------------------------------------------------------- next */

enum look { PASS, READY, WAITS };

static unsigned char *given(const struct schedule *s, size_t cell,
			    uint32_t repeat)
{
	return &s->given[cell * schedule_most(&s->rule) + repeat];
}

static enum look look_at(const struct schedule *s, size_t cell)
{
	const struct schedule_cell *c = &s->cell[cell];
	uint32_t least = s->rule.warmup + s->rule.min;

	if (*given(s, cell, s->round))
		return PASS;
	if (s->round < least)
		return READY;
	if (c->done || s->over)
		return PASS;
	/* Whether it goes on is known when all before are in. */
	return c->in < s->round - s->rule.warmup ? WAITS : READY;
}

/* Those that wait stay in order behind the ones that are over. */
static void pass(struct schedule *s, size_t place)
{
	size_t cell = s->order[place];

	memmove(&s->order[s->passed + 1], &s->order[s->passed],
		(place - s->passed) * sizeof(*s->order));
	s->order[s->passed++] = cell;
}

static enum schedule_answer next_of_round(struct schedule *s,
					  struct run_item *item)
{
	for (size_t i = s->passed; i < s->ncells; i++) {
		size_t cell = s->order[i];
		enum look look = look_at(s, cell);

		if (look == WAITS)
			continue;
		pass(s, i);
		if (look == PASS)
			continue;
		*item = (struct run_item){cell, s->round};
		*given(s, cell, s->round) = 1;
		s->under_way++;
		return SCHEDULE_ITEM;
	}
	return s->passed < s->ncells ? SCHEDULE_WAIT : SCHEDULE_END;
}

enum schedule_answer schedule_next(struct schedule *s, struct run_item *item)
{
	while (s->round < schedule_most(&s->rule)) {
		enum schedule_answer answer = next_of_round(s, item);

		if (answer != SCHEDULE_END)
			return answer;
		s->round++;
		shuffle(s);
	}
	return SCHEDULE_END;
}

/* ------------------------------------------------------------------- rule */

static double *rates_of(const struct schedule *s, size_t cell)
{
	return &s->rate[cell * s->rule.max];
}

static void add_rate(const struct schedule *s, size_t cell, double rate)
{
	struct schedule_cell *c = &s->cell[cell];
	double *sorted = rates_of(s, cell);
	uint32_t i = c->rates++;

	for (; i > 0 && sorted[i - 1] > rate; i--)
		sorted[i] = sorted[i - 1];
	sorted[i] = rate;
}

/* With too few values for the confidence asked for no interval is narrow. */
static bool is_narrow(const struct schedule *s, size_t cell)
{
	const struct schedule_cell *c = &s->cell[cell];
	const double *sorted = rates_of(s, cell);
	struct interval i;

	if (s->rule.ci_width < 0 || c->rates == 0)
		return false;
	i = median_interval(sorted, c->rates, CONFIDENCE);
	return i.coverage >= CONFIDENCE &&
	       i.high - i.low <= s->rule.ci_width * fabs(median_of_sorted(
							    sorted, c->rates));
}

static bool is_done(const struct schedule *s, size_t cell)
{
	const struct schedule_cell *c = &s->cell[cell];

	if (c->in < s->rule.min)
		return false;
	return c->in >= s->rule.max || c->bad || is_narrow(s, cell);
}

static uint32_t count_in(struct schedule *s, const struct run_item *item,
			 const struct repeat_value *value)
{
	struct schedule_cell *c = &s->cell[item->cell];

	if (item->repeat < s->rule.warmup)
		return 0;
	c->in++;
	c->bad = c->bad || !value->ok;
	if (!isnan(value->rate))
		add_rate(s, item->cell, value->rate);
	if (c->done || !is_done(s, item->cell))
		return 0;
	c->done = true;
	return s->rule.max - c->in;
}

uint32_t schedule_take(struct schedule *s, const struct run_item *item,
		       const struct repeat_value *value)
{
	s->under_way--;
	return count_in(s, item, value);
}

int schedule_restore(struct schedule *s, const struct run_item *item,
		     const struct repeat_value *value, uint32_t *dropped)
{
	if (item->cell >= s->ncells ||
	    item->repeat >= schedule_most(&s->rule) ||
	    *given(s, item->cell, item->repeat))
		return -1;
	*given(s, item->cell, item->repeat) = 1;
	*dropped = count_in(s, item, value);
	return 0;
}

void schedule_time_over(struct schedule *s)
{
	s->over = true;
}

bool schedule_finished(struct schedule *s)
{
	if (s->under_way)
		return false;
	while (s->round < schedule_most(&s->rule)) {
		for (size_t i = s->passed; i < s->ncells; i++)
			if (look_at(s, s->order[i]) != PASS)
				return false;
		s->round++;
		shuffle(s);
	}
	return true;
}
