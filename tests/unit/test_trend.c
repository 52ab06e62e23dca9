/* SPDX-License-Identifier: GPL-2.0-only */
/* Histories: what is read, from where, what changed, what is acknowledged. */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include "bench/trend.h"
#include "bench/trend_acks.h"
#include "tests/unit/history_kit.h"
#include "tests/unit/trend_kit.h"

#include <cmocka.h> /* last: its fail() is a macro */

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static char dir[64];

static int setup(void **unused)
{
	(void)unused;
	kit_folder(dir);
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	kit_remove(dir);
	return 0;
}

static struct trend_request asked(void)
{
	return (struct trend_request){.dir = dir, .jobs = 2};
}

static void load(const struct trend_request *request, struct trend *t)
{
	struct err e;

	if (trend_load(request, t, &e))
		fail_msg("%s", e.text);
}

static void find(struct trend *t)
{
	struct err e;

	if (trend_find_changes(t, &trend_rule_default, &e))
		fail_msg("%s", e.text);
}

static void load_and_find(struct trend *t)
{
	struct trend_request r = asked();

	load(&r, t);
	find(t);
}

/* One cell, which is `before` up to a night and then `after`. */
static void write_step(int from, int end, int at, struct kit_cell before,
		       struct kit_cell after)
{
	for (int night = from; night < end; night++) {
		struct kit_result r = {.night = night,
				       .cell = night < at ? &before : &after,
				       .ncells = 1};

		kit_write(dir, &r);
	}
}

static const struct trend_series *series(const struct trend *t,
					 const char *metric)
{
	for (size_t i = 0; i < t->nseries; i++)
		if (strcmp(t->series[i].metric, metric) == 0)
			return &t->series[i];
	fail_msg("no %s", metric);
	return NULL;
}

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

/* ------------------------------------------------------------------ index */

static void same_points(const struct trend *a, const struct trend *b)
{
	assert_int_equal(a->nruns, b->nruns);
	assert_int_equal(a->nseries, b->nseries);
	for (size_t i = 0; i < a->nseries; i++) {
		const struct trend_series *s = &a->series[i];
		const struct trend_series *o = &b->series[i];

		assert_string_equal(s->key, o->key);
		assert_int_equal(s->npoints, o->npoints);
		assert_int_equal(s->better, o->better);
		for (size_t k = 0; k < s->npoints; k++) {
			assert_int_equal(s->point[k].run, o->point[k].run);
			assert_memory_equal(&s->point[k].value,
					    &o->point[k].value,
					    3 * sizeof(double));
			assert_string_equal(s->point[k].status,
					    o->point[k].status);
		}
	}
	for (size_t i = 0; i < a->nruns; i++)
		assert_true(json_equal((json_t *)a->run[i].environment,
				       (json_t *)b->run[i].environment));
}

static void check_parsed(const struct trend *truth, size_t parsed)
{
	struct trend_request request = asked();
	struct trend t;

	load(&request, &t);
	assert_int_equal(t.nparsed, parsed);
	assert_null(t.index_trouble);
	same_points(truth, &t);
	trend_free(&t);
}

static char *read_index(size_t *size)
{
	char path[256], *text = calloc(1, 1 << 20);
	FILE *f;

	snprintf(path, sizeof(path), "%s/.tdmem-index", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	*size = fread(text, 1, (1 << 20) - 1, f);
	fclose(f);
	return text;
}

static void write_index(const char *text, size_t size)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/.tdmem-index", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, size, f), size);
	fclose(f);
}

/* Values without short decimals, and cells of all kinds. */
static void write_odd_history(void)
{
	struct kit_cell cells[] = {{"spin", 1000, 0, NULL},
				   {"eagain", 3, 77, NULL},
				   {"kick", 5, 7, "livelock"}};

	for (int night = 0; night < 8; night++) {
		cells[0].rate = 1000.0 / (3 + night);
		kit_write(dir, &(struct kit_result){.night = night,
						    .cell = cells,
						    .ncells = 3});
	}
}

static void index_is_used(void **unused)
{
	struct trend_request request = asked();
	struct trend truth;

	(void)unused;
	write_odd_history();
	request.no_index = true;
	load(&request, &truth);
	assert_int_equal(truth.nparsed, 8);
	check_parsed(&truth, 8);
	check_parsed(&truth, 0);
	/* Another time is another file, whatever is in it. */
	kit_age(dir, 1);
	{
		char path[256];

		snprintf(path, sizeof(path), "%s/night-004.json", dir);
		kit_age(path, 1000);
	}
	check_parsed(&truth, 1);
	check_parsed(&truth, 0);
	trend_free(&truth);
}

