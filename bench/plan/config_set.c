/* SPDX-License-Identifier: GPL-2.0-only */
/* --set path=value: "axes.vcpus=[1,2]", "axes.vcpus[0]=4", "seed=7". */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "bench/plan/config_impl.h"

/* One step of a path: a key, or an index. */
struct step {
	char key[64];
	size_t index;
	bool is_index;
};

static int bad_set(const char *set, const char *why, struct err *e)
{
	return err_set(e, EXIT_USAGE, "--set %s: %s", set, why);
}

static const char *next_index(const char *p, struct step *step)
{
	char *end;

	if (!isdigit((unsigned char)p[1]))
		return NULL;
	step->is_index = true;
	step->index = strtoul(p + 1, &end, 10);
	return *end == ']' ? end + 1 : NULL;
}

/* Take one step off the path; NULL when there is none. */
static const char *next_step(const char *p, struct step *step)
{
	size_t n;

	if (*p == '[')
		return next_index(p, step);
	if (*p == '.')
		p++;
	n = strcspn(p, ".[=");
	if (n == 0 || n >= sizeof(step->key))
		return NULL;
	memcpy(step->key, p, n);
	step->key[n] = '\0';
	step->is_index = false;
	return p + n;
}

static int store(json_t *in, const struct step *step, json_t *value)
{
	if (step->is_index)
		return json_array_set(in, step->index, value);
	return json_object_set(in, step->key, value);
}

/* What is one step further down; objects that are missing are made. */
static json_t *descend(json_t *in, const struct step *step)
{
	json_t *down;

	if (step->is_index)
		return json_array_get(in, step->index);
	down = json_object_get(in, step->key);
	if (!down && json_is_object(in)) {
		json_object_set_new(in, step->key, json_object());
		down = json_object_get(in, step->key);
	}
	return down;
}

static json_t *parse_value(const char *text)
{
	json_t *value = json_loads(
		text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);

	return value ? value : json_string(text);
}

static int set_at(const char *set, json_t *in, json_t *value, struct err *e)
{
	const char *p = set;
	struct step step;

	for (;;) {
		p = next_step(p, &step);
		if (!p)
			return bad_set(set, "expected PATH=VALUE", e);
		if (*p == '=')
			break;
		in = descend(in, &step);
		if (!in)
			return bad_set(set, "there is no such place", e);
	}
	if (store(in, &step, value))
		return bad_set(set, "there is no such place", e);
	return 0;
}

int apply_set(const char *set, json_t *root, struct err *e)
{
	const char *equals = strchr(set, '=');
	json_t *value;
	int status;

	if (!equals)
		return bad_set(set, "expected PATH=VALUE", e);
	value = parse_value(equals + 1);
	if (!value)
		return bad_set(set, "the value is not UTF-8", e);
	status = set_at(set, root, value, e);
	json_decref(value);
	return status;
}
