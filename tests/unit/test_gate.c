/* SPDX-License-Identifier: GPL-2.0-only */
/* Gates: their files, which rule is whose, and every verdict. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* Before cmocka, which has a macro of the name of a function of ours. */
#include "bench/compare/gate.h"

#include <cmocka.h>

/* ------------------------------------------------------------------- files */

/* Single quotes stand for double ones. */
static json_t *document(const char *rules)
{
	char text[2048];
	json_t *root;

	snprintf(text, sizeof(text),
		 "{'schema':'tdmem-gate/1','name':'g','rules':%s}", rules);
	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	return root;
}

static void parse(const char *rules, struct gate *gate)
{
	struct err e = {.text = ""};

	if (gate_parse("g.json", document(rules), gate, &e))
		fail_msg("%s", e.text);
}

static void refused(const char *rules, const char *why)
{
	struct err e = {.text = ""};
	struct gate gate;

	assert_int_equal(gate_parse("g.json", document(rules), &gate, &e), -1);
	assert_string_equal(e.text, why);
	assert_int_equal(e.status, EXIT_USAGE);
	assert_null(gate.root);
}

static void bad_files_are_refused(void **state)
{
	(void)state;
	refused("{}", "g.json: rules: expected a list of 1 to 1000 rules");
	refused("[]", "g.json: rules: expected a list of 1 to 1000 rules");
	refused("[{'metric':'x'}]", "g.json: rules[0].action: missing");
	refused("[{'action':'check'}]", "g.json: rules[0].metric: missing");
	refused("[{'action':'check','metric':''}]",
		"g.json: rules[0].metric: expected a pattern, not \"\"");
	refused("[{'action':'chek','metric':'x'}]",
		"g.json: rules[0].action: unknown action \"chek\"; did you "
		"mean \"check\"?");
	refused("[{'action':'check','metric':'x','materiel':1}]",
		"g.json: rules[0].materiel: unknown key \"materiel\"; did you "
		"mean \"material\"?");
	refused("[{'action':'check','metric':'x','material':-1}]",
		"g.json: rules[0].material: -1 is below 0");
	refused("[{'action':'check','metric':'x','material':'3 %'}]",
		"g.json: rules[0].material: expected a number, not a string");
	refused("[{'action':'check','metric':'x','cell':{'vcpus':[1]}}]",
		"g.json: rules[0].cell.vcpus: expected a string, an integer "
		"or a truth value");
	refused("[{'action':'check','metric':'x','fails':'up'}]",
		"g.json: rules[0].fails: unknown kind of change \"up\"; "
		"expected one of worse, higher, lower, any");
	refused("[{'action':'ignore','metric':'x','material':1}]",
		"g.json: rules[0].material: means nothing with the action "
		"\"ignore\"");
	refused("[{'action':'ignore','metric':'x'},{'action':'check',"
		"'metric':'x','why':1}]",
		"g.json: rules[1].why: expected a string, not an integer");
}

static void shipped_gates_are_good(void **state)
{
	static const char *const files[] = {"configs/gates/nightly.json",
					    "configs/gates/strict.json"};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct err e;
		struct gate gate;

		if (gate_load(files[i], &gate, &e))
			fail_msg("%s", e.text);
		for (size_t k = 0; k < gate.nrules; k++)
			assert_non_null(gate.rule[k].why);
		gate_free(&gate);
	}
}

static bool wants(const struct gate *g, const char *operation, const char *name)
{
	const struct samples_metric metric = {.name = name};

	return gate_wanted(g, operation, &metric);
}

static void only_what_is_checked_is_wanted(void **state)
{
	struct gate g;

	(void)state;
	parse("[{'action':'ignore','metric':'run.*'},"
	      "{'action':'check','metric':'own.latency p99'},"
	      "{'action':'check','metric':'kicks.*'}]",
	      &g);
	assert_true(wants(&g, "fault", "fault.latency"));
	assert_false(wants(&g, "fault", "track.latency"));
	assert_false(wants(&g, "fault", "faults.latency"));
	assert_false(wants(&g, "", ".latency"));
	assert_true(wants(&g, "", "kicks.rounds"));
	assert_false(wants(&g, "fault", "run.events"));
	gate_free(&g);
}

