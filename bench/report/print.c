/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/table.h"
#include "bench/result/encode.h"
#include "bench/report/impl.h"
#include "bench/result/samples.h"

/* ------------------------------------------------------------------ rates */

/* How a cell ended, as short as a column. */
static const char *short_status(const char *status)
{
	return strcmp(status, "vm-bugged") == 0	    ? "bugged"
	       : strcmp(status, "unsupported") == 0 ? "unsupp."
						    : status;
}

static void add_rate(struct table *t, const struct report_cell *c, bool star)
{
	char figure[FIGURE];

	if (!c)
		table_add(t, "%s", "");
	else if (report_good(c))
		table_add(t, "%s%s", star && c->best ? "*" : "",
			  format_rate(c->rate.median, figure));
	else
		table_add(t, "%s",
			  strcmp(c->status, "ok") == 0
				  ? "-"
				  : short_status(c->status));
}

/* Stars only where they tell policies apart. */
static void print_rates(const struct printer *p, const struct report_group *g)
{
	struct table t;

	table_init(&t, g->npolicies + 1, 1, 0);
	table_add(&t, "vCPUs");
	for (size_t i = 0; i < g->npolicies; i++)
		table_add(&t, "%s", g->policy[i]);
	for (size_t v = 0; v < g->nvcpus; v++) {
		table_add(&t, "%u", g->vcpus[v]);
		for (size_t i = 0; i < g->npolicies; i++)
			add_rate(&t, report_find(g, i, v),
				 g->row[v].nbest < g->npolicies);
	}
	table_print(&t, p->f);
}

/* ---------------------------------------------------------------- details */

static void add_figures(struct table *t, const struct report_cell *c)
{
	char figure[FIGURE];

	if (report_good(c))
		table_add(t, "%.1f %%", c->rate.spread * 100);
	else
		table_add(t, "%s", short_status(c->status));
	if (c->latencies) {
		table_add(t, "%s", format_ns(c->p50, figure));
		table_add(t, "%s", format_ns(c->p99, figure));
		table_add(t, "%s", format_ns(c->max, figure));
	} else {
		for (int i = 0; i < 3; i++)
			table_add(t, "-");
	}
	table_add(t, "%s", format_count(c->busy.median, figure));
	table_add(t, "%s", format_count(c->kicks.median, figure));
	if (c->wasted.n)
		table_add(t, "%.1f %%", c->wasted.median);
	else
		table_add(t, "-");
}

static void add_detail_heads(struct table *t)
{
	static const char *const head[] = {"vCPUs",   "policy", "+-",
					   "p50",     "p99",	"max",
					   "BUSY/1k", "kicks",	"wasted"};

	for (size_t i = 0; i < sizeof(head) / sizeof(*head); i++)
		table_add(t, "%s", head[i]);
}

static void print_details(const struct printer *p, const struct report_group *g)
{
	struct table t;

	table_init(&t, 9, 2, 2);
	add_detail_heads(&t);
	for (size_t v = 0; v < g->nvcpus; v++) {
		bool first = true;

		for (size_t i = 0; i < g->npolicies; i++) {
			const struct report_cell *c = report_find(g, i, v);

			if (!c)
				continue;
			if (first)
				table_add(&t, "%5u", g->vcpus[v]);
			else
				table_add(&t, "%s", "");
			table_add(&t, "%s", g->policy[i]);
			add_figures(&t, c);
			first = false;
		}
	}
	fputc('\n', p->f);
	table_print(&t, p->f);
}

/* ------------------------------------------------------------------- ends */

static bool same_end(const struct report_cell *a, const struct report_cell *b)
{
	return b && strcmp(a->status, b->status) == 0;
}

/* Why cells did not end ok: one line for neighbours that ended alike. */
static void print_ends(const struct printer *p, const struct report_group *g)
{
	for (size_t i = 0; i < g->npolicies; i++) {
		for (size_t v = 0; v < g->nvcpus; v++) {
			const struct report_cell *c = report_find(g, i, v);
			char text[400];
			size_t to = v;
			int n;

			if (!c || strcmp(c->status, "ok") == 0)
				continue;
			/* What comes behind is for the file. */
			n = (int)strcspn(c->reason, ";");
			while (to + 1 < g->nvcpus &&
			       same_end(c, report_find(g, i, to + 1)))
				to++;
			snprintf(text, sizeof(text),
				 "%.40s at %u%s%.0u vCPUs: %s: %.*s",
				 g->policy[i], g->vcpus[v], to > v ? "-" : "",
				 to > v ? g->vcpus[to] : 0, c->status, n,
				 c->reason);
			print_wrapped(p->f, 2, text);
			v = to;
		}
	}
}

