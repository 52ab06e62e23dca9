/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tdmem timeline: one run of one cell, event by event.
 */
#define _GNU_SOURCE /* strchrnul */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/args.h"
#include "bench/base/interrupt.h"
#include "bench/base/json.h"
#include "bench/base/names.h"
#include "bench/base/output.h"
#include "bench/base/plain.h"
#include "bench/commands.h"
#include "bench/result/encode.h"
#include "bench/run/cell.h"
#include "bench/timeline/timeline.h"

static const char text[] =
	"A cell is chosen by its number, from 0 in the order of tdmem run "
	"--dry-run, or\n"
	"by values of axes.  The run is the same as that of tdmem run with "
	"backend sim:\n"
	"same seed, same numbers.\n"
	"\n"
	"Examples:\n"
	"  tdmem timeline configs/quick.json --cell workload=track \\\n"
	"       --cell policy=spin --cell vcpus=4 -o track.json\n"
	"  tdmem timeline configs/quick.json --cell 3 --format text\n"
	"\n"
	"Open the JSON at https://ui.perfetto.dev or chrome://tracing.\n";

struct request {
	struct sides_request sides;
	struct strings cell;
	const char *format, *output;
	long repeat;
	const struct timeline_form *form;
};

/* What is run. */
struct subject {
	const struct side *side;
	struct cell cell;
	struct run_item item;
	json_t *axes;
	char *title;
};

static int no_memory(struct err *e)
{
	return err_set(e, EXIT_FAILED, "timeline: out of memory");
}

/* ----------------------------------------------------- which cell it is */

static bool has_value(json_t *value, const char *wanted)
{
	char *dump;
	bool same;

	if (json_is_string(value))
		return strcmp(json_string_value(value), wanted) == 0;
	dump = json_dumps(value, JSON_STYLE | JSON_ENCODE_ANY);
	same = dump && strcmp(dump, wanted) == 0;
	free(dump);
	return same;
}

/* "3" or "vcpus=8" */
static bool is_chosen(const char *choice, size_t index, json_t *axes)
{
	const char *equals = strchr(choice, '=');
	char *end;
	json_t *value;

	if (!equals)
		return strtoull(choice, &end, 10) == index;
	value = json_object_getn(axes, choice, (size_t)(equals - choice));
	return value && has_value(value, equals + 1);
}

static bool is_number(const char *name)
{
	size_t n = strspn(name, "0123456789");

	return n && n < 19 && !name[n];
}

static const char *axis_name(const void *axes, size_t index)
{
	/* Nothing is changed: jansson's iterators want it so. */
	json_t *object = (json_t *)(uintptr_t)axes;
	void *at = json_object_iter(object);

	while (at && index--)
		at = json_object_iter_next(object, at);
	return at ? json_object_iter_key(at) : NULL;
}

/* Is it a number, or does it name an axis? */
static int check_choice(const char *choice, json_t *axes, struct err *e)
{
	struct at at = at_root("--cell", e);
	char name[64];
	size_t n = (size_t)(strchrnul(choice, '=') - choice);

	if (is_number(choice))
		return 0;
	if (!choice[n])
		return at_bad(&at,
			      "\"%.60s\": expected a cell's number or "
			      "AXIS=VALUE",
			      choice);
	snprintf(name, sizeof(name), "%.*s", (int)n, choice);
	return parse_name(name, "axis", axis_name, axes, &at) < 0 ? -1 : 0;
}

static int all_chosen(const struct strings *choices, size_t index, json_t *axes,
		      struct err *e)
{
	for (size_t i = 0; i < choices->n; i++) {
		if (check_choice(choices->v[i], axes, e))
			return -1;
		if (!is_chosen(choices->v[i], index, axes))
			return 0;
	}
	return 1;
}

static int choose_cell(const struct request *r, struct subject *s,
		       struct err *e)
{
	const struct config *config = &s->side->config;
	size_t all = config_cells(config), found = 0;

	for (size_t i = 0; i < all; i++) {
		struct cell cell;
		json_t *axes;
		int chosen;

		plan_cell(config, i, &cell);
		axes = plan_axes(config, &cell);
		chosen = axes ? all_chosen(&r->cell, i, axes, e) : no_memory(e);
		json_decref(axes);
		if (chosen < 0)
			return -1;
		if (chosen && !found++)
			s->item.cell = i;
	}
	if (found != 1)
		return err_set(
			e, EXIT_USAGE,
			"timeline: %zu of %zu cells are chosen, expected "
			"one; choose with --cell NUMBER or --cell "
			"AXIS=VALUE, see tdmem run --dry-run",
			found, all);
	plan_cell(config, s->item.cell, &s->cell);
	s->axes = plan_axes(config, &s->cell);
	return s->axes ? 0 : no_memory(e);
}

