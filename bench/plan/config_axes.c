/* SPDX-License-Identifier: GPL-2.0-only */
/* Workloads with their knobs, and the axes that they are crossed with. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/plan/config_impl.h"

/* ------------------------------------------------------------------ knobs */

static const char *knob_name(const void *ctx, size_t index)
{
	const struct knob *k = ((const struct knob *const *)ctx)[index];

	return k ? k->name : NULL;
}

int workload_knob(const struct workload *workload, const char *name)
{
	return find_name(name, knob_name, workload->knobs);
}

static int parse_choice(const struct knob *knob, json_t *value, int64_t *out,
			const struct at *at)
{
	const char *name;
	int index;

	if (parse_string(value, &name, at))
		return -1;
	index = parse_name(name, "choice", array_name, knob->choices, at);
	*out = index;
	return index < 0 ? -1 : 0;
}

int parse_knob(const struct knob *knob, json_t *value, int64_t *out,
	       const struct at *at)
{
	bool b;

	switch (knob->type) {
	case KNOB_CHOICE:
		return parse_choice(knob, value, out, at);
	case KNOB_BOOL:
		if (parse_bool(value, &b, at))
			return -1;
		*out = b;
		return 0;
	default:
		return parse_int(value, knob->min, knob->max, out, at);
	}
}

/* -------------------------------------------------------------- workloads */

static const char *workload_name(const void *ctx, size_t index)
{
	const struct workload *w = ((const struct workload *const *)ctx)[index];

	return w ? w->name : NULL;
}

static int set_knobs(struct config_workload *cw, json_t *knobs,
		     const struct at *at)
{
	const char *key;
	json_t *value;

	json_object_foreach(knobs, key, value)
	{
		struct at here = at_key(at, key);
		int k = parse_name(key, "knob", knob_name, cw->workload->knobs,
				   &here);

		if (k < 0 || parse_knob(cw->workload->knobs[k], value,
					&cw->value[k], &here))
			return -1;
	}
	return 0;
}

static int add_workload(struct config *c, const char *name, json_t *knobs,
			const struct at *at)
{
	struct config_workload *cw = &c->workloads[c->nworkloads];
	int index = parse_name(name, "workload", workload_name, workloads, at);

	if (index < 0)
		return -1;
	if (knobs && !json_is_object(knobs))
		return at_bad(at, "expected an object of knobs");
	for (size_t i = 0; i < c->nworkloads; i++)
		if (c->workloads[i].workload == workloads[index])
			return at_bad(at, "\"%s\" is there twice", name);
	cw->workload = workloads[index];
	while (cw->workload->knobs[cw->nknobs])
		cw->nknobs++;
	cw->value = calloc(cw->nknobs + 1, sizeof(*cw->value));
	if (!cw->value)
		return at_bad(at, "out of memory");
	c->nworkloads++;
	for (size_t i = 0; i < cw->nknobs; i++)
		cw->value[i] = cw->workload->knobs[i]->def;
	return knobs ? set_knobs(cw, knobs, at) : 0;
}

static int add_listed(struct config *c, json_t *list, const struct at *at)
{
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
	{
		struct at here = at_index(at, i);
		const char *name;

		if (parse_string(v, &name, &here) ||
		    add_workload(c, name, NULL, &here))
			return -1;
	}
	return 0;
}

int parse_workloads(void *ctx, json_t *value, const struct at *at)
{
	size_t n = json_is_array(value) ? json_array_size(value)
					: json_object_size(value);
	struct config *c = ctx;
	const char *key;
	json_t *v;

	if (!json_is_array(value) && !json_is_object(value))
		return at_bad(at, "expected a list of workloads, or an object "
				  "of workloads and their knobs");
	if (n == 0)
		return at_bad(at, "expected at least one workload");
	c->workloads = calloc(n, sizeof(*c->workloads));
	if (!c->workloads)
		return at_bad(at, "out of memory");
	if (json_is_array(value))
		return add_listed(c, value, at);
	json_object_foreach(value, key, v)
	{
		struct at here = at_key(at, key);

		if (add_workload(c, key, v, &here))
			return -1;
	}
	return 0;
}

/* ------------------------------------------------------------------- axes */

static int parse_policies(struct axis *axis, const struct at *at)
{
	axis->policy = calloc(axis->n, sizeof(*axis->policy));
	if (!axis->policy)
		return at_bad(at, "out of memory");
	for (size_t i = 0; i < axis->n; i++) {
		struct at here = at_index(at, i);

		if (parse_policy(json_array_get(axis->values, i),
				 &axis->policy[i], &here))
			return -1;
		for (size_t j = 0; j < i; j++)
			if (strcmp(axis->policy[j].label,
				   axis->policy[i].label) == 0)
				return at_bad(&here, "the same as [%zu]", j);
	}
	return 0;
}

static int parse_vcpus(struct axis *axis, const struct at *at)
{
	int64_t v;

	axis->vcpus = calloc(axis->n, sizeof(*axis->vcpus));
	if (!axis->vcpus)
		return at_bad(at, "out of memory");
	for (size_t i = 0; i < axis->n; i++) {
		struct at here = at_index(at, i);

		if (parse_int(json_array_get(axis->values, i), 1,
			      CONFIG_MAX_VCPUS, &v, &here))
			return -1;
		axis->vcpus[i] = (uint32_t)v;
		for (size_t j = 0; j < i; j++)
			if (axis->vcpus[j] == v)
				return at_bad(&here, "the same as [%zu]", j);
	}
	return 0;
}

