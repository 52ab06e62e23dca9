/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "bench/compare/robust_impl.h"
#include "bench/export/export.h"

const char *const robust_columns[ROBUST_COLUMNS + 1] = {"low", "typ", "high",
							NULL};

/* ------------------------------------------------------------------ checks */

/* Of a cost table's column; -1: there is none of it. */
static int column_of(const struct samples *s)
{
	const char *name = json_string_value(
		json_object_get(json_object_get(s->top, "costs"), "column"));

	for (int i = 0; name && i < ROBUST_COLUMNS; i++)
		if (strcmp(robust_columns[i], name) == 0)
			return i;
	return -1;
}

static int check_modelled(const struct samples *s, struct err *e)
{
	json_t *all = json_object_get(s->top, "workloads"), *w;
	const char *name;

	json_object_foreach(all, name, w)
	{
		if (!json_is_true(json_object_get(w, "modelled")))
			return err_set(e, EXIT_UNSUPPORTED,
				       "%.300s: --robust: not model output: "
				       "measured costs have no other column",
				       s->path);
		if (json_is_true(json_object_get(w, "real_cpus")))
			return err_set(e, EXIT_UNSUPPORTED,
				       "%.300s: --robust: real time cannot be "
				       "computed again: only results of sim",
				       s->path);
	}
	return 0;
}

/* What another version's model would say cannot be found out with this one. */
static int check_version(const struct samples *s, struct err *e)
{
	const char *version = json_string_value(
		json_object_get(json_object_get(s->top, "tool"), "version"));

	if (version && strcmp(version, TDMEM_VERSION) == 0)
		return 0;
	return err_set(e, EXIT_UNSUPPORTED,
		       "%.300s: --robust: made by tdmem %.40s; this is %s, "
		       "whose model may be another one",
		       s->path, version ? version : "?", TDMEM_VERSION);
}

static int check_results(const struct robust_setup *setup, size_t *own,
			 struct err *e)
{
	const struct compare_request *r = setup->request;
	int column = column_of(r->result[0]);

	for (size_t i = 0; i < r->nresults; i++) {
		const struct samples *s = r->result[i];

		if (check_modelled(s, e) || check_version(s, e))
			return -1;
		if (column < 0 || column_of(s) != column)
			return err_set(e, EXIT_USAGE,
				       "%.300s: --robust: expected one column "
				       "of costs in all results",
				       s->path);
	}
	*own = (size_t)column;
	for (size_t i = 0; i < r->nresults; i++)
		if (robust_is_ours(r->result[i], robust_columns[column], e))
			return -1;
	return 0;
}

/* ------------------------------------------------------------------- items */

