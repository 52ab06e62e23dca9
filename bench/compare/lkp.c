/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The layout of lkp-tests' comparisons.  Ours in it: values are medians, and
 * the column %change is only filled where the change is one of ours.
 */
#include <math.h>
#include <string.h>

#include "bench/base/layout.h"
#include "bench/compare/doc.h"

enum { BASE_WIDTH = 16, SIDE_WIDTH = 27, ID_MOST = 10 };

/* lkp-tests' own figures: whole numbers but for the small and the huge. */
static const char *value_text(double v, char buf[FIGURE])
{
	if (isnan(v))
		strcpy(buf, "-");
	else if (fabs(v) < 1000)
		snprintf(buf, FIGURE, "%10.2f", v);
	else if (fabs(v) > 1e8)
		snprintf(buf, FIGURE, "%10.4g", v);
	else
		snprintf(buf, FIGURE, "%10.0f", v);
	return buf;
}

/* The deviation, which lkp-tests shows above 2 % only. */
static const char *deviation_text(const struct estimate *side, char buf[FIGURE])
{
	double percent = 100 * side->deviation / fabs(side->mean);

	if (!(percent > 2))
		return "";
	if (percent > 999)
		percent = 999;
	snprintf(buf, FIGURE, " +-%3.0f%%", percent);
	return buf;
}

static const char *side_value(struct compare_doc *doc,
			      const struct estimate *side, char buf[FIGURE])
{
	const char *status;

	if (side->n)
		return value_text(side->median, buf);
	status = status_text(doc, side);
	return doc->failed ? "" : doc_print(doc, "%s", status);
}

/* Right-aligned by columns, or cut. */
static void put_right(struct compare_doc *doc, size_t width, const char *text)
{
	const char *cut =
		doc->failed ? NULL : layout_cut(doc->arena, text, width);

	if (!cut) {
		doc->failed = true;
		return;
	}
	fprintf(doc->f, "%*s%s", (int)(width - layout_width(cut)), "", cut);
}

/* ------------------------------------------------------------------- heads */

/* Commits are told apart by their hash, other sides by their label. */
static const char *commit(struct compare_doc *doc, size_t i)
{
	const struct samples *samples = doc->c->side[i].samples;
	const json_t *environment, *tags;

	if (!samples)
		return "";
	environment = json_object_get(samples->top, "environment");
	tags = json_object_get(environment, "tags");
	return doc_plain(doc,
			 json_string_value(json_object_get(tags, "commit")));
}

static bool have_commits(struct compare_doc *doc)
{
	for (size_t i = 0; i < doc->c->nsides; i++)
		if (!*commit(doc, i) || strcmp(doc->c->by, "result") != 0)
			return false;
	return doc->c->nsides > 0;
}

static const char *side_id(struct compare_doc *doc, size_t i, bool commits)
{
	const char *label = side_label(doc, i);

	if (!commits)
		return label;
	return doc_print(doc, "%.*s (\"%s\")", ID_MOST, commit(doc, i), label);
}

static void print_head(struct compare_doc *doc)
{
	static const char dashes[] = "--------------------------- ";
	const struct comparison *c = doc->c;
	bool commits = have_commits(doc);

	fprintf(doc->f, "%s:\n",
		commits ? "commit" : doc_plain(doc, c->by ? c->by : "result"));
	for (size_t i = 0; i < c->nsides; i++)
		fprintf(doc->f, "  %s\n", side_id(doc, i, commits));
	fprintf(doc->f, "\n");
	for (size_t i = 0; i < c->nsides; i++) {
		fputs(i ? " " : "", doc->f);
		put_right(doc, i ? SIDE_WIDTH : BASE_WIDTH,
			  side_id(doc, i, commits));
	}
	fprintf(doc->f, "\n");
	for (size_t i = 0; i < c->nsides; i++)
		fprintf(doc->f, "%s%.*s", i ? " " : "",
			i ? SIDE_WIDTH : BASE_WIDTH, dashes);
	fprintf(doc->f, "\n%*s", BASE_WIDTH, "%stddev");
	for (size_t i = 1; i < c->nsides; i++)
		fprintf(doc->f, "%12s%16s", "%change", "%stddev");
	fprintf(doc->f, "\n%14s", "\\");
	for (size_t i = 1; i < c->nsides; i++)
		fprintf(doc->f, "%*s%17s", i > 1 ? 13 : 11, "|", "\\");
	fprintf(doc->f, "\n");
}

/* -------------------------------------------------------------------- rows */

static const char *change_text(const struct change *change, char buf[FIGURE])
{
	switch (change->verdict) {
	case VERDICT_NONE:
		return "";
	case VERDICT_SAME:
	case VERDICT_TOO_FEW:
		return "~";
	default:
		/* Six digits at most, so that it keeps to its column. */
		if (fabs(change->ratio) >= 1000)
			return figure_change(change->ratio, buf);
		snprintf(buf, FIGURE, "%+.1f%%", 100 * change->ratio);
		return buf;
	}
}

static void print_row(struct compare_doc *doc, const struct compare_row *row)
{
	const struct compare_group *group = doc->c->group + row->group;
	const char *cell = row_cell(doc, row, "/", false);
	char buf[FIGURE];

	for (size_t i = 0; i < doc->c->nsides; i++) {
		const struct estimate *side = row->side + i;

		if (i)
			fprintf(doc->f, "%10s ",
				change_text(row->change + i, buf));
		put_right(doc, 10, side_value(doc, side, buf));
		fprintf(doc->f, "%-7s",
			side->n ? deviation_text(side, buf) : "");
	}
	fprintf(doc->f, "  %s.%s%s%s%s\n", doc_plain(doc, group->workload),
		group_word(doc, group, '.'), *cell ? "." : "", cell,
		group->modelled ? " (model)" : "");
}

static bool print_lkp(const struct comparison *c,
		      const struct compare_style *style, FILE *f)
{
	struct compare_doc doc = doc_begin(c, style, f, 0);
	size_t shown = 0;

	print_head(&doc);
	for (size_t i = 0; i < c->nrows; i++) {
		if (!row_is_shown(&doc, c->row + i))
			continue;
		print_row(&doc, c->row + i);
		shown++;
	}
	if (shown < c->nrows)
		fprintf(f, "\n%zu of %zu rows; no change in the others.\n",
			shown, c->nrows);
	return doc_end(&doc);
}

const struct compare_form compare_form_lkp = {
	"lkp",
	"the layout of lkp-tests",
	print_lkp,
};
