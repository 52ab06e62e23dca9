/* SPDX-License-Identifier: GPL-2.0-only */
/* What survives other costs, as text and as JSON. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/layout.h"
#include "bench/compare/doc.h"
#include "bench/compare/robust_impl.h"

static const char *const outcome_text[] = {
	[ROBUST_SURVIVES] = "survives",
	[ROBUST_WEAKENS] = "weakens",
	[ROBUST_REVERSES] = "does not survive",
	[ROBUST_UNDECIDED] = "undecided: too few repeats",
};

static const char *const outcome_json[] = {
	[ROBUST_SURVIVES] = "survives",
	[ROBUST_WEAKENS] = "weakens",
	[ROBUST_REVERSES] = "reverses",
	[ROBUST_UNDECIDED] = "undecided",
};

struct printer {
	const struct robust *robust;
	struct compare_doc doc;
};

static void print_line(struct printer *p, const char *head, size_t indent,
		       const char *text)
{
	layout_wrap(p->doc.f, MAIL_WIDTH, head, indent, text);
}

/* --------------------------------------------------------------- rankings */

static const char *order_text(struct printer *p, const struct robust_item *item,
			      size_t column)
{
	const char *text = "";

	for (size_t i = 0; i < item->nplaces; i++) {
		const struct robust_place *place = &item->place[column][i];
		bool ok = strcmp(place->status, "ok") == 0;

		text = doc_print(&p->doc, "%s%s%s%s%s%s", text,
				 doc_plain(&p->doc, place->value),
				 ok ? "" : " (",
				 ok ? "" : doc_plain(&p->doc, place->status),
				 ok ? "" : ")",
				 i + 1 == item->nplaces ? ""
				 : place->ahead		? " > "
							: " ~ ");
	}
	return text;
}

static void print_ranking(struct printer *p, const struct robust_item *item)
{
	const char *text[ROBUST_COLUMNS];
	bool same = true;

	for (size_t i = 0; i < ROBUST_COLUMNS; i++) {
		text[i] = order_text(p, item, i);
		same &= strcmp(text[i], text[0]) == 0;
	}
	for (size_t i = 0; i < (same ? 1 : ROBUST_COLUMNS); i++)
		print_line(p,
			   doc_print(&p->doc, "  %-5s ",
				     same ? "all" : robust_columns[i]),
			   10, text[i]);
}

/* ---------------------------------------------------------------- changes */

static const char *verdict_text(struct printer *p, enum verdict verdict,
				double ratio)
{
	const char *size;

	if (verdict == VERDICT_NONE)
		return "nothing to compare";
	size = isfinite(ratio) ? doc_print(&p->doc, "%+.1f%%", ratio * 100)
			       : "from 0";
	if (verdict == VERDICT_SAME || verdict == VERDICT_TOO_FEW)
		return doc_print(&p->doc, "~ (%s)", size);
	return doc_print(&p->doc, "%s (%s)", verdict_name(verdict), size);
}

static void print_change(struct printer *p, const struct robust_item *item)
{
	const char *text = "";

	for (size_t i = 0; i < ROBUST_COLUMNS; i++)
		text = doc_print(
			&p->doc, "%s%s%s %s", text, i ? ", " : "",
			robust_columns[i],
			verdict_text(p, item->verdict[i], item->ratio[i]));
	print_line(p, "  ", 2, text);
}

/* -------------------------------------------------------------------- all */

static void print_item(struct printer *p, const struct robust_item *item)
{
	const char *where = doc_plain(&p->doc, item->where);
	const char *side = item->side ? doc_plain(&p->doc, item->side) : "";

	print_line(p, "", 2,
		   doc_print(&p->doc, "%s%s%s%s%s%s%s: %s",
			     doc_plain(&p->doc, item->workload),
			     where[0] ? ", " : "", where, side[0] ? ", " : "",
			     side, item->side ? ": " : "",
			     item->side ? doc_plain(&p->doc, item->metric) : "",
			     outcome_text[item->outcome]));
	if (item->nplaces)
		print_ranking(p, item);
	else
		print_change(p, item);
}

