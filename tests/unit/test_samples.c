/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/base/scan.h"
#include "bench/result/pooled.h"
#include "bench/result/samples.h"
#include "bench/stats/infer.h"
#include "bench/stats/stats.h"

#define TOP                                                                    \
	"{'schema':'tdmem-result/1','tool':{'name':'tdmem','version':'0'},"    \
	"'environment':{},'config':{},'workloads':{'track':{"                  \
	"'operation':'track','modelled':true}},'costs':{},'partial':false,"    \
	"'metrics':{'track.rate':{'unit':'1/s','direction':'higher',"          \
	"'histogram':false},'track.latency':{'unit':'ns',"                     \
	"'direction':'lower','histogram':true},'other':{'unit':'x',"           \
	"'direction':'none','histogram':false}},'cells':["

#define HIST                                                                   \
	"{'count':4,'overflow':1,'min':3,'max':1099511627776,"                 \
	"'buckets':[[3,1],[7,2]]}"

static bool every(const void *ctx, const char *operation,
		  const struct samples_metric *metric)
{
	(void)ctx;
	(void)operation;
	(void)metric;
	return true;
}

/* A file of this text with ' for ", loaded and removed. */
static int load_text(const char *text, samples_wanted_fn *wanted,
		     struct samples *s, struct err *e)
{
	char path[] = "/tmp/tdmem-test-XXXXXX";
	int fd = mkstemp(path), status;
	FILE *f;

	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_non_null(f);
	for (; *text; text++)
		fputc(*text == '\'' ? '"' : *text, f);
	fclose(f);
	status = samples_load(path, wanted, NULL, s, e);
	unlink(path);
	return status;
}

static void repeats_become_series(void **state)
{
	/* axes behind the repeats, an unknown metric, a warm-up, a bad end */
	static const char text[] =
		TOP "{'status':'livelock','repeats':["
		    "{'warmup':true,'status':'ok','metrics':{'track.rate':9}},"
		    "{'status':'ok','metrics':{'new':[{'a':'}'}],'track.rate':"
		    "1.5e3,"
		    "'other':2},'histograms':{'track.latency':" HIST "}},"
		    "{'status':'livelock','metrics':{'track.rate':7}},"
		    "{'status':'ok','metrics':{'other':null,'track.rate':2}}],"
		    "'reason':'a\\'b','axes':{'workload':'track','vcpus':4}}]}";
	const struct samples_series *rate, *latency;
	const struct samples_cell *cell;
	struct samples s;
	struct err e;

	(void)state;
	assert_int_equal(load_text(text, samples_headline, &s, &e), 0);
	assert_int_equal(s.ncells, 1);
	assert_true(s.modelled);
	cell = &s.cell[0];
	assert_string_equal(cell->workload, "track");
	assert_string_equal(cell->operation, "track");
	assert_string_equal(cell->status, "livelock");
	assert_string_equal(cell->reason, "a\"b");
	assert_int_equal(cell->nrepeats, 2);
	assert_int_equal(cell->left_out, 2);
	assert_int_equal(cell->nseries, 2);
	rate = samples_find(&s, cell, "track.rate");
	assert_true(rate->value[0] == 1500 && rate->value[1] == 2);
	latency = samples_find(&s, cell, "track.latency");
	assert_null(latency->hist[1]);
	assert_int_equal(latency->hist[0]->n, 2);
	assert_int_equal(latency->hist[0]->overflow, 1);
	assert_true(samples_quantile(latency->hist[0], 0.25) == 3);
	assert_true(samples_quantile(latency->hist[0], 0.75) == 7);
	assert_true(samples_quantile(latency->hist[0], 0.99) == 0x1p40);
	samples_free(&s);

	assert_int_equal(load_text(text, every, &s, &e), 0);
	assert_int_equal(s.cell[0].nseries, 3);
	assert_true(isnan(samples_find(&s, &s.cell[0], "other")->value[1]));
	samples_free(&s);
}

static void what_is_no_cell_is_refused(void **state)
{
	static const char *const bad[] = {
		"7",
		"{}",
		"{'axes':{'workload':'track'},'status':'ok'}",
		"{'axes':{},'status':'ok','repeats':[]}",
		"{'axes':{'workload':'track'},'repeats':[]}",
		"{'axes':{'workload':'track'},'status':'ok','repeats':[7]}",
		"{'axes':{'workload':'track'},'status':'ok','repeats':[{}",
		"{'axes':{'workload':'track'},'status':'ok','repeats':[{"
		"'metrics':{'track.rate':'1'}}]}",
		"{'axes':{'workload':'track'},'status':'ok','repeats':[{"
		"'metrics':{'track.rate':1e999}}]}",
		"{'axes':{'workload':'track'},'status':'ok','repeats':[{"
		"'metrics':{'track.rate':0x10}}]}",
		"{'axes':{'workload':'track'},'status':'ok','repeats':[{"
		"'histograms':{'track.latency':{'count':1}}}]}",
		"{'axes':{'workload':'track'},'status':'ok','repeats':[{"
		"'histograms':{'track.latency':{'count':1,'overflow':0,"
		"'min':1,'max':1,'buckets':[[16384,1]]}}}]}",
		"{'axes':{'workload':'track'},'status':'ok','repeats':[{"
		"'histograms':{'track.latency':{'count':1,'overflow':0,"
		"'min':1,'max':1,'buckets':[[7,1],[7,1]]}}}]}",
		"{'axes':{'workload':'track'},'status':'ok','repeats':[{"
		"'histograms':{'track.latency':{'count':1,'overflow':0,"
		"'min':1,'max':1,'buckets':[[,1]]}}}]}",
		"{'axes':{'workload':'track'},'status':'ok','repeats':[{"
		"'histograms':{'track.latency':{'count':1,'overflow':0,"
		"'min':1,'max':1,'buckets':[[1,]]}}}]}",
	};
	char text[2000];
	struct samples s;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text), TOP "%s]}", bad[i]);
		assert_int_equal(load_text(text, samples_headline, &s, &e), -1);
		assert_int_equal(e.status, EXIT_USAGE);
		assert_non_null(strstr(e.text, "line 1"));
		assert_null(s.cell);
	}
}

