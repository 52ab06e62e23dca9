/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* asprintf */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/args.h"
#include "bench/base/document.h"
#include "bench/base/json.h"
#include "bench/base/layout.h"
#include "bench/base/names.h"
#include "bench/base/parallel.h"
#include "bench/commands.h"
#include "bench/trend/acks.h"
#include "bench/trend/dashboard.h"
#include "bench/trend/print.h"
#include "bench/trend/trend.h"

enum { MAX_SEGMENT = 1000, SKIPS_TOLD = 5 };

/* What the command line asks for. */
struct line {
	struct trend_request request;
	struct trend_rule rule;
	const struct trend_form *form;
	const char *format, *output, *html, *material, *ack, *why;
	long jobs, segment;
	bool quiet;
	int argc;
	char **argv;
};

static const char *form_name(const void *ctx, size_t index)
{
	(void)ctx;
	return trend_forms[index] ? trend_forms[index]->name : NULL;
}

/* ------------------------------------------------------------------ stderr */

/* A text of a file's, made harmless, for free(). */
static void tell(const char *dir, const char *path, const char *why)
{
	struct arena *arena = arena_new();
	const char *name = arena ? layout_plain(arena, path, false) : NULL;
	const char *reason = arena ? layout_plain(arena, why, false) : NULL;

	fprintf(stderr, "tdmem: trend: %s/%s: left out: %s\n", dir,
		name ? name : "?", reason ? reason : "?");
	arena_free(arena);
}

static void tell_skipped(const struct trend *t)
{
	for (size_t i = 0; i < t->nskipped && i < SKIPS_TOLD; i++)
		tell(t->dir, t->skip[i].path, t->skip[i].why);
	if (t->nskipped > SKIPS_TOLD)
		fprintf(stderr,
			"tdmem: trend: %s: %zu files left out in all; --format "
			"json lists them\n",
			t->dir, t->nskipped);
	if (t->index_trouble)
		fprintf(stderr, "tdmem: trend: no cache: %s\n",
			t->index_trouble);
}

/* ------------------------------------------------------------------ output */

static int print(const struct line *line, const struct trend *t, struct err *e)
{
	char *command = document_command(line->argc, line->argv);
	struct trend_style style = {.rule = &line->rule, .command = command};
	struct document d;
	int status = -1;

	if (!command)
		return err_set(e, EXIT_FAILED, "out of memory");
	if (document_begin(&d, e) == 0) {
		status = line->form->print(t, &style, d.file)
				 ? 0
				 : err_set(e, EXIT_FAILED, "out of memory");
		status = document_end(&d, status, line->output, e);
	}
	free(command);
	return status;
}

/* --------------------------------------------------------------------- run */

static int acknowledge(const struct line *line, const struct trend *t,
		       struct err *e)
{
	const char *path = line->rule.acks;
	char *own = NULL;
	int status;

	if (!path && asprintf(&own, "%s/tdmem-acks.json", t->dir) < 0)
		return err_set(e, EXIT_FAILED, "out of memory");
	status = trend_acknowledge(t, path ? path : own, line->ack, line->why,
				   e);
	if (status == 0)
		fprintf(stderr, "tdmem: trend: %s is in %s\n", line->ack,
			path ? path : own);
	free(own);
	return status;
}

/* The exit status, or -1 with *e. */
static int report(const struct line *line, const struct trend *t, struct err *e)
{
	if (line->ack)
		return acknowledge(line, t, e);
	if (line->html && dashboard_write(t, t->dir, line->html, e))
		return -1;
	if (print(line, t, e))
		return -1;
	return trend_open_regressions(t) ? EXIT_REGRESSION : EXIT_DONE;
}

static int run(const struct line *line, struct err *e)
{
	struct trend t;
	int status;

	if (trend_load(&line->request, &t, e))
		return -1;
	if (!line->quiet)
		tell_skipped(&t);
	status = trend_find_changes(&t, &line->rule, e);
	if (status == 0)
		status = report(line, &t, e);
	trend_free(&t);
	return status;
}

/* --------------------------------------------------------------- arguments */

static const char text[] =
	"DIR is searched with all folders below it; what is no result is left "
	"out and\n"
	"told.  A change is a new level of a rate or a latency, found by "
	"E-divisive with\n"
	"a permutation test; docs/trend.md says how.  The exit status is 3 "
	"when there is\n"
	"a regression that is not acknowledged.\n"
	"\n"
	"Examples:\n"
	"  tdmem trend results/nightly\n"
	"  tdmem trend --html pages results/nightly\n"
	"  tdmem trend --cell workload=block-remove --metric '*.rate' results\n"
	"  tdmem trend --ack 3f2a90c1d7be --why 'new microcode' results\n"
	"  tdmem trend --format mail --since 2026-10 results\n";

