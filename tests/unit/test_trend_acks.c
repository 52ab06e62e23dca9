/* SPDX-License-Identifier: GPL-2.0-only */
/* Acknowledged changes do not come back. */
#include "tests/unit/trend_rig.h"
#include "bench/trend/acks.h"

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
	} moves[] = {{18, 0}, {23, 0}, {25, 0}, {12, 0}, {33, 0}};
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

/* One that could have been seen when the other was acknowledged. */
static void acknowledged_not_for_new(void **unused)
{
	const struct kit_cell high = {"spin", 1000, 0, NULL},
			      low = {"spin", 900, 0, NULL};
	static const struct {
		int at; /* of the only change, seen later */
		size_t open;
	} cases[] = {{5, 0}, {25, 0}, {26, 1}, {35, 1}};
	struct trend t;

	(void)unused;
	for (size_t i = 0; i < COUNT(cases); i++) {
		kit_remove(dir);
		assert_int_equal(mkdir(dir, 0700), 0);
		write_step(0, 30, 15, high, low);
		load_and_find(&t);
		acknowledge(&t, t.series[0].change[0].id, "known");
		trend_free(&t);
		write_step(0, 45, cases[i].at, high, low);
		load_and_find(&t);
		assert_int_equal(t.series[0].nchanges, 1);
		assert_int_equal(trend_open_regressions(&t), cases[i].open);
		trend_free(&t);
	}
}

/* Where its own is still there, it does not go to another. */
static void acknowledged_stays(void **unused)
{
	const struct kit_cell high = {"spin", 1000, 0, NULL},
			      low = {"spin", 900, 0, NULL},
			      lower = {"spin", 70, 0, NULL};
	struct trend t;

	(void)unused;
	write_step(0, 30, 15, high, low);
	load_and_find(&t);
	acknowledge(&t, t.series[0].change[0].id, "known");
	trend_free(&t);
	write_step(22, 45, 22, low, lower);
	load_and_find(&t);
	assert_int_equal(t.series[0].nchanges, 2);
	assert_non_null(t.series[0].change[0].acknowledged);
	assert_null(t.series[0].change[1].acknowledged);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(acknowledged),
		IN_FOLDER(acknowledged_moves),
		IN_FOLDER(acknowledged_not_for_new),
		IN_FOLDER(acknowledged_stays),
		IN_FOLDER(acknowledged_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
