/* SPDX-License-Identifier: GPL-2.0-only */
/* Gate files: read, checked, and which rule is whose. */
#include <stdlib.h>
#include <string.h>

#include "bench/base/json.h"
#include "bench/base/names.h"
#include "bench/compare/gate.h"

/* In percent.  Twice as much is material for anybody. */
#define MAX_MATERIAL	 1000
#define DEFAULT_MATERIAL 1

/* In the order of enum gate_fails. */
static const char *const fails_names[] = {"worse", "higher", "lower", "any",
					  NULL};
static const char *const action_names[] = {"check", "ignore", NULL};

/* ------------------------------------------------------------------ a rule */

static int parse_pattern(json_t *value, const char **out, const struct at *at)
{
	if (parse_string(value, out, at))
		return -1;
	return (*out)[0] ? 0 : at_bad(at, "expected a pattern, not \"\"");
}

static int parse_metric(void *ctx, json_t *value, const struct at *at)
{
	return parse_pattern(value, &((struct gate_rule *)ctx)->metric, at);
}

static int parse_workload(void *ctx, json_t *value, const struct at *at)
{
	return parse_pattern(value, &((struct gate_rule *)ctx)->workload, at);
}

static int parse_cell(void *ctx, json_t *value, const struct at *at)
{
	struct gate_rule *rule = ctx;
	const char *axis;
	json_t *v;

	if (!json_is_object(value))
		return at_bad(at, "expected an object, axis -> value");
	json_object_foreach(value, axis, v)
	{
		struct at here = at_key(at, axis);

		if (!json_is_string(v) && !json_is_integer(v) &&
		    !json_is_boolean(v))
			return at_bad(&here, "expected a string, an integer or "
					     "a truth value");
	}
	rule->cell = value;
	return 0;
}

static int parse_action(void *ctx, json_t *value, const struct at *at)
{
	const char *name;
	int index;

	if (parse_string(value, &name, at))
		return -1;
	index = parse_name(name, "action", array_name, action_names, at);
	((struct gate_rule *)ctx)->check = index == 0;
	return index < 0 ? -1 : 0;
}

static int parse_material(void *ctx, json_t *value, const struct at *at)
{
	struct gate_rule *rule = ctx;

	if (!rule->check)
		return at_bad(at, "means nothing with the action \"ignore\"");
	if (parse_number(value, 0, MAX_MATERIAL, &rule->material, at))
		return -1;
	rule->material /= 100;
	return 0;
}

static int parse_fails(void *ctx, json_t *value, const struct at *at)
{
	struct gate_rule *rule = ctx;
	const char *name;
	int index;

	if (!rule->check)
		return at_bad(at, "means nothing with the action \"ignore\"");
	if (parse_string(value, &name, at))
		return -1;
	index = parse_name(name, "kind of change", array_name, fails_names, at);
	if (index < 0)
		return -1;
	rule->fails = (enum gate_fails)index;
	return 0;
}

static int parse_why(void *ctx, json_t *value, const struct at *at)
{
	return parse_string(value, &((struct gate_rule *)ctx)->why, at);
}

/* The action first: what else may be there depends on it. */
static const struct member rule_members[] = {
	{"action", true, parse_action},	     {"metric", true, parse_metric},
	{"workload", false, parse_workload}, {"cell", false, parse_cell},
	{"material", false, parse_material}, {"fails", false, parse_fails},
	{"why", false, parse_why},	     {NULL, false, NULL},
};

/* ---------------------------------------------------------------- the file */

static int parse_schema(void *ctx, json_t *value, const struct at *at)
{
	const char *s;

	(void)ctx;
	if (parse_string(value, &s, at))
		return -1;
	return strcmp(s, "tdmem-gate/1") == 0
		       ? 0
		       : at_bad(at, "expected \"tdmem-gate/1\", not \"%.40s\"",
				s);
}

static int parse_gate_name(void *ctx, json_t *value, const struct at *at)
{
	return parse_string(value, &((struct gate *)ctx)->name, at);
}

static int parse_alpha(void *ctx, json_t *value, const struct at *at)
{
	return parse_number(value, 1e-6, 0.5, &((struct gate *)ctx)->alpha, at);
}

static int parse_rules(void *ctx, json_t *value, const struct at *at)
{
	struct gate *gate = ctx;
	size_t n = json_array_size(value), i;
	json_t *v;

	if (!json_is_array(value) || n < 1 || n > GATE_MAX_RULES)
		return at_bad(at, "expected a list of 1 to %d rules",
			      GATE_MAX_RULES);
	gate->rule = calloc(n, sizeof(*gate->rule));
	if (!gate->rule)
		return at_bad(at, "out of memory");
	json_array_foreach(value, i, v)
	{
		struct at here = at_index(at, i);

		gate->rule[i].material = DEFAULT_MATERIAL / 100.0;
		if (parse_object(v, rule_members, &gate->rule[i], &here))
			return -1;
	}
	gate->nrules = n;
	return 0;
}

static const struct member document[] = {
	{"schema", true, parse_schema},
	{"name", true, parse_gate_name},
	{"alpha", false, parse_alpha},
	{"rules", true, parse_rules},
	{NULL, false, NULL},
};

int gate_parse(const char *path, json_t *root, struct gate *gate, struct err *e)
{
	struct at at = at_root(path, e);

	*gate = (struct gate){.root = root};
	if (parse_object(root, document, gate, &at) == 0)
		return 0;
	gate_free(gate);
	return -1;
}

int gate_load(const char *path, struct gate *gate, struct err *e)
{
	json_t *root = json_read(path, GATE_MAX_BYTES, e);

	*gate = (struct gate){0};
	return root ? gate_parse(path, root, gate, e) : -1;
}

void gate_free(struct gate *gate)
{
	free(gate->rule);
	json_decref(gate->root);
	*gate = (struct gate){0};
}
