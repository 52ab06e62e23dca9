/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables of the forms text and mail.  All is measured before anything is
 * printed, as names that do not fit are explained above the tables.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/base/layout.h"
#include "bench/compare/doc.h"

/* Columns of a side; the base has the first one. */
enum { VALUE, BASE_COLUMNS };
enum { CHANGE = BASE_COLUMNS, P, VERDICT, SIDE_COLUMNS };

/* Two parts of a column, so that each stands below its like. */
enum { LEFT, RIGHT, PARTS };
typedef char part_cell[PARTS][FIGURE];

/* Names of keys keep so many columns, or all keys become one column. */
enum { KEY_LEAST = 5, KEYS_LEAST = 12, LABEL_MOST = 12, STATUS_MOST = 12 };

struct short_name {
	const char *full, *cut;
};

struct layout {
	struct compare_doc *doc;
	size_t nkeys;	/* columns of keys: 1 when they are joined */
	bool joined;	/* keys are one column */
	size_t *width;	/* of each of them */
	size_t numbers; /* columns before those that are all numbers */
	size_t part[SIDE_COLUMNS][PARTS]; /* widest of figures */
	size_t alone; /* widest of what stands instead of a value */
	size_t indent;
	struct short_name *names;
	size_t nnames, room;
};

static bool is_number(const char *text)
{
	return text[strspn(text, "0123456789.")] == '\0';
}

/* -------------------------------------------------------------- short names */

static const struct short_name *with_cut(const struct layout *l,
					 const char *cut)
{
	for (size_t i = 0; i < l->nnames; i++)
		if (strcmp(l->names[i].cut, cut) == 0)
			return l->names + i;
	return NULL;
}

/* A cut that no other name has: the last of them get numbers. */
static const char *unlike_others(struct layout *l, const char *full,
				 size_t width)
{
	struct compare_doc *doc = l->doc;
	const char *cut = layout_cut(doc->arena, full, width);

	for (size_t i = 2; cut && with_cut(l, cut); i++) {
		const char *number = doc_print(doc, "~%zu", i);
		size_t n = strlen(number) + 4;

		cut = layout_cut(doc->arena, full,
				 width > n ? width - n + 4 : 4);
		cut = cut ? doc_print(doc, "%s%s", cut, number) : NULL;
		if (doc->failed)
			break;
	}
	return cut;
}

/* What a plain name is in the tables. */
static const char *short_name(struct layout *l, const char *full, size_t width)
{
	struct short_name *grown;
	const char *cut;

	if (layout_width(full) <= width || l->doc->failed)
		return full;
	for (size_t i = 0; i < l->nnames; i++)
		if (strcmp(l->names[i].full, full) == 0 &&
		    layout_width(l->names[i].cut) <= width)
			return l->names[i].cut;
	cut = unlike_others(l, full, width);
	if (l->nnames == l->room) {
		l->room = l->room ? 2 * l->room : 16;
		grown = realloc(l->names, l->room * sizeof(*grown));
		if (!grown)
			cut = NULL;
		else
			l->names = grown;
	}
	if (!cut) {
		l->doc->failed = true;
		return "";
	}
	l->names[l->nnames++] = (struct short_name){full, cut};
	return cut;
}

/* -------------------------------------------------------------------- texts */

static const char *key_text(const struct layout *l,
			    const struct compare_row *row, size_t i)
{
	const char *text = l->joined ? row_cell(l->doc, row, "/", false)
				     : doc_plain(l->doc, row->key[i]);

	return *text ? text : "-";
}

static const char *key_head(const struct layout *l, size_t i)
{
	const char *head = "";

	if (!l->joined)
		return doc_plain(l->doc, key_title(l->doc->c->key_name[i]));
	for (i = 0; i < l->doc->c->nkeys; i++)
		head = doc_join(
			l->doc, head, "/",
			doc_plain(l->doc, key_title(l->doc->c->key_name[i])));
	return head;
}

/* A side's name in the heads: its label when that is short. */
static const char *side_head(struct compare_doc *doc, size_t i)
{
	const char *label = side_label(doc, i);

	if (*label && layout_width(label) <= LABEL_MOST)
		return label;
	if (i == 0)
		return "base";
	return doc->c->nsides == 2 ? "new" : doc_print(doc, "new%zu", i);
}

