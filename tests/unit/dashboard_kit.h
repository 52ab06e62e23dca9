/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Histories made by hand: so many runs of three workloads by three policies
 * by some vCPU counts, with three metrics each.  Numbers come from a small
 * generator with a fixed seed; series 0 has a step down in the middle, series
 * 1 is livelocked in some runs.
 */
#ifndef TDMEM_TESTS_DASHBOARD_KIT_H
#define TDMEM_TESTS_DASHBOARD_KIT_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/base/arena.h"
#include "bench/result/encode.h"
#include "bench/trend/trend.h"

struct history {
	struct trend trend;
	json_t *environment;
	json_t **axes;
};

/** What a test may want otherwise. */
struct history_shape {
	size_t nruns, nvcpus;
	const char *policy; /* of line 0, in place of "spin" */
	const char *host, *kernel, *commit, *why;
};

static double noise(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (double)(*state >> 40) / (double)(1 << 24) - 0.5;
}

static void history_runs(struct history *h, const struct history_shape *shape)
{
	struct trend *t = &h->trend;

	t->run = arena_alloc(t->arena, shape->nruns, sizeof(*t->run));
	for (size_t i = 0; i < shape->nruns; i++)
		t->run[i] = (struct trend_run){
			.path = arena_print(t->arena, "night %03zu.json", i),
			.time = arena_print(t->arena,
					    "2026-%02zu-%02zuT02:00:00Z",
					    1 + i / 28 % 12, 1 + i % 28),
			.host = shape->host,
			.kernel = shape->kernel,
			.cpu = "a CPU",
			.config = "nightly",
			.version = "0.1",
			.commit = arena_print(t->arena, "%s%04zu",
					      shape->commit, i),
			.environment = h->environment,
			.modelled = true,
			.ncells = 9 * shape->nvcpus,
			.nbad = i % 20 == 7,
		};
	t->nruns = shape->nruns;
}

static void history_points(struct trend *t, size_t index, uint64_t *state)
{
	struct trend_series *s = &t->series[index];
	double level = 1000.0 * (double)(index + 1);

	s->npoints = t->nruns;
	s->point = arena_alloc(t->arena, s->npoints, sizeof(*s->point));
	for (size_t i = 0; i < s->npoints; i++) {
		double step = index == 0 && i >= s->npoints / 2 ? 0.8 : 1;
		double v = level * step * (1 + 0.02 * noise(state));
		bool bad = index == 3 && i % 20 == 7;

		s->point[i] = (struct trend_point){
			.run = i,
			.value = bad ? NAN : v,
			.low = bad ? NAN : v * 0.99,
			.high = bad ? NAN : v * 1.01,
			.status = bad ? "livelock" : "ok",
		};
	}
}

static void history_change(struct trend *t, const char *why)
{
	struct trend_series *s = &t->series[0];

	if (s->npoints < 4)
		return;
	s->change = arena_alloc(t->arena, 1, sizeof(*s->change));
	s->nchanges = 1;
	s->change[0] = (struct trend_change){
		.id = "0123456789abcdef",
		.point = s->npoints / 2,
		.before = 1000,
		.after = 800,
		.ratio = -0.2,
		.p = 1e-6,
		.confidence = 0.999,
		.kind = TREND_REGRESSED,
		.acknowledged = why,
	};
}

static const char *const history_metrics[][2] = {
	{"rate", "1/s"},
	{"latency p50", "ns"},
	{"latency p99", "ns"},
};

static void history_series(struct history *h, const struct history_shape *shape)
{
	static const char *const loads[][2] = {{"fault-in", "fault"},
					       {"track", "track"},
					       {"block-remove", "removal"}};
	const char *policies[] = {shape->policy, "eagain", "kick-once"};
	struct trend *t = &h->trend;
	size_t n = 0, all = 27 * shape->nvcpus;
	uint64_t state = 1;

	t->series = arena_alloc(t->arena, all, sizeof(*t->series));
	h->axes = arena_alloc(t->arena, all, sizeof(json_t *));
	for (; n < all; n++) {
		size_t m = n % 3, p = n / 3 % 3, w = n / 9 % 3;
		struct trend_series *s = &t->series[n];

		h->axes[n] = json_pack("{s:s, s:s, s:i}", "workload",
				       loads[w][0], "policy", policies[p],
				       "vcpus", 1 << (n / 27));
		*s = (struct trend_series){
			.config = "nightly",
			.host = "model spr/typ pack:2",
			.workload = loads[w][0],
			.operation = loads[w][1],
			.cell = "",
			.axes = h->axes[n],
			.metric = arena_print(t->arena, "%s.%s", loads[w][1],
					      history_metrics[m][0]),
			.unit = history_metrics[m][1],
			.better = m ? -1 : 1,
			.key = "",
			.modelled = true,
		};
		t->nseries = n + 1;
		history_points(t, n, &state);
	}
	history_change(t, shape->why);
}

static void history_make(struct history *h, const struct history_shape *shape)
{
	*h = (struct history){0};
	h->trend.arena = arena_new();
	h->environment = json_pack("{s:o, s:o, s:i, s:{s:s}, s:[s,s]}", "host",
				   json_bytes(shape->host), "kernel",
				   json_bytes(shape->kernel), "memory_bytes",
				   1 << 30, "tags", "__proto__", shape->commit,
				   "command", "run", shape->policy);
	history_runs(h, shape);
	history_series(h, shape);
}

static void history_free(struct history *h)
{
	for (size_t i = 0; i < h->trend.nseries; i++)
		json_decref(h->axes[i]);
	json_decref(h->environment);
	arena_free(h->trend.arena);
}

#endif
