/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/base/args.h"
#include "bench/base/parallel.h"
#include "bench/base/plain.h"
#include "bench/commands.h"
#include "bench/observe/environment.h"
#include "bench/run/plan_print.h"
#include "bench/report/report.h"
#include "bench/run/cell.h"
#include "bench/run/observers.h"
#include "bench/run/place.h"
#include "bench/run/run.h"

/* What the command line asks for. */
struct request {
	struct sides_request sides;
	const char *output, *one;
	struct observers observers;
	struct strings tag;
	long jobs;
	bool resume, dry_run, quiet;
	int argc;
	char **argv;
};

static int check_backends(const struct sides *sides, struct err *e)
{
	for (size_t i = 0; i < sides->n; i++) {
		const struct backend *b = sides->side[i].config.backend;
		char why[256] = "";

		if (!b->available(why, sizeof(why)))
			return err_set(e, EXIT_UNSUPPORTED,
				       "the backend \"%s\" cannot run "
				       "here: %s",
				       b->name, why);
	}
	return 0;
}

/* ------------------------------------------------------------- one repeat */

static bool take_number(const char **text, uint64_t most, uint64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	*out = strtoull(*text, &end, 10);
	*text = end;
	return *out <= most;
}

/* CELL:REPEAT, or CELL:REPEAT:SIDE */
static int parse_one(const char *text, struct config *config,
		     struct run_item *item, struct err *e)
{
	uint64_t cell, repeat;
	const char *p = text;

	if (!take_number(&p, SIZE_MAX, &cell) || *p++ != ':' ||
	    !take_number(&p, UINT32_MAX, &repeat) ||
	    !(*p == '\0' || strcmp(p, ":base") == 0 || strcmp(p, ":new") == 0))
		return err_set(e, EXIT_USAGE,
			       "run: --one %.40s: expected CELL:REPEAT, both "
			       "from 0, and :base or :new behind it for a side",
			       text);
	if (cell >= config_cells(config) ||
	    repeat >= schedule_most(&config->repeat))
		return err_set(e, EXIT_USAGE,
			       "run: --one %.40s: there are %zu cells with at "
			       "most %u repeats",
			       text, config_cells(config),
			       schedule_most(&config->repeat));
	if (*p == ':')
		config->side = strcmp(p, ":base") == 0 ? "base" : "new";
	*item = (struct run_item){(size_t)cell, (uint32_t)repeat};
	return 0;
}

static int run_one(struct sides *sides, const char *one, struct err *e)
{
	atomic_int never = 0;
	struct side *side = &sides->side[0];
	struct repeat_place ignored;
	struct repeat repeat;
	struct run_item item;
	int status;

	if (parse_one(one, &side->config, &item, e) ||
	    side_repeat(side, &item, &never, &repeat, e))
		return -1;
	status = repeat_print(stdout, &item, &repeat, &ignored);
	putchar('\n');
	free(repeat.text);
	return status ? err_set(e, EXIT_FAILED, "out of memory") : 0;
}

/* -------------------------------------------------------------------- run */

/* A path may hold anything; what is printed is one line. */
static void print_path(const char *before, const char *path)
{
	char *plain = plain_text(path);

	printf("%s%s\n", before, plain ? plain : "?");
	free(plain);
}

static int print_outcome(const struct place *place, const struct request *r,
			 struct err *e)
{
	struct report report;

	if (!r->quiet) {
		if (report_load(place->path, &report, e))
			return -1;
		report_print(&report, REPORT_BRIEF, stdout_colour(), stdout);
		report_free(&report);
		print_path("\nMore: tdmem show ", place->path);
	}
	print_path("result: ", place->path);
	return 0;
}

static size_t count_broken(const struct journal *j)
{
	size_t n = 0;

	for (size_t i = 0; i < j->n; i++)
		n += j->entry[i].status == CELL_FAILED;
	return n;
}

/* What is known of this run besides; false when out of memory. */
static bool add_facts(json_t *env, const struct side *side,
		      const struct request *r, json_t *tags)
{
	const struct backend *b = side->config.backend;

	return !(r->tag.n && json_object_set(env, "tags", tags)) &&
	       !(b->facts &&
		 json_object_set_new(env, b->name,
				     b->facts(&side->topology, side->os_cpu,
					      side->config.memory))) &&
	       observers_facts(&r->observers, env);
}

