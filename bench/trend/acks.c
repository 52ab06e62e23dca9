/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/base/json.h"
#include "bench/base/output.h"
#include "bench/observe/environment.h"
#include "bench/result/encode.h"
#include "bench/trend/acks.h"
#include "bench/trend/impl.h"

#define SCHEMA "tdmem-acks/1"

enum { MAX_BYTES = 64 << 20 };

static const char *const kinds[] = {
	[TREND_IMPROVED] = "improved",
	[TREND_REGRESSED] = "regressed",
	[TREND_CHANGED] = "changed",
};

const char *trend_kind_name(enum trend_kind kind)
{
	return kinds[kind];
}

/*
 * All but `kind` are borrowed from the document.  The last two are the times
 * of the first run of the level before and of the last one of the level behind
 * it, as they were then; NULL of what is no change of level.
 */
struct ack {
	const char *id, *why, *when;
	const char *config, *host, *workload, *cell, *metric;
	const char *kind, *run, *time;
	const char *from, *until;
};

#define MEMBER(name)                                                           \
	{                                                                      \
#name, offsetof(struct ack, name)                              \
	}

/* In the order in which they are written. */
static const struct {
	const char *name;
	size_t offset;
} members[] = {
	MEMBER(id),	MEMBER(why),	MEMBER(when),	  MEMBER(kind),
	MEMBER(time),	MEMBER(run),	MEMBER(workload), MEMBER(cell),
	MEMBER(metric), MEMBER(config), MEMBER(host),	  MEMBER(from),
	MEMBER(until),
};
#undef MEMBER

enum {
	NR_MEMBERS = sizeof(members) / sizeof(members[0]),
	NR_NEEDED = NR_MEMBERS - 2,
};

static const char **member_of(struct ack *ack, size_t i)
{
	return (const char **)((char *)ack + members[i].offset);
}

/* --------------------------------------------------------------- reading */

static int parse_ack(json_t *json, struct ack *ack, const struct at *at)
{
	const char *key;
	json_t *value;

	if (!json_is_object(json))
		return at_bad(at, "expected an object");
	for (size_t i = 0; i < NR_MEMBERS; i++) {
		struct at here = at_key(at, members[i].name);

		value = json_object_get(json, members[i].name);
		if (!value && i < NR_NEEDED)
			return at_bad(&here, "missing");
		if (value && parse_string(value, member_of(ack, i), &here))
			return -1;
	}
	json_object_foreach(json, key, value)
	{
		bool known = false;

		for (size_t i = 0; i < NR_MEMBERS; i++)
			known |= strcmp(members[i].name, key) == 0;
		if (!known)
			return at_bad(at, "unknown member \"%.60s\"", key);
	}
	return 0;
}

static int check_document(json_t *top, const struct at *root)
{
	const char *schema = json_string_value(json_object_get(top, "schema"));
	struct at here = at_key(root, "schema"), list = at_key(root, "acks");
	json_t *acks = json_object_get(top, "acks");

	if (!schema || strcmp(schema, SCHEMA) != 0)
		return at_bad(&here, "expected \"" SCHEMA "\"");
	if (!json_is_array(acks))
		return at_bad(&list, "expected a list");
	for (size_t i = 0; i < json_array_size(acks); i++) {
		struct at place = at_index(&list, i);
		struct ack ack;

		if (parse_ack(json_array_get(acks, i), &ack, &place))
			return -1;
	}
	return 0;
}

/* The checked document, an empty one when there is no file. */
static json_t *load(const char *path, struct err *e)
{
	struct at root = at_root(path, e);
	json_t *top;

	if (access(path, F_OK) && errno == ENOENT) {
		top = json_pack("{sss[]}", "schema", SCHEMA, "acks");
		if (!top)
			err_set(e, EXIT_FAILED, "out of memory");
		return top;
	}
	top = json_read(path, MAX_BYTES, e);
	if (top && check_document(top, &root)) {
		json_decref(top);
		return NULL;
	}
	return top;
}

static void take_ack(json_t *json, struct ack *ack)
{
	for (size_t i = 0; i < NR_MEMBERS; i++)
		*member_of(ack, i) = json_string_value(
			json_object_get(json, members[i].name));
}

/* -------------------------------------------------------------- matching */

