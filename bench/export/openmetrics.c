/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * OpenMetrics 1.0 text, as Prometheus reads it: numbers as gauges (medians of
 * the repeats), histograms as summaries (all repeats together).
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/export/export.h"
#include "bench/result/encode.h"

/* Units of the format are basic ones, and the ends of names. */
static const struct unit {
	const char *here, *there;
	double scale;
} units[] = {
	{"ns", "seconds", 1e-9},
	{"%", "ratio", 1e-2},
	{"1/s", "per_second", 1},
};

/* All samples of a metric stand together, but cells come one by one. */
struct family {
	const char *metric; /* borrowed from the top */
	char *name, *unit, *text;
	size_t size;
	FILE *samples;
	double scale;
	bool histogram;
};

struct exposition {
	const struct export_request *request;
	struct hist *hist;
	json_t *top; /* a reference: names are borrowed from it */
	struct family *family;
	size_t n;
	char *labels, *infos;
	size_t size;
	FILE *info;
};

/* ------------------------------------------------------------------- texts */

/* What may stand in names; `text` is changed. */
static void make_name(char *text)
{
	for (; *text; text++)
		if (!isascii((unsigned char)*text) ||
		    !isalnum((unsigned char)*text))
			*text = '_';
}

/* Within quotes or as help. */
static enum export_status put_escaped(FILE *f, const char *text)
{
	char *plain = export_plain(text);

	if (!plain)
		return EXPORT_NO_MEMORY;
	for (const char *p = plain; *p; p++) {
		if (*p == '\\' || *p == '"')
			fputc('\\', f);
		fputc(*p, f);
	}
	free(plain);
	return EXPORT_GOOD;
}

static enum export_status put_label(FILE *f, const char *separator,
				    const char *name, const char *value)
{
	enum export_status status;

	fprintf(f, "%s%s=\"", separator, name);
	status = put_escaped(f, value);
	fputc('"', f);
	return status;
}

/* ------------------------------------------------------------------ labels */

static bool is_taken(const char *label)
{
	return strcmp(label, "model") == 0 || strcmp(label, "quantile") == 0 ||
	       strcmp(label, "status") == 0 || strcmp(label, "reason") == 0 ||
	       isdigit((unsigned char)*label) || *label == '_' || !*label;
}

/* A label's name from an axis's; for free(). */
static char *label_name(const char *axis)
{
	char *name = malloc(strlen(axis) + sizeof("axis_"));

	if (!name)
		return NULL;
	strcpy(name, axis);
	make_name(name);
	if (is_taken(name)) {
		sprintf(name, "axis_%s", axis);
		make_name(name);
	}
	return name;
}

static enum export_status put_axis(FILE *f, const char *axis,
				   const json_t *value)
{
	char *name = label_name(axis), *text = export_axis(value);
	enum export_status status = EXPORT_NO_MEMORY;

	if (name && text)
		status = put_label(f, "", name, text);
	fputc(',', f);
	free(name);
	free(text);
	return status;
}

/* Two axes whose names differ only where labels cannot are no labels. */
static enum export_status check_axes(json_t *axes)
{
	json_t *seen = json_object(), *v;
	const char *axis;
	size_t n = 0;

	json_object_foreach(axes, axis, v)
	{
		char *name = label_name(axis);

		if (name)
			json_object_set_new(seen, name, json_true());
		free(name);
		n++;
	}
	n -= json_object_size(seen);
	json_decref(seen);
	return n ? EXPORT_BAD_CELL : EXPORT_GOOD;
}

static enum export_status make_labels(struct exposition *x,
				      const struct export_cell *cell)
{
	enum export_status status = check_axes(cell->axes);
	const char *axis;
	json_t *v;
	size_t size;
	FILE *f = open_memstream(&x->labels, &size);

	if (!f)
		return EXPORT_NO_MEMORY;
	json_object_foreach(cell->axes, axis, v)
	{
		if (!status)
			status = put_axis(f, axis, v);
	}
	fprintf(f, "model=\"%s\"", cell->model ? "true" : "false");
	return fclose(f) ? EXPORT_NO_MEMORY : status;
}

