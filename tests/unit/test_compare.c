/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* asprintf */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/compare/compare.h"

/* ------------------------------------------------------------ made results */

/* A result with one workload; what differs from test to test is given. */
struct made {
	const char *top;   /* members that go before the cells, with commas */
	const char *cells; /* ' stands for " in both */
};

#define METRICS                                                                \
	"'metrics':{'track.rate':{'unit':'1/s','direction':'higher',"          \
	"'histogram':false},'track.latency':{'unit':'ns','direction':'lower'," \
	"'histogram':true},'kicks.rounds':{'unit':'rounds',"                   \
	"'direction':'lower','histogram':false},'run.events':{'unit':"         \
	"'events','direction':'none','histogram':false}},"

#define CONFIG(host) "'config':{'name':'c','host':{" host "}},"
#define COSTS(typ)                                                             \
	"'costs':{'column':'typ','table':{'name':'t','entries':[{'name':"      \
	"'seamcall','low':1,'typ':" #typ ",'high':9}]}},"
#define ENV(host, kernel)                                                      \
	"'environment':{'host':'" host "','kernel':'" kernel "'},"
#define MODELLED(m)                                                            \
	"'workloads':{'track':{'operation':'track','modelled':" #m             \
	",'knobs':{'pages':8}}},"
#define SIM CONFIG("") COSTS(5) ENV("h", "k") MODELLED(true)

/* Axes, status and the rates of the repeats. */
#define CELL(policy, vcpus, status, repeats)                                   \
	"{'axes':{'workload':'track','policy':'" policy "','vcpus':" #vcpus    \
	"},'status':'" status "','repeats':[" repeats "]}"
#define RATE(v) "{'status':'ok','metrics':{'track.rate':" #v "}}"
#define RATES(a, b, c, d, e)                                                   \
	RATE(a) "," RATE(b) "," RATE(c) "," RATE(d) "," RATE(e)

static int load(const struct made *made, const struct compare_request *r,
		struct samples *s, struct err *e)
{
	char path[] = "/tmp/tdmem-test-XXXXXX", *text;
	int fd = mkstemp(path), status;
	FILE *f;

	assert_true(fd >= 0);
	assert_true(asprintf(&text,
			     "{'schema':'tdmem-result/1','tool':{'name':"
			     "'tdmem','version':'1'},'partial':false," METRICS
			     "%s'cells':[%s]}",
			     made->top, made->cells) > 0);
	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	f = fdopen(fd, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	free(text);
	status = samples_load(path, compare_wanted, r, s, e);
	unlink(path);
	return status;
}

enum { MOST_RESULTS = 3 };

struct setup {
	struct compare_request request;
	struct samples samples[MOST_RESULTS];
	const struct samples *result[MOST_RESULTS];
	struct comparison c;
	struct err e;
	bool compared;
};

static int compare(struct setup *s, const struct made *made, size_t n)
{
	struct compare_request *r = &s->request;
	int status;

	r->alpha = 0.05;
	r->confidence = 0.95;
	r->material = 0.01;
	r->rounds = 500;
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(load(&made[i], r, &s->samples[i], &s->e), 0);
		s->result[i] = &s->samples[i];
	}
	r->result = s->result;
	r->nresults = n;
	status = compare_results(r, &s->c, &s->e);
	s->compared = status == 0;
	return status;
}

static void end(struct setup *s)
{
	if (s->compared)
		compare_free(&s->c);
	for (size_t i = 0; i < MOST_RESULTS; i++)
		if (s->result[i])
			samples_free(&s->samples[i]);
}

static const struct compare_aspect *aspect(const struct setup *s,
					   const char *name)
{
	for (size_t i = 0; i < s->c.naspects; i++)
		if (strcmp(s->c.aspect[i].name, name) == 0)
			return &s->c.aspect[i];
	return NULL;
}

/* ----------------------------------------------------------------- verdicts */

