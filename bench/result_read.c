/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading results.  The file is walked member by member and cell by cell:
 * jansson parses one value at a time, so that memory is that of the text and
 * of one cell, not of all histograms as trees.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/json.h"
#include "bench/result.h"

/* Above any result that a run within its bounds can write. */
#define RESULT_MAX_BYTES ((size_t)4 << 30)

struct walk {
	const char *path;
	const char *text, *end;
	const char *p;
	struct err *e;
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

static int walk_cells(struct walk *w, result_cell_fn *cell, void *ctx)
{
	if (!take(w, '['))
		return bad(w, "cells: expected a list");
	if (take(w, ']'))
		return 0;
	do {
		json_t *v = value(w);
		int status;

		if (!v)
			return -1;
		status = json_is_object(v) ? cell(ctx, v) : -1;
		json_decref(v);
		if (status)
			return bad(w, "not a cell");
	} while (take(w, ','));
	return take(w, ']') ? 0 : bad(w, "cells: expected , or ]");
}

static int walk_member(struct walk *w, json_t *top, result_cell_fn *cell,
		       void *ctx)
{
	json_t *key = peek(w) == '"' ? value(w) : NULL, *v = NULL;
	const char *name = json_string_value(key);
	int status = -1;

	if (!name || !take(w, ':'))
		bad(w, "expected a member of an object");
	else if (json_object_get(top, name))
		bad(w, "the same member twice");
	else if (strcmp(name, "cells") == 0)
		status = walk_cells(w, cell, ctx), v = json_true();
	else
		status = (v = value(w)) ? 0 : -1;
	if (status == 0)
		json_object_set(top, name, v);
	json_decref(v);
	json_decref(key);
	return status;
}

static int walk_top(struct walk *w, json_t *top, result_cell_fn *cell,
		    void *ctx)
{
	if (!take(w, '{'))
		return bad(w, "expected a result, a JSON object");
	if (!take(w, '}')) {
		do {
			if (walk_member(w, top, cell, ctx))
				return -1;
		} while (take(w, ','));
		if (!take(w, '}'))
			return bad(w, "expected , or }");
	}
	return peek(w) || w->p < w->end ? bad(w, "expected the end") : 0;
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
	if (!json_object_get(top, "cells"))
		return err_set(e, EXIT_USAGE, "%s: cells: missing", path);
	return 0;
}

json_t *result_read(const char *path, result_cell_fn *cell, void *ctx,
		    struct err *e)
{
	struct walk w = {.path = path, .e = e};
	json_t *top = json_object();
	size_t size;
	char *text = read_file(path, RESULT_MAX_BYTES, &size, e);

	if (!text || !top) {
		json_decref(top);
		free(text);
		return NULL;
	}
	w.text = w.p = text;
	w.end = text + size;
	if (walk_top(&w, top, cell, ctx) || check_top(path, top, e)) {
		json_decref(top);
		top = NULL;
	}
	free(text);
	return top;
}
