/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The backend sim with this host's costs and topology against the backend
 * threads on this host: does virtual time predict real contention?
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
 * the CPU even where the machine is not idle.  Of the real ones only those
 * count in which that was so, in SERIES_S seconds, and a median of fewer than
 * LEAST says nothing.
 */
enum { REPEATS = 15, LEAST = 9, SERIES_S = 5 };

/* What interrupts cost changes from second to second: each has its costs. */
enum { ROUNDS = 3, MAX_COUNTS = 3 };

static const struct pair {
	const char *workload, *operation, *knob;
	int value;
	const char *others; /* the knob; NULL: there is none */
	bool asleep;	    /* vCPUs, while it is measured */
	u32 hosts;	    /* threads that run while it is measured */
} pairs[] = {
	{"fault-in", "fault", "stuck_percent", 0, NULL, false, 0},
	{"accept", "accept", "pages", 256, NULL, false, 0},
	{"block-remove", "removal", "pages", 32, "ticking", false, 1},
	{"block-remove", "removal", "pages", 32, "halted", true, 1},
	{"track", "track", "pages", 32, "ticking", false, 1},
	{"track", "track", "pages", 32, "halted", true, 1},
};

enum { NR_PAIRS = sizeof(pairs) / sizeof(pairs[0]) };
enum { RATE, P50, NR_FIGURES };

/* Of the repeats on one backend. */
struct series {
	double value[NR_FIGURES][REPEATS];
	u32 n, tries;
};

/* A figure of one round. */
struct ratio {
	double sim, threads;
	double low, high; /* of the repeats on threads */
	u32 n, tries;
};

/* CPUs at work while it is measured. */
static u32 cpus_for(const struct pair *pair, u32 vcpus)
{
	return (pair->asleep ? 0 : vcpus) + pair->hosts;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Some wake-ups of an idle CPU; a few percent of what is measured. */
#define DELAY_NS 30000

/*
 * Nobody else was on the CPUs of its strands, as far as the kernel knows.  A
 * vCPU that goes to sleep on the host thread's CPU is delayed by that.
 */
static bool undisturbed(const struct pair *pair,
			const struct validate_figures *f)
{
	double allowed = pair->asleep && f->crowded ? INFINITY : DELAY_NS;

	return !(validate_value(f, "run.preempted") > 0) &&
	       !(validate_value(f, "run.delayed") > allowed) &&
	       !(validate_value(f, "run.steal") > 0);
}

static void take(const struct pair *pair, const struct validate_figures *f,
		 struct series *s)
{
	char rate[40], latency[40];

	snprintf(rate, sizeof(rate), "%s.rate", pair->operation);
	snprintf(latency, sizeof(latency), "%s.latency", pair->operation);
	s->value[RATE][s->n] = validate_value(f, rate);
	s->value[P50][s->n++] = validate_p50(f, latency);
}

/* A run that did not end ok was disturbed, too, unless none does. */
static int repeat_once(const struct pair *pair,
		       const struct validate_cell *cell, struct series *s,
		       struct err *e)
{
	struct validate_figures f;

	s->tries++;
	if (validate_run(cell, &f, e))
		return e->status == EXIT_FAILED ? 0 : -1;
	if (undisturbed(pair, &f))
		take(pair, &f, s);
	validate_figures_free(&f);
	return 0;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The first time is for the machine to warm up. */
static int run_series(const struct pair *pair, struct validate_cell *cell,
		      const char *backend, struct series *s, struct err *e)
{
	double end = seconds() + SERIES_S;
	struct err last;

	err_set(e, EXIT_FAILED, "others use the CPUs");
	cell->backend = backend;
	cell->seed = 1;
	*s = (struct series){.n = 0};
	if (repeat_once(pair, cell, s, e))
		return -1;
	*s = (struct series){.n = 0};
	while (s->n < REPEATS && seconds() < end) {
		cell->seed++;
		if (repeat_once(pair, cell, s, e))
			return -1;
	}
	for (int f = 0; f < NR_FIGURES; f++)
		qsort(s->value[f], s->n, sizeof(double), by_value);
	if (s->n >= LEAST)
		return 0;
	last = *e;
	return err_set(e, EXIT_FAILED, "%u of %u repeats were undisturbed: %s",
		       s->n, s->tries, last.text);
}

static int run_round(const struct pair *pair, struct validate_cell *cell,
		     struct ratio r[NR_FIGURES], struct err *e)
{
	struct series sim, threads;

	if (run_series(pair, cell, "threads", &threads, e) ||
	    run_series(pair, cell, "sim", &sim, e))
		return -1;
	for (int f = 0; f < NR_FIGURES; f++)
		r[f] = (struct ratio){
			.sim = median_of_sorted(sim.value[f], sim.n),
			.threads =
				median_of_sorted(threads.value[f], threads.n),
			.low = threads.value[f][0],
			.high = threads.value[f][threads.n - 1],
			.n = threads.n,
			.tries = threads.tries,
		};
	return 0;
}

/* ---------------------------------------------------------------- verdicts */

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

static double ratio_of(const struct ratio *r)
{
	return r->sim / r->threads;
}

static int by_ratio(const void *a, const void *b)
{
	double x = ratio_of(a), y = ratio_of(b);

	return (x > y) - (x < y);
}

/* Rounds that do not agree: none of them can be trusted by more than this. */
static double disagreement(const struct ratio round[ROUNDS])
{
	double low = ratio_of(&round[0]), high = ratio_of(&round[ROUNDS - 1]);
	bool all_ok = low >= DOWN && high <= UP;
	bool all_off = low > UP || high < DOWN;

	return all_ok || all_off ? 0 : high - low;
}

static void add(const char *what, int figure, u32 cpus,
		struct ratio round[ROUNDS], struct validation *v)
{
	static const struct {
		const char *name, *unit;
	} figures[NR_FIGURES] = {{"rate", "1/s"}, {"p50", "ns"}};
	const struct ratio *r = &round[ROUNDS / 2];
	struct check c = {
		.group = "threads",
		.unit = figures[figure].unit,
		.down = DOWN,
		.up = UP,
	};

	qsort(round, ROUNDS, sizeof(*round), by_ratio);
	c.here = r->sim;
	c.low = c.high = r->threads;
	c.error = disagreement(round) * r->threads;
	snprintf(c.quantity, sizeof(c.quantity), "%s, %s", what,
		 figures[figure].name);
	snprintf(c.source, sizeof(c.source),
		 "backend threads on this host, median, %u CPU%s at work", cpus,
		 cpus == 1 ? "" : "s");
	snprintf(c.note, sizeof(c.note),
		 "threads: %.4g to %.4g in %u undisturbed repeats of %u; "
		 "ratios of %d rounds: %.3f to %.3f",
		 r->low, r->high, r->n, r->tries, ROUNDS, ratio_of(&round[0]),
		 ratio_of(&round[ROUNDS - 1]));
	validation_add(v, &c);
}

/* ------------------------------------------------------------------- pairs */

static void name_of(const struct pair *pair, u32 vcpus, char *buf, size_t size)
{
	snprintf(buf, size, "%s, %u vCPU%s%s", pair->workload, vcpus,
		 vcpus == 1 ? "" : "s", pair->asleep ? " asleep" : "");
}

static int measure_costs(const struct costs *base, struct costs *costs,
			 struct err *e)
{
	struct calibration c;
	json_t *root;

	root = calibrate_entries(&c, e) ? NULL : calibrate_table(&c, base, e);
	return root ? costs_parse("calibrate", root, "typ", costs, e) : -1;
}

static int run_rounds(const struct pair *pair, struct validate_cell *cell,
		      const struct costs *base,
		      struct ratio round[NR_FIGURES][ROUNDS], struct err *e)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct ratio r[NR_FIGURES];
		struct costs costs;
		int status;

		if (measure_costs(base, &costs, e))
			return -1;
		cell->costs = &costs;
		status = run_round(pair, cell, r, e);
		costs_free(&costs);
		if (status)
			return -1;
		for (int f = 0; f < NR_FIGURES; f++)
			round[f][i] = r[f];
	}
	return 0;
}

