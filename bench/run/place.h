/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a run's result goes: its path, its journal, the file being written. */
#ifndef TDMEM_BENCH_RUN_PLACE_H
#define TDMEM_BENCH_RUN_PLACE_H

#include <stdbool.h>

#include "bench/base/output.h"
#include "bench/run/write.h"
#include "bench/run/journal.h"

struct place {
	char *path;
	struct journal journal;
	struct output output;
};

/**
 * Take a place before anything runs, so that a bad path is known at once: the
 * one named, or results/NAME-DATE-N.json of the config when `path` is NULL.
 * With `resume` the journal that is there is gone on with.  -1 with *e.
 */
int place_take(struct place *place, const struct sides *sides, const char *path,
	       bool resume, struct err *e);

/** Write the result of what the journal has; -1 with *e. */
int place_write(struct place *place, const struct result_top *top,
		struct err *e);

/** Give it back; the journal stays unless `done`. */
void place_leave(struct place *place, bool done);

#endif
