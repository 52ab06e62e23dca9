/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rankings of the values of an axis.  A comparison knows a base only, but in
 * a ranking each stands against each: the pairs are tested here, with Holm's
 * correction over all pairs of all rankings of a column.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/robust_impl.h"
#include "bench/export/export.h"

/* One value of the axis in one ranking, with one column. */
struct entry {
	const struct samples_cell *cell;
	const struct samples_series *series; /* NULL: it has no value */
	double median;
	bool good; /* ended ok and has values */
};

/* Two entries of a ranking, the earlier one first. */
struct pair {
	bool tested; /* else p is nothing */
	double p;
	int ahead; /* 1: the first is better, -1: the second, 0: neither */
};

/* All rankings with one column. */
struct table {
	const struct samples *samples;
	json_t *index;	     /* a cell's key -> its number */
	struct entry *entry; /* a row a ranking */
	struct pair *pair;   /* nvalues * nvalues a ranking */
};

struct ranker {
	const struct comparison *c; /* with the result's own column */
	struct robust *robust;
	size_t *row; /* of c: what is ranked */
	size_t nrows, nvalues;
	struct table table[ROBUST_COLUMNS];
};

/* ------------------------------------------------------------------- cells */

/* Key of the cell of axes with another value of the ranked axis. */
static char *cell_key(const struct comparison *c, const json_t *axes,
		      const char *value)
{
	json_t *rest = json_copy((json_t *)(uintptr_t)axes), *key;
	char *text;

	if (rest)
		json_object_del(rest, c->by);
	key = json_pack("[os]", rest, value);
	text = key ? json_dumps(key, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	json_decref(key);
	return text;
}

static bool add_to_index(const struct comparison *c, struct table *t, size_t i)
{
	const json_t *axes = t->samples->cell[i].axes;
	const json_t *v = json_object_get(axes, c->by);
	char *value = v ? export_axis(v) : NULL;
	char *key = value ? cell_key(c, axes, value) : NULL;
	bool good =
		!v ||
		(key && json_object_set_new(t->index, key,
					    json_integer((json_int_t)i)) == 0);

	free(key);
	free(value);
	return good;
}

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

/* The values that are there, in rising order, for free(). */
static double *values_of(const struct entry *e, size_t *n)
{
	double *value = calloc(e->cell->nrepeats + 1, sizeof(*value));

	*n = 0;
	for (size_t i = 0; value && i < e->cell->nrepeats; i++)
		if (!isnan(e->series->value[i]))
			value[(*n)++] = e->series->value[i];
	if (value)
		qsort(value, *n, sizeof(*value), by_value);
	return value;
}

static bool fill_entry(const struct ranker *r, struct table *t, size_t row,
		       size_t value)
{
	const struct comparison *c = r->c;
	const struct compare_row *from = &c->row[r->row[row]];
	struct entry *e = &t->entry[row * r->nvalues + value];
	char *key = cell_key(c, from->axes, c->side[value].label);
	json_t *known = key ? json_object_get(t->index, key) : NULL;
	double *sorted;
	size_t n;

	free(key);
	if (!known)
		return key;
	e->cell = &t->samples->cell[json_integer_value(known)];
	e->series =
		samples_find(t->samples, e->cell, c->group[from->group].metric);
	if (!e->series)
		return true;
	sorted = values_of(e, &n);
	e->median = sorted ? median_of_sorted(sorted, n) : (double)NAN;
	e->good = n > 0 && strcmp(e->cell->status, "ok") == 0;
	free(sorted);
	return sorted;
}

/* ------------------------------------------------------------------- pairs */

static struct pair *pair_of(const struct ranker *r, const struct table *t,
			    size_t row, size_t a, size_t b)
{
	return &t->pair[(row * r->nvalues + a) * r->nvalues + b];
}

static const struct entry *entry_of(const struct ranker *r,
				    const struct table *t, size_t row,
				    size_t value)
{
	return &t->entry[row * r->nvalues + value];
}

/* Which one is ahead by its figures, not yet asking whether that is sure. */
static int leader(const struct ranker *r, size_t row, double a, double b)
{
	const struct comparison *c = r->c;
	double low = fmin(a, b), high = fmax(a, b);
	int better = c->group[c->row[r->row[row]].group].better;

	if (!(high / low - 1 > c->request->material))
		return 0;
	return (a > b) == (better > 0) ? 1 : -1;
}

static bool test_pair(const struct ranker *r, const struct table *t, size_t row,
		      size_t x, size_t y)
{
	const struct entry *a = entry_of(r, t, row, x),
			   *b = entry_of(r, t, row, y);
	struct pair *pair = pair_of(r, t, row, x, y);
	double *va, *vb;
	struct u_test test;
	size_t na, nb;
	bool good;

	*pair = (struct pair){.ahead = a->good - b->good};
	if (!a->good || !b->good)
		return true;
	va = values_of(a, &na);
	vb = values_of(b, &nb);
	good = va && vb && u_test(va, na, vb, nb, &test);
	if (good) {
		pair->tested = true;
		pair->p = test.p;
		pair->ahead = leader(r, row, a->median, b->median);
		/* Medians and ranks that do not agree say nothing. */
		if ((test.delta > 0) != (a->median > b->median))
			pair->ahead = 0;
	}
	free(va);
	free(vb);
	return good;
}

static size_t count_tested(const struct ranker *r, const struct table *t)
{
	size_t all = r->nrows * r->nvalues * r->nvalues, n = 0;

	for (size_t i = 0; i < all; i++)
		n += t->pair[i].tested;
	return n;
}

/* Pairs that do not differ significantly, all tests considered, are alike. */
static bool correct(const struct ranker *r, struct table *t)
{
	size_t all = r->nrows * r->nvalues * r->nvalues, n = 0;
	double *p = calloc(count_tested(r, t) + 1, sizeof(*p));
	bool good;

	if (!p)
		return false;
	for (size_t i = 0; i < all; i++)
		if (t->pair[i].tested)
			p[n++] = t->pair[i].p;
	good = holm_correct(p, n);
	n = 0;
	for (size_t i = 0; good && i < all; i++)
		if (t->pair[i].tested && p[n++] > r->c->request->alpha)
			t->pair[i].ahead = 0;
	free(p);
	return good;
}

static bool make_table(const struct ranker *r, struct table *t,
		       const struct samples *samples)
{
	size_t n = r->nrows * r->nvalues;

	t->samples = samples;
	t->index = json_object();
	t->entry = calloc(n + 1, sizeof(*t->entry));
	t->pair = calloc(n * r->nvalues + 1, sizeof(*t->pair));
	if (!t->index || !t->entry || !t->pair)
		return false;
	for (size_t i = 0; i < samples->ncells; i++)
		if (!add_to_index(r->c, t, i))
			return false;
	for (size_t i = 0; i < n; i++)
		if (!fill_entry(r, t, i / r->nvalues, i % r->nvalues))
			return false;
	for (size_t row = 0; row < r->nrows; row++)
		for (size_t a = 0; a < r->nvalues; a++)
			for (size_t b = a + 1; b < r->nvalues; b++)
				if (!test_pair(r, t, row, a, b))
					return false;
	return correct(r, t);
}

static void free_table(struct table *t)
{
	json_decref(t->index);
	free(t->entry);
	free(t->pair);
}

/* -------------------------------------------------------------- conclusions */

/* Can it be ranked: is it there with all columns, and was it run? */
static bool takes_part(const struct ranker *r, size_t row, size_t value)
{
	for (size_t i = 0; i < ROBUST_COLUMNS; i++) {
		const struct entry *e = entry_of(r, &r->table[i], row, value);

		if (!e->cell || strcmp(e->cell->status, "unsupported") == 0)
			return false;
	}
	return true;
}

/* Could these two ever have been told apart? */
static bool is_few(const struct ranker *r, const struct table *t, size_t row,
		   size_t a, size_t b)
{
	double least;

	if (!pair_of(r, t, row, a, b)->tested)
		return false;
	least = u_test_least_p(entry_of(r, t, row, a)->cell->nrepeats,
			       entry_of(r, t, row, b)->cell->nrepeats);
	return least * (double)count_tested(r, t) > r->c->request->alpha;
}

/* What one pair makes of the conclusion. */
static enum robust_outcome pair_outcome(const struct ranker *r, size_t row,
					size_t a, size_t b)
{
	bool first = false, second = false, neither = false, few = false;

	for (size_t i = 0; i < ROBUST_COLUMNS; i++) {
		const struct table *t = &r->table[i];
		int ahead = pair_of(r, t, row, a, b)->ahead;

		first |= ahead > 0;
		second |= ahead < 0;
		neither |= ahead == 0;
		few |= is_few(r, t, row, a, b);
	}
	if (first && second)
		return ROBUST_REVERSES;
	if (few)
		return ROBUST_UNDECIDED;
	return neither && (first || second) ? ROBUST_WEAKENS : ROBUST_SURVIVES;
}

/* The gravest of all pairs; what reverses is told whatever is undecided. */
static enum robust_outcome outcome_of(const struct ranker *r, size_t row)
{
	size_t seen[NR_ROBUST_OUTCOMES] = {0};

	for (size_t a = 0; a < r->nvalues; a++)
		for (size_t b = a + 1; b < r->nvalues; b++)
			if (takes_part(r, row, a) && takes_part(r, row, b))
				seen[pair_outcome(r, row, a, b)]++;
	if (seen[ROBUST_REVERSES])
		return ROBUST_REVERSES;
	if (seen[ROBUST_UNDECIDED])
		return ROBUST_UNDECIDED;
	return seen[ROBUST_WEAKENS] ? ROBUST_WEAKENS : ROBUST_SURVIVES;
}

/* ------------------------------------------------------------------- order */

static bool is_before(const struct ranker *r, const struct table *t, size_t row,
		      size_t a, size_t b)
{
	const struct entry *x = entry_of(r, t, row, a),
			   *y = entry_of(r, t, row, b);
	int better = r->c->group[r->c->row[r->row[row]].group].better;

	if (x->good != y->good || !x->good)
		return x->good > y->good;
	return better > 0 ? x->median > y->median : x->median < y->median;
}

static bool is_ahead(const struct ranker *r, const struct table *t, size_t row,
		     size_t a, size_t b)
{
	return a < b ? pair_of(r, t, row, a, b)->ahead > 0
		     : pair_of(r, t, row, b, a)->ahead < 0;
}

/* The values that take part, the best one first; equal ones stay in order. */
static size_t sort_values(const struct ranker *r, const struct table *t,
			  size_t row, size_t *order)
{
	size_t n = 0;

	for (size_t v = 0; v < r->nvalues; v++) {
		size_t at = n;

		if (!takes_part(r, row, v))
			continue;
		for (; at > 0 && is_before(r, t, row, v, order[at - 1]); at--)
			order[at] = order[at - 1];
		order[at] = v;
		n++;
	}
	return n;
}

/*
 * Those that do not differ stand in the order of the axis, so that chance
 * makes no other order of them.  first..last: none is ahead of the next.
 */
static void settle(const struct ranker *r, const struct table *t, size_t row,
		   size_t *order, size_t first, size_t last)
{
	for (size_t i = first; i < last; i++)
		for (size_t k = i + 1; k <= last; k++)
			if (is_ahead(r, t, row, order[i], order[k]))
				return;
	for (size_t i = first + 1; i <= last; i++)
		for (size_t k = i; k > first && order[k - 1] > order[k]; k--) {
			size_t kept = order[k];

			order[k] = order[k - 1];
			order[k - 1] = kept;
		}
}

/* Marks who is ahead of the next one, then settles what is between. */
static void mark_ahead(const struct ranker *r, const struct table *t,
		       size_t row, size_t *order, size_t n,
		       struct robust_place *place)
{
	size_t first = 0;

	for (size_t i = 0; i + 1 < n; i++)
		place[i].ahead = is_ahead(r, t, row, order[i], order[i + 1]);
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n && !place[i].ahead)
			continue;
		settle(r, t, row, order, first, i);
		first = i + 1;
	}
}

