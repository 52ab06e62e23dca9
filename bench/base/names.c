/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "bench/base/json.h"
#include "bench/base/names.h"

enum { LONGEST = 40 }; /* longer names are not compared */

const char *array_name(const void *ctx, size_t index)
{
	return ((const char *const *)ctx)[index];
}

int find_name(const char *name, name_fn *names, const void *ctx)
{
	const char *known;

	for (size_t i = 0; (known = names(ctx, i)); i++)
		if (strcmp(known, name) == 0)
			return (int)i;
	return -1;
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* How many letters have to be changed, added or left out (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
	size_t row[LONGEST + 1], n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t up = row[j];

			row[j] = least(up + 1, row[j - 1] + 1,
				       corner + (a[i - 1] != b[j - 1]));
			corner = up;
		}
	}
	return row[n];
}

static const char *nearest(const char *name, name_fn *names, const void *ctx)
{
	const char *known, *best = NULL;
	size_t len = strlen(name), best_distance = len < 4 ? 2 : 3;

	if (len > LONGEST)
		return NULL;
	for (size_t i = 0; (known = names(ctx, i)); i++) {
		size_t d = strlen(known) > LONGEST ? LONGEST
						   : distance(name, known);

		if (d < best_distance) {
			best_distance = d;
			best = known;
		}
	}
	return best;
}

const char *unknown_name(const char *name, const char *what, name_fn *names,
			 const void *ctx, char *buf, size_t size)
{
	const char *near = nearest(name, names, ctx), *known;
	int n = snprintf(buf, size, "unknown %s \"%.60s\"", what, name);

	if (near) {
		snprintf(buf + n, size - (size_t)n, "; did you mean \"%s\"?",
			 near);
		return buf;
	}
	for (size_t i = 0; (known = names(ctx, i)) && (size_t)n < size; i++)
		n += snprintf(buf + n, size - (size_t)n, "%s%s",
			      i ? ", " : "; expected one of ", known);
	return buf;
}

int parse_name(const char *name, const char *what, name_fn *names,
	       const void *ctx, const struct at *at)
{
	int index = find_name(name, names, ctx);
	char why[200];

	if (index < 0)
		at_bad(at, "%s",
		       unknown_name(name, what, names, ctx, why, sizeof(why)));
	return index;
}

int check_key(const char *key, name_fn *names, const void *ctx,
	      const struct at *at)
{
	return parse_name(key, "key", names, ctx, at) < 0 ? -1 : 0;
}
