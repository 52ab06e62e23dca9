/* SPDX-License-Identifier: GPL-2.0-only */
/* Another program, run to its end, and what it printed. */
#ifndef TDMEM_BENCH_BASE_CHILD_H
#define TDMEM_BENCH_BASE_CHILD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "bench/base/err.h"

struct child_output {
	char *text; /* all of stdout, ended by a NUL; owned */
	size_t n;
	char error[200]; /* how stderr begins, its first line */
	int status;	 /* as of waitpid() */
	bool stopped;	 /* killed because of *stop */
};

/**
 * Run argv[0] with stdin empty and signals as for a new program, in a process
 * group of its own.  It is killed when it prints more than `max` bytes or
 * when *stop becomes non-zero (NULL: never).  -1 with *e: it cannot be run,
 * or printed too much.
 */
int child_run(const char *const *argv, size_t max, const atomic_int *stop,
	      struct child_output *out, struct err *e);

#endif
