/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a result says, as text: for each workload the policies side by side
 * over vCPUs, and which one is best.
 */
#ifndef TDMEM_BENCH_RESULT_REPORT_H
#define TDMEM_BENCH_RESULT_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/base/err.h"
#include "bench/stats/stats.h"

/** One cell as reports need it. */
struct report_cell {
	size_t policy, vcpus; /* indexes into the group's lists */
	char status[16];
	char *reason;
	struct summary rate, busy, kicks, wasted; /* over repeats */
	uint64_t p50, p99, max;			  /* ns, all repeats together */
	uint64_t latencies; /* how many; 0: none were measured */
};

/** Cells that differ in policy and vCPUs only. */
struct report_group {
	char *name; /* "fault-in" or "fault-in, pages 64" */
	char *workload;
	char *operation; /* "fault" */
	char **policy;
	size_t npolicies;
	uint32_t *vcpus;
	size_t nvcpus;
	struct report_cell *cell;
	size_t ncells;
};

struct report {
	json_t *top; /* the result without its cells */
	struct report_group *group;
	size_t ngroups, ncells;
	size_t fewest, most; /* repeats of a cell, warm-ups not counted */
};

/** Read a result; -1 with *e. */
int report_load(const char *path, struct report *report, struct err *e);
void report_free(struct report *report);

/** The cell of a policy and vCPU count; NULL when it was not run. */
const struct report_cell *report_find(const struct report_group *group,
				      size_t policy, size_t vcpus);

/** Did the cell end in a way that its rate can be compared? */
bool report_good(const struct report_cell *cell);

enum report_detail { REPORT_BRIEF, REPORT_FULL };

/** Print it; `colour`: mark what is best with escape sequences. */
void report_print(const struct report *report, enum report_detail detail,
		  bool colour, FILE *f);

/**
 * Which policies are best at a vCPU count: those whose range of rates
 * overlaps the range of the one with the highest median, or whose median is
 * within 1 % of it.  Sets best[] (one
 * for each policy) and *lead, by how much the best median is above that of
 * the best policy that is not among them (NaN: there is none).  Returns how
 * many are best, 0 when no cell ended well.
 */
size_t report_best(const struct report_group *group, size_t vcpus, bool *best,
		   double *lead);

#endif
