/* SPDX-License-Identifier: GPL-2.0-only */
/* Names that people type: which are known, and which one was meant. */
#ifndef TDMEM_BENCH_BASE_NAMES_H
#define TDMEM_BENCH_BASE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct at;

/** Names by index; NULL ends them. */
typedef const char *name_fn(const void *ctx, size_t index);

/** Index of a name; -1 when it is none of them. */
int find_name(const char *name, name_fn *names, const void *ctx);

/**
 * Why a name is none of them: "unknown WHAT "name"; did you mean "..."?", or
 * with the names there are.  Returns buf.
 */
const char *unknown_name(const char *name, const char *what, name_fn *names,
			 const void *ctx, char *buf, size_t size);

/** Index of a name; else -1 and the error is set at the place. */
int parse_name(const char *name, const char *what, name_fn *names,
	       const void *ctx, const struct at *at);

/** 0 if the key is one of the names; else -1 and the error is set. */
int check_key(const char *key, name_fn *names, const void *ctx,
	      const struct at *at);

/** Names of a plain array ended by NULL; ctx is the array. */
const char *array_name(const void *ctx, size_t index);

#endif
