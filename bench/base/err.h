/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One error path: whoever fails says what was being done and to what, in one
 * line, and returns; main() prints it.
 */
#ifndef TDMEM_BENCH_BASE_ERR_H
#define TDMEM_BENCH_BASE_ERR_H

/** Exit statuses of the program; the manual has them as a table. */
enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2, /* wrong usage or configuration */
	EXIT_REGRESSION = 3,
	EXIT_UNSUPPORTED = 4,
};

struct err {
	enum exit_status status;
	char text[512];
};

/** Fill *e (cut to fit, control characters made visible) and return -1. */
__attribute__((format(printf, 3, 4))) int
err_set(struct err *e, enum exit_status status, const char *format, ...);

#endif
