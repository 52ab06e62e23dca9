/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/table.h"
#include "bench/result/encode.h"
#include "bench/result/report.h"
#include "bench/result/samples.h"

struct printer {
	FILE *f;
	const struct report *report;
	const char *bold, *end; /* escape sequences, or "" */
};

enum { LONGEST_ANSWER = 52 }; /* what fits behind the vCPUs */

/* ----------------------------------------------------------------- verdict */

static const struct report_cell *leader(const struct report_group *g,
					size_t vcpus)
{
	const struct report_cell *best = NULL;

	for (size_t p = 0; p < g->npolicies; p++) {
		const struct report_cell *c = report_find(g, p, vcpus);

		if (report_good(c) &&
		    (!best || c->rate.median > best->rate.median))
			best = c;
	}
	return best;
}

/* With few repeats ranges can miss each other by chance, by next to nothing. */
#define NO_DIFFERENCE 0.01

static bool alike(const struct report_cell *first, const struct report_cell *c)
{
	return summaries_overlap(&first->rate, &c->rate) ||
	       c->rate.median >= first->rate.median * (1 - NO_DIFFERENCE);
}

size_t report_best(const struct report_group *group, size_t vcpus, bool *best,
		   double *lead)
{
	const struct report_cell *first = leader(group, vcpus);
	double next = (double)NAN;
	size_t n = 0;

	for (size_t p = 0; p < group->npolicies; p++) {
		const struct report_cell *c = report_find(group, p, vcpus);

		best[p] = first && report_good(c) && alike(first, c);
		n += best[p];
		if (!best[p] && report_good(c) && !(c->rate.median <= next))
			next = c->rate.median;
	}
	*lead = first && next > 0 ? first->rate.median / next - 1 : (double)NAN;
	return n;
}

static size_t count_good(const struct report_group *g, size_t vcpus)
{
	size_t n = 0;

	for (size_t p = 0; p < g->npolicies; p++)
		n += report_good(report_find(g, p, vcpus));
	return n;
}

static void append(char *buf, size_t size, const char *text)
{
	size_t n = strlen(buf);

	snprintf(buf + n, size - n, "%s", text);
}

/* Names of the policies that are good and as `wanted`. */
static void list_policies(const struct report_group *g, size_t vcpus,
			  const bool *best, bool wanted, char *buf, size_t size)
{
	bool first = true;

	for (size_t p = 0; p < g->npolicies; p++) {
		if (best[p] != wanted || !report_good(report_find(g, p, vcpus)))
			continue;
		append(buf, size, first ? "" : wanted ? " = " : ", ");
		append(buf, size, g->policy[p]);
		first = false;
	}
}

/* The shorter way to name them. */
static void list_best(const struct report_group *g, size_t vcpus,
		      const bool *best, size_t n, char *buf, size_t size)
{
	size_t others = count_good(g, vcpus) - n;

	if (n == 1 || n <= others + 1) {
		append(buf, size, n > 1 ? "~ " : "");
		list_policies(g, vcpus, best, true, buf, size);
	} else if (others == 0) {
		append(buf, size, "~");
	} else {
		append(buf, size, "~ all but ");
		list_policies(g, vcpus, best, false, buf, size);
	}
}

/* "kick-once", "~" when all are alike, "~ spin = eagain", "none ended ok" */
static void name_best(const struct report_group *g, size_t vcpus, char *buf,
		      size_t size, double *lead)
{
	bool *best = calloc(g->npolicies + 1, sizeof(*best));
	size_t n = best ? report_best(g, vcpus, best, lead) : 0;

	buf[0] = '\0';
	if (n == 0) {
		append(buf, size, "none ended ok");
		*lead = (double)NAN;
	} else {
		list_best(g, vcpus, best, n, buf, size);
		if (strlen(buf) > LONGEST_ANSWER)
			snprintf(buf, size, "~ %zu of %zu policies", n,
				 g->npolicies);
		if (n == count_good(g, vcpus) && n < g->npolicies)
			append(buf, size, ", the only ok");
	}
	free(best);
}

static void print_range(const struct printer *p, uint32_t from, uint32_t to)
{
	char text[32];

	if (from == to)
		snprintf(text, sizeof(text), "%u", from);
	else
		snprintf(text, sizeof(text), "%u-%u", from, to);
	fprintf(p->f, "    %9s %s  ", text, to == 1 ? "vCPU " : "vCPUs");
}

static void print_lead(const struct printer *p, double low, double high)
{
	if (isnan(low))
		return;
	if (high - low < 0.005)
		fprintf(p->f, ", %+.0f %%", low * 100);
	else
		fprintf(p->f, ", %+.0f to %+.0f %%", low * 100, high * 100);
}

/* Neighbouring vCPU counts with the same answer make one line. */
static void print_verdict(const struct printer *p, const struct report_group *g)
{
	char now[160], next[160];
	double lead, low, high;
	size_t i = 0;

	fprintf(p->f, "  %s\n", g->name);
	while (i < g->nvcpus) {
		size_t from = i;

		name_best(g, i, now, sizeof(now), &lead);
		low = high = lead;
		for (i++; i < g->nvcpus; i++) {
			name_best(g, i, next, sizeof(next), &lead);
			if (strcmp(now, next) != 0)
				break;
			low = fmin(low, lead);
			high = fmax(high, lead);
		}
		print_range(p, g->vcpus[from], g->vcpus[i - 1]);
		fprintf(p->f, "%s%s%s", p->bold, now, p->end);
		print_lead(p, low, high);
		fputc('\n', p->f);
	}
}

/* Nothing is best where there is nothing to compare it with. */
static void print_verdicts(const struct printer *p)
{
	size_t comparisons = 0;

	for (size_t i = 0; i < p->report->ngroups; i++)
		comparisons += p->report->group[i].npolicies > 1;
	if (!comparisons)
		return;
	fputc('\n', p->f);
	print_wrapped(p->f, 0,
		      "Which policy, at how many vCPUs: the highest median "
		      "rate, and by how much it is above the next policy. "
		      "~: no winner, the ranges over the repeats overlap or "
		      "the medians are within 1 % of each other.");
	for (size_t i = 0; i < p->report->ngroups; i++)
		if (p->report->group[i].npolicies > 1)
			print_verdict(p, &p->report->group[i]);
}

/* ------------------------------------------------------------------ rates */

/* How a cell ended, as short as a column. */
static const char *short_status(const char *status)
{
	return strcmp(status, "vm-bugged") == 0	    ? "bugged"
	       : strcmp(status, "unsupported") == 0 ? "unsupp."
						    : status;
}

static void add_rate(struct table *t, const struct report_cell *c, bool best)
{
	char figure[FIGURE];

	if (!c)
		table_add(t, "%s", "");
	else if (report_good(c))
		table_add(t, "%s%s", best ? "*" : "",
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
	bool *best = calloc(g->npolicies + 1, sizeof(*best));
	struct table t;
	double lead;

	table_init(&t, g->npolicies + 1, 1, 0);
	table_add(&t, "vCPUs");
	for (size_t i = 0; i < g->npolicies; i++)
		table_add(&t, "%s", g->policy[i]);
	for (size_t v = 0; best && v < g->nvcpus; v++) {
		size_t n = report_best(g, v, best, &lead);

		table_add(&t, "%u", g->vcpus[v]);
		for (size_t i = 0; i < g->npolicies; i++)
			add_rate(&t, report_find(g, i, v),
				 best[i] && n < g->npolicies);
	}
	free(best);
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
	if (baseline)
		print_sides(p, baseline);
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
	print_verdicts(&p);
}
