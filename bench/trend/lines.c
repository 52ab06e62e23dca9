/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/base/json.h"
#include "bench/trend/impl.h"
#include "bench/trend/lines.h"

#define MAX_BYTES ((size_t)2 << 30)

enum { CHECKSUM = 16 }; /* digits, and a blank behind them */

/* --------------------------------------------------------------- reading */

static bool is_right(const struct line *l)
{
	char digits[CHECKSUM + 1];

	if (l->n <= CHECKSUM + 1)
		return false;
	snprintf(digits, sizeof(digits), "%016" PRIx64,
		 trend_hash(TREND_HASH, l->text + CHECKSUM + 1,
			    l->n - CHECKSUM - 1));
	return memcmp(digits, l->text, CHECKSUM) == 0;
}

/* What is behind the last line's end was cut off in the middle. */
static size_t count_ends(const char *text, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += text[i] == '\n';
	return n;
}

static void split(const char *text, size_t size, struct lines *lines)
{
	const char *end;

	lines->line = calloc(count_ends(text, size) + 1, sizeof(struct line));
	if (!lines->line)
		return;
	while ((end = memchr(text, '\n', size))) {
		struct line l = {text, (size_t)(end - text)};

		if (is_right(&l))
			lines->line[lines->n++] = (struct line){
				l.text + CHECKSUM + 1, l.n - CHECKSUM - 1};
		size -= l.n + 1;
		text = end + 1;
	}
}

void lines_load(const char *dir, const char *name, const char *version,
		struct lines *lines)
{
	size_t head = strlen(version), size;
	char *path;
	struct err e;

	*lines = (struct lines){0};
	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return;
	lines->text = read_file(path, MAX_BYTES, &size, &e);
	free(path);
	if (lines->text && size > head &&
	    memcmp(lines->text, version, head) == 0 &&
	    lines->text[head] == '\n')
		split(lines->text + head + 1, size - head - 1, lines);
}

void lines_free(struct lines *lines)
{
	free(lines->line);
	free(lines->text);
	*lines = (struct lines){0};
}

/* --------------------------------------------------------------- writing */

static bool write_lines(FILE *f, const char *version, lines_fn *fn,
			const void *ctx, size_t n)
{
	bool good = fprintf(f, "%s\n", version) > 0;

	for (size_t i = 0; good && i < n; i++) {
		char *text = NULL;

		good = fn(ctx, i, &text);
		if (good && text)
			good = fprintf(f, "%016" PRIx64 " %s\n",
				       trend_hash(TREND_HASH, text,
						  strlen(text)),
				       text) > 0;
		free(text);
	}
	return good;
}

static const char *cannot(struct arena *arena, const char *path)
{
	const char *why = arena_print(arena, "%s: cannot be written: %s", path,
				      strerror(errno));

	return why ? why : "out of memory";
}

/* mkstemp() makes files that nobody else may read. */
static void allow_reading(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	fchmod(fd, 0666 & ~mask);
}

const char *lines_save(const char *dir, const char *name, const char *version,
		       lines_fn *fn, const void *ctx, size_t n,
		       struct arena *arena)
{
	const char *path = arena_print(arena, "%s/%s", dir, name);
	char *temporary = arena_print(arena, "%s/%s.XXXXXX", dir, name);
	const char *trouble = NULL;
	FILE *f;
	int fd;

	if (!path || !temporary)
		return "out of memory";
	fd = mkstemp(temporary);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f) {
		trouble = cannot(arena, path);
		if (fd >= 0)
			close(fd);
	} else {
		allow_reading(fd);
		if (!write_lines(f, version, fn, ctx, n))
			trouble = cannot(arena, path);
		if (fclose(f) && !trouble)
			trouble = cannot(arena, path);
		if (!trouble && rename(temporary, path))
			trouble = cannot(arena, path);
	}
	if (trouble && fd >= 0)
		unlink(temporary);
	return trouble;
}
