/* SPDX-License-Identifier: GPL-2.0-only */
/* One cell, executed once, without a file: for checks of the model. */
#ifndef TDMEM_BENCH_VALIDATE_RUN_H
#define TDMEM_BENCH_VALIDATE_RUN_H

#include <jansson.h>

#include "bench/backend.h"
#include "bench/plan/costs.h"

struct validate_cell {
	const char *backend, *workload;
	json_t *knobs; /* an object; borrowed */
	unsigned vcpus;
	/*
	 * As host.topology; "host": the CPUs that this process may use.  Of
	 * real CPUs not used.  What runs on virtual time and needs more CPUs
	 * than there are gets some of them twice.
	 */
	const char *topology;
	double jitter;
	bool keep_removed; /* removed pages are not cleared */
	u64 seed;
	const struct costs *costs;
};

/** What came out; freed with validate_figures_free(). */
struct validate_figures {
	struct sample sample;
	bool crowded; /* more vCPUs and host threads than CPUs */
};

/**
 * Run it with the policy kick-once, Linux's.  A cell that does not end ok is
 * an error, too: -1 with *e and nothing to free.
 */
int validate_run(const struct validate_cell *cell, struct validate_figures *f,
		 struct err *e);
void validate_figures_free(struct validate_figures *f);

/** A value; NaN: not measured. */
double validate_value(const struct validate_figures *f, const char *metric);
/** Mean and median of a histogram, in ns; NaN: nothing recorded. */
double validate_mean(const struct validate_figures *f, const char *metric);
double validate_p50(const struct validate_figures *f, const char *metric);

#endif
