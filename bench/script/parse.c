/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One JSON object to a step.  The tables say which keys there are, what they
 * hold and which step takes them; everything else is an error.
 */
#include <stdarg.h>
#include <string.h>

#include "bench/script/impl.h"

enum field_type {
	FIELD_HEX,
	FIELD_INT,
	FIELD_BOOL,
	FIELD_CHOICE,
	FIELD_NUMBER
};

struct field_kind {
	const char *key;
	enum field_type type;
	s64 min, max;
	const char *choices; /* "a|b|c"; the value is the index */
};

/* Level and GPA share a register: 12 bits are what fits below the GPA. */
static const struct field_kind fields[NR_FIELDS] = {
	[F_TD] = {"td", FIELD_INT, 0, SCRIPT_TDS - 1, NULL},
	[F_VCPU] = {"vcpu", FIELD_INT, 0, SCRIPT_VCPUS - 1, NULL},
	[F_VCPUS] = {"vcpus", FIELD_INT, 0, SCRIPT_VCPUS, NULL},
	[F_GPAW] = {"gpaw", FIELD_NUMBER, 0, 0, "48|52"},
	[F_STATE] = {"state", FIELD_CHOICE, 0, 0,
		     "runnable|initialized|teardown"},
	[F_VE_DISABLE] = {"pending_ve_disable", FIELD_BOOL, 0, 0, NULL},
	[F_NOTIFY] = {"notify_ept_faults", FIELD_BOOL, 0, 0, NULL},
	[F_BASE] = {"base", FIELD_HEX, 0, 0, NULL},
	[F_BYTES] = {"size", FIELD_HEX, 0, 0, NULL},
	[F_GPA] = {"gpa", FIELD_HEX, 0, 0, NULL},
	[F_LEVEL] = {"level", FIELD_INT, 0, 4095, NULL},
	[F_HPA] = {"hpa", FIELD_HEX, 0, 0, NULL},
	[F_SRC] = {"src", FIELD_HEX, 0, 0, NULL},
	[F_HKID] = {"hkid", FIELD_INT, 0, 63, NULL},
	[F_RESUME] = {"resume", FIELD_INT, 0, INT32_MAX, NULL},
	[F_PAGE] = {"page", FIELD_CHOICE, 0, 0, "tdr|tdcs|tdvps"},
	[F_INDEX] = {"index", FIELD_INT, 0, TDX_TDVPS_PAGES - 1, NULL},
	[F_TDR_HPA] = {"tdr_hpa", FIELD_HEX, 0, 0, NULL},
	[F_LP] = {"lp", FIELD_CHOICE, 0, 0, "other"},
	[F_RIP] = {"rip", FIELD_HEX, 0, 0, NULL},
	[F_MODE] = {"mode", FIELD_CHOICE, 0, 0, "shared|exclusive"},
	[F_SIDE] = {"side", FIELD_CHOICE, 0, 0, "host|guest"},
	[F_SIZE] = {"size", FIELD_CHOICE, 0, 0, "4k|2m|1g"},
	[F_AFTER] = {"after", FIELD_INT, -1, INT32_MAX, NULL},
	[F_ADD] = {"add", FIELD_INT, 0, 1000000000000000, NULL},
	[F_AT] = {"at", FIELD_INT, 0, INT32_MAX, NULL},
};

int script_bad(struct err *e, const struct script_step *step, const char *path,
	       const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return err_set(e, EXIT_USAGE, "%s: %s: %s", step->where, path, text);
}

static bool parse_choice(const char *choices, const char *text, u64 *value)
{
	const size_t len = strlen(text);
	const char *at = choices;
	u64 index = 0;

	for (;;) {
		size_t n = strcspn(at, "|");

		if (n == len && !memcmp(at, text, n)) {
			*value = index;
			return true;
		}
		if (!at[n])
			return false;
		at += n + 1;
		index++;
	}
}

static bool parse_value(const struct field_kind *kind, const json_t *json,
			u64 *value)
{
	char number[24];

	switch (kind->type) {
	case FIELD_HEX:
		return json_is_string(json) &&
		       script_hex(json_string_value(json), value);
	case FIELD_INT:
		*value = (u64)json_integer_value(json);
		return json_is_integer(json) && (s64)*value >= kind->min &&
		       (s64)*value <= kind->max;
	case FIELD_BOOL:
		*value = json_is_true(json);
		return json_is_boolean(json);
	case FIELD_CHOICE:
		return json_is_string(json) &&
		       parse_choice(kind->choices, json_string_value(json),
				    value);
	case FIELD_NUMBER:
		snprintf(number, sizeof(number), "%lld",
			 (long long)json_integer_value(json));
		return json_is_integer(json) &&
		       parse_choice(kind->choices, number, value);
	}
	return false;
}

static void describe(const struct field_kind *kind, char *text, size_t size)
{
	switch (kind->type) {
	case FIELD_HEX:
		snprintf(text, size, "a hex string (\"0x...\")");
		break;
	case FIELD_INT:
		snprintf(text, size, "an integer from %lld to %lld",
			 (long long)kind->min, (long long)kind->max);
		break;
	case FIELD_BOOL:
		snprintf(text, size, "true or false");
		break;
	case FIELD_CHOICE:
		snprintf(text, size, "a string out of %s", kind->choices);
		break;
	case FIELD_NUMBER:
		snprintf(text, size, "an integer out of %s", kind->choices);
		break;
	}
}

/* The field that this key is in a step that takes those of `mask`. */
static int field_find(const char *key, u32 mask)
{
	int f;

	for (f = 0; f < NR_FIELDS; f++) {
		if (mask & 1u << f && !strcmp(fields[f].key, key))
			return f;
	}
	return -1;
}

