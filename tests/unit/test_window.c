/* SPDX-License-Identifier: GPL-2.0-only */
/* When perf is told that a run measures: a shell stands for perf. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench/observe/perf.h"
#include "tests/unit/sim_kit.h"

/* What was seen of a run. */
struct watch {
	const struct perf *perf;
	size_t begins, ends;
	size_t unwatched; /* begins without perf */
	size_t setup;	  /* calls of the module before the first window */
	bool on_at_last_end;
};

static void on_call(void *ctx, struct strand *s, const char *call)
{
	struct watch *w = ctx;

	(void)s;
	(void)call;
	w->setup += !w->begins && !w->perf->asked;
}

static void on_measure(void *ctx, struct strand *s, bool begin)
{
	struct watch *w = ctx;

	(void)s;
	w->begins += begin;
	w->ends += !begin;
	w->unwatched += begin && !w->perf->asked;
	w->on_at_last_end = w->perf->asked;
}

/* It says "ack" to everything, or dies at the second command. */
static void start(struct perf *p, bool dies)
{
	char script[120];
	const char *const argv[] = {"bash", "-c", script, NULL};
	struct err e;
	int fd;

	assert_int_equal(perf_choose(p, "stat", &e), 0);
	fd = p->companion.theirs;
	snprintf(script, sizeof(script),
		 "while read -r x <&%d; do echo ack >&%d; %s done", fd, fd,
		 dies ? "exit;" : "");
	companion_start(&p->companion, argv);
	assert_int_equal(p->companion.missing[0], 0);
}

static void run(const struct workload *workload, u32 vcpus, bool dies,
		struct perf *p, struct watch *w)
{
	const struct trace trace = {
		.ctx = w, .call_enter = on_call, .measure = on_measure};
	struct kit kit = kit_defaults(workload);
	struct kit_world world;
	struct sample sample;

	*w = (struct watch){.perf = p};
	start(p, dies);
	kit_world_init(&world, "spin", 64);
	world.setup.perf = p;
	world.setup.trace = &trace;
	kit_run(&kit, vcpus, &world, &sample);
	assert_int_equal(sample.status, CELL_OK);
	sample_free(&sample);
	kit_world_free(&world);
}

static void each_workload_has_one_window(void **state)
{
	(void)state;
	for (size_t i = 0; workloads[i]; i++) {
		struct watch w;
		struct perf p;

		run(workloads[i], 3, false, &p, &w);
		assert_true(w.begins > 0);
		assert_int_equal(w.ends, w.begins);
		assert_int_equal(w.unwatched, 0);
		assert_true(w.setup > 0);
		assert_false(w.on_at_last_end);
		assert_false(p.asked);
		assert_int_equal(p.windows, 1);
		assert_true(p.window_ns > 0);
		companion_end(&p.companion, SIGINT);
		perf_free(&p);
	}
}

static void a_run_goes_on_without_perf(void **state)
{
	struct watch w;
	struct perf p;

	(void)state;
	run(kit_workload("fault-in"), 2, true, &p, &w);
	assert_int_equal(w.ends, w.begins);
	assert_string_equal(p.companion.missing, "it ended early");
	assert_int_equal(p.windows, 0);
	perf_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_workload_has_one_window),
		cmocka_unit_test(a_run_goes_on_without_perf),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
