/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading results.  The file is walked member by member and cell by cell:
 * jansson parses one value at a time, so that memory is that of the text and
 * of one cell, not of all histograms as trees.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/base/json.h"
#include "bench/base/scan.h"
#include "bench/result/encode.h"
#include "bench/result/result.h"
#include "bench/result/upgrade.h"

/* Above any result that a run within its bounds can write. */
#define RESULT_MAX_BYTES ((size_t)4 << 30)

struct walk {
	const char *path;
	const char *text, *end;
	const char *p;
	struct err *e;
	unsigned version; /* that the file has, before it is upgraded */
};

static int line_of(const struct walk *w)
{
	int line = 1;

	for (const char *p = w->text; p < w->p; p++)
		line += *p == '\n';
	return line;
}

static int bad(const struct walk *w, const char *what)
{
	return err_set(w->e, EXIT_USAGE, "%s: line %d: %s", w->path, line_of(w),
		       what);
}

static char peek(struct walk *w)
{
	while (w->p < w->end && strchr(" \t\r\n", *w->p) && *w->p)
		w->p++;
	return w->p < w->end ? *w->p : '\0';
}

static bool take(struct walk *w, char c)
{
	if (peek(w) != c)
		return false;
	w->p++;
	return true;
}

/* The next value, whatever it is; NULL with the error set. */
static json_t *value(struct walk *w)
{
	json_error_t error;
	json_t *v = json_loadb(w->p, (size_t)(w->end - w->p),
			       JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK |
				       JSON_REJECT_DUPLICATES,
			       &error);

	if (v)
		w->p += error.position;
	else
		bad(w, error.text);
	return v;
}

/* Indexes of buckets mean something else in another scheme. */
static int check_buckets(const char *path, const json_t *top, struct err *e)
{
	static const char *const members[] = {"kind", "sub_bits", "max_bits"};
	const json_t *theirs = json_object_get(top, "buckets");
	json_t *ours = theirs ? encode_bucket_scheme() : NULL;
	int status = 0;

	for (size_t i = 0; ours && i < sizeof(members) / sizeof(*members); i++)
		if (!json_equal(json_object_get(ours, members[i]),
				json_object_get(theirs, members[i])))
			status = err_set(e, EXIT_USAGE,
					 "%s: buckets.%s: not what this tdmem "
					 "can read",
					 path, members[i]);
	json_decref(ours);
	return status;
}

static int check_top(const char *path, json_t *top, struct err *e)
{
	static const struct {
		const char *name;
		json_type type;
	} needed[] = {
		{"tool", JSON_OBJECT},	 {"environment", JSON_OBJECT},
		{"config", JSON_OBJECT}, {"workloads", JSON_OBJECT},
		{"costs", JSON_OBJECT},	 {"metrics", JSON_OBJECT},
	};
	const char *schema = json_string_value(json_object_get(top, "schema"));

	if (!schema || strcmp(schema, "tdmem-result/1") != 0)
		return err_set(e, EXIT_USAGE,
			       "%s: schema: expected \"tdmem-result/1\"", path);
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		json_t *v = json_object_get(top, needed[i].name);

		if (!v || json_typeof(v) != needed[i].type)
			return err_set(e, EXIT_USAGE,
				       "%s: %s: missing or not an object", path,
				       needed[i].name);
	}
	if (!json_is_boolean(json_object_get(top, "partial")))
		return err_set(e, EXIT_USAGE,
			       "%s: partial: expected true or false", path);
	return check_buckets(path, top, e);
}

/* Pass over the cells, whatever they are: only their end is looked for. */
static bool skip_cells(struct walk *w)
{
	struct scan s = {w->p, w->end};
	bool good = peek(w) == '[' && scan_skip(&s);

	w->p = s.p;
	return good;
}

/* A cell of an older version: it is read from the text of its upgrade. */
static int walk_old_cell(struct walk *w, struct scan *s, json_t *top,
			 result_text_fn *cell, void *ctx)
{
	const char *from = s->p;
	char *text = scan_skip(s)
			     ? upgrade_cell_text(&upgrade_results, w->version,
						 from, (size_t)(s->p - from))
			     : NULL;
	struct scan upgraded = {text, text ? text + strlen(text) : NULL};
	int status = text ? cell(ctx, top, &upgraded) : -1;

	free(text);
	return status;
}

static int walk_cell(struct walk *w, json_t *top, result_text_fn *cell,
		     void *ctx)
{
	struct scan s = {w->p, w->end};
	int status = -1;

	if (scan_peek(&s) == '{' && w->version < upgrade_results.now)
		status = walk_old_cell(w, &s, top, cell, ctx);
	else if (scan_peek(&s) == '{')
		status = cell(ctx, top, &s);
	w->p = s.p;
	return status ? bad(w, "not a cell") : 0;
}

