/* SPDX-License-Identifier: GPL-2.0-only */
/* Cells of a result, read from their text into series. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/arena.h"
#include "bench/base/scan.h"
#include "bench/result/result.h"
#include "bench/result/samples.h"
#include "bench/result/scan_hist.h"
#include "guest-agent/hist.h"

/* A value of one repeat, of a metric that is wanted. */
struct item {
	double value;
	struct samples_hist *hist;
};

/* What is under way: one cell, and of it one repeat. */
struct loader {
	struct samples *samples;
	samples_wanted_fn *wanted;
	const void *ctx;
	size_t cells_room;

	/* For the operation of the last cell: metric -> column, or -1. */
	char *operation;
	int *column;
	size_t *metric; /* column -> metric */
	size_t ncolumns;
	size_t guess; /* metric that is likely to be next */

	struct item *item; /* row by row, a row a repeat */
	size_t rows, room;
	bool usable; /* the repeat ended ok and is no warm-up */

	struct samples_bucket bucket[HIST_BUCKETS];
	bool no_memory;
};

static bool no_memory(struct loader *l)
{
	l->no_memory = true;
	return false;
}

/* ---------------------------------------------------------------- metrics */

/* Index of a metric of the result; members come in the same order again. */
static int find_metric(struct loader *l, const char *name, size_t length)
{
	const struct samples *s = l->samples;

	for (size_t i = 0; i < s->nmetrics; i++) {
		size_t at = (l->guess + i) % s->nmetrics;

		if (s->metric[at].length != length ||
		    memcmp(s->metric[at].name, name, length) != 0)
			continue;
		l->guess = at + 1;
		return (int)at;
	}
	return -1;
}

/* Columns are of the metrics that are wanted for this operation. */
static bool set_operation(struct loader *l, const char *operation)
{
	struct samples *s = l->samples;

	if (l->operation && strcmp(l->operation, operation) == 0)
		return true;
	free(l->operation);
	l->operation = strdup(operation);
	if (!l->operation)
		return no_memory(l);
	l->ncolumns = 0;
	for (size_t i = 0; i < s->nmetrics; i++) {
		bool wanted = l->wanted(l->ctx, operation, &s->metric[i]);

		l->column[i] = wanted ? (int)l->ncolumns : -1;
		if (wanted)
			l->metric[l->ncolumns++] = i;
	}
	return true;
}

/* ---------------------------------------------------------------- repeats */

static struct item *item_of(struct loader *l, const char *name, size_t length,
			    bool histogram)
{
	int metric = find_metric(l, name, length);
	int column = metric < 0 ? -1 : l->column[metric];

	if (column < 0 || l->samples->metric[metric].histogram != histogram)
		return NULL;
	return &l->item[l->rows * l->ncolumns + (size_t)column];
}

static bool take_value(void *ctx, struct scan *s, const char *name,
		       size_t length)
{
	struct item *item = item_of(ctx, name, length, false);

	return item ? scan_number(s, &item->value) : scan_skip(s);
}

static bool take_histogram(void *ctx, struct scan *s, const char *name,
			   size_t length)
{
	struct loader *l = ctx;
	struct item *item = item_of(l, name, length, true);

	if (!item)
		return scan_skip(s);
	switch (scan_hist(s, l->samples->arena, l->bucket, &item->hist)) {
	case SCAN_GOOD:
		return true;
	case SCAN_NO_MEMORY:
		return no_memory(l);
	default:
		return false;
	}
}

static bool take_repeat_member(void *ctx, struct scan *s, const char *name,
			       size_t length)
{
	struct loader *l = ctx;
	bool warmup;

	if (scan_is(name, length, "metrics"))
		return scan_object(s, take_value, l);
	if (scan_is(name, length, "histograms"))
		return scan_object(s, take_histogram, l);
	if (scan_is(name, length, "status")) {
		scan_peek(s);
		l->usable &= strncmp(s->p, "\"ok\"", 4) == 0;
	} else if (scan_is(name, length, "warmup")) {
		if (!scan_bool(s, &warmup))
			return false;
		l->usable &= !warmup;
		return true;
	}
	return scan_skip(s);
}

static bool make_row(struct loader *l)
{
	size_t need = (l->rows + 1) * (l->ncolumns + 1);
	struct item *bigger;

	if (need > l->room) {
		bigger = realloc(l->item, 2 * need * sizeof(*bigger));
		if (!bigger)
			return no_memory(l);
		l->item = bigger;
		l->room = 2 * need;
	}
	for (size_t i = 0; i < l->ncolumns; i++)
		l->item[l->rows * l->ncolumns + i] =
			(struct item){.value = (double)NAN};
	return true;
}

