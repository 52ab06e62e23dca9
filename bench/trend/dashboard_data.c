/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What pages load, as JSON.  Only lists and objects with members known here:
 * no text of a result is ever the name of a member, so that none can be one
 * that means something to JavaScript ("__proto__").
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/observe/environment.h"
#include "bench/result/encode.h"
#include "bench/trend/dashboard_impl.h"

json_t *site_number(double value)
{
	if (!isfinite(value))
		return json_null();
	if (value == floor(value) && fabs(value) < 1e15)
		return json_integer((json_int_t)value);
	return json_real(value);
}

json_t *site_text(const char *text)
{
	return text ? json_bytes(text) : json_null();
}

static json_t *number_of(size_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *names_json(const struct site_names *names)
{
	json_t *list = json_array();

	for (size_t i = 0; i < names->n; i++)
		json_array_append_new(list, json_string(names->v[i]));
	return list;
}

/* ------------------------------------------------------------------ index */

/* The order is that of the fields in common.js. */
static json_t *index_run(const struct site *site, size_t i)
{
	const struct trend_run *run = &site->trend->run[i];
	const struct site_run *r = &site->run[i];
	char *link = site_encode_path(site->arena, run->path);

	return json_pack("[s, o, s, o, I, I, I, I, I, o, I, I, b, b]",
			 site->run_slug.v[i], json_bytes(run->path),
			 link ? link : "", json_bytes(run->time),
			 (json_int_t)r->group, (json_int_t)r->host,
			 (json_int_t)r->kernel, (json_int_t)r->cpu,
			 (json_int_t)r->version, json_bytes(run->commit),
			 (json_int_t)run->ncells, (json_int_t)run->nbad,
			 run->partial, run->modelled);
}

static json_t *index_runs(const struct site *site)
{
	json_t *list = json_array();

	for (size_t i = 0; i < site->trend->nruns; i++)
		if (json_array_append_new(list, index_run(site, i))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *index_groups(const struct site *site)
{
	json_t *list = json_array();

	for (size_t i = 0; i < site->ngroups; i++) {
		const struct site_group *g = &site->group[i];
		json_t *runs = json_array();

		for (size_t r = 0; r < g->nruns; r++)
			json_array_append_new(runs, number_of(g->run[r]));
		json_array_append_new(
			list, json_pack("{s:o, s:o, s:o}", "config",
					json_bytes(g->config), "host",
					json_bytes(g->host), "runs", runs));
	}
	return list;
}

json_t *site_index_json(const struct site *site, const char *base)
{
	char now[TIME_TEXT];

	time_text(now);
	return json_pack(
		"{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:o, s:o, s:o, s:I}",
		"made", now, "tool", TDMEM_VERSION, "base", base, "workloads",
		names_json(&site->workload), "slugs", names_json(&site->slug),
		"charts", names_json(&site->chart), "lines",
		names_json(&site->line), "hosts", names_json(&site->host),
		"kernels", names_json(&site->kernel), "cpus",
		names_json(&site->cpu), "versions", names_json(&site->version),
		"groups", index_groups(site), "runs", index_runs(site),
		"skipped", (json_int_t)site->trend->nskipped);
}

/* ----------------------------------------------------------------- series */

/* What a series is, without its points; shared by all pages. */
static json_t *series_head(const struct site *site, size_t i)
{
	const struct trend_series *s = &site->trend->series[i];
	const struct site_place *p = &site->place[i];

	return json_pack("{s:I, s:I, s:I, s:I, s:o, s:o, s:i}", "group",
			 (json_int_t)p->group, "workload",
			 (json_int_t)p->workload, "chart", (json_int_t)p->chart,
			 "line", (json_int_t)p->line, "metric",
			 json_bytes(s->metric), "unit", json_bytes(s->unit),
			 "better", s->better);
}

json_t *site_series_json(const struct site *site)
{
	json_t *groups = json_array();

	for (size_t g = 0; g < site->ngroups; g++) {
		json_t *list = json_array();

		for (size_t i = 0; i < site->group[g].nseries; i++)
			json_array_append_new(
				list,
				series_head(site, site->group[g].series[i]));
		json_array_append_new(groups, list);
	}
	return json_pack("{s:o}", "groups", groups);
}

/* -------------------------------------------------------------- workloads */

/* Parallel lists: what most points need is three numbers. */
struct point_lists {
	json_t *value, *low, *high;
	json_t *status; /* [place, status] of those that are not ok */
};

static struct point_lists lists_new(void)
{
	return (struct point_lists){json_array(), json_array(), json_array(),
				    json_array()};
}

static void lists_add(struct point_lists *l, size_t at,
		      const struct trend_point *point)
{
	bool there = point && isfinite(point->value);

	json_array_append_new(l->value,
			      site_number(there ? point->value : NAN));
	json_array_append_new(l->low, site_number(there ? point->low : NAN));
	json_array_append_new(l->high, site_number(there ? point->high : NAN));
	if (point && strcmp(point->status, "ok") != 0)
		json_array_append_new(l->status,
				      json_pack("[I, o]", (json_int_t)at,
						json_bytes(point->status)));
}

/* Into an object, as its members. */
static void lists_put(struct point_lists *l, json_t *object)
{
	json_object_set_new(object, "v", l->value);
	json_object_set_new(object, "lo", l->low);
	json_object_set_new(object, "hi", l->high);
	json_object_set_new(object, "status", l->status);
}

static json_t *changes_json(const struct site *site, size_t i)
{
	static const char *const kinds[] = {"improved", "regressed", "changed"};
	const struct trend_series *s = &site->trend->series[i];
	json_t *list = json_array();

	for (size_t c = 0; c < s->nchanges; c++) {
		const struct trend_change *change = &s->change[c];
		size_t run = s->point[change->point].run;

		if (site->run[run].group != site->place[i].group)
			continue;
		json_array_append_new(
			list,
			json_pack("{s:o, s:s, s:I, s:o, s:o, s:o, s:o, s:o, "
				  "s:o, s:o}",
				  "id", json_bytes(change->id), "kind",
				  kinds[change->kind], "at",
				  (json_int_t)site->run[run].at, "before",
				  site_number(change->before), "after",
				  site_number(change->after), "ratio",
				  site_number(change->ratio), "p",
				  site_number(change->p), "confidence",
				  site_number(change->confidence), "status",
				  site_text(change->status), "why",
				  site_text(change->acknowledged)));
	}
	return list;
}

static json_t *series_json(const struct site *site, size_t i)
{
	const struct trend_series *s = &site->trend->series[i];
	const struct site_group *g = &site->group[site->place[i].group];
	json_t *object = series_head(site, i);
	struct point_lists lists = lists_new();
	size_t next = 0;

	for (size_t at = 0; at < g->nruns; at++) {
		while (next < s->npoints && s->point[next].run < g->run[at])
			next++;
		lists_add(&lists, at,
			  next < s->npoints && s->point[next].run == g->run[at]
				  ? &s->point[next]
				  : NULL);
	}
	lists_put(&lists, object);
	json_object_set_new(object, "changes", changes_json(site, i));
	return object;
}

json_t *site_workload_json(const struct site *site, size_t workload)
{
	json_t *list = json_array();

	for (size_t i = 0; i < site->trend->nseries; i++)
		if (site->place[i].workload == workload)
			json_array_append_new(list, series_json(site, i));
	return json_pack("{s:o}", "series", list);
}

/* ------------------------------------------------------------------- runs */

static void print_scalar(FILE *f, const json_t *value)
{
	char *text;

	if (json_is_string(value)) {
		fputs(json_string_value(value), f);
		return;
	}
	text = json_dumps(value, JSON_STYLE | JSON_ENCODE_ANY);
	fputs(text ? text : "", f);
	free(text);
}

static char *list_text(const json_t *list)
{
	char *text = NULL;
	size_t size, i;
	json_t *value;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	json_array_foreach(list, i, value)
	{
		if (i)
			fputc(' ', f);
		print_scalar(f, value);
	}
	fclose(f);
	return text;
}

static void add_pair(json_t *pairs, const char *name, const json_t *value)
{
	json_t *list = json_is_array(value) ? NULL : json_array(), *pair;
	char *text;

	if (list)
		json_array_append(list, (json_t *)value);
	text = list_text(list ? list : value);
	json_decref(list);
	pair = json_pack("[s, s]", name, text ? text : "");
	json_array_append_new(pairs, pair);
	free(text);
}

/* "tags.commit": objects within are walked into, one level. */
static json_t *environment_json(const struct site *site, size_t run)
{
	json_t *env = (json_t *)site->trend->run[run].environment;
	json_t *pairs = json_array(), *value, *inner;
	const char *key, *name;

	json_object_foreach(env, key, value)
	{
		if (!json_is_object(value)) {
			add_pair(pairs, key, value);
			continue;
		}
		json_object_foreach(value, name, inner)
		{
			char *path =
				arena_print(site->arena, "%s.%s", key, name);

			add_pair(pairs, path ? path : "", inner);
		}
	}
	return pairs;
}

json_t *site_run_json(const struct site *site, size_t run)
{
	const struct site_group *g = &site->group[site->run[run].group];
	json_t *object = json_object();
	struct point_lists lists = lists_new();

	if (!object)
		return NULL;
	json_object_set_new(object, "environment", environment_json(site, run));
	for (size_t i = 0; i < g->nseries; i++)
		lists_add(&lists, i,
			  site_point(&site->trend->series[g->series[i]], run));
	lists_put(&lists, object);
	return object;
}
