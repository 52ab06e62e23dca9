/* SPDX-License-Identifier: GPL-2.0-only */
/* Groups, values, axes and texts of pictures, from a small result. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/base/arena.h"
#include "bench/plot/chart.h"
#include "bench/plot/plot.h"

#define TOP                                                                    \
	"{\"schema\":\"tdmem-result/1\","                                      \
	"\"tool\":{\"name\":\"tdmem\",\"version\":\"0.1\"},"                   \
	"\"environment\":{},\"config\":{\"name\":\"small\"},"                  \
	"\"workloads\":{\"track\":{\"operation\":\"track\","                   \
	"\"summary\":\"s\",\"modelled\":true}},"                               \
	"\"costs\":{},\"partial\":false,\"metrics\":{"                         \
	"\"track.rate\":{\"unit\":\"1/s\",\"direction\":\"higher\","           \
	"\"histogram\":false,\"help\":\"\"},"                                  \
	"\"track.count\":{\"unit\":\"operations\",\"direction\":\"none\","     \
	"\"histogram\":false,\"help\":\"\"},"                                  \
	"\"kicks.rounds\":{\"unit\":\"rounds\",\"direction\":\"lower\","       \
	"\"histogram\":false,\"help\":\"\"},"                                  \
	"\"track.latency\":{\"unit\":\"ns\",\"direction\":\"lower\","          \
	"\"histogram\":true,\"help\":\"\"}},\"cells\":["

#define CELL(policy, vcpus, more, status, notes, repeats)                      \
	"{\"axes\":{\"workload\":\"track\",\"policy\":\"" policy               \
	"\",\"vcpus\":" #vcpus more "},\"status\":\"" status                   \
	"\",\"reason\":\"\",\"notes\":[" notes "],\"repeats\":[" repeats "]}"

#define REPEAT(rate, count, rounds, latency)                                   \
	"{\"seed\":1,\"status\":\"ok\",\"metrics\":{\"track.rate\":" #rate     \
	",\"track.count\":" #count ",\"kicks.rounds\":" #rounds                \
	"},\"histograms\":{\"track.latency\":{\"count\":2,\"overflow\":0,"     \
	"\"min\":" #latency ",\"max\":" #latency ",\"buckets\":[[" #latency    \
	",2]]}}}"

#define THREE                                                                  \
	REPEAT(10, 100, 5, 200)                                                \
	"," REPEAT(30, 200, 5, 300) "," REPEAT(20, 0, 5, 400)

struct rig {
	struct plot_options options;
	struct samples samples;
	const struct samples *pointer;
	const char *label;
	struct plot_set set;
	struct err e;
};

static void rig_begin(struct rig *rig, const char *cells)
{
	char path[] = "/tmp/tdmem-test-XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	assert_non_null(f);
	fprintf(f, "%s%s]}", TOP, cells);
	assert_int_equal(fclose(f), 0);
	memset(&rig->set, 0, sizeof(rig->set));
	assert_int_equal(
		samples_load(path, plot_wanted, NULL, &rig->samples, &rig->e),
		0);
	unlink(path);
	rig->pointer = &rig->samples;
	rig->label = "r";
	rig->set.options = &rig->options;
	rig->set.result = &rig->pointer;
	rig->set.label = &rig->label;
	rig->set.nresults = 1;
	rig->set.prefix = "";
	rig->set.arena = arena_new();
	assert_non_null(rig->set.arena);
}

static void rig_end(struct rig *rig)
{
	arena_free(rig->set.arena);
	samples_free(&rig->samples);
}

/* ------------------------------------------------------------------- groups */

