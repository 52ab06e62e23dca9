/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reports from the inside: load.c reads a result, judge.c finds what is best,
 * verdict.c says that, print.c prints all the rest.
 */
#ifndef TDMEM_BENCH_REPORT_IMPL_H
#define TDMEM_BENCH_REPORT_IMPL_H

#include "bench/report/report.h"

struct printer {
	FILE *f;
	const struct report *report;
	const char *bold, *end; /* escape sequences, or "" */
};

/** Which policy is best, over ranges of vCPU counts. */
void report_print_verdicts(const struct printer *p);

#endif
