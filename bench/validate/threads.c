/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The backend sim with this host's costs and topology against the backend
 * threads on this host: does virtual time predict real contention?
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/calibrate/calibrate.h"
#include "bench/plan/topology.h"
#include "bench/stats/infer.h"
#include "bench/validate/run.h"
#include "bench/validate/validate.h"

/* A prediction: as far off as this and it is still one. */
#define DOWN 0.8
#define UP   1.25

/*
 * Short ones and many: a few milliseconds often pass without anybody else on
 * the CPU even where the machine is not idle.
 */
enum { REPEATS = 31, MAX_COUNTS = 3 };

static const struct pair {
	const char *workload, *operation, *knob;
	int value;
} pairs[] = {
	{"fault-in", "fault", "stuck_percent", 0},
	{"accept", "accept", "pages", 256},
	{"block-remove", "removal", "pages", 64},
	{"track", "track", "pages", 64},
};

enum { RATE, P50, NR_FIGURES };

/* Of all repeats, in order. */
struct series {
	double value[NR_FIGURES][REPEATS];
};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* One repeat on one backend; *strands: how many it needs. */
static int repeat_once(const struct pair *pair, struct validate_cell *cell,
		       struct series *s, int i, u32 *strands, struct err *e)
{
	struct validate_figures f;
	char rate[40], latency[40];

	snprintf(rate, sizeof(rate), "%s.rate", pair->operation);
	snprintf(latency, sizeof(latency), "%s.latency", pair->operation);
	if (validate_run(cell, &f, e))
		return -1;
	s->value[RATE][i] = validate_value(&f, rate);
	s->value[P50][i] = validate_p50(&f, latency);
	*strands = f.strands;
	validate_figures_free(&f);
	return 0;
}

/*
 * Both in turn, so that what the machine does beside falls on no one side;
 * the first time is for the machine to warm up.
 */
static int run_both(const struct pair *pair, struct validate_cell *cell,
		    u32 cpus, struct series both[2], struct err *e)
{
	static const char *const backends_of[2] = {"sim", "threads"};
	u32 strands = 0;

	for (int i = -1; i < REPEATS; i++)
		for (int b = 0; b < 2; b++) {
			cell->backend = backends_of[b];
			cell->seed = (u64)(i + 2);
			if (repeat_once(pair, cell, &both[b], i < 0 ? 0 : i,
					&strands, e))
				return -1;
			if (strands > cpus)
				return err_set(e, EXIT_UNSUPPORTED,
					       "%u vCPUs and host threads need "
					       "as many CPUs, there are %u",
					       strands, cpus);
		}
	for (int f = 0; f < NR_FIGURES; f++)
		for (int b = 0; b < 2; b++)
			qsort(both[b].value[f], REPEATS, sizeof(double),
			      by_value);
	return 0;
}

static void add_none(const char *what, const char *why, struct validation *v)
{
	struct check c = {
		.group = "threads",
		.unit = "-",
		.low = (double)NAN,
		.high = (double)NAN,
		.here = (double)NAN,
		.source = "backend threads on this host",
	};

	snprintf(c.quantity, sizeof(c.quantity), "%s", what);
	snprintf(c.note, sizeof(c.note), "%.150s", why);
	validation_add(v, &c);
}

static void add(const char *what, const struct series both[2],
		struct validation *v)
{
	static const struct {
		const char *name, *unit;
	} figures[NR_FIGURES] = {{"rate", "1/s"}, {"p50", "ns"}};

	for (int f = 0; f < NR_FIGURES; f++) {
		const double *real = both[1].value[f];
		struct check c = {
			.group = "threads",
			.unit = figures[f].unit,
			.here = median_of_sorted(both[0].value[f], REPEATS),
			.down = DOWN,
			.up = UP,
			.source = "backend threads on this host, median",
		};

		c.low = c.high = median_of_sorted(real, REPEATS);
		snprintf(c.quantity, sizeof(c.quantity), "%s, %s", what,
			 figures[f].name);
		snprintf(c.note, sizeof(c.note),
			 "threads, %d repeats: %.4g to %.4g", REPEATS, real[0],
			 real[REPEATS - 1]);
		validation_add(v, &c);
	}
}

static int compare(const struct pair *pair, unsigned vcpus, u32 cpus,
		   const struct costs *costs, struct validation *v,
		   struct err *e)
{
	struct series both[2];
	struct validate_cell cell = {
		.workload = pair->workload,
		.knobs = json_pack("{si}", pair->knob, pair->value),
		.vcpus = vcpus,
		.topology = "host",
		.jitter = 0.05,
		.costs = costs,
	};
	struct err why;
	char what[48];
	int status = cell.knobs ? run_both(pair, &cell, cpus, both, &why)
				: err_set(&why, EXIT_USAGE, "out of memory");

	snprintf(what, sizeof(what), "%s, %u vCPU%s", pair->workload, vcpus,
		 vcpus == 1 ? "" : "s");
	/* A cell that livelocks here, or does not fit, is a result. */
	if (!status) {
		add(what, both, v);
	} else if (why.status == EXIT_FAILED ||
		   why.status == EXIT_UNSUPPORTED) {
		add_none(what, why.text, v);
		status = 0;
	} else {
		*e = why;
	}
	json_decref(cell.knobs);
	return status;
}

/* 1, 2 and all CPUs. */
static unsigned counts_of(u32 cpus, unsigned count[MAX_COUNTS])
{
	unsigned n = 0;

	count[n++] = 1;
	if (cpus >= 2)
		count[n++] = 2;
	if (cpus > 2)
		count[n++] = cpus;
	return n;
}

static int measure_costs(const char *path, struct costs *costs, u32 *cpus,
			 struct err *e)
{
	struct calibration c;
	struct costs base;
	json_t *root;

	if (costs_load(path, "typ", &base, e))
		return -1;
	root = calibrate(&c, e) ? NULL : calibrate_table(&c, &base, e);
	costs_free(&base);
	*cpus = c.cpus;
	return root ? costs_parse("calibrate", root, "typ", costs, e) : -1;
}

static int run(const struct validate_setup *setup, struct validation *v,
	       struct err *e)
{
	unsigned count[MAX_COUNTS], n;
	struct costs costs;
	u32 cpus;
	int status = 0;

	if (measure_costs(setup->costs, &costs, &cpus, e))
		return -1;
	n = counts_of(cpus, count);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		for (unsigned k = 0; status == 0 && k < n; k++)
			status = compare(&pairs[i], count[k], cpus, &costs, v,
					 e);
	costs_free(&costs);
	return status;
}

const struct validate_group validate_threads = {
	.name = "threads",
	.summary = "sim with this host's costs against threads on it",
	.real_cpus = true,
	.run = run,
};