/* The figures of a side of a row; of the base only its value. */
static void side_cells(const struct layout *l, const struct compare_row *row,
		       size_t i, part_cell cell[SIDE_COLUMNS])
{
	const struct estimate *side = row->side + i;
	const struct change *change = row->change + i;
	struct compare_doc *doc = l->doc;
	const char *status;

	memset(cell, 0, SIDE_COLUMNS * sizeof(*cell));
	if (side->n) {
		figure_value(side->median, doc->c->group[row->group].unit,
			     cell[VALUE][LEFT]);
		figure_spread(side, cell[VALUE][RIGHT]);
	} else if (!doc->failed) {
		status = layout_cut(doc->arena, status_text(doc, side),
				    STATUS_MOST);
		snprintf(cell[VALUE][LEFT], FIGURE, "%s",
			 status && strlen(status) < FIGURE ? status : "?");
	}
	if (i == 0 || change->verdict == VERDICT_NONE)
		return;
	figure_change(change->ratio, cell[CHANGE][LEFT]);
	figure_interval(&change->interval, cell[CHANGE][RIGHT]);
	figure_p(change, cell[P][RIGHT]);
	figure_verdict(change, cell[VERDICT][LEFT]);
}

/* ------------------------------------------------------------------ measure */

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* What happened instead of a value stands alone in its column. */
static bool is_alone(const struct compare_row *row, size_t side, size_t column)
{
	return column == VALUE && row->side[side].n == 0;
}

static void measure_cell(struct layout *l, size_t column, part_cell cell,
			 bool alone)
{
	size_t *part = l->part[column];

	if (alone) {
		l->alone = larger(l->alone, layout_width(cell[LEFT]));
		return;
	}
	for (size_t i = 0; i < PARTS; i++)
		part[i] = larger(part[i], layout_width(cell[i]));
}

/* The widest figures of n rows. */
static void measure_parts(struct layout *l, size_t first, size_t n)
{
	const struct comparison *c = l->doc->c;
	part_cell cell[SIDE_COLUMNS];

	memset(l->part, 0, sizeof(l->part));
	l->alone = 0;
	for (size_t i = first; i < first + n; i++) {
		const struct compare_row *row = c->row + i;

		if (!row_is_shown(l->doc, row))
			continue;
		for (size_t j = 0; j < c->nsides; j++) {
			side_cells(l, row, j, cell);
			for (size_t k = 0; k < SIDE_COLUMNS; k++)
				measure_cell(l, k, cell[k],
					     is_alone(row, j, k));
		}
	}
}

static size_t column_width(const struct layout *l, size_t column)
{
	const size_t *part = l->part[column];
	size_t width = part[LEFT] + part[RIGHT] + (part[LEFT] && part[RIGHT]);

	if (column != VALUE)
		return width;
	return larger(larger(width, l->alone), LABEL_MOST);
}

/* Columns that figures take, with gaps, if each side has a part of its own. */
static size_t figures_width(struct layout *l)
{
	const struct comparison *c = l->doc->c;
	size_t most = 0;

	for (size_t g = 0; g < c->ngroups; g++) {
		size_t sum = 0;

		measure_parts(l, c->group[g].first, c->group[g].nrows);
		for (size_t i = 0; i < BASE_COLUMNS; i++)
			sum += column_width(l, i) + 1;
		for (size_t i = 0; i < SIDE_COLUMNS && c->nsides > 1; i++)
			sum += column_width(l, i) + 1;
		/* The last gap is none. */
		most = larger(most, sum - 1);
	}
	return most;
}

static void measure_keys(struct layout *l)
{
	const struct comparison *c = l->doc->c;
	bool *number = arena_alloc(l->doc->arena, l->nkeys + 1, 1);

	l->width = arena_alloc(l->doc->arena, l->nkeys + 1, sizeof(size_t));
	if (!number || !l->width) {
		l->doc->failed = true;
		return;
	}
	for (size_t k = 0; k < l->nkeys; k++) {
		number[k] = true;
		l->width[k] = layout_width(key_head(l, k));
		for (size_t i = 0; i < c->nrows; i++) {
			const char *text;

			if (!row_is_shown(l->doc, c->row + i))
				continue;
			text = key_text(l, c->row + i, k);
			l->width[k] = larger(l->width[k], layout_width(text));
			number[k] = number[k] && is_number(text);
		}
	}
	for (l->numbers = l->nkeys; l->numbers && number[l->numbers - 1];)
		l->numbers--;
}

