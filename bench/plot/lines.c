/* SPDX-License-Identifier: GPL-2.0-only */
/* Pictures of lines over vCPUs, a line a policy, one or several panels. */
#include <math.h>
#include <string.h>

#include "bench/plot/chart.h"
#include "bench/plot/plot.h"

enum { MAX_PANELS = 3 };

const struct plot_chart plot_throughput = {
	.npanels = 1,
	.ideal = true,
	.empty = "no cell has a rate",
	.panel = {{"rate", " rate (1/s)", {".rate", 0, false}, 0}},
};

const struct plot_chart plot_latencies = {
	.npanels = 3,
	.empty = "no cell has a latency",
	.same_axis = true,
	.panel = {{"p50", " latency", {".latency", 0.5, false}, PANEL_LOG},
		  {"p99", " latency", {".latency", 0.99, false}, PANEL_LOG},
		  {"p99.9", " latency", {".latency", 0.999, false}, PANEL_LOG}},
};

const struct plot_chart plot_kicks = {
	.npanels = 3,
	.empty = "no vCPU was kicked or kept out",
	.panel = {{"rounds of kicks",
		   "per 1000 operations",
		   {"kicks.rounds", 0, true},
		   PANEL_EVENTS},
		  {"IPIs",
		   "per 1000 operations",
		   {"kicks.ipis", 0, true},
		   PANEL_EVENTS},
		  {"kept out",
		   "% of the vCPUs' time",
		   {"time.kept_out", 0, false},
		   PANEL_EVENTS}},
};

const struct plot_chart plot_fairness = {
	.npanels = 1,
	.empty = "no cell has a fairness",
	.panel = {{"fairness",
		   "Jain's index (1: all alike)",
		   {"fairness.jain", 0, false},
		   PANEL_INDEX}},
};

/*
 * How the rate of a workload would grow if vCPUs did not hinder each other.
 * Where the vCPUs do the work: with their number; where the host does it
 * while vCPUs run: not at all.  Of others nothing is known.
 */
static const struct {
	const char *workload;
	bool grows;
} ideals[] = {
	{"fault-in", true}, {"accept", true},	     {"convert", true},
	{"churn", true},    {"prefault", false},     {"track", false},
	{"build", false},   {"block-remove", false}, {"reclaim", false},
};

/* -1: nobody knows. */
static int grows(const char *workload)
{
	for (size_t i = 0; i < sizeof(ideals) / sizeof(*ideals); i++)
		if (strcmp(ideals[i].workload, workload) == 0)
			return ideals[i].grows;
	return -1;
}

/* What is known of a picture before it is written. */
struct lines {
	struct plot_picture *p;
	const struct plot_group *g;
	const struct plot_chart *chart;
	struct plot_axis axis[MAX_PANELS];
	double ideal; /* at one vCPU; NaN: there is none */
	bool grows;
	double coverage; /* the least of any interval; NaN: there is none */
	size_t values;
	bool all_zero;
};

static bool is_log(const struct lines *l, const struct plot_panel *panel)
{
	return panel->style == PANEL_LOG ||
	       (l->chart->ideal && !isnan(l->ideal) && l->grows);
}

/* ------------------------------------------------------------------- ideal */

/* From the best policy at the fewest vCPUs that any line has. */
static void find_ideal(struct lines *l)
{
	int how = l->chart->ideal && l->g->nvcpus > 1 ? grows(l->g->workload)
						      : -1;

	l->ideal = (double)NAN;
	for (size_t v = 0; how >= 0 && v < l->g->nvcpus && isnan(l->ideal);
	     v++) {
		for (size_t i = 0; i < l->g->nlines; i++) {
			double rate = plot_value(&l->chart->panel[0].measure,
						 plot_at(l->g, i, v))
					      .value;

			l->ideal = fmax(l->ideal,
					how ? rate / l->g->vcpus[v] : rate);
		}
	}
	l->grows = how > 0;
}

static double ideal_at(const struct lines *l, uint32_t vcpus)
{
	return l->grows ? l->ideal * vcpus : l->ideal;
}

/* -------------------------------------------------------------------- axes */

/* The ideal may leave the picture: lines are not pressed flat for it. */
static void add_ideal(struct lines *l, struct plot_axis *axis)
{
	double room = axis->log ? 4 : 1.4;
	double top = axis->max;

	if (isnan(l->ideal) || isnan(top))
		return;
	for (size_t v = 0; v < l->g->nvcpus; v++)
		plot_axis_add(axis,
			      fmin(ideal_at(l, l->g->vcpus[v]), top * room));
}

