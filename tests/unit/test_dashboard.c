/* SPDX-License-Identifier: GPL-2.0-only */
/* The dashboard's files: which, what is in them, how large. */
#define _GNU_SOURCE /* asprintf */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/base/json.h"
#include "bench/trend/dashboard.h"
#include "tests/unit/dashboard_kit.h"

#include <cmocka.h> /* last: its fail() is not ours */

static const struct history_shape plain = {
	.nruns = 12,
	.nvcpus = 2,
	.policy = "spin",
	.host = "host",
	.kernel = "Linux 6.1.0",
	.commit = "abc",
};

/* ------------------------------------------------------------- a folder */

struct folder {
	char root[64];
	char *out;
};

static int make_folder(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	strcpy(f->root, "/tmp/test_dashboard.XXXXXX");
	assert_non_null(mkdtemp(f->root));
	assert_true(asprintf(&f->out, "%s/site", f->root) > 0);
	*state = f;
	return 0;
}

/* Remove a folder; returns the bytes that were in it. */
static size_t sweep(const char *path, bool remove_it)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	size_t bytes = 0;

	while (d && (entry = readdir(d))) {
		char *name;
		struct stat st;

		if (entry->d_name[0] == '.')
			continue;
		assert_true(asprintf(&name, "%s/%s", path, entry->d_name) > 0);
		assert_int_equal(lstat(name, &st), 0);
		if (S_ISDIR(st.st_mode))
			bytes += sweep(name, remove_it);
		else
			bytes += (size_t)st.st_size;
		if (remove_it && !S_ISDIR(st.st_mode))
			unlink(name);
		free(name);
	}
	if (d)
		closedir(d);
	if (remove_it)
		rmdir(path);
	return bytes;
}

static int remove_folder(void **state)
{
	struct folder *f = *state;

	sweep(f->root, true);
	free(f->out);
	free(f);
	return 0;
}

static char *read_site(const struct folder *f, const char *name, size_t *size)
{
	struct err e;
	char *path, *text;

	assert_true(asprintf(&path, "%s/%s", f->out, name) > 0);
	text = read_file(path, 100 << 20, size, &e);
	free(path);
	return text;
}

static void write_site(const struct folder *f, const struct history_shape *s)
{
	struct history h;
	struct err e = {.text = ""};

	history_make(&h, s);
	if (dashboard_write(&h.trend, f->root, f->out, &e))
		fail_msg("%s", e.text);
	history_free(&h);
}

/* The document of a data file, which is an assignment around it. */
static json_t *load_data(const struct folder *f, const char *name)
{
	size_t size;
	char *file, *text, *begin, *end;
	json_t *data;

	assert_true(asprintf(&file, "data/%s.js", name) > 0);
	text = read_site(f, file, &size);
	assert_non_null(text);
	begin = strstr(text, "\"] = ");
	end = strrchr(text, ';');
	assert_non_null(begin);
	assert_non_null(end);
	*end = '\0';
	data = json_loads(begin + 5, 0, NULL);
	assert_non_null(data);
	free(text);
	free(file);
	return data;
}

/* ----------------------------------------------------------------- tests */

static void pages_are_there(void **state)
{
	static const char *const names[] = {
		"index.html",
		"workload.html",
		"run.html",
		"style.css",
		"common.js",
		"chart.js",
		"lib/dygraph.min.js",
		"lib/dygraph-licence.txt",
		"data/overview.js",
		"data/series.js",
		"data/run-night-000.js",
	};

	write_site(*state, &plain);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t size = 0;
		char *text = read_site(*state, names[i], &size);

		assert_non_null(text);
		assert_true(size > 100);
		free(text);
	}
}

static void index_says_what_is_there(void **state)
{
	json_t *index;
	const json_t *run, *group;

	write_site(*state, &plain);
	index = load_data(*state, "index");
	assert_int_equal(json_array_size(json_object_get(index, "runs")), 12);
	assert_int_equal(json_array_size(json_object_get(index, "workloads")),
			 3);
	assert_int_equal(json_array_size(json_object_get(index, "lines")), 3);
	assert_int_equal(json_array_size(json_object_get(index, "charts")), 2);
	run = json_array_get(json_object_get(index, "runs"), 3);
	assert_string_equal(json_string_value(json_array_get(run, 1)),
			    "night 003.json");
	assert_string_equal(json_string_value(json_array_get(run, 2)),
			    "night%20003.json");
	assert_string_equal(json_string_value(json_object_get(index, "base")),
			    "../");
	group = json_array_get(json_object_get(index, "groups"), 0);
	assert_int_equal(json_array_size(json_object_get(group, "runs")), 12);
	json_decref(index);
}

static void points_are_those_of_the_history(void **state)
{
	struct history h;
	json_t *data;

	history_make(&h, &plain);
	write_site(*state, &plain);
	data = load_data(*state, "workload-fault-in");
	for (size_t i = 0; i < 6; i++) { /* of 1 vCPU: two lines */
		const struct trend_series *s = &h.trend.series[i];
		const json_t *series =
			json_array_get(json_object_get(data, "series"), i);
		const json_t *v = json_object_get(series, "v");

		assert_string_equal(
			json_string_value(json_object_get(series, "metric")),
			s->metric);
		assert_int_equal(json_array_size(v), s->npoints);
		for (size_t p = 0; p < s->npoints; p++) {
			const json_t *value = json_array_get(v, p);

			if (isnan(s->point[p].value))
				assert_true(json_is_null(value));
			else
				assert_true(fabs(json_number_value(value) /
							 s->point[p].value -
						 1) < 1e-5);
		}
	}
	json_decref(data);
	history_free(&h);
}

