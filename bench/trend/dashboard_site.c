/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/result/encode.h"
#include "bench/trend/dashboard_impl.h"

/* ------------------------------------------------------------------ names */

static int names_init(struct site_names *names)
{
	names->index = json_object();
	return names->index ? 0 : -1;
}

/* Any bytes can be in a file's name: JSON wants UTF-8. */
static const char *utf8(struct arena *arena, const char *name)
{
	json_t *text = json_bytes(name);
	const char *copy =
		text ? arena_text(arena, json_string_value(text)) : NULL;

	json_decref(text);
	return copy;
}

static bool names_room(struct site_names *names)
{
	const char **v;

	if (names->n & (names->n - 1))
		return true;
	v = realloc(names->v, (names->n ? 2 * names->n : 1) * sizeof(*v));
	if (!v)
		return false;
	names->v = v;
	return true;
}

size_t site_name(struct site_names *names, struct arena *arena,
		 const char *name)
{
	const char *text = utf8(arena, name);
	json_t *at = text ? json_object_get(names->index, text) : NULL;

	if (at)
		return (size_t)json_integer_value(at);
	if (!text || !names_room(names) ||
	    json_object_set_new(names->index, text,
				json_integer((json_int_t)names->n)))
		return SITE_NONE;
	names->v[names->n] = text;
	return names->n++;
}

/*
 * A name for a file, from anything: lower-case letters, digits, dots and
 * dashes, and never one that is there.  As names come in the order of time
 * they stay what they are from one night to the next.
 */
static int add_slug(struct site *site, struct site_names *slugs,
		    const char *name)
{
	char slug[64], text[96];
	size_t n = 0, before = slugs->n;

	for (; *name && n + 1 < sizeof(slug); name++) {
		int c = tolower((unsigned char)*name);
		bool keep = (c >= 'a' && c <= 'z') || isdigit(c) ||
			    (c == '.' && n > 0);

		slug[n] = keep ? (char)c : '-';
		n++;
	}
	slug[n] = '\0';
	snprintf(text, sizeof(text), "%s", n ? slug : "-");
	for (size_t i = 2; json_object_get(slugs->index, text); i++)
		snprintf(text, sizeof(text), "%s-%zu", slug, i);
	return site_name(slugs, site->arena, text) == before ? 0 : -1;
}

/* ------------------------------------------------------------------- runs */

static size_t group_of(struct site *site, const char *config, const char *host)
{
	struct site_group *g;

	for (size_t i = 0; i < site->ngroups; i++)
		if (strcmp(site->group[i].config, config) == 0 &&
		    strcmp(site->group[i].host, host) == 0)
			return i;
	g = realloc(site->group, (site->ngroups + 1) * sizeof(*g));
	if (!g)
		return SITE_NONE;
	site->group = g;
	g[site->ngroups] = (struct site_group){.config = config, .host = host};
	return site->ngroups++;
}

/* "history/2026-01-31.json": the file without what all have in common. */
static int add_run_slug(struct site *site, const char *path)
{
	size_t n = strlen(path);
	char *name = n > 5 && strcmp(path + n - 5, ".json") == 0
			     ? arena_textn(site->arena, path, n - 5)
			     : arena_text(site->arena, path);

	return name ? add_slug(site, &site->run_slug, name) : -1;
}

/* The group is that of its series; without any it is by itself. */
static int add_run(struct site *site, size_t index)
{
	const struct trend_run *run = &site->trend->run[index];
	struct site_run *r = &site->run[index];

	if (r->group == SITE_NONE)
		r->group = group_of(site, run->config, run->host);
	r->host = site_name(&site->host, site->arena, run->host);
	r->kernel = site_name(&site->kernel, site->arena, run->kernel);
	r->cpu = site_name(&site->cpu, site->arena, run->cpu);
	r->version = site_name(&site->version, site->arena, run->version);
	if (r->group == SITE_NONE || r->host == SITE_NONE ||
	    r->kernel == SITE_NONE || r->cpu == SITE_NONE ||
	    r->version == SITE_NONE)
		return -1;
	r->at = site->group[r->group].nruns++;
	return add_run_slug(site, run->path);
}

static int list_runs(struct site *site)
{
	for (size_t i = 0; i < site->ngroups; i++) {
		struct site_group *g = &site->group[i];

		g->run = arena_alloc(site->arena, g->nruns, sizeof(*g->run));
		if (!g->run)
			return -1;
	}
	for (size_t i = 0; i < site->trend->nruns; i++)
		site->group[site->run[i].group].run[site->run[i].at] = i;
	return 0;
}

static int add_runs(struct site *site)
{
	size_t n = site->trend->nruns;

	for (size_t i = 0; i < n; i++)
		if (add_run(site, i))
			return -1;
	return list_runs(site);
}

/* ----------------------------------------------------------------- series */

