/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON that comes from outside: read with bounds, checked member by member,
 * and every complaint names the file, the place and what was expected.
 */
#ifndef TDMEM_BENCH_BASE_JSON_H
#define TDMEM_BENCH_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/base/err.h"

/**
 * The whole of a file that holds at most `max` bytes, ended by a NUL that
 * *size does not count; the caller frees it.  NULL with *e when it cannot be
 * read or is larger.
 */
char *read_file(const char *path, size_t max, size_t *size, struct err *e);

/**
 * Load a JSON file of at most `max` bytes.  The caller owns the reference.
 * NULL with *e: unreadable, too large, nested too deeply, not JSON, or an
 * object with the same key twice.
 */
json_t *json_read(const char *path, size_t max, struct err *e);

/** A place in a document: a chain that ends at the root, on the stack. */
struct at {
	const struct at *up; /* NULL: the root */
	const char *file;    /* root only */
	struct err *err;     /* root only */
	const char *key;     /* NULL: an element of a list */
	size_t index;
};

static inline struct at at_root(const char *file, struct err *err)
{
	return (struct at){.file = file, .err = err};
}

static inline struct at at_key(const struct at *up, const char *key)
{
	return (struct at){.up = up, .key = key};
}

static inline struct at at_index(const struct at *up, size_t index)
{
	return (struct at){.up = up, .index = index};
}

/** Set the error "FILE: PATH: message", status EXIT_USAGE; returns -1. */
__attribute__((format(printf, 2, 3))) int at_bad(const struct at *at,
						 const char *format, ...);

/** A member that an object may have. */
struct member {
	const char *name;
	bool required;
	int (*parse)(void *ctx, json_t *value, const struct at *at);
};

/**
 * Parse an object by a table ended by a NULL name, in the table's order.
 * Unknown members, missing required ones and other types are errors.
 */
int parse_object(json_t *value, const struct member *members, void *ctx,
		 const struct at *at);

/* Values of one type each; -1 with the error set. */
int parse_string(json_t *value, const char **out, const struct at *at);
int parse_bool(json_t *value, bool *out, const struct at *at);
int parse_int(json_t *value, int64_t min, int64_t max, int64_t *out,
	      const struct at *at);
int parse_number(json_t *value, double min, double max, double *out,
		 const struct at *at);

#endif
