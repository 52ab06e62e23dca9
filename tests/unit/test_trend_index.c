/* SPDX-License-Identifier: GPL-2.0-only */
/* The index of a history: used when it holds, and never believed. */
#include "tests/unit/trend_rig.h"

#include <sys/wait.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(index_is_used), IN_FOLDER(index_of_young),
		IN_FOLDER(index_forgets), IN_FOLDER(index_broken),
		IN_FOLDER(index_wrong),	  IN_FOLDER(index_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
