/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes of a history's series: E-divisive proposes, and what is left is
 * what also a U test between the two levels, and the reader's idea of a
 * change that matters, say.
 */
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/parallel.h"
#include "bench/stats/changepoint.h"
#include "bench/stats/infer.h"
#include "bench/trend/impl.h"

/*
 * u_alpha: two levels of 5 runs each, which do not overlap, have 0.008; and
 * the U test is not what keeps false alarms away, as it is of places that
 * were chosen for their difference.
 */
const struct trend_rule trend_rule_default = {
	.segment = 5,
	.alpha = 0.005,
	.u_alpha = 0.01,
	.material = 0.01,
	.seed = 1,
	.jobs = 1,
};

struct finder {
	struct trend *trend;
	const struct trend_rule *rule;
	struct changepoint_null *null;
	struct trend_cache cache;
	/* By series; the changes are for free(). */
	struct trend_places *places;
	struct trend_change **change;
	size_t *nchanges;
	atomic_size_t searched; /* series that were not in the cache */
};

/* One series while its changes are looked for. */
struct values {
	const struct trend_series *series;
	size_t n;
	double *value; /* of the points that have one, in order */
	size_t *point; /* where it is in the series */
	double *sorted;
};

static bool take_values(struct values *v, const struct trend_series *s)
{
	*v = (struct values){
		.series = s,
		.value = calloc(s->npoints + 1, sizeof(*v->value)),
		.point = calloc(s->npoints + 1, sizeof(*v->point)),
		.sorted = calloc(s->npoints + 1, sizeof(*v->sorted)),
	};
	if (!v->value || !v->point || !v->sorted)
		return false;
	for (size_t i = 0; i < s->npoints; i++) {
		if (isnan(s->point[i].value))
			continue;
		v->value[v->n] = s->point[i].value;
		v->point[v->n++] = i;
	}
	return true;
}

static void free_values(struct values *v)
{
	free(v->value);
	free(v->point);
	free(v->sorted);
}

/* ----------------------------------------------------- levels, and their tests
 */

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

static double median(const struct values *v, size_t from, size_t end)
{
	memcpy(v->sorted, v->value + from, (end - from) * sizeof(*v->sorted));
	qsort(v->sorted, end - from, sizeof(*v->sorted), by_value);
	return median_of_sorted(v->sorted, end - from);
}

double trend_ratio(double before, double after)
{
	if (before == after)
		return 0;
	return before == 0 ? (double)INFINITY : (after - before) / fabs(before);
}

/* Between the places (or ends) beside it. */
static bool measure(const struct values *v, struct trend_place *place, size_t i,
		    size_t n)
{
	size_t from = i ? place[i - 1].at : 0;
	size_t end = i + 1 < n ? place[i + 1].at : v->n;
	struct trend_place *p = &place[i];
	struct u_test u;

	p->before = median(v, from, p->at);
	p->after = median(v, p->at, end);
	p->ratio = trend_ratio(p->before, p->after);
	if (!u_test(v->value + p->at, end - p->at, v->value + from,
		    p->at - from, &u))
		return false;
	p->u_p = u.p;
	return true;
}

/* The weakest place that does not hold; n: all do. */
static size_t weakest(const struct trend_rule *rule,
		      const struct trend_place *place, size_t n)
{
	size_t worst = n;

	for (size_t i = 0; i < n; i++) {
		if (place[i].u_p <= rule->u_alpha &&
		    fabs(place[i].ratio) >= rule->material)
			continue;
		if (worst == n ||
		    fabs(place[i].ratio) < fabs(place[worst].ratio))
			worst = i;
	}
	return worst;
}

/*
 * One by one, as a place that goes makes longer levels of its neighbours':
 * they may hold then.
 */
static bool drop_weak(const struct trend_rule *rule, const struct values *v,
		      struct trend_place *place, size_t *n)
{
	size_t i;

	for (i = 0; i < *n; i++)
		if (!measure(v, place, i, *n))
			return false;
	while ((i = weakest(rule, place, *n)) < *n) {
		memmove(place + i, place + i + 1,
			(*n - i - 1) * sizeof(*place));
		(*n)--;
		if (i > 0 && !measure(v, place, i - 1, *n))
			return false;
		if (i < *n && !measure(v, place, i, *n))
			return false;
	}
	return true;
}

