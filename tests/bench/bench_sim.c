/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Speed of the sim backend: 4K faults that it simulates in a second of CPU,
 * all of a cell included, from making the scenario to the filled sample.
 * Each figure is the median of several runs; targets are in "target".
 */
#include <stdint.h>
#include <time.h>

#include "tests/unit/sim_kit.h"

enum { RUNS = 5 };

static double cpu_s(void)
{
	struct timespec at;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
	return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct figure {
	const char *name;
	u32 vcpus;
	s64 pages;
	double target; /* faults in a second of CPU */
};

/* Runs one cell; its faults a second, and its events a second in *events. */
static double run_once(const struct figure *f, double *events)
{
	struct kit kit = kit_defaults(kit_workload("fault-in"));
	struct kit_world world;
	struct sample sample;
	double begin, took, faults;

	kit_set(&kit, "pages", f->pages);
	kit_set(&kit, "total_pages", f->pages * f->vcpus);
	kit_set(&kit, "stuck_percent", 0);
	kit_world_init(&world, "kick-once", f->vcpus + 1);
	begin = cpu_s();
	kit_run(&kit, f->vcpus, &world, &sample);
	took = cpu_s() - begin;
	faults = kit_value(&sample, "fault.count");
	*events = kit_value(&sample, "run.events") / took;
	if (sample.status != CELL_OK) {
		fprintf(stderr, "%s: %s\n", f->name, sample.reason);
		exit(1);
	}
	sample_free(&sample);
	kit_world_free(&world);
	return faults / took;
}

static void print_figure(const struct figure *f)
{
	double rate[RUNS], events[RUNS];
	u32 i;

	for (i = 0; i < RUNS; i++)
		rate[i] = run_once(f, &events[i]);
	qsort(rate, RUNS, sizeof(rate[0]), by_value);
	qsort(events, RUNS, sizeof(events[0]), by_value);
	printf("{\"name\": \"%s\", \"vcpus\": %u, \"unit\": \"faults/CPU-s\", "
	       "\"value\": %.0f, \"low\": %.0f, \"high\": %.0f, "
	       "\"events_per_cpu_s\": %.0f, \"target\": %.0f}\n",
	       f->name, f->vcpus, rate[RUNS / 2], rate[0], rate[RUNS - 1],
	       events[RUNS / 2], f->target);
}

int main(void)
{
	static const struct figure figures[] = {
		{"sim-fault-in-64", 64, 2048, 400000},
		{"sim-fault-in-1024", 1024, 256, 200000},
	};
	size_t i;

	for (i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		print_figure(&figures[i]);
	return 0;
}
