/* SPDX-License-Identifier: GPL-2.0-only */
/* Which rule of a gate is whose. */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/gate_impl.h"

/* What stands for the operation that the workload is about: "own.rate". */
#define OWN "own."

static bool matches(const char *pattern, const char *text)
{
	return fnmatch(pattern, text, 0) == 0;
}

/* "own.rate" becomes "fault.rate" where faults are what it is about. */
static bool metric_matches(const char *pattern, const char *operation,
			   const char *name)
{
	size_t own = strlen(OWN), n = strlen(operation);

	if (strncmp(pattern, OWN, own) != 0)
		return matches(pattern, name);
	return n && strncmp(name, operation, n) == 0 && name[n] == '.' &&
	       matches(pattern + own, name + n + 1);
}

bool gate_wanted(const void *ctx, const char *operation,
		 const struct samples_metric *metric)
{
	const struct gate *gate = ctx;

	for (size_t i = 0; i < gate->nrules; i++) {
		const struct gate_rule *rule = &gate->rule[i];
		char pattern[256];
		int n = (int)strcspn(rule->metric, " "); /* the quantile */

		snprintf(pattern, sizeof(pattern), "%.*s", n, rule->metric);
		if (rule->check &&
		    metric_matches(pattern, operation, metric->name))
			return true;
	}
	return false;
}

/* --------------------------------------------------------------- cells */

static bool value_matches(const json_t *wanted, const json_t *value)
{
	const char *pattern = json_string_value(wanted);
	const char *text = json_string_value(value);
	bool same;
	char *dump;

	if (!pattern)
		return json_equal(wanted, value);
	if (text)
		return matches(pattern, text);
	dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	same = dump && matches(pattern, dump);
	free(dump);
	return same;
}

/* The compared axis is none of the row's: the side is its value. */
static bool side_matches(const json_t *wanted, const char *label)
{
	char *text =
		json_is_string(wanted)
			? strdup(json_string_value(wanted))
			: json_dumps(wanted, JSON_COMPACT | JSON_ENCODE_ANY);
	bool same = text && matches(text, label);

	free(text);
	return same;
}

static bool cell_matches(const struct gate_rule *rule,
			 const struct comparison *c, size_t row, size_t side)
{
	const char *workload = c->group[c->row[row].group].workload, *axis;
	json_t *wanted;

	if (rule->workload && !matches(rule->workload, workload))
		return false;
	json_object_foreach(rule->cell, axis, wanted)
	{
		const json_t *value = json_object_get(c->row[row].axes, axis);
		bool same;

		if (strcmp(axis, c->by) == 0)
			same = side_matches(wanted, c->side[side].label);
		else
			same = value && value_matches(wanted, value);
		if (!same)
			return false;
	}
	return true;
}

/* --------------------------------------------------------------- rules */

const struct gate_rule *gate_rule_of(const struct gate *gate,
				     const struct comparison *c, size_t row,
				     size_t side)
{
	const struct compare_group *g = &c->group[c->row[row].group];

	for (size_t i = 0; i < gate->nrules; i++) {
		const struct gate_rule *rule = &gate->rule[i];

		if (!metric_matches(rule->metric, g->operation, g->name) &&
		    !metric_matches(rule->metric, g->operation, g->metric))
			continue;
		if (!cell_matches(rule, c, row, side))
			continue;
		if (rule->check && rule->fails == GATE_WORSE && !g->better)
			return NULL;
		return rule;
	}
	return NULL;
}

const struct gate_rule *gate_rule_of_cell(const struct gate *gate,
					  const struct comparison *c,
					  size_t row, size_t side)
{
	for (size_t i = 0; i < gate->nrules; i++)
		if (gate->rule[i].check &&
		    cell_matches(&gate->rule[i], c, row, side))
			return &gate->rule[i];
	return NULL;
}