static int write_result(struct place *place, const struct sides *sides,
			const struct request *r, bool whole, struct err *e)
{
	struct result_top top = {
		.sides = sides,
		.partial = !whole,
		.companions = r->observers.companions,
	};
	json_t *tags = environment_tags(&r->tag, e);
	int status = -1;

	if (!tags)
		return -1;
	top.environment = environment(r->argc, r->argv);
	if (!top.environment ||
	    !add_facts(top.environment, sides_main(sides), r, tags))
		err_set(e, EXIT_FAILED, "out of memory");
	else
		status = place_write(place, &top, e);
	json_decref(top.environment);
	json_decref(tags);
	return status;
}

/* The result is written: say so, or what is wrong with it. */
static int tell(const struct place *place, const struct request *r, bool whole,
		const size_t counts[2], struct err *e)
{
	if (!whole)
		return err_set(e, EXIT_FAILED,
			       "interrupted: %zu repeats are in %s; go on with "
			       "the same command and --resume -o %s",
			       counts[0], place->path, place->path);
	if (print_outcome(place, r, e))
		return -1;
	if (counts[1])
		return err_set(e, EXIT_FAILED,
			       "%zu repeats failed: see \"reason\" in %s",
			       counts[1], place->path);
	return 0;
}

static int run_all(struct place *place, const struct sides *sides,
		   struct request *r, struct err *e)
{
	const struct run_setup setup = {
		.sides = sides,
		.jobs = sides_real_cpus(sides) ? 1 : (unsigned)r->jobs,
		.progress = isatty(STDERR_FILENO),
		.journal = &place->journal,
	};
	struct run_outcome outcome;
	struct err unwritten;
	int status = run_cells(&setup, &outcome, e);
	const size_t counts[] = {place->journal.n,
				 count_broken(&place->journal)};

	if (outcome.bad_journal)
		return -1;
	if (observers_end(&r->observers, status ? &unwritten : e))
		return -1;
	/* What is done is kept, whatever happened. */
	if (write_result(place, sides, r, outcome.whole,
			 status ? &unwritten : e))
		return -1;
	/* A journal of nothing would only be in the way. */
	journal_close(&place->journal, outcome.whole || counts[0] == 0);
	return status ? -1 : tell(place, r, outcome.whole, counts, e);
}

static int run_sides(struct sides *sides, struct request *r, struct err *e)
{
	struct place place;
	int status;

	if (observers_use(&r->observers, sides, e))
		return -1;
	if (r->dry_run) {
		plan_print(sides);
		return 0;
	}
	if (check_backends(sides, e) || observers_open(&r->observers, sides, e))
		return -1;
	if (r->one)
		return run_one(sides, r->one, e);
	if (place_take(&place, sides, r->output, r->resume, e))
		return -1;
	observers_warn(&r->observers);
	if (observers_begin(&r->observers, sides, place.path, e)) {
		place_leave(&place, place.journal.n == 0);
		return -1;
	}
	status = run_all(&place, sides, r, e);
	place_leave(&place, false);
	return status;
}

static int run_request(struct request *r, struct err *e)
{
	struct sides sides;
	int status;

	if (sides_load(&r->sides, &sides, e))
		return -1;
	status = run_sides(&sides, r, e);
	sides_free(&sides);
	return status;
}

/* --------------------------------------------------------------- arguments */

static const char text[] =
	"The result is a JSON file; a journal of finished repeats is beside it "
	"while the\n"
	"run lasts.  SIGINT ends a run early: what is finished is kept, and "
	"--resume\n"
	"goes on from there.\n"
	"\n"
	"With --baseline the cells of both sides are run interleaved into one "
	"result,\n"
	"in which the axis \"side\" is \"base\" or \"new\".\n"
	"\n"
	"Examples:\n"
	"  tdmem run configs/quick.json\n"
	"  tdmem run configs/quick.json --set axes.vcpus=[1,8] --dry-run\n"
	"  tdmem run configs/quick.json -o q.json --jobs 1\n"
	"  tdmem run configs/quick.json -o q.json --resume\n"
	"  tdmem run configs/quick.json --tag commit=1a2b3c\n"
	"  tdmem run configs/quick.json --baseline configs/quick.json \\\n"
	"       --set-new host.column=high\n"
	"  tdmem run configs/quick.json --set axes.vcpus=[8] --baseline "
	"./tdmem\n";

