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

/* The first three are the model's and a TD's, the others any real VM's. */
const struct report_figure report_figures[REPORT_FIGURES] = {
	{"calls.busy_per_1000", "BUSY/1k", false,
	 "calls that ended BUSY, of 1000 calls"},
	{"kicks.rounds", "kicks", false, "rounds of kicks"},
	{"time.busy", "wasted", true,
	 "share of vCPU time spent in calls that ended BUSY"},
	{"kvm.pf_fixed", "fixed", false, "page faults that KVM resolved"},
	{"kvm.pf_retried", "retried", false,
	 "page faults that KVM gave up, to be raised again"},
	{"kvm.exits", "exits", false, "exits of vCPUs"},
	{"kvm.remote_tlb_flush", "flushes", false,
	 "TLB flushes on all CPUs of the VM"},
};

/* Is there such a figure in any cell? */
static bool has_figure(const struct report *r, size_t figure)
{
	for (size_t g = 0; g < r->ngroups; g++) {
		for (size_t c = 0; c < r->group[g].ncells; c++) {
			if (r->group[g].cell[c].figure[figure].n)
				return true;
		}
	}
	return false;
}

static void add_figure(struct table *t, const struct report_cell *c, size_t i)
{
	char figure[FIGURE];

	if (!c->figure[i].n)
		table_add(t, "-");
	else if (report_figures[i].percent)
		table_add(t, "%.1f %%", c->figure[i].median);
	else
		table_add(t, "%s", format_count(c->figure[i].median, figure));
}

static void add_latencies(struct table *t, const struct report_cell *c)
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
}

static void begin_details(struct table *t, const struct report *r)
{
	static const char *const head[] = {"vCPUs", "policy", "+-",
					   "p50",   "p99",    "max"};
	size_t n = sizeof(head) / sizeof(*head);

	for (size_t i = 0; i < REPORT_FIGURES; i++)
		n += has_figure(r, i);
	table_init(t, n, 2, 2);
	for (size_t i = 0; i < sizeof(head) / sizeof(*head); i++)
		table_add(t, "%s", head[i]);
	for (size_t i = 0; i < REPORT_FIGURES; i++) {
		if (has_figure(r, i))
			table_add(t, "%s", report_figures[i].head);
	}
}

static void print_details(const struct printer *p, const struct report_group *g)
{
	struct table t;

	begin_details(&t, p->report);
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
			add_latencies(&t, c);
			for (size_t f = 0; f < REPORT_FIGURES; f++) {
				if (has_figure(p->report, f))
					add_figure(&t, c, f);
			}
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
	char text[800];
	size_t n = (size_t)snprintf(
		text, sizeof(text),
		"+-: farthest repeat from the median rate. p50, p99, max: "
		"latency of one operation, all repeats together. ");

	for (size_t i = 0; i < REPORT_FIGURES; i++) {
		if (has_figure(p->report, i))
			n += (size_t)snprintf(
				text + n, sizeof(text) - n, "%s: %s. ",
				report_figures[i].head, report_figures[i].what);
	}
	snprintf(text + n, sizeof(text) - n,
		 "Columns behind max are medians over the repeats.");
	fputc('\n', p->f);
	print_wrapped(p->f, 0, text);
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