static void survey(struct lines *l, const struct plot_panel *panel,
		   struct plot_axis *axis)
{
	for (size_t i = 0; i < l->g->nlines * l->g->nvcpus; i++) {
		struct plot_value v =
			plot_value(&panel->measure, &l->g->cell[i]);

		plot_axis_add(axis, v.low);
		plot_axis_add(axis, v.high);
		l->values += v.n > 0;
		l->all_zero &= v.n == 0 || v.high == 0;
		l->coverage = fmin(l->coverage, v.coverage);
	}
}

static void make_axis(struct lines *l, size_t i)
{
	const struct plot_panel *panel = &l->chart->panel[i];
	struct plot_axis *axis = &l->axis[i];

	*axis = (struct plot_axis){(double)NAN, (double)NAN,
				   .log = is_log(l, panel)};
	axis->ns = strcmp(plot_unit(l->g, &panel->measure), "ns") == 0;
	survey(l, panel, axis);
	if (i == 0)
		add_ideal(l, axis);
	if (!axis->log && !isnan(axis->min))
		/* An index near 1 is not drawn from 0: nothing could be seen */
		axis->min = panel->style == PANEL_INDEX
				    ? fmax(0, floor(axis->min * 10 - 1) / 10)
				    : fmin(0, axis->min);
}

static void make_axes(struct lines *l)
{
	size_t n = l->chart->npanels;

	l->all_zero = true;
	l->coverage = (double)NAN;
	for (size_t i = 0; i < n; i++)
		make_axis(l, i);
	for (size_t i = 1; l->chart->same_axis && i < n; i++) {
		plot_axis_add(&l->axis[0], l->axis[i].min);
		plot_axis_add(&l->axis[0], l->axis[i].max);
	}
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || !l->chart->same_axis)
			plot_axis_finish(&l->axis[i]);
		else
			l->axis[i] = l->axis[0];
	}
}

/* -------------------------------------------------------------------- data */

static void put_point(const struct lines *l, const struct plot_cell *cell,
		      uint32_t vcpus)
{
	FILE *f = l->p->data;

	fprintf(f, "%u\t%s", vcpus, plot_status_name(cell));
	for (size_t i = 0; i < l->chart->npanels; i++) {
		struct plot_value v =
			plot_value(&l->chart->panel[i].measure, cell);

		fprintf(f, "\t%zu", v.n);
		plot_put_number(f, v.value);
		plot_put_number(f, v.low);
		plot_put_number(f, v.high);
	}
	fputc('\n', f);
}

static void put_data(const struct lines *l)
{
	FILE *f = l->p->data;

	fputs("# columns: vcpus status", f);
	for (size_t i = 0; i < l->chart->npanels; i++)
		fprintf(f, " repeats %s low high", l->chart->panel[i].name);
	fputc('\n', f);
	for (size_t i = 0; i < l->g->nlines; i++) {
		fprintf(f, "%s# line: %s\n", i ? "\n\n" : "",
			l->g->line[i].label);
		for (size_t v = 0; v < l->g->nvcpus; v++)
			put_point(l, plot_at(l->g, i, v), l->g->vcpus[v]);
	}
	if (isnan(l->ideal))
		return;
	fputs("\n\n# ideal: vcpus rate\n", f);
	for (size_t v = 0; v < l->g->nvcpus; v++)
		fprintf(f, "%u\t%.12g\n", l->g->vcpus[v],
			ideal_at(l, l->g->vcpus[v]));
}

/* ------------------------------------------------------------------ script */

static void put_panel(const struct lines *l, size_t i)
{
	const struct plot_panel *panel = &l->chart->panel[i];
	const struct plot_axis *axis = &l->axis[i];
	FILE *f = l->p->script;

	char label[120];

	snprintf(label, sizeof(label), "%.60s%.50s",
		 panel->label[0] == ' ' ? l->g->operation : "", panel->label);
	plot_put_element(f, "ylabel", i + 1, label);
	fprintf(f, "panel[%zu] = '%s'\n", i + 1,
		l->chart->npanels > 1 ? panel->name : "");
	fprintf(f, "ylog[%zu] = %d\n", i + 1, axis->log);
	fprintf(f, "ymin[%zu] = %.10g\n", i + 1, axis->min);
	fprintf(f, "ymax[%zu] = %.10g\n", i + 1, axis->max);
	fprintf(f, "yticks[%zu] = '", i + 1);
	plot_ticks(f, axis);
	fputs("'\n", f);
}

