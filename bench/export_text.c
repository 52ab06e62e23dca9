/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bench/encode.h"
#include "bench/export.h"

const struct export_quantile export_quantiles[] = {
	{"p50", 0.5},	  {"p90", 0.9}, {"p99", 0.99},
	{"p99.9", 0.999}, {"max", 1},	{NULL, 0},
};

/* Characters of more than one byte that act instead of being seen. */
static const struct {
	uint32_t first, last;
} acting[] = {
	{0x80, 0x9f},	  /* controls, next line among them */
	{0x200e, 0x200f}, /* marks of direction */
	{0x2028, 0x202e}, /* separators of lines, changes of direction */
	{0x2066, 0x2069}, /* isolation of direction */
};

/* The character of two or three bytes at `p`; 0: it has another length. */
static uint32_t wide(const unsigned char *p, size_t *length)
{
	*length = 1;
	if ((p[0] & 0xe0) == 0xc0 && (p[1] & 0xc0) == 0x80) {
		*length = 2;
		return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
	}
	if ((p[0] & 0xf0) == 0xe0 && (p[1] & 0xc0) == 0x80 &&
	    (p[2] & 0xc0) == 0x80) {
		*length = 3;
		return (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 |
		       (p[2] & 0x3fu);
	}
	return 0;
}

static bool acts(uint32_t c)
{
	for (size_t i = 0; i < sizeof(acting) / sizeof(*acting); i++)
		if (c >= acting[i].first && c <= acting[i].last)
			return true;
	return false;
}

char *export_plain(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	char *plain = malloc(4 * strlen(text) + 1), *to = plain;

	while (plain && *p) {
		size_t length;
		uint32_t c = wide(p, &length);

		if (*p < 0x20 || *p == 0x7f) {
			to += sprintf(to, "\\x%02x", (unsigned int)*p);
		} else if (acts(c)) {
			to += sprintf(to, "\\u%04x", c);
		} else {
			memcpy(to, p, length);
			to += length;
		}
		p += length;
	}
	if (plain)
		*to = '\0';
	return plain;
}

char *export_axis(const json_t *value)
{
	char *json, *plain;

	if (json_is_string(value))
		return export_plain(json_string_value(value));
	json = json_dumps(value, JSON_STYLE | JSON_ENCODE_ANY);
	plain = json ? export_plain(json) : NULL;
	free(json);
	return plain;
}
