/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Speed of the machine on virtual time, without any model on it: one JSON
 * object a case on stdout.  An event is a point at which a strand had to wait
 * for its turn, whatever it spent before.  Times are CPU time of this process.
 *
 * usage: bench_machine [events-per-run [runs]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "model/machine/machine.h"

#define CPUS	 1024
#define MAX_RUNS 99

/** What the strands of a case do, and what each event of it is. */
struct bench_case {
	const char *name;
	void (*fn)(struct strand *, void *);
};

struct bench {
	u64 events; /* of each strand */
	struct cell {
		struct line line;
		u64 word[6];
	} __attribute__((aligned(64))) own[CPUS], shared;
};

/* A call's own work, then a word on a line that nobody else touches. */
static void spend_and_order(struct strand *s, void *arg)
{
	struct bench *b = arg;
	struct cell *own = &b->own[s->id];

	for (u64 i = 0; i < b->events; i++) {
		spend(s, 20 * PS_PER_NS);
		line_xadd64(s, &own->line, &own->word[0], 1);
	}
}

/* Nothing but words on lines that nobody else touches. */
static void order_only(struct strand *s, void *arg)
{
	struct bench *b = arg;
	struct cell *own = &b->own[s->id];

	for (u64 i = 0; i < b->events; i++)
		line_xadd64(s, &own->line, &own->word[0], 1);
}

/* Everybody works on the same word. */
static void contend(struct strand *s, void *arg)
{
	struct bench *b = arg;

	for (u64 i = 0; i < b->events; i++) {
		spend(s, 200 * PS_PER_NS);
		line_xadd64(s, &b->shared.line, &b->shared.word[0], 1);
	}
}

/* Time inside the guest, which a kick could cut short. */
static void stay_in_guest(struct strand *s, void *arg)
{
	struct bench *b = arg;

	for (u64 i = 0; i < b->events; i++)
		spend_in_guest(s, 20 * PS_PER_NS);
}

static const struct bench_case cases[] = {
	{"machine.spend", spend_and_order},
	{"machine.order", order_only},
	{"machine.contend", contend},
	{"machine.guest", stay_in_guest},
};

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/** CPU seconds of one run; negative: it could not be done. */
static double run_once(const struct bench_case *c, const struct topology *t,
		       u32 strands, u64 events)
{
	struct virtual_config config = {
		.topology = t,
		.line = {2 * PS_PER_NS, 50 * PS_PER_NS, 59 * PS_PER_NS,
			 138 * PS_PER_NS},
		.seed = 1,
		.jitter = 0.1,
		.livelock_ps = 0,
		.max_strands = strands,
	};
	struct bench *b = aligned_alloc(64, sizeof(*b));
	struct machine *m = virtual_create(&config);
	double begin, seconds = -1;

	if (!b || !m)
		goto out;
	*b = (struct bench){.events = events / strands};
	for (u32 i = 0; i < strands; i++)
		if (!machine_strand(m, i, c->fn, b))
			goto out;
	begin = cpu_seconds();
	if (machine_run(m) == MACHINE_DONE)
		seconds = cpu_seconds() - begin;
	else
		fprintf(stderr, "%s: %s\n", c->name, machine_reason(m));
out:
	machine_destroy(m);
	free(b);
	return seconds;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int bench(const struct bench_case *c, const struct topology *t,
		 u32 strands, u64 events, u32 runs)
{
	double seconds[MAX_RUNS], median;

	events = events / strands * strands;
	for (u32 i = 0; i < runs; i++) {
		seconds[i] = run_once(c, t, strands, events);
		if (seconds[i] < 0)
			return 1;
	}
	qsort(seconds, runs, sizeof(*seconds), by_value);
	median = seconds[runs / 2];
	printf("{\"name\":\"%s\",\"strands\":%u,\"events\":%llu,"
	       "\"runs\":%u,\"cpu_seconds\":%.6f,"
	       "\"events_per_cpu_second\":%.0f}\n",
	       c->name, strands, (unsigned long long)events, runs, median,
	       (double)events / median);
	return 0;
}

int main(int argc, char **argv)
{
	static const u32 strands[] = {1, 64, 1024};
	static struct cpu_place places[CPUS];
	struct topology topology = {CPUS, 2, places};
	u64 events = argc > 1 ? strtoull(argv[1], NULL, 0) : 4000000;
	u32 runs = argc > 2 ? (u32)strtoul(argv[2], NULL, 0) : 5;

	if (events < CPUS || runs < 1 || runs > MAX_RUNS) {
		fprintf(stderr, "usage: bench_machine [events [runs]]\n");
		return 2;
	}
	for (u16 i = 0; i < CPUS; i++)
		places[i] = (struct cpu_place){i, i / 8, i / (CPUS / 2)};
	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++)
		for (size_t n = 0; n < sizeof(strands) / sizeof(*strands); n++)
			if (bench(&cases[c], &topology, strands[n], events,
				  runs))
				return 1;
	return 0;
}
