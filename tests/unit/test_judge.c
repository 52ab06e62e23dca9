/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which policy is best: where a difference is significant and matters, and
 * where it is not.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bench/report/report.h"

enum { MOST = 20 };

/** A policy at one vCPU count: its repeats go from `rate` in steps. */
struct line {
	double rate, step;
	const char *status; /* NULL: ok */
};

#define OK(rate, step)                                                         \
	{                                                                      \
		rate, step, NULL                                               \
	}

static void add_cell(struct report_group *g, size_t policy, size_t vcpus,
		     const struct line *l, size_t repeats)
{
	struct report_cell *c = &g->cell[g->ncells++];

	c->policy = policy;
	c->vcpus = vcpus;
	strcpy(c->status, l->status ? l->status : "ok");
	c->reason = strdup("");
	c->rates = calloc(repeats, sizeof(double));
	for (size_t i = 0; i < repeats; i++)
		c->rates[i] = l->rate + l->step * (double)i;
	c->rate = summarize(c->rates, repeats);
}

/* A report of one workload; `line` has npolicies for each vCPU count. */
static void make(struct report *r, const struct line *line, size_t npolicies,
		 size_t nvcpus, size_t repeats)
{
	struct report_group *g = calloc(1, sizeof(*g));

	*r = (struct report){.group = g, .ngroups = 1};
	g->npolicies = npolicies;
	g->policy = calloc(npolicies, sizeof(*g->policy));
	g->nvcpus = nvcpus;
	g->vcpus = calloc(nvcpus, sizeof(*g->vcpus));
	g->cell = calloc(npolicies * nvcpus, sizeof(*g->cell));
	for (size_t v = 0; v < nvcpus; v++)
		for (size_t p = 0; p < npolicies; p++)
			add_cell(g, p, v, &line[v * npolicies + p], repeats);
	assert_true(report_judge(r));
}

/* Of three policies at one vCPU count. */
static void best_of(const struct line line[3], size_t repeats, const char *best,
		    double lead, size_t needed)
{
	struct report r;
	size_t n = 0;

	make(&r, line, 3, 1, repeats);
	for (size_t p = 0; p < 3; p++) {
		assert_int_equal(r.group->cell[p].best, best[p] == '*');
		n += best[p] == '*';
	}
	assert_int_equal(r.group->row[0].nbest, n);
	assert_int_equal(r.group->row[0].needed, needed);
	if (isnan(lead))
		assert_true(isnan(r.group->row[0].lead));
	else
		assert_true(fabs(r.group->row[0].lead - lead) < 1e-9);
	report_free(&r);
}

static const double none = (double)NAN;

static void clear_winners_win(void **state)
{
	(void)state;
	best_of((struct line[]){OK(10, 0.01), OK(20, 0.01), OK(15, 0.01)}, 10,
		".*.", 20.045 / 15.045 - 1, 0);
}

/* Ranges that overlap a little are told apart by their ranks. */
static void ranges_may_overlap(void **state)
{
	(void)state;
	best_of((struct line[]){OK(100, 1), OK(108, 1), OK(50, 1)}, 10, ".*.",
		112.5 / 104.5 - 1, 0);
}

/* And those that are mixed are not, whatever their medians. */
static void mixed_repeats_tie(void **state)
{
	(void)state;
	best_of((struct line[]){OK(100, 5), OK(108, 5), OK(20, 1)}, 10, "**.",
		130.5 / 24.5 - 1, 0);
}

static void one_percent_is_no_difference(void **state)
{
	(void)state;
	best_of((struct line[]){OK(100, 0), OK(99.1, 0), OK(98, 0)}, 10, "**.",
		100 / 98.0 - 1, 0);
}

static void all_alike_has_no_lead(void **state)
{
	(void)state;
	best_of((struct line[]){OK(10, 0), OK(10, 0), OK(10, 0)}, 10, "***",
		none, 0);
}

/* Of 3 pairs one can be significant with 5 repeats, as 2 / C(10, 5) * 3. */
static void few_repeats_tell_nothing(void **state)
{
	(void)state;
	best_of((struct line[]){OK(10, 0), OK(20, 0), OK(15, 0)}, 1, "***",
		none, 5);
	best_of((struct line[]){OK(10, 0), OK(20, 0), OK(15, 0)}, 4, "***",
		none, 5);
	best_of((struct line[]){OK(10, 0), OK(20, 0), OK(15, 0)}, 5, ".*.",
		20 / 15.0 - 1, 0);
	/* Nothing is needed where nothing would matter. */
	best_of((struct line[]){OK(20, 0), OK(20, 0), OK(20, 0)}, 1, "***",
		none, 0);
}

/* The same difference is none when there are many more places to find one. */
static void many_pairs_need_more(void **state)
{
	struct line line[3 * MOST];
	struct report r;

	(void)state;
	for (size_t i = 0; i < 3 * MOST; i++)
		line[i] = (struct line){i == 1 ? 20 : 10, 0, NULL};
	make(&r, line, 3, 2, 6);
	assert_int_equal(r.pairs, 6);
	assert_int_equal(r.group->row[0].nbest, 1);
	assert_int_equal(r.group->row[1].nbest, 3);
	report_free(&r);
	make(&r, line, 3, MOST, 6);
	assert_int_equal(r.pairs, 3 * MOST);
	assert_int_equal(r.group->row[0].nbest, 3);
	assert_int_equal(r.group->row[0].needed, 7);
	report_free(&r);
}

static void bugged_cells_cannot_win(void **state)
{
	struct report r;

	(void)state;
	best_of((struct line[]){{99, 0, "vm-bugged"},
				OK(2, 0),
				{9, 0, "livelock"}},
		10, ".*.", none, 0);
	make(&r, (struct line[]){{9, 0, "vm-bugged"}, {2, 0, "livelock"}}, 2, 1,
	     10);
	assert_int_equal(r.pairs, 0);
	assert_int_equal(r.group->row[0].nbest, 0);
	report_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clear_winners_win),
		cmocka_unit_test(ranges_may_overlap),
		cmocka_unit_test(mixed_repeats_tie),
		cmocka_unit_test(one_percent_is_no_difference),
		cmocka_unit_test(all_alike_has_no_lead),
		cmocka_unit_test(few_repeats_tell_nothing),
		cmocka_unit_test(many_pairs_need_more),
		cmocka_unit_test(bugged_cells_cannot_win),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