/* A file that was just written is not taken from the index. */
static void index_of_young(void **unused)
{
	struct trend_request request = asked();
	char path[256];
	struct trend t;

	(void)unused;
	write_odd_history();
	snprintf(path, sizeof(path), "%s/night-004.json", dir);
	assert_int_equal(utimensat(AT_FDCWD, path, NULL, 0), 0);
	load(&request, &t);
	assert_int_equal(t.nparsed, 8);
	trend_free(&t);
	assert_int_equal(utimensat(AT_FDCWD, path, NULL, 0), 0);
	load(&request, &t);
	assert_int_equal(t.nparsed, 1);
	trend_free(&t);
}

static void index_forgets(void **unused)
{
	struct trend_request request = asked();
	char path[256], *text;
	struct trend t;
	size_t size;

	(void)unused;
	write_odd_history();
	load(&request, &t);
	trend_free(&t);
	snprintf(path, sizeof(path), "%s/night-004.json", dir);
	assert_int_equal(unlink(path), 0);
	load(&request, &t);
	assert_int_equal(t.nruns, 7);
	assert_int_equal(t.nparsed, 0);
	trend_free(&t);
	text = read_index(&size);
	assert_null(strstr(text, "night-004"));
	assert_non_null(strstr(text, "night-005"));
	free(text);
}

/* Whatever is wrong with the index, the numbers are the results'. */
static void index_broken(void **unused)
{
	struct trend_request request = asked();
	struct trend truth;
	size_t size;
	char *text;

	(void)unused;
	write_odd_history();
	load(&request, &truth);
	text = read_index(&size);
	/* Each byte changed in turn, some steps apart. */
	for (size_t i = 0; i < size; i += 97) {
		struct trend t;

		text[i] ^= 1;
		write_index(text, size);
		text[i] ^= 1;
		load(&request, &t);
		same_points(&truth, &t);
		/* A version line of another kind: all; else one, or two. */
		assert_in_range(t.nparsed, 1, 8);
		trend_free(&t);
		check_parsed(&truth, 0);
	}
	for (size_t n = 0; n < size; n += 311) { /* cut off */
		struct trend t;

		write_index(text, n);
		load(&request, &t);
		same_points(&truth, &t);
		trend_free(&t);
	}
	write_index("tdmem-index/0\n", 14);
	check_parsed(&truth, 8);
	free(text);
	trend_free(&truth);
}

/* Lines that are sound but lie about their form are no entries. */
static void index_wrong(void **unused)
{
	static const char *const lines[] = {
		"{}",
		"[]",
		"{\"path\":\"night-000.json\",\"size\":1,\"mtime_ns\":1}",
	};
	struct trend_request request = asked();
	struct trend truth;

	(void)unused;
	write_odd_history();
	load(&request, &truth);
	for (size_t i = 0; i < COUNT(lines); i++) {
		uint64_t hash = UINT64_C(0xcbf29ce484222325);
		char text[256];
		int n;

		for (const char *p = lines[i]; *p; p++)
			hash = (hash ^ (unsigned char)*p) *
			       UINT64_C(0x100000001b3);
		n = snprintf(text, sizeof(text), "tdmem-index/1\n%016llx %s\n",
			     (unsigned long long)hash, lines[i]);
		write_index(text, (size_t)n);
		check_parsed(&truth, 8);
	}
	trend_free(&truth);
}

