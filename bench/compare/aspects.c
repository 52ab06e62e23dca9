/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the sides have in common and what differs.  Every aspect is one value
 * a side; a table says where it is found.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/impl.h"
#include "bench/export/export.h"
#include "bench/result/encode.h"

/*
 * Of a result on virtual time the machine that computed it is of no interest;
 * of the model on real CPUs both count, costs and machine.
 */
enum scope { ALWAYS, ON_HOST, MODELLED, VIRTUAL };

static const struct source {
	const char *name;
	const char *path; /* from the top of the result */
	enum scope scope;
	const char *fallback; /* what is meant when it is not there */
} sources[] = {
	{"tdmem", "tool.version", ALWAYS, ""},
	{"config", "config.name", ALWAYS, ""},
	{"backend", "config.backend", ALWAYS, "sim"},
	{"topology", "config.host.topology", VIRTUAL, "pack:2 core:56 pu:2"},
	{"topology", "environment.topology", ON_HOST, ""},
	{"host", "environment.host", ON_HOST, ""},
	{"pin", "config.host.pin", ON_HOST, ""},
	{"cpu", "environment.cpu", ON_HOST, ""},
	{"kernel", "environment.kernel", ON_HOST, ""},
	{"memory", "environment.memory_bytes", ON_HOST, ""},
	/* Results without them are older: of a host that lacked nothing. */
	{"clock", "environment.threads.clock", ON_HOST, "TSC"},
	{"kick", "environment.threads.kick", ON_HOST, "membarrier"},
	{"vm", "environment.kvm.vm", ON_HOST, ""},
	{"host.memory", "environment.kvm.memory", ON_HOST, ""},
	{"TDX module", "environment.tdx.tdx_module", ON_HOST, ""},
	{"jitter", "config.host.jitter", VIRTUAL, "0.05"},
	{"clear_removed", "config.host.clear_removed", MODELLED, "true"},
	{"retry_limit", "config.retry_limit", ALWAYS, "0"},
	{"limits.livelock_ms", "config.limits.livelock_ms", ALWAYS, "100"},
	{"limits.max_ms", "config.limits.max_ms", ALWAYS, "600000"},
	{"costs", "costs.table.name", MODELLED, ""},
	{"costs.column", "costs.column", MODELLED, ""},
};

/* More entries than these are counted, not listed. */
enum { LISTED = 12 };

struct lister {
	struct comparison *c;
	size_t room;
	bool no_memory;
};

/* ----------------------------------------------------------------- adding */

/* A new aspect with room for a value of each side; NULL: out of memory. */
static struct compare_aspect *new_aspect(struct lister *l, const char *name)
{
	struct comparison *c = l->c;
	size_t room = l->room ? 2 * l->room : 32;
	struct compare_aspect *all, *a;

	if (c->naspects == l->room) {
		all = arena_alloc(c->arena, room, sizeof(*all));
		if (!all) {
			l->no_memory = true;
			return NULL;
		}
		if (c->naspects)
			memcpy(all, c->aspect, c->naspects * sizeof(*all));
		c->aspect = all;
		l->room = room;
	}
	a = &c->aspect[c->naspects];
	*a = (struct compare_aspect){
		.name = arena_text(c->arena, name),
		.value = arena_alloc(c->arena, c->nsides, sizeof(*a->value)),
	};
	l->no_memory |= !a->name || !a->value;
	if (l->no_memory)
		return NULL;
	c->naspects++;
	return a;
}

static char *text_of(struct lister *l, const json_t *value,
		     const char *fallback)
{
	char *text = value ? export_axis(value) : NULL, *copy;

	copy = arena_text(l->c->arena, text ? text : value ? "" : fallback);
	l->no_memory |= !copy || (value && !text);
	free(text);
	return copy;
}

static void finish(struct lister *l, struct compare_aspect *a)
{
	a->same = true;
	for (size_t i = 1; !l->no_memory && i < l->c->nsides; i++)
		a->same &= strcmp(a->value[i], a->value[0]) == 0;
}

