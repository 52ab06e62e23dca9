/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The plan: a config's cells in order.  A cell is one workload at one value
 * of each axis; cells are numbered with the last axis changing fastest.
 */
#ifndef TDMEM_BENCH_PLAN_PLAN_H
#define TDMEM_BENCH_PLAN_PLAN_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/plan/config.h"

/** One cell; pointers are borrowed from the config. */
struct cell {
	const struct config_workload *workload;
	size_t place[CONFIG_MAX_AXES];	    /* which value of each axis */
	const struct policy_choice *policy; /* NULL: the running kernel's */
	uint32_t vcpus;
};

/** Cell `index` of the config; below config_cells(). */
void plan_cell(const struct config *config, size_t index, struct cell *cell);

/**
 * What results call the cell: workload, then each axis, then the side of a
 * config that has one.  A policy is its name, or "FAULT/REMOVAL".  NULL when
 * out of memory.
 */
json_t *plan_axes(const struct config *config, const struct cell *cell);

/**
 * The cell's knob values, axes applied, into value[] with room for all knobs
 * of its workload.
 */
void plan_knobs(const struct config *config, const struct cell *cell,
		int64_t *value);

/**
 * Seed of one repeat of a cell: a hash of the config's seed, the axes' text
 * and the repeat's number, so that it depends neither on the order of cells
 * nor on how many there are.  53 bits, which every JSON reader keeps exact.
 */
uint64_t plan_seed(uint64_t config_seed, const char *axes_text,
		   uint32_t repeat);

#endif
