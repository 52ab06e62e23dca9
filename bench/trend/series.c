/* SPDX-License-Identifier: GPL-2.0-only */
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/export/export.h"
#include "bench/trend/impl.h"

/* All series of one cell of one config on one host. */
struct group {
	const struct trend_entry *entry; /* where it was met first */
	const struct trend_cell *from;
	const char *cell; /* "policy=spin vcpus=8" */
	const json_t *axes;
	bool wanted;
	size_t nseries;
	size_t *series; /* by index; the arena's, powers of two long */
};

struct builder {
	struct trend *trend;
	const struct trend_request *request;
	json_t *by_axes; /* config, host, axes as they stand -> group */
	json_t *by_cell; /* config, host, workload, cell -> group */
	size_t ngroups;
	struct group *group;
	size_t nseries;
	struct trend_series *series;
	size_t taken; /* cells that are as asked for */
};

/* Room for one more of n in an array that doubles; NULL: out of memory. */
static void *one_more(void *array, size_t n, size_t size)
{
	void *bigger;

	if (n & (n - 1))
		return array;
	bigger = realloc(array, (n ? 2 * n : 1) * size);
	if (bigger)
		memset((char *)bigger + n * size, 0, (n ? n : 1) * size);
	return bigger;
}

/* The same in an arena, which keeps the old one. */
static void *one_more_of(struct arena *arena, void *array, size_t n,
			 size_t size)
{
	void *bigger;

	if (n & (n - 1))
		return array;
	bigger = arena_alloc(arena, n ? 2 * n : 1, size);
	if (bigger && n)
		memcpy(bigger, array, n * size);
	return bigger;
}

/* ---------------------------------------------------------------- groups */

