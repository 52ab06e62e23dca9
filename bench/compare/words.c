/* SPDX-License-Identifier: GPL-2.0-only */
/* Documents of comparisons: their texts, and which rows they show. */
#include <stdarg.h>
#include <string.h>

#include "bench/base/layout.h"
#include "bench/compare/doc.h"

/* ------------------------------------------------------------------ memory */

struct compare_doc doc_begin(const struct comparison *c,
			     const struct compare_style *style, FILE *f,
			     size_t width)
{
	struct arena *arena = arena_new();

	return (struct compare_doc){
		.c = c,
		.style = style,
		.f = f,
		.width = width,
		.ascii = style->ascii,
		.failed = !arena,
		.arena = arena,
	};
}

bool doc_end(struct compare_doc *doc)
{
	arena_free(doc->arena);
	return !doc->failed;
}

static const char *kept(struct compare_doc *doc, const char *text)
{
	if (!text)
		doc->failed = true;
	return text ? text : "";
}

const char *doc_plain(struct compare_doc *doc, const char *text)
{
	if (doc->failed || !text)
		return "";
	return kept(doc, layout_plain(doc->arena, text, doc->ascii));
}

const char *doc_print(struct compare_doc *doc, const char *format, ...)
{
	va_list args, again;
	char *text;
	int n;

	if (doc->failed)
		return "";
	va_start(args, format);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, args);
	text = n < 0 ? NULL : arena_alloc(doc->arena, (size_t)n + 1, 1);
	if (text)
		vsnprintf(text, (size_t)n + 1, format, again);
	va_end(again);
	va_end(args);
	return kept(doc, text);
}

const char *doc_join(struct compare_doc *doc, const char *list,
		     const char *separator, const char *item)
{
	return doc_print(doc, "%s%s%s", list, *list ? separator : "", item);
}

/* ------------------------------------------------------------------- texts */

const char *better_text(int better)
{
	return better > 0   ? "higher is better"
	       : better < 0 ? "lower is better"
			    : "neither is better";
}

const char *group_title(struct compare_doc *doc,
			const struct compare_group *group)
{
	return doc_print(
		doc, "%s: %s (%s, %s%s)", doc_plain(doc, group->workload),
		doc_plain(doc, group->name), doc_plain(doc, group->unit),
		better_text(group->better),
		group->modelled ? ", model output" : "");
}

const char *group_word(struct compare_doc *doc,
		       const struct compare_group *group, char glue)
{
	const char *name = doc_plain(doc, group->name);
	char *word = doc->failed ? NULL : arena_text(doc->arena, name);

	if (!word)
		return kept(doc, NULL);
	for (char *p = word; *p; p++)
		if (*p == ' ')
			*p = glue;
	return word;
}

const char *key_title(const char *axis)
{
	return strcmp(axis, "vcpus") == 0 ? "vCPUs" : axis;
}

const char *row_cell(struct compare_doc *doc, const struct compare_row *row,
		     const char *separator, bool names)
{
	const char *text = "";

	for (size_t i = 0; i < doc->c->nkeys; i++) {
		const char *key = doc_plain(doc, row->key[i]);

		if (names)
			key = doc_print(doc, "%s=%s",
					doc_plain(doc, doc->c->key_name[i]),
					key);
		text = doc_join(doc, text, separator, *key ? key : "-");
	}
	return text;
}

const char *status_text(struct compare_doc *doc,
			const struct estimate *estimate)
{
	const char *status;

	if (!estimate->there || strcmp(estimate->status, "ok") == 0)
		return "-";
	status = doc_plain(doc, estimate->status);
	return *status ? status : "-";
}

/* -------------------------------------------------------------------- rows */

bool row_ended_alike(const struct comparison *c, const struct compare_row *row)
{
	const char *first = NULL;

	for (size_t i = 0; i < c->nsides; i++) {
		if (!row->side[i].there)
			continue;
		if (first && strcmp(first, row->side[i].status) != 0)
			return false;
		first = row->side[i].status;
	}
	return true;
}

bool row_has_change(const struct comparison *c, const struct compare_row *row)
{
	for (size_t i = 1; i < c->nsides; i++)
		if (row->change[i].verdict >= VERDICT_BETTER)
			return true;
	return !row_ended_alike(c, row);
}

bool leaves_out(const struct compare_doc *doc)
{
	/* What fits on a screen with the header is shown whole. */
	enum { MANY = 20 };

	return !doc->style->all && doc->c->nrows > MANY;
}

bool row_is_shown(const struct compare_doc *doc, const struct compare_row *row)
{
	return !leaves_out(doc) || row_has_change(doc->c, row);
}

size_t ended_differently(struct compare_doc *doc,
			 const struct compare_row ***rows)
{
	const struct comparison *c = doc->c;
	const struct compare_row **row;
	size_t ncells = 0, n = 0;
	bool *seen;

	for (size_t i = 0; i < c->nrows; i++)
		if (c->row[i].cell >= ncells)
			ncells = c->row[i].cell + 1;
	if (doc->failed)
		return 0;
	*rows = row = arena_alloc(doc->arena, ncells + 1, sizeof(*row));
	seen = arena_alloc(doc->arena, ncells + 1, sizeof(*seen));
	if (!row || !seen) {
		doc->failed = true;
		return 0;
	}
	for (size_t i = 0; i < c->nrows; i++) {
		size_t cell = c->row[i].cell;

		if (!seen[cell] && !row_ended_alike(c, c->row + i)) {
			seen[cell] = true;
			row[n++] = c->row + i;
		}
	}
	return n;
}

/* "ok -> livelock", of all sides. */
static const char *statuses_text(struct compare_doc *doc,
				 const struct compare_row *row)
{
	const char *text = "";

	for (size_t i = 0; i < doc->c->nsides; i++) {
		const struct estimate *side = row->side + i;

		text = doc_join(doc, text, " -> ",
				side->there ? doc_plain(doc, side->status)
					    : "not there");
	}
	return text;
}

const char *ended_text(struct compare_doc *doc, const struct compare_row *row)
{
	const char *cell = row_cell(doc, row, " ", true);

	return doc_print(
		doc, "%s: %s",
		doc_join(doc,
			 doc_plain(doc, doc->c->group[row->group].workload),
			 " ", cell),
		statuses_text(doc, row));
}

bool side_is_partial(const struct comparison *c, size_t side)
{
	const struct samples *samples = c->side[side].samples;

	for (size_t i = 0; i < side; i++)
		if (c->side[i].samples == samples)
			return false;
	return samples && samples->partial;
}