static int choose_repeat(const struct request *r, struct subject *s,
			 struct err *e)
{
	const struct repeat_rule *rule = &s->side->config.repeat;

	s->item.repeat = r->repeat < 0 ? rule->warmup : (uint32_t)r->repeat;
	if (s->item.repeat >= schedule_most(rule))
		return err_set(e, EXIT_USAGE,
			       "timeline: --repeat %ld: there are at most %u, "
			       "from 0 with the warm-ups first",
			       r->repeat, schedule_most(rule));
	return 0;
}

static int make_title(struct subject *s, struct err *e)
{
	char *raw = NULL;
	size_t size;
	FILE *f = open_memstream(&raw, &size);
	const char *key;
	json_t *value;

	if (!f)
		return no_memory(e);
	fprintf(f, "tdmem, model output: %s, backend %s", s->side->config.name,
		s->side->config.backend->name);
	json_object_foreach(s->axes, key, value)
	{
		char *v = json_is_string(value)
				  ? NULL
				  : json_dumps(value,
					       JSON_STYLE | JSON_ENCODE_ANY);

		fprintf(f, ", %s %s", key, v ? v : json_string_value(value));
		free(v);
	}
	fprintf(f, ", repeat %u", s->item.repeat);
	if (fclose(f) == 0)
		s->title = plain_text(raw);
	free(raw);
	return s->title ? 0 : no_memory(e);
}

/* ------------------------------------------------------------------ run */

/* What the run gave, without its histograms; NULL when out of memory. */
static json_t *facts_of(const struct subject *s, const struct timeline *t,
			const struct repeat *repeat)
{
	json_t *facts = repeat->text
				? json_loads(repeat->text, 0, NULL)
				: json_pack("{ss, ss}", "status", "stopped",
					    "reason", "interrupted");

	if (!facts)
		return NULL;
	json_object_del(facts, "histograms");
	json_object_set_new(facts, "generator",
			    json_string("tdmem " TDMEM_VERSION));
	json_object_set_new(facts, "model_output", json_true());
	json_object_set_new(facts, "backend",
			    json_string(s->side->config.backend->name));
	json_object_set_new(facts, "config", json_string(s->side->config.name));
	json_object_set(facts, "axes", s->axes);
	json_object_set_new(facts, "repeat", json_integer(s->item.repeat));
	json_object_set_new(facts, "strands", json_integer(t->strands));
	return facts;
}

/* When the run ended, in ps; 0: not known. */
static u64 end_of(const json_t *facts)
{
	const json_t *metrics = json_object_get(facts, "metrics");
	double ns =
		json_number_value(json_object_get(metrics, "run.virtual_time"));

	if (ns <= 0)
		ns = json_number_value(json_object_get(metrics, "run.time"));
	return ns > 0 ? (u64)(ns * (double)PS_PER_NS + 0.5) : 0;
}

static int write_end(const struct subject *s, struct timeline *t,
		     const struct repeat *repeat, struct err *e)
{
	json_t *facts = facts_of(s, t, repeat);

	if (!facts)
		return no_memory(e);
	timeline_end(t, end_of(facts), facts);
	json_decref(facts);
	if (t->misfits)
		return err_set(e, EXIT_FAILED,
			       "timeline: %llu slices do not fit into each "
			       "other",
			       (unsigned long long)t->misfits);
	return 0;
}

static int run_traced(const struct request *r, const struct subject *s,
		      const atomic_int *stop, FILE *out, struct repeat *repeat,
		      struct err *e)
{
	struct timeline_cast cast;
	struct scenario scenario;
	struct timeline t;
	int status;

	if (cell_scenario(&s->side->config, &s->cell, &scenario, e))
		return -1;
	cast = (struct timeline_cast){.tds = scenario.tds,
				      .vcpus = scenario.vcpus,
				      .hosts = scenario.hosts};
	scenario_free(&scenario);
	status = timeline_begin(&t, r->form, &cast, s->title, out)
			 ? no_memory(e)
			 : side_repeat_traced(s->side, &s->item, &t.trace, stop,
					      repeat, e);
	if (status == 0)
		status = write_end(s, &t, repeat, e);
	timeline_free(&t);
	return status;
}

static int run_to_file(const struct request *r, const struct subject *s,
		       const atomic_int *stop, struct repeat *repeat,
		       struct err *e)
{
	struct output out;