/* ---------------------------------------------------------------- families */

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n > m && strcmp(text + n - m, end) == 0 &&
	       text[n - m - 1] == '_';
}

static enum export_status name_family(struct family *f, const char *unit)
{
	f->scale = 1;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(units[i].here, unit) == 0) {
			unit = units[i].there;
			f->scale = units[i].scale;
			break;
		}
	}
	f->unit = strdup(unit);
	f->name = malloc(strlen(f->metric) + strlen(unit) + sizeof("tdmem__"));
	if (!f->unit || !f->name)
		return EXPORT_NO_MEMORY;
	make_name(f->unit);
	sprintf(f->name, "tdmem_%s", f->metric);
	make_name(f->name);
	if (*unit && !ends_with(f->name, f->unit)) {
		strcat(f->name, "_");
		strcat(f->name, f->unit);
	}
	return EXPORT_GOOD;
}

static enum export_status make_families(struct exposition *x, const json_t *top)
{
	json_t *table = json_object_get(top, "metrics"), *about;
	enum export_status status = EXPORT_GOOD;
	const char *metric;

	x->top = json_incref((json_t *)(uintptr_t)top);
	x->family = calloc(json_object_size(table) + 1, sizeof(*x->family));
	x->info = open_memstream(&x->infos, &x->size);
	if (!x->family || !x->info)
		return EXPORT_NO_MEMORY;
	json_object_foreach(table, metric, about)
	{
		struct family *f = &x->family[x->n];

		if (status || !export_wanted(x->request, metric))
			continue;
		f->metric = metric;
		f->histogram =
			json_is_true(json_object_get(about, "histogram"));
		status = name_family(f, export_about(top, metric, "unit"));
		x->n++;
	}
	return status;
}

/* ----------------------------------------------------------------- samples */

static bool begin_samples(struct family *f)
{
	if (!f->samples)
		f->samples = open_memstream(&f->text, &f->size);
	return f->samples;
}

static enum export_status put_gauge(struct exposition *x, struct family *f,
				    const struct export_cell *cell)
{
	struct summary s;
	enum export_status status = export_summary(cell, f->metric, &s);

	if (status || s.n == 0)
		return status;
	if (!begin_samples(f))
		return EXPORT_NO_MEMORY;
	fprintf(f->samples, "%s{%s} %.12g\n", f->name, x->labels,
		s.median * f->scale);
	return EXPORT_GOOD;
}

static enum export_status put_summary(struct exposition *x, struct family *f,
				      const struct export_cell *cell)
{
	struct hist *h = x->hist;
	enum export_status status;

	memset(h, 0, sizeof(*h));
	status = export_merge(cell, f->metric, h);
	if (status || h->count == 0)
		return status;
	if (!begin_samples(f))
		return EXPORT_NO_MEMORY;
	for (const struct export_quantile *q = export_quantiles; q->name; q++)
		fprintf(f->samples, "%s{%s,quantile=\"%g%s\"} %.12g\n", f->name,
			x->labels, q->q, q->q < 1 ? "" : ".0",
			(double)hist_quantile(h, q->q) * f->scale);
	fprintf(f->samples, "%s_count{%s} %" PRIu64 "\n", f->name, x->labels,
		h->count);
	return EXPORT_GOOD;
}

static enum export_status put_info(struct exposition *x,
				   const struct export_cell *cell)
{
	enum export_status status;

	fprintf(x->info, "tdmem_cell_info{%s", x->labels);
	status = put_label(x->info, ",", "status", cell->status);
	if (!status)
		status = put_label(x->info, ",", "reason", cell->reason);
	fputs("} 1\n", x->info);
	return status;
}

static enum export_status put_cell(void *ctx, const struct export_cell *cell)
{
	struct exposition *x = ctx;
	enum export_status status = EXPORT_GOOD;

