/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "bench/base/parallel.h"
#include "bench/trend/impl.h"

struct load {
	const struct trend_request *request;
	struct trend_files files;
	struct trend_index index;
	struct trend_entry **entry;  /* by file; NULL: left out unread */
	struct trend_entry **sorted; /* runs in the order of time */
	size_t from_index;
	struct trend *trend;
	struct err *e;
};

static int no_memory(struct load *l)
{
	return err_set(l->e, EXIT_FAILED, "out of memory");
}

/* --------------------------------------------------------------- reading */

static bool read_file_at(void *ctx, size_t i)
{
	struct load *l = ctx;
	const struct trend_file *file = &l->files.file[i];

	if (file->skip)
		return true;
	l->entry[i] = trend_index_find(&l->index, file);
	if (!l->entry[i])
		l->entry[i] = trend_entry_read(l->request->dir, file);
	return l->entry[i] != NULL;
}

static void save_index(struct load *l)
{
	struct trend *t = l->trend;
	size_t n = l->files.n, fresh = 0, known = 0;

	for (size_t i = 0; i < n; i++) {
		const struct trend_entry *entry = l->entry[i];

		known += entry && !entry->parsed;
		fresh += entry && entry->parsed && !entry->young;
		t->nparsed += entry && entry->parsed && !entry->skip;
	}
	if (!l->request->no_index && (fresh || known != l->index.n))
		t->index_trouble =
			trend_index_save(t->dir, l->entry, n, t->arena);
}

static int read_files(struct load *l)
{
	const struct trend_request *r = l->request;

	if (trend_find_files(r->dir, l->trend->arena, &l->files, l->e))
		return -1;
	l->entry = calloc(l->files.n + 1, sizeof(*l->entry));
	if (!l->entry)
		return no_memory(l);
	if (!r->no_index)
		trend_index_load(r->dir, r->jobs, &l->index);
	if (!parallel_for(l->files.n, r->jobs, read_file_at, l))
		return no_memory(l);
	save_index(l);
	return 0;
}

/* --------------------------------------------------------- what is left out */

static int list_skipped(struct load *l)
{
	struct trend *t = l->trend;

	t->skip = arena_alloc(t->arena, l->files.n + 1, sizeof(*t->skip));
	if (!t->skip)
		return no_memory(l);
	for (size_t i = 0; i < l->files.n; i++) {
		const struct trend_entry *entry = l->entry[i];
		const char *why = entry ? entry->skip : l->files.file[i].skip;

		if (!why)
			continue;
		why = arena_text(t->arena, why);
		if (!why)
			return no_memory(l);
		t->skip[t->nskipped++] = (struct trend_skip){
			.path = l->files.file[i].path, .why = why};
	}
	return 0;
}

/* ------------------------------------------------------------------ runs */

static int by_time(const void *x, const void *y)
{
	const struct trend_entry *a = *(struct trend_entry *const *)x;
	const struct trend_entry *b = *(struct trend_entry *const *)y;
	int order = strcmp(a->run.time, b->run.time);

	return order ? order : strcmp(a->path, b->path);
}

/* Only results from the asked time on, in its order; returns how many. */
static size_t sort_entries(struct load *l)
{
	const char *since = l->request->since ? l->request->since : "";
	size_t n = 0;

	/* The index or the files own them, l->entry only lists them. */
	for (size_t i = 0; i < l->files.n; i++) {
		struct trend_entry *entry = l->entry[i];

		if (entry && !entry->skip &&
		    strcmp(entry->run.time, since) >= 0)
			l->sorted[n++] = entry;
	}
	qsort(l->sorted, n, sizeof(*l->sorted), by_time);
	return n;
}

/* The run outlives the entry: all of it is copied. */
static bool copy_run(struct trend *t, const struct trend_entry *entry,
		     struct trend_run *run)
{
	const char **const texts[] = {
		&run->path, &run->time,	  &run->host,	 &run->kernel,
		&run->cpu,  &run->config, &run->version, &run->commit,
	};

	*run = entry->run;
	run->path = entry->path;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		*texts[i] = arena_text(t->arena, *texts[i]);
		if (!*texts[i])
			return false;
	}
	return json_array_append(t->json, (json_t *)run->environment) == 0;
}

static int make_runs(struct load *l, size_t n)
{
	struct trend *t = l->trend;

	t->run = arena_alloc(t->arena, n + 1, sizeof(*t->run));
	if (!t->run)
		return no_memory(l);
	for (size_t i = 0; i < n; i++)
		if (!copy_run(t, l->sorted[i], &t->run[t->nruns++]))
			return no_memory(l);
	return 0;
}

/* --------------------------------------------------------------- the whole */

static int load_all(struct load *l)
{
	size_t n;

	if (read_files(l) || list_skipped(l))
		return -1;
	l->sorted = calloc(l->files.n + 1, sizeof(*l->sorted));
	if (!l->sorted)
		return no_memory(l);
	n = sort_entries(l);
	if (make_runs(l, n))
		return -1;
	return trend_make_series(l->trend, l->sorted, l->request, l->e);
}

static void free_load(struct load *l)
{
	for (size_t i = 0; l->entry && i < l->files.n; i++)
		if (l->entry[i] && l->entry[i]->parsed)
			trend_entry_free(l->entry[i]);
	trend_index_free(&l->index);
	free(l->entry);
	free(l->sorted);
	free(l->files.file);
}

int trend_load(const struct trend_request *request, struct trend *trend,
	       struct err *e)
{
	struct load l = {.request = request, .trend = trend, .e = e};
	int status;

	*trend = (struct trend){.arena = arena_new(),
				.json = json_array(),
				.no_index = request->no_index};
	if (!trend->arena || !trend->json ||
	    !(trend->dir = arena_text(trend->arena, request->dir))) {
		trend_free(trend);
		return no_memory(&l);
	}
	status = load_all(&l);
	free_load(&l);
	if (status)
		trend_free(trend);
	return status;
}

void trend_free(struct trend *trend)
{
	json_decref(trend->json);
	arena_free(trend->arena);
	*trend = (struct trend){0};
}

/* ----------------------------------------------------------------- lookups */

/* Newest run first; then as series come. */
static int by_newest(const void *x, const void *y)
{
	const struct trend_found *a = x, *b = y;
	size_t ra = a->series->point[a->change->point].run;
	size_t rb = b->series->point[b->change->point].run;

	if (ra != rb)
		return ra < rb ? 1 : -1;
	if (a->series != b->series)
		return a->series < b->series ? -1 : 1;
	return (a->change > b->change) - (a->change < b->change);
}

struct trend_found *trend_newest_first(const struct trend *trend, size_t *n)
{
	struct trend_found *found;
	size_t all = 0;

	for (size_t i = 0; i < trend->nseries; i++)
		all += trend->series[i].nchanges;
	found = calloc(all + 1, sizeof(*found));
	*n = 0;
	for (size_t i = 0; found && i < trend->nseries; i++)
		for (size_t k = 0; k < trend->series[i].nchanges; k++)
			found[(*n)++] = (struct trend_found){
				&trend->series[i], &trend->series[i].change[k]};
	if (found)
		qsort(found, *n, sizeof(*found), by_newest);
	return found;
}

size_t trend_open_regressions(const struct trend *trend)
{
	size_t open = 0;

	for (size_t i = 0; i < trend->nseries; i++) {
		const struct trend_series *s = &trend->series[i];

		for (size_t k = 0; k < s->nchanges; k++)
			open += s->change[k].kind == TREND_REGRESSED &&
				!s->change[k].acknowledged;
	}
	return open;
}
