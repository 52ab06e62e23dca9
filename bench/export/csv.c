/* SPDX-License-Identifier: GPL-2.0-only */
/* Comma-separated values, RFC 4180: one row a value of one repeat. */
#include <stdlib.h>
#include <string.h>

#include "bench/export/export.h"
#include "bench/result/encode.h"
#include "bench/stats/stats.h"

struct csv {
	const struct export_request *request;
	FILE *out;
	struct hist *hist;
	char *columns;	/* of the cell: its axes */
	json_t *others; /* the axes that have columns behind the first */
};

static const char *const first_axes[] = {"workload", "policy", "vcpus"};

/* ------------------------------------------------------------------ fields */

/*
 * A text that a spreadsheet would take for a formula gets an apostrophe
 * before it: the file may come from anybody.
 */
static void put_text(FILE *f, const char *text)
{
	if (*text && strchr("=+-@", *text)) {
		fprintf(f, "\"'");
	} else if (text[strcspn(text, "\",'; ")]) {
		fputc('"', f);
	} else {
		fputs(text, f);
		return;
	}
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', f);
		fputc(*text, f);
	}
	fputc('"', f);
}

static enum export_status put_plain(FILE *f, const char *text)
{
	char *plain = export_plain(text);

	if (!plain)
		return EXPORT_NO_MEMORY;
	put_text(f, plain);
	free(plain);
	return EXPORT_GOOD;
}

/* Numbers as they are: a minus in front of one makes no formula. */
static enum export_status put_axis(FILE *f, const json_t *value)
{
	char *text;

	if (!value)
		return EXPORT_GOOD;
	text = export_axis(value);
	if (!text)
		return EXPORT_NO_MEMORY;
	if (json_is_number(value))
		fputs(text, f);
	else
		put_text(f, text);
	free(text);
	return EXPORT_GOOD;
}

/* ----------------------------------------------------------------- columns */

static bool is_first(const char *axis)
{
	for (size_t i = 0; i < 3; i++)
		if (strcmp(first_axes[i], axis) == 0)
			return true;
	return false;
}

static enum export_status add_columns(struct csv *csv, json_t *axes)
{
	const char *name;
	json_t *v;

	json_object_foreach(axes, name, v)
	{
		if (!is_first(name) &&
		    json_object_set_new(csv->others, name, json_true()))
			return EXPORT_NO_MEMORY;
	}
	return EXPORT_GOOD;
}

/*
 * The axes are those of the config and those that the run made, which the
 * first cell has like every other one.
 */
static enum export_status put_head(struct csv *csv, const json_t *top,
				   json_t *axes)
{
	json_t *config = json_object_get(top, "config"), *v;
	const char *name;

	csv->others = json_object();
	if (!csv->others || add_columns(csv, json_object_get(config, "axes")) ||
	    add_columns(csv, axes))
		return EXPORT_NO_MEMORY;
	fputs("workload,policy,vcpus", csv->out);
	json_object_foreach(csv->others, name, v)
	{
		fputc(',', csv->out);
		if (put_plain(csv->out, name))
			return EXPORT_NO_MEMORY;
	}
	fputs(",status,repeat,seed,warmup,metric,unit,value,model,partial\n",
	      csv->out);
	return EXPORT_GOOD;
}

/* An axis without a column would be lost. */
static enum export_status check_axes(const struct csv *csv, json_t *axes)
{
	const char *name;
	json_t *v;

	json_object_foreach(axes, name, v)
	{
		if (!is_first(name) && !json_object_get(csv->others, name))
			return EXPORT_BAD_CELL;
	}
	return EXPORT_GOOD;
}

static enum export_status put_axes(const struct csv *csv, FILE *f,
				   const struct export_cell *cell)
{
	enum export_status bad = EXPORT_GOOD;
	const char *name;
	json_t *v;

	for (size_t i = 0; i < 3; i++) {
		if (i)
			fputc(',', f);
		bad |= put_axis(f, json_object_get(cell->axes, first_axes[i]));
	}
	json_object_foreach(csv->others, name, v)
	{
		fputc(',', f);
		bad |= put_axis(f, json_object_get(cell->axes, name));
	}
	return bad;
}

/* -------------------------------------------------------------------- rows */

struct row {
	const struct export_cell *cell;
	const json_t *repeat;
	size_t number;
};

static enum export_status put_row(struct csv *csv, const struct row *row,
				  const char *metric, const char *unit,
				  const char *value)
{
	const json_t *seed = json_object_get(row->repeat, "seed");
	const char *status =
		json_string_value(json_object_get(row->repeat, "status"));
	FILE *f = csv->out;

	fprintf(f, "%s,", csv->columns);
	if (put_plain(f, status ? status : row->cell->status))
		return EXPORT_NO_MEMORY;
	fputc(',', f);
	if (row->repeat)
		fprintf(f, "%zu", row->number);
	fputc(',', f);
	if (json_is_integer(seed))
		fprintf(f, "%" JSON_INTEGER_FORMAT, json_integer_value(seed));
	fprintf(f, ",%s,",
		!row->repeat		     ? ""
		: export_warmup(row->repeat) ? "true"
					     : "false");
	if (put_plain(f, metric))
		return EXPORT_NO_MEMORY;
	fputc(',', f);
	if (put_plain(f, unit))
		return EXPORT_NO_MEMORY;
	fprintf(f, ",%s,%s,%s\n", value, row->cell->model ? "true" : "false",
		export_partial(row->cell->top) ? "true" : "false");
	return EXPORT_GOOD;
}