/* The point of the run, or of the first one after its time. */
static size_t place_of(const struct trend *t, const struct trend_series *s,
		       const struct ack *ack)
{
	size_t later = s->npoints;

	for (size_t i = s->npoints; i-- > 0;) {
		const struct trend_run *run = &t->run[s->point[i].run];

		if (strcmp(run->path, ack->run) == 0)
			return i;
		if (strcmp(run->time, ack->time) >= 0)
			later = i;
	}
	return later;
}

static bool same_series(const struct trend_series *s, const struct ack *ack)
{
	return strcmp(s->config, ack->config) == 0 &&
	       strcmp(s->host, ack->host) == 0 &&
	       strcmp(s->workload, ack->workload) == 0 &&
	       strcmp(s->cell, ack->cell) == 0 &&
	       strcmp(s->metric, ack->metric) == 0;
}

/* Later runs may move a change by some, and by that its id. */
static bool matches(const struct trend *t, const struct trend_series *s,
		    const struct trend_change *c, const struct ack *ack,
		    size_t tolerance)
{
	size_t place;

	if (strcmp(c->id, ack->id) == 0)
		return true;
	if (strcmp(kinds[c->kind], ack->kind) != 0 || !same_series(s, ack))
		return false;
	place = place_of(t, s, ack);
	return place <= c->point + tolerance && c->point <= place + tolerance;
}

static int acknowledge(struct trend *t, struct trend_change *c,
		       const struct ack *ack)
{
	if (!c->acknowledged)
		c->acknowledged = arena_text(t->arena, ack->why);
	return c->acknowledged ? 0 : -1;
}

/* Those at its place, if any are there. */
static int apply_here(struct trend *t, const struct ack *ack, size_t tolerance,
		      bool *found)
{
	for (size_t k = 0; k < t->nseries; k++) {
		struct trend_series *s = &t->series[k];

		for (size_t n = 0; n < s->nchanges; n++) {
			if (!matches(t, s, &s->change[n], ack, tolerance))
				continue;
			*found = true;
			if (acknowledge(t, &s->change[n], ack))
				return -1;
		}
	}
	return 0;
}

/*
 * Could it have been seen between the two levels that were acknowledged, had
 * it been there?  Then it is not new.  Both need a segment of runs.
 */
static bool between(const struct trend *t, const struct trend_series *s,
		    size_t point, const struct ack *ack, size_t segment)
{
	if (point < segment || point + segment > s->npoints)
		return false;
	return strcmp(t->run[s->point[point - segment].run].time, ack->from) >=
		       0 &&
	       strcmp(t->run[s->point[point + segment - 1].run].time,
		      ack->until) <= 0;
}

/* The nearest one that it may have moved to. */
static int apply_moved(struct trend *t, const struct ack *ack, size_t segment)
{
	struct trend_change *nearest = NULL;
	size_t least = SIZE_MAX;

	for (size_t k = 0; k < t->nseries; k++) {
		struct trend_series *s = &t->series[k];
		size_t place;

		if (!same_series(s, ack))
			continue;
		place = place_of(t, s, ack);
		for (size_t n = 0; n < s->nchanges; n++) {
			struct trend_change *c = &s->change[n];
			size_t far = c->point < place ? place - c->point
						      : c->point - place;

			if (!c->status && !c->acknowledged && far < least &&
			    strcmp(kinds[c->kind], ack->kind) == 0 &&
			    between(t, s, c->point, ack, segment)) {
				nearest = c;
				least = far;
			}
		}
	}
	return nearest ? acknowledge(t, nearest, ack) : 0;
}

/* What moved goes last: places that others are at are theirs. */
static int apply(struct trend *t, json_t *acks, size_t segment)
{
	size_t n = json_array_size(acks);
	bool *found = calloc(n + 1, sizeof(*found));
	int status = found ? 0 : -1;
	struct ack ack;

	for (size_t i = 0; !status && i < n; i++) {
		take_ack(json_array_get(acks, i), &ack);
		status = apply_here(t, &ack, segment, &found[i]);
	}
	for (size_t i = 0; !status && i < n; i++) {
		take_ack(json_array_get(acks, i), &ack);
		if (!found[i] && ack.from && ack.until)
			status = apply_moved(t, &ack, segment);
	}
	free(found);
	return status;
}

int trend_apply_acks(struct trend *trend, const char *path, size_t segment,
		     struct err *e)
{
	json_t *top = load(path, e);
	int status;

	if (!top)
		return -1;
	status = apply(trend, json_object_get(top, "acks"), segment);
	json_decref(top);
	return status ? err_set(e, EXIT_FAILED, "out of memory") : 0;
}

/* --------------------------------------------------------- acknowledging */