/* A row of letters above the picture for each line that needs one. */
static void put_marks(const struct lines *l)
{
	const struct plot_group *g = l->g;
	size_t n = 0, rows = 0;
	FILE *f = l->p->script;

	plot_put_array(f, "mark_x", g->nlines * g->nvcpus);
	plot_put_array(f, "mark_row", g->nlines * g->nvcpus);
	plot_put_array(f, "mark_text", g->nlines * g->nvcpus);
	plot_put_array(f, "row_line", g->nlines);
	for (size_t i = 0; i < g->nlines; i++) {
		size_t before = n;

		for (size_t v = 0; v < g->nvcpus; v++) {
			const struct plot_status *s =
				plot_status(plot_at(g, i, v));

			if (!s)
				continue;
			n++;
			fprintf(f,
				"mark_x[%zu] = %u; mark_row[%zu] = %zu; "
				"mark_text[%zu] = '%c'\n",
				n, g->vcpus[v], n, rows + 1, n, s->letter);
		}
		if (n > before)
			fprintf(f, "row_line[%zu] = %zu\n", ++rows, i + 1);
	}
	fprintf(f, "marks = %zu\nrows = %zu\n", n, rows);
}

static void put_script(const struct lines *l)
{
	static const char *const arrays[] = {"panel", "ylabel", "ylog",
					     "ymin",  "ymax",	"yticks"};
	const struct plot_group *g = l->g;
	FILE *f = l->p->script;
	size_t n = l->chart->npanels;

	plot_put_labels(f, g);
	fprintf(f, "panels = %zu\n", n);
	for (size_t i = 0; i < sizeof(arrays) / sizeof(*arrays); i++)
		plot_put_array(f, arrays[i], n);
	for (size_t i = 0; i < n; i++)
		put_panel(l, i);
	put_marks(l);
	plot_put_vcpus(f, g);
	fprintf(f, "ideal = %d\n", !isnan(l->ideal));
}

/* ------------------------------------------------------------------- texts */

static void put_note(const struct lines *l)
{
	struct plot_picture *p = l->p;

	if (l->coverage <= 0)
		plot_append(p->note, sizeof(p->note), "one repeat: no bands");
	else if (!isnan(l->coverage))
		plot_append(p->note, sizeof(p->note),
			    "bands: intervals that cover the median with "
			    "%.3g %% or more",
			    l->coverage * 100);
	else
		plot_append(p->note, sizeof(p->note),
			    "lines: all repeats together, bands: range of the "
			    "repeats");
	plot_note_statuses(p);
}

/* The highest count at which the first panel has a value of any line. */
static size_t last_vcpus(const struct lines *l)
{
	size_t v = l->g->nvcpus;

	while (v-- > 1)
		for (size_t i = 0; i < l->g->nlines; i++)
			if (plot_value(&l->chart->panel[0].measure,
				       plot_at(l->g, i, v))
				    .n)
				return v;
	return 0;
}

static void put_alt(const struct lines *l)
{
	size_t v = last_vcpus(l);
	FILE *f = l->p->alt;

	fprintf(f, "At %u vCPUs", l->g->vcpus[v]);
	for (size_t k = 0; k < l->chart->npanels; k++) {
		const struct plot_panel *panel = &l->chart->panel[k];
		const char *unit = panel->measure.per_1000
					   ? "per 1000 operations"
					   : plot_unit(l->g, &panel->measure);

		fprintf(f, "%s %s: ", k ? ";" : ",", panel->name);
		for (size_t i = 0; i < l->g->nlines; i++) {
			const struct plot_cell *cell = plot_at(l->g, i, v);
			char text[64];

			fprintf(f, "%s%s %s", i ? ", " : "",
				l->g->line[i].label,
				plot_good(cell)
					? plot_figure(
						  plot_value(&panel->measure,
							     cell)
							  .value,
						  unit, text, sizeof(text))
					: plot_status_name(cell));
		}
	}
	fputc('.', f);
}

bool plot_write_lines(struct plot_picture *p)
{
	const struct plot_chart *chart = p->kind->spec;
	struct lines l = {.p = p, .g = p->group, .chart = chart};

	find_ideal(&l);
	make_axes(&l);
	if (l.values == 0 ||
	    (chart->panel[0].style == PANEL_EVENTS && l.all_zero)) {
		plot_append(p->why, sizeof(p->why), "%s", chart->empty);
		return false;
	}
	put_data(&l);
	put_script(&l);
	put_note(&l);
	put_alt(&l);
	return true;
}
