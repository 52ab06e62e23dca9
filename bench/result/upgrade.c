/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/result/upgrade.h"

/* --------------------------------------------------------------- the kinds */

/* Version 1 is the first: there is nothing to upgrade from yet. */
static const struct upgrade_step no_steps[] = {{0, NULL, NULL}};

/*
 * What else came within version 1 has a meaning when it is absent that needs
 * no value: environment.tags, a repeat's "warmup" (it is none), a config's
 * "baseline", buckets (all results have the same).
 */
static const struct upgrade_default cell_defaults[] = {
	{"reason", "\"\""},
	{"notes", "[]"},
	{NULL, NULL},
};

const struct upgrade_kind upgrade_results = {
	.name = "tdmem-result",
	.now = 1,
	.steps = no_steps,
	.cell = cell_defaults,
};

const struct upgrade_kind upgrade_configs = {
	.name = "tdmem-config",
	.now = 1,
	.steps = no_steps,
};

/* --------------------------------------------------------------- the steps */

/* The version in "NAME/VERSION"; 0: it is something else. */
static unsigned version_of(const struct upgrade_kind *kind,
			   const json_t *document)
{
	const char *schema =
		json_string_value(json_object_get(document, "schema"));
	size_t n = strlen(kind->name);
	unsigned long version;
	char *end;

	if (!schema || strncmp(schema, kind->name, n) != 0 ||
	    schema[n] != '/' || schema[n + 1] < '1' || schema[n + 1] > '9')
		return 0;
	version = strtoul(schema + n + 1, &end, 10);
	if (*end)
		return 0;
	return version < UINT32_MAX ? (unsigned)version : UINT32_MAX;
}

static bool set_schema(const struct upgrade_kind *kind, json_t *top)
{
	char schema[64];

	snprintf(schema, sizeof(schema), "%s/%u", kind->name, kind->now);
	return json_object_set_new(top, "schema", json_string(schema)) == 0;
}

static bool fill(const struct upgrade_default *defaults, json_t *object)
{
	bool good = true;

	for (; defaults && defaults->member; defaults++)
		if (!json_object_get(object, defaults->member))
			good &= json_object_set_new(object, defaults->member,
						    json_loads(defaults->json,
							       JSON_DECODE_ANY,
							       NULL)) == 0;
	return good;
}

static bool step_top(const struct upgrade_kind *kind, unsigned from,
		     json_t *top)
{
	for (const struct upgrade_step *s = kind->steps; s->from; s++)
		if (s->from >= from && s->top && !s->top(top))
			return false;
	return fill(kind->top, top) &&
	       (from == kind->now || set_schema(kind, top));
}

int upgrade_version(const struct upgrade_kind *kind, const json_t *document,
		    unsigned *version, const struct at *at)
{
	struct at here = at_key(at, "schema");

	*version = version_of(kind, document);
	if (*version <= kind->now)
		return 0;
	return at_bad(&here,
		      "\"%s/%u\" is of a newer tdmem: this one reads up to "
		      "\"%s/%u\"",
		      kind->name, *version, kind->name, kind->now);
}

int upgrade_top(const struct upgrade_kind *kind, json_t *document,
		const struct at *at)
{
	unsigned from;

	if (upgrade_version(kind, document, &from, at))
		return -1;
	if (from && !step_top(kind, from, document))
		return at_bad(at, "out of memory");
	return 0;
}

bool upgrade_cell(const struct upgrade_kind *kind, unsigned from, json_t *cell)
{
	for (const struct upgrade_step *s = kind->steps; s->from; s++)
		if (s->from >= from && s->cell && !s->cell(cell))
			return false;
	return fill(kind->cell, cell);
}

char *upgrade_cell_text(const struct upgrade_kind *kind, unsigned from,
			const char *text, size_t n)
{
	json_t *cell = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	char *upgraded = NULL;

	if (cell && upgrade_cell(kind, from, cell))
		upgraded = json_dumps(cell, JSON_COMPACT);
	json_decref(cell);
	return upgraded;
}
