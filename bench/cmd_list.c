/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/backend.h"
#include "bench/base/args.h"
#include "bench/base/names.h"
#include "bench/base/table.h"
#include "bench/commands.h"
#include "bench/plan/costs.h"
#include "bench/result/metrics.h"

/* -------------------------------------------------------------- workloads */

static void print_choices(const struct knob *k, char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; k->choices[i] && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? " | " : "",
				      k->choices[i]);
}

static void print_knob(const struct knob *k)
{
	char text[400], what[200] = "";

	if (k->type == KNOB_CHOICE) {
		print_choices(k, what, sizeof(what));
		snprintf(text, sizeof(text), "%s: %s [%s]", k->name, what,
			 k->choices[k->def]);
	} else if (k->type == KNOB_BOOL) {
		snprintf(text, sizeof(text), "%s: true | false [%s]", k->name,
			 k->def ? "true" : "false");
	} else {
		snprintf(text, sizeof(text),
			 "%s: %" PRId64 " to %" PRId64 " %s [%" PRId64 "]",
			 k->name, k->min, k->max, k->unit, k->def);
	}
	print_wrapped(stdout, 6, text);
	print_wrapped(stdout, 10, k->help);
}

static void list_workloads(void)
{
	puts("Workloads, with their knobs: range or choices, and the default "
	     "in brackets.\n"
	     "Every knob can be an axis.\n");
	for (size_t i = 0; workloads[i]; i++) {
		const struct workload *w = workloads[i];

		printf("  %s (tables show \"%s\")\n", w->name, w->operation);
		print_wrapped(stdout, 4, w->summary);
		for (size_t k = 0; w->knobs[k]; k++)
			print_knob(w->knobs[k]);
		putchar('\n');
	}
}

/* --------------------------------------------------------------- policies */

static void list_policies(void)
{
	char text[600];

	puts("Policies: what KVM does on BUSY, for faults and for removals.  "
	     "A config may\n"
	     "combine halves: {\"fault\": \"eagain\", \"removal\": "
	     "\"kick-first\"}.\n");
	for (const struct retry_policy *p = retry_policies; p->name; p++) {
		printf("  %s (fault: %s, removal: %s)\n", p->name,
		       fault_policy_name(p->fault),
		       removal_policy_name(p->removal));
		print_wrapped(stdout, 4, p->summary);
		snprintf(text, sizeof(text), "source: %s", p->source);
		print_wrapped(stdout, 4, text);
	}
}

/* --------------------------------------------------------------- backends */

static void list_backends(void)
{
	puts("Backends: who executes a scenario.\n");
	for (size_t i = 0; backends[i]; i++) {
		char why[256] = "", text[320];
		bool can = backends[i]->available(why, sizeof(why));

		printf("  %s: %s\n", backends[i]->name, backends[i]->summary);
		snprintf(text, sizeof(text), "%s%s%s",
			 backends[i]->modelled ? "model output; "
					       : "measured; ",
			 can ? "runs here" : "cannot run here: ", why);
		print_wrapped(stdout, 4, text);
	}
}

/* ---------------------------------------------------------------- metrics */

static void list_metrics(void)
{
	puts("Metrics: name, unit, better direction; (histogram) where all "
	     "values are kept.\n");
	for (size_t i = 0; i < metric_count(); i++) {
		const struct metric *m = metric_at(i);
		char text[200];

		printf("  %s\n", m->name);
		snprintf(text, sizeof(text), "%s, %s%s: %s", m->unit,
			 m->direction == NO_DIRECTION
				 ? "no direction"
				 : direction_name(m->direction),
			 m->histogram ? " (histogram)" : "", m->help);
		print_wrapped(stdout, 6, text);
	}
}

/* ------------------------------------------------------------------ costs */

static void print_figure(const json_t *entry, const char *column, char *buf,
			 size_t size)
{
	snprintf(buf, size, "%g",
		 json_number_value(json_object_get(entry, column)));
}

