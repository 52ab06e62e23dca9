/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reports from the inside: load.c reads a result, judge.c finds what is best,
 * verdict.c says that, probe.c has what the probe saw, print.c prints all the
 * rest.
 */
#ifndef TDMEM_BENCH_REPORT_IMPL_H
#define TDMEM_BENCH_REPORT_IMPL_H

#include "bench/report/report.h"
#include "guest-agent/hist.h"

struct printer {
	FILE *f;
	const struct report *report;
	const char *bold, *end; /* escape sequences, or "" */
};

/** A metric over repeats, which are JSON; what lacks it does not count. */
struct summary report_metric(json_t *repeats, const char *name);
/** Add a histogram of all repeats to *into; -1: it is none. */
int report_hist(json_t *repeats, const char *name, struct hist *into);

/**
 * Of the repeats of a cell; *probe is NULL where there was no probe.  -1: out
 * of memory, or a histogram is none.
 */
int report_probe_load(json_t *repeats, struct report_probe **probe);
/** NULL does nothing. */
void report_probe_free(struct report_probe *probe);

/** Print those of the group's cells; nothing where there are none. */
void report_probe_print(const struct report_group *group, FILE *f);

/** Which policy is best, over ranges of vCPU counts. */
void report_print_verdicts(const struct printer *p);

#endif
