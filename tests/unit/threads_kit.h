/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small machines of real threads; _GNU_SOURCE is defined before this is
 * included.
 */
#ifndef TDMEM_TESTS_THREADS_KIT_H
#define TDMEM_TESTS_THREADS_KIT_H

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "model/machine/threads.h"
#include "tests/unit/machine_kit.h"

enum { MAX_CPUS = 64, MAX_STRANDS = 16 };

/** The CPUs that this process may use. */
struct cpus {
	u32 n, os[MAX_CPUS];
	struct cpu_place place[MAX_CPUS];
	struct topology topology;
};

static inline void find_cpus(struct cpus *c, u32 most)
{
	cpu_set_t set;

	memset(c, 0, sizeof(*c));
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (u32 i = 0; i < CPU_SETSIZE && c->n < most; i++)
		if (CPU_ISSET(i, &set))
			c->os[c->n++] = i;
	c->topology = (struct topology){c->n, 1, c->place};
}

/** A machine of all CPUs or fewer, with memory that its strands share. */
struct world {
	struct cpus cpus;
	struct threads_config config;
	struct machine *m;
	struct strand *strand[MAX_STRANDS];
	u32 n;

	struct word {
		struct line line;
		u32 value;
	} __attribute__((aligned(64))) a, b, c;
	struct {
		struct line line;
		u16 w16;
		u64 w64[2];
		u8 w8;
	} __attribute__((aligned(64))) mix;
	u64 rounds, seen, both;
	u32 tasks; /* of the process, before it ran */
	bool flag;
};

static inline u32 count_tasks(void)
{
	DIR *dir = opendir("/proc/self/task");
	u32 n = 0;

	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

static inline struct world *make_world(u32 most_cpus)
{
	struct world *w = aligned_alloc(64, sizeof(*w));

	assert_non_null(w);
	memset(w, 0, sizeof(*w));
	find_cpus(&w->cpus, most_cpus);
	w->tasks = count_tasks();
	w->config = (struct threads_config){
		.topology = &w->cpus.topology,
		.os_cpu = w->cpus.os,
		.seed = 1,
		/* A safeguard, far above what any of this takes. */
		.max_ps = 120 * PS_PER_S,
		.max_strands = MAX_STRANDS,
	};
	return w;
}

static inline void add(struct world *w, void (*fn)(struct strand *, void *))
{
	if (!w->m)
		w->m = threads_create(&w->config);
	assert_non_null(w->m);
	w->strand[w->n] = machine_strand(w->m, w->n, fn, w);
	assert_non_null(w->strand[w->n]);
	w->n++;
}

static inline void free_world(struct world *w)
{
	machine_destroy(w->m);
	free(w);
}

/* The kernel takes a thread off the list a moment after it was joined. */
static inline void nobody_is_left(const struct world *w)
{
	for (int i = 0; count_tasks() > w->tasks && i < 10000; i++)
		sched_yield();
	assert_int_equal(count_tasks(), w->tasks);
}

/* ----------------------------------------- what strands of several tests do */

enum { STEPS = 50000 };

static inline void step_all(struct strand *s, void *arg)
{
	struct world *w = arg;

	for (u32 i = 0; i < STEPS; i++) {
		u64 old;

		line_xadd16(s, &w->mix.line, &w->mix.w16, 1);
		line_xadd32(s, &w->a.line, &w->a.value, 1);
		line_xadd64(s, &w->mix.line, &w->mix.w64[0], 1);
		do
			old = line_load64(s, &w->mix.line, &w->mix.w64[1]);
		while (line_cmpxchg64(s, &w->mix.line, &w->mix.w64[1], old,
				      old + 1) != old);
	}
}

/* Meet: nobody goes on before all have come so far. */
static inline void meet(struct strand *s, struct word *at, u32 n)
{
	line_xadd32(s, &at->line, &at->value, 1);
	while (line_load32(s, &at->line, &at->value) < n)
		spend(s, 0);
}

/* Take turns: each waits for the word to be its own. */
static inline void take_turns(struct strand *s, void *arg)
{
	struct world *w = arg;
	u32 parity = s->id;

	for (;;) {
		u32 at = line_load32(s, &w->a.line, &w->a.value);

		if (at >= w->rounds)
			return;
		if (at % 2 != parity) {
			line_wait(s, &w->a.line, &w->a.value, at, false);
			continue;
		}
		/* Now and then late enough for the other to be asleep. */
		if (at % 64 < 2)
			spend(s, 200 * PS_PER_US);
		progress(s);
		line_store32(s, &w->a.line, &w->a.value, at + 1);
	}
}

static inline void *nothing(void *arg)
{
	return arg;
}

/* A group's setup: sanitizers start a thread of their own with the first. */
static inline int start_a_thread(void **state)
{
	pthread_t first;

	(void)state;
	return pthread_create(&first, NULL, nothing, NULL) ||
	       pthread_join(first, NULL);
}

#endif
