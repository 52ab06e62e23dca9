/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file that is either there whole or not at all: written beside its place
 * under another name, synced and renamed.
 */
#ifndef TDMEM_BENCH_OUTPUT_H
#define TDMEM_BENCH_OUTPUT_H

#include <stdio.h>

#include "bench/err.h"

struct output {
	FILE *file;
	const char *path; /* borrowed */
	char *temporary;
};

/**
 * Open for writing to what will be `path`.  A path that exists must be a
 * regular file.  Returns -1 with *e, EXIT_FAILED.
 */
int output_open(struct output *out, const char *path, struct err *e);

/** Make it be there.  Closes in any case; -1 with *e and nothing changed. */
int output_commit(struct output *out, struct err *e);

/** Leave no trace.  After either of the two nothing is left to free. */
void output_abandon(struct output *out);

#endif
