/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a step answered against what its "expect" says.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/script/impl.h"

bool script_hex(const char *text, u64 *value)
{
	char *end;

	if (strncmp(text, "0x", 2) || strlen(text) > 18)
		return false;
	if (!text[2] ||
	    strspn(text + 2, "0123456789abcdefABCDEF") != strlen(text + 2))
		return false;
	errno = 0;
	*value = strtoull(text + 2, &end, 16);
	return !errno && !*end;
}

static bool same_value(const json_t *a, const json_t *b)
{
	u64 x, y;

	if (json_is_string(a) && json_is_string(b) &&
	    script_hex(json_string_value(a), &x) &&
	    script_hex(json_string_value(b), &y))
		return x == y;
	return json_equal(a, b);
}

static bool same(const json_t *a, const json_t *b)
{
	size_t i;

	if (!json_is_array(a) || !json_is_array(b))
		return same_value(a, b);
	if (json_array_size(a) != json_array_size(b))
		return false;
	for (i = 0; i < json_array_size(a); i++) {
		if (!same(json_array_get(a, i), json_array_get(b, i)))
			return false;
	}
	return true;
}

/* Members that the result has and "expect" does not name are not compared,
 * in an object inside it just as at the top. */
bool script_expect(const json_t *expect, const json_t *got, size_t *compared,
		   char *path, size_t size, const json_t **want,
		   const json_t **have)
{
	const size_t used = strlen(path);
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)expect, key, value)
	{
		json_t *mine = json_object_get(got, key);
		bool equal;

		snprintf(path + used, size - used, ".%s", key);
		if (json_is_object(value) && json_is_object(mine)) {
			if (!script_expect(value, mine, compared, path, size,
					   want, have))
				return false;
			continue;
		}
		++*compared;
		equal = mine && same(value, mine);
		if (!equal) {
			*want = value;
			*have = mine;
			return false;
		}
	}
	path[used] = '\0';
	return true;
}
