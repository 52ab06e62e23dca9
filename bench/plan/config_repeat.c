/* SPDX-License-Identifier: GPL-2.0-only */
/* The repeat rule: either a count, or from min to max until it is enough. */
#include <string.h>

#include "bench/plan/config_impl.h"

#define DEFAULT_COUNT 3
/* The fewest values of whose median there is a 95 % confidence interval. */
#define LEAST_INTERVAL 6
#define DEFAULT_MAX    30
#define MAX_WARMUP     1000
#define MAX_TIME_S     1e7

static int parse_repeats(json_t *value, uint32_t *out, const struct at *at)
{
	int64_t n;

	if (parse_int(value, 1, CONFIG_MAX_REPEATS, &n, at))
		return -1;
	*out = (uint32_t)n;
	return 0;
}

static int parse_count(void *ctx, json_t *value, const struct at *at)
{
	struct repeat_rule *rule = ctx;

	if (parse_repeats(value, &rule->min, at))
		return -1;
	rule->max = rule->min;
	return 0;
}

static int parse_min(void *ctx, json_t *value, const struct at *at)
{
	return parse_repeats(value, &((struct repeat_rule *)ctx)->min, at);
}

static int parse_max(void *ctx, json_t *value, const struct at *at)
{
	return parse_repeats(value, &((struct repeat_rule *)ctx)->max, at);
}

static int parse_width(void *ctx, json_t *value, const struct at *at)
{
	return parse_number(value, 0, 1, &((struct repeat_rule *)ctx)->ci_width,
			    at);
}

static int parse_time(void *ctx, json_t *value, const struct at *at)
{
	return parse_number(value, 0, MAX_TIME_S,
			    &((struct repeat_rule *)ctx)->time_s, at);
}

static int parse_warmup(void *ctx, json_t *value, const struct at *at)
{
	int64_t n;

	if (parse_int(value, 0, MAX_WARMUP, &n, at))
		return -1;
	((struct repeat_rule *)ctx)->warmup = (uint32_t)n;
	return 0;
}

struct repeat_rule default_repeat(void)
{
	return (struct repeat_rule){
		.min = DEFAULT_COUNT, .max = DEFAULT_COUNT, .ci_width = -1};
}

static const char *const range_members[] = {"min", "max", "ci_width"};

/* A count and a range exclude each other; 1: the rule has a range. */
static int has_range(const json_t *value, const struct at *at)
{
	int range = 0;

	for (size_t i = 0; i < sizeof(range_members) / sizeof(*range_members);
	     i++) {
		struct at here = at_key(at, range_members[i]);

		if (!json_object_get(value, range_members[i]))
			continue;
		if (json_object_get(value, "count"))
			return at_bad(&here, "there is a count: the number of "
					     "repeats is given already");
		range = 1;
	}
	return range;
}

/* A limit that is not given adapts to the other one. */
static void fill_range(const json_t *value, struct repeat_rule *rule)
{
	if (!json_object_get(value, "min"))
		rule->min = LEAST_INTERVAL;
	if (!json_object_get(value, "max"))
		rule->max = rule->min > DEFAULT_MAX ? rule->min : DEFAULT_MAX;
	else if (!json_object_get(value, "min") && rule->min > rule->max)
		rule->min = rule->max;
}

static int check_range(const struct repeat_rule *rule, const struct at *at)
{
	struct at max = at_key(at, "max"), width = at_key(at, "ci_width");

	if (rule->max < rule->min)
		return at_bad(&max, "%u is below min, %u", rule->max,
			      rule->min);
	if (rule->ci_width >= 0 && rule->max < LEAST_INTERVAL)
		return at_bad(&width,
			      "max is %u: fewer than %d repeats have no 95 %% "
			      "interval",
			      rule->max, LEAST_INTERVAL);
	return 0;
}

static int check_runs(const struct config *c, const json_t *value,
		      const struct at *at)
{
	const char *name = json_object_get(value, "count") ? "count" : "max";
	struct at here = at_key(at, name);
	uint32_t most = schedule_most(&c->repeat);

	if (config_cells(c) > CONFIG_MAX_RUNS / most)
		return at_bad(json_object_get(value, name) ? &here : at,
			      "%zu cells times %u are above %d runs",
			      config_cells(c), most, CONFIG_MAX_RUNS);
	return 0;
}

int parse_repeat(void *ctx, json_t *value, const struct at *at)
{
	static const struct member members[] = {
		{"count", false, parse_count}, {"min", false, parse_min},
		{"max", false, parse_max},     {"ci_width", false, parse_width},
		{"time_s", false, parse_time}, {"warmup", false, parse_warmup},
		{NULL, false, NULL},
	};
	struct config *c = ctx;
	int range;

	if (parse_object(value, members, &c->repeat, at))
		return -1;
	range = has_range(value, at);
	if (range < 0)
		return -1;
	if (range)
		fill_range(value, &c->repeat);
	return check_range(&c->repeat, at) || check_runs(c, value, at) ? -1 : 0;
}
