/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a result says, as text: for each workload the policies side by side
 * over vCPUs, and which one is best.
 */
#ifndef TDMEM_BENCH_REPORT_REPORT_H
#define TDMEM_BENCH_REPORT_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/base/err.h"
#include "bench/stats/stats.h"

struct report_probe;

/** Metrics of which a report shows the medians, each a column. */
struct report_figure {
	const char *metric, *head;
	bool percent;
	const char *what; /* for the legend */
};

enum { REPORT_FIGURES = 7 };
extern const struct report_figure report_figures[REPORT_FIGURES];

/** One cell as reports need it. */
struct report_cell {
	size_t policy, vcpus; /* indexes into the group's lists */
	char status[16];
	char *reason;
	struct summary rate;		       /* over repeats */
	struct summary figure[REPORT_FIGURES]; /* n is 0: not in the result */
	double *rates;		    /* rate.n of them, in rising order */
	bool best;		    /* among the best of its vCPU count */
	uint64_t p50, p99, max;	    /* ns, all repeats together */
	uint64_t latencies;	    /* how many; 0: none were measured */
	struct report_probe *probe; /* NULL: there was none */
};

/** What was found of one vCPU count. */
struct report_row {
	/*
	 * Cells that nothing is better than: the one with the highest median
	 * rate, and those that cannot be told from it.
	 */
	size_t nbest;
	double lead;   /* of it over the highest of the others; NaN: none */
	size_t needed; /* repeats that could tell more apart; 0: enough */
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
	struct report_row *row; /* of each vCPU count */
	struct report_cell *cell;
	size_t ncells;
};

struct report {
	json_t *top; /* the result without its cells */
	struct report_group *group;
	size_t ngroups, ncells;
	size_t fewest, most; /* repeats of a cell, warm-ups not counted */
	size_t pairs;	     /* of policies that can be compared */
};

/** Read a result and judge it; -1 with *e. */
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

/** The member "companions" of a result, some lines; NULL: nothing. */
void report_companions(const json_t *all, FILE *f);

/**
 * Find what is best.  A policy is worse than the one with the highest median
 * when that is as tdmem compare says it: significant by the U test after
 * Holm's correction, at DIFFERENCE_ALPHA, and by more than
 * DIFFERENCE_MATERIAL.  As which one is the highest is seen in the same
 * values, the correction is for all pairs of policies at a vCPU count in the
 * report.  False: out of memory.
 */
bool report_judge(struct report *report);

#endif