static void a_change_must_be_significant_and_material(void **state)
{
	static const struct {
		const char *base, *new;
		enum verdict verdict;
	} cases[] = {
		{RATES(100, 101, 102, 103, 104), RATES(110, 111, 112, 113, 114),
		 VERDICT_BETTER},
		{RATES(100, 101, 102, 103, 104), RATES(90, 91, 92, 93, 94),
		 VERDICT_WORSE},
		/* apart, but by half a percent only */
		{RATES(1000, 1001, 1002, 1003, 1004),
		 RATES(1005, 1006, 1007, 1008, 1009), VERDICT_SAME},
		/* 10 % apart in the median, but mixed */
		{RATES(50, 90, 100, 110, 150), RATES(60, 95, 110, 120, 155),
		 VERDICT_SAME},
		{RATES(7, 7, 7, 7, 7), RATES(7, 7, 7, 7, 7), VERDICT_SAME},
		{RATES(0, 0, 0, 0, 0), RATES(0, 0, 0, 0, 0), VERDICT_SAME},
		{RATES(0, 0, 0, 0, 0), RATES(3, 3, 3, 3, 3), VERDICT_BETTER},
		/* three against three can never be */
		{RATE(1) "," RATE(2) "," RATE(3),
		 RATE(7) "," RATE(8) "," RATE(9), VERDICT_TOO_FEW},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[2][900];
		struct made made[2] = {{SIM, text[0]}, {SIM, text[1]}};
		struct setup s = {0};

		snprintf(text[0], sizeof(text[0]), CELL("spin", 1, "ok", "%s"),
			 cases[i].base);
		snprintf(text[1], sizeof(text[1]), CELL("spin", 1, "ok", "%s"),
			 cases[i].new);
		assert_int_equal(compare(&s, made, 2), 0);
		assert_int_equal(s.c.nrows, 1);
		assert_int_equal(s.c.row[0].change[1].verdict,
				 cases[i].verdict);
		assert_int_equal(s.c.count[cases[i].verdict], 1);
		if (cases[i].verdict == VERDICT_TOO_FEW)
			assert_int_equal(s.c.row[0].change[1].needed, 4);
		end(&s);
	}
}

static void figures_of_one_row(void **state)
{
	const struct made made[] = {
		{SIM, CELL("spin", 1, "ok", RATES(100, 104, 101, 103, 102))},
		{SIM, CELL("spin", 1, "ok", RATES(110, 111, 112, 113, 114))},
	};
	const struct estimate *base;
	const struct change *change;
	struct setup s = {0};

	(void)state;
	assert_int_equal(compare(&s, made, 2), 0);
	base = &s.c.row[0].side[0];
	change = &s.c.row[0].change[1];
	assert_int_equal(base->n, 5);
	assert_true(base->median == 102);
	assert_true(base->low == 100 && base->high == 104);
	assert_true(fabs(base->mean - 102) < 1e-9);
	assert_true(fabs(base->hmean - 5 / (1.0 / 100 + 1.0 / 101 + 1.0 / 102 +
					    1.0 / 103 + 1.0 / 104)) < 1e-9);
	assert_true(fabs(base->deviation - sqrt(2.5)) < 1e-9);
	assert_true(base->interval.low == 100 && base->interval.high == 104);
	assert_true(fabs(base->interval.coverage - 0.9375) < 1e-9);
	assert_true(fabs(change->ratio - 10.0 / 102) < 1e-9);
	assert_true(change->interval.low > 0.05);
	assert_true(change->interval.high < 0.15);
	assert_true(fabs(change->test.p - 2.0 / 252) < 1e-9);
	assert_true(change->p == change->test.p); /* the only one */
	assert_true(change->test.delta == 1);
	assert_true(isnan(s.c.row[0].change[0].ratio));
	end(&s);
}

