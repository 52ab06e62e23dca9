/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The percentile text of the HdrHistogram programs: values at percentiles
 * that grow finer towards 1, for their plotters.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "bench/export/export.h"

/* Lines for each halving of the distance to 1, as those programs have. */
#define TICKS 5

struct hgrm {
	const char *metric;
	struct hist *hist;
	size_t cells; /* that have values */
	bool model, partial;
};

static enum export_status merge_cell(void *ctx, const struct export_cell *cell)
{
	struct hgrm *g = ctx;
	uint64_t before = g->hist->count;
	enum export_status status = export_merge(cell, g->metric, g->hist);

	if (g->hist->count > before) {
		g->cells++;
		g->model |= cell->model;
	}
	return status;
}

/* ------------------------------------------------------------------- lines */

struct lines {
	FILE *f;
	unsigned int tick; /* number of the next line */
	double level;	   /* its percentile, 0..1 */
	uint64_t seen, total;
};

static void put_line(const struct lines *l, uint64_t value)
{
	fprintf(l->f, "%12.3f %2.12f %10" PRIu64, (double)value, l->level,
		l->seen);
	if (l->level < 1)
		fprintf(l->f, " %14.2f", 1 / (1 - l->level));
	fputc('\n', l->f);
}

/* Not a sum of steps: so 1/2, 3/4 and so on are exact. */
static void next_level(struct lines *l)
{
	double rest;

	l->tick++;
	rest = exp2(-(double)(l->tick / TICKS));
	l->level = 1 - rest + rest / 2 / TICKS * (double)(l->tick % TICKS);
}

/* The last values get one line here and one for the percentile 1. */
static void put_values(struct lines *l, uint64_t value, uint64_t count)
{
	bool more = count > 0;

	l->seen += count;
	while (more && (double)l->seen >= l->level * (double)l->total) {
		put_line(l, value);
		next_level(l);
		more = l->seen < l->total;
	}
}

static uint64_t value_of(const struct hist *h, uint32_t bucket)
{
	uint64_t v = hist_middle(bucket), min = h->min_plus_1 - 1;

	return v < min ? min : v > h->max ? h->max : v;
}

static void put_lines(FILE *f, const struct hist *h, uint64_t total)
{
	struct lines l = {.f = f, .total = total};

	fprintf(f, "%12s %14s %10s %14s\n\n", "Value", "Percentile",
		"TotalCount", "1/(1-Percentile)");
	for (uint32_t i = 0; i < HIST_BUCKETS; i++)
		put_values(&l, value_of(h, i), h->bucket[i]);
	put_values(&l, h->max, h->overflow);
	l.level = 1;
	put_line(&l, h->max);
}

/* ------------------------------------------------------------------ footer */

static double deviation(const struct hist *h, double mean, uint64_t total)
{
	double sum = 0;

	for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
		double d = (double)value_of(h, i) - mean;

		sum += d * d * (double)h->bucket[i];
	}
	return sqrt(sum / (double)total);
}

static void put_mean(FILE *f, const struct hist *h, uint64_t total)
{
	double sum = 0, mean;

	for (uint32_t i = 0; i < HIST_BUCKETS; i++)
		sum += (double)value_of(h, i) * (double)h->bucket[i];
	mean = sum / (double)total;
	fprintf(f, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", mean,
		deviation(h, mean, total));
}

static void put_footer(const struct hgrm *g, const char *unit, uint64_t total,
		       FILE *f)
{
	const struct hist *h = g->hist;

	/* Of values that overflowed only the largest is known. */
	if (h->overflow == 0)
		put_mean(f, h, total);
	fprintf(f, "#[Max     = %12.3f, Total count    = %12" PRIu64 "]\n",
		(double)h->max, total);
	fprintf(f, "#[Buckets = %12d, SubBuckets     = %12d]\n",
		HIST_BUCKETS >> HIST_SUB_BITS, 1 << HIST_SUB_BITS);
	fprintf(f, "# tdmem: %s, %s%s%s\n", g->metric, unit,
		g->model ? ", model output, not a measurement" : "",
		g->partial ? ", partial: the run was stopped" : "");
}

/* ------------------------------------------------------------------ format */

static uint64_t count_values(const struct hist *h)
{
	uint64_t total = h->overflow;

	for (uint32_t i = 0; i < HIST_BUCKETS; i++)
		total += h->bucket[i];
	return total;
}

static int check(const struct export_request *r, const json_t *top,
		 const struct hgrm *g, struct err *e)
{
	const json_t *about =
		json_object_get(json_object_get(top, "metrics"), g->metric);

	if (!json_is_true(json_object_get(about, "histogram")))
		return err_set(e, EXIT_USAGE,
			       "%.200s: --metric: \"%.80s\" is no histogram",
			       r->path, g->metric);
	if (g->cells > 1)
		return err_set(
			e, EXIT_USAGE,
			"%.200s: %zu cells have \"%.80s\": choose one by "
			"--cell AXIS=VALUE",
			r->path, g->cells, g->metric);
	if (g->cells == 0)
		return err_set(e, EXIT_FAILED,
			       "%.200s: no selected cell has \"%.80s\"",
			       r->path, g->metric);
	return 0;
}

static int write_merged(const struct export_request *r, struct hgrm *g,
			struct err *e)
{
	json_t *top = export_read(r, merge_cell, g, e);
	char *unit = NULL;
	uint64_t total;
	int status = -1;

	if (top && check(r, top, g, e) == 0) {
		unit = export_plain(export_about(top, g->metric, "unit"));
		status = unit ? 0 : err_set(e, EXIT_FAILED, "out of memory");
	}
	if (status == 0) {
		g->partial = export_partial(top);
		total = count_values(g->hist);
		put_lines(r->out, g->hist, total);
		put_footer(g, unit, total, r->out);
	}
	free(unit);
	json_decref(top);
	return status;
}

static int write_hgrm(const struct export_request *request, struct err *e)
{
	struct hgrm g = {
		.metric = request->metrics.v[0],
		.hist = calloc(1, sizeof(struct hist)),
	};
	int status;

	if (!g.hist)
		return err_set(e, EXIT_FAILED, "out of memory");
	status = write_merged(request, &g, e);
	free(g.hist);
	return status;
}

const struct export_format export_hgrm = {
	.name = "hgrm",
	.summary = "HdrHistogram's percentiles of one --metric in one --cell",
	.metrics = EXPORT_ONE,
	.function = write_hgrm,
};
