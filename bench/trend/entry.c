/* SPDX-License-Identifier: GPL-2.0-only */
/* What a history keeps of one result: read from its file, or from a line. */
#define _GNU_SOURCE /* asprintf */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/result/samples.h"
#include "bench/stats/stats.h"
#include "bench/trend/impl.h"

/* The quantiles of a histogram that a history is kept of. */
static const struct {
	const char *name;
	double q;
} levels[] = {{"p50", 0.5}, {"p99", 0.99}};

enum { NR_LEVELS = sizeof(levels) / sizeof(levels[0]) };

/*
 * A file system's clock may stand for some milliseconds: what was written
 * twice within them looks as if it had not changed.
 */
enum { YOUNG_NS = 1000000000 };

struct builder {
	struct trend_entry *entry;
	const struct samples *samples;
	double *value; /* room for the repeats of one cell */
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* ----------------------------------------------------------------- metrics */

/* Columns that a metric takes. */
static size_t width(const struct samples_metric *m)
{
	return m->histogram ? NR_LEVELS : 1;
}

/* By metric of the result where it begins in the entry; unused ones: SIZE_MAX.
 */
static size_t *place_metrics(const struct samples *s, struct trend_entry *entry)
{
	size_t *place =
		arena_alloc(entry->arena, s->nmetrics + 1, sizeof(*place));

	if (!place)
		return NULL;
	memset(place, 0xff, (s->nmetrics + 1) * sizeof(*place));
	for (size_t i = 0; i < s->ncells; i++) {
		for (size_t k = 0; k < s->cell[i].nseries; k++) {
			size_t m = s->cell[i].series[k].metric;

			if (place[m] != SIZE_MAX)
				continue;
			place[m] = entry->nmetrics;
			entry->nmetrics += width(&s->metric[m]);
		}
	}
	return place;
}

static bool name_metric(const struct samples_metric *from, size_t level,
			struct trend_metric *to, struct arena *arena)
{
	to->name = from->histogram ? arena_print(arena, "%s %s", from->name,
						 levels[level].name)
				   : arena_text(arena, from->name);
	to->unit = arena_text(arena, from->unit);
	to->better = from->better;
	return to->name && to->unit;
}

static bool name_metrics(const struct samples *s, struct trend_entry *entry,
			 const size_t *place)
{
	entry->metric = arena_alloc(entry->arena, entry->nmetrics + 1,
				    sizeof(*entry->metric));
	for (size_t i = 0; entry->metric && i < s->nmetrics; i++)
		for (size_t k = 0;
		     place[i] != SIZE_MAX && k < width(&s->metric[i]); k++)
			if (!name_metric(&s->metric[i], k,
					 &entry->metric[place[i] + k],
					 entry->arena))
				return false;
	return entry->metric != NULL;
}

/* ------------------------------------------------------------------- cells */

static void add_value(struct trend_cell *cell, size_t metric, double *value,
		      size_t n)
{
	struct summary s = summarize(value, n);

	if (s.n)
		cell->value[cell->nvalues++] =
			(struct trend_value){metric, s.median, s.min, s.max};
}

static void add_series(struct builder *b, struct trend_cell *cell,
		       const struct samples_series *series, size_t repeats,
		       size_t place)
{
	if (series->value) {
		memcpy(b->value, series->value, repeats * sizeof(*b->value));
		add_value(cell, place, b->value, repeats);
		return;
	}
	for (size_t k = 0; k < NR_LEVELS; k++) {
		size_t n = 0;

		for (size_t i = 0; i < repeats; i++)
			if (series->hist[i])
				b->value[n++] = samples_quantile(
					series->hist[i], levels[k].q);
		add_value(cell, place + k, b->value, n);
	}
}

/*
 * A cell that is not ok has no values: those of the repeats that came through
 * would be a selection.
 */
static bool add_values(struct builder *b, struct trend_cell *cell,
		       const struct samples_cell *from, const size_t *place)
{
	double *bigger =
		realloc(b->value, (from->nrepeats + 1) * sizeof(*bigger));

	if (!bigger)
		return false;
	b->value = bigger;
	cell->value =
		arena_alloc(b->entry->arena, from->nseries * NR_LEVELS + 1,
			    sizeof(*cell->value));
	if (!cell->value)
		return false;
	for (size_t i = 0; i < from->nseries; i++)
		add_series(b, cell, &from->series[i], from->nrepeats,
			   place[from->series[i].metric]);
	return true;
}

static bool add_cell(struct builder *b, struct trend_cell *cell,
		     const struct samples_cell *from, const size_t *place)
{
	struct arena *arena = b->entry->arena;
	char *axes = json_dumps(from->axes, JSON_COMPACT);

	if (!axes)
		return false;
	cell->axes = arena_text(arena, axes);
	free(axes);
	cell->workload = arena_text(arena, from->workload);
	cell->operation = arena_text(arena, from->operation);
	cell->status = arena_text(arena, from->status);
	if (!cell->axes || !cell->workload || !cell->operation || !cell->status)
		return false;
	if (strcmp(from->status, "ok") == 0)
		return add_values(b, cell, from, place);
	b->entry->run.nbad++;
	return true;
}

static bool add_cells(struct builder *b)
{
	const struct samples *s = b->samples;
	struct trend_entry *entry = b->entry;
	size_t *place = place_metrics(s, entry);

	entry->ncells = entry->run.ncells = s->ncells;
	entry->cell =
		arena_alloc(entry->arena, s->ncells + 1, sizeof(*entry->cell));
	if (!place || !entry->cell || !name_metrics(s, entry, place))
		return false;
	for (size_t i = 0; i < s->ncells; i++)
		if (!add_cell(b, &entry->cell[i], &s->cell[i], place))
			return false;
	return true;
}

/* --------------------------------------------------------------------- run */

/* On virtual time a model gives the same numbers on every machine. */
static const char *key_host(const struct samples *s, struct arena *arena)
{
	const json_t *costs = json_object_get(s->top, "costs");
	const json_t *config = json_object_get(s->top, "config");
	const json_t *env = json_object_get(s->top, "environment");
	const char *topology =
		text_of(json_object_get(config, "host"), "topology");

	if (!s->modelled)
		return arena_text(arena, text_of(env, "host"));
	if (s->real_cpus)
		return arena_print(
			arena, "%s, model %s/%s", text_of(env, "host"),
			text_of(json_object_get(costs, "table"), "name"),
			text_of(costs, "column"));
	return arena_print(arena, "model %s/%s%s%s",
			   text_of(json_object_get(costs, "table"), "name"),
			   text_of(costs, "column"), topology[0] ? " " : "",
			   topology);
}

static bool fill_run(struct builder *b)
{
	const struct samples *s = b->samples;
	const json_t *tool = json_object_get(s->top, "tool");
	const json_t *config = json_object_get(s->top, "config");
	json_t *env = json_object_get(s->top, "environment");
	struct trend_run *run = &b->entry->run;
	const struct {
		const char **to;
		const char *text;
	} texts[] = {
		{&run->time, text_of(env, "time")},
		{&run->host, text_of(env, "host")},
		{&run->kernel, text_of(env, "kernel")},
		{&run->cpu, text_of(env, "cpu")},
		{&run->config, text_of(config, "name")},
		{&run->version, text_of(tool, "version")},
		{&run->commit, text_of(json_object_get(env, "tags"), "commit")},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		*texts[i].to = arena_text(b->entry->arena, texts[i].text);
		if (!*texts[i].to)
			return false;
	}
	run->environment = json_incref(env);
	run->partial = s->partial;
	run->modelled = s->modelled;
	b->entry->host = key_host(s, b->entry->arena);
	return b->entry->host != NULL;
}

/* ----------------------------------------------------------------- reading */

struct trend_entry *trend_entry_new(void)
{
	struct trend_entry *entry = calloc(1, sizeof(*entry));

