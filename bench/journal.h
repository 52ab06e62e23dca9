/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The journal of a run: finished cells, one a line, beside the result, so
 * that whatever happens to the program the next one can go on.  Its first
 * line says what the run was of.
 */
#ifndef TDMEM_BENCH_JOURNAL_H
#define TDMEM_BENCH_JOURNAL_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "bench/err.h"

struct journal {
	FILE *file;
	char *path;
};

/** A finished cell that a journal holds: its index and its text. */
typedef int journal_cell_fn(void *ctx, size_t index, const char *text);

/**
 * Begin the journal of the result `result_path`.  `header` is what two runs
 * must have in common.  Returns -1 with *e; errno EEXIST: there is one.
 */
int journal_create(struct journal *j, const char *result_path,
		   const json_t *header, struct err *e);

/**
 * Go on with the journal of a run: its cells are given to `cell`, a line that
 * was not finished is cut off.  -1 with *e: there is none, it is in use, or
 * its header is another one.
 */
int journal_resume(struct journal *j, const char *result_path,
		   const json_t *header, journal_cell_fn *cell, void *ctx,
		   struct err *e);

/** Append a finished cell; the text is one line of JSON. */
int journal_add(struct journal *j, size_t index, const char *text,
		struct err *e);

/** Close; with `done` the journal is removed as well. */
void journal_close(struct journal *j, int done);

#endif