static void print_table(const struct costs *costs)
{
	const json_t *list = json_object_get(costs->root, "entries"), *entry;
	char title[400];
	struct table t;
	size_t i;

	snprintf(title, sizeof(title),
		 "Costs of \"%.80s\" (%.200s), uncontended:",
		 json_string_value(json_object_get(costs->root, "name")),
		 costs->path);
	print_wrapped(stdout, 0, title);
	putchar('\n');
	table_init(&t, 6, 1, 1);
	table_add(&t, "cost");
	table_add(&t, "low");
	table_add(&t, "typ");
	table_add(&t, "high");
	table_add(&t, "unit");
	table_add(&t, "mark");
	json_array_foreach(list, i, entry)
	{
		static const char *const column[] = {"low", "typ", "high"};
		char figure[32];

		table_add(&t, "%s",
			  json_string_value(json_object_get(entry, "name")));
		for (int c = 0; c < 3; c++) {
			print_figure(entry, column[c], figure, sizeof(figure));
			table_add(&t, "%s", figure);
		}
		table_add(&t, "%s",
			  json_string_value(json_object_get(entry, "unit")));
		table_add(&t, "%s",
			  json_string_value(json_object_get(entry, "mark")));
	}
	table_print(&t, stdout);
}

/* Relative to the repository, where the program is built and run. */
#define DEFAULT_TABLE "configs/costs/spr.json"

static int list_costs(const char *path, struct err *e)
{
	struct costs costs;

	puts("Costs that a table must hold:\n");
	for (size_t i = 0; i < cost_count(); i++)
		printf("  %-17s %s\n", cost_at(i)->name, cost_at(i)->help);
	putchar('\n');
	if (!path && access(DEFAULT_TABLE, R_OK) != 0) {
		puts("Their figures: tdmem list costs TABLE");
		return 0;
	}
	if (costs_load(path ? path : DEFAULT_TABLE, "typ", &costs, e))
		return -1;
	print_table(&costs);
	costs_free(&costs);
	return 0;
}

/* ---------------------------------------------------------------- command */

static const struct list {
	const char *name;
	void (*print)(void); /* NULL: costs, which can be of any table */
} lists[] = {
	{"workloads", list_workloads},
	{"policies", list_policies},
	{"backends", list_backends},
	{"metrics", list_metrics},
	{"costs", NULL},
	{NULL, NULL},
};

static const char *list_name(const void *ctx, size_t index)
{
	return ((const struct list *)ctx)[index].name;
}

static int print_list(const struct list *list, const char *table, struct err *e)
{
	if (!list->print)
		return list_costs(table, e);
	if (table)
		return err_set(e, EXIT_USAGE,
			       "list: only costs take a table; see tdmem list "
			       "--help");
	list->print();
	return 0;
}

static int print_all(struct err *e)
{
	for (size_t i = 0; lists[i].name; i++) {
		if (i)
			putchar('\n');
		if (print_list(&lists[i], NULL, e))
			return -1;
	}
	return 0;
}

static int print_lists(const struct operands *o, struct err *e)
{
	char why[200];
	int found;

	if (o->n == 0)
		return print_all(e);
	found = find_name(o->v[0], list_name, lists);
	if (found < 0)
		return err_set(e, EXIT_USAGE, "list: %s; see tdmem list --help",
			       unknown_name(o->v[0], "list", list_name, lists,
					    why, sizeof(why)));
	return print_list(&lists[found], o->n > 1 ? o->v[1] : NULL, e);
}

static const char text[] =
	"WHAT is workloads (with their knobs), policies, backends, metrics or "
	"costs; all\n"
	"of them when it is not given.  Costs are those of TABLE, a file such "
	"as\n"
	"configs/costs/spr.json.\n"
	"\n"
	"Example: tdmem list workloads\n";

int cmd_list(int argc, char **argv)
{
	const struct option_spec options[] = {{.name = NULL}};
	const struct command_spec spec = {
		.name = "list",
		.operands = "[WHAT [TABLE]]",
		.max_operands = 2,
		.summary = "List what there is, with units, defaults, ranges.",
		.text = text,
		.options = options,
	};
	struct operands operands;
	struct err e;
	int status = args_parse(&spec, argc, argv, &operands, &e);

	if (status == 0)
		status = print_lists(&operands, &e);
	return status < 0 ? fail(&e) : EXIT_DONE;
}
