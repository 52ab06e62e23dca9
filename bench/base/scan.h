/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON text, walked value by value without making anything of it.  What is
 * passed over is not checked but for its brackets and quotes, which is what
 * makes it fast; everything that is taken is checked.
 */
#ifndef TDMEM_BENCH_BASE_SCAN_H
#define TDMEM_BENCH_BASE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A place in a text, which ends with a NUL at `end`. */
struct scan {
	const char *p, *end;
};

/** The next character that is no blank; '\0' at the end. */
char scan_peek(struct scan *s);

/** Take that character if it is c. */
bool scan_take(struct scan *s, char c);

/**
 * The name of the next member and its colon: as it stands between the
 * quotes, escapes and all.
 */
bool scan_name(struct scan *s, const char **name, size_t *length);

/** Is a name of scan_name() this one? */
bool scan_is(const char *name, size_t length, const char *what);

/** Pass over one value; false when it has no end. */
bool scan_skip(struct scan *s);

/** A number, or null, which is NaN. */
bool scan_number(struct scan *s, double *value);

/** An integer of 0 and above. */
bool scan_count(struct scan *s, uint64_t *value);

/** true or false. */
bool scan_bool(struct scan *s, bool *value);

/**
 * Takes the value of a member; false: it is not what was expected.  The
 * value must be taken whole.
 */
typedef bool scan_member_fn(void *ctx, struct scan *s, const char *name,
			    size_t length);

/** All members of an object. */
bool scan_object(struct scan *s, scan_member_fn *member, void *ctx);

/** Takes an element of a list. */
typedef bool scan_element_fn(void *ctx, struct scan *s);

/** All elements of a list. */
bool scan_list(struct scan *s, scan_element_fn *element, void *ctx);

#endif
