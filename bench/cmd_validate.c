/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "bench/base/args.h"
#include "bench/base/document.h"
#include "bench/base/json.h"
#include "bench/base/names.h"
#include "bench/base/output.h"
#include "bench/commands.h"
#include "bench/observe/environment.h"
#include "bench/validate/validate.h"

struct line {
	const char *format, *output;
	struct operands operands;
	struct validate_setup setup;
	int argc;
	char **argv;
};

static const char *group_name(const void *ctx, size_t index)
{
	(void)ctx;
	return validate_groups[index] ? validate_groups[index]->name : NULL;
}

static int check_line(const struct line *l, struct err *e)
{
	char why[200];

	struct at at = at_root("validate: --format", e);

	if (parse_name(l->format, "form", array_name, document_text_json, &at) <
	    0)
		return -1;
	for (size_t i = 0; i < l->operands.n; i++)
		if (find_name(l->operands.v[i], group_name, NULL) < 0)
			return err_set(e, EXIT_USAGE, "validate: %s",
				       unknown_name(l->operands.v[i], "group",
						    group_name, NULL, why,
						    sizeof(why)));
	return 0;
}

static bool wanted(const struct line *l, const struct validate_group *g)
{
	for (size_t i = 0; i < l->operands.n; i++)
		if (strcmp(l->operands.v[i], g->name) == 0)
			return true;
	return l->operands.n == 0 && !g->real_cpus;
}

static int run_groups(const struct line *l, struct validation *v, struct err *e)
{
	for (size_t i = 0; validate_groups[i]; i++) {
		const struct validate_group *g = validate_groups[i];

		if (wanted(l, g) && g->run(&l->setup, v, e))
			return -1;
	}
	return v->failed ? err_set(e, EXIT_FAILED, "out of memory") : 0;
}

static bool put_json(const struct line *l, const struct validation *v, FILE *f)
{
	json_t *root = validation_json(v, l->setup.costs);
	json_t *env = environment(l->argc, l->argv);
	bool good = root && env &&
		    json_object_set(root, "environment", env) == 0 &&
		    json_dumpf(root, f, JSON_INDENT(1)) == 0;

	fputc('\n', f);
	json_decref(root);
	json_decref(env);
	return good;
}

static bool put(const struct line *l, const struct validation *v, FILE *f)
{
	if (strcmp(l->format, "json") == 0)
		return put_json(l, v, f);
	validation_print(v, l->setup.costs, f);
	return true;
}

static int write_document(const struct line *l, const struct validation *v,
			  struct err *e)
{
	struct document d;
	int status = 0;

	if (document_begin(&d, e))
		return -1;
	if (!put(l, v, d.file))
		status = err_set(e, EXIT_FAILED, "out of memory");
	return document_end(&d, status, l->output, e);
}

static int run(const struct line *l, struct err *e)
{
	struct validation v = {0};
	int status;

	if (check_line(l, e) || (l->output && output_check(l->output, e)))
		return -1;
	status = run_groups(l, &v, e);
	if (status == 0)
		status = write_document(l, &v, e);
	if (status == 0 && validation_count(&v, AGREES_OFF))
		status = EXIT_REGRESSION;
	validation_free(&v);
	return status;
}

static const char text[] =
	"Groups:\n"
	"  analytic   the machine on virtual time against queueing theory\n"
	"  published  the backend sim against published measurements\n"
	"  threads    sim with this host's costs, measured anew, against the "
	"backend\n"
	"             threads on it; only when named, and best on a quiet "
	"machine\n"
	"\n"
	"Exit status: 0 nothing is off, 3 something is.  See "
	"docs/validation.md.\n";

int cmd_validate(int argc, char **argv)
{
	struct line l = {
		.format = "text",
		.setup = {.costs = "configs/costs/spr.json"},
		.argc = argc,
		.argv = argv,
	};
	const struct option_spec options[] = {
		{"format", 'f', OPTION_STRING, "FORM", "text or json [text]",
		 &l.format, 0, 0},
		{"output", 'o', OPTION_STRING, "FILE",
		 "write to this file [standard output]", &l.output, 0, 0},
		{"costs", 'c', OPTION_STRING, "FILE",
		 "cost table [configs/costs/spr.json]", &l.setup.costs, 0, 0},
		{.name = NULL},
	};
	const struct command_spec spec = {
		.name = "validate",
		.operands = "[GROUP]...",
		.max_operands = 8,
		.summary = "How far the model agrees with what is known.",
		.text = text,
		.options = options,
	};
	struct err e;
	int status = args_parse(&spec, argc, argv, &l.operands, &e);

	if (status == 0)
		status = run(&l, &e);
	else if (status > 0)
		status = EXIT_DONE;
	return status < 0 ? fail(&e) : status;
}
