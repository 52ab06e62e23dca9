/* SPDX-License-Identifier: GPL-2.0-only */
#include <stddef.h>

#include "bench/export/export.h"

/* clang-format off */
#define FORMATS(X) \
	X(export_csv) \
	X(export_hgrm) \
	X(export_hlog) \
	X(export_openmetrics) \
	X(export_github_bigger) \
	X(export_github_smaller) \
	X(export_bmf) \
	X(export_ktap)
/* clang-format on */

#define DECLARE(format) extern const struct export_format format;
FORMATS(DECLARE)

#define LIST(format) &format,
const struct export_format *const export_formats[] = {FORMATS(LIST) NULL};