static bool take_repeat(void *ctx, struct scan *s)
{
	struct loader *l = ctx;
	struct samples_cell *cell = &l->samples->cell[l->samples->ncells];

	if (!make_row(l))
		return false;
	l->usable = true;
	if (!scan_object(s, take_repeat_member, l))
		return false;
	if (l->usable)
		l->rows++;
	else
		cell->left_out++;
	return true;
}

/* ------------------------------------------------------------------ cells */

static bool has_any(const struct loader *l, size_t column)
{
	for (size_t r = 0; r < l->rows; r++) {
		const struct item *item = &l->item[r * l->ncolumns + column];

		if (!isnan(item->value) || item->hist)
			return true;
	}
	return false;
}

static bool make_series(struct loader *l, size_t column,
			struct samples_series *to)
{
	struct arena *arena = l->samples->arena;

	to->metric = l->metric[column];
	if (l->samples->metric[to->metric].histogram)
		to->hist = arena_alloc(arena, l->rows, sizeof(*to->hist));
	else
		to->value = arena_alloc(arena, l->rows, sizeof(*to->value));
	if (!to->hist && !to->value)
		return no_memory(l);
	for (size_t r = 0; r < l->rows; r++) {
		const struct item *item = &l->item[r * l->ncolumns + column];

		if (to->hist)
			to->hist[r] = item->hist;
		else
			to->value[r] = item->value;
	}
	return true;
}

static bool take_repeats(struct loader *l, struct scan *s)
{
	struct samples_cell *cell = &l->samples->cell[l->samples->ncells];

	l->rows = 0;
	if (!scan_list(s, take_repeat, l))
		return false;
	cell->nrepeats = l->rows;
	cell->series = arena_alloc(l->samples->arena, l->ncolumns + 1,
				   sizeof(*cell->series));
	if (!cell->series)
		return no_memory(l);
	for (size_t i = 0; i < l->ncolumns; i++)
		if (has_any(l, i) &&
		    !make_series(l, i, &cell->series[cell->nseries++]))
			return false;
	return true;
}

