/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The index: a line with its version, then a line for each file, which is a
 * checksum and what is kept of the file as JSON.  It is a cache: whatever is
 * wrong with it costs time only.  Processes that write at once each write a
 * file of their own and rename it; who comes last wins.
 */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/base/json.h"
#include "bench/base/parallel.h"
#include "bench/trend/impl.h"

/* Raise the number with each change of what a line says. */
#define VERSION_LINE "tdmem-index/1\n"
#define MAX_BYTES    ((size_t)2 << 30)

enum { CHECKSUM = 16 }; /* digits, and a blank behind them */

uint64_t trend_hash(uint64_t hash, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)bytes[i]) *
		       UINT64_C(0x100000001b3);
	return hash;
}

/* --------------------------------------------------------------- reading */

struct line {
	const char *text;
	size_t n;
};

struct reading {
	struct line *line;
	struct trend_entry **entry;
};

static size_t split_lines(char *text, size_t size, struct line *line)
{
	size_t n = 0;

	for (char *p = text, *end; p < text + size; p = end + 1) {
		end = memchr(p, '\n', (size_t)(text + size - p));
		if (!end) /* cut off in the middle */
			break;
		if (line)
			line[n] = (struct line){p, (size_t)(end - p)};
		n++;
	}
	return n;
}

/* A line that is broken gives no entry: its file is read again. */
static bool read_line(void *ctx, size_t i)
{
	struct reading *r = ctx;
	const struct line *l = &r->line[i];
	char digits[CHECKSUM + 1];

	if (l->n <= CHECKSUM + 1)
		return true;
	snprintf(digits, sizeof(digits), "%016" PRIx64,
		 trend_hash(TREND_HASH, l->text + CHECKSUM + 1,
			    l->n - CHECKSUM - 1));
	if (memcmp(digits, l->text, CHECKSUM) != 0)
		return true;
	r->entry[i] =
		trend_entry_decode(l->text + CHECKSUM + 1, l->n - CHECKSUM - 1);
	return true;
}

static int by_path(const void *x, const void *y)
{
	const struct trend_entry *a = *(struct trend_entry *const *)x;
	const struct trend_entry *b = *(struct trend_entry *const *)y;

	return strcmp(a->path, b->path);
}

static void read_lines(char *text, size_t size, unsigned int jobs,
		       struct trend_index *index)
{
	size_t n = split_lines(text, size, NULL);
	struct reading r = {
		.line = calloc(n + 1, sizeof(*r.line)),
		.entry = calloc(n + 1, sizeof(struct trend_entry *)),
	};

	if (r.line && r.entry) {
		split_lines(text, size, r.line);
		parallel_for(n, jobs, read_line, &r);
		for (size_t i = 0; i < n; i++)
			if (r.entry[i])
				r.entry[index->n++] = r.entry[i];
		qsort(r.entry, index->n, sizeof(struct trend_entry *), by_path);
		index->entry = r.entry;
	} else {
		free(r.entry);
	}
	free(r.line);
}

void trend_index_load(const char *dir, unsigned int jobs,
		      struct trend_index *index)
{
	size_t head = strlen(VERSION_LINE), size;
	char *path, *text;
	struct err e;

	*index = (struct trend_index){0};
	if (asprintf(&path, "%s/" TREND_INDEX, dir) < 0)
		return;
	text = read_file(path, MAX_BYTES, &size, &e);
	if (text && size >= head && memcmp(text, VERSION_LINE, head) == 0)
		read_lines(text + head, size - head, jobs, index);
	free(text);
	free(path);
}

void trend_index_free(struct trend_index *index)
{
	for (size_t i = 0; i < index->n; i++)
		trend_entry_free(index->entry[i]);
	free(index->entry);
	*index = (struct trend_index){0};
}

struct trend_entry *trend_index_find(const struct trend_index *index,
				     const struct trend_file *file)
{
	size_t low = 0, high = index->n;

	while (low < high) {
		size_t middle = (low + high) / 2;
		struct trend_entry *entry = index->entry[middle];
		int order = strcmp(entry->path, file->path);

		if (order == 0)
			return entry->size == file->size &&
					       entry->mtime_ns == file->mtime_ns
				       ? entry
				       : NULL;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* --------------------------------------------------------------- writing */

static bool write_entries(FILE *f, struct trend_entry *const *entry, size_t n)
{
	bool good = fputs(VERSION_LINE, f) >= 0;

	for (size_t i = 0; good && i < n; i++) {
		char *text;

		if (!entry[i] || entry[i]->young)
			continue;
		text = trend_entry_encode(entry[i]);
		good = text &&
		       fprintf(f, "%016" PRIx64 " %s\n",
			       trend_hash(TREND_HASH, text, strlen(text)),
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

static const char *write_and_rename(const char *path, char *temporary,
				    struct trend_entry *const *entry, size_t n,
				    struct arena *arena)
{
	int fd = mkstemp(temporary);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	const char *trouble = NULL;

	if (!f) {
		trouble = cannot(arena, path);
		if (fd >= 0)
			close(fd);
	} else {
		allow_reading(fd);
		if (!write_entries(f, entry, n))
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

const char *trend_index_save(const char *dir, struct trend_entry *const *entry,
			     size_t n, struct arena *arena)
{
	const char *path = arena_print(arena, "%s/" TREND_INDEX, dir);
	char *temporary = arena_print(arena, "%s/" TREND_INDEX ".XXXXXX", dir);

	if (!path || !temporary)
		return "out of memory";
	return write_and_rename(path, temporary, entry, n, arena);
}