	if (entry)
		entry->arena = arena_new();
	if (entry && entry->arena)
		return entry;
	free(entry);
	return NULL;
}

void trend_entry_free(struct trend_entry *entry)
{
	if (!entry)
		return;
	json_decref((json_t *)entry->run.environment);
	arena_free(entry->arena);
	free(entry);
}

static bool is_young(int64_t mtime_ns)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec <
	       mtime_ns + YOUNG_NS;
}

/* The path, which begins the error, is told anyway. */
static const char *without_path(const char *text, const char *path)
{
	size_t n = strlen(path);

	return strncmp(text, path, n) == 0 && strncmp(text + n, ": ", 2) == 0
		       ? text + n + 2
		       : text;
}

static bool fill(struct trend_entry *entry, const char *path)
{
	struct samples samples;
	struct builder b = {.entry = entry, .samples = &samples};
	struct err e;
	bool good;

	if (samples_load(path, samples_headline, NULL, &samples, &e)) {
		entry->skip =
			arena_text(entry->arena, without_path(e.text, path));
		return entry->skip != NULL;
	}
	good = fill_run(&b) && add_cells(&b);
	free(b.value);
	samples_free(&samples);
	return good;
}

struct trend_entry *trend_entry_read(const char *dir,
				     const struct trend_file *file)
{
	struct trend_entry *entry = trend_entry_new();
	char *path = NULL;
	bool good = entry && asprintf(&path, "%s/%s", dir, file->path) >= 0;

	if (good) {
		entry->young = is_young(file->mtime_ns);
		entry->parsed = true;
		entry->size = file->size;
		entry->mtime_ns = file->mtime_ns;
		entry->path = arena_text(entry->arena, file->path);
		good = entry->path && fill(entry, path);
		free(path);
	}
	if (good)
		return entry;
	trend_entry_free(entry);
	return NULL;
}
