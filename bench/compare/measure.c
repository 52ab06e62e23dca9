/* SPDX-License-Identifier: GPL-2.0-only */
/* The numbers of a comparison: estimates, their intervals, changes, tests. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/impl.h"
#include "bench/result/pooled.h"

/* One side of one row while it is measured. */
struct measured {
	double *value; /* of each repeat, in rising order */
	size_t n;
	double *drawn; /* the estimate in each resampling; NULL: none */
};

/* Resamplings by how many are drawn from; each side has its own. */
struct draws {
	struct resamples *list;
	size_t n;
};

struct measurer {
	struct comparison *c;
	const struct compare_cells *cells;
	struct draws *draws;	   /* nsides */
	struct measured *measured; /* nsides */
	double *ratio;		   /* rounds */
	bool no_memory;
};

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

static void *room_for(struct measurer *m, size_t n)
{
	void *room = calloc(n + 1, sizeof(double));

	m->no_memory |= !room;
	return room;
}

static struct resamples *draws_of(struct measurer *m, size_t side, size_t n)
{
	const struct compare_request *r = m->c->request;
	struct draws *d = &m->draws[side];
	struct resamples *list;

	for (size_t i = 0; i < d->n; i++)
		if (d->list[i].n == n)
			return &d->list[i];
	list = realloc(d->list, (d->n + 1) * sizeof(*list));
	if (list)
		d->list = list;
	if (!list || !resamples_make(&list[d->n], n, m->c->rounds,
				     r->seed + side * 0x9e3779b97f4a7c15ull)) {
		m->no_memory = true;
		return NULL;
	}
	return &d->list[d->n++];
}

/* --------------------------------------------------------------- estimates */

static void describe(struct estimate *e, const struct measured *s)
{
	double sum = 0, squares = 0, inverse = 0;

	e->n = s->n;
	e->low = s->value[0];
	e->high = s->value[s->n - 1];
	for (size_t i = 0; i < s->n; i++)
		sum += s->value[i] / (double)s->n;
	for (size_t i = 0; i < s->n; i++)
		inverse += 1 / s->value[i] / (double)s->n;
	for (size_t i = 0; i < s->n; i++)
		squares += (s->value[i] - sum) * (s->value[i] - sum);
	e->mean = sum;
	e->hmean = s->value[0] > 0 ? 1 / inverse : (double)NAN;
	e->deviation =
		s->n > 1 ? sqrt(squares / (double)(s->n - 1)) : (double)NAN;
}

static void estimate_nothing(struct estimate *e)
{
	const double none = (double)NAN;

	e->n = 0;
	e->median = e->low = e->high = none;
	e->mean = e->hmean = e->deviation = none;
	e->interval = (struct interval){none, none, none};
}

static void estimate_values(struct measurer *m, size_t side, struct estimate *e)
{
	struct measured *s = &m->measured[side];
	struct resamples *r = draws_of(m, side, s->n);

	e->median = median_of_sorted(s->value, s->n);
	e->interval =
		median_interval(s->value, s->n, m->c->request->confidence);
	for (size_t i = 0; r && i < r->rounds; i++)
		s->drawn[i] = weighted_median(s->value, resample(r, i), s->n);
}

/* A quantile is that of all repeats together. */
static void estimate_quantile(struct measurer *m, size_t side,
			      const struct pooled *pool, double q,
			      struct estimate *e)
{
	struct measured *s = &m->measured[side];
	struct resamples *r = draws_of(m, side, pool->n);
	struct pooled_range range = pooled_range(pool, q);
	unsigned int *once = room_for(m, pool->n);
	double *drawn = room_for(m, m->c->rounds);

	for (size_t i = 0; once && i < pool->n; i++)
		once[i] = 1;
	if (!m->no_memory) {
		e->median = pooled_quantile(pool, range, once, q);
		for (size_t i = 0; i < r->rounds; i++)
			s->drawn[i] =
				pooled_quantile(pool, range, resample(r, i), q);
		memcpy(drawn, s->drawn, r->rounds * sizeof(*drawn));
		e->interval = percentile_interval(drawn, r->rounds,
						  m->c->request->confidence);
	}
	free(once);
	free(drawn);
}

/* ----------------------------------------------------------------- changes */

static double change_of(double from, double to)
{
	if (from == to)
		return 0;
	/* A sign is that of the change, also below 0. */
	return from != 0 ? (to - from) / fabs(from) : copysign(HUGE_VAL, to);
}

static void compare_sides(struct measurer *m, size_t side,
			  const struct compare_row *row)
{
	const struct measured *a = &m->measured[side], *b = m->measured;
	const struct compare_request *r = m->c->request;
	struct change *change = &row->change[side];
	size_t good = 0;

	if (!a->n || !b->n)
		return;
	m->no_memory |= !u_test(a->value, a->n, b->value, b->n, &change->test);
	change->ratio = change_of(row->side[0].median, row->side[side].median);
	for (size_t i = 0; i < m->c->rounds; i++) {
		m->ratio[good] = change_of(b->drawn[i], a->drawn[i]);
		good += isfinite(m->ratio[good]) ? 1 : 0;
	}
	/* Where the base can be 0 a share of it says nothing. */
	if (good == m->c->rounds)
		change->interval =
			percentile_interval(m->ratio, good, r->confidence);
}

static void clear_change(struct change *change)
{
	const double none = (double)NAN;

	*change = (struct change){
		.ratio = none,
		.interval = {none, none, none},
		.test = {.u = none, .p = none, .delta = none},
		.p = none,
	};
}