/* ---------------------------------------------------- comparisons by hand */

enum { ROWS = 4, SIDES = 3 };

/*
 * One group a row: a rate, a latency's p99, a figure without a direction,
 * and another cell's rate.  All that is not told is as good as it can be.
 */
struct hand {
	struct compare_request request;
	struct comparison c;
	struct compare_side side[SIDES];
	struct compare_group group[ROWS];
	struct compare_row row[ROWS];
	struct estimate estimate[ROWS][SIDES];
	struct change change[ROWS][SIDES];
	json_t *cell, *other_cell;
	struct gate gate;
	struct gate_outcome o;
};

static const struct compare_group groups[ROWS] = {
	{"fault-in", "fault", (char *)"fault.rate", "fault.rate", NULL, "1/s",
	 1, true, 0, 1},
	{"fault-in", "fault", (char *)"fault.latency p99", "fault.latency",
	 "p99", "ns", -1, true, 1, 1},
	{"fault-in", "fault", (char *)"run.events", "run.events", NULL,
	 "events", 0, true, 2, 1},
	{"track", "track", (char *)"track.rate", "track.rate", NULL, "1/s", 1,
	 true, 3, 1},
};

static void set_up(struct hand *h, const char *rules)
{
	*h = (struct hand){
		.request = {.alpha = 0.05},
		.c = {.by = "result",
		      .nsides = 2,
		      .ngroups = ROWS,
		      .nrows = ROWS},
		.side = {{.label = (char *)"a"},
			 {.label = (char *)"b"},
			 {.label = (char *)"c"}},
		.cell = json_pack("{ssssss}", "workload", "fault-in", "policy",
				  "spin", "vcpus", "8"),
		.other_cell = json_pack("{sssssi}", "workload", "track",
					"policy", "eagain", "vcpus", 8),
	};
	h->c.request = &h->request;
	h->c.side = h->side;
	h->c.group = h->group;
	h->c.row = h->row;
	memcpy(h->group, groups, sizeof(groups));
	for (size_t r = 0; r < ROWS; r++) {
		h->row[r] = (struct compare_row){
			.group = r,
			.cell = r / 3,
			.axes = r < 3 ? h->cell : h->other_cell,
			.side = h->estimate[r],
			.change = h->change[r],
		};
		for (size_t s = 0; s < SIDES; s++) {
			h->estimate[r][s] = (struct estimate){.there = true,
							      .status = "ok",
							      .n = 10,
							      .median = 100};
			h->change[r][s] = (struct change){
				.verdict = VERDICT_SAME, .test = {.p = 1}};
		}
	}
	parse(rules, &h->gate);
}

/* Row r of side 1 changed by low..high percent, with this p. */
static void changed(struct hand *h, size_t r, double low, double high, double p)
{
	h->change[r][1].interval =
		(struct interval){low / 100, high / 100, 0.95};
	h->change[r][1].ratio = (low + high) / 200;
	h->change[r][1].test.p = p;
	h->estimate[r][1].median = 100 + (low + high) / 2;
}

static void judge(struct hand *h)
{
	struct err e = {.text = ""};

	if (gate_judge(&h->gate, &h->c, &h->o, &e))
		fail_msg("%s", e.text);
}

static void tear_down(struct hand *h)
{
	gate_outcome_free(&h->o);
	gate_free(&h->gate);
	json_decref(h->cell);
	json_decref(h->other_cell);
}

