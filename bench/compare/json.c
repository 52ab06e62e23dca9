/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that a comparison holds, as tdmem-compare/1.  Rows are written one by
 * one, as there may be tens of thousands.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/doc.h"
#include "bench/result/encode.h"

struct writer {
	FILE *f;
	size_t flags;
	bool failed; /* out of memory */
};

/* JSON has neither NaN nor infinity. */
static json_t *real(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static json_t *text(const char *bytes)
{
	return bytes ? json_bytes(bytes) : json_null();
}

static json_t *texts(const char *const *v, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, text(v[i]));
	return list;
}

/* Write a value that is then freed; NULL: memory ran out while making it. */
static void put(struct writer *w, json_t *value)
{
	if (!value || json_dumpf(value, w->f, w->flags) != 0)
		w->failed = true;
	json_decref(value);
}

static void put_member(struct writer *w, const char *name, json_t *value)
{
	fprintf(w->f, ",\n\"%s\":", name);
	put(w, value);
}

/* --------------------------------------------------------------------- top */

static json_t *settings(const struct comparison *c)
{
	const struct compare_request *request = c->request;

	return json_pack(
		"{so, so, so, sI, so, so, so}", "alpha", real(request->alpha),
		"confidence", real(request->confidence), "material",
		real(request->material), "rounds", (json_int_t)c->rounds,
		"metrics", texts(request->metrics.v, request->metrics.n),
		"cells", texts(request->cells.v, request->cells.n), "across",
		texts(request->across.v, request->across.n));
}

static json_t *sides(const struct comparison *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->nsides; i++) {
		const struct compare_side *side = c->side + i;
		const struct samples *samples = side->samples;

		json_array_append_new(
			list,
			json_pack("{so, so, so, sb, sb}", "label",
				  text(side->label), "path", text(side->path),
				  "repeats", text(side->repeats), "modelled",
				  samples && samples->modelled, "partial",
				  samples && samples->partial));
	}
	return list;
}

static json_t *aspects(const struct comparison *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->naspects; i++) {
		const struct compare_aspect *aspect = c->aspect + i;
		size_t n = aspect->same ? 1 : c->nsides;

		json_array_append_new(
			list,
			json_pack(
				"{so, sb, sb, so}", "name", text(aspect->name),
				"same", aspect->same, "compared",
				aspect->compared, "values",
				texts((const char *const *)aspect->value, n)));
	}
	return list;
}

static json_t *summary(const struct comparison *c)
{
	json_t *list = json_object();

	for (size_t i = 0; i <= VERDICT_CHANGED; i++)
		json_object_set_new(list, verdict_name((enum verdict)i),
				    json_integer((json_int_t)c->count[i]));
	json_object_set_new(list, "tests", json_integer((json_int_t)c->tests));
	json_object_set_new(list, "status-changes",
			    json_integer((json_int_t)c->status_changes));
	json_object_set_new(list, "only-in-base",
			    json_integer((json_int_t)c->only[0]));
	json_object_set_new(list, "not-in-base",
			    json_integer((json_int_t)c->only[1]));
	return list;
}

/* -------------------------------------------------------------------- rows */

static json_t *interval(const struct interval *i)
{
	if (isnan(i->low) && isnan(i->high))
		return json_null();
	return json_pack("{so, so, so}", "low", real(i->low), "high",
			 real(i->high), "coverage", real(i->coverage));
}

static json_t *estimate(const struct estimate *e)
{
	return json_pack(
		"{sb, so, sI, so, so, so, so, so, so, so}", "there", e->there,
		"status", text(e->status), "n", (json_int_t)e->n, "median",
		real(e->median), "interval", interval(&e->interval), "low",
		real(e->low), "high", real(e->high), "mean", real(e->mean),
		"hmean", real(e->hmean), "deviation", real(e->deviation));
}

static json_t *needed(const struct change *change)
{
	if (change->verdict != VERDICT_TOO_FEW || change->needed > 1000)
		return json_null();
	return json_integer((json_int_t)change->needed);
}

static json_t *change_json(const struct change *change)
{
	const struct u_test *test = &change->test;

	if (change->verdict == VERDICT_NONE)
		return json_pack("{ss}", "verdict", verdict_name(VERDICT_NONE));
	return json_pack("{ss, so, so, so, so, so, so, sb, so}", "verdict",
			 verdict_name(change->verdict), "ratio",
			 real(change->ratio), "interval",
			 interval(&change->interval), "p", real(change->p),
			 "p-alone", real(test->p), "u", real(test->u), "delta",
			 real(test->delta), "exact", test->exact, "needed",
			 needed(change));
}

static json_t *row_json(const struct comparison *c,
			const struct compare_row *row)
{
	json_t *estimates = json_array(), *changes = json_array();

	for (size_t i = 0; i < c->nsides; i++) {
		json_array_append_new(estimates, estimate(row->side + i));
		if (i)
			json_array_append_new(changes,
					      change_json(row->change + i));
	}
	return json_pack("{sO*, so, so, so}", "axes", row->axes, "keys",
			 texts(row->key, c->nkeys), "sides", estimates,
			 "changes", changes);
}

static void put_group(struct writer *w, const struct comparison *c,
		      const struct compare_group *group)
{
	json_t *about = json_pack(
		"{so, so, so, so, so, so, si, sb}", "workload",
		text(group->workload), "operation", text(group->operation),
		"name", text(group->name), "metric", text(group->metric),
		"quantile", text(group->quantile), "unit", text(group->unit),
		"better", group->better, "modelled", group->modelled);

	fputs("{\"about\":", w->f);
	put(w, about);
	fputs(",\"rows\":[", w->f);
	for (size_t i = 0; i < group->nrows; i++) {
		fputs(i ? ",\n" : "\n", w->f);
		put(w, row_json(c, c->row + group->first + i));
	}
	fputs("]}", w->f);
}

static bool print_json(const struct comparison *c,
		       const struct compare_style *style, FILE *f)
{
	const char *name;
	json_t *more;
	struct writer w = {
		.f = f,
		.flags = JSON_COMPACT | JSON_ENCODE_ANY |
			 JSON_REAL_PRECISION(15) |
			 (style->ascii ? JSON_ENSURE_ASCII : 0),
	};

	fputs("{\"schema\":\"tdmem-compare/1\"", f);
	put_member(&w, "tool",
		   json_pack("{ss, ss}", "name", "tdmem", "version",
			     TDMEM_VERSION));
	put_member(&w, "command", text(style->command));
	put_member(&w, "by", text(c->by));
	put_member(&w, "settings", settings(c));
	fprintf(f, ",\n\"seed\":%" PRIu64, c->request->seed);
	put_member(&w, "sides", sides(c));
	put_member(&w, "aspects", aspects(c));
	put_member(&w, "keys", texts(c->key_name, c->nkeys));
	put_member(&w, "summary", summary(c));
	fputs(",\n\"groups\":[", f);
	for (size_t i = 0; i < c->ngroups && !w.failed; i++) {
		fputs(i ? ",\n" : "\n", f);
		put_group(&w, c, c->group + i);
	}
	fputc(']', f);
	json_object_foreach(style->more, name, more)
	{
		put_member(&w, name, json_incref(more));
	}
	fputs("}\n", f);
	return !w.failed;
}

const struct compare_form compare_form_json = {
	"json",
	"all of it, as tdmem-compare/1",
	print_json,
};