static enum export_status put_number(struct csv *csv, const struct row *row,
				     const char *metric, const json_t *value)
{
	enum export_status status;
	char *text;

	if (!json_is_number(value))
		return EXPORT_BAD_CELL;
	text = json_dumps(value, JSON_STYLE | JSON_ENCODE_ANY);
	if (!text)
		return EXPORT_NO_MEMORY;
	status = put_row(csv, row, metric,
			 export_about(row->cell->top, metric, "unit"), text);
	free(text);
	return status;
}

static enum export_status put_part(struct csv *csv, const struct row *row,
				   const char *metric, const char *part,
				   const char *unit, uint64_t value)
{
	char *name = malloc(strlen(metric) + strlen(part) + 2), text[24];
	enum export_status status;

	if (!name)
		return EXPORT_NO_MEMORY;
	sprintf(name, "%s.%s", metric, part);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	status = put_row(csv, row, name, unit, text);
	free(name);
	return status;
}

static enum export_status put_hist(struct csv *csv, const struct row *row,
				   const char *metric, const json_t *value)
{
	const char *unit = export_about(row->cell->top, metric, "unit");
	const struct export_quantile *q;
	struct hist *h = csv->hist;
	enum export_status status = EXPORT_GOOD;

	memset(h, 0, sizeof(*h));
	if (decode_hist(value, h))
		return EXPORT_BAD_CELL;
	if (h->count == 0)
		return EXPORT_GOOD;
	for (q = export_quantiles; q->name && !status; q++)
		status = put_part(csv, row, metric, q->name, unit,
				  hist_quantile(h, q->q));
	if (!status)
		status =
			put_part(csv, row, metric, "count", "values", h->count);
	return status;
}

static enum export_status put_repeat(struct csv *csv, const struct row *row)
{
	const json_t *numbers = json_object_get(row->repeat, "metrics");
	const json_t *hists = json_object_get(row->repeat, "histograms");
	json_t *table = json_object_get(row->cell->top, "metrics"), *about;
	enum export_status status = EXPORT_GOOD;
	bool any = false;
	const char *name;

	json_object_foreach(table, name, about)
	{
		const json_t *number = json_object_get(numbers, name);
		const json_t *hist = json_object_get(hists, name);

		any |= number || hist;
		if (status || !export_wanted(csv->request, name))
			continue;
		if (number)
			status = put_number(csv, row, name, number);
		else if (hist)
			status = put_hist(csv, row, name, hist);
	}
	/* What happened to it is known all the same. */
	if (!any)
		status = put_row(csv, row, "", "", "");
	return status;
}

static enum export_status put_repeats(struct csv *csv,
				      const struct export_cell *cell)
{
	struct row row = {.cell = cell};
	enum export_status status = EXPORT_GOOD;
	size_t n = json_array_size(cell->all);

	if (n == 0)
		return put_row(csv, &row, "", "", "");
	for (size_t i = 0; i < n && !status; i++) {
		row.repeat = json_array_get(cell->all, i);
		row.number = i + 1;
		status = put_repeat(csv, &row);
	}
	return status;
}

static enum export_status put_cell(void *ctx, const struct export_cell *cell)
{
	struct csv *csv = ctx;
	enum export_status status = EXPORT_GOOD;
	size_t size;
	FILE *f;

	if (!csv->others)
		status = put_head(csv, cell->top, cell->axes);
	if (!status)
		status = check_axes(csv, cell->axes);
	f = open_memstream(&csv->columns, &size);
	if (!f)
		return EXPORT_NO_MEMORY;
	if (!status)
		status = put_axes(csv, f, cell);
	if (fclose(f))
		status = EXPORT_NO_MEMORY;
	if (!status)
		status = put_repeats(csv, cell);
	free(csv->columns);
	csv->columns = NULL;
	return status;
}

static int write_csv(const struct export_request *request, struct err *e)
{
	struct csv csv = {
		.request = request,
		.out = request->out,
		.hist = calloc(1, sizeof(struct hist)),
	};
	int status = -1;
	json_t *top;

	if (!csv.hist)
		return err_set(e, EXIT_FAILED, "out of memory");
	top = export_read(request, put_cell, &csv, e);
	if (top)
		status = 0;
	if (top && !csv.others && put_head(&csv, top, NULL))
		status = err_set(e, EXIT_FAILED, "out of memory");
	json_decref(csv.others);
	json_decref(top);
	free(csv.hist);
	return status;
}

const struct export_format export_csv = {
	.name = "csv",
	.summary = "one row a value of one repeat, for spreadsheets and R",
	.metrics = EXPORT_MANY,
	.function = write_csv,
};
