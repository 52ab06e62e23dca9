/* SPDX-License-Identifier: GPL-2.0-only */
#include <pthread.h>
#include <stdlib.h>

#include "bench/stats/changepoint_null.h"

/* Best statistics of permutations of one length, in the order of drawing. */
struct drawn {
	struct drawn *next;
	size_t n;	/* length of what is permuted */
	size_t claimed; /* permutations that somebody drew or draws */
	bool failed;	/* out of memory */
	bool *there;	/* by permutation */
	double *q;
};

struct changepoint_null {
	struct changepoint_rule rule;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t more;
	struct drawn *first;
};

struct changepoint_null *
changepoint_null_new(const struct changepoint_rule *rule)
{
	struct changepoint_null *null = calloc(1, sizeof(*null));

	if (!null)
		return NULL;
	null->rule = *rule;
	pthread_mutex_init(&null->lock, NULL);
	pthread_cond_init(&null->more, NULL);
	return null;
}

static void free_drawn(struct drawn *d)
{
	if (!d)
		return;
	free(d->there);
	free(d->q);
	free(d);
}

void changepoint_null_free(struct changepoint_null *null)
{
	struct drawn *next;

	if (!null)
		return;
	for (struct drawn *d = null->first; d; d = next) {
		next = d->next;
		free_drawn(d);
	}
	pthread_cond_destroy(&null->more);
	pthread_mutex_destroy(&null->lock);
	free(null);
}

const struct changepoint_rule *
changepoint_null_rule(const struct changepoint_null *null)
{
	return &null->rule;
}

/*
 * The length whose distribution is asked in place of n's: the next of a grid
 * of 16 steps an octave, 4 from 256 on, where they take long to draw.  The
 * best of a longer series' splits is the best of more, so p errs on the side
 * of no change.
 */
static size_t round_length(size_t n)
{
	size_t step = 1, most = n < 256 ? 32 : 8;

	while (n / step >= most)
		step *= 2;
	return (n + step - 1) / step * step;
}

static void shuffle(uint32_t *rank, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++)
		rank[i] = (uint32_t)i;
	for (size_t i = n - 1; i > 0; i--) {
		/* The bias of the remainder is below n / 2^64. */
		size_t j = changepoint_mix(seed, i) % (i + 1);
		uint32_t swap = rank[i];

		rank[i] = rank[j];
		rank[j] = swap;
	}
}

static bool draw(const struct changepoint_rule *rule, size_t n, size_t index,
		 double *q)
{
	uint64_t seed = changepoint_mix(changepoint_mix(rule->seed, n), index);
	uint32_t *rank = calloc(n, sizeof(*rank));
	struct changepoint_split best;
	bool good = false;

	if (rank) {
		shuffle(rank, n, seed);
		good = changepoint_split(rank, n, rule->segment, rule->stride,
					 &best);
		*q = best.q;
	}
	free(rank);
	return good;
}

static struct drawn *new_drawn(struct changepoint_null *null, size_t n)
{
	struct drawn *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->n = n;
	d->there = calloc(null->rule.permutations + 1, sizeof(*d->there));
	d->q = calloc(null->rule.permutations + 1, sizeof(*d->q));
	if (!d->there || !d->q) {
		free_drawn(d);
		return NULL;
	}
	d->next = null->first;
	null->first = d;
	return d;
}

static struct drawn *find_drawn(struct changepoint_null *null, size_t n)
{
	for (struct drawn *d = null->first; d; d = d->next)
		if (d->n == n)
			return d;
	return new_drawn(null, n);
}

/*
 * Wait for a permutation, or rather draw the next that nobody draws: who
 * needs this one is likely to need that one too.  Called with the lock held.
 */
static bool await(struct changepoint_null *null, struct drawn *d, size_t index)
{
	while (!d->there[index] && !d->failed) {
		size_t mine = d->claimed;
		double q = 0;
		bool good;

		if (mine == null->rule.permutations) {
			pthread_cond_wait(&null->more, &null->lock);
			continue;
		}
		d->claimed++;
		pthread_mutex_unlock(&null->lock);
		good = draw(&null->rule, d->n, mine, &q);
		pthread_mutex_lock(&null->lock);
		d->q[mine] = q;
		d->there[mine] = good;
		d->failed |= !good;
		pthread_cond_broadcast(&null->more);
	}
	return !d->failed;
}

bool changepoint_null_p(struct changepoint_null *null, size_t n, double q,
			double *p)
{
	double all = (double)(null->rule.permutations + 1);
	size_t above = 1; /* what was seen is one of the orders */
	struct drawn *d;
	bool good;

	pthread_mutex_lock(&null->lock);
	d = find_drawn(null, round_length(n));
	good = d != NULL;
	for (size_t i = 0; good && i < null->rule.permutations &&
			   (double)above / all <= null->rule.alpha;
	     i++) {
		good = await(null, d, i);
		above += good && d->q[i] >= q;
	}
	pthread_mutex_unlock(&null->lock);
	*p = (double)above / all;
	return good;
}
