/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON for services that watch a trend over commits: github-action-benchmark
 * (two documents, for it takes one direction at a time) and Bencher's metric
 * format.  Only cells that ended well: what a cut-short run gives is no trend.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/export/export.h"
#include "bench/result/encode.h"

/* One value of a cell, over its repeats. */
struct point {
	const struct export_cell *cell;
	const char *cell_name, *metric; /* metric: with ".p99" */
	const char *unit;
	struct summary value;
};

struct series {
	const struct export_request *request;
	const char *direction; /* NULL: any */
	/* Adds a point to the document; false when out of memory. */
	bool (*add)(json_t *document, const struct point *point);
	json_t *document;
	struct hist *hist;
};

/* ------------------------------------------------------------------- names */

/* "track policy=spin vcpus=8", for free(). */
static char *name_cell(const struct export_cell *cell)
{
	char *name = NULL,
	     *value = export_axis(json_object_get(cell->axes, "workload"));
	size_t size;
	FILE *f = open_memstream(&name, &size);
	const char *axis;
	bool bad = !value || !f;
	json_t *v;

	if (!bad)
		fputs(value, f);
	free(value);
	json_object_foreach(cell->axes, axis, v)
	{
		char *key;

		if (bad || strcmp(axis, "workload") == 0)
			continue;
		key = export_plain(axis);
		value = export_axis(v);
		bad = !key || !value;
		if (!bad)
			fprintf(f, " %s=%s", key, value);
		free(key);
		free(value);
	}
	bad |= !f || fclose(f);
	if (!bad)
		return name;
	free(name);
	return NULL;
}

/* ------------------------------------------------------------------ points */

static enum export_status add_point(struct series *s, struct point *p,
				    const char *part)
{
	const char *metric = p->metric;
	char *full = malloc(strlen(metric) + strlen(part) + 2);
	char *plain = NULL, *unit = export_plain(p->unit);
	struct point named = *p;
	bool good = false;

	if (full) {
		sprintf(full, "%s%s%s", metric, *part ? "." : "", part);
		plain = export_plain(full);
	}
	if (plain && unit) {
		named.metric = plain;
		named.unit = unit;
		good = s->add(s->document, &named);
	}
	free(plain);
	free(full);
	free(unit);
	return good ? EXPORT_GOOD : EXPORT_NO_MEMORY;
}

/* A quantile in each repeat: so its spread is known, as that of a number. */
static enum export_status quantiles(struct series *s, struct point *p, double q)
{
	size_t n = 0, i;
	double *v = calloc(json_array_size(p->cell->repeats) + 1, sizeof(*v));
	enum export_status status = v ? EXPORT_GOOD : EXPORT_NO_MEMORY;
	const json_t *repeat;

	json_array_foreach(p->cell->repeats, i, repeat)
	{
		const json_t *all = json_object_get(repeat, "histograms");
		const json_t *one = json_object_get(all, p->metric);

		if (!one || status)
			continue;
		memset(s->hist, 0, sizeof(*s->hist));
		if (decode_hist(one, s->hist))
			status = EXPORT_BAD_CELL;
		else if (s->hist->count)
			v[n++] = (double)hist_quantile(s->hist, q);
	}
	p->value = summarize(v, status ? 0 : n);
	free(v);
	return status;
}

static enum export_status add_histogram(struct series *s, struct point *p)
{
	enum export_status status = EXPORT_GOOD;

	for (const struct export_quantile *q = export_quantiles; q->name; q++) {
		if (q->q != 0.5 && q->q != 0.99)
			continue;
		if (!status)
			status = quantiles(s, p, q->q);
		if (!status && p->value.n)
			status = add_point(s, p, q->name);
	}
	return status;
}

static enum export_status add_number(struct series *s, struct point *p)
{
	enum export_status status =
		export_summary(p->cell, p->metric, &p->value);

	if (status || p->value.n == 0)
		return status;
	return add_point(s, p, "");
}

/* ------------------------------------------------------------------- cells */

static bool takes(const struct series *s, const struct export_cell *cell,
		  const char *metric)
{
	if (s->direction && strcmp(export_about(cell->top, metric, "direction"),
				   s->direction) != 0)
		return false;
	if (s->request->metrics.n)
		return export_wanted(s->request, metric);
	return export_is_main(cell, metric);
}