static int by_time(const void *x, const void *y)
{
	struct ack a, b;
	int order;

	take_ack(*(json_t *const *)x, &a);
	take_ack(*(json_t *const *)y, &b);
	order = strcmp(a.time, b.time);
	return order ? order : strcmp(a.id, b.id);
}

/* The list sorted by time and id, so that files merge; a new reference. */
static json_t *sorted(json_t *acks)
{
	size_t n = json_array_size(acks);
	json_t **list = calloc(n + 1, sizeof(json_t *)), *to = json_array();

	for (size_t i = 0; list && i < n; i++)
		list[i] = json_array_get(acks, i);
	if (list)
		qsort(list, n, sizeof(json_t *), by_time);
	for (size_t i = 0; list && i < n; i++)
		json_array_append(to, list[i]);
	free(list);
	if (json_array_size(to) == n)
		return to;
	json_decref(to);
	return NULL;
}

static int save(json_t *top, const char *path, struct err *e)
{
	struct output out;
	json_t *acks = sorted(json_object_get(top, "acks"));

	if (!acks || json_object_set_new(top, "acks", acks))
		return err_set(e, EXIT_FAILED, "out of memory");
	if (output_open(&out, path, e))
		return -1;
	if (json_dumpf(top, out.file, JSON_INDENT(2)) && !ferror(out.file)) {
		output_abandon(&out);
		return err_set(e, EXIT_FAILED, "out of memory");
	}
	fputc('\n', out.file);
	return output_commit(&out, e);
}

static json_t *encode(struct ack *ack)
{
	json_t *json = json_object();

	for (size_t i = 0; i < NR_MEMBERS; i++) {
		const char *text = *member_of(ack, i);

		if (text && json_object_set_new(json, members[i].name,
						json_bytes(text))) {
			json_decref(json);
			return NULL;
		}
	}
	return json;
}

static bool find(const struct trend *t, const char *id, struct trend_found *to)
{
	for (size_t i = 0; i < t->nseries; i++)
		for (size_t k = 0; k < t->series[i].nchanges; k++)
			if (strcmp(t->series[i].change[k].id, id) == 0) {
				*to = (struct trend_found){
					&t->series[i], &t->series[i].change[k]};
				return true;
			}
	return false;
}

static void remove_id(json_t *acks, const char *id)
{
	for (size_t i = json_array_size(acks); i-- > 0;) {
		struct ack ack;

		take_ack(json_array_get(acks, i), &ack);
		if (strcmp(ack.id, id) == 0)
			json_array_remove(acks, i);
	}
}

static int add(json_t *top, struct ack *ack, const char *path, struct err *e)
{
	json_t *acks = json_object_get(top, "acks");

	remove_id(acks, ack->id);
	if (json_array_append_new(acks, encode(ack)))
		return err_set(e, EXIT_FAILED, "out of memory");
	return save(top, path, e);
}

/* From the change before (or the beginning) up to the next one (or the end). */
static void take_levels(const struct trend *t, const struct trend_found *found,
			struct ack *ack)
{
	const struct trend_series *s = found->series;
	size_t i = (size_t)(found->change - s->change), end = s->npoints;

	if (found->change->status)
		return;
	if (i + 1 < s->nchanges)
		end = s->change[i + 1].point;
	ack->from = t->run[s->point[i ? s->change[i - 1].point : 0].run].time;
	ack->until = t->run[s->point[end - 1].run].time;
}

int trend_acknowledge(const struct trend *trend, const char *path,
		      const char *id, const char *why, struct err *e)
{
	char now[TIME_TEXT];
	struct trend_found found;
	const struct trend_run *run;
	struct ack ack;
	json_t *top;
	int status;

	if (!find(trend, id, &found))
		return err_set(e, EXIT_USAGE,
			       "%.200s: there is no change \"%.30s\"; tdmem "
			       "trend lists them",
			       trend->dir, id);
	time_text(now);
	run = &trend->run[found.series->point[found.change->point].run];
	ack = (struct ack){
		.id = id,
		.why = why,
		.when = now,
		.kind = kinds[found.change->kind],
		.time = run->time,
		.run = run->path,
		.workload = found.series->workload,
		.cell = found.series->cell,
		.metric = found.series->metric,
		.config = found.series->config,
		.host = found.series->host,
	};
	take_levels(trend, &found, &ack);
	top = load(path, e);
	if (!top)
		return -1;
	status = add(top, &ack, path, e);
	json_decref(top);
	return status;
}
