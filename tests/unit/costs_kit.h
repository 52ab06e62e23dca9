/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests look up in a cost table, as JSON; no such entry fails the test. */
#ifndef TDMEM_TESTS_COSTS_KIT_H
#define TDMEM_TESTS_COSTS_KIT_H

#include <jansson.h>
#include <string.h>

static inline json_t *entry_of(json_t *root, const char *name)
{
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(root, "entries"), i, entry)
	{
		if (!strcmp(json_string_value(json_object_get(entry, "name")),
			    name))
			return entry;
	}
	fail_msg("no entry %s", name);
	return NULL;
}

static inline double number(json_t *root, const char *name, const char *column)
{
	return json_number_value(json_object_get(entry_of(root, name), column));
}

static inline const char *text(json_t *root, const char *name,
			       const char *member)
{
	return json_string_value(json_object_get(entry_of(root, name), member));
}

#endif
