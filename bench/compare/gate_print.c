/* SPDX-License-Identifier: GPL-2.0-only */
/* The verdicts of a gate as text and as JSON. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/layout.h"
#include "bench/base/table.h"
#include "bench/compare/doc.h"
#include "bench/compare/gate_impl.h"

enum { INDENT = 2 };

struct printer {
	const struct gate_outcome *o;
	const struct comparison *c;
	struct compare_doc doc;
};

/* ----------------------------------------------------------------- words */

static const char *figure(struct printer *p, const char *unit, double value)
{
	char buf[FIGURE];

	if (strcmp(unit, "1/s") == 0)
		return doc_print(&p->doc, "%s", format_rate(value, buf));
	if (strcmp(unit, "ns") == 0 && value >= 0 && value < 1e18)
		return doc_print(&p->doc, "%s",
				 format_ns((uint64_t)value, buf));
	return doc_print(&p->doc, "%s %s", format_count(value, buf),
			 doc_plain(&p->doc, unit));
}

static const char *percent(struct printer *p, double share)
{
	if (isnan(share))
		return "?";
	if (isinf(share))
		return share > 0 ? "from 0" : "from 0 down";
	return doc_print(&p->doc, fabs(share) < 9.995 ? "%+.1f%%" : "%+.0f%%",
			 share * 100);
}

static const char *axis_text(struct printer *p, const json_t *value)
{
	char *dump;
	const char *text;

	if (json_is_string(value))
		return doc_plain(&p->doc, json_string_value(value));
	dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	p->doc.failed |= !dump;
	text = doc_plain(&p->doc, dump);
	free(dump);
	return text;
}

/* "fault-in, policy spin, vcpus 8", and the side where it could be any. */
static const char *place(struct printer *p, size_t row, size_t side)
{
	const struct comparison *c = p->c;
	const char *axis,
		*text = doc_plain(&p->doc,
				  c->group[c->row[row].group].workload);
	json_t *value;

	json_object_foreach(c->row[row].axes, axis, value)
	{
		if (strcmp(axis, "workload") == 0 || strcmp(axis, c->by) == 0)
			continue;
		text = doc_print(&p->doc, "%s, %s %s", text,
				 doc_plain(&p->doc, axis), axis_text(p, value));
	}
	if (c->nsides > 2 || strcmp(c->by, "result") != 0)
		text = doc_print(&p->doc, "%s, %s %s", text,
				 doc_plain(&p->doc, c->by),
				 doc_plain(&p->doc, c->side[side].label));
	return text;
}

static void print_line(struct printer *p, const char *head, const char *text)
{
	layout_wrap(p->doc.f, MAIL_WIDTH, head,
		    strlen(head) > INDENT ? INDENT : strlen(head), text);
}

/* --------------------------------------------------------------- changes */

static const char *numbers(struct printer *p, const struct gated *g)
{
	const struct compare_row *row = &p->c->row[g->row];
	const struct change *change = &row->change[g->side];
	const char *unit = p->c->group[row->group].unit;

	if (!row->side[g->side].n)
		return doc_print(&p->doc, "%s -> no value",
				 figure(p, unit, row->side[0].median));
	return doc_print(&p->doc, "%s -> %s, %s [%s, %s], p %.2g",
			 figure(p, unit, row->side[0].median),
			 figure(p, unit, row->side[g->side].median),
			 percent(p, change->ratio),
			 percent(p, change->interval.low),
			 percent(p, change->interval.high), g->p);
}

static const char *reason(struct printer *p, const struct gated *g)
{
	static const char *const beyond[] = {"worse", "higher", "lower", "off"};
	double material = g->rule->material * 100;
	const struct compare_row *row = &p->c->row[g->row];

	if (g->verdict == GATE_FAIL)
		return doc_print(&p->doc, "more than %g%% %s", material,
				 beyond[g->rule->fails]);
	if (!row->side[g->side].n)
		return "nothing to compare";
	if (g->needed == SIZE_MAX)
		return "more repeats are needed to tell than can be";
	if (g->needed)
		return doc_print(&p->doc,
				 "%zu and %zu repeats can not tell: "
				 "%zu of each are needed",
				 row->side[0].n, row->side[g->side].n,
				 g->needed);
	return doc_print(&p->doc, "may or may not be more than %g%% %s",
			 material, beyond[g->rule->fails]);
}

static void print_why(struct printer *p, const struct gate_rule *rule)
{
	if (rule->why)
		print_line(p, "  why: ", doc_plain(&p->doc, rule->why));
}

static void print_change(struct printer *p, const struct gated *g)
{
	const struct compare_row *row = &p->c->row[g->row];
	const struct compare_group *group = &p->c->group[row->group];
	const char *head = g->verdict == GATE_FAIL ? "FAIL " : "UNDECIDED ";

	print_line(p, head,
		   doc_print(&p->doc, "%s: %s", place(p, g->row, g->side),
			     doc_plain(&p->doc, group->name)));
	print_line(p, "  ",
		   doc_print(&p->doc, "%s%s: %s", numbers(p, g),
			     group->modelled ? " (model output)" : "",
			     reason(p, g)));
	if (g->verdict == GATE_FAIL)
		print_why(p, g->rule);
}

static void print_lost(struct printer *p, const struct gate_lost *lost)
{
	const struct estimate *other = &p->c->row[lost->row].side[lost->side];

	print_line(p, "FAIL ", place(p, lost->row, lost->side));
	print_line(p, "  ",
		   other->there ? doc_print(&p->doc,
					    "the cell was ok, and now is %s",
					    doc_plain(&p->doc, other->status))
				: "the cell was ok, and now is missing");
}

