/* SPDX-License-Identifier: GPL-2.0-only */
/* Comparisons for terminals and for mails. */
#include <string.h>

#include "bench/base/layout.h"
#include "bench/compare/doc.h"

enum { MARGIN = 11 }; /* columns of the names of facts */

static void print_line(struct compare_doc *doc, const char *name,
		       const char *text)
{
	layout_wrap(doc->f, doc->width, doc_print(doc, "%-*s", MARGIN, name),
		    MARGIN, text);
}

static void print_ends(struct compare_doc *doc)
{
	enum { MANY = 40 };
	const struct compare_row **row;
	size_t n = ended_differently(doc, &row);
	size_t shown = n > MANY && !doc->style->all ? MANY : n;

	if (n)
		print_line(doc, "ended",
			   doc_print(doc, "%zu cell%s otherwise:", n,
				     n == 1 ? "" : "s"));
	for (size_t i = 0; i < shown; i++)
		print_line(doc, "", ended_text(doc, row[i]));
	if (shown < n)
		print_line(doc, "", doc_print(doc, "and %zu more", n - shown));
}

static void print_sides(struct compare_doc *doc)
{
	for (size_t i = 0; i < doc->c->nsides; i++)
		print_line(doc, i ? "new" : "base", side_text(doc, i));
}

/* What came out stands before how. */
static void print_outcome(struct compare_doc *doc)
{
	print_sides(doc);
	compare_each_warning(doc, print_line);
	compare_each_fact(doc, compare_summary, print_line);
	print_ends(doc);
	fputc('\n', doc->f);
}

/* ------------------------------------------------------------------- forms */

static bool print_text(const struct comparison *c,
		       const struct compare_style *style, FILE *f)
{
	struct compare_doc doc = doc_begin(c, style, f, TABLE_WIDTH);

	doc.colour = style->colour;
	print_outcome(&doc);
	compare_each_fact(&doc, compare_facts_short, print_line);
	print_tables(&doc);
	return doc_end(&doc);
}

static bool print_mail(const struct comparison *c,
		       const struct compare_style *style, FILE *f)
{
	struct compare_doc doc = doc_begin(c, style, f, MAIL_WIDTH);

	print_outcome(&doc);
	compare_each_fact(&doc, compare_facts, print_line);
	if (style->command) {
		fputs("\nTo get the same again:\n\n", f);
		if (!layout_command(f, MAIL_WIDTH, 2, style->command))
			doc.failed = true;
	}
	print_tables(&doc);
	return doc_end(&doc);
}

const struct compare_form compare_form_text = {
	"text",
	"tables for the terminal",
	print_text,
};

const struct compare_form compare_form_mail = {
	"mail",
	"for mails: how it was made, and tables of at most 75 columns",
	print_mail,
};
