/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that is freed all at once. */
#ifndef TDMEM_BENCH_BASE_ARENA_H
#define TDMEM_BENCH_BASE_ARENA_H

#include <stddef.h>

struct arena;

/** An empty one; NULL when out of memory. */
struct arena *arena_new(void);
void arena_free(struct arena *arena);

/** Zeroed bytes, aligned for anything; NULL when out of memory. */
void *arena_alloc(struct arena *arena, size_t n, size_t size);

/** A copy of a text, or of its first n bytes. */
char *arena_text(struct arena *arena, const char *text);
char *arena_textn(struct arena *arena, const char *text, size_t n);

/** A formatted text. */
__attribute__((format(printf, 2, 3))) char *
arena_print(struct arena *arena, const char *format, ...);

#endif
