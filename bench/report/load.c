/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/plain.h"
#include "bench/report/impl.h"
#include "bench/result/encode.h"
#include "bench/result/result.h"

/* ----------------------------------------------------------------- lists */

/* Room for one more in an array that doubles; NULL when out of memory. */
static void *one_more(void *array, size_t n, size_t size)
{
	void *bigger;

	if (n & (n - 1) || n == 0) {
		if (n > 0)
			return array;
		return calloc(1, size);
	}
	bigger = realloc(array, 2 * n * size);
	if (bigger)
		memset((char *)bigger + n * size, 0, n * size);
	return bigger;
}

static int add_policy(struct report_group *g, const char *name, size_t *index)
{
	char **list;

	for (*index = 0; *index < g->npolicies; (*index)++)
		if (strcmp(g->policy[*index], name) == 0)
			return 0;
	list = one_more(g->policy, g->npolicies, sizeof(*list));
	if (!list)
		return -1;
	g->policy = list;
	list[g->npolicies] = plain_text(name);
	return list[g->npolicies++] ? 0 : -1;
}

static int add_vcpus(struct report_group *g, uint32_t vcpus, size_t *index)
{
	uint32_t *list;

	for (*index = 0; *index < g->nvcpus; (*index)++)
		if (g->vcpus[*index] == vcpus)
			return 0;
	list = one_more(g->vcpus, g->nvcpus, sizeof(*list));
	if (!list)
		return -1;
	g->vcpus = list;
	list[g->nvcpus++] = vcpus;
	return 0;
}

/* ---------------------------------------------------------------- groups */

/* The workload and all axes but policy and vCPUs. */
static char *group_name(json_t *axes)
{
	const char *key, *separator = ", ";
	char *text = NULL, *name;
	size_t size;
	json_t *v;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fputs(json_string_value(json_object_get(axes, "workload")), f);
	json_object_foreach(axes, key, v)
	{
		char *value;

		if (strcmp(key, "workload") == 0 ||
		    strcmp(key, "policy") == 0 || strcmp(key, "vcpus") == 0)
			continue;
		value = json_dumps(v, JSON_STYLE | JSON_ENCODE_ANY);
		fprintf(f, "%s%s %s", separator, key, value ? value : "?");
		free(value);
	}
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	name = plain_text(text);
	free(text);
	return name;
}

static const char *operation_of(const json_t *top, const char *workload)
{
	const json_t *w =
		json_object_get(json_object_get(top, "workloads"), workload);

	return json_string_value(json_object_get(w, "operation"));
}

static struct report_group *new_group(struct report *r, char *name,
				      const char *workload,
				      const char *operation)
{
	struct report_group *list = one_more(r->group, r->ngroups,
					     sizeof(*list)),
			    *g;

	if (!list)
		return NULL;
	r->group = list;
	g = &list[r->ngroups++];
	g->name = name;
	g->workload = plain_text(workload);
	g->operation = plain_text(operation);
	return g->workload && g->operation ? g : NULL;
}

static struct report_group *group_of(struct report *r, const json_t *top,
				     json_t *axes)
{
	const char *workload =
		json_string_value(json_object_get(axes, "workload"));
	const char *operation = workload ? operation_of(top, workload) : NULL;
	struct report_group *g;
	char *name = operation ? group_name(axes) : NULL;

	if (!name)
		return NULL;
	for (size_t i = 0; i < r->ngroups; i++) {
		if (strcmp(r->group[i].name, name) == 0) {
			free(name);
			return &r->group[i];
		}
	}
	g = new_group(r, name, workload, operation);
	return g;
}

/* ----------------------------------------------------------------- cells */

/* For free(); NULL when out of memory. */
static double *values_of(json_t *repeats, const char *name)
{
	size_t n = json_array_size(repeats);
	double *value = calloc(n + 1, sizeof(*value));

	for (size_t i = 0; value && i < n; i++) {
		json_t *m =
			json_object_get(json_array_get(repeats, i), "metrics");
		json_t *v = json_object_get(m, name);

		value[i] =
			json_is_number(v) ? json_number_value(v) : (double)NAN;
	}
	return value;
}

struct summary report_metric(json_t *repeats, const char *name)
{
	double *value = values_of(repeats, name);
	struct summary s =
		summarize(value, value ? json_array_size(repeats) : 0);

	free(value);
	return s;
}

int report_hist(json_t *repeats, const char *name, struct hist *into)
{
	int status = 0;

	for (size_t i = 0; i < json_array_size(repeats); i++) {
		json_t *all = json_object_get(json_array_get(repeats, i),
					      "histograms");
		json_t *one = json_object_get(all, name);

		if (one && decode_hist(one, into))
			status = -1;
	}
	return status;
}