/* Two comparisons: Holm doubles the smaller p. */
static void holm_is_over_all(void **state)
{
	const struct made made[] = {
		{SIM, CELL("spin", 1, "ok", RATES(1, 2, 3, 4, 5)) "," CELL(
			      "spin", 2, "ok", RATES(1, 2, 3, 4, 5))},
		{SIM, CELL("spin", 1, "ok", RATES(6, 7, 8, 9, 10)) "," CELL(
			      "spin", 2, "ok", RATES(1, 2, 3, 4, 5))},
	};
	struct setup s = {0};

	(void)state;
	assert_int_equal(compare(&s, made, 2), 0);
	assert_int_equal(s.c.tests, 2);
	assert_int_equal(s.c.nkeys, 1);
	assert_string_equal(s.c.key_name[0], "vcpus");
	assert_string_equal(s.c.row[1].key[0], "2");
	assert_true(fabs(s.c.row[0].change[1].p - 4.0 / 252) < 1e-9);
	assert_true(s.c.row[1].change[1].p == 1);
	end(&s);
}

/* ----------------------------------------------------------------- matching */

static void cells_that_ended_differently_are_told(void **state)
{
	const struct made made[] = {
		{SIM,
		 CELL("spin", 1, "ok", RATES(1, 2, 3, 4, 5)) "," CELL(
			 "spin", 2, "ok",
			 RATES(1, 2, 3, 4, 5)) "," CELL("spin", 4, "ok",
							RATES(1, 2, 3, 4, 5))},
		/* another order; one bad, one missing, one more */
		{SIM,
		 CELL("spin", 8, "ok", RATES(1, 2, 3, 4, 5)) "," CELL(
			 "spin", 2, "livelock",
			 "") "," CELL("spin", 1, "ok", RATES(6, 7, 8, 9, 10))},
	};
	struct setup s = {0};

	(void)state;
	assert_int_equal(compare(&s, made, 2), 0);
	assert_int_equal(s.c.nrows, 4);
	assert_int_equal(s.c.status_changes, 1);
	assert_int_equal(s.c.only[0], 1);
	assert_int_equal(s.c.only[1], 1);
	assert_int_equal(s.c.tests, 1);
	assert_int_equal(s.c.row[0].change[1].verdict, VERDICT_BETTER);
	assert_string_equal(s.c.row[1].side[1].status, "livelock");
	assert_int_equal(s.c.row[1].change[1].verdict, VERDICT_NONE);
	assert_false(s.c.row[2].side[1].there);
	assert_false(s.c.row[3].side[0].there);
	end(&s);
}

static void an_axis_makes_sides(void **state)
{
	const struct made made = {
		SIM,
		CELL("spin", 1, "ok", RATES(1, 2, 3, 4, 5)) "," CELL(
			"eagain", 1, "ok",
			RATES(6, 7, 8, 9, 10)) "," CELL("kick-once", 1, "ok",
							RATES(1, 2, 3, 4, 6))};
	struct setup s = {.request = {.by = "policy", .base = "eagain"}};

	(void)state;
	assert_int_equal(compare(&s, &made, 1), 0);
	assert_int_equal(s.c.nsides, 3);
	assert_string_equal(s.c.side[0].label, "eagain");
	assert_string_equal(s.c.side[1].label, "spin");
	assert_int_equal(s.c.nrows, 1);
	assert_int_equal(s.c.row[0].change[1].verdict, VERDICT_WORSE);
	assert_string_equal(s.c.side[0].repeats, "5");
	assert_true(aspect(&s, "policy")->compared);
	end(&s);
}

static void wrong_axes_are_refused(void **state)
{
	const struct made made = {SIM,
				  CELL("spin", 1, "ok", RATES(1, 2, 3, 4, 5))};
	static const char *none[] = {"vcpus=9"};
	struct setup s = {.request = {.by = "policy"}};
	struct setup t = {.request = {.by = "policy", .base = "eagain"}};
	struct setup u = {.request = {.cells = {none, 1}}};
	const struct made both[] = {made, made};

	(void)state;
	assert_int_equal(compare(&s, &made, 1), -1);
	assert_non_null(strstr(s.e.text, "--by"));
	end(&s);
	assert_int_equal(compare(&t, &made, 1), -1);
	assert_non_null(strstr(t.e.text, "--base"));
	end(&t);
	assert_int_equal(compare(&u, both, 2), -1);
	assert_non_null(strstr(u.e.text, "--cell"));
	end(&u);
}

/* ------------------------------------------------------------------ aspects */

#define ANY CELL("spin", 1, "ok", RATES(1, 2, 3, 4, 5))

