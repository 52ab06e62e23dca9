/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>

#include "bench/export/export.h"
#include "bench/result/encode.h"

enum export_status export_merge(const struct export_cell *cell,
				const char *metric, struct hist *into)
{
	const json_t *repeat;
	size_t i;

	json_array_foreach(cell->repeats, i, repeat)
	{
		const json_t *hists = json_object_get(repeat, "histograms");
		const json_t *one = json_object_get(hists, metric);

		if (one && decode_hist(one, into))
			return EXPORT_BAD_CELL;
	}
	return EXPORT_GOOD;
}

enum export_status export_summary(const struct export_cell *cell,
				  const char *metric, struct summary *summary)
{
	size_t n = 0, i;
	double *v = calloc(json_array_size(cell->repeats) + 1, sizeof(*v));
	enum export_status status = v ? EXPORT_GOOD : EXPORT_NO_MEMORY;
	const json_t *repeat;

	json_array_foreach(cell->repeats, i, repeat)
	{
		const json_t *numbers = json_object_get(repeat, "metrics");
		const json_t *one = json_object_get(numbers, metric);

		if (!one || !v)
			continue;
		if (!json_is_number(one))
			status = EXPORT_BAD_CELL;
		v[n++] = json_number_value(one);
	}
	*summary = summarize(v, status ? 0 : n);
	free(v);
	return status;
}
