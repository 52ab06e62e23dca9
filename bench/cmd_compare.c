/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/base/args.h"
#include "bench/base/document.h"
#include "bench/base/json.h"
#include "bench/base/names.h"
#include "bench/base/parallel.h"
#include "bench/commands.h"
#include "bench/compare/compare.h"
#include "bench/compare/gate.h"
#include "bench/compare/print.h"
#include "bench/compare/robust.h"

/* The axis of results that were run against a base. */
#define SIDE_AXIS "side"

/* What the command line asks for. */
struct line {
	struct compare_request request;
	struct operands operands;
	struct strings labels;
	const char *format, *output, *gate;
	double threshold; /* percent */
	long rounds, seed, jobs;
	bool ascii, all, strict, robust;
	int argc;
	char **argv;
};

/* What is made of it, in the order in which it is made. */
struct session {
	const struct line *line;
	const struct compare_form *form;
	struct gate gate;
	struct samples loaded[MAX_OPERANDS];
	const struct samples *result[MAX_OPERANDS];
	struct compare_request request;
	struct comparison comparison;
	struct gate_outcome outcome;
	struct robust robust;
};

/* Metrics of a form that people read go on with what else is to be said. */
static bool is_text(const struct compare_form *form)
{
	return strcmp(form->name, "text") == 0 ||
	       strcmp(form->name, "mail") == 0;
}

static bool is_json(const struct compare_form *form)
{
	return strcmp(form->name, "json") == 0;
}

/* ------------------------------------------------------------------ inputs */

static const char *form_name(const void *ctx, size_t index)
{
	(void)ctx;
	return compare_forms[index] ? compare_forms[index]->name : NULL;
}

static int find_form(const char *name, const struct compare_form **form,
		     struct err *e)
{
	struct at at = at_root("compare: --format", e);
	int i = parse_name(name, "form", form_name, NULL, &at);

	if (i >= 0)
		*form = compare_forms[i];
	return i < 0 ? -1 : 0;
}

static int check_cells(const struct strings *cells, struct err *e)
{
	for (size_t i = 0; i < cells->n; i++)
		if (!strchr(cells->v[i], '=') || cells->v[i][0] == '=')
			return args_bad("compare", e,
					"--cell: expected AXIS=VALUE, not",
					cells->v[i]);
	return 0;
}

static int check_line(const struct line *l, struct err *e)
{
	const struct compare_request *r = &l->request;

	if (r->by && l->operands.n > 1)
		return args_bad("compare", e, "--by takes one result", NULL);
	if (l->labels.n && l->labels.n != l->operands.n)
		return args_bad("compare", e,
				"--label: one for each result is needed", NULL);
	if (!(r->alpha > 0 && r->alpha < 1))
		return args_bad("compare", e,
				"--alpha: expected above 0 and below 1", NULL);
	if (!(r->confidence > 0 && r->confidence < 1))
		return args_bad("compare", e,
				"--confidence: expected above 0 and below 1",
				NULL);
	if (l->strict && !l->gate)
		return args_bad("compare", e, "--strict needs --gate", NULL);
	if (document_is_one_of(l->output, l->operands.v, l->operands.n))
		return args_bad("compare", e, "--output is one of the results,",
				l->output);
	return check_cells(&r->cells, e);
}

static bool has_axis(const struct samples *samples, const char *axis)
{
	for (size_t i = 0; i < samples->ncells; i++)
		if (json_object_get(samples->cell[i].axes, axis))
			return true;
	return false;
}

/* One result alone has its sides in itself. */
static int choose_sides(struct session *s, struct err *e)
{
	struct compare_request *r = &s->request;

	if (r->nresults == 1 && !r->by && has_axis(s->result[0], SIDE_AXIS))
		r->by = SIDE_AXIS;
	if (r->nresults == 1 && !r->by)
		return args_bad(
			"compare", e,
			"expected BASE NEW, or --by AXIS and one result", NULL);
	if (r->base && !r->by)
		return args_bad("compare", e, "--base needs --by", NULL);
	if (r->label && r->by)
		return args_bad("compare", e, "--label is for several results",
				NULL);
	return 0;
}

static int load(struct session *s, struct err *e)
{
	const struct line *l = s->line;
	struct compare_request *r = &s->request;

	*r = l->request;
	r->result = s->result;
	r->nresults = l->operands.n;
	r->label = l->labels.n ? l->labels.v : NULL;
	r->material = l->threshold / 100;
	r->rounds = (size_t)l->rounds;
	r->seed = (uint64_t)l->seed;
	if (l->gate) {
		if (gate_load(l->gate, &s->gate, e))
			return -1;
		r->also = gate_wanted;
		r->also_ctx = &s->gate;
	}
	for (size_t i = 0; i < l->operands.n; i++) {
		if (samples_load(l->operands.v[i], compare_wanted, r,
				 &s->loaded[i], e))
			return -1;
		s->result[i] = &s->loaded[i];
	}
	return choose_sides(s, e);
}

