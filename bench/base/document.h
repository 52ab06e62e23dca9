/* SPDX-License-Identifier: GPL-2.0-only */
/* What a command prints, on standard output or to a file: all or nothing. */
#ifndef TDMEM_BENCH_BASE_DOCUMENT_H
#define TDMEM_BENCH_BASE_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "bench/base/err.h"

struct document {
	FILE *file; /* to print to, in memory */
	char *text;
	size_t size;
};

/** -1 with *e: out of memory.  document_end() follows when it is 0. */
int document_begin(struct document *d, struct err *e);

/**
 * Print it to the file `path`, or to standard output when that is NULL, if
 * `status` is 0; else drop it.  Returns `status`, or -1 with *e.
 */
int document_end(struct document *d, int status, const char *path,
		 struct err *e);

/** A command line that a shell reads so; for free(), NULL: no memory. */
char *document_command(int argc, char *const *argv);

/**
 * Is the file `path`, which may be NULL, one of these?  What takes long to
 * make must not be written over by a slip of the hand.
 */
bool document_is_one_of(const char *path, const char *const *files, size_t n);

/** The forms of many documents, "text" and "json"; ended by NULL. */
extern const char *const document_text_json[];

#endif
