/* SPDX-License-Identifier: GPL-2.0-only */
/* The cache of where series change: a line for each series. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/trend/impl.h"
#include "bench/trend/lines.h"

/* Raise the number with each change of what a line says, or of the search. */
#define VERSION "tdmem-changes/1"

enum { DIGITS = 16, NUMBERS = 5 }; /* of a hash; of a place */

static int by_series(const void *x, const void *y)
{
	const struct trend_places *a = x, *b = y;

	return (a->series > b->series) - (a->series < b->series);
}

/* --------------------------------------------------------------- reading */

static bool decode_hash(const json_t *json, uint64_t *hash)
{
	const char *text = json_string_value(json);
	char *end;

	if (!text || strlen(text) != DIGITS)
		return false;
	*hash = strtoull(text, &end, 16);
	return !*end;
}

static bool decode_place(const json_t *list, size_t i, struct trend_place *to)
{
	double *const number[] = {&to->p, &to->before, &to->after, &to->u_p};
	const json_t *at = json_array_get(list, i);

	for (size_t k = 0; k < 4; k++) {
		const json_t *json = json_array_get(list, i + 1 + k);

		if (!json_is_number(json))
			return false;
		*number[k] = json_number_value(json);
	}
	to->at = (size_t)json_integer_value(at);
	to->ratio = trend_ratio(to->before, to->after);
	return json_is_integer(at) && json_integer_value(at) > 0;
}

static bool decode(const struct line *l, struct trend_places *to)
{
	json_t *json = json_loadb(l->text, l->n, 0, NULL);
	size_t n = json_array_size(json);
	bool good = n >= 2 && (n - 2) % NUMBERS == 0 &&
		    decode_hash(json_array_get(json, 0), &to->series) &&
		    decode_hash(json_array_get(json, 1), &to->values);

	to->n = n / NUMBERS;
	to->place = good ? calloc(to->n + 1, sizeof(*to->place)) : NULL;
	good = to->place;
	for (size_t i = 0; good && i < to->n; i++)
		good = decode_place(json, 2 + NUMBERS * i, &to->place[i]);
	json_decref(json);
	if (!good)
		free(to->place);
	return good;
}

void trend_cache_load(const char *dir, struct trend_cache *cache)
{
	struct lines lines;

	*cache = (struct trend_cache){0};
	lines_load(dir, TREND_CHANGES, VERSION, &lines);
	cache->places = calloc(lines.n + 1, sizeof(*cache->places));
	for (size_t i = 0; cache->places && i < lines.n; i++)
		cache->n += decode(&lines.line[i], &cache->places[cache->n]);
	if (cache->places)
		qsort(cache->places, cache->n, sizeof(*cache->places),
		      by_series);
	lines_free(&lines);
}

void trend_cache_free(struct trend_cache *cache)
{
	for (size_t i = 0; i < cache->n; i++)
		free(cache->places[i].place);
	free(cache->places);
	*cache = (struct trend_cache){0};
}

const struct trend_places *trend_cache_find(const struct trend_cache *cache,
					    uint64_t series, uint64_t values)
{
	const struct trend_places key = {.series = series};
	const struct trend_places *found =
		cache->n ? bsearch(&key, cache->places, cache->n, sizeof(key),
				   by_series)
			 : NULL;

	return found && found->values == values ? found : NULL;
}

/* --------------------------------------------------------------- writing */

static json_t *encode_hash(uint64_t hash)
{
	char text[DIGITS + 1];

	snprintf(text, sizeof(text), "%016" PRIx64, hash);
	return json_string(text);
}

static bool encode(const void *ctx, size_t i, char **text)
{
	const struct trend_places *p = *((struct trend_places *const *)ctx + i);
	json_t *json = json_array();

	json_array_append_new(json, encode_hash(p->series));
	json_array_append_new(json, encode_hash(p->values));
	for (size_t k = 0; k < p->n; k++) {
		const struct trend_place *place = &p->place[k];

		json_array_append_new(json,
				      json_integer((json_int_t)place->at));
		json_array_append_new(json, json_real(place->p));
		json_array_append_new(json, json_real(place->before));
		json_array_append_new(json, json_real(place->after));
		json_array_append_new(json, json_real(place->u_p));
	}
	/* All digits: what is read must be what was computed. */
	if (json_array_size(json) == 2 + NUMBERS * p->n)
		*text = json_dumps(json,
				   JSON_COMPACT | JSON_REAL_PRECISION(17));
	json_decref(json);
	return *text != NULL;
}

const char *trend_cache_save(const char *dir, const struct trend_cache *cache,
			     struct trend_places *places, size_t n,
			     struct arena *arena)
{
	const struct trend_places **list =
		calloc(n + cache->n + 1, sizeof(*list));
	const char *trouble = "out of memory";
	size_t most = n;

	qsort(places, n, sizeof(*places), by_series);
	for (size_t i = 0; list && i < n; i++)
		list[i] = &places[i];
	for (size_t i = 0; list && i < cache->n; i++)
		if (!bsearch(&cache->places[i], places, n, sizeof(*places),
			     by_series))
			list[most++] = &cache->places[i];
	if (list)
		trouble = lines_save(dir, TREND_CHANGES, VERSION, encode, list,
				     most, arena);
	free(list);
	return trouble;
}