	if (!x->top)
		status = make_families(x, cell->top);
	if (!status)
		status = make_labels(x, cell);
	if (!status)
		status = put_info(x, cell);
	for (size_t i = 0; i < x->n && !status; i++) {
		if (x->family[i].histogram)
			status = put_summary(x, &x->family[i], cell);
		else
			status = put_gauge(x, &x->family[i], cell);
	}
	free(x->labels);
	x->labels = NULL;
	return status;
}

/* ---------------------------------------------------------------- document */

static enum export_status put_run(const json_t *top, FILE *f)
{
	const json_t *config = json_object_get(top, "config");
	const json_t *tool = json_object_get(top, "tool");
	const char *name = json_string_value(json_object_get(config, "name"));
	const char *version =
		json_string_value(json_object_get(tool, "version"));
	enum export_status status;

	fputs("# TYPE tdmem_run info\n# HELP tdmem_run The run that the "
	      "result is of.\ntdmem_run_info{",
	      f);
	status = put_label(f, "", "config", name ? name : "");
	if (!status)
		status = put_label(f, ",", "version", version ? version : "");
	fprintf(f, ",partial=\"%s\"} 1\n",
		export_partial(top) ? "true" : "false");
	return status;
}

static enum export_status put_family(struct exposition *x, struct family *f)
{
	enum export_status status;
	FILE *out = x->request->out;

	if (!f->samples)
		return EXPORT_GOOD;
	if (fflush(f->samples))
		return EXPORT_NO_MEMORY;
	fprintf(out, "# TYPE %s %s\n", f->name,
		f->histogram ? "summary" : "gauge");
	if (*f->unit)
		fprintf(out, "# UNIT %s %s\n", f->name, f->unit);
	fprintf(out, "# HELP %s ", f->name);
	status = put_escaped(out, export_about(x->top, f->metric, "help"));
	fputc('\n', out);
	fwrite(f->text, 1, f->size, out);
	return status;
}

static enum export_status put_document(struct exposition *x, const json_t *top)
{
	FILE *out = x->request->out;
	enum export_status status = put_run(top, out);

	if (x->info && fflush(x->info))
		return EXPORT_NO_MEMORY;
	if (x->size) {
		fputs("# TYPE tdmem_cell info\n# HELP tdmem_cell How each cell "
		      "ended.\n",
		      out);
		fwrite(x->infos, 1, x->size, out);
	}
	for (size_t i = 0; i < x->n && !status; i++)
		status = put_family(x, &x->family[i]);
	fputs("# EOF\n", out);
	return status;
}

static int check_names(const struct exposition *x, struct err *e)
{
	for (size_t i = 0; i < x->n; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(x->family[i].name, x->family[k].name) == 0)
				return err_set(e, EXIT_FAILED,
					       "%.200s: two metrics would have "
					       "the name %.80s",
					       x->request->path,
					       x->family[i].name);
	return 0;
}

static void free_exposition(struct exposition *x)
{
	for (size_t i = 0; i < x->n; i++) {
		struct family *f = &x->family[i];

		if (f->samples)
			fclose(f->samples);
		free(f->text);
		free(f->name);
		free(f->unit);
	}
	if (x->info)
		fclose(x->info);
	free(x->infos);
	free(x->labels);
	free(x->family);
	free(x->hist);
	json_decref(x->top);
}

static int write_openmetrics(const struct export_request *request,
			     struct err *e)
{
	struct exposition x = {
		.request = request,
		.hist = calloc(1, sizeof(struct hist)),
	};
	json_t *top = x.hist ? export_read(request, put_cell, &x, e) : NULL;
	int status = top ? check_names(&x, e) : -1;

	if (!x.hist || (status == 0 && put_document(&x, top)))
		status = err_set(e, EXIT_FAILED, "out of memory");
	json_decref(top);
	free_exposition(&x);
	return status;
}

const struct export_format export_openmetrics = {
	.name = "openmetrics",
	.summary = "OpenMetrics text: medians and quantiles, for Prometheus",
	.metrics = EXPORT_MANY,
	.function = write_openmetrics,
};
