/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the threads machine adds to what it measures: one JSON object a case
 * on stdout, medians over runs of real ns for each sample.  "bare" is one
 * reading of the clock; "null" is the loop of a strand that does nothing but
 * record a latency, by which results are blurred.
 *
 * usage: bench_threads [samples [runs]]
 */
#define _GNU_SOURCE /* sched_getcpu */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "guest-agent/hist.h"
#include "model/machine/threads_clock.h"

enum { MAX_RUNS = 99 };

struct bench {
	u64 samples;
	struct tclock clock; /* times what the cases do */
	double ns;	     /* of one sample */
	struct hist hist;
	struct line line;
	u64 word;
};

static double each(const struct bench *b, u64 ticks)
{
	return (double)ticks / (double)b->clock.hz * 1e9 / (double)b->samples;
}

/* One reading after the other. */
static void bare(struct strand *s, void *arg)
{
	struct bench *b = arg;
	u64 begin = tclock_read(&b->clock);

	(void)s;
	for (u64 i = 0; i < b->samples; i++)
		tclock_read(&b->clock);
	b->ns = each(b, tclock_read(&b->clock) - begin);
}

/* Each sample ends where the next begins. */
static void record_only(struct strand *s, void *arg)
{
	struct bench *b = arg;
	u64 begin = tclock_read(&b->clock), last = now(s);

	for (u64 i = 0; i < b->samples; i++) {
		u64 at = now(s);

		hist_record(&b->hist, (at - last) / PS_PER_NS);
		last = at;
	}
	b->ns = each(b, tclock_read(&b->clock) - begin);
}

/* A locked instruction on a line of one's own. */
static void locked(struct strand *s, void *arg)
{
	struct bench *b = arg;
	u64 begin = tclock_read(&b->clock);

	for (u64 i = 0; i < b->samples; i++)
		line_xadd64(s, &b->line, &b->word, 1);
	b->ns = each(b, tclock_read(&b->clock) - begin);
}

/* Work on a page, with no cost to wait for. */
static void clear(struct strand *s, void *arg)
{
	struct bench *b = arg;
	u64 begin = tclock_read(&b->clock);

	for (u64 i = 0; i < b->samples; i++)
		spend_work(s, 0, WORK_CLEAR_4K);
	b->ns = each(b, tclock_read(&b->clock) - begin);
}

static void flush(struct strand *s, void *arg)
{
	struct bench *b = arg;
	u64 begin = tclock_read(&b->clock);

	for (u64 i = 0; i < b->samples; i++)
		spend_work(s, 0, WORK_FLUSH_4K);
	b->ns = each(b, tclock_read(&b->clock) - begin);
}

/* How far from 200 ns a cost of 200 ns is, on average. */
static void spend_200(struct strand *s, void *arg)
{
	struct bench *b = arg;
	u64 begin = tclock_read(&b->clock);

	for (u64 i = 0; i < b->samples; i++)
		spend(s, 200 * PS_PER_NS);
	b->ns = each(b, tclock_read(&b->clock) - begin);
}

static const struct {
	const char *name;
	void (*fn)(struct strand *, void *);
	u64 divide; /* samples */
} cases[] = {
	{"threads.bare", bare, 1},	 {"threads.null", record_only, 1},
	{"threads.locked", locked, 1},	 {"threads.spend_200ns", spend_200, 4},
	{"threads.clear_4k", clear, 64}, {"threads.flush_4k", flush, 64},
};

/* ns of one sample; negative: it could not be done. */
static double run_once(void (*fn)(struct strand *, void *), struct bench *b)
{
	static const struct cpu_place place;
	const struct topology topology = {1, 1, (struct cpu_place *)&place};
	const u32 cpu = (u32)sched_getcpu();
	const struct threads_config config = {
		.topology = &topology,
		.os_cpu = &cpu,
		.seed = 1,
		.max_strands = 1,
	};
	struct machine *m = threads_create(&config);

	if (!m || !machine_strand(m, 0, fn, b) ||
	    machine_run(m) != MACHINE_DONE)
		b->ns = -1;
	machine_destroy(m);
	return b->ns;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	u64 samples = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000;
	u32 runs = argc > 2 ? (u32)strtoul(argv[2], NULL, 0) : 15;
	struct bench *b = aligned_alloc(64, (sizeof(*b) + 63) / 64 * 64);

	if (!b || samples < 64 || runs < 1 || runs > MAX_RUNS) {
		fprintf(stderr, "usage: bench_threads [samples [runs]]\n");
		free(b);
		return 2;
	}
	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		double ns[MAX_RUNS];

		*b = (struct bench){.samples = samples / cases[c].divide};
		tclock_init(&b->clock, false);
		for (u32 i = 0; i < runs; i++) {
			ns[i] = run_once(cases[c].fn, b);
			if (ns[i] < 0)
				return 1;
		}
		qsort(ns, runs, sizeof(*ns), by_value);
		printf("{\"name\":\"%s\",\"samples\":%llu,\"runs\":%u,"
		       "\"ns_per_sample\":%.2f,\"fastest_ns\":%.2f}\n",
		       cases[c].name, (unsigned long long)b->samples, runs,
		       ns[runs / 2], ns[0]);
	}
	free(b);
	return 0;
}
