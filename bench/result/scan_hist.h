/* SPDX-License-Identifier: GPL-2.0-only */
/* A result's histogram from its text. */
#ifndef TDMEM_BENCH_RESULT_SCAN_HIST_H
#define TDMEM_BENCH_RESULT_SCAN_HIST_H

#include "bench/result/samples.h"

struct arena;
struct scan;

enum scan_status { SCAN_GOOD, SCAN_BAD, SCAN_NO_MEMORY };

/**
 * Take a histogram; it and its buckets are the arena's.  `room` is used
 * meanwhile and holds HIST_BUCKETS.  SCAN_BAD: it is none.
 */
enum scan_status scan_hist(struct scan *s, struct arena *arena,
			   struct samples_bucket *room,
			   struct samples_hist **hist);

#endif