static int latency_of(json_t *repeats, const char *name,
		      struct report_cell *cell)
{
	struct hist *h = calloc(1, sizeof(*h));
	int status = h ? report_hist(repeats, name, h) : -1;

	if (status == 0) {
		cell->latencies = h->count;
		cell->p50 = hist_quantile(h, 0.5);
		cell->p99 = hist_quantile(h, 0.99);
		cell->max = h->max;
	}
	free(h);
	return status;
}

static int fill_cell(const struct report_group *g, struct report_cell *cell,
		     json_t *json)
{
	const char *status = json_string_value(json_object_get(json, "status"));
	const char *reason = json_string_value(json_object_get(json, "reason"));
	json_t *repeats = json_object_get(json, "repeats");
	char name[80];

	if (!status || !json_is_array(repeats))
		return -1;
	snprintf(cell->status, sizeof(cell->status), "%s", status);
	cell->reason = plain_text(reason ? reason : "");
	snprintf(name, sizeof(name), "%.60s.rate", g->operation);
	cell->rates = values_of(repeats, name);
	if (!cell->rates)
		return -1;
	/* Which leaves what is not there out, and the rest in order. */
	cell->rate = summarize(cell->rates, json_array_size(repeats));
	for (size_t i = 0; i < REPORT_FIGURES; i++)
		cell->figure[i] =
			report_metric(repeats, report_figures[i].metric);
	snprintf(name, sizeof(name), "%.60s.latency", g->operation);
	if (!cell->reason || report_probe_load(repeats, &cell->probe))
		return -1;
	return latency_of(repeats, name, cell);
}

/* Nothing is computed from warm-ups. */
static void leave_warmups_out(json_t *cell)
{
	json_t *repeats = json_object_get(cell, "repeats");

	for (size_t i = json_array_size(repeats); i-- > 0;) {
		json_t *repeat = json_array_get(repeats, i);

		if (json_is_true(json_object_get(repeat, "warmup")))
			json_array_remove(repeats, i);
	}
}

static void count_repeats(struct report *r, const json_t *cell)
{
	size_t n = json_array_size(json_object_get(cell, "repeats"));

	if (r->ncells == 0 || n < r->fewest)
		r->fewest = n;
	if (n > r->most)
		r->most = n;
}

static int add_cell(void *ctx, const json_t *top, json_t *json)
{
	json_t *axes = json_object_get(json, "axes");
	json_t *vcpus = json_object_get(axes, "vcpus");
	const char *policy = json_string_value(json_object_get(axes, "policy"));
	struct report *r = ctx;
	struct report_group *g = group_of(r, top, axes);
	struct report_cell *list, *cell;

	if (!g || !json_is_integer(vcpus) || json_integer_value(vcpus) < 1 ||
	    json_integer_value(vcpus) > UINT32_MAX)
		return -1;
	list = one_more(g->cell, g->ncells, sizeof(*list));
	if (!list)
		return -1;
	g->cell = list;
	cell = &list[g->ncells++];
	leave_warmups_out(json);
	count_repeats(r, json);
	r->ncells++;
	if (add_policy(g, policy ? policy : "kernel's", &cell->policy) ||
	    add_vcpus(g, (uint32_t)json_integer_value(vcpus), &cell->vcpus))
		return -1;
	return fill_cell(g, cell, json);
}

int report_load(const char *path, struct report *report, struct err *e)
{
	memset(report, 0, sizeof(*report));
	report->top = result_read(path, add_cell, report, e);
	if (report->top && report_judge(report))
		return 0;
	if (report->top)
		err_set(e, EXIT_FAILED, "out of memory");
	report_free(report);
	return -1;
}

static void free_group(struct report_group *g)
{
	for (size_t i = 0; i < g->npolicies; i++)
		free(g->policy[i]);
	for (size_t i = 0; i < g->ncells; i++) {
		report_probe_free(g->cell[i].probe);
		free(g->cell[i].reason);
		free(g->cell[i].rates);
	}
	free(g->row);
	free(g->policy);
	free(g->vcpus);
	free(g->cell);
	free(g->name);
	free(g->workload);
	free(g->operation);
}

void report_free(struct report *report)
{
	for (size_t i = 0; i < report->ngroups; i++)
		free_group(&report->group[i]);
	free(report->group);
	json_decref(report->top);
	memset(report, 0, sizeof(*report));
}

const struct report_cell *report_find(const struct report_group *group,
				      size_t policy, size_t vcpus)
{
	for (size_t i = 0; i < group->ncells; i++)
		if (group->cell[i].policy == policy &&
		    group->cell[i].vcpus == vcpus)
			return &group->cell[i];
	return NULL;
}

bool report_good(const struct report_cell *cell)
{
	return cell && strcmp(cell->status, "ok") == 0 && cell->rate.n > 0;
}