static void cells_are_arranged(void **state)
{
	struct rig rig = {0};
	const struct plot_group *g;

	(void)state;
	rig_begin(&rig,
		  CELL("b", 4, "", "ok", "", THREE) "," CELL(
			  "a", 1, "", "ok", "",
			  THREE) "," CELL("b", 1, "", "livelock", "", ""));
	assert_int_equal(plot_set_fill(&rig.set, &rig.e), 0);
	assert_int_equal(rig.set.ngroups, 1);
	g = &rig.set.group[0];
	assert_string_equal(g->name, "track");
	assert_string_equal(g->summary, "s");
	assert_int_equal(g->nlines, 2);
	assert_string_equal(g->line[0].label, "b");
	assert_string_equal(g->line[1].label, "a");
	assert_int_equal(g->nvcpus, 2);
	assert_int_equal(g->vcpus[0], 1);
	assert_int_equal(g->vcpus[1], 4);
	assert_string_equal(plot_status_name(plot_at(g, 0, 0)), "livelock");
	assert_string_equal(plot_status_name(plot_at(g, 0, 1)), "ok");
	assert_string_equal(plot_status_name(plot_at(g, 1, 1)), "missing");
	assert_null(plot_status(plot_at(g, 1, 1)));
	rig_end(&rig);
}

static void other_axes_make_groups_with_names_of_their_own(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_begin(&rig,
		  CELL("a", 1, ",\"k\":\"x y\"", "ok", "", THREE) "," CELL(
			  "a", 1, ",\"k\":\"X/Y\"", "ok", "",
			  THREE) "," CELL("a", 1, ",\"side\":\"new\"", "ok", "",
					  THREE));
	assert_int_equal(plot_set_fill(&rig.set, &rig.e), 0);
	assert_int_equal(rig.set.ngroups, 3);
	assert_string_equal(rig.set.group[0].name, "track, k x y");
	assert_string_equal(rig.set.group[0].slug, "track-k-x-y");
	assert_string_equal(rig.set.group[1].slug, "track-k-x-y-2");
	assert_string_equal(rig.set.group[2].slug, "track");
	assert_string_equal(rig.set.group[2].line[0].label, "a, new");
	plot_set_keep_shared(&rig.set);
	assert_int_equal(rig.set.ngroups, 0);
	rig_end(&rig);
}

static void vcpus_must_be_a_number(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_begin(&rig, CELL("a", 0, "", "ok", "", ""));
	assert_int_equal(plot_set_fill(&rig.set, &rig.e), -1);
	assert_int_equal(rig.e.status, EXIT_USAGE);
	assert_non_null(strstr(rig.e.text, "cells[0].axes.vcpus: expected"));
	rig_end(&rig);
}

static void oversubscribed_cells_are_left_out_unless_wanted(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_begin(&rig, CELL("a", 8, "", "ok",
			     "\"oversubscribed: 8 vCPUs on 2 CPUs\"", THREE));
	assert_int_equal(plot_set_fill(&rig.set, &rig.e), 0);
	assert_false(plot_good(rig.set.group[0].cell));
	assert_int_equal(plot_status(rig.set.group[0].cell)->letter, 'O');
	assert_int_equal(plot_common(&rig.set, &rig.set.group[0]), SIZE_MAX);
	rig.options.oversubscribed = true;
	assert_int_equal(plot_set_fill(&rig.set, &rig.e), 0);
	assert_true(plot_good(rig.set.group[0].cell));
	assert_int_equal(plot_common(&rig.set, &rig.set.group[0]), 0);
	rig_end(&rig);

	rig = (struct rig){0};
	rig_begin(&rig, CELL("a", 8, "", "ok", "\"noise: not oversubscribed\"",
			     THREE));
	assert_int_equal(plot_set_fill(&rig.set, &rig.e), 0);
	assert_true(plot_good(rig.set.group[0].cell));
	rig_end(&rig);
}

/* Of 1, 2, 4, 8, 16 vCPUs each step ends differently. */
static void the_compared_count_is_the_highest_that_all_have(void **state)
{
	struct rig rig = {0};
	const struct plot_group *g;

	(void)state;
	rig_begin(
		&rig,
		CELL("a", 1, "", "ok", "", THREE) "," CELL("b", 1, "", "ok", "", THREE) "," CELL(
			"a", 2, "", "ok", "",
			THREE) "," CELL("b", 2, "", "vm-bugged", "",
					"") "," CELL("a", 4, "", "livelock", "",
						     "") "," CELL("b", 4, "",
								  "livelock",
								  "",
								  "") "," CELL("a",
									       8,
									       "",
									       "ok",
									       "",
									       THREE) "," CELL("a",
											       16,
											       "",
											       "ok",
											       "",
											       THREE) "," CELL("b",
													       16,
													       "",
													       "unsupported",
													       "",
													       ""));
	assert_int_equal(plot_set_fill(&rig.set, &rig.e), 0);
	g = &rig.set.group[0];
	assert_int_equal(g->vcpus[plot_common(&rig.set, g)], 2);
	rig.options.vcpus = 16;
	assert_int_equal(g->vcpus[plot_common(&rig.set, g)], 16);
	rig.options.vcpus = 4;
	assert_int_equal(plot_common(&rig.set, g), SIZE_MAX);
	rig.options.vcpus = 3;
	assert_int_equal(plot_common(&rig.set, g), SIZE_MAX);
	rig_end(&rig);
}