/* ----------------------------------------------------------------- header */

static const char *text_at(const json_t *top, const char *object,
			   const char *key, const char *fallback)
{
	const json_t *o = json_object_get(top, object);
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : fallback;
}

static bool modelled(const json_t *top)
{
	return samples_any(top, "modelled");
}

/* "1 repeat", "5 repeats", "6-12 repeats" */
static void repeats_text(const struct report *r, char *buf, size_t size)
{
	if (r->fewest == r->most)
		snprintf(buf, size, "%zu repeat%s", r->most,
			 r->most == 1 ? "" : "s");
	else
		snprintf(buf, size, "%zu-%zu repeats", r->fewest, r->most);
}

static void short_value(const json_t *row, const char *key, char *buf,
			size_t size)
{
	json_t *value = json_object_get(row, key);
	char *text =
		value ? json_dumps(value, JSON_STYLE | JSON_ENCODE_ANY) : NULL;

	snprintf(buf, size, "%s", text ? text : "?");
	free(text);
}

/* What the sides of a result with a baseline are. */
static void print_sides(const struct printer *p, const json_t *baseline)
{
	json_t *list = json_object_get(baseline, "differences"), *row;
	json_t *binary = json_object_get(baseline, "binary");
	char text[400];
	size_t i;

	if (binary) {
		char path[200];

		short_value(baseline, "binary", path, sizeof(path));
		snprintf(text, sizeof(text), "base is run by %s, tdmem %.20s",
			 path,
			 text_at(p->report->top, "baseline", "version", "?"));
		print_wrapped(p->f, 0, text);
	} else if (json_array_size(list) == 0) {
		fputs("base and new do not differ but in their seeds\n", p->f);
	}
	json_array_foreach(list, i, row)
	{
		const char *path =
			json_string_value(json_object_get(row, "path"));
		char base[80], new[80];

		short_value(row, "base", base, sizeof(base));
		short_value(row, "new", new, sizeof(new));
		snprintf(text, sizeof(text), "%.120s: base %s, new %s",
			 path ? path : "?", base, new);
		print_wrapped(p->f, 0, text);
	}
}

static void print_costs(const struct printer *p, const json_t *top)
{
	const json_t *table =
		json_object_get(json_object_get(top, "costs"), "table");
	const char *name = json_string_value(json_object_get(table, "name"));
	char text[600];

	snprintf(
		text, sizeof(text),
		"costs: \"%.80s\" (%.200s), column \"%.20s\"; most of them are "
		"assumptions, see tdmem list costs",
		name ? name : "?", text_at(top, "costs", "path", "?"),
		text_at(top, "costs", "column", "?"));
	print_wrapped(p->f, 0, text);
}

/* With what the backend threads did what it does. */
static void print_threads(const struct printer *p, const json_t *env)
{
	const json_t *facts = json_object_get(env, "threads");
	char text[400];

	if (!facts)
		return;
	snprintf(text, sizeof(text),
		 "clock: %.40s at %.0f MHz, a reading (%.1f ns) is taken off "
		 "latencies; kicks: %.40s; page clears: %.40s; flushes: %.40s",
		 text_at(env, "threads", "clock", "?"),
		 json_number_value(json_object_get(facts, "clock_hz")) / 1e6,
		 json_number_value(json_object_get(facts, "clock_read_ns")),
		 text_at(env, "threads", "kick", "?"),
		 text_at(env, "threads", "page_clear", "?"),
		 text_at(env, "threads", "page_flush", "?"));
	print_wrapped(p->f, 0, text);
}

