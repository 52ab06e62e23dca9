/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The overview: all changes, and for each config and host a grid of
 * workloads by policies.  A field of the grid stands for many cells (vCPU
 * counts, knobs), so it shows the geometric mean of their rates, each over
 * its own median of the last nights: 1 is as usual.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/result/encode.h"
#include "bench/stats/stats.h"
#include "bench/trend/dashboard_impl.h"

/* --------------------------------------------------------------- changes */

static json_t *change_json(const struct site *site, size_t series, size_t nth)
{
	static const char *const kinds[] = {"improved", "regressed", "changed"};
	const struct trend_series *s = &site->trend->series[series];
	const struct site_place *p = &site->place[series];
	const struct trend_change *c = &s->change[nth];

	return json_pack(
		"{s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:i, s:o, s:o, "
		"s:o, s:o, s:o, s:o, s:o}",
		"id", json_bytes(c->id), "kind", kinds[c->kind], "run",
		(json_int_t)s->point[c->point].run, "group",
		(json_int_t)p->group, "workload", (json_int_t)p->workload,
		"chart", (json_int_t)p->chart, "line", (json_int_t)p->line,
		"metric", json_bytes(s->metric), "unit", json_bytes(s->unit),
		"better", s->better, "before", site_number(c->before), "after",
		site_number(c->after), "ratio", site_number(c->ratio), "p",
		site_number(c->p), "confidence", site_number(c->confidence),
		"status", site_text(c->status), "why",
		site_text(c->acknowledged));
}

static json_t *all_changes(const struct site *site)
{
	json_t *list = json_array();

	for (size_t i = 0; i < site->trend->nseries; i++)
		for (size_t c = 0; c < site->trend->series[i].nchanges; c++)
			json_array_append_new(list, change_json(site, i, c));
	return list;
}

/* ------------------------------------------------------------------ grids */

/* One field: what is gathered over its series. */
struct field {
	double log_sum[SITE_RECENT]; /* of value over usual value */
	size_t n[SITE_RECENT];
	size_t bad[SITE_RECENT];     /* points that are not ok */
	size_t cells;		     /* series that the mean is of */
	size_t kinds[3];	     /* unacknowledged recent changes */
	const char *metric, *status; /* status: of the last run, if not ok */
};

/* First of the recent runs of a group. */
static size_t recent_from(const struct site_group *g)
{
	return g->nruns > SITE_RECENT ? g->nruns - SITE_RECENT : 0;
}

/* The rate of what the workload is about. */
static bool is_headline(const struct trend_series *s)
{
	size_t n = strlen(s->operation);

	return n && strncmp(s->metric, s->operation, n) == 0 &&
	       strcmp(s->metric + n, ".rate") == 0;
}

static double usual(const struct trend_series *s, size_t first_run)
{
	double value[SITE_RECENT];
	size_t n = 0;

	for (size_t i = s->npoints; i > 0 && n < SITE_RECENT; i--)
		if (s->point[i - 1].run >= first_run)
			value[n++] = s->point[i - 1].value;
	return summarize(value, n).median;
}

static void field_add_points(struct field *f, const struct site *site,
			     const struct site_group *g,
			     const struct trend_series *s)
{
	size_t from = recent_from(g);
	double median = usual(s, g->run[from]);

	f->metric = s->metric;
	f->cells++;
	for (size_t i = s->npoints; i > 0; i--) {
		const struct trend_point *p = &s->point[i - 1];
		size_t at = site->run[p->run].at;

		if (at < from || &site->group[site->run[p->run].group] != g)
			break;
		if (strcmp(p->status, "ok") != 0) {
			f->bad[at - from]++;
			if (at == g->nruns - 1)
				f->status = p->status;
		}
		if (!(p->value > 0) || !(median > 0))
			continue;
		f->log_sum[at - from] += log(p->value / median);
		f->n[at - from]++;
	}
}

