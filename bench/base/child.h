/* SPDX-License-Identifier: GPL-2.0-only */
/* Another program: run to its end for what it printed, or beside this one. */
#ifndef TDMEM_BENCH_BASE_CHILD_H
#define TDMEM_BENCH_BASE_CHILD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

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

/** What a child that runs beside this program has open. */
struct child_files {
	int in;	      /* its stdin; -1: empty */
	int out, err; /* its stdout and stderr */
	int keep;     /* open in it under the same number; -1: none */
};

/**
 * Start argv[0], which is looked for in PATH, with signals as for a new
 * program, in a process group of its own.  0 with *pid, or an errno.
 */
int child_spawn(const char *const *argv, const struct child_files *files,
		pid_t *pid);

/**
 * Send a signal (0: none) and wait until it has ended; after `patience_ms` it
 * is killed.  Returns its status as of waitpid().
 */
int child_end(pid_t pid, int signal_number, unsigned patience_ms);

#endif
