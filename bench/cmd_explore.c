/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tdmem explore: can it ever?
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/args.h"
#include "bench/base/document.h"
#include "bench/base/names.h"
#include "bench/base/plain.h"
#include "bench/commands.h"
#include "bench/explore/explore.h"
#include "bench/plan/config_impl.h"

static const char text[] =
	"CLAIM is a file: strands, a policy, and what is claimed of them; see\n"
	"docs/explore.md.\n"
	"Exit status: 0 it is as the file expects, 3 it is not, 2 wrong file.\n"
	"\n"
	"Examples:\n"
	"  tdmem explore configs/explore/kick-once.json\n"
	"  tdmem explore --scenario spin16 --format mail\n"
	"  tdmem explore --scenario spin16 -o order.json\n"
	"  tdmem explore --replay order.json\n"
	"  tdmem explore --replay order.json --timeline -o trace.json\n";

enum form { FORM_TEXT, FORM_MAIL, FORM_JSON, FORM_DOT };
static const char *const forms[] = {"text", "mail", "json", "dot", NULL};

struct command {
	const char *scenario, *policy, *format, *output, *replay;
	struct strings claims;
	long executions, steps, preemptions;
	double seconds;
	bool show, timeline;
	enum form form;
	const struct timeline_form *trace; /* of --timeline */
	const char *path;		   /* of the claim's file */
	char *own_path;			   /* that of a scenario's name */
	struct schedule_file order;	   /* of --replay */
};

static int no_memory(struct err *e)
{
	return err_set(e, EXIT_FAILED, "explore: out of memory");
}

/* ----------------------------------------------------------- command line */

static int choose_form(struct command *c, struct err *e)
{
	struct at at = at_root("explore: --format", e);
	int form;

	if (c->timeline) {
		c->trace = timeline_form(c->format, &at);
		return c->trace ? 0 : -1;
	}
	form = parse_name(c->format ? c->format : "text", "form", array_name,
			  forms, &at);

	c->form = (enum form)form;
	return form < 0 ? -1 : 0;
}

static int choose_claim(struct command *c, const struct operands *operands,
			struct err *e)
{
	int given =
		(operands->n > 0) + (c->scenario != NULL) + (c->replay != NULL);
	size_t size;

	if (given != 1)
		return err_set(e, EXIT_USAGE,
			       "explore: expected one of CLAIM, --scenario and "
			       "--replay");
	if (c->timeline && !c->replay)
		return err_set(e, EXIT_USAGE,
			       "explore: --timeline is for --replay");
	if (c->output && c->replay && !c->timeline)
		return err_set(e, EXIT_USAGE,
			       "explore: -o with --replay is for --timeline");
	if (c->replay) {
		if (schedule_read(c->replay, &c->order, e))
			return -1;
		c->path = c->order.claim;
		return 0;
	}
	c->path = operands->n ? operands->v[0] : NULL;
	if (c->path)
		return 0;
	size = strlen(c->scenario) + sizeof("configs/explore/.json");
	c->own_path = malloc(size);
	if (!c->own_path)
		return no_memory(e);
	snprintf(c->own_path, size, "configs/explore/%s.json", c->scenario);
	c->path = c->own_path;
	return 0;
}

static int parse(int argc, char **argv, struct command *c, struct err *e)
{
	const struct option_spec options[] = {
		{"scenario", 0, OPTION_STRING, "NAME",
		 "the claim configs/explore/NAME.json", &c->scenario, 0, 0},
		{"policy", 'p', OPTION_STRING, "POLICY",
		 "this retry policy instead of the claim's", &c->policy, 0, 0},
		{"claim", 'c', OPTION_LIST, "CLAIM",
		 "this instead of what the file claims; may be repeated",
		 &c->claims, 0, 0},
		{"max-executions", 0, OPTION_NUMBER, "N",
		 "give up after so many", &c->executions, 1, 1000000000000},
		{"max-steps", 0, OPTION_NUMBER, "N",
		 "cut executions off after so many steps", &c->steps, 1,
		 10000000},
		{"max-preemptions", 0, OPTION_NUMBER, "N",
		 "run only orders with so few of them", &c->preemptions, 0,
		 1000},
		{"max-seconds", 0, OPTION_REAL, "S",
		 "give up after so long; 0: never", &c->seconds, 0, 1000000},
		{"show", 0, OPTION_FLAG, NULL,
		 "draw one execution, whether anything is broken or not",
		 &c->show, 0, 0},
		{"format", 'f', OPTION_STRING, "FORM",
		 "text, mail (a drawing of 75 columns), json or dot",
		 &c->format, 0, 0},
		{"output", 'o', OPTION_STRING, "FILE",
		 "write the order that breaks the claim, or the timeline, to "
		 "this file",
		 &c->output, 0, 0},
		{"replay", 0, OPTION_STRING, "SCHEDULE",
		 "run the order of this file once more", &c->replay, 0, 0},
		{"timeline", 0, OPTION_FLAG, NULL,
		 "with --replay: write its timeline; the forms are json (trace "
		 "events), text and mail [json]",
		 &c->timeline, 0, 0},
		{.name = NULL},
	};
	const struct command_spec spec = {
		.name = "explore",
		.operands = "[CLAIM]",
		.max_operands = 1,
		.summary = "Run a small scenario in every order and decide a "
			   "claim.",
		.text = text,
		.options = options,
	};
	struct operands operands;
	int status = args_parse(&spec, argc, argv, &operands, e);

	if (status)
		return status;
	if (choose_form(c, e) || choose_claim(c, &operands, e))
		return -1;
	return 0;
}

