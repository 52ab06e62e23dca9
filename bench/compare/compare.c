/* SPDX-License-Identifier: GPL-2.0-only */
/* Comparing: the order of the steps, groups and rows, verdicts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/impl.h"
#include "bench/export/export.h"

const char *verdict_name(enum verdict verdict)
{
	static const char *const name[] = {
		[VERDICT_NONE] = "none",       [VERDICT_SAME] = "same",
		[VERDICT_TOO_FEW] = "too-few", [VERDICT_BETTER] = "better",
		[VERDICT_WORSE] = "worse",     [VERDICT_CHANGED] = "changed",
	};

	return name[verdict];
}

/* ----------------------------------------------------------------- columns */

static bool varies(const struct compare_cells *cells, const char *key)
{
	const json_t *first = json_object_get(cells->cell[0].any->axes, key);

	for (size_t i = 1; i < cells->n; i++) {
		const json_t *v =
			json_object_get(cells->cell[i].any->axes, key);

		if (!first != !v || (v && !json_equal(v, first)))
			return true;
	}
	return false;
}

static bool is_key(const struct comparison *c, const char *key)
{
	for (size_t i = 0; i < c->nkeys; i++)
		if (strcmp(c->key_name[i], key) == 0)
			return true;
	return strcmp(key, "workload") == 0 ||
	       (c->request->by && strcmp(key, c->by) == 0);
}

/* Axes that vary; something must tell a row even when nothing does. */
static bool make_keys(struct comparison *c, const struct compare_cells *cells)
{
	enum { MOST = 64 };
	const char *key;
	json_t *v;

	c->key_name = arena_alloc(c->arena, MOST, sizeof(*c->key_name));
	if (!c->key_name)
		return false;
	for (size_t i = 0; i < cells->n; i++) {
		json_object_foreach(cells->cell[i].any->axes, key, v)
		{
			if (c->nkeys < MOST && !is_key(c, key) &&
			    varies(cells, key))
				c->key_name[c->nkeys++] = key;
		}
		/* Workloads of one config have the same axes. */
		while (i + 1 < cells->n &&
		       json_object_size(cells->cell[i + 1].any->axes) ==
			       json_object_size(cells->cell[i].any->axes))
			i++;
	}
	if (!c->nkeys && !is_key(c, "vcpus") &&
	    json_object_get(cells->cell[0].any->axes, "vcpus"))
		c->key_name[c->nkeys++] = "vcpus";
	return true;
}

/* -------------------------------------------------------------------- rows */

/* A metric of one workload: cells from..to. */
struct block {
	const struct compare_cells *cells;
	size_t from, to;
	const struct samples_metric *metric; /* of the base */
};

static bool has_metric(const struct comparison *c, const struct compare_cell *k,
		       const char *metric)
{
	for (size_t i = 0; i < c->nsides; i++)
		if (k->side[i] &&
		    samples_find(c->side[i].samples, k->side[i], metric))
			return true;
	return false;
}

static bool fill_row(struct comparison *c, struct compare_row *row,
		     const struct compare_cell *cell)
{
	row->axes = cell->any->axes;
	row->key = arena_alloc(c->arena, c->nkeys + 1, sizeof(*row->key));
	row->side = arena_alloc(c->arena, c->nsides, sizeof(*row->side));
	row->change = arena_alloc(c->arena, c->nsides, sizeof(*row->change));
	if (!row->key || !row->side || !row->change)
		return false;
	for (size_t i = 0; i < c->nkeys; i++) {
		const json_t *v = json_object_get(row->axes, c->key_name[i]);
		char *text = v ? export_axis(v) : NULL;

		row->key[i] = arena_text(c->arena, text ? text : "");
		if (!row->key[i] || (v && !text))
			return false;
		free(text);
	}
	for (size_t i = 0; i < c->nsides; i++) {
		row->side[i].there = cell->side[i] != NULL;
		row->side[i].status =
			cell->side[i] ? cell->side[i]->status : "";
	}
	return true;
}

static bool make_room(struct comparison *c, size_t *room, size_t more)
{
	struct compare_row *all;
	size_t need = c->nrows + more;

	if (need <= *room)
		return true;
	all = arena_alloc(c->arena, 2 * need, sizeof(*all));
	if (!all)
		return false;
	if (c->nrows)
		memcpy(all, c->row, c->nrows * sizeof(*all));
	c->row = all;
	*room = 2 * need;
	return true;
}

static bool name_group(struct comparison *c, const struct block *b,
		       const char *quantile)
{
	const struct samples_cell *any = b->cells->cell[b->from].any;
	struct compare_group *g;

	if (c->ngroups % 64 == 0) {
		g = arena_alloc(c->arena, c->ngroups + 64, sizeof(*g));
		if (!g)
			return false;
		if (c->ngroups)
			memcpy(g, c->group, c->ngroups * sizeof(*g));
		c->group = g;
	}
	g = &c->group[c->ngroups++];
	*g = (struct compare_group){
		.workload = any->workload,
		.operation = any->operation,
		.name = quantile ? arena_print(c->arena, "%s %s",
					       b->metric->name, quantile)
				 : arena_text(c->arena, b->metric->name),
		.metric = b->metric->name,
		.quantile = quantile,
		.unit = b->metric->unit,
		.better = b->metric->better,
		.modelled = c->side[0].samples->modelled,
		.first = c->nrows,
	};
	return g->name;
}