static bool find_places(const struct finder *f, const struct values *v,
			struct trend_places *to)
{
	struct changepoint *found;

	if (!changepoint_find(f->null, v->value, v->n, &found, &to->n))
		return false;
	to->place = calloc(to->n + 1, sizeof(*to->place));
	for (size_t i = 0; to->place && i < to->n; i++)
		to->place[i] = (struct trend_place){.at = found[i].at,
						    .p = found[i].p};
	free(found);
	return to->place && drop_weak(f->rule, v, to->place, &to->n);
}

/* ------------------------------------------------------------------- cache */

/* All that the places are a function of. */
static uint64_t hash_values(const struct trend_rule *rule,
			    const struct values *v)
{
	const double limits[] = {rule->alpha, rule->u_alpha, rule->material};
	const uint64_t numbers[] = {rule->segment, rule->seed, v->n};
	uint64_t hash = trend_hash(TREND_HASH, limits, sizeof(limits));

	hash = trend_hash(hash, numbers, sizeof(numbers));
	return trend_hash(hash, v->value, v->n * sizeof(*v->value));
}

/* A file may say anything: places that are none are looked for again. */
static bool can_be(const struct trend_places *p, const struct values *v)
{
	size_t from = 0;

	for (size_t i = 0; i < p->n; from = p->place[i++].at)
		if (p->place[i].at <= from || p->place[i].at >= v->n)
			return false;
	return true;
}

static bool copy_places(const struct trend_places *from,
			struct trend_places *to)
{
	to->place = calloc(from->n + 1, sizeof(*to->place));
	if (!to->place)
		return false;
	memcpy(to->place, from->place, from->n * sizeof(*to->place));
	to->n = from->n;
	return true;
}

static bool get_places(struct finder *f, const struct values *v,
		       struct trend_places *to)
{
	const char *key = v->series->key;
	const struct trend_places *known;

	to->series = trend_hash(TREND_HASH, key, strlen(key));
	to->values = hash_values(f->rule, v);
	known = trend_cache_find(&f->cache, to->series, to->values);
	if (known && can_be(known, v))
		return copy_places(known, to);
	atomic_fetch_add(&f->searched, 1);
	return find_places(f, v, to);
}

/* ----------------------------------------------------------------- changes */

static enum trend_kind kind_of(const struct trend_series *s, double ratio)
{
	if (s->better == 0)
		return TREND_CHANGED;
	return (ratio > 0) == (s->better > 0) ? TREND_IMPROVED
					      : TREND_REGRESSED;
}

/*
 * Of the series, the kind and the run that the new level begins with: by
 * path, as two results may have the same second.
 */
static void set_id(const struct trend *t, const struct trend_series *s,
		   struct trend_change *c)
{
	const char *path = t->run[s->point[c->point].run].path;
	char kind = (char)('0' + (int)c->kind);
	uint64_t hash = trend_hash(TREND_HASH, s->key, strlen(s->key));

	hash = trend_hash(hash, &kind, 1);
	hash = trend_hash(hash, path, strlen(path));
	/* The low bits of FNV are weak in the last bytes: fold. */
	snprintf(c->id, sizeof(c->id), "%012" PRIx64,
		 (hash ^ (hash >> 48)) & UINT64_C(0xffffffffffff));
}

static struct trend_change level_change(const struct values *v,
					const struct trend_place *place)
{
	return (struct trend_change){
		.point = v->point[place->at],
		.before = place->before,
		.after = place->after,
		.ratio = place->ratio,
		.p = place->u_p,
		.confidence = 1 - place->p,
		.kind = kind_of(v->series, place->ratio),
	};
}

/* The first point of the end of a series that is not ok; npoints: it is ok. */
static size_t bad_end(const struct trend_series *s)
{
	size_t first = s->npoints;

	while (first > 0 && strcmp(s->point[first - 1].status, "ok") != 0)
		first--;
	return first;
}

static bool is_rate(const struct trend_series *s)
{
	size_t n = strlen(s->operation);

	return strncmp(s->metric, s->operation, n) == 0 &&
	       strcmp(s->metric + n, ".rate") == 0;
}