/* ------------------------------------------------------------------- values */

static void check_value(struct plot_value v, size_t n, double value, double low,
			double high)
{
	assert_int_equal(v.n, n);
	assert_float_equal(v.value, value, 1e-9);
	assert_float_equal(v.low, low, 1e-9);
	assert_float_equal(v.high, high, 1e-9);
}

static void values_are_medians_quantiles_and_shares(void **state)
{
	static const struct plot_measure rate = {".rate", 0, false};
	static const struct plot_measure p50 = {".latency", 0.5, false};
	static const struct plot_measure rounds = {"kicks.rounds", 0, true};
	struct rig rig = {0};
	const struct plot_cell *cell;

	(void)state;
	rig_begin(&rig, CELL("a", 1, "", "ok", "",
			     THREE) "," CELL("a", 2, "", "timeout", "", THREE));
	assert_int_equal(plot_set_fill(&rig.set, &rig.e), 0);
	cell = rig.set.group[0].cell;
	check_value(plot_value(&rate, cell), 3, 20, 10, 30);
	assert_float_equal(plot_value(&rate, cell).coverage, 0.75, 1e-9);
	check_value(plot_value(&p50, cell), 3, 300, 200, 400);
	assert_true(isnan(plot_value(&p50, cell).coverage));
	/* 5 of 100 and of 200 operations; of none there is no share. */
	check_value(plot_value(&rounds, cell), 2, 37.5, 25, 50);
	assert_float_equal(plot_sum(cell, ".count"), 300, 1e-9);
	assert_true(isnan(plot_sum(cell, "calls.total")));
	assert_string_equal(plot_unit(&rig.set.group[0], &p50), "ns");
	/* Values of a cell that did not end ok are not drawn. */
	assert_int_equal(plot_value(&rate, cell + 1).n, 0);
	assert_true(isnan(plot_value(&rate, cell + 1).value));
	assert_true(isnan(plot_sum(cell + 1, ".count")));
	assert_null(plot_latency(cell + 1));
	rig_end(&rig);
}

/* --------------------------------------------------------------------- axes */

static void check_ticks(struct plot_axis axis, const char *want)
{
	char text[400] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");

	assert_non_null(f);
	plot_ticks(f, &axis);
	fclose(f);
	assert_string_equal(text, want);
}

static void ticks_have_units(void **state)
{
	(void)state;
	check_ticks((struct plot_axis){0, 50, false, false},
		    "\"0\" 0, \"10\" 10, \"20\" 20, \"30\" 30, \"40\" 40, "
		    "\"50\" 50");
	check_ticks((struct plot_axis){0, 2500, false, true},
		    "\"0\" 0, \"500ns\" 500, \"1us\" 1000, \"1.5us\" 1500, "
		    "\"2us\" 2000, \"2.5us\" 2500");
	check_ticks((struct plot_axis){900, 2e6, true, true},
		    "\"1us\" 1000, \"10us\" 10000, \"100us\" 100000, "
		    "\"1ms\" 1000000");
	check_ticks((struct plot_axis){9, 110, true, false},
		    "\"10\" 10, \"20\" 20, \"50\" 50, \"100\" 100");
}