static size_t keys_width(const struct layout *l)
{
	size_t sum = 0;

	for (size_t i = 0; i < l->nkeys; i++)
		sum += l->width[i] + (i > 0);
	return sum;
}

/* Take columns from the widest key until all fit. */
static void shrink_keys(struct layout *l, size_t budget)
{
	for (size_t sum = keys_width(l); sum > budget; sum--) {
		size_t widest = 0;

		for (size_t i = 1; i < l->nkeys; i++)
			if (l->width[i] > l->width[widest])
				widest = i;
		l->width[widest]--;
	}
}

static void measure(struct layout *l)
{
	size_t width = l->doc->width, figures = figures_width(l) + 1, budget;

	budget = width > figures + KEYS_LEAST ? width - figures : KEYS_LEAST;
	measure_keys(l);
	if (l->doc->failed)
		return;
	if (keys_width(l) > budget && l->nkeys * (KEY_LEAST + 1) > budget) {
		l->joined = true;
		l->nkeys = 1;
		measure_keys(l);
	}
	if (!l->doc->failed)
		shrink_keys(l, budget);
	l->indent = 2 + keys_width(l) + figures <= width ? 2 : 0;
}

/* Find all names that must be cut before the first is printed. */
static void name_keys(struct layout *l)
{
	const struct comparison *c = l->doc->c;

	for (size_t k = 0; k < l->nkeys; k++) {
		short_name(l, key_head(l, k), l->width[k]);
		for (size_t i = 0; i < c->nrows; i++)
			if (row_is_shown(l->doc, c->row + i))
				short_name(l, key_text(l, c->row + i, k),
					   l->width[k]);
	}
}

/* -------------------------------------------------------------------- print */

static void print_name(struct compare_doc *doc, const char *cut,
		       const char *full, bool *begun)
{
	if (!*begun)
		fputc('\n', doc->f);
	*begun = true;
	layout_wrap(doc->f, doc->width, doc_print(doc, "%s = ", cut), 4, full);
}

static void print_names(const struct layout *l)
{
	struct compare_doc *doc = l->doc;
	bool begun = false;

	for (size_t i = 0; i < doc->c->nsides; i++) {
		const char *head = side_head(doc, i);

		if (strcmp(head, side_label(doc, i)) != 0)
			print_name(doc, head, side_label(doc, i), &begun);
	}
	for (size_t i = 0; i < l->nnames; i++)
		print_name(doc, l->names[i].cut, l->names[i].full, &begun);
}

static const char *coloured(const struct layout *l, enum verdict verdict,
			    const char *text)
{
	const char *colour = verdict == VERDICT_BETTER	? "\033[32m"
			     : verdict == VERDICT_WORSE ? "\033[31m"
							: "";

	if (!l->doc->colour || !*colour || !*text)
		return text;
	return doc_print(l->doc, "%s%s\033[0m", colour, text);
}

static void add_keys(struct layout *l, struct table *t,
		     const struct compare_row *row)
{
	for (size_t k = 0; k < l->nkeys; k++)
		table_add(t, "%s",
			  short_name(l,
				     row ? key_text(l, row, k) : key_head(l, k),
				     l->width[k]));
}

static void add_head(struct layout *l, struct table *t)
{
	static const char *const head[SIDE_COLUMNS] = {
		[CHANGE] = "change", [P] = "p", [VERDICT] = ""};
	struct compare_doc *doc = l->doc;

	add_keys(l, t, NULL);
	for (size_t i = 0; i < doc->c->nsides; i++) {
		table_add(t, "%s", side_head(doc, i));
		for (size_t k = CHANGE; i && k < SIDE_COLUMNS; k++)
			table_add(t, "%s", head[k]);
	}
}