static bool fill_places(const struct ranker *r, size_t column, size_t row,
			struct robust_item *item)
{
	const struct table *t = &r->table[column];
	struct arena *arena = r->robust->arena;
	size_t *order = arena_alloc(arena, r->nvalues, sizeof(*order));
	struct robust_place *place =
		arena_alloc(arena, r->nvalues, sizeof(*place));

	if (!order || !place)
		return false;
	item->nplaces = sort_values(r, t, row, order);
	item->place[column] = place;
	mark_ahead(r, t, row, order, item->nplaces, place);
	for (size_t i = 0; i < item->nplaces; i++) {
		const struct entry *e = entry_of(r, t, row, order[i]);

		place[i].value = arena_text(arena, r->c->side[order[i]].label);
		place[i].status = arena_text(arena, e->cell->status);
		if (!place[i].value || !place[i].status)
			return false;
	}
	return true;
}

static bool add_ranking(const struct ranker *r, size_t row)
{
	struct robust_item *item;
	size_t n = 0;

	for (size_t v = 0; v < r->nvalues; v++)
		n += takes_part(r, row, v);
	if (n < 2)
		return true;
	item = robust_item(r->robust, r->c, r->row[row]);
	if (!item)
		return false;
	item->outcome = outcome_of(r, row);
	for (size_t i = 0; i < ROBUST_COLUMNS; i++)
		if (!fill_places(r, i, row, item))
			return false;
	return true;
}

