/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <stdlib.h>

#include "bench/report/report.h"
#include "bench/stats/infer.h"

/** Holm's correction needs all p at once; they are kept in one order. */
struct tests {
	double *p;
	size_t n, done;
};

static struct report_cell *good_cell(const struct report_group *g,
				     size_t policy, size_t vcpus)
{
	const struct report_cell *c = report_find(g, policy, vcpus);

	return report_good(c) ? &g->cell[c - g->cell] : NULL;
}

static size_t count_good(const struct report_group *g, size_t vcpus)
{
	size_t n = 0;

	for (size_t p = 0; p < g->npolicies; p++)
		n += good_cell(g, p, vcpus) != NULL;
	return n;
}

static const struct report_cell *leader(const struct report_group *g,
					size_t vcpus)
{
	const struct report_cell *best = NULL;

	for (size_t p = 0; p < g->npolicies; p++) {
		const struct report_cell *c = good_cell(g, p, vcpus);

		if (c && (!best || c->rate.median > best->rate.median))
			best = c;
	}
	return best;
}

typedef bool row_fn(struct tests *tests, struct report_group *g, size_t vcpus);

static bool for_rows(struct report *r, struct tests *tests, row_fn *fn)
{
	for (size_t i = 0; i < r->ngroups; i++)
		for (size_t v = 0; v < r->group[i].nvcpus; v++)
			if (!fn(tests, &r->group[i], v))
				return false;
	return true;
}

static bool count_pairs(struct tests *tests, struct report_group *g,
			size_t vcpus)
{
	size_t n = count_good(g, vcpus);

	tests->n += n ? n * (n - 1) / 2 : 0;
	return true;
}

static bool test_row(struct tests *tests, struct report_group *g, size_t vcpus)
{
	const struct report_cell *first = leader(g, vcpus);

	for (size_t p = 0; p < g->npolicies; p++) {
		const struct report_cell *c = good_cell(g, p, vcpus);
		struct u_test test;

		if (!c || c == first)
			continue;
		if (!u_test(c->rates, c->rate.n, first->rates, first->rate.n,
			    &test))
			return false;
		/* By the test it must be the lower one as well. */
		tests->p[tests->done++] = test.delta < 0 ? test.p : 1;
	}
	return true;
}

static bool matters(const struct report_cell *first,
		    const struct report_cell *c)
{
	return c->rate.median < first->rate.median * (1 - DIFFERENCE_MATERIAL);
}

/* Not even the clearest order of so few repeats would have been enough. */
static bool too_few(const struct tests *tests, const struct report_cell *a,
		    const struct report_cell *b)
{
	return u_test_least_p(a->rate.n, b->rate.n) * (double)tests->n >
	       DIFFERENCE_ALPHA;
}

static bool judge_row(struct tests *tests, struct report_group *g, size_t vcpus)
{
	const struct report_cell *first = leader(g, vcpus);
	struct report_row *row = &g->row[vcpus];
	double next = (double)NAN;

	*row = (struct report_row){.lead = (double)NAN};
	for (size_t p = 0; p < g->npolicies; p++) {
		struct report_cell *c = good_cell(g, p, vcpus);

		if (!c)
			continue;
		c->best = c == first ||
			  tests->p[tests->done++] > DIFFERENCE_ALPHA ||
			  !matters(first, c);
		row->nbest += c->best;
		if (!c->best)
			next = fmax(next, c->rate.median);
		else if (matters(first, c) && too_few(tests, first, c))
			row->needed = u_test_values_needed(tests->n,
							   DIFFERENCE_ALPHA);
	}
	if (first && next > 0)
		row->lead = first->rate.median / next - 1;
	return true;
}

static bool make_rows(struct report *r)
{
	for (size_t i = 0; i < r->ngroups; i++) {
		struct report_group *g = &r->group[i];

		g->row = calloc(g->nvcpus + 1, sizeof(*g->row));
		if (!g->row)
			return false;
	}
	return true;
}

bool report_judge(struct report *report)
{
	struct tests tests = {0};
	bool good;

	for_rows(report, &tests, count_pairs);
	report->pairs = tests.n;
	tests.p = malloc((tests.n + 1) * sizeof(*tests.p));
	if (!tests.p)
		return false;
	/* Pairs without the leader, which are not tested: not significant. */
	for (size_t i = 0; i < tests.n; i++)
		tests.p[i] = 1;
	good = make_rows(report) && for_rows(report, &tests, test_row) &&
	       holm_correct(tests.p, tests.n);
	tests.done = 0;
	good = good && for_rows(report, &tests, judge_row);
	free(tests.p);
	return good;
}
