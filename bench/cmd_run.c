/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/args.h"
#include "bench/commands.h"
#include "bench/encode.h"
#include "bench/environment.h"
#include "bench/json.h"
#include "bench/output.h"
#include "bench/plan.h"
#include "bench/report.h"
#include "bench/result.h"
#include "bench/run.h"

enum { MAX_JOBS = 1024 };

/* What the command line asks for. */
struct request {
	const char *config, *output;
	struct strings set;
	long jobs;
	bool resume, dry_run, quiet;
	int argc;
	char **argv;
};

/* Everything that a run needs, in the order in which it is made. */
struct session {
	struct config config;
	struct costs costs;
	struct topology topology;
	struct run_outcome outcome;
	struct journal journal;
	struct output output;
	char *path;
};

/* ------------------------------------------------------------------ inputs */

static int load_topology(struct session *s, struct err *e)
{
	struct at root = at_root(s->config.file, e);
	struct at host = at_key(&root, "host");
	struct at here = at_key(&host, "topology");
	struct err why;

	if (topology_load(s->config.topology, &s->topology, &why))
		return at_bad(&here, "%s", why.text);
	return 0;
}

static int load_costs(struct session *s, struct err *e)
{
	struct at root = at_root(s->config.file, e);
	struct at host = at_key(&root, "host");
	struct at here = at_key(&host, "costs");

	if (access(s->config.costs, R_OK) != 0)
		return at_bad(&here, "%.120s: cannot be opened: %s",
			      s->config.costs, strerror(errno));
	return costs_load(s->config.costs, s->config.column, &s->costs, e);
}

static int check_backend(const struct backend *b, struct err *e)
{
	char why[256] = "";

	if (b->available(why, sizeof(why)))
		return 0;
	return err_set(e, EXIT_UNSUPPORTED,
		       "the backend \"%s\" cannot run "
		       "here: %s",
		       b->name, why);
}

static int load_inputs(struct session *s, const struct request *r,
		       struct err *e)
{
	if (config_load(r->config, r->set.v, r->set.n, &s->config, e) ||
	    load_topology(s, e) || load_costs(s, e) ||
	    check_scenarios(&s->config, e))
		return -1;
	if (make_cells(&s->outcome, config_cells(&s->config)))
		return err_set(e, EXIT_FAILED, "out of memory");
	return 0;
}

static int print_plan(const struct config *config)
{
	for (size_t i = 0; i < config_cells(config); i++) {
		struct cell cell;
		const char *key, *gap = "";
		json_t *axes, *v;

		plan_cell(config, i, &cell);
		axes = plan_axes(config, &cell);
		json_object_foreach(axes, key, v)
		{
			char *text =
				json_is_string(v)
					? strdup(json_string_value(v))
					: json_dumps(v,
						     JSON_STYLE |
							     JSON_ENCODE_ANY);

			printf("%s%s %s", gap, key, text ? text : "?");
			free(text);
			gap = ", ";
		}
		json_decref(axes);
		putchar('\n');
	}
	printf("%zu cells, %u repeats of each\n", config_cells(config),
	       config->repeats);
	return 0;
}

/* ------------------------------------------------------------------ outputs */

static int take_cell(void *ctx, size_t index, const char *text)
{
	struct run_outcome *o = ctx;

	if (index >= o->ncells || o->cells[index])
		return -1;
	o->cells[index] = strdup(text);
	o->done += o->cells[index] != NULL;
	return o->cells[index] ? 0 : -1;
}

static int open_journal(struct session *s, bool resume, struct err *e)
{
	json_t *header = result_identity(&s->config, &s->costs);
	int status;

	if (!header)
		return err_set(e, EXIT_FAILED, "out of memory");
	if (resume)
		status = journal_resume(&s->journal, s->path, header, take_cell,
					&s->outcome, e);
	else
		status = journal_create(&s->journal, s->path, header, e);
	json_decref(header);
	return status;
}

