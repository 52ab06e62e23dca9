/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* CPU_SET, getloadavg */
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/calibrate/impl.h"
#include "bench/observe/environment.h"
#include "bench/plan/topology.h"
#include "model/machine/threads_work.h"

/* Of one primitive: enough for 101 batches on a machine that is shared. */
#define LIMIT_S 2
/* Fewer batches than this have no 95 % interval to speak of. */
enum { LEAST_BATCHES = 11 };

/* ---------------------------------------------------------------- measuring
 */

bool bind_thread(pthread_t thread, u32 cpu)
{
	cpu_set_t *set = CPU_ALLOC(cpu + 1);
	size_t size = CPU_ALLOC_SIZE(cpu + 1);
	int error = -1;

	if (set) {
		CPU_ZERO_S(size, set);
		CPU_SET_S(cpu, size, set);
		error = pthread_setaffinity_np(thread, size, set);
		CPU_FREE(set);
	}
	return error == 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void measure(struct bench *b, struct primitive *p, batch_fn *batch, void *ctx)
{
	double ns[CALIBRATE_BATCHES], per_tick = 1e9 / (double)b->clock.hz;
	char why[sizeof(p->why)] = "too few batches before the time was over";
	size_t n = 0;

	b->deadline = tclock_glance(&b->clock) + LIMIT_S * b->clock.hz;
	batch(b, ctx, why, sizeof(why)); /* warms up */
	while (n < CALIBRATE_BATCHES &&
	       tclock_glance(&b->clock) < b->deadline) {
		double ticks = batch(b, ctx, why, sizeof(why));

		if (ticks < 0)
			break;
		ns[n++] = ticks * per_tick;
	}
	p->batches = n;
	if (n < LEAST_BATCHES) {
		snprintf(p->why, sizeof(p->why), "%s", why);
		return;
	}
	qsort(ns, n, sizeof(*ns), by_value);
	p->median = median_of_sorted(ns, n);
	p->interval = median_interval(ns, n, 0.95);
}

/* --------------------------------------------------------------- one thread
 */

enum { TIMES = 1000, PAGE_TIMES = 16 };

static double clock_batch(struct bench *b, void *ctx, char *why, size_t size)
{
	u64 begin = tclock_read(&b->clock), end = begin;

	(void)ctx;
	(void)why;
	(void)size;
	for (int i = 0; i < TIMES; i++)
		end = tclock_read(&b->clock);
	return (double)(end - begin) / TIMES;
}

static double xadd_batch(struct bench *b, void *ctx, char *why, size_t size)
{
	u64 begin = tclock_read(&b->clock);

	(void)ctx;
	(void)why;
	(void)size;
	for (int i = 0; i < TIMES; i++)
		__atomic_fetch_add((u32 *)b->page, 1, __ATOMIC_SEQ_CST);
	return (double)(tclock_read(&b->clock) - begin) / TIMES;
}

static double cmpxchg_batch(struct bench *b, void *ctx, char *why, size_t size)
{
	u64 begin = tclock_read(&b->clock);
	u32 seen = *(u32 *)b->page;

	(void)ctx;
	(void)why;
	(void)size;
	for (int i = 0; i < TIMES; i++) {
		u32 expected = seen;

		__atomic_compare_exchange_n((u32 *)b->page, &expected, seen,
					    false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST);
	}
	return (double)(tclock_read(&b->clock) - begin) / TIMES;
}

static double word_batch(struct bench *b, void *ctx, char *why, size_t size)
{
	return (xadd_batch(b, ctx, why, size) +
		cmpxchg_batch(b, ctx, why, size)) /
	       2;
}

struct page_job {
	void (*clear)(void *page);
	void (*flush)(const void *page);
};

static double clear_batch(struct bench *b, void *ctx, char *why, size_t size)
{
	const struct page_job *job = ctx;
	u64 begin = tclock_read(&b->clock);

	(void)why;
	(void)size;
	for (int i = 0; i < PAGE_TIMES; i++)
		job->clear(b->page + i * WORK_PAGE_BYTES);
	return (double)(tclock_read(&b->clock) - begin) / PAGE_TIMES;
}

/* The module flushes what it has just written around. */
static double flush_batch(struct bench *b, void *ctx, char *why, size_t size)
{
	const struct page_job *job = ctx;
	u64 begin;

	(void)why;
	(void)size;
	memset(b->page, 1, PAGE_TIMES * WORK_PAGE_BYTES);
	begin = tclock_read(&b->clock);
	for (int i = 0; i < PAGE_TIMES; i++)
		job->flush(b->page + i * WORK_PAGE_BYTES);
	return (double)(tclock_read(&b->clock) - begin) / PAGE_TIMES;
}

/* --------------------------------------------------------------- the list */

struct primitive *calibrate_begin(struct calibration *c, const char *name,
				  const char *entry, const char *help)
{
	struct primitive *p = &c->primitive[c->n++];

	*p = (struct primitive){
		.help = help,
		.entry = entry,
		.median = (double)NAN,
		.interval = {(double)NAN, (double)NAN, 0},
	};
	snprintf(p->name, sizeof(p->name), "%s", name);
	return p;
}

static void measure_alone(struct calibration *c, struct bench *b)
{
	measure(b,
		calibrate_begin(c, b->clock.tsc ? "rdtscp" : "clock", NULL,
				"one reading of the clock"),
		clock_batch, NULL);
	measure(b,
		calibrate_begin(c, "xadd", NULL,
				"lock xadd, line in own cache"),
		xadd_batch, NULL);
	measure(b,
		calibrate_begin(c, "cmpxchg", NULL,
				"lock cmpxchg, line in own cache"),
		cmpxchg_batch, NULL);
	measure(b,
		calibrate_begin(c, "lock word", "line_local",
				"mean of lock xadd and lock cmpxchg"),
		word_batch, NULL);
}

static void measure_pages(struct calibration *c, struct bench *b)
{
	struct page_work work = page_work();
	struct page_job job = {.flush = work.flush};
	const char *way;
	char name[40];

	for (unsigned i = 0; (way = page_clear_way(i, &job.clear)); i++) {
		snprintf(name, sizeof(name), "clear 4K, %s", way);
		measure(b,
			calibrate_begin(c, name, i ? NULL : "clear_4k",
					"clear of a page, and a fence"),
			clear_batch, &job);
	}
	snprintf(name, sizeof(name), "flush 4K, %s", work.flush_name);
	measure(b,
		calibrate_begin(
			c, name, "flush_4k",
			"flush of a page that was written, and a fence"),
		flush_batch, &job);
}

/* How far apart two CPUs are; the order of struct line_costs. */
static const struct distance {
	const char *name, *entry, *help;
} distances[] = {
	{"line, same core", NULL, "a line from the sibling, one way"},
	{"line, same complex", "line_complex",
	 "a line from the same complex, one way"},
	{"line, same socket", "line_socket",
	 "a line from the same package, one way"},
	{"line, other socket", "line_remote",
	 "a line from another package, one way"},
};

static int distance_of(const struct cpu_place *a, const struct cpu_place *b)
{
	if (a->package != b->package)
		return 3;
	if (a->complex != b->complex)
		return 2;
	return a->core != b->core;
}

static void measure_lines(struct calibration *c, struct bench *b,
			  const struct topology *t, const u32 *os_cpu)
{
	for (int d = 0; d < 4; d++) {
		struct primitive *p =
			calibrate_begin(c, distances[d].name,
					distances[d].entry, distances[d].help);
		u32 i = 1;

		while (i < t->ncpus && distance_of(&t->cpu[0], &t->cpu[i]) != d)
			i++;
		if (i >= t->ncpus) {
			snprintf(p->why, sizeof(p->why),
				 "no two CPUs here are so far apart");
			continue;
		}
		b->other = os_cpu[i];
		measure_pair(b, p, PAIR_LINE);
	}
}

struct game {
	const char *name, *entry, *help;
	enum pair_game game;
	bool one_cpu;
};

/* The signal is for hosts without the membarrier, which comes before it. */
static bool wanted(const struct calibration *c, const struct bench *b,
		   const struct game *g)
{
	if (!b->entries || g->entry)
		return true;
	return g->game == PAIR_SIGNAL && isnan(c->primitive[c->n - 1].median);
}

static void measure_games(struct calibration *c, struct bench *b)
{
	static const struct game games[] = {
		{"IPI, membarrier", "kick_base",
		 "interrupt of a CPU that loops, until it was taken", PAIR_IPI,
		 false},
		{"IPI, signal", NULL,
		 "signal to a thread that loops, until it was taken",
		 PAIR_SIGNAL, false},
		{"futex hand-over", NULL,
		 "wake a thread of another CPU, until it runs", PAIR_FUTEX,
		 false},
		{"context switch", NULL,
		 "the same on one CPU: futex and switch", PAIR_SWITCH, true},
	};
	u32 other = b->other;

	for (size_t i = 0; i < sizeof(games) / sizeof(games[0]); i++) {
		struct primitive *p;

		if (!wanted(c, b, &games[i]))
			continue;
		p = calibrate_begin(c, games[i].name, games[i].entry,
				    games[i].help);
		if (!games[i].one_cpu && !b->has_other) {
			snprintf(p->why, sizeof(p->why),
				 "this process may use one CPU only");
			continue;
		}
		b->other = games[i].one_cpu ? b->cpu : other;
		measure_pair(b, p, games[i].game);
	}
	b->other = other;
}

/* --------------------------------------------------------------- the whole */

void describe_host(const json_t *environment, unsigned cpus, struct measured *m)
{
	const char *cpu =
		json_string_value(json_object_get(environment, "cpu"));
	const char *kernel =
		json_string_value(json_object_get(environment, "kernel"));
	const char *time =
		json_string_value(json_object_get(environment, "time"));

	snprintf(m->where, sizeof(m->where), "%.90s, %u CPUs, %.80s",
		 cpu ? cpu : "unknown CPU", cpus,
		 kernel ? kernel : "unknown kernel");
	snprintf(m->when, sizeof(m->when), "%.31s",
		 time ? time : "unknown time");
}

static void describe(struct calibration *c)
{
	json_t *env = environment(0, NULL);

	describe_host(env, c->cpus, &c->here);
	if (getloadavg(&c->load, 1) != 1)
		c->load = (double)NAN;
	json_decref(env);
}

/* In a thread of its own, so that nobody else is bound. */
struct session {
	struct calibration *result;
	const struct topology *topology;
	const u32 *os_cpu;
	struct bench bench;
};

static void *measure_all(void *arg)
{
	struct session *s = arg;
	struct bench *b = &s->bench;

	bind_thread(pthread_self(), b->cpu);
	tclock_init(&b->clock, false);
	measure_alone(s->result, b);
	measure_pages(s->result, b);
	measure_lines(s->result, b, s->topology, s->os_cpu);
	b->has_other = s->topology->ncpus > 1;
	b->other = s->os_cpu[b->has_other];
	measure_games(s->result, b);
	measure_vm_exit(
		b,
		calibrate_begin(s->result, "VM exit", "vmx_round_trip",
				"exit and entry of an ordinary VM, by CPUID"));
	return NULL;
}

static int run_session(struct session *s, struct err *e)
{
	size_t size = PAGE_TIMES * WORK_PAGE_BYTES;
	pthread_t thread;
	int error;

	s->bench.cpu = s->os_cpu[0];
	s->bench.page = aligned_alloc(WORK_PAGE_BYTES, size);
	if (!s->bench.page)
		return err_set(e, EXIT_FAILED, "out of memory");
	memset(s->bench.page, 0, size);
	error = pthread_create(&thread, NULL, measure_all, s);
	if (!error)
		pthread_join(thread, NULL);
	free(s->bench.page);
	return error ? err_set(e, EXIT_FAILED, "calibrate: no thread: %s",
			       strerror(error))
		     : 0;
}

static int calibrate_some(struct calibration *c, bool entries, struct err *e)
{
	struct topology topology;
	u32 *os_cpu;
	int status;

	*c = (struct calibration){0};
	if (topology_load_cpus(NULL, &topology, &os_cpu, e))
		return -1;
	c->cpus = topology.ncpus;
	describe(c);
	status = run_session(&(struct session){.result = c,
					       .topology = &topology,
					       .os_cpu = os_cpu,
					       .bench.entries = entries},
			     e);
	topology_free(&topology);
	free(os_cpu);
	return status;
}

int calibrate(struct calibration *c, struct err *e)
{
	return calibrate_some(c, false, e);
}

int calibrate_entries(struct calibration *c, struct err *e)
{
	return calibrate_some(c, true, e);
}