static void print_model(const struct printer *p, const json_t *top)
{
	bool real = samples_any(top, "real_cpus");
	char text[400];

	fprintf(p->f, "%sMODEL OUTPUT, not a measurement%s (backend %s)\n",
		p->bold, p->end,
		real ? "threads, real contention" : "sim, virtual time");
	if (real) {
		fputs("SEAM transitions and VM entries are waited out, not "
		      "executed\n",
		      p->f);
		snprintf(text, sizeof(text), "host: %.120s, %.160s",
			 text_at(top, "environment", "host", "?"),
			 text_at(top, "environment", "cpu", "?"));
	} else {
		snprintf(text, sizeof(text), "host: %.300s",
			 text_at(json_object_get(top, "config"), "host",
				 "topology", "default"));
	}
	print_wrapped(p->f, 0, text);
	print_threads(p, json_object_get(top, "environment"));
	print_costs(p, top);
}

/* Of a result that was measured in VMs or TDs. */
static void print_vm(const struct printer *p, const json_t *env)
{
	bool tds = json_object_get(env, "tdx");
	const char *backend = tds ? "tdx" : "kvm";
	char text[400];

	if (!json_object_get(env, backend))
		return;
	snprintf(text, sizeof(text),
		 "MEASURED, in %s (%.60s, memory %.40s): %.160s",
		 tds ? "TDs" : "VMs that are no TDs",
		 text_at(env, backend, "vm", "?"),
		 text_at(env, backend, "memory", "?"),
		 json_string_value(json_object_get(env, "kernel")));
	print_wrapped(p->f, 0, text);
}

static void print_header(const struct printer *p)
{
	const json_t *top = p->report->top;
	size_t ncells = p->report->ncells;
	const json_t *baseline = json_object_get(top, "baseline");
	char text[400], repeats[60];

	repeats_text(p->report, repeats, sizeof(repeats));
	snprintf(text, sizeof(text),
		 "%.64s: %zu cell%s, %s, %.40s, %.60s, "
		 "tdmem %.20s",
		 text_at(top, "config", "name", "?"), ncells,
		 ncells == 1 ? "" : "s", repeats,
		 text_at(top, "environment", "time", "?"),
		 text_at(top, "environment", "host", "?"),
		 text_at(top, "tool", "version", "?"));
	print_wrapped(p->f, 0, text);
	if (modelled(top))
		print_model(p, top);
	print_vm(p, json_object_get(top, "environment"));
	if (baseline)
		print_sides(p, baseline);
	report_companions(json_object_get(top, "companions"), p->f);
	if (json_is_true(json_object_get(top, "partial")))
		fprintf(p->f, "%sPARTIAL%s: the run was interrupted\n", p->bold,
			p->end);
}

/* ------------------------------------------------------------------ groups */

static void print_group(const struct printer *p, const struct report_group *g,
			enum report_detail detail)
{
	const json_t *all = json_object_get(p->report->top, "workloads");
	const char *summary = text_at(all, g->workload, "summary", "");
	char text[300];

	snprintf(text, sizeof(text), "%.120s: %.160s", g->name, summary);
	fprintf(p->f, "\n%s", p->bold);
	print_wrapped(p->f, 0, text);
	fprintf(p->f,
		"%s  rate of \"%s\" operations (1/s), median of repeats "
		"(* best)%s\n",
		p->end, g->operation,
		modelled(p->report->top) ? ", model output" : "");
	print_rates(p, g);
	if (detail == REPORT_FULL)
		print_details(p, g);
	report_probe_print(g, p->f);
	print_ends(p, g);
}

static void print_legend(const struct printer *p)
{
	fputc('\n', p->f);
	print_wrapped(p->f, 0,
		      "+-: farthest repeat from the median rate. p50, p99, "
		      "max: latency of one operation, all repeats together. "
		      "BUSY/1k: calls that ended BUSY, of 1000 calls. kicks: "
		      "rounds of kicks. wasted: share of vCPU time spent in "
		      "calls that ended BUSY. The last three are medians over "
		      "the repeats.");
}

void report_print(const struct report *report, enum report_detail detail,
		  bool colour, FILE *f)
{
	struct printer p = {.f = f,
			    .report = report,
			    .bold = colour ? "\033[1m" : "",
			    .end = colour ? "\033[0m" : ""};

	print_header(&p);
	for (size_t i = 0; i < report->ngroups; i++)
		print_group(&p, &report->group[i], detail);
	if (detail == REPORT_FULL)
		print_legend(&p);
	report_print_verdicts(&p);
}
