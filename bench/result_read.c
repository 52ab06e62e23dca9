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
	return 0;
}

/* Pass over the cells, whatever they are: only their end is looked for. */
static bool skip_cells(struct walk *w)
{
	bool in_string = false;
	long depth = 0;

	for (peek(w); w->p < w->end; w->p++) {
		char c = *w->p;

		if (in_string) {
			if (c == '\\' && w->p + 1 < w->end)
				w->p++;
			in_string = c != '"';
		} else if (c == '"') {
			in_string = true;
		} else if (c == '[' || c == '{') {
			depth++;
		} else if (c == ']' || c == '}') {
			if (--depth <= 0) {
				w->p += depth == 0;
				return depth == 0;
			}
		}
	}
	return false;
}

static int walk_cells(struct walk *w, json_t *top, result_cell_fn *cell,
		      void *ctx)
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
		status = json_is_object(v) ? cell(ctx, top, v) : -1;
		json_decref(v);
		if (status)
			return bad(w, "not a cell");
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

/* One member of the document; of the cells only the place, in *cells. */
static int walk_member(struct walk *w, json_t *top, const char **cells)
{
	json_t *key = member_name(w, top), *v;

	if (!key)
		return -1;
	if (strcmp(json_string_value(key), "cells") == 0) {
		*cells = w->p;
		v = skip_cells(w) ? json_true() : NULL;
		if (!v)
			bad(w, "cells: expected a list with an end");
	} else {
		v = value(w);
	}
	if (v)
		json_object_set_new(top, json_string_value(key), v);
	json_decref(key);
	return v ? 0 : -1;
}

/* The members may come in any order: the cells are read when all are known. */
static int walk_document(struct walk *w, json_t *top, result_cell_fn *cell,
			 void *ctx)
{
	const char *cells = NULL;

	if (!take(w, '{'))
		return bad(w, "expected a result, a JSON object");
	do {
		if (walk_member(w, top, &cells))
			return -1;
	} while (take(w, ','));
	if (!take(w, '}') || peek(w) || w->p < w->end)
		return bad(w, "expected the end of the result");
	json_object_del(top, "cells");
	if (check_top(w->path, top, w->e))
		return -1;
	if (!cells)
		return bad(w, "cells: missing");
	w->p = cells;
	return walk_cells(w, top, cell, ctx);
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
	if (walk_document(&w, top, cell, ctx)) {
		json_decref(top);
		top = NULL;
	}
	free(text);
	return top;
}