static int no_such_knob(const struct config *c, const char *name,
			const struct workload *w, const struct at *at)
{
	char why[200];

	if (c->nworkloads > 1)
		return at_bad(at, "the workload \"%s\" has no such knob",
			      w->name);
	return at_bad(at, "%s",
		      unknown_name(name, "axis", knob_name, w->knobs, why,
				   sizeof(why)));
}

static int check_knob_value(const struct config *c, const struct axis *axis,
			    json_t *value, const struct at *at)
{
	int64_t ignored;

	for (size_t i = 0; i < c->nworkloads; i++) {
		const struct workload *w = c->workloads[i].workload;
		int k = workload_knob(w, axis->name);

		if (parse_knob(w->knobs[k], value, &ignored, at))
			return -1;
	}
	return 0;
}

static int set_in_workloads(const struct config *c, const char *workload,
			    const char *name)
{
	json_t *all = json_object_get(c->root, "workloads");

	return json_object_get(json_object_get(all, workload), name) != NULL;
}

static int parse_knob_axis(const struct config *c, struct axis *axis,
			   const struct at *at)
{
	for (size_t i = 0; i < c->nworkloads; i++) {
		const struct workload *w = c->workloads[i].workload;

		if (workload_knob(w, axis->name) < 0)
			return no_such_knob(c, axis->name, w, at);
		if (set_in_workloads(c, w->name, axis->name))
			return at_bad(at, "workloads.%s sets it as well",
				      w->name);
	}
	for (size_t i = 0; i < axis->n; i++) {
		json_t *v = json_array_get(axis->values, i);
		struct at here = at_index(at, i);

		if (check_knob_value(c, axis, v, &here))
			return -1;
		for (size_t j = 0; j < i; j++)
			if (json_equal(json_array_get(axis->values, j), v))
				return at_bad(&here, "the same as [%zu]", j);
	}
	return 0;
}

static int add_axis(struct config *c, const char *name, enum axis_kind kind,
		    json_t *values, const struct at *at)
{
	struct axis *axis = &c->axes[c->naxes];
	struct at here = at_key(at, name);

	if (c->naxes == CONFIG_MAX_AXES)
		return at_bad(&here, "more than %d axes", CONFIG_MAX_AXES);
	if (!json_is_array(values))
		return at_bad(&here, "expected a list of values");
	if (json_array_size(values) == 0)
		return at_bad(&here, "expected at least one value");
	if (json_array_size(values) > CONFIG_MAX_VALUES)
		return at_bad(&here, "more than %d values", CONFIG_MAX_VALUES);
	*axis = (struct axis){.name = name,
			      .kind = kind,
			      .values = values,
			      .n = json_array_size(values)};
	c->naxes++;
	switch (kind) {
	case AXIS_POLICY:
		return parse_policies(axis, &here);
	case AXIS_VCPUS:
		return parse_vcpus(axis, &here);
	default:
		return parse_knob_axis(c, axis, &here);
	}
}

static int check_policy_axis(const struct config *c, json_t *policy,
			     const struct at *at)
{
	struct at here = at_key(at, "policy");

	if (c->backend->chooses_policy && !policy)
		return at_bad(&here, "missing");
	if (!c->backend->chooses_policy && policy)
		return at_bad(&here,
			      "the backend \"%s\" cannot choose: the "
			      "policy is the running kernel's",
			      c->backend->name);
	return 0;
}

static int check_product(const struct config *c, const struct at *at)
{
	size_t cells = c->nworkloads;

	for (size_t i = 0; i < c->naxes; i++) {
		if (c->axes[i].n > CONFIG_MAX_CELLS / cells)
			return at_bad(at, "the product is above %d cells",
				      CONFIG_MAX_CELLS);
		cells *= c->axes[i].n;
	}
	return 0;
}

int parse_axes(void *ctx, json_t *value, const struct at *at)
{
	struct at vcpus_at = at_key(at, "vcpus");
	struct config *c = ctx;
	json_t *policy, *vcpus, *v;
	const char *key;

	if (!json_is_object(value))
		return at_bad(at, "expected an object of lists");
	policy = json_object_get(value, "policy");
	vcpus = json_object_get(value, "vcpus");
	if (check_policy_axis(c, policy, at))
		return -1;
	if (!vcpus)
		return at_bad(&vcpus_at, "missing");
	if ((policy && add_axis(c, "policy", AXIS_POLICY, policy, at)) ||
	    add_axis(c, "vcpus", AXIS_VCPUS, vcpus, at))
		return -1;
	json_object_foreach(value, key, v) if (v != policy && v != vcpus &&
					       add_axis(c, key, AXIS_KNOB, v,
							at)) return -1;
	return check_product(c, at);
}

size_t config_cells(const struct config *config)
{
	size_t cells = config->nworkloads;

	for (size_t i = 0; i < config->naxes; i++)
		cells *= config->axes[i].n;
	return cells;
}
