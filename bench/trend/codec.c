/* SPDX-License-Identifier: GPL-2.0-only */
/* Entries as lines of JSON, and back with every member checked. */
#include <stdlib.h>
#include <string.h>

#include "bench/result/encode.h"
#include "bench/trend/impl.h"

/* Values must be the same to the last bit with and without the index. */
#define STYLE (JSON_COMPACT | JSON_REAL_PRECISION(17))

/* A text of struct trend_run by the member's name. */
struct run_text {
	const char *name;
	size_t offset;
};
#define TEXT(member)                                                           \
	{                                                                      \
#member, offsetof(struct trend_run, member)                    \
	}

static const struct run_text run_texts[] = {
	TEXT(time),   TEXT(host),    TEXT(kernel), TEXT(cpu),
	TEXT(config), TEXT(version), TEXT(commit),
};
#undef TEXT

enum { NR_RUN_TEXTS = sizeof(run_texts) / sizeof(run_texts[0]) };

static const char **run_text(struct trend_run *run, size_t i)
{
	return (const char **)((char *)run + run_texts[i].offset);
}

/* -------------------------------------------------------------- encoding */

static json_t *encode_run(const struct trend_entry *entry)
{
	struct trend_run run = entry->run;
	json_t *json = json_pack("{sbsbsIss}", "partial", run.partial,
				 "modelled", run.modelled, "nbad",
				 (json_int_t)run.nbad, "key", entry->host);

	for (size_t i = 0; i < NR_RUN_TEXTS; i++)
		json_object_set_new(json, run_texts[i].name,
				    json_string(*run_text(&run, i)));
	return json;
}

static json_t *encode_metrics(const struct trend_entry *entry)
{
	json_t *list = json_array();

	for (size_t i = 0; i < entry->nmetrics; i++)
		json_array_append_new(list,
				      json_pack("[ssi]", entry->metric[i].name,
						entry->metric[i].unit,
						entry->metric[i].better));
	return list;
}

static json_t *encode_cell(const struct trend_cell *cell)
{
	json_t *list = json_pack("[ssss]", cell->axes, cell->workload,
				 cell->operation, cell->status);

	for (size_t i = 0; i < cell->nvalues; i++) {
		const struct trend_value *v = &cell->value[i];

		json_array_append_new(list,
				      json_integer((json_int_t)v->metric));
		json_array_append_new(list, json_real(v->value));
		json_array_append_new(list, json_real(v->low));
		json_array_append_new(list, json_real(v->high));
	}
	return list;
}

static json_t *encode_cells(const struct trend_entry *entry)
{
	json_t *list = json_array();

	for (size_t i = 0; i < entry->ncells; i++)
		json_array_append_new(list, encode_cell(&entry->cell[i]));
	return list;
}

char *trend_entry_encode(const struct trend_entry *entry)
{
	json_t *json = json_pack("{sosIsI}", "path", json_bytes(entry->path),
				 "size", (json_int_t)entry->size, "mtime_ns",
				 (json_int_t)entry->mtime_ns);
	char *text = NULL;

	if (entry->skip) {
		json_object_set_new(json, "skip", json_bytes(entry->skip));
	} else {
		json_object_set_new(json, "run", encode_run(entry));
		json_object_set(json, "environment",
				(json_t *)entry->run.environment);
		json_object_set_new(json, "metrics", encode_metrics(entry));
		json_object_set_new(json, "cells", encode_cells(entry));
	}
	if (json)
		text = json_dumps(json, STYLE);
	json_decref(json);
	return text;
}

/* -------------------------------------------------------------- decoding */

static bool take_text(struct arena *arena, const json_t *json, const char **to)
{
	const char *text = json_string_value(json);

	*to = text ? arena_textn(arena, text, json_string_length(json)) : NULL;
	return *to != NULL;
}

static bool decode_run(struct trend_entry *entry, const json_t *json)
{
	struct trend_run *run = &entry->run;
	json_int_t nbad;
	int partial, modelled;
	const json_t *key = json_object_get(json, "key");

	if (json_unpack((json_t *)json, "{sbsbsI}", "partial", &partial,
			"modelled", &modelled, "nbad", &nbad) ||
	    nbad < 0 || !take_text(entry->arena, key, &entry->host))
		return false;
	run->partial = partial;
	run->modelled = modelled;
	run->nbad = (size_t)nbad;
	for (size_t i = 0; i < NR_RUN_TEXTS; i++)
		if (!take_text(entry->arena,
			       json_object_get(json, run_texts[i].name),
			       run_text(run, i)))
			return false;
	return true;
}