static int check(struct line *line, struct err *e)
{
	char *end;
	double percent;

	struct at at = at_root("trend: --format", e);
	int form = parse_name(line->format, "form", form_name, NULL, &at);

	if (form < 0)
		return -1;
	line->form = trend_forms[form];
	if (line->ack && (!line->why || !line->why[0]))
		return args_bad("trend", e, "--ack needs --why", NULL);
	if (line->why && !line->ack)
		return args_bad("trend", e, "--why needs --ack", NULL);
	if (line->html && line->ack)
		return args_bad("trend", e,
				"--ack writes no pages: leave out --html",
				NULL);
	if (line->material) {
		percent = strtod(line->material, &end);
		if (end == line->material || *end || !(percent >= 0) ||
		    !(percent <= 1000))
			return args_bad(
				"trend", e,
				"--material: expected percent, 0 to 1000, "
				"not",
				line->material);
		line->rule.material = percent / 100;
	}
	line->request.jobs = line->rule.jobs = (unsigned int)line->jobs;
	line->rule.segment = (size_t)line->segment;
	return 0;
}

static int parse(struct line *line, struct err *e)
{
	const struct option_spec options[] = {
		{"format", 'f', OPTION_STRING, "FORM",
		 "text, json or mail [text]", &line->format, 0, 0},
		{"output", 'o', OPTION_STRING, "FILE",
		 "write to this file [standard output]", &line->output, 0, 0},
		{"html", 0, OPTION_STRING, "OUT",
		 "write pages to the folder OUT as well", &line->html, 0, 0},
		{"metric", 'm', OPTION_LIST, "PATTERN",
		 "such metrics only, as '*.latency p99'; may be repeated",
		 &line->request.metrics, 0, 0},
		{"cell", 'c', OPTION_LIST, "AXIS=VALUE",
		 "only cells that have it; may be repeated",
		 &line->request.cells, 0, 0},
		{"since", 0, OPTION_STRING, "TIME",
		 "runs from then on, as 2026-10 or 2026-10-31T04:00:00Z",
		 &line->request.since, 0, 0},
		{"material", 0, OPTION_STRING, "PERCENT",
		 "smallest change that matters [1]", &line->material, 0, 0},
		{"segment", 0, OPTION_NUMBER, "RUNS",
		 "runs that a level has at least [5]", &line->segment, 2,
		 MAX_SEGMENT},
		{"ack", 0, OPTION_STRING, "ID",
		 "acknowledge a change: it is no regression any more",
		 &line->ack, 0, 0},
		{"why", 0, OPTION_STRING, "TEXT", "why it is acknowledged",
		 &line->why, 0, 0},
		{"acks", 0, OPTION_STRING, "FILE",
		 "acknowledged changes [DIR/tdmem-acks.json]", &line->rule.acks,
		 0, 0},
		{"no-index", 0, OPTION_FLAG, NULL,
		 "use and write no cache in DIR", &line->request.no_index, 0,
		 0},
		{"jobs", 'j', OPTION_NUMBER, "N", "threads [number of CPUs]",
		 &line->jobs, 1, MAX_JOBS},
		{"quiet", 'q', OPTION_FLAG, NULL,
		 "do not tell what is left out", &line->quiet, 0, 0},
		{.name = NULL},
	};
	const struct command_spec spec = {
		.name = "trend",
		.operands = "DIR",
		.min_operands = 1,
		.max_operands = 1,
		.summary = "Show where the results of a folder changed over "
			   "time.",
		.text = text,
		.options = options,
	};
	struct operands operands;
	int status = args_parse(&spec, line->argc, line->argv, &operands, e);

	if (status)
		return status;
	line->request.dir = operands.v[0];
	return check(line, e);
}

int cmd_trend(int argc, char **argv)
{
	struct line line = {
		.rule = trend_rule_default,
		.format = "text",
		.segment = (long)trend_rule_default.segment,
		.jobs = parallel_jobs(),
		.argc = argc,
		.argv = argv,
	};
	struct err e;
	int status = parse(&line, &e);

	if (status > 0)
		status = EXIT_DONE;
	else if (status == 0)
		status = run(&line, &e);
	free(line.request.metrics.v);
	free(line.request.cells.v);
	return status < 0 ? fail(&e) : status;
}
