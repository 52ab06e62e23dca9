/* SPDX-License-Identifier: GPL-2.0-only */
/* What was measured, as a text, as JSON, and as a cost table. */
#include <math.h>
#include <string.h>

#include "bench/base/table.h"
#include "bench/calibrate/calibrate.h"

/* -------------------------------------------------------------- documents */

static const char *figure(double ns, char buf[FIGURE])
{
	snprintf(buf, FIGURE, "%.*f", ns < 100 ? 2 : 0, ns);
	return buf;
}

void calibrate_print(const struct calibration *c, FILE *f)
{
	static const char *const head[] = {"primitive", "median", "95 %",
					   "interval", "entry"};
	struct table t;

	fprintf(f,
		"Measured on this host, ns: %s\n%s, load %.1f on %u CPUs%s\n",
		c->here.where, c->here.when, c->load, c->cpus,
		c->load > 0.5 ? ": others run here, figures may be too high"
			      : "");
	if (c->seamcalls.when[0])
		fprintf(f, "SEAMCALLs: %s, %s\n", c->seamcalls.where,
			c->seamcalls.when);
	fputc('\n', f);
	table_init(&t, 5, 1, 1);
	for (int i = 0; i < 5; i++)
		table_add(&t, "%s", head[i]);
	for (size_t i = 0; i < c->n; i++) {
		const struct primitive *p = &c->primitive[i];
		char buf[FIGURE];

		if (isnan(p->median))
			continue;
		table_add(&t, "%s", p->name);
		table_add(&t, "%s", figure(p->median, buf));
		table_add(&t, "%s", figure(p->interval.low, buf));
		table_add(&t, "%s", figure(p->interval.high, buf));
		table_add(&t, "%s", p->entry ? p->entry : "-");
	}
	table_print(&t, f);
	fputc('\n', f);
	for (size_t i = 0; i < c->n; i++)
		if (isnan(c->primitive[i].median))
			fprintf(f, "  not measured: %s: %s\n",
				c->primitive[i].name, c->primitive[i].why);
}

static json_t *number(double value)
{
	return isnan(value) ? json_null() : json_real(value);
}

json_t *calibrate_json(const struct calibration *c)
{
	json_t *list = json_array(), *seamcalls = json_null();

	if (c->seamcalls.when[0])
		seamcalls = json_pack("{ss ss}", "time", c->seamcalls.when,
				      "host", c->seamcalls.where);
	for (size_t i = 0; i < c->n; i++) {
		const struct primitive *p = &c->primitive[i];

		json_array_append_new(
			list, json_pack("{ss ss ss so so so si ss? ss}", "name",
					p->name, "help", p->help, "unit", "ns",
					"median", number(p->median), "low",
					number(p->interval.low), "high",
					number(p->interval.high), "batches",
					(int)p->batches, "entry", p->entry,
					"why", p->why));
	}
	return json_pack("{ss ss ss ss so si so so}", "schema",
			 "tdmem-calibration/1", "tool", "tdmem " TDMEM_VERSION,
			 "time", c->here.when, "host", c->here.where, "load",
			 number(c->load), "cpus", (int)c->cpus, "seamcalls",
			 seamcalls, "primitives", list);
}

/* -------------------------------------------------------------- cost table */

static json_t *find_entry(json_t *list, const char *name)
{
	json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		const char *here =
			json_string_value(json_object_get(entry, "name"));

		if (here && strcmp(here, name) == 0)
			return entry;
	}
	return NULL;
}

static double rounded(double ns)
{
	return round(ns * 100) / 100;
}

static void set_entry(json_t *entry, const struct calibration *c,
		      const struct primitive *p)
{
	const struct measured *m = p->seamcall ? &c->seamcalls : &c->here;
	char source[600], load[40] = "";

	if (!p->seamcall)
		snprintf(load, sizeof(load), ", load %.1f", c->load);
	snprintf(source, sizeof(source),
		 "tdmem calibrate: %s (%s); median of %zu %s and its %.0f %% "
		 "interval; %s; %s%s",
		 p->help, p->name, p->batches,
		 p->seamcall ? "repeats" : "batches",
		 100 * p->interval.coverage, m->where, m->when, load);
	json_object_set_new(entry, "unit", json_string("ns"));
	json_object_set_new(entry, "low", json_real(rounded(p->interval.low)));
	json_object_set_new(entry, "typ", json_real(rounded(p->median)));
	json_object_set_new(entry, "high",
			    json_real(rounded(p->interval.high)));
	json_object_set_new(entry, "mark", json_string("measured"));
	json_object_set_new(entry, "source", json_string(source));
}

static double unit_ns(const json_t *entry)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"ps", 1e-3}, {"ns", 1}, {"us", 1e3}, {"ms", 1e6}};
	const char *unit = json_string_value(json_object_get(entry, "unit"));

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (unit && strcmp(unit, units[i].name) == 0)
			return units[i].ns;
	return 1;
}

