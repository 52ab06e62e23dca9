/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module scripts: the model of the TDX module driven by hand, one JSON object
 * a line, each with the answer that is expected of it.  `tdmem module` is a
 * thin command around script_run().
 */
#ifndef TDMEM_BENCH_SCRIPT_SCRIPT_H
#define TDMEM_BENCH_SCRIPT_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "bench/base/err.h"

/** Longest line of a script, in bytes. */
#define SCRIPT_LINE_MAX (1u << 20)

struct script_options {
	const char *name; /* of the script, for messages */
	FILE *out;	  /* each line's result as a JSON line; NULL: none */
	FILE *diag;	  /* where mismatches are told; NULL: nowhere */
	bool keep_going;  /* go on after a mismatch */
	bool threads;	  /* calls run on threads of this host's CPUs */
};

struct script_result {
	size_t lines;	       /* steps that were carried out */
	size_t expectations;   /* members of "expect" that were compared */
	size_t mismatches;     /* lines with a member that differed */
	size_t first_mismatch; /* number of the first such line, from 1; or 0 */
};

/**
 * Run the script in `in`.  Returns 0 when it was carried out to its end, or,
 * without keep_going, up to the first mismatch: *result tells.  Returns -1
 * and fills *e when a line is not a valid step (EXIT_USAGE), could not be
 * carried out (EXIT_FAILED), or is a race on threads (EXIT_UNSUPPORTED).
 * *result is always filled.
 */
int script_run(FILE *in, const struct script_options *options,
	       struct script_result *result, struct err *e);

/** The `module` command; argv[0] is "module".  Returns the exit status. */
int cmd_module(int argc, char **argv);

#endif