static void measure_changes(struct measurer *m, const struct compare_row *row)
{
	for (size_t i = 0; i < m->c->nsides; i++) {
		clear_change(&row->change[i]);
		if (i > 0 && !m->no_memory)
			compare_sides(m, i, row);
	}
}

/* -------------------------------------------------------------------- rows */

static const struct samples_series *
series_of(const struct measurer *m, const struct compare_row *row, size_t side)
{
	const struct samples_cell *cell = m->cells->cell[row->cell].side[side];

	return cell ? samples_find(m->c->side[side].samples, cell,
				   m->c->group[row->group].metric)
		    : NULL;
}

static size_t repeats_of(const struct measurer *m,
			 const struct compare_row *row, size_t side)
{
	return m->cells->cell[row->cell].side[side]->nrepeats;
}

/* The repeats' own values, without those that have none. */
static void take_values(struct measurer *m, const struct compare_row *row,
			size_t side, const struct samples_series *series,
			double q)
{
	struct measured *s = &m->measured[side];
	size_t n = series ? repeats_of(m, row, side) : 0;

	s->n = 0;
	s->value = room_for(m, n);
	for (size_t i = 0; s->value && i < n; i++) {
		double v = (double)NAN;

		if (series->value)
			v = series->value[i];
		else if (series->hist[i])
			v = samples_quantile(series->hist[i], q);
		if (!isnan(v))
			s->value[s->n++] = v;
	}
	if (s->value)
		qsort(s->value, s->n, sizeof(*s->value), by_value);
}

static void measure_row(struct measurer *m, struct compare_row *row,
			const struct pooled *pool, double q)
{
	for (size_t i = 0; i < m->c->nsides; i++) {
		take_values(m, row, i, series_of(m, row, i), q);
		estimate_nothing(&row->side[i]);
		if (m->no_memory || !m->measured[i].n)
			continue;
		describe(&row->side[i], &m->measured[i]);
		if (pool)
			estimate_quantile(m, i, &pool[i], q, &row->side[i]);
		else
			estimate_values(m, i, &row->side[i]);
	}
	measure_changes(m, row);
	for (size_t i = 0; i < m->c->nsides; i++) {
		free(m->measured[i].value);
		m->measured[i].value = NULL;
	}
}

/* How many groups from g on are quantiles of one metric of one workload. */
static size_t levels_of(const struct comparison *c, size_t g)
{
	const struct compare_group *first = &c->group[g];
	size_t n = 1;

	while (g + n < c->ngroups && samples_levels[n].name &&
	       c->group[g + n].quantile == samples_levels[n].name &&
	       c->group[g + n].metric == first->metric)
		n++;
	return n;
}

/* Rows of the same cell in the groups of a histogram's quantiles. */
static void measure_quantiles(struct measurer *m, size_t g, size_t cell)
{
	struct comparison *c = m->c;
	const struct compare_group *group = &c->group[g];
	size_t index = group->first + cell, levels = levels_of(c, g);
	struct pooled *pool = calloc(c->nsides, sizeof(*pool));

	m->no_memory |= !pool;
	for (size_t i = 0; pool && i < c->nsides; i++) {
		const struct samples_series *s =
			series_of(m, &c->row[index], i);
		size_t n = s ? repeats_of(m, &c->row[index], i) : 0;

		m->no_memory |= s && !pooled_make(&pool[i], s->hist, n);
	}
	for (size_t l = 0; !m->no_memory && l < levels; l++)
		measure_row(m, &c->row[index + l * group->nrows], pool,
			    samples_levels[l].q);
	for (size_t i = 0; pool && i < c->nsides; i++)
		pooled_free(&pool[i]);
	free(pool);
}

static void measure_all(struct measurer *m)
{
	struct comparison *c = m->c;

	for (size_t g = 0; g < c->ngroups && !m->no_memory; g++) {
		const struct compare_group *group = &c->group[g];

		/* The first quantile's group does those of the others too. */
		if (group->quantile &&
		    strcmp(group->quantile, samples_levels[0].name) != 0)
			continue;
		for (size_t i = 0; i < group->nrows && !m->no_memory; i++) {
			if (group->quantile)
				measure_quantiles(m, g, i);
			else
				measure_row(m, &c->row[group->first + i], NULL,
					    0);
		}
	}
}

bool compare_measure(struct comparison *c, const struct compare_cells *cells)
{
	struct measurer m = {
		.c = c,
		.cells = cells,
		.draws = calloc(c->nsides, sizeof(*m.draws)),
		.measured = calloc(c->nsides, sizeof(*m.measured)),
		.ratio = calloc(c->rounds + 1, sizeof(*m.ratio)),
	};

	m.no_memory = !m.draws || !m.measured || !m.ratio;
	for (size_t i = 0; !m.no_memory && i < c->nsides; i++)
		m.measured[i].drawn = room_for(&m, c->rounds);
	if (!m.no_memory)
		measure_all(&m);
	for (size_t i = 0; i < c->nsides; i++) {
		for (size_t k = 0; m.draws && k < m.draws[i].n; k++)
			resamples_free(&m.draws[i].list[k]);
		if (m.draws)
			free(m.draws[i].list);
		if (m.measured)
			free(m.measured[i].drawn);
	}
	free(m.draws);
	free(m.measured);
	free(m.ratio);
	return !m.no_memory;
}
