/* SPDX-License-Identifier: GPL-2.0-only */
/* Changes that somebody has looked at: tdmem-acks/1. */
#ifndef TDMEM_BENCH_TREND_ACKS_H
#define TDMEM_BENCH_TREND_ACKS_H

#include "bench/trend/trend.h"

/**
 * Add a change of the trend, with the reason and the time of now, to a file
 * that may be missing; one that is there already gets the new reason.  -1
 * with *e: there is no such change, or the file cannot be read or written.
 */
int trend_acknowledge(const struct trend *trend, const char *path,
		      const char *id, const char *why, struct err *e);

#endif