/* --------------------------------------------------------------- quantiles */

enum { HISTS = 6 };

/* The same values as the flat histograms of the rest of the program. */
static void fill(struct hist *flat, struct samples_hist *sparse,
		 struct samples_bucket *bucket, unsigned int seed)
{
	uint64_t state = seed;

	for (int i = 0; i < 400; i++) {
		state = state * 6364136223846793005ull + 1442695040888963407ull;
		hist_record(flat, (state >> 33) >> (state >> 60));
	}
	*sparse = (struct samples_hist){.count = flat->count,
					.overflow = flat->overflow,
					.min = flat->min_plus_1 - 1,
					.max = flat->max,
					.bucket = bucket};
	for (uint32_t i = 0; i < HIST_BUCKETS; i++)
		if (flat->bucket[i])
			bucket[sparse->n++] =
				(struct samples_bucket){i, flat->bucket[i]};
}

/* Mixtures with weights against histograms merged as often. */
static void pooled_quantiles_are_those_of_the_merged(void **state)
{
	static struct hist flat[HISTS];
	static struct samples_bucket bucket[HISTS][400];
	struct samples_hist sparse[HISTS], *list[HISTS];
	struct hist *merged = calloc(1, sizeof(*merged));
	struct resamples draws;
	struct pooled pool;

	(void)state;
	for (unsigned int i = 0; i < HISTS; i++) {
		fill(&flat[i], &sparse[i], bucket[i], i + 1);
		list[i] = &sparse[i];
	}
	assert_true(pooled_make(&pool, list, HISTS));
	assert_true(resamples_make(&draws, HISTS, 30, 1));
	for (size_t r = 0; r < 30; r++) {
		const unsigned int *weight = resample(&draws, r);

		memset(merged, 0, sizeof(*merged));
		for (size_t i = 0; i < HISTS; i++)
			for (unsigned int k = 0; k < weight[i]; k++)
				hist_merge(merged, &flat[i]);
		for (double q = 0; q <= 1; q += 0.037) {
			double got = pooled_quantile(
				&pool, pooled_range(&pool, q), weight, q);

			assert_true(got == (double)hist_quantile(merged, q));
		}
	}
	for (size_t i = 0; i < HISTS; i++)
		for (double q = 0; q <= 1; q += 0.037)
			assert_true(samples_quantile(list[i], q) ==
				    (double)hist_quantile(&flat[i], q));
	resamples_free(&draws);
	pooled_free(&pool);
	free(merged);
}

/* ----------------------------------------------------------------- scanner */

static void values_are_passed_over(void **state)
{
	static const char *const good[] = {
		"[]",	      "{}",	  "\"\"",
		"\"a\\\"]\"", "\"\\\\\"", "[\"]\",{\"}\":[]}]",
		"-1.5e3",     "null",
	};
	static const char *const bad[] = {"",	    "[",    "{\"",
					  "\"\\\"", "[\"]", ","};
	char text[80];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct scan s = {text, text};

		s.end += snprintf(text, sizeof(text), "%s,x", good[i]);
		assert_true(scan_skip(&s));
		assert_string_equal(s.p, ",x");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct scan s = {bad[i], bad[i] + strlen(bad[i])};

		assert_false(scan_skip(&s));
	}
}

/* Long values, in which blocks are passed over, against a plain count. */
static void long_values_are_passed_over(void **state)
{
	static const char letters[] = "[]{}\"\\,1 ";
	uint64_t seed = 7;
	char text[200];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct scan s = {text, text + sizeof(text) - 1};
		long depth = 0, end = -1;
		bool quoted = false;

		text[0] = '[';
		for (size_t i = 1; i < sizeof(text) - 1; i++) {
			seed = seed * 6364136223846793005ull + 1442695ull;
			/* digits mostly, so that blocks are long */
			text[i] = (seed >> 33) % 4 ? '1'
						   : letters[(seed >> 40) % 9];
		}
		text[sizeof(text) - 1] = '\0';
		for (long i = 0; end < 0 && text[i]; i++) {
			if (quoted && text[i] == '\\' && text[i + 1])
				i++;
			else if (text[i] == '"')
				quoted = !quoted;
			else if (!quoted && strchr("[{", text[i]))
				depth++;
			else if (!quoted && strchr("]}", text[i]) && !--depth)
				end = i + 1;
		}
		assert_true(scan_skip(&s) == (end > 0));
		if (end > 0)
			assert_int_equal(s.p - text, end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repeats_become_series),
		cmocka_unit_test(what_is_no_cell_is_refused),
		cmocka_unit_test(pooled_quantiles_are_those_of_the_merged),
		cmocka_unit_test(values_are_passed_over),
		cmocka_unit_test(long_values_are_passed_over),
	};

	return cmocka_run_group_tests_name("samples", tests, NULL, NULL);
}
