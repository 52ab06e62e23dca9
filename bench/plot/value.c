/* SPDX-License-Identifier: GPL-2.0-only */
/* What pictures show of a cell: how it ended, and its values. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/plot/plot.h"
#include "bench/stats/infer.h"

/* As everywhere: the probability that intervals are asked for. */
#define CONFIDENCE 0.95

/* ------------------------------------------------------------------ status */

static const struct plot_status statuses[] = {
	{"vm-bugged", 'B', "VM bugged"}, {"livelock", 'L', "livelock"},
	{"timeout", 'T', "timeout"},	 {"unsupported", 'U', "not supported"},
	{"failed", 'F', "failed"},
};

static const struct plot_status oversubscribed = {"oversubscribed", 'O',
						  "oversubscribed, left out"};
static const struct plot_status unknown = {"unknown", '?', "unknown status"};

const struct plot_status *plot_status(const struct plot_cell *cell)
{
	if (!cell->cell)
		return NULL;
	if (strcmp(cell->cell->status, "ok") == 0)
		return cell->left_out ? &oversubscribed : NULL;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (strcmp(cell->cell->status, statuses[i].name) == 0)
			return &statuses[i];
	return &unknown;
}

const char *plot_status_name(const struct plot_cell *cell)
{
	const struct plot_status *status = plot_status(cell);

	return status ? status->name : cell->cell ? "ok" : "missing";
}

bool plot_good(const struct plot_cell *cell)
{
	return cell->cell && !plot_status(cell);
}

void plot_note_statuses(struct plot_picture *p)
{
	const struct plot_group *g = p->group;
	bool told[128] = {false};

	for (size_t i = 0; i < g->nlines * g->nvcpus; i++) {
		const struct plot_status *s = plot_status(&g->cell[i]);

		if (!s || told[(int)s->letter])
			continue;
		told[(int)s->letter] = true;
		plot_append(p->note, sizeof(p->note), "%s%c: %s",
			    p->note[0] ? "; " : "", s->letter, s->what);
	}
}

/* ------------------------------------------------------------------ values */

static const struct samples_series *find(const struct plot_cell *cell,
					 const char *metric)
{
	char name[160];

	if (!cell->cell)
		return NULL;
	snprintf(name, sizeof(name), "%.100s%.50s",
		 metric[0] == '.' ? cell->cell->operation : "", metric);
	return samples_find(cell->samples, cell->cell, name);
}

static struct plot_value no_value(void)
{
	return (struct plot_value){0, (double)NAN, (double)NAN, (double)NAN,
				   (double)NAN};
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Values of the repeats in rising order, without NaNs; returns how many. */
static size_t sorted_values(const struct plot_measure *m,
			    const struct plot_cell *cell, double *value)
{
	const struct samples_series *s = find(cell, m->metric);
	const struct samples_series *per =
		m->per_1000 ? find(cell, ".count") : NULL;
	size_t n = 0;

	if (!s || !s->value || (m->per_1000 && (!per || !per->value)))
		return 0;
	for (size_t i = 0; i < cell->cell->nrepeats; i++) {
		double v = s->value[i];

		if (per)
			v = per->value[i] > 0 ? v / per->value[i] * 1000
					      : (double)NAN;
		if (isfinite(v))
			value[n++] = v;
	}
	qsort(value, n, sizeof(*value), by_value);
	return n;
}

static struct plot_value number(const struct plot_measure *m,
				const struct plot_cell *cell, bool range)
{
	double *value = calloc(cell->cell->nrepeats + 1, sizeof(*value));
	size_t n = value ? sorted_values(m, cell, value) : 0;
	struct plot_value v = no_value();

	if (n) {
		struct interval i = {value[0], value[n - 1], (double)NAN};

		if (!range)
			i = median_interval(value, n, CONFIDENCE);
		v = (struct plot_value){n, median_of_sorted(value, n), i.low,
					i.high, i.coverage};
	}
	free(value);
	return v;
}

static struct plot_value quantile(const struct plot_measure *m,
				  const struct plot_cell *cell)
{
	const struct samples_series *s = find(cell, m->metric);
	struct plot_value v = no_value();

	if (!s || !s->hist)
		return v;
	for (size_t i = 0; i < cell->cell->nrepeats; i++) {
		double q = s->hist[i] ? samples_quantile(s->hist[i], m->q)
				      : (double)NAN;

		if (isnan(q))
			continue;
		v.n++;
		v.low = fmin(v.low, q);
		v.high = fmax(v.high, q);
	}
	v.value = samples_pooled_quantile(s->hist, cell->cell->nrepeats, m->q);
	return v;
}

struct plot_value plot_value(const struct plot_measure *measure,
			     const struct plot_cell *cell)
{
	if (!plot_good(cell))
		return no_value();
	return measure->q > 0 ? quantile(measure, cell)
			      : number(measure, cell, false);
}

struct plot_value plot_range(const struct plot_measure *measure,
			     const struct plot_cell *cell)
{
	return plot_good(cell) ? number(measure, cell, true) : no_value();
}

double plot_sum(const struct plot_cell *cell, const char *metric)
{
	const struct samples_series *s =
		plot_good(cell) ? find(cell, metric) : NULL;
	double sum = (double)NAN;

	for (size_t i = 0; s && s->value && i < cell->cell->nrepeats; i++)
		if (isfinite(s->value[i]))
			sum = isnan(sum) ? s->value[i] : sum + s->value[i];
	return sum;
}

const struct samples_series *plot_latency(const struct plot_cell *cell)
{
	const struct samples_series *s =
		plot_good(cell) ? find(cell, ".latency") : NULL;

	return s && s->hist ? s : NULL;
}

const char *plot_unit(const struct plot_group *g,
		      const struct plot_measure *measure)
{
	for (size_t i = 0; i < g->nlines * g->nvcpus; i++) {
		const struct plot_cell *cell = &g->cell[i];
		const struct samples_series *s = find(cell, measure->metric);

		if (s)
			return cell->samples->metric[s->metric].unit;
	}
	return "";
}
