/* SPDX-License-Identifier: GPL-2.0-only */
/* What the probe can see in this kernel and what it cannot, and why. */
#include <stdio.h>
#include <string.h>

#include "kvm/probe/impl.h"

static json_t *place_facts(const struct probe_place *place,
			   const struct probe_point *point)
{
	if (!place->name)
		return json_pack("{ss}", "missing",
				 place->missing[0] ? place->missing
						   : "not looked for");
	if (strcmp(place->name, point->function) != 0)
		return json_pack("{ss}", "as", place->name);
	return json_object();
}

json_t *probe_facts(const struct probe *probe)
{
	json_t *functions = json_object();
	json_t *facts = json_pack("{ssssso}", "table", probe->table->name, "by",
				  probe->way ? probe->way->name : "none",
				  "functions", functions);
	int bad = 0;

	if (!facts)
		return NULL;
	if (probe->why[0])
		bad = json_object_set_new(facts, "missing",
					  json_string(probe->why));
	for (uint32_t i = 0; probe->way && i < probe->table->n; i++)
		bad |= json_object_set_new(
			functions, probe->table->point[i].function,
			place_facts(&probe->place[i], &probe->table->point[i]));
	if (!bad)
		return facts;
	json_decref(facts);
	return NULL;
}

static bool missing_alike(const struct probe *probe, uint32_t a, uint32_t b)
{
	return !probe->place[a].name && !probe->place[b].name &&
	       strcmp(probe->place[a].missing, probe->place[b].missing) == 0;
}

/* Is it the first that is missing for its reason? */
static bool missing_first(const struct probe *probe, uint32_t i)
{
	uint32_t k = 0;

	while (k < i && !missing_alike(probe, k, i))
		k++;
	return k == i && !probe->place[i].name;
}

/* One line for all that are missing for the same reason. */
static void warn_missing(const struct probe *probe, uint32_t first)
{
	const char *separator = "";

	fprintf(stderr, "tdmem: probe %s: %s: ", probe->table->name,
		probe->place[first].missing);
	for (uint32_t i = first; i < probe->table->n; i++) {
		if (!missing_alike(probe, first, i))
			continue;
		fprintf(stderr, "%s%s", separator,
			probe->table->point[i].function);
		separator = ", ";
	}
	fputc('\n', stderr);
}

void probe_warn(const struct probe *probe)
{
	const struct probe_table *table = probe->table;

	if (!probe->way) {
		fprintf(stderr, "tdmem: probe %s: nothing is counted: %s\n",
			table->name, probe->why);
		return;
	}
	if (probe->why[0])
		fprintf(stderr, "tdmem: probe %s: by %s, not by %s\n",
			table->name, probe->way->name, probe->why);
	for (uint32_t i = 0; i < table->n; i++) {
		if (missing_first(probe, i))
			warn_missing(probe, i);
	}
}

static void print_table(const struct probe_table *table)
{
	struct probe *probe;
	uint32_t found = 0;
	struct err e;

	if (probe_open(table->name, 1, &probe, &e)) {
		printf("  %-9s cannot run: %s\n", table->name, e.text);
		return;
	}
	for (uint32_t i = 0; probe->way && i < table->n; i++)
		found += probe->place[i].name != NULL;
	if (probe->way)
		printf("  %-9s by %s, %u of %u functions\n", table->name,
		       probe->way->name, found, table->n);
	if (probe->why[0])
		printf("  %-9s %s%s\n", probe->way ? "" : table->name,
		       probe->way ? "not by " : "cannot run: ", probe->why);
	probe_close(probe);
}

void probe_print_env(void)
{
	puts("\nProbes (tdmem run --probe):");
	for (size_t i = 0; probe_tables[i]; i++)
		print_table(probe_tables[i]);
}