/* A cell that did not end well has its status and no number. */
static void statuses_are_no_zeros(void **state)
{
	json_t *data;
	const json_t *series, *status;

	write_site(*state, &plain);
	data = load_data(*state, "workload-fault-in");
	series = json_array_get(json_object_get(data, "series"), 3);
	status = json_object_get(series, "status");
	assert_int_equal(json_array_size(status), 1);
	assert_int_equal(json_integer_value(
				 json_array_get(json_array_get(status, 0), 0)),
			 7);
	assert_string_equal(
		json_string_value(json_array_get(json_array_get(status, 0), 1)),
		"livelock");
	assert_true(
		json_is_null(json_array_get(json_object_get(series, "v"), 7)));
	json_decref(data);
}

static void changes_are_listed(void **state)
{
	json_t *data;
	const json_t *change;

	write_site(*state, &plain);
	data = load_data(*state, "overview");
	assert_int_equal(json_array_size(json_object_get(data, "changes")), 1);
	change = json_array_get(json_object_get(data, "changes"), 0);
	assert_string_equal(json_string_value(json_object_get(change, "kind")),
			    "regressed");
	assert_int_equal(json_integer_value(json_object_get(change, "run")), 6);
	assert_true(json_is_null(json_object_get(change, "why")));
	json_decref(data);
}

/* The field's line is near 1 and drops by what one of its cells dropped. */
static void grid_follows_the_rates(void **state)
{
	struct history_shape one = plain;
	const json_t *field, *spark;
	double first, last;
	json_t *data;

	one.nvcpus = 1;
	write_site(*state, &one);
	data = load_data(*state, "overview");
	field = json_array_get(json_object_get(data, "grids"), 0);
	field = json_array_get(
		json_object_get(json_array_get(field, 0), "fields"), 0);
	spark = json_object_get(field, "spark");
	assert_int_equal(json_array_size(spark), 12);
	first = json_number_value(json_array_get(spark, 0));
	last = json_number_value(json_array_get(spark, 11));
	assert_true(fabs(last / first - 0.8) < 0.05);
	assert_int_equal(
		json_integer_value(json_object_get(field, "regressed")), 1);
	json_decref(data);
}

/* No byte of any data file may be markup, whatever a result says. */
static void no_markup_in_data(void **state)
{
	static const struct history_shape hostile = {
		.nruns = 5,
		.nvcpus = 1,
		.policy = "</script><script>alert(1)</script>\"'&\u2028",
		.host = "<img src=x>",
		.kernel = "\u202etxt\xff\x01",
		.commit = "<!--",
		.why = "]]></script>",
	};
	static const char *const names[] = {"index", "overview", "series",
					    "workload-fault-in",
					    "run-night-001"};

	write_site(*state, &hostile);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char name[64], *text;
		size_t size;

		snprintf(name, sizeof(name), "data/%s.js", names[i]);
		text = read_site(*state, name, &size);
		assert_non_null(text);
		for (size_t c = 0; c < size; c++)
			assert_true(text[c] == '\n' ||
				    (text[c] >= ' ' && text[c] <= '~' &&
				     !strchr("<>&", text[c])));
		free(text);
		json_decref(load_data(*state, names[i]));
	}
}

static void foreign_folder_is_refused(void **state)
{
	struct folder *f = *state;
	struct history h;
	struct err e;
	char *path;
	FILE *file;

	assert_int_equal(mkdir(f->out, 0777), 0);
	assert_true(asprintf(&path, "%s/index.html", f->out) > 0);
	file = fopen(path, "w");
	fputs("mine", file);
	fclose(file);
	history_make(&h, &plain);
	assert_int_equal(dashboard_write(&h.trend, f->root, f->out, &e), -1);
	assert_int_equal(e.status, EXIT_USAGE);
	assert_int_equal(sweep(f->out, false), 4);
	history_free(&h);
	free(path);
}

static void old_data_goes(void **state)
{
	struct history_shape less = plain;
	size_t size;
	char *text;

	write_site(*state, &plain);
	less.nruns = 5;
	write_site(*state, &less);
	text = read_site(*state, "data/run-night-004.js", &size);
	assert_non_null(text);
	free(text);
	assert_null(read_site(*state, "data/run-night-005.js", &size));
}

static void no_runs_at_all(void **state)
{
	struct history_shape none = plain;
	json_t *index;

	none.nruns = 0;
	none.nvcpus = 0;
	write_site(*state, &none);
	index = load_data(*state, "index");
	assert_int_equal(json_array_size(json_object_get(index, "runs")), 0);
	json_decref(index);
}

/* 1000 nights of 81 cells with three metrics each. */
static void a_large_history_stays_small(void **state)
{
	struct history_shape large = plain;
	struct folder *f = *state;
	size_t first_page;
	char *text;

	large.nruns = 1000;
	large.nvcpus = 9;
	write_site(f, &large);
	assert_true(sweep(f->out, false) < 20 << 20);
	text = read_site(f, "data/index.js", &first_page);
	free(text);
	assert_true(first_page < 200 << 10);
	text = read_site(f, "data/overview.js", &first_page);
	free(text);
	assert_true(first_page < 200 << 10);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(pages_are_there),
		TEST(index_says_what_is_there),
		TEST(points_are_those_of_the_history),
		TEST(statuses_are_no_zeros),
		TEST(changes_are_listed),
		TEST(grid_follows_the_rates),
		TEST(no_markup_in_data),
		TEST(foreign_folder_is_refused),
		TEST(old_data_goes),
		TEST(no_runs_at_all),
		TEST(a_large_history_stays_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
