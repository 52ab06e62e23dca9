/* SPDX-License-Identifier: GPL-2.0-only */
/* What a gate says of the changes of a comparison. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/gate_impl.h"

static int no_memory(struct err *e)
{
	return err_set(e, EXIT_FAILED, "out of memory");
}

/* ---------------------------------------------------------------- collect */

/* Has the change anything to be judged by? */
static bool has_test(const struct comparison *c, const struct gated *g)
{
	const struct compare_row *row = &c->row[g->row];

	return row->side[0].n && row->side[g->side].n;
}

/*
 * A change is gated when a rule checks it and the base has a value; cells
 * that are not ok are another matter.
 */
static bool is_gated(const struct comparison *c, size_t row, size_t side)
{
	const struct estimate *base = &c->row[row].side[0],
			      *other = &c->row[row].side[side];

	return base->n && other->there && strcmp(base->status, "ok") == 0 &&
	       strcmp(other->status, "ok") == 0;
}

static bool is_lost(const struct comparison *c, size_t row, size_t side)
{
	const struct estimate *base = &c->row[row].side[0],
			      *other = &c->row[row].side[side];

	return base->there && strcmp(base->status, "ok") == 0 &&
	       (!other->there || strcmp(other->status, "ok") != 0);
}

/* Cells have many rows: those of a cell are lost together, and told once. */
static bool first_time(bool *seen, const struct comparison *c, size_t row,
		       size_t side)
{
	bool *here = &seen[c->row[row].cell * c->nsides + side];
	bool first = !*here;

	*here = true;
	return first;
}

static void add_change(struct gate_outcome *o, const struct comparison *c,
		       size_t row, size_t side)
{
	const struct gate_rule *rule = gate_rule_of(o->gate, c, row, side);
	struct gated *g = &o->change[o->n];

	if (!rule)
		return;
	o->used[rule - o->gate->rule] = true;
	if (!rule->check)
		return;
	*g = (struct gated){row, side, rule, GATE_PASS, (double)NAN, 0};
	o->tests += has_test(c, g);
	o->n++;
}

static void add_lost(struct gate_outcome *o, const struct comparison *c,
		     size_t row, size_t side, bool *seen)
{
	const struct gate_rule *rule = gate_rule_of_cell(o->gate, c, row, side);

	if (!rule || !first_time(seen, c, row, side))
		return;
	o->used[rule - o->gate->rule] = true;
	o->lost[o->nlost++] = (struct gate_lost){row, side, rule};
}

static size_t cells_of(const struct comparison *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->nrows; i++)
		if (c->row[i].cell >= n)
			n = c->row[i].cell + 1;
	return n;
}

static int collect(struct gate_outcome *o, const struct comparison *c,
		   struct err *e)
{
	bool *seen = calloc(cells_of(c) * c->nsides + 1, sizeof(*seen));
	size_t room = c->nrows * (c->nsides - 1) + 1;

	o->change = calloc(room, sizeof(*o->change));
	o->lost = calloc(room, sizeof(*o->lost));
	o->used = calloc(o->gate->nrules + 1, sizeof(*o->used));
	if (!seen || !o->change || !o->lost || !o->used) {
		free(seen);
		return no_memory(e);
	}
	for (size_t row = 0; row < c->nrows; row++) {
		for (size_t side = 1; side < c->nsides; side++) {
			if (is_lost(c, row, side))
				add_lost(o, c, row, side, seen);
			else if (is_gated(c, row, side))
				add_change(o, c, row, side);
		}
	}
	free(seen);
	return 0;
}

/* ------------------------------------------------------------------ judge */

/* Holm's correction over what is gated, not over all that is shown. */
static int correct(struct gate_outcome *o, const struct comparison *c,
		   struct err *e)
{
	double *p = calloc(o->tests + 1, sizeof(*p));
	size_t n = 0;

	if (!p)
		return no_memory(e);
	for (size_t i = 0; i < o->n; i++)
		if (has_test(c, &o->change[i]))
			p[n++] = c->row[o->change[i].row]
					 .change[o->change[i].side]
					 .test.p;
	if (!holm_correct(p, n)) {
		free(p);
		return no_memory(e);
	}
	n = 0;
	for (size_t i = 0; i < o->n; i++)
		if (has_test(c, &o->change[i]))
			o->change[i].p = p[n++];
	free(p);
	return 0;
}

