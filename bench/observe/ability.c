/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/observe/ability.h"

void ability_print(const struct ability *a, FILE *f)
{
	fprintf(f, "  %s%s%s\n    %s%s\n", a->name ? a->name : "",
		a->name ? ": " : "", a->what, a->why[0] ? "no: " : "yes",
		a->why);
	if (a->why[0] && a->cure[0])
		fprintf(f, "    it takes: %s\n", a->cure);
}

void ability_line(const struct ability *a, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s", a->why, a->cure[0] ? "; it takes " : "",
		 a->cure);
}
