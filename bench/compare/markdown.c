/* SPDX-License-Identifier: GPL-2.0-only */
/* Comparisons as Markdown, with the tables that GitHub and GitLab render. */
#include <string.h>

#include "bench/base/layout.h"
#include "bench/compare/doc.h"

/* What means something in Markdown or in HTML, and what stands for it. */
static const char *escape(char c)
{
	static const char *const entity[] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;"};
	static const char *const slash[] = {
		['|'] = "\\|",	 ['`'] = "\\`", ['*'] = "\\*", ['_'] = "\\_",
		['\\'] = "\\\\", ['['] = "\\[", [']'] = "\\]", ['#'] = "\\#",
		['~'] = "\\~",	 ['$'] = "\\$", ['!'] = "\\!", ['@'] = "\\@",
	};
	unsigned char i = (unsigned char)c;

	if (i < sizeof(entity) / sizeof(*entity) && entity[i])
		return entity[i];
	return i < sizeof(slash) / sizeof(*slash) ? slash[i] : NULL;
}

static void put(struct compare_doc *doc, const char *plain)
{
	for (; *plain; plain++) {
		const char *escaped = escape(*plain);

		if (escaped)
			fputs(escaped, doc->f);
		else
			fputc(*plain, doc->f);
	}
}

static void put_cell(struct compare_doc *doc, const char *plain)
{
	fputs(" ", doc->f);
	put(doc, plain);
	fputs(" |", doc->f);
}

static void put_item(struct compare_doc *doc, const char *name,
		     const char *text)
{
	fprintf(doc->f, "- **%s**: ", name);
	put(doc, text);
	fputc('\n', doc->f);
}

static void put_ends(struct compare_doc *doc)
{
	const struct compare_row **row;
	size_t n = ended_differently(doc, &row);

	for (size_t i = 0; i < n; i++)
		put_item(doc, "ended otherwise", ended_text(doc, row[i]));
}

/* In a fence that is longer than any within. */
static void put_command(struct compare_doc *doc)
{
	size_t fence = 3;

	if (!doc->style->command)
		return;
	for (const char *p = doc->style->command; *p; p++) {
		size_t n = strspn(p, "`");

		fence = n >= fence ? n + 1 : fence;
		p += n ? n - 1 : 0;
	}
	fputc('\n', doc->f);
	for (size_t i = 0; i < fence; i++)
		fputc('`', doc->f);
	fputs("sh\n", doc->f);
	if (!layout_command(doc->f, TABLE_WIDTH, 0, doc->style->command))
		doc->failed = true;
	for (size_t i = 0; i < fence; i++)
		fputc('`', doc->f);
	fputc('\n', doc->f);
}

/* ------------------------------------------------------------------ tables */

static void put_head(struct compare_doc *doc)
{
	const struct comparison *c = doc->c;

	fputs("|", doc->f);
	for (size_t i = 0; i < c->nkeys; i++)
		put_cell(doc, doc_plain(doc, key_title(c->key_name[i])));
	for (size_t i = 0; i < c->nsides; i++) {
		put_cell(doc, side_label(doc, i));
		if (i)
			fputs(" change | interval | p | |", doc->f);
	}
	fputs("\n|", doc->f);
	for (size_t i = 0; i < c->nkeys; i++)
		fputs(":--|", doc->f);
	for (size_t i = 0; i < c->nsides; i++)
		fputs(i ? "--:|--:|--:|--:|:--|" : "--:|", doc->f);
	fputc('\n', doc->f);
}

static void put_change(struct compare_doc *doc, const struct change *change)
{
	char buf[FIGURE];
	bool loud = change->verdict >= VERDICT_BETTER;

	if (change->verdict == VERDICT_NONE) {
		fputs(" | | | |", doc->f);
		return;
	}
	fprintf(doc->f, " %s |", figure_change(change->ratio, buf));
	fprintf(doc->f, " %s |", figure_interval(&change->interval, buf));
	put_cell(doc, figure_p(change, buf));
	if (loud)
		fprintf(doc->f, " **%s** |", figure_verdict(change, buf));
	else
		put_cell(doc, figure_verdict(change, buf));
}

static void put_row(struct compare_doc *doc, const struct compare_row *row)
{
	const char *unit = doc->c->group[row->group].unit;
	char value[FIGURE], spread[FIGURE];

	fputs("|", doc->f);
	for (size_t i = 0; i < doc->c->nkeys; i++)
		put_cell(doc, doc_plain(doc, row->key[i]));
	for (size_t i = 0; i < doc->c->nsides; i++) {
		const struct estimate *side = row->side + i;

		if (side->n)
			put_cell(doc,
				 doc_join(doc,
					  figure_value(side->median, unit,
						       value),
					  " ", figure_spread(side, spread)));
		else
			put_cell(doc, status_text(doc, side));
		if (i)
			put_change(doc, row->change + i);
	}
	fputc('\n', doc->f);
}

static void put_group(struct compare_doc *doc,
		      const struct compare_group *group)
{
	const struct compare_row *row = doc->c->row + group->first;
	size_t shown = 0;

	fputs("\n### ", doc->f);
	put(doc, group_title(doc, group));
	fputs("\n\n", doc->f);
	for (size_t i = 0; i < group->nrows; i++) {
		if (!row_is_shown(doc, row + i))
			continue;
		if (!shown++)
			put_head(doc);
		put_row(doc, row + i);
	}
	if (shown && shown < group->nrows)
		fputc('\n', doc->f);
	if (shown < group->nrows)
		fprintf(doc->f, "%zu of %zu rows; no change in the others.\n",
			shown, group->nrows);
}

static bool print_markdown(const struct comparison *c,
			   const struct compare_style *style, FILE *f)
{
	struct compare_doc doc = doc_begin(c, style, f, 0);

	for (size_t i = 0; i < c->nsides; i++)
		put_item(&doc, i ? "new" : "base", side_text(&doc, i));
	compare_each_warning(&doc, put_item);
	compare_each_fact(&doc, compare_summary, put_item);
	put_ends(&doc);
	compare_each_fact(&doc, compare_facts, put_item);
	put_command(&doc);
	for (size_t i = 0; i < c->ngroups; i++)
		put_group(&doc, c->group + i);
	return doc_end(&doc);
}

const struct compare_form compare_form_markdown = {
	"markdown",
	"tables as GitHub and GitLab render them",
	print_markdown,
};
