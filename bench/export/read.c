/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "bench/export/export.h"
#include "bench/result/result.h"

struct walk {
	const struct export_request *request;
	export_cell_fn *take;
	void *ctx;
	size_t taken;
	bool no_memory;
};

bool export_wanted(const struct export_request *request, const char *metric)
{
	for (size_t i = 0; i < request->metrics.n; i++)
		if (strcmp(request->metrics.v[i], metric) == 0)
			return true;
	return request->metrics.n == 0;
}

const char *export_about(const json_t *top, const char *metric,
			 const char *member)
{
	const json_t *m =
		json_object_get(json_object_get(top, "metrics"), metric);
	const char *text = json_string_value(json_object_get(m, member));

	return text ? text : "";
}

bool export_is_main(const struct export_cell *cell, const char *metric)
{
	const json_t *w = json_object_get(
		json_object_get(cell->top, "workloads"), cell->workload);
	const char *operation =
		json_string_value(json_object_get(w, "operation"));
	size_t n = operation ? strlen(operation) : 0;

	return n && strncmp(metric, operation, n) == 0 &&
	       (strcmp(metric + n, ".rate") == 0 ||
		strcmp(metric + n, ".latency") == 0);
}

bool export_partial(const json_t *top)
{
	return json_is_true(json_object_get(top, "partial"));
}

bool export_warmup(const json_t *repeat)
{
	return json_is_true(json_object_get(repeat, "warmup"));
}

/* -------------------------------------------------------------- selection */

/* Does a cell have what "AXIS=VALUE" says? */
static bool holds(struct walk *w, const json_t *axes, const char *condition)
{
	size_t n = strcspn(condition, "=");
	char *key = strndup(condition, n), *value = NULL;
	const json_t *axis = key ? json_object_get(axes, key) : NULL;
	bool same = false;

	if (axis)
		value = export_axis(axis);
	w->no_memory |= !key || (axis && !value);
	if (value && condition[n])
		same = strcmp(value, condition + n + 1) == 0;
	free(value);
	free(key);
	return same;
}

static bool selected(struct walk *w, const json_t *axes)
{
	for (size_t i = 0; i < w->request->cells.n; i++)
		if (!holds(w, axes, w->request->cells.v[i]))
			return false;
	return true;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static bool is_model(const json_t *top, const char *workload)
{
	const json_t *w =
		json_object_get(json_object_get(top, "workloads"), workload);

	return json_is_true(json_object_get(w, "modelled"));
}

/* The caller owns the list; NULL when out of memory. */
static json_t *without_warmups(json_t *all)
{
	json_t *list = json_array(), *repeat;
	size_t i;

	json_array_foreach(all, i, repeat)
	{
		if (list && !export_warmup(repeat) &&
		    json_array_append(list, repeat)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static enum export_status give_cell(struct walk *w, struct export_cell *cell)
{
	enum export_status status = EXPORT_NO_MEMORY;

	cell->repeats = without_warmups(cell->all);
	if (cell->repeats)
		status = w->take(w->ctx, cell);
	json_decref(cell->repeats);
	return status;
}

static int take_cell(void *ctx, const json_t *top, json_t *json)
{
	struct walk *w = ctx;
	struct export_cell cell = {
		.top = top,
		.axes = json_object_get(json, "axes"),
		.all = json_object_get(json, "repeats"),
		.status = text_of(json, "status"),
		.reason = text_of(json, "reason"),
	};
	enum export_status status;

	cell.workload = text_of(cell.axes, "workload");
	if (!cell.workload[0] || !cell.status[0] || !json_is_array(cell.all))
		return -1;
	if (!selected(w, cell.axes))
		return w->no_memory ? -1 : 0;
	w->taken++;
	cell.model = is_model(top, cell.workload);
	status = give_cell(w, &cell);
	w->no_memory |= status == EXPORT_NO_MEMORY;
	return status == EXPORT_GOOD ? 0 : -1;
}

/* ----------------------------------------------------------------- reading */

static int check_request(const struct export_request *r, const json_t *top,
			 size_t taken, struct err *e)
{
	const json_t *table = json_object_get(top, "metrics");

	for (size_t i = 0; i < r->metrics.n; i++)
		if (!json_object_get(table, r->metrics.v[i]))
			return err_set(e, EXIT_USAGE,
				       "%.200s: --metric: there is no metric "
				       "\"%.80s\"; see tdmem list metrics",
				       r->path, r->metrics.v[i]);
	if (r->cells.n && taken == 0)
		return err_set(e, EXIT_USAGE,
			       "%.200s: --cell: no cell has %.80s%s", r->path,
			       r->cells.v[0],
			       r->cells.n > 1 ? " and the others" : "");
	return 0;
}

json_t *export_read(const struct export_request *request, export_cell_fn *take,
		    void *ctx, struct err *e)
{
	struct walk w = {.request = request, .take = take, .ctx = ctx};
	json_t *top = result_read(request->path, take_cell, &w, e);

	if (w.no_memory)
		err_set(e, EXIT_FAILED, "out of memory");
	if (top && check_request(request, top, w.taken, e)) {
		json_decref(top);
		return NULL;
	}
	if (top && request->partial)
		*request->partial = export_partial(top);
	return top;
}