/* Was ok, and is not any more. */
static bool add_status(const struct values *v, struct trend_change *c)
{
	const struct trend_series *s = v->series;
	size_t first = bad_end(s), from = v->n;

	if (!is_rate(s) || first == s->npoints || v->n == 0)
		return false;
	/* What it was: the median of the last runs that were ok. */
	from = v->n > 5 ? v->n - 5 : 0;
	*c = (struct trend_change){
		.point = first,
		.before = median(v, from, v->n),
		.after = (double)NAN,
		.ratio = (double)NAN,
		.p = (double)NAN,
		.confidence = 1,
		.kind = TREND_REGRESSED,
		.status = s->point[first].status,
	};
	return true;
}

static bool make_changes(struct finder *f, size_t index, const struct values *v)
{
	struct trend_change *list;
	struct trend_places *p = &f->places[index];
	size_t n;

	if (!get_places(f, v, p))
		return false;
	n = p->n;
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return false;
	for (size_t i = 0; i < n; i++)
		list[i] = level_change(v, &p->place[i]);
	n += add_status(v, &list[n]);
	for (size_t i = 0; i < n; i++)
		set_id(f->trend, v->series, &list[i]);
	f->change[index] = list;
	f->nchanges[index] = n;
	return true;
}

static bool find_in_series(void *ctx, size_t index)
{
	struct finder *f = ctx;
	struct values v;
	bool good = take_values(&v, &f->trend->series[index]);

	if (v.n > CHANGEPOINT_MAX)
		v.n = CHANGEPOINT_MAX;
	good = good && make_changes(f, index, &v);
	free_values(&v);
	return good;
}

/* ----------------------------------------------------------------- all */

static bool keep_changes(struct finder *f)
{
	struct trend *t = f->trend;

	for (size_t i = 0; i < t->nseries; i++) {
		struct trend_series *s = &t->series[i];
		size_t n = f->nchanges[i];

		s->change = arena_alloc(t->arena, n + 1, sizeof(*s->change));
		if (!s->change)
			return false;
		memcpy(s->change, f->change[i], n * sizeof(*s->change));
		s->nchanges = n;
	}
	return true;
}

static void save_cache(struct finder *f)
{
	struct trend *t = f->trend;
	const char *trouble;

	if (t->no_index || !atomic_load(&f->searched))
		return;
	trouble = trend_cache_save(t->dir, &f->cache, f->places, t->nseries,
				   t->arena);
	if (!t->index_trouble)
		t->index_trouble = trouble;
}

static bool find_all(struct finder *f)
{
	size_t n = f->trend->nseries;
	struct changepoint_rule rule = changepoint_rule_default;

	rule.segment = f->rule->segment;
	rule.alpha = f->rule->alpha;
	rule.seed = f->rule->seed;
	f->null = changepoint_null_new(&rule);
	f->places = calloc(n + 1, sizeof(*f->places));
	f->change = calloc(n + 1, sizeof(*f->change));
	f->nchanges = calloc(n + 1, sizeof(*f->nchanges));
	if (!f->null || !f->places || !f->change || !f->nchanges)
		return false;
	if (!f->trend->no_index)
		trend_cache_load(f->trend->dir, &f->cache);
	if (!parallel_for(n, f->rule->jobs, find_in_series, f) ||
	    !keep_changes(f))
		return false;
	f->trend->nsearched = atomic_load(&f->searched);
	save_cache(f);
	return true;
}

static void free_finder(struct finder *f)
{
	for (size_t i = 0; i < f->trend->nseries; i++) {
		if (f->change)
			free(f->change[i]);
		if (f->places)
			free(f->places[i].place);
	}
	free(f->change);
	free(f->places);
	free(f->nchanges);
	trend_cache_free(&f->cache);
	changepoint_null_free(f->null);
}

int trend_find_changes(struct trend *trend, const struct trend_rule *rule,
		       struct err *e)
{
	struct finder f = {.trend = trend, .rule = rule};
	const char *acks = rule->acks;
	bool good = find_all(&f);

	free_finder(&f);
	if (good && !acks)
		acks = arena_print(trend->arena, "%s/" TREND_ACKS, trend->dir);
	if (!good || !acks)
		return err_set(e, EXIT_FAILED, "out of memory");
	return trend_apply_acks(trend, acks, rule->segment, e);
}