/* ----------------------------------------------------------------- sources */

static const json_t *find_path(const json_t *top, const char *path)
{
	char part[40];

	while (top && *path) {
		size_t n = strcspn(path, ".");

		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		top = json_object_get(top, part);
		path += n + (path[n] == '.');
	}
	return top;
}

static bool is_in_scope(const struct samples *samples, enum scope scope)
{
	switch (scope) {
	case ON_HOST:
		return samples->real_cpus;
	case MODELLED:
		return samples->modelled;
	case VIRTUAL:
		return !samples->real_cpus;
	case ALWAYS:
		break;
	}
	return true;
}

static bool concerns(const struct comparison *c, const struct source *s)
{
	for (size_t i = 0; i < c->nsides; i++)
		if (is_in_scope(c->side[i].samples, s->scope))
			return true;
	return false;
}

static void add_source(struct lister *l, const struct source *s)
{
	struct comparison *c = l->c;
	struct compare_aspect *a;
	bool any = false;

	if (!concerns(c, s))
		return;
	a = new_aspect(l, s->name);
	for (size_t i = 0; a && i < c->nsides; i++) {
		const json_t *v = find_path(c->side[i].samples->top, s->path);

		a->value[i] = text_of(l, v, s->fallback);
		any |= a->value[i] && a->value[i][0];
	}
	if (a && any)
		finish(l, a);
	else if (a)
		c->naspects--; /* nobody says anything */
}

/* ------------------------------------------------- what differs in objects */

/* One aspect "NAME.KEY" if the sides' objects differ in a member. */
static bool add_member(struct lister *l, const char *name, const char *key,
		       const json_t *const *object, const char *shown)
{
	struct comparison *c = l->c;
	struct compare_aspect *a;
	char path[120];

	snprintf(path, sizeof(path), "%.50s.%.60s", name, key);
	a = new_aspect(l, path);
	for (size_t i = 0; a && i < c->nsides; i++) {
		const json_t *v = json_object_get(object[i], key);

		if (v && shown)
			v = json_object_get(v, shown);
		a->value[i] = text_of(l, v, "none");
	}
	if (!a)
		return false;
	finish(l, a);
	if (a->same)
		c->naspects--;
	return !a->same;
}

/* Members of the objects of all sides; the same ones make no aspect. */
static void add_members(struct lister *l, const char *name,
			const json_t *const *object, const char *shown)
{
	struct comparison *c = l->c;
	json_t *keys = json_object(), *v;
	size_t differ = 0;
	const char *key;

	for (size_t i = 0; keys && i < c->nsides; i++)
		l->no_memory |= object[i] &&
				json_object_update(
					keys, (json_t *)(uintptr_t)object[i]);
	json_object_foreach(keys, key, v)
	{
		if (l->no_memory)
			break;
		if (add_member(l, name, key, object, shown) &&
		    ++differ > LISTED)
			c->naspects--; /* the file of each has them all */
	}
	l->no_memory |= !keys;
	json_decref(keys);
}

/* Entries of cost tables by name; owned by the caller. */
static json_t *entries_of(const json_t *top)
{
	json_t *list = json_object_get(
		json_object_get(json_object_get(top, "costs"), "table"),
		"entries");
	json_t *all = json_object(), *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		const char *name =
			json_string_value(json_object_get(entry, "name"));

		if (name)
			json_object_set(all, name, entry);
	}
	return all;
}

/* Which costs differ, when the same column is used everywhere. */
static void add_costs(struct lister *l)
{
	struct comparison *c = l->c;
	const json_t *v = find_path(c->side[0].samples->top, "costs.column");
	json_t **entries = arena_alloc(c->arena, c->nsides, sizeof(*entries));

	if (!entries) {
		l->no_memory = true;
		return;
	}
	for (size_t i = 0; i < c->nsides; i++)
		entries[i] = entries_of(c->side[i].samples->top);
	if (json_is_string(v))
		add_members(l, "costs", (const json_t *const *)entries,
			    json_string_value(v));
	for (size_t i = 0; i < c->nsides; i++)
		json_decref(entries[i]);
}

