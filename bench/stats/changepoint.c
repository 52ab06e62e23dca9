/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "bench/stats/changepoint.h"
#include "bench/stats/changepoint_null.h"

/*
 * A level of 5 nights is a week's work.  999 permutations tell an alpha of
 * 0.005 from its double.  How much is found and how much falsely, at these
 * values: tests/unit/test_changepoint.c.
 */
const struct changepoint_rule changepoint_rule_default = {
	.segment = 5,
	.stride = 5,
	.alpha = 0.005,
	.permutations = 999,
	.seed = 1,
};

/* ----------------------------------------------------------------- ranks */

struct ranked {
	double value;
	uint64_t lot;
	uint32_t place;
};

static int by_value(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;

	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	return (a->lot > b->lot) - (a->lot < b->lot);
}

static void sort_values(const double *value, size_t first, size_t n,
			uint64_t seed, struct ranked *r)
{
	for (size_t i = 0; i < n; i++)
		r[i] = (struct ranked){
			.value = value[first + i],
			.lot = changepoint_mix(seed, first + i),
			.place = (uint32_t)i,
		};
	qsort(r, n, sizeof(*r), by_value);
}

/*
 * The lot of a value is that of its place in the whole series, so that runs
 * that are added later do not change the order of earlier ones.
 */
static void rank_by_lot(const struct ranked *sorted, size_t n, uint32_t *rank)
{
	for (size_t i = 0; i < n; i++)
		rank[sorted[i].place] = (uint32_t)i;
}

/* Equal values have the rank in their middle. */
static void rank_tied(const struct ranked *sorted, size_t n, uint32_t *rank)
{
	size_t from, end;

	for (from = 0; from < n; from = end) {
		for (end = from;
		     end < n && sorted[end].value == sorted[from].value; end++)
			;
		for (size_t i = from; i < end; i++)
			rank[sorted[i].place] = (uint32_t)((from + end) / 2);
	}
}

static bool all_equal(const double *value, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (value[i] != value[0])
			return false;
	return true;
}

/* ------------------------------------------------------------- bisection */

struct search {
	const struct changepoint_rule *rule;
	struct changepoint_null *null;
	const double *value;
	size_t n;
	struct ranked *ranked; /* n, for sorting */
	uint32_t *rank;	       /* n */
	struct changepoint *found;
	size_t nfound;
};

/* Sort a part of the series; false: there is nothing to split. */
static bool sort_part(struct search *s, size_t first, size_t n)
{
	if (n < 2 * s->rule->segment || all_equal(s->value + first, n))
		return false;
	sort_values(s->value, first, n, s->rule->seed, s->ranked);
	return true;
}

/*
 * Depth first, left to right, so that the changes come out in their order.
 * The depth is bounded by the number of segments.
 */
static bool bisect(struct search *s, size_t first, size_t n)
{
	struct changepoint_split best;
	double p;

	if (!sort_part(s, first, n))
		return true;
	rank_by_lot(s->ranked, n, s->rank);
	if (!changepoint_split(s->rank, n, s->rule->segment, s->rule->stride,
			       &best))
		return false;
	if (best.at == 0)
		return true;
	if (!changepoint_null_p(s->null, n, best.q, &p))
		return false;
	if (p > s->rule->alpha)
		return true;
	if (!bisect(s, first, best.at))
		return false;
	s->found[s->nfound++] =
		(struct changepoint){.at = first + best.at, .p = p};
	return bisect(s, first + best.at, n - best.at);
}

/*
 * A change was placed while others were still in its segment, and with lots
 * for equal values.  Each is placed again between its neighbours, where there
 * is nothing but its two levels.
 */
static bool place_again(struct search *s)
{
	for (size_t i = 0; i < s->nfound; i++) {
		size_t first = i ? s->found[i - 1].at : 0;
		size_t end = i + 1 < s->nfound ? s->found[i + 1].at : s->n;
		struct changepoint_split best;

		if (!sort_part(s, first, end - first))
			continue;
		rank_tied(s->ranked, end - first, s->rank);
		if (!changepoint_split(s->rank, end - first, s->rule->segment,
				       end - first, &best))
			return false;
		if (best.at)
			s->found[i].at = first + best.at;
	}
	return true;
}

bool changepoint_find(struct changepoint_null *null, const double *value,
		      size_t n, struct changepoint **found, size_t *nfound)
{
	const struct changepoint_rule *rule = changepoint_null_rule(null);
	struct search s = {
		.rule = rule,
		.null = null,
		.value = value,
		.n = n,
		.ranked = calloc(n + 1, sizeof(*s.ranked)),
		.rank = calloc(n + 1, sizeof(*s.rank)),
		.found = calloc(n / rule->segment + 1, sizeof(*s.found)),
	};
	bool good = s.ranked && s.rank && s.found && bisect(&s, 0, n) &&
		    place_again(&s);

	free(s.ranked);
	free(s.rank);
	if (!good) {
		free(s.found);
		s.found = NULL;
		s.nfound = 0;
	}
	*found = s.found;
	*nfound = s.nfound;
	return good;
}