static json_t *knobs_of(const struct pair *pair)
{
	return json_pack("{si ss*}", pair->knob, pair->value, "others",
			 pair->others);
}

static int compare(const struct pair *pair, u32 vcpus, const struct costs *base,
		   struct validation *v, struct err *e)
{
	struct ratio round[NR_FIGURES][ROUNDS];
	struct validate_cell cell = {
		.workload = pair->workload,
		.knobs = knobs_of(pair),
		.vcpus = vcpus,
		.topology = "host",
		.jitter = 0.05,
	};
	struct err why;
	char what[48];
	int status = cell.knobs ? run_rounds(pair, &cell, base, round, &why)
				: err_set(&why, EXIT_USAGE, "out of memory");

	name_of(pair, vcpus, what, sizeof(what));
	json_decref(cell.knobs);
	for (int f = 0; status == 0 && f < NR_FIGURES; f++)
		add(what, f, cpus_for(pair, vcpus), round[f], v);
	/* A cell that livelocks here is a result. */
	if (status && why.status == EXIT_FAILED) {
		add_none(what, why.text, v);
		return 0;
	}
	if (status)
		*e = why;
	return status;
}

/* 1 and 2 vCPUs, and as many as there are CPUs for. */
static u32 counts_of(const struct pair *pair, u32 cpus, u32 count[MAX_COUNTS])
{
	u32 n = 2;

	count[0] = 1;
	count[1] = 2;
	if (!pair->asleep && cpus > pair->hosts + 2)
		count[n++] = cpus - pair->hosts;
	return n;
}

static int run_pair(const struct pair *pair, u32 cpus, const struct costs *base,
		    struct validation *v, struct err *e)
{
	u32 count[MAX_COUNTS], n = counts_of(pair, cpus, count);

	for (u32 i = 0; i < n; i++) {
		u32 need = cpus_for(pair, count[i]);
		char what[48], why[100];

		if (need <= cpus) {
			if (compare(pair, count[i], base, v, e))
				return -1;
			continue;
		}
		name_of(pair, count[i], what, sizeof(what));
		snprintf(why, sizeof(why),
			 "%u vCPUs and host threads at work need as many CPUs, "
			 "there %s %u",
			 need, cpus == 1 ? "is" : "are", cpus);
		add_none(what, why, v);
	}
	return 0;
}

static int run(const struct validate_setup *setup, struct validation *v,
	       struct err *e)
{
	struct topology here;
	struct costs base;
	u32 *os_cpu;
	int status = 0;

	if (topology_load_cpus(NULL, &here, &os_cpu, e))
		return -1;
	free(os_cpu);
	if (costs_load(setup->costs, "typ", &base, e)) {
		topology_free(&here);
		return -1;
	}
	for (int i = 0; status == 0 && i < NR_PAIRS; i++)
		status = run_pair(&pairs[i], here.ncpus, &base, v, e);
	costs_free(&base);
	topology_free(&here);
	return status;
}

const struct validate_group validate_threads = {
	.name = "threads",
	.summary = "sim with this host's costs against threads on it",
	.real_cpus = true,
	.run = run,
};