static int walk_cells(struct walk *w, json_t *top, result_text_fn *cell,
		      void *ctx)
{
	if (!take(w, '['))
		return bad(w, "cells: expected a list");
	if (take(w, ']'))
		return 0;
	do {
		if (walk_cell(w, top, cell, ctx))
			return -1;
	} while (take(w, ','));
	return take(w, ']') ? 0 : bad(w, "cells: expected , or ]");
}

/* The name of the next member, behind its colon; the caller owns it. */
static json_t *member_name(struct walk *w, const json_t *top)
{
	json_t *key = peek(w) == '"' ? value(w) : NULL;

	if (!key || !take(w, ':'))
		bad(w, "expected a member of an object");
	else if (json_object_get(top, json_string_value(key)))
		bad(w, "the same member twice");
	else
		return key;
	json_decref(key);
	return NULL;
}

/* Is what comes before the cells all that is needed to read them? */
static bool is_complete(const struct walk *w, json_t *top)
{
	struct err ignored;

	return check_top(w->path, top, &ignored) == 0;
}

/* The document while it is walked. */
struct document {
	json_t *top;
	result_text_fn *cell;
	void *ctx;
	const char *cells; /* their place, when they came too early */
};

/* Results of ours have the cells last, so that one pass is enough. */
static int walk_member(struct walk *w, struct document *d)
{
	struct at root = at_root(w->path, w->e);
	json_t *key = member_name(w, d->top), *v;
	int status = 0;

	if (!key)
		return -1;
	if (strcmp(json_string_value(key), "cells") != 0) {
		v = value(w);
	} else if (is_complete(w, d->top)) {
		v = walk_cells(w, d->top, d->cell, d->ctx) ? NULL : json_true();
	} else {
		d->cells = w->p;
		v = skip_cells(w) ? json_true() : NULL;
		if (!v)
			bad(w, "cells: expected a list with an end");
	}
	if (v)
		json_object_set_new(d->top, json_string_value(key), v);
	if (v && strcmp(json_string_value(key), "schema") == 0)
		status = upgrade_version(&upgrade_results, d->top, &w->version,
					 &root);
	json_decref(key);
	return v ? status : -1;
}

/* The members may come in any order: the cells are read when all are known. */
static int walk_document(struct walk *w, struct document *d)
{
	struct at root = at_root(w->path, w->e);

	if (!take(w, '{'))
		return bad(w, "expected a result, a JSON object");
	do {
		if (walk_member(w, d))
			return -1;
	} while (take(w, ','));
	if (!take(w, '}') || peek(w) || w->p < w->end)
		return bad(w, "expected the end of the result");
	if (upgrade_top(&upgrade_results, d->top, &root) ||
	    check_top(w->path, d->top, w->e))
		return -1;
	if (json_object_del(d->top, "cells"))
		return bad(w, "cells: missing");
	if (!d->cells)
		return 0;
	w->p = d->cells;
	return walk_cells(w, d->top, d->cell, d->ctx);
}

json_t *result_read_text(const char *path, result_text_fn *cell, void *ctx,
			 struct err *e)
{
	struct walk w = {.path = path, .e = e};
	struct document d = {.top = json_object(), .cell = cell, .ctx = ctx};
	size_t size;
	char *text = read_file(path, RESULT_MAX_BYTES, &size, e);
	int status = -1;

	if (text && d.top) {
		w.text = w.p = text;
		w.end = text + size;
		status = walk_document(&w, &d);
	}
	free(text);
	if (status == 0)
		return d.top;
	json_decref(d.top);
	return NULL;
}

/* ----------------------------------------------------------- cells as trees */

struct trees {
	result_cell_fn *cell;
	void *ctx;
};

static int take_tree(void *ctx, const json_t *top, struct scan *s)
{
	const struct trees *t = ctx;
	json_error_t error;
	json_t *v = json_loadb(s->p, (size_t)(s->end - s->p),
			       JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES,
			       &error);
	int status;

	if (!v)
		return -1;
	status = upgrade_cell(&upgrade_results, upgrade_results.now, v)
			 ? t->cell(t->ctx, top, v)
			 : -1;
	json_decref(v);
	if (status == 0)
		s->p += error.position;
	return status;
}

json_t *result_read(const char *path, result_cell_fn *cell, void *ctx,
		    struct err *e)
{
	struct trees t = {cell, ctx};

	return result_read_text(path, take_tree, &t, e);
}
