/* SPDX-License-Identifier: GPL-2.0-only */
/* Ends and ticks of axes: gnuplot's own have no units of time. */
#include <math.h>

#include "bench/plot/plot.h"

/* Ticks, at most about so many, on a linear axis. */
#define TICKS 5.0
/* From this ratio of the ends on, a tick a decade is enough. */
#define DECADES 60.0

void plot_axis_add(struct plot_axis *axis, double value)
{
	if (isnan(value) || (axis->log && value <= 0))
		return;
	if (isnan(axis->min) || value < axis->min)
		axis->min = value;
	if (isnan(axis->max) || value > axis->max)
		axis->max = value;
}

/* The smallest of 1, 2 and 5 times a power of ten that is no less. */
static double nice(double step)
{
	double power = pow(10, floor(log10(step)));

	if (step <= power)
		return power;
	if (step <= 2 * power)
		return 2 * power;
	return step <= 5 * power ? 5 * power : 10 * power;
}

void plot_axis_finish(struct plot_axis *axis)
{
	if (isnan(axis->min) || isnan(axis->max)) {
		axis->min = axis->log ? 1 : 0;
		axis->max = axis->log ? 10 : 1;
	}
	if (axis->log) {
		double room = pow(axis->max / axis->min, 0.06);

		axis->min /= fmax(room, 1.05);
		axis->max *= fmax(room, 1.05);
		return;
	}
	if (axis->max <= axis->min)
		axis->max = axis->min + (axis->min > 0 ? axis->min : 1);
	axis->max += (axis->max - axis->min) * 0.05;
}

static void put_tick(FILE *f, const struct plot_axis *axis, double value,
		     const char **separator)
{
	static const char *const time[] = {"ns", "us", "ms", "s"};
	static const char *const count[] = {"", "k", "M", "G"};
	double v = value;
	int unit = 0;

	/* Ticks are multiples of steps, up to rounding. */
	while (unit < 3 && fabs(v) >= 999.9999) {
		v /= 1000;
		unit++;
	}
	fprintf(f, "%s\"%.6g%s\" %.10g", *separator, v,
		value == 0 ? ""
		: axis->ns ? time[unit]
			   : count[unit],
		value);
	*separator = ", ";
}

static void linear_ticks(FILE *f, const struct plot_axis *axis)
{
	double step = nice((axis->max - axis->min) / TICKS);
	const char *separator = "";

	for (double i = ceil(axis->min / step); i * step <= axis->max; i++)
		put_tick(f, axis, i * step, &separator);
}

static void log_ticks(FILE *f, const struct plot_axis *axis)
{
	static const double within[] = {1, 2, 5};
	size_t n = axis->max / axis->min >= DECADES ? 1 : 3;
	const char *separator = "";

	for (double e = floor(log10(axis->min)); e <= log10(axis->max); e++) {
		for (size_t i = 0; i < n; i++) {
			double v = within[i] * pow(10, e);

			if (v >= axis->min && v <= axis->max)
				put_tick(f, axis, v, &separator);
		}
	}
}

void plot_ticks(FILE *f, const struct plot_axis *axis)
{
	/* Of 1, 2 and 5 there may be only two within this factor. */
	if (axis->log && axis->max / axis->min >= 10)
		log_ticks(f, axis);
	else
		linear_ticks(f, axis);
}