static void print_summary(struct printer *p, bool strict)
{
	const struct gate_outcome *o = p->o;
	bool failed = gate_failed(o, strict);

	print_line(p, "",
		   doc_print(&p->doc,
			     "gate \"%s\": %s: %zu failed, %zu "
			     "undecided%s, %zu passed; significant is p "
			     "<= %g, after Holm's correction of %zu "
			     "comparisons",
			     doc_plain(&p->doc, o->gate->name),
			     failed ? "FAIL" : "PASS", o->count[GATE_FAIL],
			     o->count[GATE_UNDECIDED],
			     strict ? " (fails: strict)" : "",
			     o->count[GATE_PASS], o->alpha, o->tests));
	for (size_t i = 0; i < o->gate->nrules; i++)
		if (!o->used[i])
			print_line(
				p, "",
				doc_print(&p->doc,
					  "note: rules[%zu] (%s) has "
					  "nothing to decide here",
					  i,
					  doc_plain(&p->doc,
						    o->gate->rule[i].metric)));
}

static void print_all(struct printer *p, enum gate_verdict verdict)
{
	for (size_t i = 0; i < p->o->n; i++)
		if (p->o->change[i].verdict == verdict)
			print_change(p, &p->o->change[i]);
}

bool gate_print(const struct gate_outcome *outcome,
		const struct comparison *comparison, bool strict, bool ascii,
		FILE *f)
{
	const struct compare_style style = {.ascii = ascii};
	struct printer p = {outcome, comparison,
			    doc_begin(comparison, &style, f, MAIL_WIDTH)};

	print_all(&p, GATE_UNDECIDED);
	print_all(&p, GATE_FAIL);
	for (size_t i = 0; i < outcome->nlost; i++)
		print_lost(&p, &outcome->lost[i]);
	print_summary(&p, strict);
	return doc_end(&p.doc);
}

/* ------------------------------------------------------------------- JSON */

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *place_json(const struct comparison *c, size_t row, size_t side)
{
	json_t *axes = json_copy(c->row[row].axes);

	if (axes)
		json_object_del(axes, c->by);
	return json_pack("{sssoss}", "workload",
			 c->group[c->row[row].group].workload, "axes", axes,
			 "side", c->side[side].label);
}

static json_t *change_json(const struct gate_outcome *o,
			   const struct comparison *c, const struct gated *g)
{
	const struct compare_row *row = &c->row[g->row];
	const struct compare_group *group = &c->group[row->group];
	const struct change *change = &row->change[g->side];
	json_t *v = place_json(c, g->row, g->side);
	int bad = json_object_update_new(
		v, json_pack("{sssssbsososososososssi}", "metric", group->name,
			     "unit", group->unit, "modelled", group->modelled,
			     "base", number(row->side[0].median), "new",
			     number(row->side[g->side].median), "change",
			     number(change->ratio), "low",
			     number(change->interval.low), "high",
			     number(change->interval.high), "p", number(g->p),
			     "verdict",
			     g->verdict == GATE_FAIL ? "fail" : "undecided",
			     "rule", (int)(g->rule - o->gate->rule)));

	bad |= json_object_set_new(v, "material", json_real(g->rule->material));
	if (g->needed && g->needed != SIZE_MAX)
		bad |= json_object_set_new(v, "repeats_needed",
					   json_integer((json_int_t)g->needed));
	if (g->rule->why)
		bad |= json_object_set_new(v, "why", json_string(g->rule->why));
	if (!bad)
		return v;
	json_decref(v);
	return NULL;
}

static json_t *lost_json(const struct gate_outcome *o,
			 const struct comparison *c,
			 const struct gate_lost *lost)
{
	const struct estimate *other = &c->row[lost->row].side[lost->side];
	json_t *v = place_json(c, lost->row, lost->side);
	int bad = json_object_update_new(
		v, json_pack("{sssssi}", "verdict", "fail", "status",
			     other->there ? other->status : "missing", "rule",
			     (int)(lost->rule - o->gate->rule)));

	if (!bad)
		return v;
	json_decref(v);
	return NULL;
}

static json_t *unused_json(const struct gate_outcome *o)
{
	json_t *list = json_array();

	for (size_t i = 0; i < o->gate->nrules; i++)
		if (!o->used[i])
			json_array_append_new(list,
					      json_integer((json_int_t)i));
	return list;
}

json_t *gate_json(const struct gate_outcome *outcome,
		  const struct comparison *comparison, bool strict)
{
	const struct gate_outcome *o = outcome;
	json_t *changes = json_array(), *cells = json_array();
	int bad = 0;

	for (size_t i = 0; i < o->n; i++)
		if (o->change[i].verdict != GATE_PASS)
			bad |= json_array_append_new(
				changes,
				change_json(o, comparison, &o->change[i]));
	for (size_t i = 0; i < o->nlost; i++)
		bad |= json_array_append_new(
			cells, lost_json(o, comparison, &o->lost[i]));
	if (bad) {
		json_decref(changes);
		json_decref(cells);
		return NULL;
	}
	return json_pack("{sssssfsIsIsIsIsbsososo}", "name", o->gate->name,
			 "verdict", gate_failed(o, strict) ? "fail" : "pass",
			 "alpha", o->alpha, "comparisons", (json_int_t)o->tests,
			 "failed", (json_int_t)o->count[GATE_FAIL], "undecided",
			 (json_int_t)o->count[GATE_UNDECIDED], "passed",
			 (json_int_t)o->count[GATE_PASS], "strict", strict,
			 "changes", changes, "cells", cells, "rules_unused",
			 unused_json(o));
}