/* ------------------------------------------------------------------ compute */

static void warn(const struct comparison *c)
{
	for (size_t i = 0; i < c->naspects; i++) {
		const struct compare_aspect *a = &c->aspect[i];

		if (a->same || a->compared)
			continue;
		fprintf(stderr, "tdmem: warning: %s differs:", a->name);
		for (size_t k = 0; k < c->nsides; k++)
			fprintf(stderr, "%s %s", k ? "," : "", a->value[k]);
		fputc('\n', stderr);
	}
}

static int compute(struct session *s, struct err *e)
{
	const struct line *l = s->line;
	struct robust_setup setup = {
		.request = &s->request,
		.jobs = (unsigned)l->jobs,
		.progress = isatty(STDERR_FILENO),
	};

	if (compare_results(&s->request, &s->comparison, e))
		return -1;
	warn(&s->comparison);
	if (l->gate && gate_judge(&s->gate, &s->comparison, &s->outcome, e))
		return -1;
	if (l->robust && robust_check(&setup, &s->comparison, &s->robust, e))
		return -1;
	return 0;
}

/* ------------------------------------------------------------------- output */

static bool put_verdicts(const struct session *s, bool gap, FILE *f)
{
	const struct line *l = s->line;
	bool good = true;

	if (l->robust) {
		if (gap)
			fputc('\n', f);
		good &= robust_print(&s->robust, l->ascii, f);
	}
	if (l->gate) {
		if (gap)
			fputc('\n', f);
		good &= gate_print(&s->outcome, &s->comparison, l->strict,
				   l->ascii, f);
	}
	return good;
}

/* Members of a JSON document; false when out of memory. */
static bool make_members(const struct session *s, json_t *more)
{
	const struct line *l = s->line;
	bool good = more;

	if (l->robust)
		good &= json_object_set_new(more, "robust",
					    robust_json(&s->robust)) == 0;
	if (l->gate)
		good &= json_object_set_new(more, "gate",
					    gate_json(&s->outcome,
						      &s->comparison,
						      l->strict)) == 0;
	return good;
}

static bool put_document(const struct session *s, const char *command, FILE *f)
{
	struct compare_style style = {
		.colour = !s->line->output && stdout_colour(),
		.ascii = s->line->ascii,
		.all = s->line->all,
		.command = command,
		.more = is_json(s->form) ? json_object() : NULL,
	};
	bool good = !is_json(s->form) || make_members(s, style.more);

	good = good && s->form->print(&s->comparison, &style, f);
	if (good && is_text(s->form))
		good = put_verdicts(s, true, f);
	json_decref(style.more);
	return good;
}

static int put(const struct session *s, struct err *e)
{
	char *command = document_command(s->line->argc, s->line->argv);
	struct document d;
	int status = -1;

	if (!command)
		return err_set(e, EXIT_FAILED, "out of memory");
	if (document_begin(&d, e) == 0) {
		status = put_document(s, command, d.file)
				 ? 0
				 : err_set(e, EXIT_FAILED, "out of memory");
		status = document_end(&d, status, s->line->output, e);
	}
	free(command);
	if (status == 0 && !is_text(s->form) && !is_json(s->form) &&
	    !put_verdicts(s, false, stderr))
		return err_set(e, EXIT_FAILED, "out of memory");
	return status;
}

static void end_session(struct session *s)
{
	robust_free(&s->robust);
	gate_outcome_free(&s->outcome);
	compare_free(&s->comparison);
	for (size_t i = 0; i < MAX_OPERANDS; i++)
		if (s->result[i])
			samples_free(&s->loaded[i]);
	gate_free(&s->gate);
	free(s);
}

/* The exit status, or -1 with *e. */
static int run(const struct line *l, struct err *e)
{
	struct session *s = calloc(1, sizeof(*s));
	int status;

	if (!s)
		return err_set(e, EXIT_FAILED, "out of memory");
	s->line = l;
	status = find_form(l->format, &s->form, e) || check_line(l, e) ||
				 load(s, e) || compute(s, e) || put(s, e)
			 ? -1
			 : EXIT_DONE;
	if (status == EXIT_DONE && l->gate &&
	    gate_failed(&s->outcome, l->strict))
		status = EXIT_REGRESSION;
	end_session(s);
	return status;
}

/* ----------------------------------------------------------------- arguments
 */

static const char examples[] =
	"\n"
	"A change is one when it is significant among all that are compared "
	"and larger\n"
	"than --threshold; else it is \"~\".  Exit status 3: the gate fails.  "
	"See\n"
	"docs/compare.md.\n"
	"\n"
	"Examples:\n"
	"  tdmem compare base.json new.json\n"
	"  tdmem compare --format mail --ascii base.json new.json\n"
	"  tdmem compare --gate configs/gates/nightly.json base.json new.json\n"
	"  tdmem compare --by policy --base kick-once --robust result.json\n";