static enum export_status
add_metrics(struct series *s, const struct export_cell *cell, const char *name)
{
	json_t *table = json_object_get(cell->top, "metrics"), *about;
	enum export_status status = EXPORT_GOOD;
	const char *metric;

	json_object_foreach(table, metric, about)
	{
		struct point p = {
			.cell = cell,
			.cell_name = name,
			.metric = metric,
			.unit = export_about(cell->top, metric, "unit"),
		};

		if (status || !takes(s, cell, metric))
			continue;
		if (json_is_true(json_object_get(about, "histogram")))
			status = add_histogram(s, &p);
		else
			status = add_number(s, &p);
	}
	return status;
}

static enum export_status add_cell(void *ctx, const struct export_cell *cell)
{
	enum export_status status;
	char *name;

	if (strcmp(cell->status, "ok") != 0)
		return EXPORT_GOOD;
	name = name_cell(cell);
	if (!name)
		return EXPORT_NO_MEMORY;
	status = add_metrics(ctx, cell, name);
	free(name);
	return status;
}

/* --------------------------------------------------------------- documents */

static int check_direction(const struct series *s, const json_t *top,
			   struct err *e)
{
	const struct strings *m = &s->request->metrics;

	for (size_t i = 0; i < m->n && s->direction; i++)
		if (strcmp(export_about(top, m->v[i], "direction"),
			   s->direction) != 0)
			return err_set(e, EXIT_USAGE,
				       "%.200s: --metric: \"%.80s\" is not a "
				       "metric of which %s is better",
				       s->request->path, m->v[i], s->direction);
	return 0;
}

static int write_series(struct series *s, struct err *e)
{
	json_t *top = NULL;
	int status = -1;

	s->hist = calloc(1, sizeof(*s->hist));
	if (!s->hist || !s->document)
		err_set(e, EXIT_FAILED, "out of memory");
	else
		top = export_read(s->request, add_cell, s, e);
	if (top)
		status = check_direction(s, top, e);
	if (status == 0 && json_dumpf(s->document, s->request->out,
				      JSON_INDENT(1) | JSON_REAL_PRECISION(12)))
		status = err_set(e, EXIT_FAILED, "out of memory");
	fputc('\n', s->request->out);
	json_decref(top);
	json_decref(s->document);
	free(s->hist);
	return status;
}

/* ------------------------------------------------- github-action-benchmark */

static bool add_entry(json_t *document, const struct point *p)
{
	const struct summary *v = &p->value;
	char range[40], extra[120];
	json_t *name = json_sprintf("%s %s", p->cell_name, p->metric);

	snprintf(range, sizeof(range), "\xc2\xb1 %.6g",
		 fmax(v->max - v->median, v->median - v->min));
	snprintf(extra, sizeof(extra), "%s%smedian of %zu",
		 p->cell->model ? "model output, not a measurement; " : "",
		 export_partial(p->cell->top) ? "partial: the run was stopped; "
					      : "",
		 v->n);
	return json_array_append_new(
		       document, json_pack("{sosssfssss}", "name", name, "unit",
					   p->unit, "value", v->median, "range",
					   range, "extra", extra)) == 0;
}

static int write_bigger(const struct export_request *request, struct err *e)
{
	struct series s = {.request = request,
			   .direction = "higher",
			   .add = add_entry,
			   .document = json_array()};

	return write_series(&s, e);
}

static int write_smaller(const struct export_request *request, struct err *e)
{
	struct series s = {.request = request,
			   .direction = "lower",
			   .add = add_entry,
			   .document = json_array()};

	return write_series(&s, e);
}

const struct export_format export_github_bigger = {
	.name = "github-bigger",
	.summary = "github-action-benchmark's customBiggerIsBetter",
	.metrics = EXPORT_MANY,
	.function = write_bigger,
};

const struct export_format export_github_smaller = {
	.name = "github-smaller",
	.summary = "github-action-benchmark's customSmallerIsBetter",
	.metrics = EXPORT_MANY,
	.function = write_smaller,
};

/* --------------------------------------------------------------------- bmf */

static bool add_measure(json_t *document, const struct point *p)
{
	json_t *benchmark = json_object_get(document, p->cell_name);

	if (!benchmark) {
		benchmark = json_object();
		if (json_object_set_new(document, p->cell_name, benchmark))
			return false;
	}
	return json_object_set_new(benchmark, p->metric,
				   json_pack("{sfsfsf}", "value",
					     p->value.median, "lower_value",
					     p->value.min, "upper_value",
					     p->value.max)) == 0;
}

static int write_bmf(const struct export_request *request, struct err *e)
{
	struct series s = {.request = request,
			   .add = add_measure,
			   .document = json_object()};

	return write_series(&s, e);
}

const struct export_format export_bmf = {
	.name = "bmf",
	.summary = "Bencher's metric format, JSON",
	.metrics = EXPORT_MANY,
	.function = write_bmf,
};