/*
 * The interval of the change.  From a median of 0 there is none: then the
 * change itself, which is 0 or endless, is all that is known.
 */
static struct interval interval_of(const struct compare_row *row, size_t side)
{
	const struct change *change = &row->change[side];
	double from = row->side[0].median, to = row->side[side].median;
	struct interval v = change->interval;

	if (!isnan(v.low) && !isnan(v.high))
		return v;
	if (from == to)
		v.low = v.high = 0;
	else if (from == 0)
		v.low = v.high = to > 0 ? (double)INFINITY : -(double)INFINITY;
	return v;
}

/* By how much it is worse, from..to: the bad direction is up. */
static struct interval turned(struct interval v, bool down)
{
	if (down)
		return (struct interval){-v.high, -v.low, v.coverage};
	return v;
}

static enum gate_verdict beyond(struct interval worse, double material,
				bool significant)
{
	/* Also when there is none: NaN is beyond nothing, but unknown. */
	if (isnan(worse.low) || isnan(worse.high))
		return GATE_UNDECIDED;
	if (worse.low > material && significant)
		return GATE_FAIL;
	return worse.high >= material && worse.high > 0 ? GATE_UNDECIDED
							: GATE_PASS;
}

static enum gate_verdict judge(const struct gate_outcome *o,
			       const struct comparison *c,
			       const struct gated *g)
{
	const struct compare_row *row = &c->row[g->row];
	bool down = c->group[row->group].better > 0;
	bool significant = g->p <= o->alpha;
	struct interval v = interval_of(row, g->side);
	enum gate_verdict up, low;

	if (g->needed || !has_test(c, g))
		return GATE_UNDECIDED;
	if (g->rule->fails == GATE_HIGHER || g->rule->fails == GATE_LOWER)
		down = g->rule->fails == GATE_LOWER;
	if (g->rule->fails != GATE_ANY)
		return beyond(turned(v, down), g->rule->material, significant);
	up = beyond(v, g->rule->material, significant);
	low = beyond(turned(v, true), g->rule->material, significant);
	return up > low ? up : low;
}

/* Could it be significant at all, with all other changes as they may be? */
static size_t needed(const struct gate_outcome *o, const struct comparison *c,
		     const struct gated *g)
{
	const struct compare_row *row = &c->row[g->row];
	double least = u_test_least_p(row->side[0].n, row->side[g->side].n);

	if (least * (double)o->tests <= o->alpha)
		return 0;
	return u_test_values_needed(o->tests, o->alpha);
}

int gate_judge(const struct gate *gate, const struct comparison *comparison,
	       struct gate_outcome *outcome, struct err *e)
{
	struct gate_outcome *o = outcome;

	*o = (struct gate_outcome){.gate = gate};
	o->alpha = gate->alpha > 0 ? gate->alpha : comparison->request->alpha;
	if (collect(o, comparison, e) || correct(o, comparison, e)) {
		gate_outcome_free(o);
		return -1;
	}
	if (o->n + o->nlost == 0) {
		gate_outcome_free(o);
		return err_set(e, EXIT_USAGE,
			       "the gate \"%.60s\" checks nothing of what is "
			       "compared",
			       gate->name);
	}
	for (size_t i = 0; i < o->n; i++) {
		struct gated *g = &o->change[i];

		if (has_test(comparison, g))
			g->needed = needed(o, comparison, g);
		g->verdict = judge(o, comparison, g);
		o->count[g->verdict]++;
	}
	o->count[GATE_FAIL] += o->nlost;
	return 0;
}

void gate_outcome_free(struct gate_outcome *outcome)
{
	free(outcome->change);
	free(outcome->lost);
	free(outcome->used);
	*outcome = (struct gate_outcome){0};
}

bool gate_failed(const struct gate_outcome *outcome, bool strict)
{
	return outcome->count[GATE_FAIL] > 0 ||
	       (strict && outcome->count[GATE_UNDECIDED] > 0);
}
