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
#include "bench/result/samples.h"
#include "bench/stats/infer.h"

enum { CALIBRATE_BATCHES = 101, CALIBRATE_MAX = 32 };

/** One primitive. */
struct primitive {
	char name[40];
	const char *help;
	const char *entry;	  /* of cost tables that it is; NULL: none */
	double median;		  /* ns; NaN: not measured */
	struct interval interval; /* 95 % of the median, ns */
	size_t batches;		  /* of a SEAMCALL: repeats of the result */
	bool seamcall;		  /* as c->seamcalls says, not measured here */
	char why[120];		  /* why it was not measured, or "" */
};

/** When something was measured, and on what. */
struct measured {
	char when[32];	 /* ISO 8601, UTC */
	char where[200]; /* CPU, kernel */
};

struct calibration {
	struct primitive primitive[CALIBRATE_MAX];
	size_t n;
	struct measured here;
	struct measured seamcalls; /* of the result; "" without one */
	double load;   /* average load of the last minute, at the begin */
	unsigned cpus; /* that this process may use */
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
 * Read a result for calibrate_seamcalls().  -1 with *e: it is none of TDs, of
 * this kind of CPU, whose SEAMCALLs the probe has timed.  The caller frees
 * *result with samples_free().
 */
int calibrate_load_seamcalls(const char *path, struct samples *result,
			     struct err *e);

/**
 * Add the SEAMCALLs that cost tables have: medians of repeats with one vCPU.
 * Follows calibrate(), whose flush is subtracted where a call's wrapper has
 * one.  NULL: says of all what they would take.  -1 with *e: no memory.
 */
int calibrate_seamcalls(struct calibration *c, const struct samples *result,
			struct err *e);

/**
 * The document of a cost table: `base` with what was measured in place of its
 * entries.  A fixed part of the base that is more than a measured SEAMCALL
 * leaves for it is lowered to that.  Whole calls that would be less than their
 * fixed part and their lock words are raised to that.  NULL with *e.
 */
json_t *calibrate_table(const struct calibration *c, const struct costs *base,
			struct err *e);

void calibrate_print(const struct calibration *c, FILE *f);
/** As tdmem-calibration/1; NULL when out of memory. */
json_t *calibrate_json(const struct calibration *c);

#endif
