/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "bench/base/plain.h"

/* Controls, separators of lines, marks of direction, unassigned. */
static bool acts(utf8proc_int32_t c)
{
	switch (utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_CS:
	case UTF8PROC_CATEGORY_CO:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return true;
	default:
		return false;
	}
}

size_t plain_character(char piece[PLAIN_LONGEST], const char *from)
{
	utf8proc_int32_t c;
	utf8proc_ssize_t n =
		utf8proc_iterate((const utf8proc_uint8_t *)from, -1, &c);

	if (n <= 0 || (n == 1 && acts(c))) {
		snprintf(piece, PLAIN_LONGEST, "\\x%02x",
			 (unsigned int)(unsigned char)*from);
		return 1;
	}
	if (acts(c)) {
		snprintf(piece, PLAIN_LONGEST,
			 c > 0xffff ? "\\U%08x" : "\\u%04x", (unsigned int)c);
	} else {
		memcpy(piece, from, (size_t)n);
		piece[n] = '\0';
	}
	return (size_t)n;
}

void plain_copy(char *to, size_t size, const char *from)
{
	char piece[PLAIN_LONGEST];

	while (*from) {
		size_t n;

		from += plain_character(piece, from);
		n = strlen(piece);
		if (n >= size)
			break;
		memcpy(to, piece, n);
		to += n;
		size -= n;
	}
	*to = '\0';
}

char *plain_text(const char *from)
{
	size_t size = 4 * strlen(from) + 1;
	char *text = malloc(size);

	if (text)
		plain_copy(text, size, from);
	return text;
}