static void axes_hold_what_they_are_given(void **state)
{
	struct plot_axis axis = {(double)NAN, (double)NAN, .log = true};
	struct plot_axis empty = {(double)NAN, (double)NAN, .log = true};

	(void)state;
	plot_axis_add(&axis, (double)NAN);
	plot_axis_add(&axis, 0); /* has no place on a logarithmic axis */
	plot_axis_add(&axis, 30);
	plot_axis_add(&axis, 20);
	plot_axis_finish(&axis);
	assert_true(axis.min > 10 && axis.min < 20);
	assert_true(axis.max > 30 && axis.max < 40);
	plot_axis_finish(&empty);
	assert_true(empty.min > 0 && empty.max > empty.min);
}

/* -------------------------------------------------------------------- texts */

typedef void put_fn(FILE *f, const char *text);

static void put_title(FILE *f, const char *text)
{
	plot_put_string(f, "title", text);
}

static void check_put(put_fn *put, const char *text, const char *want)
{
	char *got = NULL;
	size_t size;
	FILE *f = open_memstream(&got, &size);

	assert_non_null(f);
	put(f, text);
	fclose(f);
	assert_string_equal(got, want);
	free(got);
}

static void texts_stay_text(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_non_null(arena);
	check_put(put_title, "it's `x` \"y\" \\",
		  "title = 'it''s `x` \"y\" \\'\n");
	check_put(plot_put_html, "<a href='x'>\"&\x01",
		  "&lt;a href=&#39;x&#39;&gt;&quot;&amp;?");
	check_put(plot_put_html, "\xc3\xa9", "\xc3\xa9");
	assert_string_equal(plot_slug(arena, "../A b__\xc3\xa9.c/"), "a-b-c");
	assert_string_equal(plot_slug(arena, "\xc3\xa9"), "unnamed");
	assert_string_equal(plot_text(arena, "a\nb", 20), "a\\x0ab");
	/* Cut between characters, not within one. */
	assert_string_equal(plot_text(arena,
				      "\xc3\xa9\xc3\xa9\xc3\xa9"
				      "def",
				      5),
			    "\xc3\xa9\xc3\xa9...");
	assert_string_equal(plot_text(arena, "abcde", 5), "abcde");
	arena_free(arena);
}

static void figures_have_units(void **state)
{
	char text[64];

	(void)state;
	assert_string_equal(plot_figure(1500, "1/s", text, sizeof(text)),
			    "1.50k/s");
	assert_string_equal(plot_figure(1500, "ns", text, sizeof(text)),
			    "1.50us");
	assert_string_equal(plot_figure(5, "%", text, sizeof(text)), "5 %");
	assert_string_equal(plot_figure((double)NAN, "%", text, sizeof(text)),
			    "-");
}

/* -------------------------------------------------------------------- table */

static bool built_in(const char *script)
{
	char name[64];

	snprintf(name, sizeof(name), "tdmem-%s.gp", script);
	for (size_t i = 0; plot_files[i].name; i++)
		if (strcmp(plot_files[i].name, name) == 0)
			return plot_files[i].end > plot_files[i].text;
	return false;
}

static void kinds_are_complete(void **state)
{
	size_t n = 0;

	(void)state;
	for (; plot_kinds[n].name; n++) {
		const struct plot_kind *kind = &plot_kinds[n];

		assert_non_null(kind->write);
		assert_true(kind->title[0] && kind->metrics[0]);
		assert_true(built_in(kind->script));
		assert_int_equal(
			strspn(kind->name, "abcdefghijklmnopqrstuvwxyz"),
			strlen(kind->name));
		for (size_t i = 0; i < n; i++)
			assert_string_not_equal(plot_kinds[i].name, kind->name);
	}
	assert_int_equal(n, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_are_arranged),
		cmocka_unit_test(
			other_axes_make_groups_with_names_of_their_own),
		cmocka_unit_test(vcpus_must_be_a_number),
		cmocka_unit_test(
			oversubscribed_cells_are_left_out_unless_wanted),
		cmocka_unit_test(
			the_compared_count_is_the_highest_that_all_have),
		cmocka_unit_test(values_are_medians_quantiles_and_shares),
		cmocka_unit_test(ticks_have_units),
		cmocka_unit_test(axes_hold_what_they_are_given),
		cmocka_unit_test(texts_stay_text),
		cmocka_unit_test(figures_have_units),
		cmocka_unit_test(kinds_are_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
