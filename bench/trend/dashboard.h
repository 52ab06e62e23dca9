/* SPDX-License-Identifier: GPL-2.0-only */
/* A history as static pages that open from a file, without a server. */
#ifndef TDMEM_BENCH_TREND_DASHBOARD_H
#define TDMEM_BENCH_TREND_DASHBOARD_H

#include "bench/base/err.h"
#include "bench/trend/trend.h"

/**
 * Write the pages of a history, whose changes have been found, to the folder
 * `out`, which is made.  `dir` is the folder of the history: the pages link
 * to the results in it by relative paths.  -1 with *e: EXIT_USAGE when `out`
 * exists and is neither empty nor an older dashboard, EXIT_UNSUPPORTED when
 * the program was built without the chart library, EXIT_FAILED when
 * something cannot be written.
 */
int dashboard_write(const struct trend *trend, const char *dir, const char *out,
		    struct err *e);

#endif