/* The verdict of a change of one row by a gate of one rule. */
static enum gate_verdict verdict(const char *rule, size_t r, double low,
				 double high, double p)
{
	enum gate_verdict v;
	struct hand h;
	char rules[256];

	snprintf(rules, sizeof(rules), "[{'action':'check',%s}]", rule);
	set_up(&h, rules);
	changed(&h, r, low, high, p);
	judge(&h);
	assert_int_equal(h.o.n, 1);
	assert_int_equal(h.o.change[0].row, r);
	v = h.o.change[0].verdict;
	tear_down(&h);
	return v;
}

#define RATE	"'metric':'fault.rate','material':3"
#define LATENCY "'metric':'fault.latency','material':3"

static void verdicts_are_by_the_whole_interval(void **state)
{
	(void)state;
	/* a rate that falls */
	assert_int_equal(verdict(RATE, 0, -9, -4, 1e-4), GATE_FAIL);
	assert_int_equal(verdict(RATE, 0, -9, -3, 1e-4), GATE_UNDECIDED);
	assert_int_equal(verdict(RATE, 0, -9, -1, 1e-4), GATE_UNDECIDED);
	assert_int_equal(verdict(RATE, 0, -3, -1, 1e-4), GATE_UNDECIDED);
	assert_int_equal(verdict(RATE, 0, -2.9, -1, 1e-4), GATE_PASS);
	assert_int_equal(verdict(RATE, 0, 4, 9, 1e-4), GATE_PASS);
	/* beyond it, but by chance as likely as not */
	assert_int_equal(verdict(RATE, 0, -9, -4, 0.3), GATE_UNDECIDED);
	/* wide intervals hold all */
	assert_int_equal(verdict(RATE, 0, -50, 50, 0.9), GATE_UNDECIDED);
	/* a latency that rises */
	assert_int_equal(verdict(LATENCY, 1, 4, 9, 1e-4), GATE_FAIL);
	assert_int_equal(verdict(LATENCY, 1, 3, 9, 1e-4), GATE_UNDECIDED);
	assert_int_equal(verdict(LATENCY, 1, -9, -4, 1e-4), GATE_PASS);
}

static void direction_is_the_rules(void **state)
{
	(void)state;
	assert_int_equal(verdict(RATE ",'fails':'higher'", 0, 4, 9, 1e-4),
			 GATE_FAIL);
	assert_int_equal(verdict(RATE ",'fails':'higher'", 0, -9, -4, 1e-4),
			 GATE_PASS);
	assert_int_equal(verdict(LATENCY ",'fails':'lower'", 1, -9, -4, 1e-4),
			 GATE_FAIL);
	assert_int_equal(verdict(RATE ",'fails':'any'", 0, 4, 9, 1e-4),
			 GATE_FAIL);
	assert_int_equal(verdict(RATE ",'fails':'any'", 0, -9, -4, 1e-4),
			 GATE_FAIL);
	assert_int_equal(verdict(RATE ",'fails':'any'", 0, -9, 2, 1e-4),
			 GATE_UNDECIDED);
	assert_int_equal(verdict(RATE ",'fails':'any'", 0, -2, 2, 1e-4),
			 GATE_PASS);
	assert_int_equal(
		verdict("'metric':'run.*','fails':'any'", 2, 4, 9, 1e-4),
		GATE_FAIL);
}

/* Nothing changed at all: a threshold of nothing is not touched by that. */
static void no_change_passes_any_gate(void **state)
{
	(void)state;
	assert_int_equal(
		verdict("'metric':'fault.rate','material':0", 0, 0, 0, 1),
		GATE_PASS);
	assert_int_equal(verdict("'metric':'fault.rate','material':0,"
				 "'fails':'any'",
				 0, 0, 0, 1),
			 GATE_PASS);
	assert_int_equal(
		verdict("'metric':'fault.rate','material':0", 0, -2, -1, 1e-4),
		GATE_FAIL);
}