/* Both parts, the right one padded on its left. */
static void add_parts(const struct layout *l, struct table *t, size_t column,
		      part_cell cell, enum verdict verdict, bool alone)
{
	const size_t *part = l->part[column];
	const char *gap = part[LEFT] && part[RIGHT] ? " " : "";
	size_t right = part[RIGHT] - strlen(cell[RIGHT]);
	size_t left =
		column == VERDICT ? part[LEFT] - layout_width(cell[LEFT]) : 0;

	if (alone)
		table_add(t, "%s", cell[LEFT]);
	else
		table_add(t, "%s%*s%s%*s%s", coloured(l, verdict, cell[LEFT]),
			  (int)left, "", gap, (int)right, "", cell[RIGHT]);
}

static void add_row(struct layout *l, struct table *t,
		    const struct compare_row *row)
{
	part_cell cell[SIDE_COLUMNS];

	add_keys(l, t, row);
	for (size_t i = 0; i < l->doc->c->nsides; i++) {
		size_t n = i ? (size_t)SIDE_COLUMNS : (size_t)BASE_COLUMNS;

		side_cells(l, row, i, cell);
		for (size_t k = 0; k < n; k++)
			add_parts(l, t, k, cell[k],
				  k == CHANGE || k == VERDICT
					  ? row->change[i].verdict
					  : VERDICT_NONE,
				  is_alone(row, i, k));
	}
}

static size_t shown_rows(const struct layout *l,
			 const struct compare_group *group)
{
	size_t n = 0;

	for (size_t i = 0; i < group->nrows; i++)
		n += row_is_shown(l->doc, l->doc->c->row + group->first + i);
	return n;
}

static void print_group(struct layout *l, const struct compare_group *group)
{
	struct compare_doc *doc = l->doc;
	size_t shown = shown_rows(l, group);
	struct table t;

	if (!shown)
		return;
	measure_parts(l, group->first, group->nrows);
	fputc('\n', doc->f);
	layout_wrap(doc->f, doc->width, "", 2, group_title(doc, group));
	table_init(&t,
		   l->nkeys + BASE_COLUMNS +
			   (doc->c->nsides - 1) * SIDE_COLUMNS,
		   l->nkeys + BASE_COLUMNS, l->numbers);
	t.width = doc->width;
	t.indent = l->indent;
	t.group = SIDE_COLUMNS;
	add_head(l, &t);
	for (size_t i = 0; i < group->nrows; i++) {
		const struct compare_row *row = doc->c->row + group->first + i;

		if (row_is_shown(doc, row))
			add_row(l, &t, row);
	}
	table_print(&t, doc->f);
	if (shown < group->nrows)
		fprintf(doc->f,
			"%*s(%zu of %zu rows; no change in the "
			"others)\n",
			(int)l->indent, "", shown, group->nrows);
}

/* Groups of which nothing is shown, by workload. */
static void print_unchanged(const struct layout *l)
{
	struct compare_doc *doc = l->doc;
	const char *list = "", *workload = NULL;

	for (size_t i = 0; i < doc->c->ngroups; i++) {
		const struct compare_group *group = doc->c->group + i;
		const char *name =
			doc_print(doc, "%s (%zu)", doc_plain(doc, group->name),
				  group->nrows);

		if (shown_rows(l, group))
			continue;
		if (workload && strcmp(workload, group->workload) == 0) {
			list = doc_join(doc, list, ", ", name);
			continue;
		}
		workload = group->workload;
		name = doc_print(doc, "%s: %s", doc_plain(doc, workload), name);
		list = doc_join(doc, list, "; ", name);
	}
	if (!*list)
		return;
	fputc('\n', doc->f);
	layout_wrap(doc->f, doc->width, "Left out, no change (rows): ", 2,
		    list);
}

void print_tables(struct compare_doc *doc)
{
	struct layout l = {.doc = doc, .nkeys = doc->c->nkeys};

	if (!doc->c->nsides || doc->failed)
		return;
	measure(&l);
	if (!doc->failed)
		name_keys(&l);
	if (!doc->failed)
		print_names(&l);
	for (size_t i = 0; i < doc->c->ngroups && !doc->failed; i++)
		print_group(&l, doc->c->group + i);
	if (!doc->failed)
		print_unchanged(&l);
	free(l.names);
}
