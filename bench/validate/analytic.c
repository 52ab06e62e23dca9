/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine on virtual time against queueing theory: waiting times of
 * M/M/1 and M/D/1, Little's law and the utilisation law on locks.
 */
#include <math.h>
#include <stdio.h>

#include "bench/validate/queue.h"
#include "bench/validate/validate.h"

/*
 * 1.6 million customers: at a load of 0.8 four standard errors of the mean
 * wait of M/M/1 are about 4 % of it.
 */
enum { RUNS = 32, CUSTOMERS = 50000, WARMUP = 2000 };

/*
 * How far a right mean may be off: with 31 degrees of freedom four standard
 * errors are exceeded in less than one case of two thousand.
 */
#define ERRORS_ALLOWED 4

/* What sums of whole picoseconds and doubles may differ by. */
#define ROUNDING 1e-6

static const struct station {
	const char *name;
	struct queue_rig rig;
} stations[] = {
	{"M/M/1, mmu_lock, rho 0.5",
	 {QUEUE_MMU_LOCK, true, 0.5, PS_PER_US, CUSTOMERS, WARMUP, 0}},
	{"M/M/1, mmu_lock, rho 0.8",
	 {QUEUE_MMU_LOCK, true, 0.8, PS_PER_US, CUSTOMERS, WARMUP, 0}},
	{"M/M/1, spinlock, rho 0.8",
	 {QUEUE_SPINLOCK, true, 0.8, PS_PER_US, CUSTOMERS, WARMUP, 0}},
	{"M/D/1, spinlock, rho 0.8",
	 {QUEUE_SPINLOCK, false, 0.8, PS_PER_US, CUSTOMERS, WARMUP, 0}},
	{"M/D/1, cache line, rho 0.5",
	 {QUEUE_LINE, false, 0.5, 59 * PS_PER_NS, CUSTOMERS, WARMUP, 0}},
	{"M/D/1, cache line, rho 0.8",
	 {QUEUE_LINE, false, 0.8, 59 * PS_PER_NS, CUSTOMERS, WARMUP, 0}},
};

enum { NR_STATIONS = sizeof(stations) / sizeof(stations[0]) };

/* Pollaczek and Khinchine: the mean wait, in services. */
static double expected_wait(const struct queue_rig *rig)
{
	double squares = rig->exponential ? 2 : 1;

	return rig->load * squares / 2 / (1 - rig->load);
}

/* One run is a sum of dependent waits; runs are independent of each other. */
static void check_wait(const struct station *st,
		       const struct queue_figures *run, struct validation *v)
{
	double sum = 0, squares = 0, mean, expected = expected_wait(&st->rig);
	struct check c = {
		.group = "analytic",
		.unit = "service",
		.low = expected,
		.high = expected,
		.down = 1,
		.up = 1,
		.source = "Pollaczek-Khinchine: load * E[S^2] / (2 E[S]^2 "
			  "(1 - load))",
	};
	u32 late = 0;

	for (int i = 0; i < RUNS; i++) {
		sum += run[i].wait;
		late += run[i].late;
	}
	mean = sum / RUNS;
	for (int i = 0; i < RUNS; i++)
		squares += (run[i].wait - mean) * (run[i].wait - mean);
	c.here = mean;
	c.error = ERRORS_ALLOWED * sqrt(squares / (RUNS - 1) / RUNS);
	snprintf(c.quantity, sizeof(c.quantity), "wait, %s", st->name);
	if (late) {
		c.here = (double)NAN;
		snprintf(c.note, sizeof(c.note),
			 "%u customers were not back in time: too few strands",
			 late);
	}
	validation_add(v, &c);
}

/* Exact laws, of the run in which they hold worst. */
static void check_law(const struct station *st, const char *law,
		      const char *source, const double *expected,
		      const double *here, u32 out_of_order,
		      struct validation *v)
{
	struct check c = {
		.group = "analytic",
		.unit = "number",
		.down = 1 - ROUNDING,
		.up = 1 + ROUNDING,
	};
	int worst = 0;

	for (int i = 1; i < RUNS; i++)
		if (fabs(here[i] / expected[i] - 1) >
		    fabs(here[worst] / expected[worst] - 1))
			worst = i;
	c.low = c.high = expected[worst];
	c.here = here[worst];
	snprintf(c.quantity, sizeof(c.quantity), "%s, %s", law, st->name);
	snprintf(c.source, sizeof(c.source), "%s", source);
	if (out_of_order) {
		c.down = c.up = 0;
		snprintf(c.note, sizeof(c.note),
			 "%u times the machine went back in time",
			 out_of_order);
	}
	validation_add(v, &c);
}

static void check_laws(const struct station *st,
		       const struct queue_figures *run, struct validation *v)
{
	double system[RUNS], service[RUNS], little[RUNS], use[RUNS];
	u32 back = 0;

	for (int i = 0; i < RUNS; i++) {
		double rate = CUSTOMERS / run[i].span;

		little[i] = rate * run[i].sojourn;
		use[i] = rate * run[i].service;
		system[i] = run[i].in_system;
		service[i] = run[i].in_service;
		back += run[i].out_of_order;
	}
	check_law(st, "Little's law",
		  "throughput * mean time in the system; here: its number, "
		  "integrated over time",
		  little, system, back, v);
	check_law(st, "utilisation",
		  "throughput * mean service; here: who holds the lock, "
		  "integrated over time",
		  use, service, back, v);
}

static int run(const struct validate_setup *setup, struct validation *v,
	       struct err *e)
{
	(void)setup;
	for (int i = 0; i < NR_STATIONS; i++) {
		struct queue_figures figures[RUNS];

		for (int k = 0; k < RUNS; k++) {
			struct queue_rig rig = stations[i].rig;

			rig.seed = (u64)(i * RUNS + k + 1);
			if (queue_run(&rig, &figures[k]))
				return err_set(e, EXIT_FAILED,
					       "validate: %s: the machine did "
					       "not come to its end",
					       stations[i].name);
		}
		check_wait(&stations[i], figures, v);
		if (stations[i].rig.server != QUEUE_LINE)
			check_laws(&stations[i], figures, v);
	}
	return 0;
}

const struct validate_group validate_analytic = {
	.name = "analytic",
	.summary = "the machine on virtual time against queueing theory",
	.run = run,
};