static double in_ns(json_t *list, const char *name, const char *column)
{
	const json_t *entry = find_entry(list, name);

	return json_number_value(json_object_get(entry, column)) *
	       unit_ns(entry);
}

static const char *const columns[] = {"low", "typ", "high"};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static void say(json_t *entry, const char *what)
{
	char source[1000];

	snprintf(source, sizeof(source), "%.700s; %s",
		 json_string_value(json_object_get(entry, "source")), what);
	json_object_set_new(entry, "source", json_string(source));
	json_object_set_new(entry, "mark", json_string("assumption"));
}

/* The most that the fixed part can be: what a measured call leaves for it. */
static double most_fixed(const struct calibration *c, json_t *list,
			 const char *column)
{
	double words = in_ns(list, "line_local", column), most = INFINITY;

	for (size_t k = 0; k < c->n; k++) {
		const struct primitive *p = &c->primitive[k];
		size_t i = 0;

		if (!p->seamcall || isnan(p->median))
			continue;
		while (strcmp(cost_at(i)->name, p->entry) != 0)
			i++;
		most = fmin(most, in_ns(list, p->entry, column) -
					  cost_least(i, 0, 0, words));
	}
	return most;
}

/*
 * What was measured stands, and what the base assumed gives way.  From high
 * to low, so that these stay in order.
 */
static void lower_fixed_part(const struct calibration *c, json_t *list)
{
	json_t *entry = find_entry(list, "seamcall");
	double most = INFINITY;
	bool lowered = false;

	for (int i = COLUMNS - 1; i >= 0; i--) {
		most = fmin(most, most_fixed(c, list, columns[i]));
		if (in_ns(list, "seamcall", columns[i]) <= most)
			continue;
		/* Below it, whatever rounding does. */
		json_object_set_new(
			entry, columns[i],
			json_real(fmax(floor(most - 1), 0) / unit_ns(entry)));
		lowered = true;
	}
	if (lowered)
		say(entry, "lowered to what the measured calls leave beside "
			   "their lock words");
}

/* A whole call of the base may be less than the words in it here. */
static void raise_whole_calls(json_t *list)
{
	for (size_t i = 0; i < cost_count(); i++) {
		json_t *entry = find_entry(list, cost_at(i)->name);
		bool raised = false;

		for (int c = 0; c < COLUMNS; c++) {
			double least = cost_least(
				i, in_ns(list, "seamcall", columns[c]),
				in_ns(list, "tdcall", columns[c]),
				in_ns(list, "line_local", columns[c]));

			if (in_ns(list, cost_at(i)->name, columns[c]) >= least)
				continue;
			/* Above it, whatever rounding does. */
			json_object_set_new(
				entry, columns[c],
				json_real(ceil(least + 1) / unit_ns(entry)));
			raised = true;
		}
		if (raised)
			say(entry,
			    "raised to its fixed part and its lock words as "
			    "tdmem calibrate measured them");
	}
}

/* The signal stands in where membarrier does not work, as it does in runs. */
static const struct primitive *kick_of(const struct calibration *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (strncmp(c->primitive[i].name, "IPI, ", 5) == 0 &&
		    !isnan(c->primitive[i].median))
			return &c->primitive[i];
	return NULL;
}

static void set_head(json_t *root, const struct calibration *c)
{
	const char *base = json_string_value(json_object_get(root, "name"));
	const struct measured *m = &c->here;
	char text[900], seamcalls[300] = "no SEAMCALL is measured";

	if (c->seamcalls.when[0])
		snprintf(seamcalls, sizeof(seamcalls),
			 "SEAMCALLs as timed on %s, %s", c->seamcalls.where,
			 c->seamcalls.when);
	snprintf(text, sizeof(text),
		 "Measured on a host (%s, %s) where the mark says so; %s; the "
		 "rest is \"%.200s\".",
		 m->where, m->when, seamcalls, base);
	json_object_set_new(root, "description", json_string(text));
	snprintf(text, sizeof(text), "%.120s, with primitives of %.100s", base,
		 m->where);
	json_object_set_new(root, "name", json_string(text));
}

/* Would it be accepted? */
static int check_table(json_t *root, struct err *e)
{
	struct costs costs;

	if (costs_parse("calibrate", json_incref(root), "typ", &costs, e))
		return -1;
	costs_free(&costs);
	return 0;
}

json_t *calibrate_table(const struct calibration *c, const struct costs *base,
			struct err *e)
{
	json_t *root = json_deep_copy(base->root);
	json_t *list = json_object_get(root, "entries");
	const struct primitive *kick = kick_of(c);

	if (!root) {
		err_set(e, EXIT_FAILED, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < c->n; i++) {
		const struct primitive *p = &c->primitive[i];

		if (p->entry && !isnan(p->median))
			set_entry(find_entry(list, p->entry), c, p);
	}
	if (kick)
		set_entry(find_entry(list, "kick_base"), c, kick);
	lower_fixed_part(c, list);
	raise_whole_calls(list);
	set_head(root, c);
	if (check_table(root, e)) {
		json_decref(root);
		return NULL;
	}
	return root;
}