/* How KVM's modules are set. */
static void add_parameters(struct lister *l)
{
	struct comparison *c = l->c;
	const json_t **parameters =
		arena_alloc(c->arena, c->nsides, sizeof(*parameters));

	if (!parameters) {
		l->no_memory = true;
		return;
	}
	for (size_t i = 0; i < c->nsides; i++)
		parameters[i] = find_path(c->side[i].samples->top,
					  "environment.kvm.parameters");
	add_members(l, "parameters", parameters, NULL);
}

static void add_knobs(struct lister *l)
{
	struct comparison *c = l->c;
	const json_t **knobs = arena_alloc(c->arena, c->nsides, sizeof(*knobs));
	json_t *all = json_object_get(c->side[0].samples->top, "workloads");
	const char *name;
	json_t *v;

	if (!knobs) {
		l->no_memory = true;
		return;
	}
	json_object_foreach(all, name, v)
	{
		bool everywhere = true;

		for (size_t i = 0; i < c->nsides; i++) {
			json_t *w = json_object_get(
				json_object_get(c->side[i].samples->top,
						"workloads"),
				name);

			knobs[i] = json_object_get(w, "knobs");
			everywhere &= w != NULL;
		}
		if (everywhere)
			add_members(l, name, knobs, NULL);
	}
}

/* ---------------------------------------------------- sides of one result */

/* What a run with --baseline says of its two sides. */
static void add_differences(struct lister *l)
{
	struct comparison *c = l->c;
	const json_t *baseline =
		json_object_get(c->side[0].samples->top, "baseline");
	json_t *list = json_object_get(baseline, "differences"), *d;
	size_t i;

	if (!c->request->by || strcmp(c->request->by, "side") != 0)
		return;
	json_array_foreach(list, i, d)
	{
		const char *path =
			json_string_value(json_object_get(d, "path"));
		struct compare_aspect *a = path ? new_aspect(l, path) : NULL;

		for (size_t k = 0; a && k < c->nsides; k++)
			a->value[k] =
				text_of(l, json_object_get(d, c->side[k].label),
					"none");
		if (a)
			finish(l, a);
	}
}

static void add_by(struct lister *l)
{
	struct comparison *c = l->c;
	struct compare_aspect *a = new_aspect(l, c->by);

	for (size_t i = 0; a && i < c->nsides; i++)
		a->value[i] = c->side[i].label;
	if (a)
		finish(l, a);
}

/* Axes of which all cells have the same value are common, not columns. */
static void add_constant_axes(struct lister *l,
			      const struct compare_cells *cells)
{
	struct comparison *c = l->c;
	const char *key;
	json_t *v;

	json_object_foreach(cells->cell[0].any->axes, key, v)
	{
		bool same = !c->request->by || strcmp(key, c->by) != 0;
		struct compare_aspect *a;

		for (size_t i = 1; same && i < cells->n; i++)
			same = json_equal(
				v,
				json_object_get(cells->cell[i].any->axes, key));
		a = same ? new_aspect(l, key) : NULL;
		for (size_t i = 0; a && i < c->nsides; i++)
			a->value[i] = text_of(l, v, "");
		if (a)
			a->same = true;
	}
}

/* ---------------------------------------------------------------- judgement */

/* "costs.seamcall" is of the group "costs". */
static bool same_group(const char *a, const char *b)
{
	size_t n = strcspn(a, ".");

	return n == strcspn(b, ".") && strncmp(a, b, n) == 0;
}

static bool is_across(const struct compare_request *r, const char *name)
{
	for (size_t i = 0; i < r->across.n; i++)
		if (same_group(r->across.v[i], name) ||
		    fnmatch(r->across.v[i], name, 0) == 0)
			return true;
	return false;
}

