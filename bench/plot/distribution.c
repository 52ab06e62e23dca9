/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The whole distribution of a latency, a line a policy, over percentiles
 * that are stretched towards 100: each step to the right is ten times rarer.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/plot/plot.h"
#include "guest-agent/hist.h"

/* Points for each halving of what is above the percentile. */
enum { POINTS = 5, MAX_POINTS = 40 * POINTS };

struct distribution {
	struct plot_picture *p;
	const struct plot_group *g;
	size_t vcpus; /* index */
	struct plot_axis axis;
	double rarest; /* 1/(1 - percentile) of the last point of any line */
	size_t lines;  /* that have values */
};

static uint64_t count_of(const struct samples_series *s, size_t n)
{
	uint64_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += s->hist[i] ? s->hist[i]->count : 0;
	return count;
}

static double largest(const struct samples_series *s, size_t n)
{
	uint64_t max = 0;

	for (size_t i = 0; i < n; i++)
		if (s->hist[i] && s->hist[i]->max > max)
			max = s->hist[i]->max;
	return (double)max;
}

static void put_point(struct distribution *d, double level, double rarity,
		      double value)
{
	fprintf(d->p->data, "%.10g\t%.10g\t%.10g\n", rarity, level * 100,
		value);
	plot_axis_add(&d->axis, value);
	d->rarest = fmax(d->rarest, rarity);
}

/* The last point is the largest value: as rare as one of all. */
static void put_line(struct distribution *d, const struct plot_cell *cell)
{
	const struct samples_series *s = plot_latency(cell);
	size_t n = s ? cell->cell->nrepeats : 0;
	uint64_t count = s ? count_of(s, n) : 0;

	if (count == 0) {
		fputs("NaN\tNaN\tNaN\n", d->p->data);
		return;
	}
	d->lines++;
	for (int i = 0; i < MAX_POINTS; i++) {
		double rarity = exp2((double)i / POINTS);
		double level = 1 - 1 / rarity;

		if (rarity >= (double)count)
			break;
		put_point(d, level, rarity,
			  samples_pooled_quantile(s->hist, n, level));
	}
	put_point(d, 1, (double)count, largest(s, n));
}

static void put_data(struct distribution *d)
{
	fprintf(d->p->data,
		"# columns: 1/(1-percentile/100) percentile latency, at %u "
		"vCPUs; the last of a line is the largest value\n",
		d->g->vcpus[d->vcpus]);
	for (size_t i = 0; i < d->g->nlines; i++) {
		fprintf(d->p->data, "%s# line: %s\n", i ? "\n\n" : "",
			d->g->line[i].label);
		put_line(d, plot_at(d->g, i, d->vcpus));
	}
}

/* ------------------------------------------------------------------ script */

/* What has no line says so in the legend. */
static void put_labels(const struct distribution *d)
{
	FILE *f = d->p->script;

	plot_put_labels(f, d->g);
	for (size_t i = 0; i < d->g->nlines; i++) {
		const char *status =
			plot_status_name(plot_at(d->g, i, d->vcpus));

		if (strcmp(status, "ok") != 0)
			fprintf(f, "label[%zu] = label[%zu].' (%s)'\n", i + 1,
				i + 1, status);
	}
}

static void put_script(const struct distribution *d)
{
	FILE *f = d->p->script;

	put_labels(d);
	fprintf(f, "ymin = %.10g\nymax = %.10g\nyticks = '", d->axis.min,
		d->axis.max);
	plot_ticks(f, &d->axis);
	fprintf(f, "'\nxmax = %.10g\n", d->rarest);
	plot_put_string(f, "operation", d->g->operation);
}

static void put_alt(const struct distribution *d)
{
	FILE *f = d->p->alt;
	char p50[64], p99[64], max[64];

	fprintf(f, "%s latency at %u vCPUs: ", d->g->operation,
		d->g->vcpus[d->vcpus]);
	for (size_t i = 0; i < d->g->nlines; i++) {
		const struct plot_cell *cell = plot_at(d->g, i, d->vcpus);
		const struct samples_series *s = plot_latency(cell);
		size_t n = s ? cell->cell->nrepeats : 0;

		fprintf(f, "%s%s ", i ? "; " : "", d->g->line[i].label);
		if (!s) {
			fputs(plot_status_name(cell), f);
			continue;
		}
		plot_figure(samples_pooled_quantile(s->hist, n, 0.5), "ns", p50,
			    sizeof(p50));
		plot_figure(samples_pooled_quantile(s->hist, n, 0.99), "ns",
			    p99, sizeof(p99));
		plot_figure(largest(s, n), "ns", max, sizeof(max));
		fprintf(f, "p50 %s, p99 %s, max %s", p50, p99, max);
	}
	fputc('.', f);
}

bool plot_write_distribution(struct plot_picture *p)
{
	struct distribution d = {
		.p = p,
		.g = p->group,
		.vcpus = plot_common(p->set, p->group),
		.axis = {(double)NAN, (double)NAN, .log = true, .ns = true},
		.rarest = 10,
	};

	if (d.vcpus == SIZE_MAX) {
		plot_append(p->why, sizeof(p->why),
			    "no cell that ended ok at the vCPU count");
		return false;
	}
	put_data(&d);
	if (d.lines == 0) {
		plot_append(p->why, sizeof(p->why), "no cell has a latency");
		return false;
	}
	plot_axis_finish(&d.axis);
	put_script(&d);
	plot_append(p->note, sizeof(p->note),
		    "all repeats together; the last point of a line is the "
		    "largest value");
	snprintf(p->subtitle, sizeof(p->subtitle), "%s, %u vCPU%s",
		 p->group->name, p->group->vcpus[d.vcpus],
		 p->group->vcpus[d.vcpus] == 1 ? "" : "s");
	put_alt(&d);
	return true;
}