/*
 * results/NAME-DATE-N.json with the first N that neither a result nor the
 * journal of another run has.  Making the journal is what takes the name.
 */
static int open_default(struct session *s, struct err *e)
{
	char date[16];
	time_t at = time(NULL);
	struct tm local;

	strftime(date, sizeof(date), "%Y%m%d", localtime_r(&at, &local));
	if (mkdir("results", 0777) && errno != EEXIST)
		return err_set(e, EXIT_FAILED, "results: %s", strerror(errno));
	for (int n = 1; n < 100000; n++) {
		free(s->path);
		if (asprintf(&s->path, "results/%s-%s-%d.json", s->config.name,
			     date, n) < 0) {
			s->path = NULL;
			return err_set(e, EXIT_FAILED, "out of memory");
		}
		if (access(s->path, F_OK) == 0)
			continue;
		errno = 0;
		if (open_journal(s, false, e) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
	}
	return err_set(e, EXIT_FAILED, "%s: exists", s->path);
}

static int open_named(struct session *s, const struct request *r, struct err *e)
{
	s->path = strdup(r->output);
	if (!s->path)
		return err_set(e, EXIT_FAILED, "out of memory");
	return output_check(s->path, e) ? -1 : open_journal(s, r->resume, e);
}

/*
 * Before the first cell runs, so that a bad path is known at once.  Having
 * the journal is having the name: it comes first.
 */
static int open_outputs(struct session *s, const struct request *r,
			struct err *e)
{
	if (r->output ? open_named(s, r, e) : open_default(s, e))
		return -1;
	if (output_open(&s->output, s->path, e) == 0)
		return 0;
	journal_close(&s->journal, !r->resume);
	return -1;
}

static int write_result(struct session *s, const struct request *r,
			struct err *e)
{
	struct result_top top = {
		.config = &s->config,
		.costs = &s->costs,
		.environment = environment(r->argc, r->argv),
		.partial = s->outcome.done < s->outcome.ncells,
	};
	bool good = top.environment &&
		    result_write(s->output.file, &top, s->outcome.cells,
				 s->outcome.ncells);

	json_decref(top.environment);
	if (!good && !ferror(s->output.file))
		return err_set(e, EXIT_FAILED, "out of memory");
	return output_commit(&s->output, e);
}

/* -------------------------------------------------------------------- run */

static int print_outcome(const struct session *s, const struct request *r,
			 struct err *e)
{
	struct report report;

	if (!r->quiet) {
		if (report_load(s->path, &report, e))
			return -1;
		report_print(&report, REPORT_BRIEF, stdout_colour(), stdout);
		report_free(&report);
		printf("\nMore: tdmem show %s\n", s->path);
	}
	printf("result: %s\n", s->path);
	return 0;
}

static int tell_interrupted(const struct session *s, const struct request *r,
			    struct err *e)
{
	return err_set(e, EXIT_FAILED,
		       "interrupted: %zu of %zu cells are in %s; go on with "
		       "tdmem run %s --resume -o %s",
		       s->outcome.done, s->outcome.ncells, s->path, r->config,
		       s->path);
}

static int run_all(struct session *s, const struct request *r, struct err *e)
{
	struct run_setup setup = {
		.config = &s->config,
		.costs = &s->costs,
		.topology = &s->topology,
		.jobs = (unsigned)r->jobs,
		.progress = isatty(STDERR_FILENO),
		.journal = &s->journal,
	};
	struct err unwritten;
	int status = run_cells(&setup, &s->outcome, e);
	bool whole = s->outcome.done == s->outcome.ncells;

	/* What is done is kept, whatever happened. */
	if (write_result(s, r, status ? &unwritten : e))
		return -1;
	/* A journal of nothing would only be in the way. */
	journal_close(&s->journal, whole || s->outcome.done == 0);
	if (status)
		return -1;
	if (!whole)
		return tell_interrupted(s, r, e);
	if (print_outcome(s, r, e))
		return -1;
	if (s->outcome.broken)
		return err_set(e, EXIT_FAILED,
			       "%zu cells failed: see \"reason\" in %s",
			       s->outcome.broken, s->path);
	return 0;
}

static void end_session(struct session *s)
{
	output_abandon(&s->output);
	journal_close(&s->journal, 0);
	free(s->path);
	free_cells(&s->outcome);
	topology_free(&s->topology);
	costs_free(&s->costs);
	config_free(&s->config);
}

static int run_request(const struct request *r, struct err *e)
{
	struct session s = {.path = NULL};
	int status = load_inputs(&s, r, e);

	if (status == 0 && r->dry_run)
		status = print_plan(&s.config);
	else if (status == 0)
		status = check_backend(s.config.backend, e) ||
					 open_outputs(&s, r, e)
				 ? -1
				 : run_all(&s, r, e);
	end_session(&s);
	return status;
}

/* --------------------------------------------------------------- arguments */

static const char text[] =
	"The result is a JSON file; a journal of finished cells is beside it "
	"while the\n"
	"run lasts.  SIGINT ends a run early: what is finished is kept, and "
	"--resume\n"
	"goes on from there.\n"
	"\n"
	"Examples:\n"
	"  tdmem run configs/quick.json\n"
	"  tdmem run configs/quick.json --set axes.vcpus=[1,8] --dry-run\n"
	"  tdmem run configs/quick.json -o q.json --jobs 1\n"
	"  tdmem run configs/quick.json -o q.json --resume\n";

static int parse(struct request *r, int argc, char **argv, struct err *e)
{
	const struct option_spec options[] = {
		{.name = "output",
		 .letter = 'o',
		 .type = OPTION_STRING,
		 .value = "PATH",
		 .to = &r->output,
		 .help = "the result [results/NAME-DATE-N.json]"},
		{.name = "set",
		 .type = OPTION_LIST,
		 .value = "PATH=VALUE",
		 .to = &r->set,
		 .help = "change the config, e.g. seed=2"},
		{.name = "jobs",
		 .letter = 'j',
		 .type = OPTION_NUMBER,
		 .value = "N",
		 .to = &r->jobs,
		 .min = 1,
		 .max = MAX_JOBS,
		 .help = "cells at a time [number of CPUs]"},
		{.name = "dry-run",
		 .letter = 'n',
		 .type = OPTION_FLAG,
		 .to = &r->dry_run,
		 .help = "print the cells, run nothing"},
		{.name = "resume",
		 .type = OPTION_FLAG,
		 .to = &r->resume,
		 .help = "go on with an interrupted run; needs -o"},
		{.name = "quiet",
		 .letter = 'q',
		 .type = OPTION_FLAG,
		 .to = &r->quiet,
		 .help = "print the result's path only"},
		{.name = NULL},
	};
	const struct command_spec spec = {
		.name = "run",
		.operands = "CONFIG",
		.min_operands = 1,
		.max_operands = 1,
		.summary = "Run the cells of a config, write one result file.",
		.text = text,
		.options = options,
	};
	struct operands operands;
	int status = args_parse(&spec, argc, argv, &operands, e);

	if (status)
		return status;
	r->config = operands.v[0];
	if (r->resume && !r->output)
		return err_set(e, EXIT_USAGE,
			       "run: --resume needs -o; see tdmem run --help");
	return 0;
}

int cmd_run(int argc, char **argv)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct request r = {.argc = argc, .argv = argv};
	struct err e;
	int status;

	r.jobs = cpus < 1 ? 1 : cpus > MAX_JOBS ? MAX_JOBS : cpus;
	status = parse(&r, argc, argv, &e);
	if (status == 0)
		status = run_request(&r, &e);
	free(r.set.v);
	return status < 0 ? fail(&e) : EXIT_DONE;
}
