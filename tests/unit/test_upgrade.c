/* SPDX-License-Identifier: GPL-2.0-only */
/* Documents of other versions, and of version 1 before members were added. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/report/report.h"
#include "bench/result/result.h"
#include "bench/result/upgrade.h"
#include "tests/unit/config_kit.h"

/* ------------------------------------------------------------- the machine */

/* Each step leaves its mark behind those that are there. */
static bool mark(json_t *object, const char *what)
{
	json_t *marks = json_object_get(object, "marks");

	if (!marks) {
		marks = json_array();
		json_object_set_new(object, "marks", marks);
	}
	return json_array_append_new(marks, json_string(what)) == 0;
}

static bool top_1(json_t *top)
{
	return mark(top, "1 to 2");
}

static bool top_2(json_t *top)
{
	return mark(top, "2 to 3");
}

static bool cell_2(json_t *cell)
{
	return mark(cell, "2 to 3");
}

static const struct upgrade_step steps[] = {
	{1, top_1, NULL},
	{2, top_2, cell_2},
	{0, NULL, NULL},
};

static const struct upgrade_default fills[] = {
	{"list", "[1]"},
	{"text", "\"\""},
	{NULL, NULL},
};

static const struct upgrade_kind kind = {
	.name = "kind",
	.now = 3,
	.steps = steps,
	.top = fills,
	.cell = fills,
};

/* Upgrade a top of this schema: the error's text, "" for none. */
static json_t *upgraded(const char *schema, unsigned *from, struct err *e)
{
	json_t *top = json_pack("{ss}", "schema", schema);
	struct at at = at_root("f.json", e);

	e->text[0] = '\0';
	if (upgrade_version(&kind, top, from, &at) == 0 &&
	    upgrade_top(&kind, top, &at) == 0)
		return top;
	json_decref(top);
	return NULL;
}

static void all_steps_are_made_in_order(void **state)
{
	json_t *top, *cell = json_object(), *marks;
	struct err e;
	unsigned from;
	char *text;

	(void)state;
	top = upgraded("kind/1", &from, &e);
	assert_non_null(top);
	assert_int_equal(from, 1);
	marks = json_object_get(top, "marks");
	assert_int_equal(json_array_size(marks), 2);
	assert_string_equal(json_string_value(json_array_get(marks, 0)),
			    "1 to 2");
	assert_string_equal(json_string_value(json_array_get(marks, 1)),
			    "2 to 3");
	assert_string_equal(json_string_value(json_object_get(top, "schema")),
			    "kind/3");
	assert_true(upgrade_cell(&kind, from, cell));
	assert_int_equal(json_array_size(json_object_get(cell, "marks")), 1);
	json_decref(cell);
	json_decref(top);
	text = upgrade_cell_text(&kind, from, "{\"text\":\"\"} ", 11);
	assert_string_equal(text, "{\"text\":\"\",\"marks\":[\"2 to 3\"],"
				  "\"list\":[1]}");
	free(text);
	assert_null(upgrade_cell_text(&kind, from, "{\"text\"", 7));
}

static void only_later_steps_are_made(void **state)
{
	json_t *top, *cell = json_object();
	struct err e;
	unsigned from;

	(void)state;
	top = upgraded("kind/2", &from, &e);
	assert_int_equal(json_array_size(json_object_get(top, "marks")), 1);
	json_decref(top);
	top = upgraded("kind/3", &from, &e);
	assert_int_equal(from, 3);
	assert_null(json_object_get(top, "marks"));
	assert_true(upgrade_cell(&kind, from, cell));
	assert_null(json_object_get(cell, "marks"));
	json_decref(cell);
	json_decref(top);
}

static void absent_members_are_filled(void **state)
{
	json_t *cell = json_pack("{ss}", "text", "kept"), *top;
	struct err e;
	unsigned from;

	(void)state;
	top = upgraded("kind/3", &from, &e);
	assert_int_equal(json_array_size(json_object_get(top, "list")), 1);
	json_decref(top);
	assert_true(upgrade_cell(&kind, from, cell));
	assert_int_equal(json_array_size(json_object_get(cell, "list")), 1);
	assert_string_equal(json_string_value(json_object_get(cell, "text")),
			    "kept");
	json_decref(cell);
}

static void newer_ones_are_refused(void **state)
{
	struct err e;
	unsigned from;

	(void)state;
	assert_null(upgraded("kind/4", &from, &e));
	assert_string_equal(e.text, "f.json: schema: \"kind/4\" is of a newer "
				    "tdmem: this one reads up to \"kind/3\"");
	assert_int_equal(e.status, EXIT_USAGE);
	assert_null(upgraded("kind/99999999999999999999999", &from, &e));
}

static void other_schemas_are_left_alone(void **state)
{
	static const char *const other[] = {"",	       "kind",	  "kind/",
					    "kind/0",  "kind/-1", "kind/1x",
					    "kind/+4", "king/9",  "kinds/9"};
	struct err e;
	unsigned from;

	(void)state;
	for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++) {
		json_t *top = upgraded(other[i], &from, &e);

		assert_non_null(top);
		assert_int_equal(from, 0);
		assert_int_equal(json_object_size(top), 1);
		json_decref(top);
	}
}

/* ----------------------------------------------------------------- results */