char *robust_key(const struct comparison *c, size_t row)
{
	const struct compare_group *g = &c->group[c->row[row].group];
	json_t *axes = json_copy(c->row[row].axes), *key;
	char *text;

	if (axes)
		json_object_del(axes, c->by);
	key = json_pack("[sso]", g->workload, g->name, axes);
	text = key ? json_dumps(key, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	json_decref(key);
	return text;
}

/* "policy spin, vcpus 8" of axes that vary; NULL when out of memory. */
static const char *where_text(struct arena *arena, const struct comparison *c,
			      size_t row)
{
	const char *text = arena_text(arena, "");

	for (size_t i = 0; text && i < c->nkeys; i++)
		text = arena_print(arena, "%s%s%s %s", text,
				   text[0] ? ", " : "", c->key_name[i],
				   c->row[row].key[i]);
	return text;
}

struct robust_item *robust_item(struct robust *robust,
				const struct comparison *c, size_t row)
{
	const struct compare_group *g = &c->group[c->row[row].group];
	struct robust_item *item = &robust->item[robust->n];

	item->workload = arena_text(robust->arena, g->workload);
	item->metric = arena_text(robust->arena, g->name);
	item->where = where_text(robust->arena, c, row);
	item->axes = json_copy(c->row[row].axes);
	if (!item->workload || !item->metric || !item->where || !item->axes) {
		json_decref(item->axes);
		item->axes = NULL;
		return NULL;
	}
	json_object_del(item->axes, c->by);
	robust->n++;
	return item;
}

static bool make_items(const struct robust_runs *columns, struct robust *robust)
{
	const struct comparison *c = columns->comparison[robust->own];

	robust->item = calloc(c->nrows * c->nsides + 1, sizeof(*robust->item));
	robust->by = arena_text(robust->arena, c->by);
	if (!robust->item || !robust->by)
		return false;
	if (!(robust->rankings ? robust_rank(columns, robust)
			       : robust_changes(columns, robust)))
		return false;
	for (size_t i = 0; i < robust->n; i++)
		robust->count[robust->item[i].outcome]++;
	return true;
}

/* ----------------------------------------------------------------- columns */

/* What is made for a column that is not the result's own. */
struct column {
	struct samples *samples; /* of each result */
	size_t n;
	const struct samples **list;
	struct compare_request request;
	struct comparison comparison;
};

static int make_column(const struct robust_setup *setup, const char *name,
		       struct column *column, struct err *e)
{
	const struct compare_request *r = setup->request;

	column->samples = calloc(r->nresults, sizeof(*column->samples));
	column->list = calloc(r->nresults, sizeof(*column->list));
	if (!column->samples || !column->list)
		return err_set(e, EXIT_FAILED, "out of memory");
	for (; column->n < r->nresults; column->n++) {
		struct samples *to = &column->samples[column->n];

		if (robust_rerun(setup, r->result[column->n], name, to, e))
			return -1;
		column->list[column->n] = to;
	}
	column->request = *r;
	column->request.result = column->list;
	return compare_results(&column->request, &column->comparison, e);
}

static void free_column(struct column *column)
{
	compare_free(&column->comparison);
	for (size_t i = 0; i < column->n; i++)
		samples_free(&column->samples[i]);
	free(column->samples);
	free(column->list);
}

static int check_columns(const struct robust_setup *setup,
			 const struct comparison *comparison,
			 struct column *made, struct robust *robust,
			 struct err *e)
{
	const struct samples **own =
		(const struct samples **)(uintptr_t)setup->request->result;
	struct robust_runs columns = {.setup = setup};

	for (size_t i = 0; i < ROBUST_COLUMNS; i++) {
		columns.samples[i] = own;
		columns.comparison[i] = comparison;
		if (i == robust->own)
			continue;
		if (make_column(setup, robust_columns[i], &made[i], e))
			return -1;
		columns.samples[i] = made[i].list;
		columns.comparison[i] = &made[i].comparison;
	}
	if (!make_items(&columns, robust))
		return err_set(e, EXIT_FAILED, "out of memory");
	return 0;
}

int robust_check(const struct robust_setup *setup,
		 const struct comparison *comparison, struct robust *robust,
		 struct err *e)
{
	struct column made[ROBUST_COLUMNS] = {0};
	const char *by = setup->request->by;
	int status;

	*robust = (struct robust){
		.rankings = by && strcmp(by, "side") != 0,
		.arena = arena_new(),
	};
	if (!robust->arena)
		return err_set(e, EXIT_FAILED, "out of memory");
	status = check_results(setup, &robust->own, e);
	if (status == 0)
		status = check_columns(setup, comparison, made, robust, e);
	for (size_t i = 0; i < ROBUST_COLUMNS; i++)
		free_column(&made[i]);
	if (status == 0 && robust->n + robust->quiet == 0)
		status = err_set(e, EXIT_USAGE,
				 "--robust: there is no rate to rank by");
	return status;
}

void robust_free(struct robust *robust)
{
	for (size_t i = 0; i < robust->n; i++)
		json_decref(robust->item[i].axes);
	free(robust->item);
	arena_free(robust->arena);
	*robust = (struct robust){0};
}