/* --------------------------------------------------------------------- all */

static bool is_rate(const struct compare_group *g)
{
	size_t n = strlen(g->operation);

	return n && strncmp(g->metric, g->operation, n) == 0 &&
	       strcmp(g->metric + n, ".rate") == 0;
}

static bool find_rows(struct ranker *r)
{
	const struct comparison *c = r->c;

	r->row = calloc(c->nrows + 1, sizeof(*r->row));
	for (size_t i = 0; r->row && i < c->nrows; i++)
		if (is_rate(&c->group[c->row[i].group]))
			r->row[r->nrows++] = i;
	return r->row;
}

bool robust_rank(const struct robust_runs *columns, struct robust *robust)
{
	struct ranker r = {
		.c = columns->comparison[robust->own],
		.robust = robust,
		.nvalues = columns->comparison[robust->own]->nsides,
	};
	bool good = find_rows(&r);

	for (size_t i = 0; good && i < ROBUST_COLUMNS; i++)
		good = make_table(&r, &r.table[i], columns->samples[i][0]);
	for (size_t i = 0; good && i < r.nrows; i++)
		good = add_ranking(&r, i);
	if (good)
		robust->needed = u_test_values_needed(
			count_tested(&r, &r.table[robust->own]),
			r.c->request->alpha);
	for (size_t i = 0; i < ROBUST_COLUMNS; i++)
		free_table(&r.table[i]);
	free(r.row);
	return good;
}
