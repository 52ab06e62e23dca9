/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The energy statistic of all splits of a segment, in n^2 / stride steps.
 * Scores are whole numbers, so all sums are exact: of CHANGEPOINT_MAX^2 / 2
 * pairs, each at most 2 * SCORE_UNIT * log(2 * CHANGEPOINT_MAX), they stay
 * below 2^53.
 */
#include <math.h>
#include <stdlib.h>

#include "bench/stats/changepoint.h"

enum { SCORE_UNIT = 1024 };

/* Sums of distances |x - y| over pairs of scores. */
struct sums {
	const uint32_t *rank;
	size_t n, segment;
	double *left;	   /* [i]: of pairs in [0, i) */
	double *left_mean; /* [i]: left[i] / (i - 1) */
	double *right;	   /* [i]: of pairs in [i, end) */
	double *inverse;   /* [i]: 1 / i; [0] is 0 */
	int64_t *score;	   /* by rank */
	/* [r]: from the rank r to all in the block that is being added. */
	int64_t *distance;
	uint32_t *block; /* its ranks, sorted */
	/* Sums of scores and counts of the ranks so far, as binary indexed
	 * trees. */
	int64_t *tree_sum;
	uint32_t *tree_count;
};

/* ------------------------------------------------------------ left sums */

static void tree_add(struct sums *s, size_t rank)
{
	for (size_t i = rank + 1; i <= s->n; i += i & -i) {
		s->tree_sum[i] += s->score[rank];
		s->tree_count[i]++;
	}
}

/* Sum of distances from a rank to all that are in the tree: `have` ranks. */
static int64_t tree_distance(const struct sums *s, size_t rank, size_t have,
			     int64_t total)
{
	int64_t below = 0, count = 0, at = s->score[rank];

	for (size_t i = rank; i > 0; i -= i & -i) {
		below += s->tree_sum[i];
		count += s->tree_count[i];
	}
	return at * (2 * count - (int64_t)have) + total - 2 * below;
}

static void sum_left(struct sums *s)
{
	int64_t pairs = 0, total = 0;

	for (size_t i = 0; i < s->n; i++) {
		size_t rank = s->rank[i];

		pairs += tree_distance(s, rank, i, total);
		total += s->score[rank];
		tree_add(s, rank);
		s->left[i + 1] = (double)pairs;
	}
}

/* ----------------------------------------------------------- right sums */

/* The ranks of [from, end) in rising order; they are few. */
static void sort_block(struct sums *s, size_t from, size_t end)
{
	for (size_t n = 0; n < end - from; n++) {
		uint32_t rank = s->rank[from + n];
		size_t i = n;

		for (; i > 0 && s->block[i - 1] > rank; i--)
			s->block[i] = s->block[i - 1];
		s->block[i] = rank;
	}
}

/* The distances from every rank to [from, end): linear but for bends there. */
static void measure(struct sums *s, size_t from, size_t end)
{
	size_t n = end - from, r = 0;
	int64_t slope = -(int64_t)n, base = 0;

	sort_block(s, from, end);
	for (size_t i = 0; i < n; i++)
		base += s->score[s->block[i]];
	for (size_t i = 0; i <= n; i++) {
		size_t bend = i < n ? s->block[i] : s->n;

		for (; r < bend; r++)
			s->distance[r] = base + slope * s->score[r];
		if (i < n)
			base -= 2 * s->score[bend];
		slope += 2;
	}
}

/* Add the values of [from, end) to all right sums, which end at `from`. */
static void add_block(struct sums *s, size_t from, size_t end)
{
	int64_t sum = 0;

	for (size_t i = end; i-- > from;) {
		for (size_t j = i + 1; j < end; j++)
			sum += labs(s->score[s->rank[i]] -
				    s->score[s->rank[j]]);
		s->right[i] = (double)sum;
	}
	if (from > 0)
		measure(s, from, end);
	for (size_t i = from; i-- > 0;) {
		sum += s->distance[s->rank[i]];
		s->right[i] += (double)sum;
	}
}

/* --------------------------------------------------------------- splits */

/*
 * The formula in changepoint.h with the means written as sums, each pair
 * counted once: of S = left + right + cross it is
 *
 *   2 / (m + k) * (S - (m + k - 1) * (left / (m - 1) + right / (k - 1)))
 *
 * so that only the inner sum, the least of which is looked for, depends on
 * the place of the split.
 */
static void try_end(const struct sums *s, size_t end,
		    struct changepoint_split *best)
{
	const double *inverse = s->inverse + end - 1; /* of k - 1, backwards */
	double least = (double)INFINITY, q;
	size_t where = 0;

	for (size_t at = s->segment; at + s->segment <= end; at++) {
		double inner =
			s->left_mean[at] + s->right[at] * *(inverse - at);

		if (inner < least) {
			least = inner;
			where = at;
		}
	}
	q = 2 * (s->left[end] - (double)(end - 1) * least) /
	    ((double)end * SCORE_UNIT);
	if (q > best->q)
		*best = (struct changepoint_split){where, end, q};
}

static void try_all(struct sums *s, size_t stride,
		    struct changepoint_split *best)
{
	size_t least = 2 * s->segment, from = 0;
	/* The last end is n, so the first one is what is left over. */
	size_t end = least + (s->n - least) % stride;

	for (size_t i = 0; i < s->n; i++) {
		s->inverse[i + 1] = 1 / (double)(i + 1);
		s->score[i] = changepoint_score(i, s->n);
	}
	sum_left(s);
	for (size_t i = s->segment; i <= s->n; i++)
		s->left_mean[i] = s->left[i] * s->inverse[i - 1];
	for (; end <= s->n; end += stride) {
		add_block(s, from, end);
		try_end(s, end, best);
		from = end;
	}
}

int64_t changepoint_score(size_t rank, size_t n)
{
	double below = (double)rank + 0.5;

	return llround(SCORE_UNIT * log(below / ((double)n - below)));
}

bool changepoint_split(const uint32_t *rank, size_t n, size_t segment,
		       size_t stride, struct changepoint_split *best)
{
	struct sums s = {
		.rank = rank,
		.n = n,
		.segment = segment,
		.left = calloc(n + 1, sizeof(*s.left)),
		.left_mean = calloc(n + 1, sizeof(*s.left_mean)),
		.right = calloc(n + 1, sizeof(*s.right)),
		.inverse = calloc(n + 1, sizeof(*s.inverse)),
		.score = calloc(n + 1, sizeof(*s.score)),
		.distance = calloc(n + 1, sizeof(*s.distance)),
		.block = calloc(n + 1, sizeof(*s.block)),
		.tree_sum = calloc(n + 1, sizeof(*s.tree_sum)),
		.tree_count = calloc(n + 1, sizeof(*s.tree_count)),
	};
	bool good = s.left && s.left_mean && s.right && s.inverse && s.score &&
		    s.distance && s.tree_sum && s.tree_count;

	*best = (struct changepoint_split){0};
	if (good && n >= 2 * segment)
		try_all(&s, stride, best);
	free(s.left);
	free(s.left_mean);
	free(s.right);
	free(s.inverse);
	free(s.score);
	free(s.distance);
	free(s.block);
	free(s.tree_sum);
	free(s.tree_count);
	return good;
}
