/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bench/err.h"

static int is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

/*
 * Copy `from` into `to`, control characters as \xNN: what a file or an
 * argument holds must not move the cursor of whoever reads the message, nor
 * make two lines of one.
 */
static void make_visible(char *to, size_t size, const char *from)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (; *from; from++) {
		unsigned char c = (unsigned char)*from;

		if (n + (is_control(c) ? 5 : 2) > size)
			break;
		if (is_control(c)) {
			to[n++] = '\\';
			to[n++] = 'x';
			to[n++] = hex[c >> 4];
			to[n++] = hex[c & 15];
		} else {
			to[n++] = (char)c;
		}
	}
	to[n] = '\0';
}

int err_set(struct err *e, enum exit_status status, const char *format, ...)
{
	char raw[sizeof(e->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	e->status = status;
	make_visible(e->text, sizeof(e->text), raw);
	return -1;
}