/* The axes but the workload, sorted by name, as one text. */
static char *cell_text(json_t *axes)
{
	json_t *plain = json_object();
	char *text = NULL, *dump;
	const char *key, *gap = "";
	size_t size;
	json_t *value;
	FILE *f = open_memstream(&text, &size);

	/* Sorting by way of a dump: jansson keeps the order of insertion. */
	json_object_foreach(axes, key, value)
		json_object_set(plain, key, value);
	dump = json_dumps(plain, JSON_SORT_KEYS | JSON_COMPACT);
	json_decref(plain);
	plain = dump ? json_loads(dump, 0, NULL) : NULL;
	free(dump);
	json_object_foreach(plain, key, value)
	{
		char *shown = export_axis(value), *name = export_plain(key);

		if (f && shown && name && strcmp(key, "workload") != 0) {
			fprintf(f, "%s%s=%s", gap, name, shown);
			gap = " ";
		}
		free(shown);
		free(name);
	}
	json_decref(plain);
	if (f && fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

/* Does the cell have what "AXIS=VALUE" says? */
static bool holds(const json_t *axes, const char *condition)
{
	const char *key;
	json_t *value;
	size_t n = strcspn(condition, "=");
	bool same = false;

	json_object_foreach((json_t *)axes, key, value)
	{
		char *text;

		if (strlen(key) != n || strncmp(key, condition, n) != 0)
			continue;
		text = export_axis(value);
		same = text && strcmp(text, condition + n + 1) == 0;
		free(text);
	}
	return same;
}

static bool is_wanted(const struct builder *b, const json_t *axes)
{
	for (size_t i = 0; i < b->request->cells.n; i++)
		if (!holds(axes, b->request->cells.v[i]))
			return false;
	return true;
}

static struct group *add_group(struct builder *b,
			       const struct trend_entry *entry,
			       const struct trend_cell *from, json_t *axes,
			       const char *cell)
{
	struct group *list = one_more(b->group, b->ngroups, sizeof(*list)), *g;

	if (!list)
		return NULL;
	b->group = list;
	g = &list[b->ngroups++];
	*g = (struct group){.entry = entry, .from = from, .axes = axes};
	g->cell = arena_text(b->trend->arena, cell);
	g->wanted = is_wanted(b, axes);
	if (!g->cell || json_array_append(b->trend->json, axes))
		return NULL;
	return g;
}

static size_t find_index(const json_t *map, const char *key)
{
	const json_t *index = json_object_get(map, key);

	return index ? (size_t)json_integer_value(index) : SIZE_MAX;
}

static bool put_index(json_t *map, const char *key, size_t index)
{
	return json_object_set_new(map, key, json_integer((json_int_t)index)) ==
	       0;
}

/* By the sorted axes: another version may write them in another order. */
static size_t find_by_cell(struct builder *b, const struct trend_entry *entry,
			   const struct trend_cell *from)
{
	json_t *axes = json_loads(from->axes, 0, NULL);
	char *cell = axes ? cell_text(axes) : NULL;
	const char *key = NULL;
	size_t index = SIZE_MAX;

	if (cell)
		key = arena_print(b->trend->arena, "%s\n%s\n%s\n%s\n",
				  entry->run.config, entry->host,
				  from->workload, cell);
	if (key) {
		index = find_index(b->by_cell, key);
		if (index == SIZE_MAX &&
		    add_group(b, entry, from, axes, cell)) {
			index = b->ngroups - 1;
			if (!put_index(b->by_cell, key, index))
				index = SIZE_MAX;
		}
	}
	free(cell);
	json_decref(axes);
	return index;
}

/* NULL: out of memory. */
static struct group *group_of(struct builder *b,
			      const struct trend_entry *entry,
			      const struct trend_cell *cell)
{
	char key[1024];
	int n = snprintf(key, sizeof(key), "%s\n%s\n%s", entry->run.config,
			 entry->host, cell->axes);
	bool fits = n >= 0 && (size_t)n < sizeof(key);
	size_t index = fits ? find_index(b->by_axes, key) : SIZE_MAX;

	if (index == SIZE_MAX) {
		index = find_by_cell(b, entry, cell);
		if (index == SIZE_MAX ||
		    (fits && !put_index(b->by_axes, key, index)))
			return NULL;
	}
	return &b->group[index];
}

/* ---------------------------------------------------------------- series */

static bool metric_wanted(const struct builder *b, const char *metric)
{
	const struct strings *patterns = &b->request->metrics;

	for (size_t i = 0; i < patterns->n; i++)
		if (fnmatch(patterns->v[i], metric, 0) == 0)
			return true;
	return patterns->n == 0;
}

static bool fill_series(struct builder *b, const struct group *g,
			const struct trend_metric *metric,
			struct trend_series *s)
{
	struct arena *arena = b->trend->arena;

	*s = (struct trend_series){
		.config = arena_text(arena, g->entry->run.config),
		.host = arena_text(arena, g->entry->host),
		.workload = arena_text(arena, g->from->workload),
		.operation = arena_text(arena, g->from->operation),
		.cell = g->cell,
		.axes = g->axes,
		.metric = arena_text(arena, metric->name),
		.unit = arena_text(arena, metric->unit),
		.better = metric->better,
		.modelled = g->entry->run.modelled,
	};
	if (!s->config || !s->host || !s->workload || !s->operation ||
	    !s->metric || !s->unit)
		return false;
	s->key = arena_print(arena, "%s\n%s\n%s\n%s\n%s\n", s->config, s->host,
			     s->workload, s->cell, s->metric);
	return s->key != NULL;
}

/* The group's series of a metric, made if need be; SIZE_MAX: no memory. */
static size_t series_of(struct builder *b, struct group *g,
			const struct trend_metric *metric)
{
	struct trend_series *list;
	size_t *own;

	for (size_t i = 0; i < g->nseries; i++)
		if (strcmp(b->series[g->series[i]].metric, metric->name) == 0)
			return g->series[i];
	list = one_more(b->series, b->nseries, sizeof(*list));
	own = one_more_of(b->trend->arena, g->series, g->nseries, sizeof(*own));
	if (list)
		b->series = list;
	if (own)
		g->series = own;
	if (!list || !own || !fill_series(b, g, metric, &list[b->nseries]))
		return SIZE_MAX;
	own[g->nseries++] = b->nseries;
	return b->nseries++;
}

/* ---------------------------------------------------------------- points */

static bool add_point(struct builder *b, size_t index,
		      const struct trend_point *point)
{
	struct trend_series *s = &b->series[index];
	struct trend_point *list;

	/* A cell that is twice in a result counts once. */
	if (s->npoints && s->point[s->npoints - 1].run == point->run)
		return true;
	list = one_more_of(b->trend->arena, s->point, s->npoints,
			   sizeof(*list));
	if (!list)
		return false;
	s->point = list;
	list[s->npoints++] = *point;
	return true;
}

/* Of a cell that is not ok: a gap with its reason in all its series. */
static bool add_gap(struct builder *b, struct group *g,
		    const struct trend_cell *cell, size_t run)
{
	const double none = (double)NAN;
	struct trend_point point = {run, none, none, none, NULL};
	struct trend_metric rate = {.unit = "1/s", .better = 1};

	point.status = arena_text(b->trend->arena, cell->status);
	rate.name = arena_print(b->trend->arena, "%s.rate", cell->operation);
	if (!point.status || !rate.name)
		return false;
	if (metric_wanted(b, rate.name) && series_of(b, g, &rate) == SIZE_MAX)
		return false;
	for (size_t i = 0; i < g->nseries; i++)
		if (!add_point(b, g->series[i], &point))
			return false;
	return true;
}

static bool add_cell(struct builder *b, const struct trend_entry *entry,
		     const struct trend_cell *cell, size_t run)
{
	struct group *g = group_of(b, entry, cell);

	if (!g || !g->wanted)
		return g != NULL;
	b->taken++;
	if (strcmp(cell->status, "ok") != 0)
		return add_gap(b, g, cell, run);
	for (size_t i = 0; i < cell->nvalues; i++) {
		const struct trend_value *v = &cell->value[i];
		const struct trend_metric *metric = &entry->metric[v->metric];
		struct trend_point point = {run, v->value, v->low, v->high,
					    "ok"};
		size_t index;

		if (!metric_wanted(b, metric->name))
			continue;
		index = series_of(b, g, metric);
		if (index == SIZE_MAX || !add_point(b, index, &point))
			return false;
	}
	return true;
}

/* --------------------------------------------------------------- the whole */

static bool build(struct builder *b, struct trend_entry *const *entry)
{
	struct trend *t = b->trend;

	for (size_t run = 0; run < t->nruns; run++)
		for (size_t i = 0; i < entry[run]->ncells; i++)
			if (!add_cell(b, entry[run], &entry[run]->cell[i], run))
				return false;
	t->series = arena_alloc(t->arena, b->nseries + 1, sizeof(*t->series));
	if (!t->series)
		return false;
	if (b->nseries)
		memcpy(t->series, b->series, b->nseries * sizeof(*t->series));
	t->nseries = b->nseries;
	return true;
}

static int check_cells(const struct trend_request *r, struct err *e)
{
	for (size_t i = 0; i < r->cells.n; i++)
		if (!strchr(r->cells.v[i], '=') || r->cells.v[i][0] == '=')
			return err_set(e, EXIT_USAGE,
				       "trend: --cell: expected AXIS=VALUE, "
				       "not \"%.60s\"; see tdmem trend --help",
				       r->cells.v[i]);
	return 0;
}

static int check_found(const struct builder *b, struct err *e)
{
	const struct trend_request *r = b->request;

	if (b->trend->nruns == 0)
		return 0;
	if (r->cells.n && b->taken == 0)
		return err_set(e, EXIT_USAGE,
			       "%.200s: --cell: no cell has %.80s%s", r->dir,
			       r->cells.v[0],
			       r->cells.n > 1 ? " and the others" : "");
	if (r->metrics.n && b->nseries == 0)
		return err_set(e, EXIT_USAGE,
			       "%.200s: --metric: a history is of rates and of "
			       "latencies (fault.rate, fault.latency p99); no "
			       "cell has \"%.80s\"",
			       r->dir, r->metrics.v[0]);
	return 0;
}

int trend_make_series(struct trend *trend, struct trend_entry *const *entry,
		      const struct trend_request *request, struct err *e)
{
	struct builder b = {
		.trend = trend,
		.request = request,
		.by_axes = json_object(),
		.by_cell = json_object(),
	};
	int status = check_cells(request, e);

	if (status == 0 && (!b.by_axes || !b.by_cell || !build(&b, entry)))
		status = err_set(e, EXIT_FAILED, "out of memory");
	if (status == 0)
		status = check_found(&b, e);
	json_decref(b.by_axes);
	json_decref(b.by_cell);
	free(b.group);
	free(b.series);
	return status;
}
