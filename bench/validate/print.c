/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <string.h>

#include "bench/base/table.h"
#include "bench/validate/validate.h"

static const char *figure(double value, char buf[FIGURE])
{
	if (isnan(value))
		return strcpy(buf, "-");
	snprintf(buf, FIGURE, "%.4g", value);
	return buf;
}

static void reference(const struct check *c, struct table *t)
{
	char low[FIGURE], high[FIGURE];

	if (isnan(c->low) || c->low == c->high)
		table_add(t, "%s", figure(c->low, low));
	else
		table_add(t, "%s..%s", figure(c->low, low),
			  figure(c->high, high));
}

static void row(const struct check *c, struct table *t)
{
	char here[FIGURE], ratio[FIGURE];

	table_add(t, "%s", c->quantity);
	reference(c, t);
	table_add(t, "%s", figure(c->here, here));
	table_add(t, "%s", c->unit);
	if (isnan(c->ratio))
		table_add(t, "%s", figure(c->ratio, ratio));
	else
		table_add(t, "%.3f", c->ratio);
	table_add(t, "%s", agreement_name(c->verdict));
}

static bool has_checks(const struct validation *v, const char *group)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->check[i].group, group) == 0)
			return true;
	return false;
}

static void print_group(const struct validation *v,
			const struct validate_group *g, FILE *f)
{
	static const char *const head[] = {"quantity", "reference", "here",
					   "unit",     "ratio",	    "verdict"};
	struct table t;

	if (!has_checks(v, g->name))
		return;
	fprintf(f, "%s: %s\n", g->name, g->summary);
	table_init(&t, 6, 1, 1);
	for (int i = 0; i < 6; i++)
		table_add(&t, "%s", head[i]);
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->check[i].group, g->name) == 0)
			row(&v->check[i], &t);
	table_print(&t, f);
	fputc('\n', f);
}

/* What is off, and what cannot be told, with the reason. */
static void print_notes(const struct validation *v, FILE *f)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct check *c = &v->check[i];
		char text[500];

		if (c->verdict == AGREES_OK)
			continue;
		snprintf(text, sizeof(text), "%s: %s; reference: %s%s%s",
			 agreement_name(c->verdict), c->quantity, c->source,
			 c->note[0] ? "; " : "", c->note);
		print_wrapped(f, 2, text);
	}
}

void validation_print(const struct validation *v, const char *costs, FILE *f)
{
	fputs("MODEL OUTPUT beside references.  ratio: here to the nearest of "
	      "the reference;\nok: within what is allowed, the statistical "
	      "error given for.\n",
	      f);
	fprintf(f, "Cost table: %s\n\n", costs);
	for (size_t i = 0; validate_groups[i]; i++)
		print_group(v, validate_groups[i], f);
	print_notes(v, f);
	fprintf(f, "%zu ok, %zu off, %zu unclear, %zu without a figure\n",
		validation_count(v, AGREES_OK), validation_count(v, AGREES_OFF),
		validation_count(v, AGREES_UNCLEAR),
		validation_count(v, AGREES_NONE));
}

/* ------------------------------------------------------------------- JSON */

static json_t *number(double value)
{
	return isnan(value) ? json_null() : json_real(value);
}

static json_t *check_json(const struct check *c)
{
	return json_pack("{ss ss ss s[oo] so sf s[ff] so ss ss ss}", "group",
			 c->group, "quantity", c->quantity, "unit", c->unit,
			 "reference", number(c->low), number(c->high), "here",
			 number(c->here), "error", c->error, "allowed", c->down,
			 c->up, "ratio", number(c->ratio), "verdict",
			 agreement_name(c->verdict), "source", c->source,
			 "note", c->note);
}

json_t *validation_json(const struct validation *v, const char *costs)
{
	json_t *list = json_array(), *counts = json_object();

	for (size_t i = 0; i < v->n; i++)
		if (json_array_append_new(list, check_json(&v->check[i]))) {
			json_decref(counts);
			json_decref(list);
			return NULL;
		}
	for (int i = 0; i < NR_AGREEMENTS; i++)
		json_object_set_new(counts, agreement_name((enum agreement)i),
				    json_integer((json_int_t)validation_count(
					    v, (enum agreement)i)));
	return json_pack("{ss ss ss so so}", "schema", "tdmem-validate/1",
			 "tool", "tdmem " TDMEM_VERSION, "costs", costs,
			 "verdicts", counts, "checks", list);
}