static int override_policy(struct claim *claim, const char *name, struct err *e)
{
	struct at at = at_root("--policy", e);
	json_t *value = json_string(name);
	struct policy_choice choice;
	int ret;

	if (!value)
		return at_bad(&at, "expected the name of a policy");
	ret = parse_policy(value, &choice, &at);
	json_decref(value);
	if (ret)
		return -1;
	claim->policy = choice.policy;
	snprintf(claim->policy_name, sizeof(claim->policy_name), "%s",
		 choice.label);
	return 0;
}

/* The options, or what the schedule says that they were. */
static int override(const struct command *c, struct claim *claim, struct err *e)
{
	const char *policy = c->replay ? c->order.policy : c->policy;
	const struct strings *claims =
		c->replay ? &c->order.claims : &c->claims;
	struct at at = at_root("--claim", e);

	if (policy && override_policy(claim, policy, e))
		return -1;
	if (claims->n) {
		claim->checks = 0;
		claim->limits = 0;
	}
	for (size_t i = 0; i < claims->n; i++)
		if (claim_add_check(claim, claims->v[i], &at))
			return -1;
	if (c->executions)
		claim->bounds.executions = (u64)c->executions;
	if (c->steps)
		claim->bounds.steps = (u64)c->steps;
	if (c->preemptions >= 0)
		claim->bounds.preemptions = c->preemptions;
	if (c->seconds >= 0)
		claim->bounds.seconds = c->seconds;
	return 0;
}

/* ------------------------------------------------------------------ answer */

static const char *verdict(const struct claim_answer *a)
{
	return a->broken     ? "broken"
	       : a->complete ? "holds"
			     : "holds within bounds";
}

static void print_bound(const struct claim *claim, const struct claim_answer *a)
{
	if (a->broken || a->complete)
		return;
	printf("  bounds: ");
	if (claim->bounds.executions)
		printf("%llu executions, ",
		       (unsigned long long)claim->bounds.executions);
	printf("%llu steps, ", (unsigned long long)claim->bounds.steps);
	if (claim->bounds.seconds > 0)
		printf("%g s, ", claim->bounds.seconds);
	if (a->preemptions >= 0)
		printf("%lld preemptions, ", (long long)a->preemptions);
	printf("%u futile tries; met: %s\n", claim->futile,
	       a->bound ? a->bound : "none");
}

static void print_answer(const struct claim *claim,
			 const struct claim_answer *a)
{
	char what[4 * sizeof(claim->what)], name[4 * sizeof(claim->name)];

	plain_copy(name, sizeof(name), claim->name);
	plain_copy(what, sizeof(what), claim->what);
	printf("%s: %s%s, model output\n", name, verdict(a),
	       a->complete ? ": all orders were run" : "");
	if (what[0])
		printf("  claim: %s\n", what);
	printf("  policy: %s; expected: %s\n", claim->policy_name,
	       claim->expect_broken ? "broken" : "holds");
	if (a->broken)
		printf("  found: %s\n  in %zu steps%s\n", a->why, a->schedule.n,
		       a->shortest ? ", none shorter" : "");
	print_bound(claim, a);
	printf("  %llu executions, %llu given up as done before, %llu cut off; "
	       "longest %llu\n",
	       (unsigned long long)a->executions,
	       (unsigned long long)a->redundant, (unsigned long long)a->cut,
	       (unsigned long long)a->longest);
	printf("  %.2f s, %.0f executions/s\n", a->seconds,
	       a->seconds > 0 ? (double)a->executions / a->seconds : 0);
}

static json_t *head_json(const struct claim *claim, const char *answer)
{
	return json_pack("{ss, ss, ss, sb, ss, ss, ss}", "schema",
			 "tdmem-explore/1", "claim", claim->name, "what",
			 claim->what, "model", 1, "policy", claim->policy_name,
			 "answer", answer, "expected",
			 claim->expect_broken ? "broken" : "holds");
}

