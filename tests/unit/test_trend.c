/* SPDX-License-Identifier: GPL-2.0-only */
/* Histories: which series there are, and what changed. */
#include "tests/unit/trend_rig.h"
#include "tests/unit/history_kit.h"

static void assert_value(double a, double b)
{
	if (!(fabs(a - b) <= 1e-9 * fabs(b)))
		fail_msg("%g is not %g", a, b);
}

/* ---------------------------------------------------------------- reading */

static void reads_series(void **unused)
{
	const struct kit_cell cells[] = {{"spin", 1000, 500, NULL},
					 {"eagain", 2000, 700, NULL}};
	const int nights[] = {40, 3, 17}; /* names sort as times do */
	struct trend_request request = asked();
	const struct trend_series *s;
	struct trend t;

	(void)unused;
	for (size_t i = 0; i < COUNT(nights); i++) {
		struct kit_result r = {
			.night = nights[i], .cell = cells, .ncells = 2};

		kit_write(dir, &r);
	}
	load(&request, &t);
	assert_int_equal(t.nruns, 3);
	assert_string_equal(t.run[0].path, "night-003.json");
	assert_string_equal(t.run[2].time, "2026-02-13T02:00:00Z");
	assert_string_equal(t.run[1].commit, "c17");
	assert_string_equal(t.run[1].kernel, "Linux 6.1");
	assert_int_equal(t.run[0].ncells, 2);
	assert_int_equal(t.nseries, 6); /* 2 cells, each rate, p50, p99 */
	s = series(&t, "removal.rate");
	assert_string_equal(s->cell, "policy=spin vcpus=8");
	assert_string_equal(s->config, "kit");
	assert_string_equal(s->workload, "block-remove");
	assert_string_equal(s->host, "model SPR/typ");
	assert_string_equal(s->unit, "1/s");
	assert_int_equal(s->better, 1);
	assert_int_equal(s->npoints, 3);
	assert_value(s->point[1].value, 1000); /* the median of three */
	assert_value(s->point[1].low, 980);
	assert_value(s->point[1].high, 1010);
	s = series(&t, "removal.latency p99");
	assert_value(s->point[2].value, 500);
	assert_int_equal(s->better, -1);
	trend_free(&t);
}

/* A model's host does not matter, a machine's does; so does the config. */
static void keys(void **unused)
{
	const struct kit_cell cell = {"spin", 1000, 0, NULL};
	const struct kit_result results[] = {
		{0, "a", "kit", false, &cell, 1},
		{1, "b", "kit", false, &cell, 1},
		{2, "a", "kit", true, &cell, 1},
		{3, "b", "kit", true, &cell, 1},
		{4, "b", "other", true, &cell, 1},
		{5, "b", "kit", true, &cell, 1},
	};
	const size_t points[] = {2, 1, 2, 1};
	struct trend_request request = asked();
	struct trend t;

	(void)unused;
	for (size_t i = 0; i < COUNT(results); i++)
		kit_write(dir, &results[i]);
	load(&request, &t);
	assert_int_equal(t.nseries, COUNT(points));
	for (size_t i = 0; i < COUNT(points); i++)
		assert_int_equal(t.series[i].npoints, points[i]);
	assert_string_equal(t.series[2].host, "b");
	assert_true(t.series[0].modelled && !t.series[1].modelled);
	trend_free(&t);
}

static void filters(void **unused)
{
	const struct kit_cell cells[] = {{"spin", 1000, 500, NULL},
					 {"eagain", 2000, 700, NULL}};
	const char *metric[] = {"*.latency p*"}, *cell[] = {"policy=eagain"},
		   *nothing[] = {"policy=none"}, *wrong[] = {"policy"};
	struct trend_request r = asked();
	struct trend t;
	struct err e;

	(void)unused;
	for (int night = 0; night < 4; night++)
		kit_write(dir, &(struct kit_result){.night = night,
						    .cell = cells,
						    .ncells = 2});
	r.metrics = (struct strings){metric, 1};
	r.cells = (struct strings){cell, 1};
	r.since = "2026-01-03";
	load(&r, &t);
	assert_int_equal(t.nruns, 2);
	assert_int_equal(t.nseries, 2);
	assert_string_equal(t.series[0].metric, "removal.latency p50");
	assert_string_equal(t.series[1].cell, "policy=eagain vcpus=8");
	trend_free(&t);
	r.cells.v = nothing;
	assert_int_equal(trend_load(&r, &t, &e), -1);
	assert_int_equal(e.status, EXIT_USAGE);
	r.cells.v = wrong;
	assert_int_equal(trend_load(&r, &t, &e), -1);
	assert_int_equal(e.status, EXIT_USAGE);
}