static void print_head(struct printer *p)
{
	const struct robust *r = p->robust;

	print_line(p, "", 0,
		   doc_print(&p->doc,
			     "Does it hold with the low and the high "
			     "column of the cost table? The result "
			     "has \"%s\"; the others were run now "
			     "(model output).",
			     robust_columns[r->own]));
	if (r->rankings)
		print_line(p, "", 0,
			   doc_print(&p->doc,
				     "Rankings of %s by the rate of "
				     "the workload's operation: > is "
				     "better, ~ does not differ.",
				     doc_plain(&p->doc, r->by)));
	fputc('\n', p->doc.f);
}

static void print_summary(struct printer *p)
{
	const struct robust *r = p->robust;

	print_line(p, "", 2,
		   doc_print(&p->doc,
			     "%s: %zu survive, %zu weaken, %zu do not "
			     "survive, %zu undecided",
			     r->rankings ? "rankings" : "changes",
			     r->count[ROBUST_SURVIVES],
			     r->count[ROBUST_WEAKENS],
			     r->count[ROBUST_REVERSES],
			     r->count[ROBUST_UNDECIDED]));
	if (r->quiet)
		print_line(p, "", 2,
			   doc_print(&p->doc,
				     "%zu more comparisons are ~ "
				     "with all columns",
				     r->quiet));
	if (r->count[ROBUST_UNDECIDED] && r->needed != SIZE_MAX)
		print_line(p, "", 2,
			   doc_print(&p->doc,
				     "to decide all of them %zu "
				     "repeats of each cell are "
				     "needed",
				     r->needed));
}

bool robust_print(const struct robust *robust, bool ascii, FILE *f)
{
	const struct compare_style style = {.ascii = ascii};
	struct printer p = {robust, doc_begin(NULL, &style, f, MAIL_WIDTH)};

	print_head(&p);
	for (size_t i = 0; i < robust->n; i++)
		print_item(&p, &robust->item[i]);
	fputs(robust->n ? "\n" : "", f);
	print_summary(&p);
	return doc_end(&p.doc);
}

/* ------------------------------------------------------------------- JSON */

/* {"value", "status", "ahead"} of each, the best one first. */
static json_t *order_json(const struct robust_item *item, size_t column)
{
	json_t *list = json_array();

	for (size_t i = 0; i < item->nplaces; i++) {
		const struct robust_place *place = &item->place[column][i];

		json_array_append_new(list, json_pack("{sssssb}", "value",
						      place->value, "status",
						      place->status, "ahead",
						      place->ahead));
	}
	return list;
}

static json_t *change_json(const struct robust_item *item, size_t column)
{
	double ratio = item->ratio[column];

	return json_pack("{ssso}", "verdict",
			 verdict_name(item->verdict[column]), "change",
			 isfinite(ratio) ? json_real(ratio) : json_null());
}

static json_t *item_json(const struct robust_item *item)
{
	json_t *v = json_pack("{sssssOss}", "workload", item->workload,
			      "metric", item->metric, "axes", item->axes,
			      "outcome", outcome_json[item->outcome]);
	json_t *columns = json_object();
	int failed = 0;

	for (size_t i = 0; i < ROBUST_COLUMNS; i++)
		failed |= json_object_set_new(columns, robust_columns[i],
					      item->nplaces
						      ? order_json(item, i)
						      : change_json(item, i));
	if (item->side)
		failed |=
			json_object_set_new(v, "side", json_string(item->side));
	failed |= json_object_set_new(v, "columns", columns);
	if (!failed)
		return v;
	json_decref(v);
	return NULL;
}

json_t *robust_json(const struct robust *robust)
{
	const struct robust *r = robust;
	json_t *items = json_array();

	for (size_t i = 0; i < r->n; i++)
		if (json_array_append_new(items, item_json(&r->item[i]))) {
			json_decref(items);
			return NULL;
		}
	return json_pack("{sssssssbsIsIsIsIsIso}", "kind",
			 r->rankings ? "rankings" : "changes", "by", r->by,
			 "column", robust_columns[r->own], "modelled", true,
			 "survive", (json_int_t)r->count[ROBUST_SURVIVES],
			 "weaken", (json_int_t)r->count[ROBUST_WEAKENS],
			 "reverse", (json_int_t)r->count[ROBUST_REVERSES],
			 "undecided", (json_int_t)r->count[ROBUST_UNDECIDED],
			 "unchanged", (json_int_t)r->quiet, "items", items);
}