static void a_change_from_zero_has_no_interval(void **state)
{
	struct hand h;

	(void)state;
	set_up(&h, "[{'action':'check','metric':'fault.latency'}]");
	changed(&h, 1, (double)NAN, (double)NAN, 1e-4);
	h.change[1][1].ratio = (double)INFINITY;
	h.estimate[1][0].median = 0;
	h.estimate[1][1].median = 5;
	judge(&h);
	assert_int_equal(h.o.change[0].verdict, GATE_FAIL);
	gate_outcome_free(&h.o);
	h.estimate[1][1].median = 0;
	judge(&h);
	assert_int_equal(h.o.change[0].verdict, GATE_PASS);
	gate_outcome_free(&h.o);
	h.estimate[1][0].median = h.estimate[1][1].median = 7;
	h.estimate[1][1].median = 9; /* no interval for no reason */
	judge(&h);
	assert_int_equal(h.o.change[0].verdict, GATE_UNDECIDED);
	tear_down(&h);
}

static void too_few_repeats_decide_nothing(void **state)
{
	struct hand h;

	(void)state;
	set_up(&h, "[{'action':'check','metric':'fault.rate'}]");
	changed(&h, 0, -60, -50, 0.1);
	h.estimate[0][0].n = h.estimate[0][1].n = 3;
	judge(&h);
	assert_int_equal(h.o.change[0].verdict, GATE_UNDECIDED);
	assert_int_equal(h.o.change[0].needed, 4);
	assert_false(gate_failed(&h.o, false));
	assert_true(gate_failed(&h.o, true));
	tear_down(&h);
}

/* A side without a value where the base has one is told, not passed over. */
static void a_lost_metric_is_undecided(void **state)
{
	struct hand h;

	(void)state;
	set_up(&h, "[{'action':'check','metric':'fault.rate'}]");
	h.estimate[0][1].n = 0;
	judge(&h);
	assert_int_equal(h.o.n, 1);
	assert_int_equal(h.o.tests, 0);
	assert_int_equal(h.o.change[0].verdict, GATE_UNDECIDED);
	tear_down(&h);
}

/* p 0.02 is significant alone, and of two with Holm, but not of three. */
static void holm_is_over_what_is_gated(void **state)
{
	struct hand h;

	(void)state;
	set_up(&h, "[{'action':'check','metric':'fault.rate'}]");
	changed(&h, 0, -9, -4, 0.02);
	judge(&h);
	assert_int_equal(h.o.tests, 1);
	assert_int_equal(h.o.change[0].verdict, GATE_FAIL);
	tear_down(&h);
	set_up(&h, "[{'action':'check','metric':'*','fails':'any'}]");
	changed(&h, 0, -9, -4, 0.02);
	judge(&h);
	assert_int_equal(h.o.tests, 4);
	assert_true(fabs(h.o.change[0].p - 0.08) < 1e-9);
	assert_int_equal(h.o.change[0].verdict, GATE_UNDECIDED);
	tear_down(&h);
}

/* ------------------------------------------------------------------- rules */

static void the_first_rule_decides(void **state)
{
	struct hand h;

	(void)state;
	set_up(&h, "[{'action':'ignore','metric':'fault.*','cell':{"
		   "'vcpus':8}},"
		   "{'action':'ignore','metric':'*p99'},"
		   "{'action':'check','metric':'*.rate','workload':'fault*',"
		   "'cell':{'policy':'sp*'},'material':20},"
		   "{'action':'check','metric':'*.rate','material':2}]");
	changed(&h, 0, -9, -4, 1e-4);
	changed(&h, 1, 40, 90, 1e-4);
	changed(&h, 3, -9, -4, 1e-4);
	judge(&h);
	assert_int_equal(h.o.n, 2);
	assert_int_equal(h.o.change[0].rule - h.gate.rule, 2);
	assert_int_equal(h.o.change[0].verdict, GATE_PASS);
	assert_int_equal(h.o.change[1].rule - h.gate.rule, 3);
	assert_int_equal(h.o.change[1].verdict, GATE_FAIL);
	/* vcpus of the cell is a text, 8 is none */
	assert_false(h.o.used[0]);
	assert_true(h.o.used[1]);
	tear_down(&h);
}

