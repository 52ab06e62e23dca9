/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file that is either there whole or not at all: written beside its place
 * under another name, synced and renamed.
 */
#ifndef TDMEM_BENCH_BASE_OUTPUT_H
#define TDMEM_BENCH_BASE_OUTPUT_H

#include <stdio.h>

#include "bench/base/err.h"

struct output {
	FILE *file;
	const char *path; /* borrowed */
	char *temporary;
};

/**
 * May there be a result at `path`?  What exists must be a regular file:
 * renaming over a device or a folder would do harm.  -1 with *e.
 */
int output_check(const char *path, struct err *e);

/**
 * Open for writing to what will be `path`.  The file beside it is PATH.tmp; a
 * left one is used again, so the caller makes sure that nobody else writes.
 * Returns -1 with *e, EXIT_FAILED.
 */
int output_open(struct output *out, const char *path, struct err *e);

/** Make it be there.  Closes in any case; -1 with *e and nothing changed. */
int output_commit(struct output *out, struct err *e);

/** Leave no trace.  After either of the two nothing is left to free. */
void output_abandon(struct output *out);

#endif
