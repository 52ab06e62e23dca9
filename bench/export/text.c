/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>

#include "bench/base/plain.h"
#include "bench/export/export.h"
#include "bench/result/encode.h"

const struct export_quantile export_quantiles[] = {
	{"p50", 0.5},	  {"p90", 0.9}, {"p99", 0.99},
	{"p99.9", 0.999}, {"max", 1},	{NULL, 0},
};

char *export_plain(const char *text)
{
	return plain_text(text);
}

char *export_axis(const json_t *value)
{
	char *json, *plain;

	if (json_is_string(value))
		return export_plain(json_string_value(value));
	json = json_dumps(value, JSON_STYLE | JSON_ENCODE_ANY);
	plain = json ? export_plain(json) : NULL;
	free(json);
	return plain;
}