static json_t *answer_json(const struct claim *claim,
			   const struct claim_answer *a)
{
	json_t *o = head_json(claim, a->broken ? "broken" : "holds");
	json_t *counts = json_pack(
		"{sb, sI, sI, sI, sI, sI, sI, sf}", "complete", a->complete,
		"executions", (json_int_t)a->executions, "redundant",
		(json_int_t)a->redundant, "cut", (json_int_t)a->cut, "steps",
		(json_int_t)a->steps, "longest", (json_int_t)a->longest,
		"futile", (json_int_t)claim->futile, "seconds", a->seconds);

	if (o && counts)
		json_object_update(o, counts);
	json_decref(counts);
	if (!o)
		return NULL;
	json_object_set_new(o, "bound",
			    a->bound ? json_string(a->bound) : json_null());
	if (a->preemptions >= 0)
		json_object_set_new(o, "preemptions",
				    json_integer(a->preemptions));
	if (a->broken) {
		json_object_set_new(o, "why", json_string(a->why));
		json_object_set_new(o, "shortest", json_boolean(a->shortest));
		json_object_set_new(o, "order", schedule_order(&a->schedule));
	}
	return o;
}

static int put_json(json_t *o, struct err *e)
{
	int ret = o ? json_dumpf(o, stdout, JSON_INDENT(1)) : -1;

	putchar('\n');
	json_decref(o);
	return ret ? no_memory(e) : 0;
}

static int put(const struct command *c, const struct claim *claim,
	       const struct claim_answer *a, const struct execution *x,
	       struct err *e)
{
	json_t *o;

	if (c->form == FORM_JSON) {
		o = a ? answer_json(claim, a) : head_json(claim, "replayed");
		if (x && o)
			json_object_set_new(o, "execution", execution_json(x));
		return put_json(o, e);
	}
	if (c->form == FORM_TEXT && a)
		print_answer(claim, a);
	if (c->form == FORM_TEXT && a && x)
		putchar('\n');
	if (x && c->form == FORM_DOT)
		execution_dot(x, stdout);
	else if (x)
		return execution_mail(x, stdout) ? no_memory(e) : 0;
	return 0;
}

static int as_expected(const struct claim *claim, bool broken)
{
	return broken == claim->expect_broken ? EXIT_DONE : EXIT_REGRESSION;
}

/* ------------------------------------------------------------------- doing */

static int save(const struct command *c, const struct claim_answer *a,
		struct err *e)
{
	struct schedule_file file = {
		.claim = c->path,
		.why = a->why,
		.policy = c->policy,
		.claims = c->claims,
		.schedule = a->schedule,
	};

	if (!c->output)
		return 0;
	if (!a->broken) {
		fprintf(stderr, "tdmem: %s: not written, nothing is broken\n",
			c->output);
		return 0;
	}
	return schedule_write(c->output, &file, e);
}

static int decide(const struct command *c, const struct claim *claim,
		  struct err *e)
{
	struct claim_answer a;
	struct execution x;
	bool drawn;
	int ret;

	if (claim_search(claim, &a, e))
		return -1;
	drawn = a.broken || c->show || c->form == FORM_DOT ||
		c->form == FORM_MAIL;
	ret = save(c, &a, e);
	if (!ret && drawn)
		ret = claim_execute(claim, &a.schedule, &x, e);
	if (!ret) {
		ret = put(c, claim, &a, drawn ? &x : NULL, e);
		if (drawn)
			execution_free(&x);
	}
	if (!ret)
		ret = as_expected(claim, a.broken);
	claim_answer_free(&a);
	return ret;
}

static int put_timeline(const struct command *c, const struct execution *x,
			struct err *e)
{
	struct document d;

	if (document_begin(&d, e))
		return -1;
	return document_end(&d, execution_timeline(x, c->trace, d.file, e),
			    c->output, e);
}

static int replay(const struct command *c, const struct claim *claim,
		  struct err *e)
{
	struct execution x;
	int ret;

	for (size_t i = 0; i < c->order.schedule.n; i++)
		if (c->order.schedule.strand[i] >= claim->strands)
			return err_set(e, EXIT_USAGE,
				       "%s: order: strand %u of %u", c->replay,
				       c->order.schedule.strand[i],
				       claim->strands);
	if (claim_execute(claim, &c->order.schedule, &x, e))
		return -1;
	ret = c->timeline ? put_timeline(c, &x, e) : put(c, claim, NULL, &x, e);
	if (!ret && !x.why)
		ret = err_set(e, EXIT_FAILED, "%s: breaks nothing; it was: %s",
			      c->replay, c->order.why);
	else if (!ret)
		ret = as_expected(claim, true);
	execution_free(&x);
	return ret;
}

int cmd_explore(int argc, char **argv)
{
	struct command c = {.preemptions = -1, .seconds = -1};
	struct claim *claim = NULL;
	struct err e;
	int status = parse(argc, argv, &c, &e);

	if (!status) {
		claim = malloc(sizeof(*claim));
		status = claim ? claim_read(c.path, claim, &e) : no_memory(&e);
		if (!status)
			status = override(&c, claim, &e);
		if (!status)
			status = (c.replay ? replay : decide)(&c, claim, &e);
	} else if (status > 0) {
		status = EXIT_DONE;
	}
	fflush(stdout);
	free(claim);
	free(c.own_path);
	free(c.claims.v);
	schedule_file_free(&c.order);
	return status < 0 ? fail(&e) : status;
}