/* Any value as a tree: for what is small. */
static json_t *take_tree(struct scan *s)
{
	struct scan from = {.p = s->p, .end = s->end};

	if (!scan_skip(s))
		return NULL;
	return json_loadb(from.p, (size_t)(s->p - from.p),
			  JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
}

static const char *take_text(struct loader *l, struct scan *s)
{
	json_t *v = take_tree(s);
	const char *text = json_string_value(v), *copy = NULL;

	if (text) {
		copy = arena_text(l->samples->arena, text);
		if (!copy)
			no_memory(l);
	}
	json_decref(v);
	return copy;
}

static bool take_axes(struct loader *l, const json_t *top, struct scan *s,
		      struct samples_cell *cell)
{
	const json_t *about;

	if (cell->axes)
		return false;
	cell->axes = take_tree(s);
	cell->workload =
		json_string_value(json_object_get(cell->axes, "workload"));
	if (!cell->workload)
		return false;
	about = json_object_get(json_object_get(top, "workloads"),
				cell->workload);
	cell->operation =
		json_string_value(json_object_get(about, "operation"));
	if (!cell->operation)
		cell->operation = "";
	return set_operation(l, cell->operation);
}

/* Repeats that come before the axes wait until those are known. */
static bool take_members(struct loader *l, const json_t *top, struct scan *s,
			 struct samples_cell *cell)
{
	struct scan repeats = {0};
	const char *name;
	size_t n;

	do {
		bool good;

		if (!scan_name(s, &name, &n))
			return false;
		if (scan_is(name, n, "axes")) {
			good = take_axes(l, top, s, cell);
		} else if (scan_is(name, n, "status")) {
			good = (cell->status = take_text(l, s));
		} else if (scan_is(name, n, "reason")) {
			good = (cell->reason = take_text(l, s));
		} else if (scan_is(name, n, "notes") && !cell->notes) {
			good = (cell->notes = take_tree(s));
		} else {
			if (scan_is(name, n, "repeats"))
				repeats = *s;
			if (repeats.p == s->p && cell->axes)
				good = take_repeats(l, s);
			else
				good = scan_skip(s);
		}
		if (!good)
			return false;
		if (cell->series)
			repeats.p = NULL;
	} while (scan_take(s, ','));
	if (repeats.p && (!cell->axes || !take_repeats(l, &repeats)))
		return false;
	return cell->series && cell->status;
}

static bool make_cell(struct loader *l)
{
	struct samples *s = l->samples;
	struct samples_cell *bigger;
	size_t room = l->cells_room ? 2 * l->cells_room : 64;

	if (s->ncells == l->cells_room) {
		bigger = realloc(s->cell, room * sizeof(*bigger));
		if (!bigger)
			return no_memory(l);
		s->cell = bigger;
		l->cells_room = room;
	}
	s->cell[s->ncells] = (struct samples_cell){.reason = ""};
	return true;
}

/* Once, before the first cell: the result's own table of metrics. */
static bool make_metrics(struct loader *l, const json_t *top)
{
	json_t *table = json_object_get(top, "metrics"), *m;
	size_t n = json_object_size(table);
	struct samples *s = l->samples;
	const char *name;

	s->metric = arena_alloc(s->arena, n, sizeof(*s->metric));
	l->column = calloc(n + 1, sizeof(*l->column));
	l->metric = calloc(n + 1, sizeof(*l->metric));
	if (!s->metric || !l->column || !l->metric)
		return no_memory(l);
	json_object_foreach(table, name, m)
	{
		const char *unit =
			json_string_value(json_object_get(m, "unit"));
		const char *direction =
			json_string_value(json_object_get(m, "direction"));

		if (!unit || !direction)
			return false;
		s->metric[s->nmetrics++] = (struct samples_metric){
			.name = name,
			.length = strlen(name),
			.unit = unit,
			.histogram =
				json_is_true(json_object_get(m, "histogram")),
			.better = strcmp(direction, "higher") == 0  ? 1
				  : strcmp(direction, "lower") == 0 ? -1
								    : 0,
		};
	}
	return true;
}

static int take_cell(void *ctx, const json_t *top, struct scan *s)
{
	struct loader *l = ctx;
	struct samples_cell *cell;

	if ((!l->metric && !make_metrics(l, top)) || !make_cell(l))
		return -1;
	cell = &l->samples->cell[l->samples->ncells];
	if (!scan_take(s, '{') || !take_members(l, top, s, cell) ||
	    !scan_take(s, '}')) {
		json_decref(cell->axes);
		json_decref(cell->notes);
		return -1;
	}
	l->samples->ncells++;
	return 0;
}

/* ----------------------------------------------------------------- results */

bool samples_any(const json_t *top, const char *is)
{
	json_t *all = json_object_get(top, "workloads"), *w;
	const char *name;

	json_object_foreach(all, name, w)
	{
		if (json_is_true(json_object_get(w, is)))
			return true;
	}
	return false;
}

static void free_loader(struct loader *l)
{
	free(l->operation);
	free(l->column);
	free(l->metric);
	free(l->item);
	free(l);
}

int samples_load(const char *path, samples_wanted_fn *wanted, const void *ctx,
		 struct samples *samples, struct err *e)
{
	struct loader *l = calloc(1, sizeof(*l));

	*samples = (struct samples){.arena = arena_new()};
	samples->path = strdup(path);
	if (!l || !samples->arena || !samples->path) {
		free(l);
		samples_free(samples);
		return err_set(e, EXIT_FAILED, "out of memory");
	}
	l->samples = samples;
	l->wanted = wanted;
	l->ctx = ctx;
	samples->top = result_read_text(path, take_cell, l, e);
	if (l->no_memory)
		err_set(e, EXIT_FAILED, "out of memory");
	free_loader(l);
	if (!samples->top) {
		samples_free(samples);
		return -1;
	}
	samples->partial =
		json_is_true(json_object_get(samples->top, "partial"));
	samples->modelled = samples_any(samples->top, "modelled");
	/* Of old results only what was measured depends on the host. */
	samples->real_cpus =
		!samples->modelled || samples_any(samples->top, "real_cpus");
	return 0;
}

void samples_free(struct samples *samples)
{
	for (size_t i = 0; i < samples->ncells; i++) {
		json_decref(samples->cell[i].axes);
		json_decref(samples->cell[i].notes);
	}
	free(samples->cell);
	free(samples->path);
	json_decref(samples->top);
	arena_free(samples->arena);
	*samples = (struct samples){0};
}

const struct samples_series *samples_find(const struct samples *samples,
					  const struct samples_cell *cell,
					  const char *metric)
{
	for (size_t i = 0; i < cell->nseries; i++)
		if (strcmp(samples->metric[cell->series[i].metric].name,
			   metric) == 0)
			return &cell->series[i];
	return NULL;
}

bool samples_headline(const void *ctx, const char *operation,
		      const struct samples_metric *metric)
{
	size_t n = strlen(operation);
	const char *rest = metric->name + n;

	(void)ctx;
	return n && strncmp(metric->name, operation, n) == 0 &&
	       (strcmp(rest, ".rate") == 0 || strcmp(rest, ".latency") == 0);
}
