/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The journal of a run: its repeats as they come in, one a line, in a file
 * beside the result.  Whatever happens to the program, the next one can go on
 * from it.  It is also where a run keeps its repeats: in memory is only where
 * each one is in the file.  Its first line says what the run was of.
 */
#ifndef TDMEM_BENCH_RUN_JOURNAL_H
#define TDMEM_BENCH_RUN_JOURNAL_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "bench/base/err.h"
#include "bench/run/repeat.h"

#define JOURNAL_SCHEMA "tdmem-journal/2"

/** A repeat that is in the journal. */
struct journal_entry {
	struct run_item item;
	enum cell_status status;
	double rate;
	off_t line; /* where its line begins */
	struct repeat_place place;
};

struct journal {
	FILE *file;
	char *path;
	off_t end;
	struct journal_entry *entry; /* in the order in which they came in */
	size_t n, room;
};

/**
 * Begin the journal of the result `result_path`.  `header` is what two runs
 * must have in common.  Returns -1 with *e; errno EEXIST: there is one.
 */
int journal_create(struct journal *j, const char *result_path,
		   const json_t *header, struct err *e);

/**
 * Go on with the journal of a run; a line that was not finished is cut off.
 * -1 with *e: there is none, it is in use, it is of an older version, or its
 * header is another one.
 */
int journal_resume(struct journal *j, const char *result_path,
		   const json_t *header, struct err *e);

/** One that is in memory only; -1 with *e. */
int journal_in_memory(struct journal *j, struct err *e);

/** Append a repeat. */
int journal_add(struct journal *j, const struct run_item *item,
		const struct repeat *repeat, struct err *e);

/** Bring the entries into the order of cells, and of repeats within each. */
void journal_sort(struct journal *j);

/** Copy the text of a repeat to a stream; -1 when it cannot be read. */
int journal_copy(const struct journal *j, const struct journal_entry *entry,
		 FILE *to);

/** The reason of a repeat into buf; -1 when it cannot be read. */
int journal_reason(const struct journal *j, const struct journal_entry *entry,
		   char *buf, size_t size);

/** Close; with `done` the journal is removed as well. */
void journal_close(struct journal *j, int done);

#endif
