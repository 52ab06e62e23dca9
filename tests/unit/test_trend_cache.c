/* SPDX-License-Identifier: GPL-2.0-only */
/* The cache of changes: used when it holds, and never believed. */
#include "tests/unit/trend_rig.h"

#include <inttypes.h>

#include "bench/trend/impl.h"

enum { NIGHTS = 24, STEP = 12 };

static void write_history(int nights)
{
	write_step(0, nights, STEP, (struct kit_cell){"spin", 1000, 500, NULL},
		   (struct kit_cell){"spin", 900, 600, NULL});
}

static void same_changes(const struct trend *a, const struct trend *b)
{
	assert_int_equal(a->nseries, b->nseries);
	for (size_t i = 0; i < a->nseries; i++) {
		const struct trend_series *s = &a->series[i];
		const struct trend_series *o = &b->series[i];

		assert_int_equal(s->nchanges, o->nchanges);
		for (size_t k = 0; k < s->nchanges; k++) {
			const struct trend_change *x = &s->change[k];
			const struct trend_change *y = &o->change[k];

			assert_string_equal(x->id, y->id);
			assert_int_equal(x->point, y->point);
			assert_memory_equal(&x->before, &y->before,
					    5 * sizeof(double));
			assert_int_equal(x->kind, y->kind);
		}
	}
}

/* How many series were looked through; the changes are those without cache. */
static size_t searched(const struct trend_rule *rule,
		       const struct trend_request *request)
{
	struct trend_request bare = *request;
	struct trend t, truth;
	struct err e;
	size_t n;

	bare.no_index = true;
	load(&bare, &truth);
	assert_int_equal(trend_find_changes(&truth, rule, &e), 0);
	assert_int_equal(truth.nsearched, truth.nseries);
	load(request, &t);
	assert_int_equal(trend_find_changes(&t, rule, &e), 0);
	assert_null(t.index_trouble);
	same_changes(&truth, &t);
	assert_true(t.nseries > 0 && t.series[0].nchanges == 1);
	n = t.nsearched;
	trend_free(&t);
	trend_free(&truth);
	return n;
}

static size_t searched_as_usual(void)
{
	struct trend_request request = asked();

	return searched(&trend_rule_default, &request);
}

static void nothing_is_searched_twice(void **state)
{
	(void)state;
	write_history(NIGHTS);
	assert_int_equal(searched_as_usual(), 3);
	assert_int_equal(searched_as_usual(), 0);
	/* A new night is a new value of each series. */
	write_history(NIGHTS + 1);
	assert_int_equal(searched_as_usual(), 3);
	assert_int_equal(searched_as_usual(), 0);
}

static void other_rules_are_other_changes(void **state)
{
	struct trend_request request = asked();
	struct trend_rule rule[] = {
		trend_rule_default, trend_rule_default, trend_rule_default,
		trend_rule_default, trend_rule_default,
	};

	(void)state;
	write_history(NIGHTS);
	assert_int_equal(searched_as_usual(), 3);
	rule[0].segment = 6;
	rule[1].alpha = 0.01;
	rule[2].u_alpha = 0.02;
	rule[3].material = 0.02;
	rule[4].seed = 2;
	for (size_t i = 0; i < COUNT(rule); i++) {
		assert_int_equal(searched(&rule[i], &request), 3);
		assert_int_equal(searched(&rule[i], &request), 0);
	}
}

/* What was not asked for this time stays known. */
static void filters_forget_nothing(void **state)
{
	const char *rates[] = {"*.rate"};
	struct trend_request request = asked();

	(void)state;
	write_history(NIGHTS);
	assert_int_equal(searched_as_usual(), 3);
	request.metrics = (struct strings){.v = rates, .n = 1};
	assert_int_equal(searched(&trend_rule_default, &request), 0);
	write_history(NIGHTS + 1);
	assert_int_equal(searched(&trend_rule_default, &request), 1);
	assert_int_equal(searched_as_usual(), 2);
	assert_int_equal(searched_as_usual(), 0);
}

static char *cache_path(void)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/.tdmem-changes", dir);
	return path;
}

static void without_index_there_is_none(void **state)
{
	struct trend_request request = asked();
	struct trend t;

	(void)state;
	write_history(NIGHTS);
	request.no_index = true;
	load(&request, &t);
	find(&t);
	trend_free(&t);
	assert_int_equal(access(cache_path(), F_OK), -1);
}

static size_t read_cache(char *text, size_t size)
{
	FILE *f = fopen(cache_path(), "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, size, f);
	fclose(f);
	assert_true(n > 0 && n < size);
	return n;
}

static void write_cache(const char *text, size_t size)
{
	FILE *f = fopen(cache_path(), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, size, f), size);
	fclose(f);
}

static void broken_files_cost_time_only(void **state)
{
	char text[4096];
	size_t size;

	(void)state;
	write_history(NIGHTS);
	assert_int_equal(searched_as_usual(), 3);
	size = read_cache(text, sizeof(text));
	for (size_t n = 0; n < size; n += 7) {
		char bad[4096];

		write_cache(text, n);
		assert_true(searched_as_usual() > 0);
		memcpy(bad, text, size);
		bad[n] ^= 1;
		write_cache(bad, size);
		assert_true(searched_as_usual() > 0);
	}
	write_cache(text, size);
	assert_int_equal(searched_as_usual(), 0);
}

/* A line that somebody made, with a checksum that is right. */
static void forge(const char *format, const char *head)
{
	char line[512], file[1024];

	snprintf(line, sizeof(line), format, head);
	snprintf(file, sizeof(file), "tdmem-changes/1\n%016" PRIx64 " %s\n",
		 trend_hash(TREND_HASH, line, strlen(line)), line);
	write_cache(file, strlen(file));
}

static void forged_places_are_none(void **state)
{
	static const char *const lines[] = {
		"%s,1000000,0,1,2,0]", /* behind the end */
		"%s,24,0,1,2,0]",      /* at the end */
		"%s,0,0,1,2,0]",       /* before the beginning */
		"%s,-1,0,1,2,0]",
		"%s,12,0,1,2,0,12,0,1,2,0]",
		"%s,1.5,0,1,2,0]",
		"%s,\"12\",0,1,2,0]",
		"%s,12,0,1,2,null]",
		"%s,12,0,1]",
		"[]",
		"[\"x\",\"y\"]",
		"{}",
		"1",
		"[[",
	};
	char text[4096], *head, *end;
	struct trend t;

	(void)state;
	write_history(NIGHTS);
	assert_int_equal(searched_as_usual(), 3);
	text[read_cache(text, sizeof(text) - 1)] = '\0';
	head = strchr(text, '[');
	assert_non_null(head);
	end = strchr(strchr(head, ',') + 1, ',');
	*end = '\0';
	for (size_t i = 0; i < COUNT(lines); i++) {
		forge(lines[i], head);
		assert_int_equal(searched_as_usual(), 3);
	}
	/* The same with a place that could be: it was not for the checksum. */
	forge("%s,5,0.001,1000,900,0]", head);
	load_and_find(&t);
	assert_int_equal(t.nsearched, 2);
	trend_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(nothing_is_searched_twice),
		IN_FOLDER(other_rules_are_other_changes),
		IN_FOLDER(filters_forget_nothing),
		IN_FOLDER(without_index_there_is_none),
		IN_FOLDER(broken_files_cost_time_only),
		IN_FOLDER(forged_places_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
