/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HdrHistogram's interval log, version 1.3: a line a repeat, tagged with its
 * metric and cell.  Intervals of one tag follow each other on a time line
 * that begins at 0.
 */
#define _GNU_SOURCE /* strptime, timegm */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/export/export.h"
#include "bench/result/encode.h"
#include "bench/result/hdr.h"

struct hlog {
	const struct export_request *request;
	struct hist *hist;
	FILE *lines;
	char *text;
	size_t size;
	bool model;
};

/* --------------------------------------------------------------------- tags */

/* Readers end a tag at a blank or a comma; others may at anything odd. */
static void put_encoded(FILE *f, const char *text)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	for (; *text; text++) {
		if (strchr(safe, *text))
			fputc(*text, f);
		else
			fprintf(f, "%%%02X",
				(unsigned int)(unsigned char)*text);
	}
}

/* ";workload=track;policy=spin;vcpus=8", for free(). */
static char *name_cell(json_t *axes)
{
	char *name = NULL;
	size_t size;
	FILE *f = open_memstream(&name, &size);
	const char *axis;
	bool bad = !f;
	json_t *v;

	json_object_foreach(axes, axis, v)
	{
		char *value = bad ? NULL : export_axis(v);

		bad |= !value;
		if (bad)
			break;
		fputc(';', f);
		put_encoded(f, axis);
		fputc('=', f);
		put_encoded(f, value);
		free(value);
	}
	if (f && fclose(f) == 0 && !bad)
		return name;
	free(name);
	return NULL;
}

/* -------------------------------------------------------------------- lines */

struct interval {
	const char *metric, *cell;
	double start, length; /* seconds */
};

static double length_of(const json_t *repeat)
{
	const json_t *metrics = json_object_get(repeat, "metrics");

	return json_number_value(json_object_get(metrics, "run.virtual_time")) /
	       1e9;
}

/* The largest value is in millions: milliseconds of nanoseconds. */
static enum export_status put_interval(struct hlog *l,
				       const struct interval *interval)
{
	char *encoded = hdr_encode(l->hist);

	if (!encoded)
		return EXPORT_NO_MEMORY;
	fputs("Tag=", l->lines);
	put_encoded(l->lines, interval->metric);
	fprintf(l->lines, "%s,%.9f,%.9f,%.6f,%s\n", interval->cell,
		interval->start, interval->length, (double)l->hist->max / 1e6,
		encoded);
	free(encoded);
	return EXPORT_GOOD;
}

static enum export_status put_repeats(struct hlog *l,
				      const struct export_cell *cell,
				      struct interval *interval)
{
	enum export_status status = EXPORT_GOOD;
	const json_t *repeat;
	size_t i;

	interval->start = 0;
	json_array_foreach(cell->repeats, i, repeat)
	{
		const json_t *hists = json_object_get(repeat, "histograms");
		const json_t *one = json_object_get(hists, interval->metric);

		interval->length = length_of(repeat);
		memset(l->hist, 0, sizeof(*l->hist));
		if (one && decode_hist(one, l->hist))
			return EXPORT_BAD_CELL;
		if (!status && l->hist->count)
			status = put_interval(l, interval);
		l->model |= cell->model && l->hist->count;
		interval->start += interval->length;
	}
	return status;
}

static bool takes(const struct hlog *l, const struct export_cell *cell,
		  const char *metric)
{
	if (l->request->metrics.n)
		return export_wanted(l->request, metric);
	return export_is_main(cell, metric);
}

/* What was cut short is told before its lines. */
static enum export_status
put_ending(struct hlog *l, const struct export_cell *cell, const char *name)
{
	char *status, *reason;
	bool good;

	if (strcmp(cell->status, "ok") == 0)
		return EXPORT_GOOD;
	status = export_plain(cell->status);
	reason = export_plain(cell->reason);
	good = status && reason;
	if (good)
		fprintf(l->lines, "#[%s: %s%s%s]\n", name + 1, status,
			*reason ? ": " : "", reason);
	free(status);
	free(reason);
	return good ? EXPORT_GOOD : EXPORT_NO_MEMORY;
}

static enum export_status put_cell(void *ctx, const struct export_cell *cell)
{
	struct hlog *l = ctx;
	json_t *table = json_object_get(cell->top, "metrics"), *about;
	struct interval interval = {0};
	char *name = name_cell(cell->axes);
	enum export_status status = EXPORT_NO_MEMORY;
	const char *metric;

	if (name)
		status = put_ending(l, cell, name);
	interval.cell = name;
	json_object_foreach(table, metric, about)
	{
		interval.metric = metric;
		if (!status && takes(l, cell, metric) &&
		    json_is_true(json_object_get(about, "histogram")))
			status = put_repeats(l, cell, &interval);
	}
	free(name);
	return status;
}

/* ----------------------------------------------------------------- document */

static int check_metrics(const struct export_request *r, const json_t *top,
			 struct err *e)
{
	const json_t *table = json_object_get(top, "metrics");

	for (size_t i = 0; i < r->metrics.n; i++) {
		const json_t *about = json_object_get(table, r->metrics.v[i]);

		if (!json_is_true(json_object_get(about, "histogram")))
			return err_set(
				e, EXIT_USAGE,
				"%.200s: --metric: \"%.80s\" is no histogram",
				r->path, r->metrics.v[i]);
	}
	return 0;
}

/* When the result was written: readers add the lines' times to it. */
static void put_start(FILE *f, const json_t *top)
{
	const json_t *env = json_object_get(top, "environment");
	const char *text = json_string_value(json_object_get(env, "time"));
	struct tm tm = {0};
	const char *end =
		text ? strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;

	if (end && !*end)
		fprintf(f, "#[StartTime: %lld.000 (seconds since epoch), %s]\n",
			(long long)timegm(&tm), text);
}

static enum export_status put_document(const struct hlog *l, const json_t *top)
{
	const json_t *config = json_object_get(top, "config");
	const char *name = json_string_value(json_object_get(config, "name"));
	char *plain = export_plain(name ? name : "");
	FILE *f = l->request->out;

	if (!plain)
		return EXPORT_NO_MEMORY;
	fprintf(f, "#[tdmem: %s%s%s]\n", plain,
		l->model ? ", model output, not a measurement" : "",
		export_partial(top) ? ", partial: the run was stopped" : "");
	free(plain);
	fputs("#[Histogram log format version 1.3]\n", f);
	put_start(f, top);
	fputs("\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
	      "\"Interval_Compressed_Histogram\"\n",
	      f);
	fwrite(l->text, 1, l->size, f);
	return EXPORT_GOOD;
}

static int write_hlog(const struct export_request *request, struct err *e)
{
	struct hlog l = {
		.request = request,
		.hist = calloc(1, sizeof(struct hist)),
	};
	json_t *top = NULL;
	int status = -1;

	l.lines = open_memstream(&l.text, &l.size);
	if (l.lines && l.hist)
		top = export_read(request, put_cell, &l, e);
	if (top)
		status = check_metrics(request, top, e);
	if (!l.lines || fclose(l.lines) || !l.hist ||
	    (status == 0 && put_document(&l, top)))
		status = err_set(e, EXIT_FAILED, "out of memory");
	json_decref(top);
	free(l.text);
	free(l.hist);
	return status;
}

const struct export_format export_hlog = {
	.name = "hlog",
	.summary = "HdrHistogram's interval log: a histogram a repeat",
	.metrics = EXPORT_MANY,
	.function = write_hlog,
};