static int check_request(const struct request *r, struct err *e)
{
	json_t *tags = environment_tags(&r->tag, e);

	json_decref(tags);
	if (!tags)
		return -1;
	if (r->resume && !r->output)
		return args_bad("run", e, "--resume needs -o", NULL);
	if (!r->sides.baseline &&
	    (r->sides.set_new.n || r->sides.set_baseline.n))
		return args_bad("run", e,
				"--set-new and --set-baseline need --baseline",
				NULL);
	if (r->one && (r->sides.baseline || r->output || r->dry_run ||
		       r->observers.perf_words || r->observers.pcm_program))
		return args_bad("run", e,
				"--one goes with none of --baseline, -o, "
				"--resume, --dry-run, --perf and --pcm",
				NULL);
	return 0;
}

static int parse(struct request *r, int argc, char **argv, struct err *e)
{
	const struct option_spec options[] = {
		{"output", 'o', OPTION_STRING, "PATH",
		 "the result [results/NAME-DATE-N.json]", &r->output, 0, 0},
		{"set", 0, OPTION_LIST, "PATH=VALUE",
		 "change the config, e.g. seed=2", &r->sides.set, 0, 0},
		{"baseline", 0, OPTION_STRING, "OTHER",
		 "compare with another config or tdmem program",
		 &r->sides.baseline, 0, 0},
		{"set-new", 0, OPTION_LIST, "PATH=VALUE",
		 "with --baseline: change CONFIG only", &r->sides.set_new, 0,
		 0},
		{"set-baseline", 0, OPTION_LIST, "PATH=VALUE",
		 "with --baseline: change the other only",
		 &r->sides.set_baseline, 0, 0},
		{"tag", 0, OPTION_LIST, "KEY=VALUE",
		 "remember with the result, e.g. commit=...", &r->tag, 0, 0},
		{"counters", 0, OPTION_STRING, "LIST",
		 "on real CPUs: events to count, or \"default\"",
		 &r->observers.counter_list, 0, 0},
		{"perf", 0, OPTION_STRING, "WHAT",
		 "perf beside what is measured: \"stat\", \"record -g\"",
		 &r->observers.perf_words, 0, 0},
		{"pcm", 0, OPTION_STRING, "PROGRAM",
		 "Intel PCM beside the run: pcm or pcm-memory",
		 &r->observers.pcm_program, 0, 0},
		{"probe", 0, OPTION_STRING, "TABLE",
		 "on a real VM: time functions of the kernel, kvm or seamcall",
		 &r->observers.probe_text, 0, 0},
		{"jobs", 'j', OPTION_NUMBER, "N",
		 "repeats at a time [number of CPUs]; 1 on real CPUs", &r->jobs,
		 1, MAX_JOBS},
		{"dry-run", 'n', OPTION_FLAG, NULL,
		 "print the cells and the rule, run nothing", &r->dry_run, 0,
		 0},
		{"resume", 0, OPTION_FLAG, NULL,
		 "go on with an interrupted run; needs -o", &r->resume, 0, 0},
		{"one", 0, OPTION_STRING, "CELL:REPEAT",
		 "print one repeat as JSON, write no result", &r->one, 0, 0},
		{"quiet", 'q', OPTION_FLAG, NULL,
		 "print the result's path only", &r->quiet, 0, 0},
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
	r->sides.config = operands.v[0];
	return check_request(r, e);
}

int cmd_run(int argc, char **argv)
{
	struct request r = {.argc = argc, .argv = argv};
	struct err e;
	int status;

	r.jobs = parallel_jobs();
	status = parse(&r, argc, argv, &e);
	if (status == 0)
		status = observers_choose(&r.observers, &e);
	if (status == 0)
		status = run_request(&r, &e);
	observers_free(&r.observers);
	free(r.sides.set.v);
	free(r.sides.set_new.v);
	free(r.sides.set_baseline.v);
	free(r.tag.v);
	return status < 0 ? fail(&e) : EXIT_DONE;
}