static void no_folder(void **unused)
{
	struct trend_request r = {.dir = "/nonexistent/x", .jobs = 1};
	struct trend t;
	struct err e;

	(void)unused;
	assert_int_equal(trend_load(&r, &t, &e), -1);
	r.dir = dir;
	load(&r, &t);
	assert_int_equal(t.nruns, 0);
	assert_int_equal(t.nseries, 0);
	find(&t);
	trend_free(&t);
}

static void link_to(const char *target, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(symlink(target, path), 0);
}

/* What is no result is told and harms nothing. */
static void skips(void **unused)
{
	static const struct {
		const char *path, *why;
	} expected[] = {
		{"broken.json", "line"},
		{"fifo.json", "not a regular file"},
		{"latest.json", "the same file as night-000.json"},
		{"loop", "a loop of links"},
		{"nothing.json", "a link to nothing"},
		{"other.json", "schema"},
	};
	struct trend_request request = asked();
	char path[256];
	struct trend t;

	(void)unused;
	write_step(0, 3, 9, (struct kit_cell){"spin", 1, 1, NULL},
		   (struct kit_cell){0});
	kit_text(dir, "broken.json", "{\"schema\": \"tdmem-result/1\",");
	kit_text(dir, "other.json", "{\"schema\": \"other/1\"}");
	kit_text(dir, "readme.txt", "not looked at");
	kit_text(dir, ".hidden.json", "{");
	link_to("night-000.json", "latest.json");
	link_to(".", "loop");
	link_to("gone.json", "nothing.json");
	snprintf(path, sizeof(path), "%s/fifo.json", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	for (int round = 0; round < 2; round++) { /* then from the index */
		load(&request, &t);
		assert_int_equal(t.nruns, 3);
		assert_int_equal(t.nskipped, COUNT(expected));
		for (size_t i = 0; i < COUNT(expected); i++) {
			assert_string_equal(t.skip[i].path, expected[i].path);
			assert_non_null(strstr(t.skip[i].why, expected[i].why));
		}
		assert_int_equal(t.nparsed, round ? 0 : 3);
		trend_free(&t);
	}
}

/* --------------------------------------------------------------- changes */

static void directions(void **unused)
{
	const struct trend_series *s;
	struct trend t;

	(void)unused;
	write_step(0, 30, 20, (struct kit_cell){"spin", 1000, 500, NULL},
		   (struct kit_cell){"spin", 1100, 600, NULL});
	load_and_find(&t);
	s = series(&t, "removal.rate");
	assert_int_equal(s->nchanges, 1);
	assert_int_equal(s->change[0].point, 20);
	assert_int_equal(s->change[0].kind, TREND_IMPROVED);
	assert_value(s->change[0].ratio, 0.1);
	assert_value(s->change[0].before, 1000);
	assert_true(s->change[0].confidence >= 0.995);
	assert_true(s->change[0].p < 0.01);
	assert_null(s->change[0].status);
	s = series(&t, "removal.latency p99");
	assert_int_equal(s->nchanges, 1);
	assert_int_equal(s->change[0].kind, TREND_REGRESSED);
	assert_int_equal(trend_open_regressions(&t), 2); /* p50 and p99 */
	trend_free(&t);
}

static void material(void **unused)
{
	struct trend_rule rule = trend_rule_default;
	struct trend t;
	struct err e;

	(void)unused;
	write_step(0, 30, 20, (struct kit_cell){"spin", 1000, 0, NULL},
		   (struct kit_cell){"spin", 994, 0, NULL});
	load_and_find(&t);
	assert_int_equal(t.series[0].nchanges, 0);
	trend_free(&t);
	load(&(struct trend_request){.dir = dir, .jobs = 1}, &t);
	rule.material = 0.005;
	assert_int_equal(trend_find_changes(&t, &rule, &e), 0);
	assert_int_equal(t.series[0].nchanges, 1);
	assert_int_equal(t.series[0].change[0].kind, TREND_REGRESSED);
	trend_free(&t);
}

/* A cell that stops working is no number, and is a regression. */
static void livelock(void **unused)
{
	const struct kit_cell good = {"spin", 1000, 500, NULL},
			      bad = {"spin", 4, 500, "livelock"};
	const struct trend_series *s;
	struct trend t;

	(void)unused;
	write_step(0, 12, 10, good, bad);
	load_and_find(&t);
	s = series(&t, "removal.rate");
	assert_int_equal(s->npoints, 12);
	assert_true(isnan(s->point[11].value) && isnan(s->point[11].low));
	assert_string_equal(s->point[11].status, "livelock");
	assert_int_equal(s->nchanges, 1);
	assert_int_equal(s->change[0].point, 10);
	assert_int_equal(s->change[0].kind, TREND_REGRESSED);
	assert_string_equal(s->change[0].status, "livelock");
	assert_value(s->change[0].before, 1000);
	assert_true(isnan(s->change[0].after) && isnan(s->change[0].ratio));
	assert_int_equal(series(&t, "removal.latency p50")->nchanges, 0);
	assert_int_equal(t.run[11].nbad, 1);
	trend_free(&t);
	/* It works again. */
	write_step(12, 14, 0, good, good);
	load_and_find(&t);
	assert_int_equal(series(&t, "removal.rate")->nchanges, 0);
	trend_free(&t);
}

/* A cell that never worked is there, as a gap, and nothing new. */
static void never_ok(void **unused)
{
	const struct kit_cell bad = {"spin", 0, 0, "vm-bugged"};
	struct trend t;

	(void)unused;
	write_step(0, 12, 12, bad, bad);
	load_and_find(&t);
	assert_int_equal(t.nseries, 1);
	assert_string_equal(t.series[0].metric, "removal.rate");
	assert_int_equal(t.series[0].npoints, 12);
	assert_string_equal(t.series[0].point[3].status, "vm-bugged");
	assert_int_equal(t.series[0].nchanges, 0);
	trend_free(&t);
}

static void newest_first(void **unused)
{
	struct trend_found *found;
	struct trend t;
	size_t n;

	(void)unused;
	write_step(0, 20, 8, (struct kit_cell){"spin", 1000, 500, NULL},
		   (struct kit_cell){"spin", 1500, 500, NULL});
	write_step(20, 30, 0, (struct kit_cell){0},
		   (struct kit_cell){"spin", 1200, 600, NULL});
	load_and_find(&t);
	found = trend_newest_first(&t, &n);
	assert_non_null(found);
	assert_int_equal(n, 4);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(found[i].change->point, 20);
	assert_int_equal(found[3].change->point, 8);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(found[i].change->id,
						found[k].change->id);
	free(found);
	trend_free(&t);
}

/*
 * The whole way from a history in memory: steps of 3 standard deviations of
 * 5 %, of which 95 % are to be found within 3 runs, and at most one false
 * point in 1000 runs.
 */
static void counted(void **unused)
{
	enum { RUNS = 500, SERIES = 40 };
	const size_t at[] = {90, 210, 225, 400};
	const double by[] = {3, -3, 3, 3};
	struct trend_run *run = calloc(RUNS, sizeof(*run));
	struct trend_series *all = calloc(SERIES, sizeof(*all));
	struct trend t = {.arena = NULL};
	size_t found = 0, others = 0;

	(void)unused;
	/* An empty history, for its arena. */
	load(&(struct trend_request){.dir = dir, .jobs = 1}, &t);
	for (size_t i = 0; i < RUNS; i++)
		run[i] = (struct trend_run){.path = "", .time = ""};
	for (size_t i = 0; i < SERIES; i++) {
		struct history h = history_usual;
		double value[RUNS];

		h.seed = 9000 + i;
		h.noise = 0.05;
		history_fill(&h, value, RUNS, at, by, COUNT(at));
		all[i] = (struct trend_series){
			.config = "",
			.host = "",
			.workload = "",
			.operation = "x",
			.cell = "",
			.metric = "x.rate",
			.unit = "",
			.key = "",
			.better = 1,
			.npoints = RUNS,
			.point = calloc(RUNS, sizeof(struct trend_point)),
		};
		for (size_t k = 0; k < RUNS; k++)
			all[i].point[k] = (struct trend_point){
				k, value[k], value[k], value[k], "ok"};
	}
	t.run = run;
	t.nruns = RUNS;
	t.series = all;
	t.nseries = SERIES;
	find(&t);
	for (size_t i = 0; i < SERIES; i++) {
		size_t used = 0;

		for (size_t s = 0; s < COUNT(at); s++) {
			bool hit = false;

			for (size_t c = 0; c < all[i].nchanges; c++)
				hit |= all[i].change[c].point + 3 >= at[s] &&
				       all[i].change[c].point <= at[s] + 3 &&
				       (all[i].change[c].ratio > 0) ==
					       (by[s] > 0);
			used += hit;
		}
		found += used;
		others += all[i].nchanges - used;
		free(all[i].point);
	}
	printf("# %zu of %zu steps found, %zu others in %d runs\n", found,
	       SERIES * COUNT(at), others, RUNS * SERIES);
	assert_true(found * 100 >= 95 * SERIES * COUNT(at));
	assert_true(others * 1000 <= RUNS * SERIES);
	trend_free(&t);
	free(all);
	free(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(reads_series), IN_FOLDER(keys),
		IN_FOLDER(filters),	 IN_FOLDER(no_folder),
		IN_FOLDER(skips),	 IN_FOLDER(directions),
		IN_FOLDER(material),	 IN_FOLDER(livelock),
		IN_FOLDER(never_ok),	 IN_FOLDER(newest_first),
		IN_FOLDER(counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
