/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The caches of a history: files in its folder, of a line with the version and
 * lines of JSON, each with a checksum.  Whatever is wrong with one costs time
 * only.  Processes that write at once each write a file of their own and
 * rename it; who comes last wins.
 */
#ifndef TDMEM_BENCH_TREND_LINES_H
#define TDMEM_BENCH_TREND_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/base/arena.h"

struct line {
	const char *text; /* without its checksum */
	size_t n;
};

/** The lines of a file whose checksums are right. */
struct lines {
	size_t n;
	struct line *line;
	char *text; /* owns them */
};

/** Of a file that is missing or of another version there are none. */
void lines_load(const char *dir, const char *name, const char *version,
		struct lines *lines);
void lines_free(struct lines *lines);

/**
 * The i-th line: *text is set to one for free(), or to NULL to leave it out.
 * False: out of memory.
 */
typedef bool lines_fn(const void *ctx, size_t i, char **text);

/** Write a file of n lines.  NULL, or why it could not be, in the arena. */
const char *lines_save(const char *dir, const char *name, const char *version,
		       lines_fn *fn, const void *ctx, size_t n,
		       struct arena *arena);

#endif
