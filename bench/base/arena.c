/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdarg.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/arena.h"

enum { BLOCK = 64 * 1024, ALIGN = alignof(max_align_t) };

struct block {
	struct block *next;
	size_t used, size;
	alignas(ALIGN) char bytes[];
};

struct arena {
	struct block *block;
};

struct arena *arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
	struct block *next;

	for (struct block *b = arena ? arena->block : NULL; b; b = next) {
		next = b->next;
		free(b);
	}
	free(arena);
}

static struct block *add_block(struct arena *arena, size_t need)
{
	size_t size = need > BLOCK ? need : BLOCK;
	struct block *b = calloc(1, sizeof(*b) + size);

	if (!b)
		return NULL;
	b->size = size;
	b->next = arena->block;
	arena->block = b;
	return b;
}

void *arena_alloc(struct arena *arena, size_t n, size_t size)
{
	struct block *b = arena->block;
	size_t need;
	void *at;

	if (size && n > (SIZE_MAX - 2 * BLOCK) / size)
		return NULL;
	need = (n * size + ALIGN - 1) / ALIGN * ALIGN;
	if (!b || b->size - b->used < need)
		b = add_block(arena, need);
	if (!b)
		return NULL;
	at = b->bytes + b->used;
	b->used += need;
	return at;
}

char *arena_textn(struct arena *arena, const char *text, size_t n)
{
	char *copy = arena_alloc(arena, n + 1, 1);

	if (copy)
		memcpy(copy, text, n);
	return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
	return arena_textn(arena, text, strlen(text));
}

char *arena_print(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = n < 0 ? NULL : arena_alloc(arena, (size_t)n + 1, 1);
	if (!text)
		return NULL;
	va_start(args, format);
	vsnprintf(text, (size_t)n + 1, format, args);
	va_end(args);
	return text;
}