static bool decode_metric(struct trend_entry *entry, const json_t *json,
			  struct trend_metric *to)
{
	const json_t *better = json_array_get(json, 2);

	if (!json_is_integer(better) || llabs(json_integer_value(better)) > 1)
		return false;
	to->better = (int)json_integer_value(better);
	return take_text(entry->arena, json_array_get(json, 0), &to->name) &&
	       take_text(entry->arena, json_array_get(json, 1), &to->unit);
}

static bool decode_metrics(struct trend_entry *entry, const json_t *json)
{
	size_t n = json_array_size(json);

	entry->nmetrics = n;
	entry->metric =
		arena_alloc(entry->arena, n + 1, sizeof(*entry->metric));
	for (size_t i = 0; entry->metric && i < n; i++)
		if (!decode_metric(entry, json_array_get(json, i),
				   &entry->metric[i]))
			return false;
	return json_is_array(json) && entry->metric;
}

static bool decode_value(const struct trend_entry *entry, const json_t *list,
			 size_t at, struct trend_value *to)
{
	const json_t *metric = json_array_get(list, at);
	double *const number[] = {&to->value, &to->low, &to->high};

	if (!json_is_integer(metric) || json_integer_value(metric) < 0 ||
	    (size_t)json_integer_value(metric) >= entry->nmetrics)
		return false;
	to->metric = (size_t)json_integer_value(metric);
	for (size_t i = 0; i < 3; i++) {
		const json_t *json = json_array_get(list, at + 1 + i);

		if (!json_is_number(json))
			return false;
		*number[i] = json_number_value(json);
	}
	return true;
}

static bool decode_cell(struct trend_entry *entry, const json_t *json,
			struct trend_cell *cell)
{
	const char **const text[] = {&cell->axes, &cell->workload,
				     &cell->operation, &cell->status};
	size_t n = json_array_size(json);

	if (n < 4 || n % 4)
		return false;
	for (size_t i = 0; i < 4; i++)
		if (!take_text(entry->arena, json_array_get(json, i), text[i]))
			return false;
	cell->nvalues = n / 4 - 1;
	cell->value = arena_alloc(entry->arena, cell->nvalues + 1,
				  sizeof(*cell->value));
	for (size_t i = 0; cell->value && i < cell->nvalues; i++)
		if (!decode_value(entry, json, 4 * i + 4, &cell->value[i]))
			return false;
	return cell->value != NULL;
}

static bool decode_cells(struct trend_entry *entry, const json_t *json)
{
	size_t n = json_array_size(json);

	entry->ncells = entry->run.ncells = n;
	entry->cell = arena_alloc(entry->arena, n + 1, sizeof(*entry->cell));
	for (size_t i = 0; entry->cell && i < n; i++)
		if (!decode_cell(entry, json_array_get(json, i),
				 &entry->cell[i]))
			return false;
	return json_is_array(json) && entry->cell;
}

static bool decode(struct trend_entry *entry, const json_t *json)
{
	json_t *env = json_object_get(json, "environment");
	json_int_t size, mtime;

	if (json_unpack((json_t *)json, "{sIsI}", "size", &size, "mtime_ns",
			&mtime) ||
	    size < 0 ||
	    !take_text(entry->arena, json_object_get(json, "path"),
		       &entry->path))
		return false;
	entry->size = (uint64_t)size;
	entry->mtime_ns = mtime;
	if (json_object_get(json, "skip"))
		return take_text(entry->arena, json_object_get(json, "skip"),
				 &entry->skip);
	if (!json_is_object(env))
		return false;
	entry->run.environment = json_incref(env);
	return decode_run(entry, json_object_get(json, "run")) &&
	       decode_metrics(entry, json_object_get(json, "metrics")) &&
	       decode_cells(entry, json_object_get(json, "cells"));
}

struct trend_entry *trend_entry_decode(const char *text, size_t n)
{
	json_t *json = json_loadb(text, n, 0, NULL);
	struct trend_entry *entry = json ? trend_entry_new() : NULL;

	if (entry && !decode(entry, json)) {
		trend_entry_free(entry);
		entry = NULL;
	}
	json_decref(json);
	return entry;
}