static void a_rule_can_name_the_compared_axis(void **state)
{
	struct hand h;

	(void)state;
	set_up(&h, "[{'action':'check','metric':'fault.rate','cell':{"
		   "'side':'c'}}]");
	h.c.by = "side";
	h.c.nsides = 3;
	judge(&h);
	assert_int_equal(h.o.n, 1);
	assert_int_equal(h.o.change[0].side, 2);
	tear_down(&h);
}

static void a_gate_that_checks_nothing_is_an_error(void **state)
{
	struct err e = {.text = ""};
	struct hand h;

	(void)state;
	/* run.events has no direction to be worse in */
	set_up(&h, "[{'action':'check','metric':'run.events'}]");
	assert_int_equal(gate_judge(&h.gate, &h.c, &h.o, &e), -1);
	assert_string_equal(e.text, "the gate \"g\" checks nothing of what is "
				    "compared");
	assert_int_equal(e.status, EXIT_USAGE);
	tear_down(&h);
}

/* ------------------------------------------------------------------- cells */

static void lost_cells_fail_once(void **state)
{
	struct hand h;

	(void)state;
	set_up(&h, "[{'action':'check','metric':'*','workload':'fault-in',"
		   "'fails':'any'}]");
	for (size_t r = 0; r < 3; r++) {
		h.estimate[r][1].status = "livelock";
		h.estimate[r][1].n = 0;
	}
	h.estimate[3][1].status = "livelock"; /* not of this workload */
	judge(&h);
	assert_int_equal(h.o.n, 0);
	assert_int_equal(h.o.nlost, 1);
	assert_int_equal(h.o.count[GATE_FAIL], 1);
	assert_true(gate_failed(&h.o, false));
	gate_outcome_free(&h.o);
	for (size_t r = 0; r < 3; r++)
		h.estimate[r][1] = (struct estimate){.status = ""};
	judge(&h);
	assert_int_equal(h.o.nlost, 1);
	gate_outcome_free(&h.o);
	/* what was not ok before is nobody's regression */
	for (size_t r = 0; r < 3; r++)
		h.estimate[r][0].status = "livelock";
	h.estimate[0][1] = h.estimate[0][2];
	h.estimate[0][0].status = "ok";
	judge(&h);
	assert_int_equal(h.o.nlost, 0);
	assert_int_equal(h.o.n, 1);
	tear_down(&h);
}

/* ---------------------------------------------------------------- printing */

static char *printed(struct hand *h, bool strict, bool ascii)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	assert_true(gate_print(&h->o, &h->c, strict, ascii, f));
	fclose(f);
	return text;
}

static void all_numbers_are_named(void **state)
{
	struct hand h;
	char *text;

	(void)state;
	set_up(&h, "[{'action':'check','metric':'own.*','material':3,'why':"
		   "'because'},{'action':'check','metric':'none'}]");
	changed(&h, 0, -9, -4, 1e-4);
	changed(&h, 1, 1, 7, 1e-4);
	for (size_t r = 0; r < ROWS; r++)
		h.estimate[r][0].median *= 1000;
	for (size_t r = 0; r < ROWS; r++)
		h.estimate[r][1].median *= 1000;
	h.estimate[3][1].status = "vm-bugged";
	judge(&h);
	text = printed(&h, false, true);
	assert_string_equal(
		text,
		"UNDECIDED fault-in, policy spin, vcpus 8: fault.latency p99\n"
		"  100us -> 104us, +4.0% [+1.0%, +7.0%], p 0.0002 (model "
		"output): may or may\n"
		"  not be more than 3% worse\n"
		"FAIL fault-in, policy spin, vcpus 8: fault.rate\n"
		"  100k/s -> 93.5k/s, -6.5% [-9.0%, -4.0%], p 0.0002 (model "
		"output): more\n"
		"  than 3% worse\n"
		"  why: because\n"
		"FAIL track, policy eagain, vcpus 8\n"
		"  the cell was ok, and now is vm-bugged\n"
		"gate \"g\": FAIL: 2 failed, 1 undecided, 0 passed; "
		"significant is p <= 0.05,\n"
		"after Holm's correction of 2 comparisons\n"
		"note: rules[1] (none) has nothing to decide here\n");
	free(text);
	tear_down(&h);
}

