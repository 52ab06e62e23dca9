/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is run: one config, or two sides that are compared in one run, "base"
 * and "new".  The sides have the same cells; they differ in anything else, or
 * in the program that executes them.
 */
#ifndef TDMEM_BENCH_RUN_SIDES_H
#define TDMEM_BENCH_RUN_SIDES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "bench/base/args.h"
#include "bench/plan/config.h"
#include "bench/plan/costs.h"
#include "bench/plan/plan.h"
#include "bench/plan/topology.h"

struct side {
	struct config config; /* config.side is its name, NULL when alone */
	struct costs costs;
	struct topology topology;
	u32 *os_cpu;	    /* as topology_load_cpus(); NULL: see there */
	struct strings set; /* "path=value"; the array is owned */
	char *repeat_set;   /* the last of them: the rule of the other side */
	const struct counters *counters; /* NULL: none; borrowed */
	struct perf *perf;		 /* the same */
	const char *probe_text;		 /* NULL: none; borrowed */
	struct probe *probe;		 /* of a side that runs here; borrowed */
	const char *binary;   /* the program that executes it; NULL: this one */
	char version[64];     /* of that program */
	char fingerprint[64]; /* its size and time */
};

/** The last one is the config that was asked for; it rules. */
struct sides {
	struct side side[2];
	size_t n; /* 1 or 2 */
};

/** What the command line says about them; everything is borrowed. */
struct sides_request {
	const char *config;
	const char *baseline; /* a config or a program; NULL: none */
	struct strings set, set_new, set_baseline;
};

/**
 * Load and check all of it.  -1 with *e, one line; *sides is then empty.  The
 * request must outlive the sides.
 */
int sides_load(const struct sides_request *request, struct sides *sides,
	       struct err *e);
void sides_free(struct sides *sides);

static inline const struct side *sides_main(const struct sides *sides)
{
	return &sides->side[sides->n - 1];
}

/** Does any depend on this host's CPUs?  Its cells run one at a time. */
static inline bool sides_real_cpus(const struct sides *sides)
{
	return sides->side[0].config.backend->real_cpus ||
	       sides_main(sides)->config.backend->real_cpus;
}

/** Cells of all sides: the side is the axis that changes fastest. */
static inline size_t sides_cells(const struct sides *sides)
{
	return sides->n * config_cells(&sides_main(sides)->config);
}

/** The side of a cell, and the cell within it. */
const struct side *sides_cell(const struct sides *sides, size_t index,
			      struct cell *cell);

/**
 * Have the two the same cells?  -1 with *e, which names the first difference.
 */
int sides_alike(const struct side *base, const struct side *new, struct err *e);

/**
 * In what the sides differ: a list of {"path", "base", "new"}, of what is in
 * effect, given or by default.  Of two cost tables it has the entries.  NULL
 * when out of memory.
 */
json_t *sides_differences(const struct sides *sides);

/** What results say of the base side; NULL when out of memory. */
json_t *sides_baseline(const struct sides *sides);

#endif
