/* SPDX-License-Identifier: GPL-2.0-only */
/* The same for many things, by some threads. */
#ifndef TDMEM_BENCH_BASE_PARALLEL_H
#define TDMEM_BENCH_BASE_PARALLEL_H

#include <stdbool.h>
#include <stddef.h>

/** Does the index-th; false: all are to stop. */
typedef bool parallel_fn(void *ctx, size_t index);

/**
 * Call fn for 0 to n - 1, in any order, by at most `jobs` threads, of which
 * the caller is one; those that cannot be made are done without.  Returns
 * when all are done; false when any call returned false.
 */
bool parallel_for(size_t n, unsigned int jobs, parallel_fn *fn, void *ctx);

/** Of what --jobs may be. */
enum { MAX_JOBS = 1024 };

/** What --jobs is when it is not given: the CPUs that there are. */
long parallel_jobs(void);

#endif
