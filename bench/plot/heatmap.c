/* SPDX-License-Identifier: GPL-2.0-only */
/* Workloads by policies: how the rate differs from that of one policy. */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "bench/base/arena.h"
#include "bench/plot/plot.h"

static const struct plot_measure rate = {".rate", 0, false};

/* Smaller changes are no change: as `tdmem show` decides. */
#define MATERIAL 0.01
/* Ends of the colours, in percent: noise is not painted as if it were much. */
#define LEAST_SCALE 5.0
#define MOST_SCALE  100.0

/* A column is a label; groups need not have the same ones. */
struct heatmap {
	struct plot_picture *p;
	const struct plot_set *set;
	const char **column;
	size_t ncolumns, nrows, compared;
	size_t alone; /* cells that have no baseline */
	size_t base;  /* column */
	double scale;
	double least, most; /* ratios, of `least_name` and so on */
	char least_name[160], most_name[160];
	bool told[128]; /* letters */
};

/* ----------------------------------------------------------------- columns */

static size_t find_column(const struct heatmap *h, const char *label)
{
	size_t i = 0;

	while (i < h->ncolumns && strcmp(h->column[i], label) != 0)
		i++;
	return i;
}

static bool find_columns(struct heatmap *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->set->ngroups; i++)
		n += h->set->group[i].nlines;
	h->column = arena_alloc(h->set->arena, n, sizeof(*h->column));
	for (size_t i = 0; h->column && i < h->set->ngroups; i++) {
		const struct plot_group *g = &h->set->group[i];

		for (size_t l = 0; l < g->nlines; l++) {
			size_t at = find_column(h, g->line[l].label);

			h->column[at] = g->line[l].label;
			h->ncolumns += at == h->ncolumns;
		}
	}
	return h->column;
}

/* The line of a group that is a column; SIZE_MAX: it has none. */
static size_t line_of(const struct heatmap *h, const struct plot_group *g,
		      size_t column)
{
	for (size_t l = 0; l < g->nlines; l++)
		if (strcmp(g->line[l].label, h->column[column]) == 0)
			return l;
	return SIZE_MAX;
}

/* By label, or by policy when lines are of several sides. */
static bool find_base(struct heatmap *h)
{
	const char *name = h->set->options->baseline;

	if (!name)
		return true;
	for (h->base = 0; h->base < h->ncolumns; h->base++)
		if (strcmp(h->column[h->base], name) == 0)
			return true;
	for (size_t i = 0; i < h->set->ngroups; i++) {
		const struct plot_group *g = &h->set->group[i];

		for (size_t l = 0; l < g->nlines; l++) {
			if (strcmp(g->line[l].policy, name) != 0)
				continue;
			h->base = find_column(h, g->line[l].label);
			return true;
		}
	}
	return false;
}

/* ------------------------------------------------------------------- cells */

/* No change when the ranges of repeats overlap. */
static bool differs(const struct plot_cell *a, const struct plot_cell *b,
		    double ratio)
{
	struct plot_value x = plot_range(&rate, a), y = plot_range(&rate, b);

	return fabs(ratio) > MATERIAL && (x.low > y.high || y.low > x.high);
}

static void remember(struct heatmap *h, const struct plot_group *g,
		     size_t column, double ratio)
{
	if (h->compared++ == 0) {
		h->least = INFINITY;
		h->most = -INFINITY;
	}
	if (ratio < h->least) {
		h->least = ratio;
		snprintf(h->least_name, sizeof(h->least_name), "%.100s, %.50s",
			 g->name, h->column[column]);
	}
	if (ratio > h->most) {
		h->most = ratio;
		snprintf(h->most_name, sizeof(h->most_name), "%.100s, %.50s",
			 g->name, h->column[column]);
	}
	h->scale = fmax(h->scale, fabs(ratio) * 100);
}

/* A change that rounds to nothing has no sign. */
static void put_change(struct heatmap *h, const struct plot_cell *cell,
		       const struct plot_cell *base, double ratio)
{
	int digits = fabs(ratio) < 0.995 ? 1 : 0;
	bool nothing = fabs(ratio) < 0.0005;

	fprintf(h->p->data, "%.10g\tok\t\"%s", ratio * 100,
		differs(cell, base, ratio) ? "" : "~ ");
	fprintf(h->p->data, nothing ? "%.*f" : "%+.*f", digits,
		nothing ? 0 : ratio * 100);
	fputs(" %\"\n", h->p->data);
}

/* What cannot be compared, or is what others are compared with. */
static void put_rate(struct heatmap *h, double change, double value)
{
	FILE *f = h->p->data;
	char text[64];

	fputs(isnan(change) ? "NaN" : "0", f);
	fprintf(f, "\tok\t\"%s\"\n",
		plot_figure(value, "1/s", text, sizeof(text)));
	if (isnan(change))
		h->alone++;
}