static void field_add_changes(struct field *f, const struct site *site,
			      const struct site_group *g,
			      const struct trend_series *s)
{
	for (size_t c = 0; c < s->nchanges; c++) {
		size_t run = s->point[s->change[c].point].run;

		if (!s->change[c].acknowledged &&
		    site->run[run].at >= recent_from(g))
			f->kinds[s->change[c].kind]++;
	}
}

static json_t *field_json(const struct field *f, size_t line, size_t nights)
{
	json_t *spark = json_array(), *bad = json_array();

	for (size_t i = 0; i < nights; i++) {
		double mean =
			f->n[i] ? exp(f->log_sum[i] / (double)f->n[i]) : NAN;

		/* Four digits are more than 24 pixels can show. */
		json_array_append_new(spark,
				      site_number(round(mean * 1e4) / 1e4));
		if (f->bad[i])
			json_array_append_new(bad,
					      json_pack("[I, I]", (json_int_t)i,
							(json_int_t)f->bad[i]));
	}
	return json_pack("{s:I, s:o, s:o, s:I, s:I, s:I, s:I, s:o, s:o}",
			 "line", (json_int_t)line, "spark", spark, "bad", bad,
			 "cells", (json_int_t)f->cells, "improved",
			 (json_int_t)f->kinds[TREND_IMPROVED], "regressed",
			 (json_int_t)f->kinds[TREND_REGRESSED], "changed",
			 (json_int_t)f->kinds[TREND_CHANGED], "metric",
			 json_bytes(f->metric ? f->metric : ""), "status",
			 site_text(f->status));
}

/* The headline metric of a workload; else whatever comes first. */
static const char *field_metric(const struct site *site,
				const struct site_group *g, size_t workload)
{
	const char *first = NULL;

	for (size_t i = 0; i < g->nseries; i++) {
		const struct trend_series *s =
			&site->trend->series[g->series[i]];

		if (site->place[g->series[i]].workload != workload)
			continue;
		if (is_headline(s))
			return s->metric;
		if (!first)
			first = s->metric;
	}
	return first;
}

/* NULL: no such field, or out of memory. */
static json_t *make_field(const struct site *site, const struct site_group *g,
			  size_t workload, size_t line, const char *metric)
{
	size_t nights = g->nruns - recent_from(g);
	struct field f = {0};
	bool any = false;

	for (size_t i = 0; i < g->nseries; i++) {
		const struct site_place *p = &site->place[g->series[i]];
		const struct trend_series *s =
			&site->trend->series[g->series[i]];

		if (p->workload != workload || p->line != line)
			continue;
		any = true;
		field_add_changes(&f, site, g, s);
		if (strcmp(s->metric, metric) == 0)
			field_add_points(&f, site, g, s);
	}
	return any ? field_json(&f, line, nights) : NULL;
}

static json_t *grid_row(const struct site *site, const struct site_group *g,
			size_t workload)
{
	const char *metric = field_metric(site, g, workload);
	json_t *fields = json_array();

	for (size_t line = 0; metric && line < site->line.n; line++) {
		json_t *field = make_field(site, g, workload, line, metric);

		if (field)
			json_array_append_new(fields, field);
	}
	if (json_array_size(fields) == 0) {
		json_decref(fields);
		return NULL;
	}
	return json_pack("{s:I, s:o}", "workload", (json_int_t)workload,
			 "fields", fields);
}

static json_t *grids(const struct site *site)
{
	json_t *list = json_array();

	for (size_t i = 0; i < site->ngroups; i++) {
		json_t *rows = json_array(), *row;

		for (size_t w = 0; w < site->workload.n; w++) {
			row = site->group[i].nruns
				      ? grid_row(site, &site->group[i], w)
				      : NULL;
			if (row)
				json_array_append_new(rows, row);
		}
		json_array_append_new(list, rows);
	}
	return list;
}

json_t *site_overview_json(const struct site *site)
{
	return json_pack("{s:o, s:o}", "changes", all_changes(site), "grids",
			 grids(site));
}
