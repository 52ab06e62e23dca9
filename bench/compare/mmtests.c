/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The layout of mmtests' comparisons: each statistic in a line, positive is
 * better.  Ours in it: stars stand where the change is one of ours, which is
 * tested on the medians and on nothing else.
 */
#include <math.h>
#include <string.h>

#include "bench/base/layout.h"
#include "bench/compare/doc.h"

enum { STATISTIC_WIDTH = 10, SIDE_WIDTH = 29, NAME_LEAST = 7 };

/* A statistic: where in struct estimate it is. */
struct statistic {
	const char *name;
	size_t offset;
	bool tested;
	bool spread; /* less of it is better whatever the metric */
	bool rates;  /* only where higher is better, as mmtests does */
	bool others; /* only elsewhere */
};

#define AT(member) offsetof(struct estimate, member)
static const struct statistic statistics[] = {
	{"Min", AT(low), .tested = false},
	{"Hmean", AT(hmean), .rates = true},
	{"Amean", AT(mean), .others = true},
	{"Median", AT(median), .tested = true},
	{"Stddev", AT(deviation), .spread = true},
	{"Max", AT(high), .tested = false},
};

static double value_of(const struct estimate *side,
		       const struct statistic *statistic)
{
	return *(const double *)((const char *)side + statistic->offset);
}

/* In percent, positive is better; of metrics without a direction: higher. */
static double gain(double base, double new, int better)
{
	double percent = 100 * (new - base) / fabs(base);

	if (new == base)
		return 0;
	return better < 0 ? -percent : percent;
}

static void print_value(struct compare_doc *doc, const struct estimate *side,
			double v)
{
	const char *status;

	if (side->n && !isnan(v)) {
		fprintf(doc->f, fabs(v) < 1e12 ? "%18.2f" : "%18.6e", v);
		return;
	}
	status = side->n ? "-" : status_text(doc, side);
	status = doc->failed ? NULL : layout_cut(doc->arena, status, 17);
	if (!status) {
		doc->failed = true;
		return;
	}
	fprintf(doc->f, "%*s%s", (int)(18 - layout_width(status)), "", status);
}

static void print_gain(FILE *f, double percent, bool star)
{
	if (isnan(percent) || isinf(percent))
		fprintf(f, " %c%7s %c", star ? '*' : '(', "-",
			star ? '*' : ')');
	else if (fabs(percent) < 9999.995)
		fprintf(f, " %c%7.2f%%%c", star ? '*' : '(', percent,
			star ? '*' : ')');
	else
		fprintf(f, " %c%7.0e%%%c", star ? '*' : '(', percent,
			star ? '*' : ')');
}

static bool is_change(const struct change *change)
{
	return change->verdict >= VERDICT_BETTER;
}

static bool concerns(const struct statistic *statistic, int better)
{
	return better > 0 ? !statistic->others : !statistic->rates;
}

static void print_line(struct compare_doc *doc, const struct compare_row *row,
		       const char *name, size_t width,
		       const struct statistic *statistic)
{
	int better = doc->c->group[row->group].better;
	double base = value_of(row->side, statistic);

	fprintf(doc->f, "%-*s%s%*s", STATISTIC_WIDTH, statistic->name, name,
		(int)(width - layout_width(name)), "");
	for (size_t i = 0; i < doc->c->nsides; i++) {
		double v = value_of(row->side + i, statistic);
		bool there = row->side[0].n && row->side[i].n;

		print_value(doc, row->side + i, v);
		if (!there) {
			if (i + 1 < doc->c->nsides)
				fprintf(doc->f, "%11s", "");
			continue;
		}
		print_gain(
			doc->f, gain(base, v, statistic->spread ? -1 : better),
			i && statistic->tested && is_change(row->change + i));
	}
	fputc('\n', doc->f);
}

/* "fault.rate-spin-64", as mmtests puts what varies into names. */
static const char *row_name(struct compare_doc *doc,
			    const struct compare_row *row)
{
	const struct compare_group *group = doc->c->group + row->group;

	return doc_join(doc, group_word(doc, group, '-'), "-",
			row_cell(doc, row, "-", false));
}

/* Labels above their columns, in as many lines as the longest needs. */
static void print_labels(struct compare_doc *doc, size_t margin)
{
	enum { MOST = SIDE_WIDTH - 2 };
	size_t n = doc->c->nsides;

	fprintf(doc->f, "%*s", (int)margin, "");
	for (size_t i = 0; i < n; i++) {
		const char *label = side_label(doc, i);
		const char *cut = doc->failed
					  ? NULL
					  : layout_cut(doc->arena, label, MOST);

		if (!cut) {
			doc->failed = true;
			return;
		}
		fprintf(doc->f, "%*s%s", (int)(SIDE_WIDTH - layout_width(cut)),
			"", cut);
	}
	fputc('\n', doc->f);
}

static bool print_mmtests(const struct comparison *c,
			  const struct compare_style *style, FILE *f)
{
	enum { STATISTICS = sizeof(statistics) / sizeof(*statistics) };
	struct compare_doc doc = doc_begin(c, style, f, 0);
	size_t width = NAME_LEAST, shown = 0;
	const char *workload = "";

	for (size_t i = 0; i < c->nrows; i++) {
		size_t n = layout_width(row_name(&doc, c->row + i)) + 1;

		if (row_is_shown(&doc, c->row + i) && n > width)
			width = n;
	}
	for (size_t i = 0; i < c->nsides; i++)
		fprintf(f, "%s  %s\n", i ? "new " : "base", side_text(&doc, i));
	fputs("positive is better; * instead of brackets: a change\n", f);
	for (size_t i = 0; i < c->nrows; i++) {
		const struct compare_row *row = c->row + i;
		const struct compare_group *group = c->group + row->group;

		if (!row_is_shown(&doc, row))
			continue;
		if (!shown || strcmp(workload, group->workload) != 0) {
			workload = group->workload;
			fprintf(f, "\n%s%s\n", doc_plain(&doc, workload),
				group->modelled ? " (model output)" : "");
			print_labels(&doc, STATISTIC_WIDTH + width);
		}
		shown++;
		for (size_t j = 0; j < STATISTICS; j++)
			if (concerns(statistics + j, group->better))
				print_line(&doc, row, row_name(&doc, row),
					   width, statistics + j);
	}
	if (shown < c->nrows)
		fprintf(f, "\n%zu of %zu rows; no change in the others.\n",
			shown, c->nrows);
	return doc_end(&doc);
}

const struct compare_form compare_form_mmtests = {
	"mmtests",
	"the layout of mmtests",
	print_mmtests,
};
