/* SPDX-License-Identifier: GPL-2.0-only */
/* Where and with what a result was made. */
#ifndef TDMEM_BENCH_OBSERVE_ENVIRONMENT_H
#define TDMEM_BENCH_OBSERVE_ENVIRONMENT_H

#include <jansson.h>

#include "bench/base/err.h"

struct strings;

/**
 * Host name, kernel, CPU, memory, topology, compiler, time (ISO 8601, UTC)
 * and the command line.  What cannot be found out is left out.  NULL when
 * out of memory.
 */
json_t *environment(int argc, char *const *argv);

/**
 * "KEY=VALUE" texts as an object, empty when there are none.  A key is 1 to 40
 * of a-z 0-9 _ . -, and there once.  NULL with *e.
 */
json_t *environment_tags(const struct strings *tags, struct err *e);

/**
 * "2026-01-31T12:00:00Z": now, or what SOURCE_DATE_EPOCH says (seconds since
 * 1970), so that a history can be made again; "" when that is no number.
 */
enum { TIME_TEXT = 32 };
void time_text(char buf[TIME_TEXT]);

#endif