	if (!r->output)
		return run_traced(r, s, stop, stdout, repeat, e);
	if (output_open(&out, r->output, e))
		return -1;
	if (run_traced(r, s, stop, out.file, repeat, e)) {
		output_abandon(&out);
		return -1;
	}
	return output_commit(&out, e);
}

/* A cell that did not end ok has a timeline all the same. */
static int tell_status(const struct repeat *repeat, struct err *e)
{
	char reason[4 * sizeof(repeat->reason)];

	if (!repeat->text)
		return err_set(e, EXIT_FAILED,
			       "timeline: interrupted: what is written ends "
			       "early");
	if (repeat->status == CELL_OK)
		return 0;
	plain_copy(reason, sizeof(reason), repeat->reason);
	if (repeat->status == CELL_UNSUPPORTED || repeat->status == CELL_FAILED)
		return err_set(e,
			       repeat->status == CELL_FAILED ? EXIT_FAILED
							     : EXIT_UNSUPPORTED,
			       "timeline: the cell is %s: %s",
			       cell_status_name(repeat->status), reason);
	fprintf(stderr, "tdmem: timeline: the cell ended as %s: %s\n",
		cell_status_name(repeat->status), reason);
	return 0;
}

static int run_subject(const struct request *r, struct subject *s,
		       struct err *e)
{
	struct repeat repeat = {.text = NULL};
	struct interrupt interrupt;
	atomic_int stop = 0;
	int status;

	if (choose_cell(r, s, e) || choose_repeat(r, s, e) ||
	    make_title(s, e) || interrupt_begin(&interrupt, &stop, e))
		return -1;
	status = run_to_file(r, s, &stop, &repeat, e);
	interrupt_end(&interrupt);
	if (!status)
		status = tell_status(&repeat, e);
	free(repeat.text);
	return status;
}

static int run_request(const struct request *r, struct err *e)
{
	struct subject s = {.axes = NULL};
	const struct backend *b;
	struct sides sides;
	char why[256] = "";
	int status;

	if (sides_load(&r->sides, &sides, e))
		return -1;
	s.side = sides_main(&sides);
	b = s.side->config.backend;
	status = b->available(why, sizeof(why))
			 ? run_subject(r, &s, e)
			 : err_set(e, EXIT_UNSUPPORTED,
				   "the backend \"%s\" cannot run here: %s",
				   b->name, why);
	json_decref(s.axes);
	free(s.title);
	sides_free(&sides);
	return status;
}

/* --------------------------------------------------------- command line */

static int parse(struct request *r, int argc, char **argv, struct err *e)
{
	const struct option_spec options[] = {
		{.name = "cell",
		 .letter = 'c',
		 .type = OPTION_LIST,
		 .value = "CELL",
		 .to = &r->cell,
		 .help = "its number, or AXIS=VALUE; may be repeated"},
		{.name = "repeat",
		 .type = OPTION_NUMBER,
		 .value = "N",
		 .to = &r->repeat,
		 .min = 0,
		 .max = CONFIG_MAX_REPEATS,
		 .help = "from 0, warm-ups first [the first after them]"},
		{.name = "set",
		 .type = OPTION_LIST,
		 .value = "PATH=VALUE",
		 .to = &r->sides.set,
		 .help = "change the config, e.g. seed=2"},
		{.name = "format",
		 .letter = 'f',
		 .type = OPTION_STRING,
		 .value = "FORM",
		 .to = &r->format,
		 .help = "json (trace events), text, or mail (75 columns) "
			 "[json]"},
		{.name = "output",
		 .letter = 'o',
		 .type = OPTION_STRING,
		 .value = "FILE",
		 .to = &r->output,
		 .help = "write to this file [standard output]"},
		{.name = NULL},
	};
	const struct command_spec spec = {
		.name = "timeline",
		.operands = "CONFIG",
		.min_operands = 1,
		.max_operands = 1,
		.summary = "Run one cell once and write what happened.",
		.text = text,
		.options = options,
	};
	struct at at = at_root("timeline: --format", e);
	struct operands operands;
	int status = args_parse(&spec, argc, argv, &operands, e);

	if (status)
		return status;
	r->sides.config = operands.v[0];
	r->form = timeline_form(r->format, &at);
	return r->form ? 0 : -1;
}

int cmd_timeline(int argc, char **argv)
{
	struct request r = {.repeat = -1};
	struct err e;
	int status = parse(&r, argc, argv, &e);

	if (status == 0)
		status = run_request(&r, &e);
	free(r.cell.v);
	free(r.sides.set.v);
	return status < 0 ? fail(&e) : EXIT_DONE;
}
