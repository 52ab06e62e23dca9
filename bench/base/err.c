/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdarg.h>
#include <stdio.h>

#include "bench/base/err.h"
#include "bench/base/plain.h"

int err_set(struct err *e, enum exit_status status, const char *format, ...)
{
	char raw[sizeof(e->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	e->status = status;
	/*
	 * What a file or an argument holds must not move the cursor of whoever
	 * reads the message, nor make two lines of one.
	 */
	plain_copy(e->text, sizeof(e->text), raw);
	return -1;
}