/* A config's name says nothing about what is in it. */
static bool is_name(const struct compare_aspect *a)
{
	return strcmp(a->name, "config") == 0;
}

static void mark_compared(struct comparison *c)
{
	const char *first = NULL;
	bool many = false;

	for (size_t i = 0; i < c->naspects; i++) {
		struct compare_aspect *a = &c->aspect[i];

		a->compared = !a->same && (c->request->by || is_name(a) ||
					   is_across(c->request, a->name));
		if (a->same || is_name(a))
			continue;
		many |= first && !same_group(first, a->name);
		first = a->name;
	}
	/* One thing differs: that is what is compared. */
	for (size_t i = 0; !many && i < c->naspects; i++)
		c->aspect[i].compared |= !c->aspect[i].same;
}

static bool by_order(const struct compare_aspect *a,
		     const struct compare_aspect *b)
{
	int x = a->same ? 0 : a->compared ? 1 : 2;
	int y = b->same ? 0 : b->compared ? 1 : 2;

	return x > y;
}

/* The same ones first, then the compared ones; otherwise as they came. */
static void sort_aspects(struct comparison *c)
{
	for (size_t i = 1; i < c->naspects; i++)
		for (size_t k = i;
		     k > 0 && by_order(&c->aspect[k - 1], &c->aspect[k]); k--) {
			struct compare_aspect kept = c->aspect[k];

			c->aspect[k] = c->aspect[k - 1];
			c->aspect[k - 1] = kept;
		}
}

static void name_difference(const struct comparison *c,
			    const struct compare_aspect *a, char *text,
			    size_t size)
{
	size_t n = strlen(text), other = 1;

	while (other + 1 < c->nsides &&
	       strcmp(a->value[other], a->value[0]) == 0)
		other++;
	snprintf(text + n, size - n, "%s%s (%.40s, %.40s)", n ? ", " : "",
		 a->name, a->value[0], a->value[other]);
}

/* Refused: several things differ and nobody said which one is compared. */
static int refuse_mixtures(const struct comparison *c, struct err *e)
{
	char text[360] = "";

	if (c->request->across.n || compare_warnings(c) == 0)
		return 0;
	for (size_t i = 0; i < c->naspects; i++)
		if (!c->aspect[i].same && !is_name(&c->aspect[i]))
			name_difference(c, &c->aspect[i], text, sizeof(text));
	return err_set(e, EXIT_USAGE,
		       "the results differ in more than one thing: %s: say by "
		       "--across NAME what is compared",
		       text);
}

static int refuse_models(const struct comparison *c, struct err *e)
{
	for (size_t i = 1; i < c->nsides; i++)
		if (c->side[i].samples->modelled !=
			    c->side[0].samples->modelled &&
		    !is_across(c->request, "backend"))
			return err_set(
				e, EXIT_USAGE,
				"%.200s is model output and %.200s is "
				"not: say --across backend if that is "
				"what is compared",
				c->side[c->side[0].samples->modelled ? 0 : i]
					.path,
				c->side[c->side[0].samples->modelled ? i : 0]
					.path);
	return 0;
}

size_t compare_warnings(const struct comparison *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->naspects; i++)
		n += !c->aspect[i].same && !c->aspect[i].compared;
	return n;
}

int compare_aspects(struct comparison *c, const struct compare_cells *cells,
		    struct err *e)
{
	struct lister l = {.c = c};

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++)
		add_source(&l, &sources[i]);
	if (c->request->by) {
		add_by(&l);
		add_differences(&l);
	} else {
		add_costs(&l);
		add_knobs(&l);
		add_parameters(&l);
	}
	add_constant_axes(&l, cells);
	if (l.no_memory)
		return compare_no_memory(e);
	mark_compared(c);
	sort_aspects(c);
	if (refuse_models(c, e) || refuse_mixtures(c, e))
		return -1;
	return 0;
}