/* Whatever the names are, it can go into a mail. */
static void hostile_names_stay_in_line(void **state)
{
	char name[400];
	struct hand h;
	char *text;

	(void)state;
	set_up(&h, "[{'action':'check','metric':'*','fails':'any'}]");
	memset(name, 'x', sizeof(name));
	memcpy(name, "a\n\t\033[2J\xff\xe2\x80\xae\xc3\xa9 ", 15);
	name[sizeof(name) - 1] = '\0';
	h.group[0].workload = name;
	h.group[0].name = name;
	h.group[0].unit = name;
	h.c.nsides = 3;
	h.side[1].label = name;
	changed(&h, 0, 4e30, 9e300, 1e-9);
	judge(&h);
	text = printed(&h, true, true);
	for (char *line = text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		assert_in_range(end - line, 1, 75);
		assert_true(end[-1] != ' ');
		for (char *p = line; p < end; p++)
			assert_in_range(*p, ' ', '~');
	}
	free(text);
	tear_down(&h);
}

static void json_says_the_same(void **state)
{
	json_t *json, *change;
	struct hand h;

	(void)state;
	set_up(&h, "[{'action':'check','metric':'own.rate','material':3,"
		   "'why':'because'}]");
	changed(&h, 0, -9, -4, 1e-4);
	h.change[0][1].interval.low = -(double)INFINITY;
	h.estimate[3][1].there = false;
	judge(&h);
	json = gate_json(&h.o, &h.c, false);
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "verdict")),
			    "fail");
	assert_int_equal(json_integer_value(json_object_get(json, "failed")),
			 2);
	change = json_array_get(json_object_get(json, "changes"), 0);
	assert_string_equal(
		json_string_value(json_object_get(change, "verdict")), "fail");
	assert_string_equal(
		json_string_value(json_object_get(change, "metric")),
		"fault.rate");
	assert_true(json_is_null(json_object_get(change, "low")));
	assert_true(json_number_value(json_object_get(change, "high")) ==
		    -0.04);
	assert_string_equal(json_string_value(json_object_get(change, "why")),
			    "because");
	change = json_array_get(json_object_get(json, "cells"), 0);
	assert_string_equal(
		json_string_value(json_object_get(change, "status")),
		"missing");
	json_decref(json);
	tear_down(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_files_are_refused),
		cmocka_unit_test(shipped_gates_are_good),
		cmocka_unit_test(only_what_is_checked_is_wanted),
		cmocka_unit_test(verdicts_are_by_the_whole_interval),
		cmocka_unit_test(direction_is_the_rules),
		cmocka_unit_test(no_change_passes_any_gate),
		cmocka_unit_test(a_change_from_zero_has_no_interval),
		cmocka_unit_test(too_few_repeats_decide_nothing),
		cmocka_unit_test(a_lost_metric_is_undecided),
		cmocka_unit_test(holm_is_over_what_is_gated),
		cmocka_unit_test(the_first_rule_decides),
		cmocka_unit_test(a_rule_can_name_the_compared_axis),
		cmocka_unit_test(a_gate_that_checks_nothing_is_an_error),
		cmocka_unit_test(lost_cells_fail_once),
		cmocka_unit_test(all_numbers_are_named),
		cmocka_unit_test(hostile_names_stay_in_line),
		cmocka_unit_test(json_says_the_same),
	};

	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