static int parse_field(const char *path, const char *key, const json_t *value,
		       u32 mask, struct script_step *step, struct err *e)
{
	int f = field_find(key, mask);
	char where[64], what[80];

	snprintf(where, sizeof(where), "%s.%.40s", path, key);
	if (f < 0)
		return script_bad(e, step, where, "unknown key for this step");
	if (!parse_value(&fields[f], value, &step->args.v[f])) {
		describe(&fields[f], what, sizeof(what));
		return script_bad(e, step, where, "expected %s", what);
	}
	step->args.given |= 1u << f;
	return 0;
}

static int check_required(const char *path, u32 required,
			  struct script_step *step, struct err *e)
{
	char where[64], what[80];
	int f;

	for (f = 0; f < NR_FIELDS; f++) {
		if (!(required & 1u << f) || given(&step->args, (enum field)f))
			continue;
		snprintf(where, sizeof(where), "%s.%s", path, fields[f].key);
		describe(&fields[f], what, sizeof(what));
		return script_bad(e, step, where, "missing, expected %s", what);
	}
	return 0;
}

static int parse_string(const json_t *json, const char *path, const char *key,
			struct script_step *step, const char **text,
			struct err *e)
{
	char where[64];

	*text = json_string_value(json_object_get(json, key));
	if (*text)
		return 0;
	snprintf(where, sizeof(where), "%s.%s", path, key);
	return script_bad(e, step, where, "%s, expected a string",
			  json_object_get(json, key) ? "wrong type"
						     : "missing");
}

/* What "name" or "what" selects adds to the keys that the step takes. */
static int parse_selector(const json_t *json, const char *path,
			  struct script_step *step, u32 *required,
			  u32 *optional, struct err *e)
{
	const char *key = step->op->selector == SELECT_CALL ? "name" : "what";
	const char *text;
	char where[64];

	if (parse_string(json, path, key, step, &text, e))
		return -1;
	snprintf(where, sizeof(where), "%s.%s", path, key);
	if (step->op->selector == SELECT_CALL) {
		step->call = call_kind_find(text);
		if (!step->call)
			return script_bad(e, step, where,
					  "no call of that name: \"%.60s\"",
					  text);
		*required |= step->call->required;
		*optional |= step->call->optional;
		return 0;
	}
	step->object = object_kind_find(text);
	if (!step->object ||
	    (step->op->locks ? !step->object->can_lock : !step->object->show))
		return script_bad(e, step, where, "\"%.60s\" can't be %s", text,
				  step->op->locks ? "locked" : "shown");
	*required |= step->object->required;
	*optional |= step->object->optional;
	if (step->op->locks) {
		*required |= step->object->lock;
		*optional |= step->object->lock_optional;
	}
	return 0;
}

static bool is_structural(const char *key, const struct op_kind *op)
{
	if (!strcmp(key, "op") || !strcmp(key, "expect"))
		return true;
	if (op->selector == SELECT_CALL)
		return !strcmp(key, "name");
	if (op->selector == SELECT_OBJECT)
		return !strcmp(key, "what");
	return op->race && (!strcmp(key, "outer") || !strcmp(key, "inner"));
}

static int parse_op(json_t *json, const char *path, struct script_step *step,
		    struct err *e)
{
	u32 required, optional;
	const char *text, *key;
	char where[64];
	json_t *value;

	if (!json_is_object(json))
		return script_bad(e, step, path, "expected an object");
	if (parse_string(json, path, "op", step, &text, e))
		return -1;
	step->op = op_kind_find(text);
	snprintf(where, sizeof(where), "%s.op", path);
	if (!step->op)
		return script_bad(e, step, where, "no such step: \"%.60s\"",
				  text);
	required = step->op->required;
	optional = step->op->optional;
	step->call = step->op->call;
	if (step->op->selector != SELECT_NONE &&
	    parse_selector(json, path, step, &required, &optional, e))
		return -1;
	json_object_foreach(json, key, value)
	{
		if (!is_structural(key, step->op) &&
		    parse_field(path, key, value, required | optional, step, e))
			return -1;
	}
	return check_required(path, required, step, e);
}

/* The inner and the outer step of a race: a call or an enter. */
static int parse_racer(json_t *line, const char *key, struct script_step *step,
		       struct err *e)
{
	json_t *json = json_object_get(line, key);
	char path[16];

	snprintf(path, sizeof(path), "$.%s", key);
	if (!json)
		return script_bad(e, step, path, "missing, expected an object");
	if (parse_op(json, path, step, e))
		return -1;
	if (!step->call ||
	    (step->op->selector != SELECT_CALL && step->call != &call_enter))
		return script_bad(e, step, path,
				  "expected a \"call\" or an \"enter\"");
	if (json_object_get(json, "expect"))
		return script_bad(e, step, path,
				  "\"expect\" belongs to the race");
	return 0;
}

int script_parse(json_t *line, struct script_step *step,
		 struct script_step *outer, struct script_step *inner,
		 struct err *e)
{
	if (parse_op(line, "$", step, e))
		return -1;
	step->expect = json_object_get(line, "expect");
	if (step->expect && !json_is_object(step->expect))
		return script_bad(e, step, "$.expect", "expected an object");
	if (!step->op->race)
		return 0;
	outer->where = inner->where = step->where;
	if (parse_racer(line, "outer", outer, e) ||
	    parse_racer(line, "inner", inner, e))
		return -1;
	step->outer = outer;
	step->inner = inner;
	return 0;
}
