/* SPDX-License-Identifier: GPL-2.0-only */
/* An order in a file, tdmem-schedule/1: strand and steps in a row. */
#include <stdlib.h>
#include <string.h>

#include "bench/base/output.h"
#include "bench/explore/explore.h"

enum { MAX_FILE = 64 << 20, MAX_STEPS = 10000000 };

json_t *schedule_order(const struct explore_schedule *s)
{
	json_t *order = json_array();
	size_t i = 0, run;

	for (; i < s->n; i += run) {
		for (run = 1;
		     i + run < s->n && s->strand[i + run] == s->strand[i];
		     run++)
			;
		json_array_append_new(
			order,
			json_pack("[iI]", (int)s->strand[i], (json_int_t)run));
	}
	return order;
}

int schedule_write(const char *path, const struct schedule_file *file,
		   struct err *e)
{
	json_t *claims = json_array();
	json_t *root;
	struct output out;
	int ret;

	if (output_check(path, e))
		return -1;
	for (size_t i = 0; i < file->claims.n; i++)
		json_array_append_new(claims, json_string(file->claims.v[i]));
	root = json_pack("{ss, ss, ss, so}", "schema", "tdmem-schedule/1",
			 "claim", file->claim, "why", file->why, "order",
			 schedule_order(&file->schedule));
	if (root && file->policy)
		json_object_set_new(root, "policy", json_string(file->policy));
	if (root && file->claims.n)
		json_object_set(root, "claims", claims);
	json_decref(claims);
	if (!root)
		return err_set(e, EXIT_FAILED, "explore: out of memory");
	if (output_open(&out, path, e)) {
		json_decref(root);
		return -1;
	}
	ret = json_dumpf(root, out.file, JSON_INDENT(1) | JSON_COMPACT);
	fputc('\n', out.file);
	json_decref(root);
	if (!ret)
		return output_commit(&out, e);
	output_abandon(&out);
	return err_set(e, EXIT_FAILED, "%s: could not be written", path);
}

/* --------------------------------------------------------------- reading */

static int parse_schema(void *ctx, json_t *value, const struct at *at)
{
	const char *schema;

	(void)ctx;
	if (parse_string(value, &schema, at))
		return -1;
	return strcmp(schema, "tdmem-schedule/1") != 0
		       ? at_bad(at, "expected \"tdmem-schedule/1\"")
		       : 0;
}

static int parse_claim(void *ctx, json_t *value, const struct at *at)
{
	return parse_string(value, &((struct schedule_file *)ctx)->claim, at);
}

static int parse_why(void *ctx, json_t *value, const struct at *at)
{
	return parse_string(value, &((struct schedule_file *)ctx)->why, at);
}

static int parse_policy_name(void *ctx, json_t *value, const struct at *at)
{
	return parse_string(value, &((struct schedule_file *)ctx)->policy, at);
}

static int parse_claim_list(void *ctx, json_t *value, const struct at *at)
{
	struct schedule_file *file = ctx;
	size_t n = json_array_size(value);

	if (!json_is_array(value))
		return at_bad(at, "expected a list");
	file->claims.v = calloc(n + 1, sizeof(*file->claims.v));
	if (!file->claims.v)
		return at_bad(at, "out of memory");
	for (file->claims.n = 0; file->claims.n < n; file->claims.n++) {
		struct at here = at_index(at, file->claims.n);

		if (parse_string(json_array_get(value, file->claims.n),
				 &file->claims.v[file->claims.n], &here))
			return -1;
	}
	return 0;
}

static int add_run(struct explore_schedule *s, json_t *value,
		   const struct at *at)
{
	struct at which = at_index(at, 0), count = at_index(at, 1);
	int64_t strand, n;
	u8 *more;

	if (!json_is_array(value) || json_array_size(value) != 2)
		return at_bad(at, "expected a strand and a number of steps");
	if (parse_int(json_array_get(value, 0), 0, CLAIM_STRANDS - 1, &strand,
		      &which) ||
	    parse_int(json_array_get(value, 1), 1, MAX_STEPS - (int64_t)s->n,
		      &n, &count))
		return -1;
	more = realloc(s->strand, s->n + (size_t)n);
	if (!more)
		return at_bad(at, "out of memory");
	memset(more + s->n, (int)strand, (size_t)n);
	s->strand = more;
	s->n += (size_t)n;
	return 0;
}

static int parse_order(void *ctx, json_t *value, const struct at *at)
{
	struct schedule_file *file = ctx;

	if (!json_is_array(value) || !json_array_size(value))
		return at_bad(at, "expected a list of strands and steps");
	for (size_t i = 0; i < json_array_size(value); i++) {
		struct at here = at_index(at, i);

		if (add_run(&file->schedule, json_array_get(value, i), &here))
			return -1;
	}
	file->schedule.whole = true;
	return 0;
}

int schedule_read(const char *path, struct schedule_file *file, struct err *e)
{
	static const struct member members[] = {
		{"schema", true, parse_schema},
		{"claim", true, parse_claim},
		{"why", true, parse_why},
		{"policy", false, parse_policy_name},
		{"claims", false, parse_claim_list},
		{"order", true, parse_order},
		{NULL, false, NULL},
	};
	struct at at = at_root(path, e);

	*file = (struct schedule_file){.root = json_read(path, MAX_FILE, e)};
	if (!file->root)
		return -1;
	if (!parse_object(file->root, members, file, &at))
		return 0;
	schedule_file_free(file);
	return -1;
}

void schedule_file_free(struct schedule_file *file)
{
	free(file->schedule.strand);
	if (file->root) {
		free(file->claims.v);
		json_decref(file->root);
	}
	*file = (struct schedule_file){0};
}
