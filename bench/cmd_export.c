/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/base/args.h"
#include "bench/base/output.h"
#include "bench/commands.h"
#include "bench/export/export.h"

static const struct export_format *find_format(const char *name)
{
	for (size_t i = 0; name && export_formats[i]; i++)
		if (strcmp(export_formats[i]->name, name) == 0)
			return export_formats[i];
	return NULL;
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

static int bad(struct err *e, const char *what, const char *value)
{
	return err_set(e, EXIT_USAGE,
		       "export: %s%s%.60s%s; see tdmem export --help", what,
		       value ? " \"" : "", value ? value : "",
		       value ? "\"" : "");
}

static int check_metrics(const struct export_format *format,
			 const struct export_request *r, struct err *e)
{
	if (format->metrics == EXPORT_NONE && r->metrics.n)
		return bad(e, "--metric means nothing for", format->name);
	if (format->metrics == EXPORT_ONE && r->metrics.n != 1)
		return bad(e, "one --metric must be chosen for", format->name);
	return 0;
}

static int check_request(const char *name, const struct export_format *format,
			 const struct export_request *r, struct err *e)
{
	if (!name)
		return bad(e, "--format is missing", NULL);
	if (!format)
		return bad(e, "--format: there is no", name);
	for (size_t i = 0; i < r->cells.n; i++)
		if (!strchr(r->cells.v[i], '=') || r->cells.v[i][0] == '=')
			return bad(e, "--cell: expected AXIS=VALUE, not",
				   r->cells.v[i]);
	return check_metrics(format, r, e);
}

/* A result takes long to make: no slip of the hand may destroy it. */
static int check_output(const char *result, const char *output, struct err *e)
{
	struct stat a, b;

	if (output && stat(result, &a) == 0 && stat(output, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		return bad(e, "--output is the result itself,", output);
	return 0;
}

/* ------------------------------------------------------------------ output */

static int save(const char *path, const char *text, size_t size, struct err *e)
{
	struct output out;

	if (output_open(&out, path, e))
		return -1;
	fwrite(text, 1, size, out.file);
	return output_commit(&out, e);
}

static void warn_partial(const char *path)
{
	char *plain = export_plain(path);

	fprintf(stderr,
		"tdmem: warning: %s: partial: the run was stopped before its "
		"end\n",
		plain ? plain : "");
	free(plain);
}

/* All or nothing: what failed in the middle is not printed. */
static int export(const struct export_format *format, struct export_request *r,
		  const char *path, struct err *e)
{
	char *text = NULL;
	size_t size = 0;
	bool partial = false;
	int status, full;

	r->partial = &partial;
	r->out = open_memstream(&text, &size);
	if (!r->out)
		return err_set(e, EXIT_FAILED, "out of memory");
	status = format->function(r, e);
	full = ferror(r->out);
	full |= fclose(r->out);
	if (full && status == 0)
		status = err_set(e, EXIT_FAILED, "out of memory");
	if (status == 0 && path)
		status = save(path, text, size, e);
	else if (status == 0)
		fwrite(text, 1, size, stdout);
	if (status == 0 && partial)
		warn_partial(r->path);
	free(text);
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
		{"output", 'o', OPTION_STRING, "FILE", "not to stdout",
		 &line->output, 0, 0},
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
	const struct export_format *format = find_format(line->format);

	if (check_request(line->format, format, r, e) ||
	    check_output(r->path, line->output, e))
		return -1;
	return export(format, r, line->output, e);
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
