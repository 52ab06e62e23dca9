/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must be so of the figures of every cell on the model, however it
 * ended and whatever machine it ran on: sums, and one number that is counted
 * in several places.
 */
#ifndef TDMEM_TESTS_LAWS_H
#define TDMEM_TESTS_LAWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <cmocka.h>

#include "tests/unit/sim_kit.h"

enum { SETTINGS = 4, NR_CPUS = 32 };

/** A workload with small sizes. */
struct variant {
	const char *workload;
	struct {
		const char *knob;
		int64_t value;
	} set[SETTINGS];
};

/** All workloads, each in several ways; ended by one without a workload. */
extern const struct variant variants[];

/** A cell that has been run. */
struct cell {
	const struct backend *backend;
	const struct variant *variant;
	const struct retry_policy *policy;
	u32 vcpus;
	struct kit kit;
	struct sample sample;
};

typedef void world_fn(struct kit_world *world, u64 arg);

/** The world of most cells: a livelock after 10 ms. */
void default_world(struct kit_world *world, u64 arg);

/** Run a cell in a world that is as fn says; freed with end_cell(). */
void begin_cell(struct cell *c, const struct backend *backend,
		const struct variant *v, const struct retry_policy *policy,
		u32 vcpus, world_fn *fn, u64 arg);
void end_cell(struct cell *c);

/** Fails the test at the first law that the cell breaks. */
void check(const struct cell *c);

void same(const struct cell *c, const char *law, double a, double b);
void at_most(const struct cell *c, const char *law, double a, double b);
double value(const struct cell *c, const char *name);
/** What is left out was not done: 0. */
double number(const struct cell *c, const char *name);
/** The largest value of a histogram; 0: there is none. */
double most(const struct cell *c, const char *name);
bool removal_is(const struct cell *c, const char *half);

#endif
