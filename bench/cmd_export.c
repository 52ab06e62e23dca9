/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "bench/base/args.h"
#include "bench/base/document.h"
#include "bench/base/json.h"
#include "bench/base/names.h"
#include "bench/commands.h"
#include "bench/export/export.h"

static const char *format_name(const void *ctx, size_t index)
{
	(void)ctx;
	return export_formats[index] ? export_formats[index]->name : NULL;
}

/* The text of --help; for free(), NULL when out of memory. */
static char *help_text(void)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fputs("Formats:\n", f);
	for (size_t i = 0; export_formats[i]; i++)
		fprintf(f, "  %-14s %s\n", export_formats[i]->name,
			export_formats[i]->summary);
	fputs("\nA metric that was not measured is left out, never 0.  "
	      "docs/export.md describes\nthe formats.\n\n"
	      "Example: tdmem export --format csv --metric fault.rate "
	      "--cell vcpus=64 RESULT\n",
	      f);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

/* ------------------------------------------------------------------ checks */

static int check_metrics(const struct export_format *format,
			 const struct export_request *r, struct err *e)
{
	if (format->metrics == EXPORT_NONE && r->metrics.n)
		return args_bad("export", e, "--metric means nothing for",
				format->name);
	if (format->metrics == EXPORT_ONE && r->metrics.n != 1)
		return args_bad("export", e, "one --metric must be chosen for",
				format->name);
	return 0;
}

static int check_request(const struct export_format *format,
			 const struct export_request *r, struct err *e)
{
	for (size_t i = 0; i < r->cells.n; i++)
		if (!strchr(r->cells.v[i], '=') || r->cells.v[i][0] == '=')
			return args_bad("export", e,
					"--cell: expected AXIS=VALUE, not",
					r->cells.v[i]);
	return check_metrics(format, r, e);
}

/* ------------------------------------------------------------------ output */

static void warn_partial(const char *path)
{
	char *plain = export_plain(path);

	fprintf(stderr,
		"tdmem: warning: %s: partial: the run was stopped before its "
		"end\n",
		plain ? plain : "");
	free(plain);
}

static int export(const struct export_format *format, struct export_request *r,
		  const char *path, struct err *e)
{
	struct document d;
	bool partial = false;
	int status;

	if (document_begin(&d, e))
		return -1;
	r->partial = &partial;
	r->out = d.file;
	status = document_end(&d, format->function(r, e), path, e);
	if (status == 0 && partial)
		warn_partial(r->path);
	return status;
}

/* ----------------------------------------------------------------- command */

struct line {
	struct export_request request;
	const char *format, *output;
};

static int parse(struct line *line, int argc, char **argv, const char *text,
		 struct err *e)
{
	struct export_request *r = &line->request;
	const struct option_spec options[] = {
		{"format", 'f', OPTION_STRING, "FORMAT", "one of those below",
		 &line->format, 0, 0},
		{"output", 'o', OPTION_STRING, "FILE",
		 "write to this file [standard output]", &line->output, 0, 0},
		{"metric", 'm', OPTION_LIST, "NAME",
		 "this metric only; may be repeated", &r->metrics, 0, 0},
		{"cell", 'c', OPTION_LIST, "AXIS=VALUE",
		 "only cells that have it; may be repeated", &r->cells, 0, 0},
		{.name = NULL},
	};
	const struct command_spec spec = {
		.name = "export",
		.operands = "RESULT",
		.min_operands = 1,
		.max_operands = 1,
		.summary = "Write a result in a format of other programs.",
		.text = text,
		.options = options,
	};
	struct operands operands;
	int status = args_parse(&spec, argc, argv, &operands, e);

	if (status == 0)
		r->path = operands.v[0];
	return status;
}

static int run(struct line *line, struct err *e)
{
	struct export_request *r = &line->request;
	struct at at = at_root("export: --format", e);
	int i;

	if (!line->format)
		return args_bad("export", e, "--format is missing", NULL);
	i = parse_name(line->format, "format", format_name, NULL, &at);
	if (i < 0 || check_request(export_formats[i], r, e))
		return -1;
	if (document_is_one_of(line->output, &r->path, 1))
		return args_bad("export", e, "--output is the result itself,",
				line->output);
	return export(export_formats[i], r, line->output, e);
}

int cmd_export(int argc, char **argv)
{
	struct line line = {0};
	char *text = help_text();
	struct err e;
	int status = text ? parse(&line, argc, argv, text, &e)
			  : err_set(&e, EXIT_FAILED, "out of memory");

	if (status == 0)
		status = run(&line, &e);
	free(line.request.metrics.v);
	free(line.request.cells.v);
	free(text);
	return status < 0 ? fail(&e) : EXIT_DONE;
}
