/* SPDX-License-Identifier: GPL-2.0-only */
/* Histories as JSON: tdmem-trend/1. */
#include <math.h>
#include <stdlib.h>

#include "bench/result/encode.h"
#include "bench/trend/print.h"

/* What JSON has no number for is null. */
static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *text(const char *value)
{
	return value ? json_bytes(value) : json_null();
}

static json_t *encode_rule(const struct trend_rule *rule)
{
	return json_pack("{sIsfsfsfsI}", "segment", (json_int_t)rule->segment,
			 "alpha", rule->alpha, "u_alpha", rule->u_alpha,
			 "material", rule->material, "seed",
			 (json_int_t)rule->seed);
}

static json_t *encode_run(const struct trend_run *run)
{
	return json_pack(
		"{sosososososososbsbsIsI}", "path", text(run->path), "time",
		text(run->time), "host", text(run->host), "kernel",
		text(run->kernel), "config", text(run->config), "version",
		text(run->version), "commit", text(run->commit), "partial",
		run->partial, "modelled", run->modelled, "cells",
		(json_int_t)run->ncells, "not_ok", (json_int_t)run->nbad);
}

static json_t *encode_point(const struct trend_point *p)
{
	return json_pack("{sIsosososo}", "run", (json_int_t)p->run, "value",
			 number(p->value), "low", number(p->low), "high",
			 number(p->high), "status", text(p->status));
}

static json_t *encode_change(const struct trend_series *s,
			     const struct trend_change *c)
{
	return json_pack(
		"{sssIsIsssososososososo}", "id", c->id, "point",
		(json_int_t)c->point, "run", (json_int_t)s->point[c->point].run,
		"kind", trend_kind_name(c->kind), "status", text(c->status),
		"before", number(c->before), "after", number(c->after), "ratio",
		number(c->ratio), "p", number(c->p), "confidence",
		number(c->confidence), "acknowledged", text(c->acknowledged));
}

static json_t *encode_points(const struct trend_series *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->npoints; i++)
		if (json_array_append_new(list, encode_point(&s->point[i]))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *encode_changes(const struct trend_series *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->nchanges; i++)
		if (json_array_append_new(list,
					  encode_change(s, &s->change[i]))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static const char *direction(int better)
{
	return better > 0 ? "higher" : better < 0 ? "lower" : "none";
}

static json_t *encode_series(const struct trend_series *s)
{
	return json_pack("{sosososososOsososssbsoso}", "config",
			 text(s->config), "host", text(s->host), "workload",
			 text(s->workload), "operation", text(s->operation),
			 "cell", text(s->cell), "axes", (json_t *)s->axes,
			 "metric", text(s->metric), "unit", text(s->unit),
			 "direction", direction(s->better), "modelled",
			 s->modelled, "points", encode_points(s), "changes",
			 encode_changes(s));
}

static json_t *encode_skip(const struct trend_skip *skip)
{
	return json_pack("{soso}", "path", text(skip->path), "why",
			 text(skip->why));
}

static json_t *encode_top(const struct trend *t,
			  const struct trend_style *style)
{
	return json_pack("{sssssssosososososI}", "schema", "tdmem-trend/1",
			 "tool", "tdmem", "version", TDMEM_VERSION, "rule",
			 encode_rule(style->rule), "directory", text(t->dir),
			 "runs", json_array(), "series", json_array(),
			 "skipped", json_array(), "open_regressions",
			 (json_int_t)trend_open_regressions(t));
}

static bool append(json_t *top, const char *list, json_t *value)
{
	return json_array_append_new(json_object_get(top, list), value) == 0;
}

static json_t *encode(const struct trend *t, const struct trend_style *style)
{
	json_t *top = encode_top(t, style);
	bool good = top != NULL;

	for (size_t i = 0; good && i < t->nruns; i++)
		good = append(top, "runs", encode_run(&t->run[i]));
	for (size_t i = 0; good && i < t->nseries; i++)
		good = append(top, "series", encode_series(&t->series[i]));
	for (size_t i = 0; good && i < t->nskipped; i++)
		good = append(top, "skipped", encode_skip(&t->skip[i]));
	if (good)
		return top;
	json_decref(top);
	return NULL;
}

static bool print_json(const struct trend *t, const struct trend_style *style,
		       FILE *f)
{
	json_t *top = encode(t, style);
	char *document = top ? json_dumps(top, JSON_STYLE) : NULL;

	json_decref(top);
	if (!document)
		return false;
	fputs(document, f);
	fputc('\n', f);
	free(document);
	return true;
}

extern const struct trend_form trend_json;

const struct trend_form trend_json = {
	.name = "json",
	.summary = "everything, tdmem-trend/1",
	.print = print_json,
};
