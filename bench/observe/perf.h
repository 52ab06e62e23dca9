/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Linux perf beside a run: attached to this process, counting or recording
 * only while something is measured.
 */
#ifndef TDMEM_BENCH_OBSERVE_PERF_H
#define TDMEM_BENCH_OBSERVE_PERF_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/base/err.h"
#include "bench/observe/companion.h"

enum { PERF_WORDS = 32 };

struct perf {
	struct companion companion;
	char *words;		      /* of the user, cut up */
	const char *argv[PERF_WORDS]; /* "perf", "stat", "-e", ... */
	size_t nargv;
	bool record;
	char *path; /* what it writes */
	bool asked; /* to count; not whether it has answered */
	uint32_t windows;
	uint64_t since_ns, until_ns; /* of the last window */
	uint64_t window_ns;	     /* of all, together */
};

/**
 * Understand "stat" or "record", and perf's own options behind it; starts
 * nothing.  -1 with *e.  perf_free() in any case.
 */
int perf_choose(struct perf *p, const char *words, struct err *e);

/**
 * Start it for this process and all threads that it will start from now on; it
 * writes to a file named after the result.  -1 with *e: that file may not be
 * written.  That perf does not run is no error: p->companion.missing.
 */
int perf_start(struct perf *p, const char *result, struct err *e);

/**
 * Tell it that a window begins or ends.  By one thread at a time.  In what
 * follows it is not known whether it counts until perf_obeyed().
 */
void perf_tell(struct perf *p, bool begin);

/** Has it done so, or will it never?  Waits for at most `ms`. */
bool perf_obeyed(struct perf *p, int ms);

/** End it.  What it was, and what perf stat counted; NULL: no memory. */
json_t *perf_finish(struct perf *p);
/** Also of a struct that is all zero. */
void perf_free(struct perf *p);

/**
 * The lines that `perf stat -x ;` writes as a list of objects, see the schema
 * of results.  NULL: out of memory.
 */
json_t *perf_stat_events(FILE *f);

#endif
