/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KTAP version 1, what the kernel's test runners read: a test point a cell.
 * How many there are is known at the end, but the plan stands in front.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/export/export.h"

struct ktap {
	FILE *points;
	char *text;
	size_t size, n;
	bool model;
};

/* A # would begin a directive, a \ may escape one. */
static enum export_status put_word(FILE *f, const char *text)
{
	char *plain = export_plain(text);

	if (!plain)
		return EXPORT_NO_MEMORY;
	for (const char *p = plain; *p; p++)
		fputc(*p == '#' || *p == '\\' ? '?' : *p, f);
	free(plain);
	return EXPORT_GOOD;
}

static enum export_status put_axis(FILE *f, const char *axis,
				   const json_t *value)
{
	char *text = export_axis(value);
	enum export_status status = EXPORT_NO_MEMORY;

	fputc(' ', f);
	if (text)
		status = put_word(f, axis);
	fputc('=', f);
	if (!status)
		status = put_word(f, text);
	free(text);
	return status;
}

static enum export_status put_name(FILE *f, const struct export_cell *cell)
{
	enum export_status status = put_word(f, cell->workload);
	const char *axis;
	json_t *v;

	json_object_foreach(cell->axes, axis, v)
	{
		if (!status && strcmp(axis, "workload") != 0)
			status = put_axis(f, axis, v);
	}
	return status;
}

/* Before its point: readers take what comes behind as the next one's. */
static enum export_status put_reason(FILE *f, const struct export_cell *cell)
{
	enum export_status status;

	fputs("# ", f);
	status = put_word(f, cell->status);
	if (!status && *cell->reason) {
		fputs(": ", f);
		status = put_word(f, cell->reason);
	}
	fputc('\n', f);
	return status;
}

static enum export_status put_cell(void *ctx, const struct export_cell *cell)
{
	struct ktap *k = ctx;
	bool skipped = strcmp(cell->status, "unsupported") == 0;
	bool good = skipped || strcmp(cell->status, "ok") == 0;
	enum export_status status = EXPORT_GOOD;

	k->model |= cell->model;
	if (!good)
		status = put_reason(k->points, cell);
	fprintf(k->points, "%sok %zu ", good ? "" : "not ", ++k->n);
	if (!status)
		status = put_name(k->points, cell);
	if (!status && skipped) {
		fputs(" # SKIP ", k->points);
		status = put_word(k->points,
				  *cell->reason ? cell->reason : cell->status);
	}
	fputc('\n', k->points);
	return status;
}

static enum export_status put_document(const struct ktap *k, const json_t *top,
				       FILE *out)
{
	const json_t *config = json_object_get(top, "config");
	const char *name = json_string_value(json_object_get(config, "name"));
	enum export_status status;

	fprintf(out, "KTAP version 1\n1..%zu%s\n# tdmem ", k->n,
		k->n ? "" : " # SKIP no cells");
	status = put_word(out, name ? name : "");
	if (k->model)
		fputs(", model output, not a measurement", out);
	if (export_partial(top))
		fputs(", partial: the run was stopped", out);
	fputc('\n', out);
	fwrite(k->text, 1, k->size, out);
	return status;
}

static int write_ktap(const struct export_request *request, struct err *e)
{
	struct ktap k = {0};
	json_t *top = NULL;
	int status = -1;

	k.points = open_memstream(&k.text, &k.size);
	if (k.points)
		top = export_read(request, put_cell, &k, e);
	if (!k.points || fclose(k.points) ||
	    (top && put_document(&k, top, request->out)))
		err_set(e, EXIT_FAILED, "out of memory");
	else
		status = top ? 0 : -1;
	free(k.text);
	json_decref(top);
	return status;
}

const struct export_format export_ktap = {
	.name = "ktap",
	.summary = "KTAP version 1 for kernel test runners: a point a cell",
	.metrics = EXPORT_NONE,
	.function = write_ktap,
};
