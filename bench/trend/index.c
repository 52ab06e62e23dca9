/* SPDX-License-Identifier: GPL-2.0-only */
/* The index: of each file what is kept of it. */
#include <stdlib.h>
#include <string.h>

#include "bench/base/parallel.h"
#include "bench/trend/impl.h"
#include "bench/trend/lines.h"

/* Raise the number with each change of what a line says. */
#define VERSION "tdmem-index/1"

uint64_t trend_hash(uint64_t hash, const void *bytes, size_t n)
{
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
	return hash;
}

struct reading {
	const struct lines *lines;
	struct trend_entry **entry;
};

/* A line that is broken gives no entry: its file is read again. */
static bool read_line(void *ctx, size_t i)
{
	struct reading *r = ctx;
	const struct line *l = &r->lines->line[i];

	r->entry[i] = trend_entry_decode(l->text, l->n);
	return true;
}

static int by_path(const void *x, const void *y)
{
	const struct trend_entry *a = *(struct trend_entry *const *)x;
	const struct trend_entry *b = *(struct trend_entry *const *)y;

	return strcmp(a->path, b->path);
}

void trend_index_load(const char *dir, unsigned int jobs,
		      struct trend_index *index)
{
	struct lines lines;
	struct reading r = {.lines = &lines};

	*index = (struct trend_index){0};
	lines_load(dir, TREND_INDEX, VERSION, &lines);
	r.entry = calloc(lines.n + 1, sizeof(struct trend_entry *));
	if (r.entry) {
		parallel_for(lines.n, jobs, read_line, &r);
		for (size_t i = 0; i < lines.n; i++)
			if (r.entry[i])
				r.entry[index->n++] = r.entry[i];
		qsort(r.entry, index->n, sizeof(struct trend_entry *), by_path);
		index->entry = r.entry;
	}
	lines_free(&lines);
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

static bool encode_entry(const void *ctx, size_t i, char **text)
{
	const struct trend_entry *entry = ((struct trend_entry *const *)ctx)[i];

	if (!entry || entry->young)
		return true;
	*text = trend_entry_encode(entry);
	return *text != NULL;
}

const char *trend_index_save(const char *dir, struct trend_entry *const *entry,
			     size_t n, struct arena *arena)
{
	return lines_save(dir, TREND_INDEX, VERSION, encode_entry, entry, n,
			  arena);
}