static void one_difference_is_what_is_compared(void **state)
{
	static const struct {
		const char *base, *new, *name, *a, *b;
	} cases[] = {
		{SIM, CONFIG("") COSTS(6) ENV("h", "k") MODELLED(true),
		 "costs.seamcall", "5", "6"},
		{SIM,
		 CONFIG("'jitter':0.2") COSTS(5) ENV("h", "k") MODELLED(true),
		 "jitter", "0.05", "0.2"},
		{CONFIG("") COSTS(5) ENV("h", "6.1") MODELLED(false),
		 CONFIG("") COSTS(5) ENV("h", "6.2") MODELLED(false), "kernel",
		 "6.1", "6.2"},
		{CONFIG("") COSTS(5) ENV("h", "6.1") MODELLED(false),
		 CONFIG("") COSTS(5) "'environment':{'host':'h','kernel':'6.1',"
				     "'threads':{'kick':'signal'}}," MODELLED(
					     false),
		 "kick", "membarrier", "signal"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct made made[] = {{cases[i].base, ANY},
					    {cases[i].new, ANY}};
		const struct compare_aspect *a;
		struct setup s = {0};

		assert_int_equal(compare(&s, made, 2), 0);
		a = aspect(&s, cases[i].name);
		assert_non_null(a);
		assert_true(a->compared && !a->same);
		assert_string_equal(a->value[0], cases[i].a);
		assert_string_equal(a->value[1], cases[i].b);
		assert_int_equal(compare_warnings(&s.c), 0);
		end(&s);
	}
}

/* A modelled result does not depend on the machine that computed it. */
static void the_machine_of_a_model_is_no_difference(void **state)
{
	const struct made made[] = {
		{SIM, ANY},
		{CONFIG("") COSTS(5) ENV("other", "9.9") MODELLED(true), ANY},
	};
	struct setup s = {0};

	(void)state;
	assert_int_equal(compare(&s, made, 2), 0);
	assert_null(aspect(&s, "kernel"));
	end(&s);
}

static void two_differences_are_refused_and_named(void **state)
{
	const struct made made[] = {
		{SIM, ANY},
		{CONFIG("'jitter':0.2") COSTS(6) ENV("h", "k") MODELLED(true),
		 ANY},
	};
	static const char *across[] = {"costs"};
	struct setup s = {0};
	struct setup t = {.request = {.across = {across, 1}}};

	(void)state;
	assert_int_equal(compare(&s, made, 2), -1);
	assert_int_equal(s.e.status, EXIT_USAGE);
	assert_non_null(strstr(s.e.text, "costs.seamcall (5, 6)"));
	assert_non_null(strstr(s.e.text, "jitter (0.05, 0.2)"));
	end(&s);
	assert_int_equal(compare(&t, made, 2), 0);
	assert_int_equal(compare_warnings(&t.c), 1);
	assert_true(aspect(&t, "costs.seamcall")->compared);
	assert_false(aspect(&t, "jitter")->compared);
	end(&t);
}

static void models_and_measurements_do_not_mix(void **state)
{
	const struct made made[] = {
		{SIM, ANY},
		{CONFIG("") COSTS(5) ENV("h", "k") MODELLED(false), ANY},
	};
	static const char *across[] = {"costs"};
	struct setup s = {.request = {.across = {across, 1}}};

	(void)state;
	assert_int_equal(compare(&s, made, 2), -1);
	assert_non_null(strstr(s.e.text, "model output"));
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_must_be_significant_and_material),
		cmocka_unit_test(figures_of_one_row),
		cmocka_unit_test(holm_is_over_all),
		cmocka_unit_test(cells_that_ended_differently_are_told),
		cmocka_unit_test(an_axis_makes_sides),
		cmocka_unit_test(wrong_axes_are_refused),
		cmocka_unit_test(one_difference_is_what_is_compared),
		cmocka_unit_test(the_machine_of_a_model_is_no_difference),
		cmocka_unit_test(two_differences_are_refused_and_named),
		cmocka_unit_test(models_and_measurements_do_not_mix),
	};

	return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