/* The text of --help; for free(), NULL when out of memory. */
static char *help_text(void)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fputs("Forms:\n", f);
	for (size_t i = 0; compare_forms[i]; i++)
		fprintf(f, "  %-10s %s\n", compare_forms[i]->name,
			compare_forms[i]->summary);
	fputs(examples, f);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

static int parse(struct line *l, const char *text, struct err *e)
{
	enum { MAX_ROUNDS = 1000000, MAX_PERCENT = 1000 };
	struct compare_request *r = &l->request;
	const struct option_spec options[] = {
		{"format", 'f', OPTION_STRING, "FORM",
		 "one of those below [text]", &l->format, 0, 0},
		{"output", 'o', OPTION_STRING, "FILE",
		 "write to this file [standard output]", &l->output, 0, 0},
		{"ascii", 0, OPTION_FLAG, NULL, "print ASCII only", &l->ascii,
		 0, 0},
		{"all", 'a', OPTION_FLAG, NULL, "also show what did not change",
		 &l->all, 0, 0},
		{"metric", 'm', OPTION_LIST, "PATTERN",
		 "these metrics in place of rate and latency, as "
		 "'*.latency'; may be repeated",
		 &r->metrics, 0, 0},
		{"cell", 'c', OPTION_LIST, "AXIS=VALUE",
		 "only cells that have it; may be repeated", &r->cells, 0, 0},
		{"by", 0, OPTION_STRING, "AXIS",
		 "compare the values of an axis of one result", &r->by, 0, 0},
		{"base", 0, OPTION_STRING, "VALUE",
		 "the value that is the base [the first]", &r->base, 0, 0},
		{"label", 'l', OPTION_LIST, "TEXT",
		 "what to call a result; one for each, in order "
		 "[their files' names]",
		 &l->labels, 0, 0},
		{"across", 0, OPTION_LIST, "NAME",
		 "what is meant to differ besides, e.g. costs; may be "
		 "repeated",
		 &r->across, 0, 0},
		{"threshold", 't', OPTION_REAL, "PERCENT",
		 "smallest change that matters [1]", &l->threshold, 0,
		 MAX_PERCENT},
		{"alpha", 0, OPTION_REAL, "RATE",
		 "chance of any false alarm in all of it [0.05]", &r->alpha, 0,
		 1},
		{"confidence", 0, OPTION_REAL, "SHARE",
		 "what an interval covers [0.95]", &r->confidence, 0, 1},
		{"rounds", 0, OPTION_NUMBER, "N",
		 "resamplings of each bootstrap [1000; fewer when more "
		 "than 10000 are compared]",
		 &l->rounds, 20, MAX_ROUNDS},
		{"seed", 0, OPTION_NUMBER, "N",
		 "of the bootstraps' random numbers [1]", &l->seed, 0,
		 INT32_MAX},
		{"gate", 'g', OPTION_STRING, "FILE",
		 "pass or fail, by the rules in FILE: see configs/gates/",
		 &l->gate, 0, 0},
		{"strict", 0, OPTION_FLAG, NULL,
		 "with --gate: what it cannot decide fails", &l->strict, 0, 0},
		{"robust", 0, OPTION_FLAG, NULL,
		 "say whether it holds with low and high costs as well",
		 &l->robust, 0, 0},
		{"jobs", 'j', OPTION_NUMBER, "N",
		 "with --robust: cells at a time [number of CPUs]", &l->jobs, 1,
		 MAX_JOBS},
		{.name = NULL},
	};
	const struct command_spec spec = {
		.name = "compare",
		.operands = "BASE NEW...",
		.min_operands = 1,
		.max_operands = MAX_OPERANDS,
		.summary = "Compare results, or the sides of one result.",
		.text = text,
		.options = options,
	};

	return args_parse(&spec, l->argc, l->argv, &l->operands, e);
}

int cmd_compare(int argc, char **argv)
{
	struct line line = {
		.request = {.alpha = DIFFERENCE_ALPHA, .confidence = 0.95},
		.format = "text",
		.threshold = 100 * DIFFERENCE_MATERIAL,
		.seed = 1,
		.jobs = parallel_jobs(),
		.argc = argc,
		.argv = argv,
	};
	char *text = help_text();
	struct err e;
	int status = text ? parse(&line, text, &e)
			  : err_set(&e, EXIT_FAILED, "out of memory");

	if (status == 0)
		status = run(&line, &e);
	else if (status > 0)
		status = EXIT_DONE;
	free(line.request.metrics.v);
	free(line.request.cells.v);
	free(line.request.across.v);
	free(line.labels.v);
	free(text);
	return status < 0 ? fail(&e) : status;
}
