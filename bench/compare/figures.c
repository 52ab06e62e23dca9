/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <string.h>

#include "bench/compare/doc.h"

/* From where on a value is written in a unit, and what that is. */
struct scale {
	double from, size;
	const char *suffix;
};

/* clang-format off */
static const struct scale times[] = {
	{0, 1, "ns"}, {999.95, 1e3, "us"}, {999.95e3, 1e6, "ms"},
	{999.95e6, 1e9, "s"}, {INFINITY, 0, NULL},
};
static const struct scale counts[] = {
	{0, 1, ""}, {999.95, 1e3, "k"}, {999.95e3, 1e6, "M"},
	{999.95e6, 1e9, "G"}, {INFINITY, 0, NULL},
};
/* clang-format on */

/* Four digits, whatever the size. */
static void digits(double v, const char *suffix, char buf[FIGURE])
{
	double size = fabs(v);
	int decimals = size < 9.9995   ? 3
		       : size < 99.995 ? 2
		       : size < 999.95 ? 1
				       : 0;

	if (size >= 99999.5 || (size > 0 && size < 0.001))
		snprintf(buf, FIGURE, "%.2g%s", v, suffix);
	else
		snprintf(buf, FIGURE, "%.*f%s", decimals, v, suffix);
}

const char *figure_value(double v, const char *unit, char buf[FIGURE])
{
	const struct scale *scale = strcmp(unit, "ns") == 0 ? times : counts;

	if (isnan(v) || isinf(v)) {
		strcpy(buf, isnan(v) ? "-" : v > 0 ? "inf" : "-inf");
		return buf;
	}
	while (fabs(v) >= scale[1].from)
		scale++;
	/* Whole numbers are exact: no decimals. */
	if (scale->size == 1 && v == floor(v))
		snprintf(buf, FIGURE, "%.0f%s", v + 0.0, scale->suffix);
	else
		digits(v / scale->size, scale->suffix, buf);
	return buf;
}

const char *figure_spread(const struct estimate *estimate, char buf[FIGURE])
{
	const struct interval *interval = &estimate->interval;
	double below = fabs(estimate->median - interval->low);
	double above = fabs(interval->high - estimate->median);
	double percent = 100 * fmax(below, above) / fabs(estimate->median);

	if (isnan(percent) || isinf(percent))
		strcpy(buf, "");
	else if (percent > 999)
		strcpy(buf, "+->999%");
	else if (percent < 0.05)
		strcpy(buf, "+-0%");
	else if (percent < 0.95)
		snprintf(buf, FIGURE, "+-.%.0f%%", 10 * percent);
	else
		snprintf(buf, FIGURE, "+-%.0f%%", percent);
	return buf;
}

/* A change in percent; of -0 no sign is left. */
static void percent(double ratio, int decimals, const char *suffix,
		    char buf[FIGURE])
{
	double v = 100 * ratio;

	if (isinf(v))
		snprintf(buf, FIGURE, "%cinf%s", v < 0 ? '-' : '+', suffix);
	else if (fabs(v) >= 99999.5)
		snprintf(buf, FIGURE, "%+.1g%s", v, suffix);
	else if (fabs(v) < (decimals ? 0.05 : 0.5))
		snprintf(buf, FIGURE, "%.*f%s", decimals, 0.0, suffix);
	else
		snprintf(buf, FIGURE, "%+.*f%s", decimals, v, suffix);
}

const char *figure_change(double ratio, char buf[FIGURE])
{
	if (isnan(ratio))
		return strcpy(buf, "-");
	percent(ratio, fabs(ratio) < 0.0995, "%", buf);
	return buf;
}

const char *figure_interval(const struct interval *interval, char buf[FIGURE])
{
	char low[FIGURE], high[FIGURE];
	int decimals;

	if (isnan(interval->low) || isnan(interval->high))
		return strcpy(buf, "");
	decimals = fmax(fabs(interval->low), fabs(interval->high)) < 0.0995;
	percent(interval->low, decimals, "", low);
	percent(interval->high, decimals, "", high);
	snprintf(buf, FIGURE, "[%.10s,%.10s]", low, high);
	return buf;
}

const char *figure_p(const struct change *change, char buf[FIGURE])
{
	if (change->verdict == VERDICT_NONE || isnan(change->p))
		strcpy(buf, "-");
	else if (change->p < 0.0005)
		strcpy(buf, "<.001");
	else
		snprintf(buf, FIGURE, "%.3f", change->p);
	return buf;
}

const char *figure_verdict(const struct change *change, char buf[FIGURE])
{
	static const char *const text[] = {
		[VERDICT_NONE] = "",	   [VERDICT_SAME] = "~",
		[VERDICT_TOO_FEW] = "~",   [VERDICT_BETTER] = "better",
		[VERDICT_WORSE] = "worse", [VERDICT_CHANGED] = "changed",
	};

	strcpy(buf, text[change->verdict]);
	if (change->verdict == VERDICT_TOO_FEW && change->needed <= 1000)
		snprintf(buf, FIGURE, "~ n<%zu", change->needed);
	return buf;
}

const char *figure_share(double share, char buf[FIGURE])
{
	snprintf(buf, FIGURE, "%.4g %%", 100 * share);
	return buf;
}
