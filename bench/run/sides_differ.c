/* SPDX-License-Identifier: GPL-2.0-only */
/* In what two sides differ, and whether they may. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/json.h"
#include "bench/result/encode.h"
#include "bench/run/write.h"
#include "bench/run/sides.h"

/* ------------------------------------------------------------- same cells */

#define SAME ": both sides need the same cells in the same order"

static const char *workload_at(const struct config *c, size_t i)
{
	return i < c->nworkloads ? c->workloads[i].workload->name : "nothing";
}

static int other_workloads(const struct config *base, const struct config *new,
			   const struct at *root)
{
	struct at all = at_key(root, "workloads");

	for (size_t i = 0; i < base->nworkloads || i < new->nworkloads; i++) {
		const char *b = workload_at(base, i), *n = workload_at(new, i);
		struct at here = at_index(&all, i);

		if (strcmp(b, n) != 0)
			return at_bad(&here,
				      "the baseline has %s, the config %s" SAME,
				      b, n);
	}
	return 0;
}

/* Policies by their labels: a name and its two halves are the same. */
static bool same_value(const struct axis *base, const struct axis *new,
		       size_t i)
{
	if (base->kind == AXIS_POLICY)
		return strcmp(base->policy[i].label, new->policy[i].label) == 0;
	return json_equal(json_array_get(base->values, i),
			  json_array_get(new->values, i));
}

static int other_values(const struct axis *base, const struct axis *new,
			const struct at *at)
{
	if (base->n != new->n)
		return at_bad(
			at, "the baseline has %zu values, the config %zu" SAME,
			base->n, new->n);
	for (size_t i = 0; i < base->n; i++) {
		struct at here = at_index(at, i);

		if (!same_value(base, new, i))
			return at_bad(&here,
				      "the config has another value here" SAME);
	}
	return 0;
}

static int other_axes(const struct config *base, const struct config *new,
		      const struct at *root)
{
	struct at all = at_key(root, "axes");

	for (size_t i = 0; i < base->naxes && i < new->naxes; i++) {
		const struct axis *b = &base->axes[i], *n = &new->axes[i];
		struct at here = at_key(&all, b->name);

		if (strcmp(b->name, n->name) != 0)
			return at_bad(&here,
				      "the config has the axis %.40s here" SAME,
				      n->name);
		if (other_values(b, n, &here))
			return -1;
	}
	if (base->naxes != new->naxes)
		return at_bad(&all,
			      "the baseline has %zu axes, the config %zu" SAME,
			      base->naxes, new->naxes);
	return 0;
}

int sides_alike(const struct side *base, const struct side *new, struct err *e)
{
	struct at root = at_root(base->config.file, e);

	if (other_workloads(&base->config, &new->config, &root))
		return -1;
	return other_axes(&base->config, &new->config, &root);
}

/* ------------------------------------------------------------ differences */

static json_t *knobs_of(const struct config *config)
{
	json_t *all = result_workloads(config), *knobs = json_object(), *w;
	const char *name;

	json_object_foreach(all, name, w)
		json_object_set(knobs, name, json_object_get(w, "knobs"));
	json_decref(all);
	return knobs;
}

/* What is in effect, under the names that configs have for it. */
static json_t *in_effect(const struct config *c)
{
	return json_pack("{sss{sssssfsb}s{sfsf}sIsIso}", "backend",
			 c->backend->name, "host", "topology", c->topology,
			 "column", c->column, "jitter", c->jitter,
			 "clear_removed", c->clear_removed, "limits",
			 "livelock_ms", (double)c->livelock_ns / 1e6, "max_ms",
			 (double)c->max_ns / 1e6, "retry_limit",
			 (json_int_t)c->retry_limit, "seed",
			 (json_int_t)c->seed, "workloads", knobs_of(c));
}

static void add_difference(json_t *list, const char *path, json_t *base,
			   json_t *new)
{
	json_t *row =
		json_pack("{sssOsO}", "path", path, "base", base, "new", new);

	json_array_append_new(list, row);
}

static void compare_trees(json_t *list, const char *path, json_t *base,
			  json_t *new)
{
	const char *key;
	json_t *b, *n;

	if (!json_is_object(base) || !json_is_object(new)) {
		if (!json_equal(base, new))
			add_difference(list, path, base, new);
		return;
	}
	json_object_foreach(base, key, b)
	{
		char below[256];

		n = json_object_get(new, key);
		snprintf(below, sizeof(below), "%s%s%s", path,
			 path[0] ? "." : "", key);
		if (n)
			compare_trees(list, below, b, n);
	}
}

static json_t *cost_of(const json_t *table, const char *name)
{
	json_t *entries = json_object_get(table, "entries"), *entry;
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		json_t *found = json_object_get(entry, "name");

		if (strcmp(json_string_value(found), name) == 0)
			return entry;
	}
	return NULL;
}

/* The same figures at another path are the same costs. */
static void compare_costs(json_t *list, const struct costs *base,
			  const struct costs *new)
{
	json_t *b_path, *n_path;

	if (json_equal(base->root, new->root))
		return;
	b_path = json_bytes(base->path);
	n_path = json_bytes(new->path);
	if (!json_equal(b_path, n_path))
		add_difference(list, "host.costs", b_path, n_path);
	json_decref(b_path);
	json_decref(n_path);
	for (size_t i = 0; i < cost_count(); i++) {
		const char *name = cost_at(i)->name;
		json_t *b =
			json_object_get(cost_of(base->root, name), new->column);
		json_t *n =
			json_object_get(cost_of(new->root, name), new->column);
		char path[160];

		snprintf(path, sizeof(path), "costs.%s.%s", name, new->column);
		if (!json_equal(b, n))
			add_difference(list, path, b, n);
	}
}

json_t *sides_differences(const struct sides *sides)
{
	const struct side *b = &sides->side[0], *n = sides_main(sides);
	json_t *list = json_array(), *base, *new;

	if (sides->n < 2)
		return list;
	base = in_effect(&b->config);
	new = in_effect(&n->config);
	if (base && new) {
		compare_trees(list, "", base, new);
		compare_costs(list, &b->costs, &n->costs);
	} else {
		json_decref(list);
		list = NULL;
	}
	json_decref(base);
	json_decref(new);
	return list;
}

json_t *sides_baseline(const struct sides *sides)
{
	const struct side *base = &sides->side[0];
	json_t *differences = sides_differences(sides);

	/* How another program fills the defaults is not known here. */
	if (base->binary)
		return json_pack("{sosssOso}", "binary",
				 json_bytes(base->binary), "version",
				 base->version, "config", base->config.root,
				 "differences", differences);
	return json_pack("{sOsososo}", "config", base->config.root, "workloads",
			 result_workloads(&base->config), "costs",
			 result_costs(&base->costs), "differences",
			 differences);
}
