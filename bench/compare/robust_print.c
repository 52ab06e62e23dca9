/* SPDX-License-Identifier: GPL-2.0-only */
/* What survives other costs, as text and as JSON. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/layout.h"
#include "bench/compare/robust_impl.h"

/* As wide as a line of a mail. */
enum { WIDTH = 75 };

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
	struct arena *arena;
	FILE *f;
	bool ascii;
	bool failed; /* out of memory */
};

static const char *plain(struct printer *p, const char *text)
{
	const char *copy = layout_plain(p->arena, text, p->ascii);

	p->failed |= !copy;
	return copy ? copy : "";
}

/* What arena_print() made; never NULL. */
static const char *made(struct printer *p, const char *text)
{
	p->failed |= !text;
	return text ? text : "";
}

static void print_line(struct printer *p, const char *head, size_t indent,
		       const char *text)
{
	layout_wrap(p->f, WIDTH, head, indent, text);
}

/* --------------------------------------------------------------- rankings */

static const char *order_text(struct printer *p, const struct robust_item *item,
			      size_t column)
{
	const char *text = "";

	for (size_t i = 0; i < item->nplaces; i++) {
		const struct robust_place *place = &item->place[column][i];
		bool ok = strcmp(place->status, "ok") == 0;

		text = made(p,
			    arena_print(p->arena, "%s%s%s%s%s%s", text,
					plain(p, place->value), ok ? "" : " (",
					ok ? "" : plain(p, place->status),
					ok ? "" : ")",
					i + 1 == item->nplaces ? ""
					: place->ahead	       ? " > "
							       : " ~ "));
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
		print_line(
			p,
			made(p, arena_print(p->arena, "  %-5s ",
					    same ? "all" : robust_columns[i])),
			10, text[i]);
}

/* ---------------------------------------------------------------- changes */

static const char *verdict_text(struct printer *p, enum verdict verdict,
				double ratio)
{
	const char *size;

	if (verdict == VERDICT_NONE)
		return "nothing to compare";
	size = isfinite(ratio)
		       ? made(p, arena_print(p->arena, "%+.1f%%", ratio * 100))
		       : "from 0";
	if (verdict == VERDICT_SAME || verdict == VERDICT_TOO_FEW)
		return made(p, arena_print(p->arena, "~ (%s)", size));
	return made(p, arena_print(p->arena, "%s (%s)", verdict_name(verdict),
				   size));
}

static void print_change(struct printer *p, const struct robust_item *item)
{
	const char *text = "";

	for (size_t i = 0; i < ROBUST_COLUMNS; i++)
		text = made(p, arena_print(p->arena, "%s%s%s %s", text,
					   i ? ", " : "", robust_columns[i],
					   verdict_text(p, item->verdict[i],
							item->ratio[i])));
	print_line(p, "  ", 2, text);
}

/* -------------------------------------------------------------------- all */

static void print_item(struct printer *p, const struct robust_item *item)
{
	const char *where = plain(p, item->where);
	const char *side = item->side ? plain(p, item->side) : "";

	print_line(p, "", 2,
		   made(p, arena_print(p->arena, "%s%s%s%s%s%s%s: %s",
				       plain(p, item->workload),
				       where[0] ? ", " : "", where,
				       side[0] ? ", " : "", side,
				       item->side ? ": " : "",
				       item->side ? plain(p, item->metric) : "",
				       outcome_text[item->outcome])));
	if (item->nplaces)
		print_ranking(p, item);
	else
		print_change(p, item);
}

static void print_head(struct printer *p)
{
	const struct robust *r = p->robust;

	print_line(p, "", 0,
		   made(p, arena_print(p->arena,
				       "Does it hold with the low and the high "
				       "column of the cost table? The result "
				       "has \"%s\"; the others were run now "
				       "(model output).",
				       robust_columns[r->own])));
	if (r->rankings)
		print_line(p, "", 0,
			   made(p, arena_print(p->arena,
					       "Rankings of %s by the rate of "
					       "the workload's operation: > is "
					       "better, ~ does not differ.",
					       plain(p, r->by))));
	fputc('\n', p->f);
}

static void print_summary(struct printer *p)
{
	const struct robust *r = p->robust;

	print_line(
		p, "", 2,
		made(p, arena_print(p->arena,
				    "%s: %zu survive, %zu weaken, %zu do not "
				    "survive, %zu undecided",
				    r->rankings ? "rankings" : "changes",
				    r->count[ROBUST_SURVIVES],
				    r->count[ROBUST_WEAKENS],
				    r->count[ROBUST_REVERSES],
				    r->count[ROBUST_UNDECIDED])));
	if (r->quiet)
		print_line(p, "", 2,
			   made(p, arena_print(p->arena,
					       "%zu more comparisons are ~ "
					       "with all columns",
					       r->quiet)));
	if (r->count[ROBUST_UNDECIDED] && r->needed != SIZE_MAX)
		print_line(p, "", 2,
			   made(p, arena_print(p->arena,
					       "to decide all of them %zu "
					       "repeats of each cell are "
					       "needed",
					       r->needed)));
}

bool robust_print(const struct robust *robust, bool ascii, FILE *f)
{
	struct printer p = {robust, arena_new(), f, ascii, false};

	if (!p.arena)
		return false;
	print_head(&p);
	for (size_t i = 0; i < robust->n; i++)
		print_item(&p, &robust->item[i]);
	fputs(robust->n ? "\n" : "", f);
	print_summary(&p);
	arena_free(p.arena);
	return !p.failed;
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