/* Version 1 as it was at first: no member that came later. */
#define TOP_OF(schema, more)                                                   \
	"{\"schema\":\"" schema "\",\"tool\":{},\"environment\":{},"           \
	"\"config\":{},\"workloads\":{\"fault-in\":{\"operation\":\"fault\""   \
	",\"modelled\":true}},\"costs\":{},\"metrics\":{\"fault.rate\":{"      \
	"\"unit\":\"1/s\",\"direction\":\"higher\",\"histogram\":false,"       \
	"\"help\":\"\"},\"no.longer\":{\"unit\":\"moons\",\"direction\":"      \
	"\"none\",\"histogram\":false,\"help\":\"\"}},\"partial\":false" more
#define CELLS                                                                  \
	",\"cells\":[{\"axes\":{\"workload\":\"fault-in\",\"vcpus\":2,"        \
	"\"policy\":\"spin\"},\"status\":\"ok\",\"repeats\":[{\"metrics\":{"   \
	"\"fault.rate\":10,\"no.longer\":3},\"histograms\":{\"no.more\":{"     \
	"\"count\":1,\"overflow\":0,\"min\":1,\"max\":1,\"buckets\":[[1,1]]}"  \
	"}}]}]}"

static int load(const char *text, struct report *report, char why[512])
{
	char path[] = "/tmp/tdmem-test-XXXXXX";
	struct err e = {.text = ""};
	int fd = mkstemp(path), status;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	status = report_load(path, report, &e);
	unlink(path);
	/* behind the path, which is different each time */
	snprintf(why, 512, "%s", e.text[0] ? e.text + strlen(path) : "");
	return status;
}

static void results_without_later_members_are_read(void **state)
{
	struct report r;
	char why[512];

	(void)state;
	assert_int_equal(load(TOP_OF("tdmem-result/1", "") CELLS, &r, why), 0);
	assert_int_equal(r.ncells, 1);
	assert_true(r.group[0].cell[0].rate.median == 10);
	assert_string_equal(r.group[0].cell[0].reason, "");
	report_free(&r);
}

static int take_cell(void *ctx, const json_t *top, json_t *cell)
{
	size_t *seen = ctx;

	(void)top;
	(*seen)++;
	assert_true(json_is_array(json_object_get(cell, "notes")));
	assert_true(json_is_string(json_object_get(cell, "reason")));
	return 0;
}

static void absent_members_of_cells_are_there(void **state)
{
	char path[] = "/tmp/tdmem-test-XXXXXX";
	static const char text[] = TOP_OF("tdmem-result/1", "") CELLS;
	int fd = mkstemp(path);
	size_t seen = 0;
	struct err e;
	json_t *top;

	(void)state;
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	top = result_read(path, take_cell, &seen, &e);
	unlink(path);
	assert_non_null(top);
	assert_int_equal(seen, 1);
	json_decref(top);
}

static void newer_results_are_refused(void **state)
{
	struct report r;
	char why[512];

	(void)state;
	assert_int_equal(load(TOP_OF("tdmem-result/2", "") CELLS, &r, why), -1);
	assert_string_equal(why, ": schema: \"tdmem-result/2\" is of a newer "
				 "tdmem: this one reads up to "
				 "\"tdmem-result/1\"");
	/* whatever else is new in it */
	assert_int_equal(
		load("{\"schema\":\"tdmem-result/7\",\"cells\":{}}", &r, why),
		-1);
	assert_non_null(strstr(why, "of a newer tdmem"));
	assert_int_equal(load(TOP_OF("tdmem-result/x", "") CELLS, &r, why), -1);
	assert_string_equal(why, ": schema: expected \"tdmem-result/1\"");
}

static void other_buckets_are_refused(void **state)
{
	struct report r;
	char why[512];

	(void)state;
	assert_int_equal(load(TOP_OF("tdmem-result/1",
				     ",\"buckets\":{\"kind\":\"log-linear\","
				     "\"sub_bits\":3,\"max_bits\":40}") CELLS,
			      &r, why),
			 -1);
	assert_string_equal(why,
			    ": buckets.sub_bits: not what this tdmem can read");
}

/* ----------------------------------------------------------------- configs */

static void newer_configs_are_refused(void **state)
{
	json_t *root = kit_document("'workloads':['fault-in'],'new':1");
	struct err e = {.text = ""};
	struct config c;

	(void)state;
	json_object_set_new(root, "schema", json_string("tdmem-config/2"));
	assert_int_equal(config_parse("t.json", root, &c, &e), -1);
	assert_string_equal(e.text,
			    "t.json: schema: \"tdmem-config/2\" is of a newer "
			    "tdmem: this one reads up to \"tdmem-config/1\"");
	assert_int_equal(e.status, EXIT_USAGE);
}

static void small_configs_are_read(void **state)
{
	struct config c;

	(void)state;
	kit_config("'workloads':['fault-in'],'axes':{'vcpus':[1],"
		   "'policy':['spin']}",
		   &c);
	assert_int_equal(config_cells(&c), 1);
	config_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_steps_are_made_in_order),
		cmocka_unit_test(only_later_steps_are_made),
		cmocka_unit_test(absent_members_are_filled),
		cmocka_unit_test(newer_ones_are_refused),
		cmocka_unit_test(other_schemas_are_left_alone),
		cmocka_unit_test(results_without_later_members_are_read),
		cmocka_unit_test(absent_members_of_cells_are_there),
		cmocka_unit_test(newer_results_are_refused),
		cmocka_unit_test(other_buckets_are_refused),
		cmocka_unit_test(newer_configs_are_refused),
		cmocka_unit_test(small_configs_are_read),
	};

	return cmocka_run_group_tests_name("upgrade", tests, NULL, NULL);
}