static void put_cell(struct heatmap *h, const struct plot_group *g, size_t row,
		     size_t column, size_t vcpus)
{
	static const struct plot_cell none = {NULL, NULL, false};
	size_t line = line_of(h, g, column), base_line = line_of(h, g, h->base);
	const struct plot_cell *cell =
		line == SIZE_MAX ? &none : plot_at(g, line, vcpus);
	const struct plot_cell *base =
		base_line == SIZE_MAX ? &none : plot_at(g, base_line, vcpus);
	double value = plot_value(&rate, cell).value;
	double ratio = value / plot_value(&rate, base).value - 1;

	fprintf(h->p->data, "%zu\t%zu\t", column, row);
	if (!plot_good(cell)) {
		fprintf(h->p->data, "NaN\t%s\t\"%s\"\n", plot_status_name(cell),
			cell->cell ? plot_status(cell)->name : "");
	} else if (column == h->base || !isfinite(ratio)) {
		put_rate(h, column == h->base ? 0 : (double)NAN, value);
	} else {
		remember(h, g, column, ratio);
		put_change(h, cell, base, ratio);
	}
}

/* Where nobody ended ok: the highest count, to show how they ended. */
static size_t row_vcpus(const struct plot_set *set, const struct plot_group *g)
{
	size_t common = plot_common(set, g);

	if (common != SIZE_MAX)
		return common;
	for (size_t v = g->nvcpus; v-- > 0;)
		if (!set->options->vcpus ||
		    g->vcpus[v] == (uint32_t)set->options->vcpus)
			return v;
	return SIZE_MAX;
}

static void put_rows(struct heatmap *h)
{
	FILE *f = h->p->script;

	fputs("# columns (tab between): column, row, change in percent, "
	      "status, text\n",
	      h->p->data);
	plot_put_array(f, "row", h->set->ngroups);
	plot_put_array(f, "at", h->set->ngroups);
	for (size_t i = 0; i < h->set->ngroups; i++) {
		const struct plot_group *g = &h->set->group[i];
		size_t vcpus = row_vcpus(h->set, g);

		if (vcpus == SIZE_MAX)
			continue;
		plot_put_element(f, "row", h->nrows + 1, g->name);
		fprintf(f, "at[%zu] = ' @ %u'\n", h->nrows + 1,
			g->vcpus[vcpus]);
		for (size_t c = 0; c < h->ncolumns; c++)
			put_cell(h, g, h->nrows, c, vcpus);
		h->nrows++;
	}
}

/* ----------------------------------------------------------------- picture */

static void put_script(struct heatmap *h)
{
	FILE *f = h->p->script;

	fprintf(f, "rows = %zu\ncolumns = %zu\nbase = %zu\nscale = %.10g\n",
		h->nrows, h->ncolumns, h->base, fmin(h->scale, MOST_SCALE));
	plot_put_array(f, "column_name", h->ncolumns);
	for (size_t i = 0; i < h->ncolumns; i++) {
		plot_put_element(f, "column_name", i + 1, h->column[i]);
	}
}

static void put_alt(struct heatmap *h)
{
	FILE *f = h->p->alt;

	fprintf(f,
		"Change of the rate against %s, at the vCPU count in each row: "
		"highest %+.1f %% (%s), lowest %+.1f %% (%s).",
		h->column[h->base], h->most * 100, h->most_name, h->least * 100,
		h->least_name);
}

__attribute__((format(printf, 2, 3))) static bool
leave_out(struct plot_picture *p, const char *why, ...)
{
	va_list args;

	va_start(args, why);
	vsnprintf(p->why, sizeof(p->why), why, args);
	va_end(args);
	return false;
}

bool plot_write_heatmap(struct plot_picture *p)
{
	struct heatmap h = {.p = p, .set = p->set, .scale = LEAST_SCALE};

	if (!find_columns(&h))
		return leave_out(p, "out of memory");
	if (h.ncolumns < 2)
		return leave_out(p, "only one policy: nothing to compare");
	if (!find_base(&h))
		return leave_out(p, "no policy is called \"%.40s\"",
				 h.set->options->baseline);
	put_rows(&h);
	if (h.compared == 0)
		return leave_out(p, "no two cells have a rate");
	put_script(&h);
	snprintf(
		p->subtitle, sizeof(p->subtitle),
		"change against %.60s, whose own rate (1/s) is shown; workload "
		"@ vCPUs",
		h.column[h.base]);
	plot_append(p->note, sizeof(p->note),
		    "medians; ~: the ranges of the repeats overlap, or the "
		    "change is within 1 %%%s%s",
		    h.alone ? "; a rate: nothing to compare it with" : "",
		    h.nrows < h.set->ngroups
			    ? "; some workloads do not have the vCPU count"
			    : "");
	put_alt(&h);
	return true;
}
