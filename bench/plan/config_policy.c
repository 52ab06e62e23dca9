/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "bench/plan/config_impl.h"

static const char *policy_name(const void *ctx, size_t index)
{
	const struct retry_policy *policies = ctx;

	return policies[index].name;
}

/*
 * Halves have no list of their own: those of the named policies are all that
 * there are, so their names are collected from there, without repetition.
 */
struct halves {
	const char *name[32]; /* ended by NULL */
};

static void add_half(struct halves *h, const char *name)
{
	size_t i = 0;

	while (h->name[i] && strcmp(h->name[i], name) != 0)
		i++;
	if (i + 1 < sizeof(h->name) / sizeof(h->name[0]))
		h->name[i] = name;
}

static void collect_halves(struct halves *fault, struct halves *removal)
{
	memset(fault, 0, sizeof(*fault));
	memset(removal, 0, sizeof(*removal));
	for (const struct retry_policy *p = retry_policies; p->name; p++) {
		add_half(fault, fault_policy_name(p->fault));
		add_half(removal, removal_policy_name(p->removal));
	}
}

static int parse_fault_half(void *ctx, json_t *value, const struct at *at)
{
	struct policy_choice *out = ctx;
	struct halves fault, removal;
	const char *name;

	if (parse_string(value, &name, at))
		return -1;
	collect_halves(&fault, &removal);
	out->policy.fault = fault_policy_find(name);
	if (out->policy.fault)
		return 0;
	parse_name(name, "fault half", array_name, fault.name, at);
	return -1;
}

static int parse_removal_half(void *ctx, json_t *value, const struct at *at)
{
	struct policy_choice *out = ctx;
	struct halves fault, removal;
	const char *name;

	if (parse_string(value, &name, at))
		return -1;
	collect_halves(&fault, &removal);
	out->policy.removal = removal_policy_find(name);
	if (out->policy.removal)
		return 0;
	parse_name(name, "removal half", array_name, removal.name, at);
	return -1;
}

/* A combination that has a name is the policy of that name. */
static void name_combination(struct policy_choice *c)
{
	for (const struct retry_policy *p = retry_policies; p->name; p++)
		if (p->fault == c->policy.fault &&
		    p->removal == c->policy.removal)
			c->policy = *p;
}

static void label(struct policy_choice *c)
{
	if (c->policy.name)
		snprintf(c->label, sizeof(c->label), "%.40s", c->policy.name);
	else
		snprintf(c->label, sizeof(c->label), "%.30s/%.30s",
			 fault_policy_name(c->policy.fault),
			 removal_policy_name(c->policy.removal));
}

int parse_policy(json_t *value, struct policy_choice *out, const struct at *at)
{
	static const struct member members[] = {
		{"fault", true, parse_fault_half},
		{"removal", true, parse_removal_half},
		{NULL, false, NULL},
	};
	int index;

	memset(out, 0, sizeof(*out));
	if (json_is_string(value)) {
		index = parse_name(json_string_value(value), "policy",
				   policy_name, retry_policies, at);
		if (index < 0)
			return -1;
		out->policy = retry_policies[index];
	} else if (json_is_object(value)) {
		if (parse_object(value, members, out, at))
			return -1;
		name_combination(out);
	} else {
		return at_bad(at, "expected the name of a policy, or an "
				  "object with \"fault\" and \"removal\"");
	}
	label(out);
	return 0;
}