/* Several at once: all see the same, and leave one index and no rubbish. */
static void index_at_once(void **unused)
{
	struct trend_request request = asked();
	char command[128];
	struct trend truth;
	pid_t child[6];

	(void)unused;
	write_odd_history();
	for (size_t i = 0; i < COUNT(child); i++) {
		child[i] = fork();
		if (child[i] == 0) {
			struct trend t;
			struct err e;

			_exit(trend_load(&request, &t, &e) || t.nruns != 8 ||
			      t.index_trouble);
		}
	}
	for (size_t i = 0; i < COUNT(child); i++) {
		int status;

		assert_int_equal(waitpid(child[i], &status, 0), child[i]);
		assert_int_equal(status, 0);
	}
	request.no_index = true;
	load(&request, &truth);
	check_parsed(&truth, 0);
	trend_free(&truth);
	snprintf(command, sizeof(command),
		 "test $(ls -A %s | grep -c index) -eq 1", dir);
	assert_int_equal(system(command), 0);
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

/* -------------------------------------------------------- acknowledgements */

static const char *acks(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/tdmem-acks.json", dir);
	return path;
}

static void acknowledge(const struct trend *t, const char *id, const char *why)
{
	struct err e;

	if (trend_acknowledge(t, acks(), id, why, &e))
		fail_msg("%s", e.text);
}

static void acknowledged(void **unused)
{
	const struct kit_cell high = {"spin", 1000, 0, NULL},
			      low = {"spin", 900, 0, NULL};
	char id[20];
	struct trend t;

	(void)unused;
	write_step(0, 30, 20, high, low);
	load_and_find(&t);
	assert_int_equal(trend_open_regressions(&t), 1);
	strcpy(id, t.series[0].change[0].id);
	acknowledge(&t, id, "known \"reason\"");
	trend_free(&t);
	load_and_find(&t);
	assert_int_equal(trend_open_regressions(&t), 0);
	assert_string_equal(t.series[0].change[0].acknowledged,
			    "known \"reason\"");
	assert_string_equal(t.series[0].change[0].id, id);
	acknowledge(&t, id, "another");
	trend_free(&t);
	/* The file is no result, and is not told as a file left out. */
	load_and_find(&t);
	assert_int_equal(t.nskipped, 0);
	assert_string_equal(t.series[0].change[0].acknowledged, "another");
	trend_free(&t);
	/* A new one, far from it: not acknowledged. */
	write_step(30, 45, 0, high, (struct kit_cell){"spin", 700, 0, NULL});
	load_and_find(&t);
	assert_int_equal(t.series[0].nchanges, 2);
	assert_int_equal(trend_open_regressions(&t), 1);
	trend_free(&t);
}

/* The estimate moves by some runs, and the id with it. */
static void acknowledged_moves(void **unused)
{
	const struct kit_cell high = {"spin", 1000, 0, NULL},
			      low = {"spin", 900, 0, NULL};
	const struct {
		int at;
		size_t open;
	} moves[] = {{18, 0}, {23, 0}, {25, 0}, {12, 1}, {26, 1}};
	struct trend t;

	(void)unused;
	write_step(0, 40, 20, high, low);
	load_and_find(&t);
	acknowledge(&t, t.series[0].change[0].id, "known");
	trend_free(&t);
	for (size_t i = 0; i < COUNT(moves); i++) {
		/* Sizes may be the same, times are not: new files. */
		write_step(0, 40, moves[i].at, high, low);
		for (int night = 0; night < 40; night++) {
			char path[128];

			snprintf(path, sizeof(path), "%s/night-%03d.json", dir,
				 night);
			kit_age(path, 1000 * (int)(i + 1) + night);
		}
		load_and_find(&t);
		assert_int_equal(t.series[0].nchanges, 1);
		assert_int_equal(t.series[0].change[0].point, moves[i].at);
		assert_int_equal(trend_open_regressions(&t), moves[i].open);
		trend_free(&t);
	}
	/* The other direction at the same place is another change. */
	kit_remove(dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	write_step(0, 40, 20, high, low);
	load_and_find(&t);
	acknowledge(&t, t.series[0].change[0].id, "known");
	trend_free(&t);
	write_step(0, 40, 21, low, high);
	load_and_find(&t);
	assert_int_equal(t.series[0].change[0].kind, TREND_IMPROVED);
	assert_null(t.series[0].change[0].acknowledged);
	trend_free(&t);
}

static void acknowledged_wrong(void **unused)
{
	static const char *const files[] = {
		"",
		"{",
		"[]",
		"{\"schema\":\"tdmem-acks/2\",\"acks\":[]}",
		"{\"schema\":\"tdmem-acks/1\"}",
		"{\"schema\":\"tdmem-acks/1\",\"acks\":[{\"id\":\"x\"}]}",
	};
	struct trend_request request = asked();
	struct trend t;
	struct err e;

	(void)unused;
	write_step(0, 30, 20, (struct kit_cell){"spin", 1000, 0, NULL},
		   (struct kit_cell){"spin", 900, 0, NULL});
	load_and_find(&t);
	assert_int_equal(trend_acknowledge(&t, acks(), "none", "x", &e), -1);
	assert_int_equal(e.status, EXIT_USAGE);
	assert_int_equal(access(acks(), F_OK), -1);
	trend_free(&t);
	load(&request, &t);
	for (size_t i = 0; i < COUNT(files); i++) {
		kit_text(dir, "tdmem-acks.json", files[i]);
		assert_int_equal(
			trend_find_changes(&t, &trend_rule_default, &e), -1);
		assert_non_null(strstr(e.text, "tdmem-acks.json"));
	}
	trend_free(&t);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(reads_series),
		IN_FOLDER(keys),
		IN_FOLDER(filters),
		IN_FOLDER(no_folder),
		IN_FOLDER(skips),
		IN_FOLDER(index_is_used),
		IN_FOLDER(index_of_young),
		IN_FOLDER(index_forgets),
		IN_FOLDER(index_broken),
		IN_FOLDER(index_wrong),
		IN_FOLDER(index_at_once),
		IN_FOLDER(directions),
		IN_FOLDER(material),
		IN_FOLDER(livelock),
		IN_FOLDER(never_ok),
		IN_FOLDER(newest_first),
		IN_FOLDER(counted),
		IN_FOLDER(acknowledged),
		IN_FOLDER(acknowledged_moves),
		IN_FOLDER(acknowledged_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
