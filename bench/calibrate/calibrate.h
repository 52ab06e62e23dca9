/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this host's primitives cost, and a cost table that says so.  Measured
 * in batches: the figure is the median of the batches, which holds on a
 * machine that does other things as well, up to half of the time.
 */
#ifndef TDMEM_BENCH_CALIBRATE_CALIBRATE_H
#define TDMEM_BENCH_CALIBRATE_CALIBRATE_H

#include <jansson.h>
#include <stdio.h>

#include "bench/base/err.h"
#include "bench/plan/costs.h"
#include "bench/stats/infer.h"

enum { CALIBRATE_BATCHES = 101, CALIBRATE_MAX = 24 };

/** One primitive. */
struct primitive {
	char name[40];
	const char *help;
	const char *entry;	  /* of cost tables that it is; NULL: none */
	double median;		  /* ns; NaN: not measured */
	struct interval interval; /* 95 % of the median, ns */
	size_t batches;
	char why[120]; /* why it was not measured, or "" */
};

struct calibration {
	struct primitive primitive[CALIBRATE_MAX];
	size_t n;
	char when[32];	 /* ISO 8601, UTC */
	char where[200]; /* CPU, kernel */
	double load;	 /* average load of the last minute, at the begin */
	unsigned cpus;	 /* that this process may use */
};

/**
 * Measure everything on the first CPUs that this process may use; takes some
 * seconds.  What cannot be measured here says why.  -1 with *e when the host
 * cannot be asked at all.
 */
int calibrate(struct calibration *c, struct err *e);

/** The same, without the games of two threads that no cost table holds. */
int calibrate_entries(struct calibration *c, struct err *e);

/**
 * The document of a cost table: `base` with what was measured in place of its
 * entries.  Whole calls that would be less than their fixed part and their
 * lock words are raised to that.  NULL with *e.
 */
json_t *calibrate_table(const struct calibration *c, const struct costs *base,
			struct err *e);

void calibrate_print(const struct calibration *c, FILE *f);
/** As tdmem-calibration/1; NULL when out of memory. */
json_t *calibrate_json(const struct calibration *c);

#endif