static bool add_group(struct comparison *c, const struct block *b,
		      const char *quantile, size_t *room)
{
	if (!make_room(c, room, b->to - b->from) || !name_group(c, b, quantile))
		return false;
	for (size_t i = b->from; i < b->to; i++) {
		struct compare_row *row = &c->row[c->nrows];

		if (!has_metric(c, &b->cells->cell[i], b->metric->name))
			continue;
		row->group = c->ngroups - 1;
		row->cell = i;
		if (!fill_row(c, row, &b->cells->cell[i]))
			return false;
		c->nrows++;
		c->group[c->ngroups - 1].nrows++;
	}
	if (!c->group[c->ngroups - 1].nrows)
		c->ngroups--;
	return true;
}

/* Of calls the median says whether they cost more; who wants more asks. */
static bool is_median_only(const struct comparison *c, const struct block *b)
{
	const struct compare_request *r = c->request;
	const char *operation = b->cells->cell[b->from].any->operation;

	return r->metrics.n == 0 &&
	       !samples_headline(NULL, operation, b->metric) &&
	       !(r->also && r->also(r->also_ctx, operation, b->metric));
}

static bool add_metric(struct comparison *c, const struct block *b,
		       size_t *room)
{
	if (!compare_wanted(c->request, b->cells->cell[b->from].any->operation,
			    b->metric))
		return true;
	if (!b->metric->histogram)
		return add_group(c, b, NULL, room);
	for (size_t i = 0; samples_levels[i].name; i++)
		if (!add_group(c, b, samples_levels[i].name, room))
			return false;
		else if (is_median_only(c, b))
			break;
	return true;
}

static bool make_rows(struct comparison *c, const struct compare_cells *cells)
{
	const struct samples *base = c->side[0].samples;
	struct block b = {.cells = cells};
	size_t room = 0;

	for (; b.from < cells->n; b.from = b.to) {
		const char *workload = cells->cell[b.from].any->workload;

		for (b.to = b.from; b.to < cells->n; b.to++)
			if (strcmp(cells->cell[b.to].any->workload, workload))
				break;
		for (size_t i = 0; i < base->nmetrics; i++) {
			b.metric = &base->metric[i];
			if (!add_metric(c, &b, &room))
				return false;
		}
	}
	return true;
}

/* ----------------------------------------------------------------- verdicts */

static enum verdict verdict_of(const struct comparison *c,
			       const struct compare_group *g,
			       const struct change *change)
{
	bool up = change->ratio > 0;

	if (change->p > c->request->alpha)
		return change->needed ? VERDICT_TOO_FEW : VERDICT_SAME;
	/* NaN (0 to 0) is no change, infinity (0 to something) is one. */
	if (!(fabs(change->ratio) > c->request->material) ||
	    up != (change->test.delta > 0))
		return VERDICT_SAME;
	if (!g->better)
		return VERDICT_CHANGED;
	return up == (g->better > 0) ? VERDICT_BETTER : VERDICT_WORSE;
}

/* Below so many repeats on a side nothing could have become significant. */
static size_t needed_for(const struct comparison *c, size_t n, size_t nbase)
{
	double least = u_test_least_p(n, nbase) * (double)c->tests;

	return least > c->request->alpha
		       ? u_test_values_needed(c->tests, c->request->alpha)
		       : 0;
}

static bool judge(struct comparison *c)
{
	double *p = calloc(c->nrows * c->nsides + 1, sizeof(*p));
	size_t n = 0;

	if (!p)
		return false;
	for (size_t i = 0; i < c->nrows; i++)
		for (size_t k = 1; k < c->nsides; k++)
			if (!isnan(c->row[i].change[k].test.p))
				p[n++] = c->row[i].change[k].test.p;
	c->tests = n;
	if (!holm_correct(p, n)) {
		free(p);
		return false;
	}
	n = 0;
	for (size_t i = 0; i < c->nrows; i++) {
		const struct compare_row *row = &c->row[i];

		for (size_t k = 1; k < c->nsides; k++) {
			struct change *change = &row->change[k];

			if (!isnan(change->test.p)) {
				change->p = p[n++];
				change->needed = needed_for(c, row->side[k].n,
							    row->side[0].n);
				change->verdict = verdict_of(
					c, &c->group[row->group], change);
			}
			c->count[change->verdict]++;
		}
	}
	free(p);
	return true;
}

/*
 * A thousand are usual.  Of very many comparisons nobody looks at the third
 * digit of each interval, and two hundred still tell the ends.
 */
static size_t rounds_for(const struct comparison *c)
{
	enum { MOST = 1000, LEAST = 200, IN_ALL = 10000000 };
	size_t changes = c->nrows * (c->nsides - 1);

	if (c->request->rounds)
		return c->request->rounds;
	if (changes <= IN_ALL / MOST)
		return MOST;
	return IN_ALL / changes > LEAST ? IN_ALL / changes : LEAST;
}

/* ---------------------------------------------------------------- the whole */

int compare_results(const struct compare_request *request,
		    struct comparison *comparison, struct err *e)
{
	struct compare_cells cells = {0};
	struct comparison *c = comparison;
	int status = -1;

	*c = (struct comparison){.request = request, .arena = arena_new()};
	if (!c->arena)
		return compare_no_memory(e);
	if (compare_match(c, &cells, e) == 0 &&
	    compare_aspects(c, &cells, e) == 0) {
		bool good = make_keys(c, &cells) && make_rows(c, &cells);

		c->rounds = rounds_for(c);
		good = good && compare_measure(c, &cells) && judge(c);

		status = good ? 0 : compare_no_memory(e);
	}
	if (status == 0 && c->nrows == 0)
		status = err_set(e, EXIT_USAGE,
				 "%.200s: no cell has a metric that is asked "
				 "for; see tdmem list metrics",
				 c->side[0].path);
	free(cells.cell);
	if (status)
		compare_free(c);
	return status;
}

void compare_free(struct comparison *comparison)
{
	arena_free(comparison->arena);
	*comparison = (struct comparison){0};
}