/* An axis's value in words: "8", "spin", "eagain/kick-first". */
static void print_value(FILE *f, const json_t *value)
{
	const json_t *fault = json_object_get(value, "fault");
	char *text;

	if (json_is_string(value)) {
		fputs(json_string_value(value), f);
	} else if (json_is_string(fault)) {
		fprintf(f, "%s/%s", json_string_value(fault),
			json_string_value(json_object_get(value, "removal"))
				?: "");
	} else {
		text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY |
						 JSON_SORT_KEYS);
		fputs(text ? text : "", f);
		free(text);
	}
}

/* The axes that are, or are not, what the lines of a chart differ in. */
static bool is_line(const char *axis)
{
	return strcmp(axis, "policy") == 0 || strcmp(axis, "side") == 0;
}

static char *axes_text(const struct site *site, const json_t *axes, bool line)
{
	char *text = NULL, *copy;
	const char *key;
	bool first = true;
	size_t size;
	json_t *value;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	json_object_foreach((json_t *)axes, key, value)
	{
		if (is_line(key) != line || strcmp(key, "workload") == 0)
			continue;
		if (!first)
			fputc(' ', f);
		if (strcmp(key, "policy") != 0)
			fprintf(f, "%s=", key);
		print_value(f, value);
		first = false;
	}
	if (fclose(f))
		return NULL;
	copy = arena_text(site->arena, text);
	free(text);
	return copy;
}

static int place_series(struct site *site, size_t index)
{
	const struct trend_series *s = &site->trend->series[index];
	struct site_place *p = &site->place[index];
	char *chart = axes_text(site, s->axes, false);
	char *line = axes_text(site, s->axes, true);
	size_t before = site->workload.n;

	if (!chart || !line)
		return -1;
	p->group = group_of(site, s->config, s->host);
	p->workload = site_name(&site->workload, site->arena, s->workload);
	p->chart = site_name(&site->chart, site->arena, chart);
	p->line = site_name(&site->line, site->arena, line);
	if (p->group == SITE_NONE || p->workload == SITE_NONE ||
	    p->chart == SITE_NONE || p->line == SITE_NONE)
		return -1;
	site->group[p->group].nseries++;
	for (size_t i = 0; i < s->npoints; i++)
		site->run[s->point[i].run].group = p->group;
	if (site->workload.n == before)
		return 0;
	return add_slug(site, &site->slug, s->workload);
}

static int list_series(struct site *site)
{
	for (size_t i = 0; i < site->ngroups; i++) {
		struct site_group *g = &site->group[i];

		g->series = arena_alloc(site->arena, g->nseries + 1,
					sizeof(*g->series));
		if (!g->series)
			return -1;
		g->nseries = 0;
	}
	for (size_t i = 0; i < site->trend->nseries; i++) {
		struct site_group *g = &site->group[site->place[i].group];

		g->series[g->nseries++] = i;
	}
	return 0;
}

static int add_series(struct site *site)
{
	size_t n = site->trend->nseries;

	site->place = arena_alloc(site->arena, n, sizeof(*site->place));
	site->run = arena_alloc(site->arena, site->trend->nruns,
				sizeof(*site->run));
	if (!site->place || !site->run)
		return -1;
	for (size_t i = 0; i < site->trend->nruns; i++)
		site->run[i].group = SITE_NONE;
	for (size_t i = 0; i < n; i++)
		if (place_series(site, i))
			return -1;
	return 0;
}

/* ------------------------------------------------------------------ whole */

enum { NR_NAMES = 9 };

static void names_list(struct site *site, struct site_names *list[NR_NAMES])
{
	struct site_names *all[NR_NAMES] = {
		&site->workload, &site->chart, &site->line,
		&site->slug,	 &site->host,  &site->run_slug,
		&site->kernel,	 &site->cpu,   &site->version,
	};

	memcpy(list, all, sizeof(all));
}

int site_init(struct site *site, const struct trend *trend, const char *dir,
	      const char *out)
{
	struct site_names *names[NR_NAMES];

	*site = (struct site){.trend = trend, .dir = dir, .out = out};
	names_list(site, names);
	site->arena = arena_new();
	if (!site->arena)
		return -1;
	for (size_t i = 0; i < NR_NAMES; i++)
		if (names_init(names[i]))
			return -1;
	if (add_series(site) || add_runs(site) || list_series(site))
		return -1;
	return 0;
}

void site_free(struct site *site)
{
	struct site_names *names[NR_NAMES];

	names_list(site, names);
	for (size_t i = 0; i < NR_NAMES; i++) {
		json_decref(names[i]->index);
		free(names[i]->v);
	}
	free(site->group);
	arena_free(site->arena);
}

const struct trend_point *site_point(const struct trend_series *series,
				     size_t run)
{
	size_t low = 0, high = series->npoints;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (series->point[middle].run < run)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < series->npoints && series->point[low].run == run)
		return &series->point[low];
	return NULL;
}
