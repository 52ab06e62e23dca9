/* SPDX-License-Identifier: GPL-2.0-only */
/* What the probe saw of a cell: a table of functions, and what it cost. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/plain.h"
#include "bench/base/table.h"
#include "bench/report/impl.h"

#define CALLS ".calls"

/** What is known of one function. */
struct function {
	char *name;
	double calls;		/* median over the repeats */
	uint64_t p50, p99, max; /* ns, all repeats together */
	uint64_t timed;		/* how many of them; 0: no times */
};

struct report_probe {
	struct function *function;
	size_t n;
	struct summary overhead; /* % */
	char *returned;		 /* of each function, all repeats together */
};

/* ----------------------------------------------------------------- loading */

/* "NAME.calls": the name's length; 0 for any other metric. */
static size_t function_length(const char *metric)
{
	size_t n = strlen(metric), end = strlen(CALLS);

	if (n <= end || strcmp(metric + n - end, CALLS) != 0)
		return 0;
	return n - end;
}

static int load_function(json_t *repeats, const char *metric,
			 struct function *f)
{
	struct hist *h = calloc(1, sizeof(*h));
	size_t length = function_length(metric);
	char name[80];
	int status = -1;

	snprintf(name, sizeof(name), "%.*s.latency", (int)length, metric);
	f->name = strndup(metric, length);
	f->calls = report_metric(repeats, metric).median;
	if (h && f->name)
		status = report_hist(repeats, name, h);
	if (status == 0) {
		f->timed = h->count;
		f->p50 = hist_quantile(h, 0.5);
		f->p99 = hist_quantile(h, 0.99);
		f->max = h->max;
	}
	free(h);
	return status;
}

/* Functions that were called in the first repeat, in the order of results. */
static int load_functions(json_t *repeats, struct report_probe *p)
{
	json_t *metrics =
		json_object_get(json_array_get(repeats, 0), "metrics");
	const char *name;
	json_t *value;

	p->function =
		calloc(json_object_size(metrics) + 1, sizeof(*p->function));
	if (!p->function)
		return -1;
	json_object_foreach(metrics, name, value)
	{
		if (!function_length(name) || !(json_number_value(value) > 0))
			continue;
		if (load_function(repeats, name, &p->function[p->n++]))
			return -1;
	}
	return 0;
}

/* Adds the counts of one function to a sum of it. */
static int add_counts(json_t *sum, const char *function, json_t *counts)
{
	json_t *all = json_object_get(sum, function), *count;
	const char *value;
	int bad = 0;

	if (!all) {
		all = json_object();
		bad = json_object_set_new(sum, function, all);
	}
	json_object_foreach(counts, value, count)
	{
		json_int_t n = json_integer_value(json_object_get(all, value)) +
			       json_integer_value(count);

		bad |= json_object_set_new(all, value, json_integer(n));
	}
	return bad;
}

/* "kvm_tdp_mmu_map: RET_PF_FIXED 512" */
static void print_counts(FILE *f, json_t *sum)
{
	const char *function, *value, *separator = "";
	json_t *counts, *count;

	json_object_foreach(sum, function, counts)
	{
		const char *before = ": ";

		fprintf(f, "%s%s", separator, function);
		json_object_foreach(counts, value, count)
		{
			fprintf(f, "%s%s %" PRId64, before, value,
				(int64_t)json_integer_value(count));
			before = ", ";
		}
		separator = "; ";
	}
}

static int load_returned(json_t *repeats, struct report_probe *p)
{
	json_t *sum = json_object(), *repeat, *counts;
	const char *function;
	size_t i, size;
	FILE *f = open_memstream(&p->returned, &size);
	int bad = !f || !sum;

	json_array_foreach(repeats, i, repeat)
	{
		json_t *all = json_object_get(repeat, "probe");

		json_object_foreach(all, function, counts) bad |=
			add_counts(sum, function, counts);
	}
	if (f) {
		print_counts(f, sum);
		bad |= fclose(f) != 0;
	}
	json_decref(sum);
	return bad ? -1 : 0;
}

int report_probe_load(json_t *repeats, struct report_probe **probe)
{
	struct report_probe *p;

	*probe = NULL;
	if (!json_object_get(json_array_get(repeats, 0), "probe"))
		return 0;
	*probe = p = calloc(1, sizeof(*p));
	if (!p)
		return -1;
	p->overhead = report_metric(repeats, "probe.overhead");
	return load_functions(repeats, p) || load_returned(repeats, p) ? -1 : 0;
}

void report_probe_free(struct report_probe *probe)
{
	if (!probe)
		return;
	for (size_t i = 0; i < probe->n; i++)
		free(probe->function[i].name);
	free(probe->function);
	free(probe->returned);
	free(probe);
}

/* ---------------------------------------------------------------- printing */

static void add_function(struct table *t, const struct function *f)
{
	const uint64_t time[] = {f->p50, f->p99, f->max};
	char figure[FIGURE], *name = plain_text(f->name);

	table_add(t, "%.40s", name ? name : "?");
	table_add(t, "%.0f", f->calls);
	for (size_t i = 0; i < sizeof(time) / sizeof(time[0]); i++)
		table_add(t, "%s", f->timed ? format_ns(time[i], figure) : "-");
	free(name);
}

static void print_functions(const struct report_probe *p, FILE *f)
{
	static const char *const head[] = {"function", "calls", "p50", "p99",
					   "max"};
	struct table t;

	table_init(&t, sizeof(head) / sizeof(head[0]), 1, 1);
	t.indent = 4;
	for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
		table_add(&t, "%s", head[i]);
	for (size_t i = 0; i < p->n; i++)
		add_function(&t, &p->function[i]);
	table_print(&t, f);
}

static void print_cell(const struct report_group *g,
		       const struct report_cell *c, FILE *f)
{
	const struct report_probe *p = c->probe;
	uint32_t vcpus = g->vcpus[c->vcpus];
	char *text = NULL;
	size_t size;
	FILE *line = open_memstream(&text, &size);

	if (!line)
		return;
	fprintf(line, "%s at %u vCPU%s, probe", g->policy[c->policy], vcpus,
		vcpus == 1 ? "" : "s");
	if (p->overhead.n)
		fprintf(line,
			": without it the rate is %+.1f %% (median; %+.1f to "
			"%+.1f %%)",
			p->overhead.median, p->overhead.min, p->overhead.max);
	fclose(line);
	fputc('\n', f);
	print_wrapped(f, 2, text);
	print_functions(p, f);
	free(text);
	if (!p->returned[0])
		return;
	fputs("    returned, all repeats together:\n", f);
	print_wrapped(f, 4, p->returned);
}

void report_probe_print(const struct report_group *group, FILE *f)
{
	for (size_t i = 0; i < group->ncells; i++) {
		if (group->cell[i].probe)
			print_cell(group, &group->cell[i], f);
	}
}
