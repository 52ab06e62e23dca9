/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pictures of stacks: what a sum is made of, over vCPUs, a panel a policy.
 * The metrics that are parts are those that the result has, whatever their
 * names: a call that is new in the model is drawn as well.
 */
#include <math.h>
#include <string.h>

#include "bench/base/arena.h"
#include "bench/plot/chart.h"
#include "bench/plot/plot.h"

/* As many as there are colours; the last one is for all others. */
enum { MAX_PARTS = 8, NAME = 48 };

/* "time.mmu_lock": mmu_lock. */
static bool time_part(const char *metric, char *name, size_t size)
{
	if (strncmp(metric, "time.", 5) != 0)
		return false;
	snprintf(name, size, "%s", metric + 5);
	return true;
}

/* "tdh_mem_page_aug.busy.rcx": MEM.PAGE.AUG rcx, as specifications write. */
static bool busy_part(const char *metric, char *name, size_t size)
{
	const char *busy = strstr(metric, ".busy.");
	const char *call = metric;

	if (!busy)
		return false;
	if (strncmp(call, "tdh_", 4) == 0)
		call += 4;
	snprintf(name, size, "%.*s %s", (int)(busy - call), call, busy + 6);
	for (char *p = name; *p && *p != ' '; p++)
		*p = *p == '_'		      ? '.'
		     : *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A')
					      : *p;
	return true;
}

const struct plot_stack plot_time = {
	.label = "% of the vCPUs' time",
	.empty = "no cell has the vCPUs' time",
	.note = "mean of the repeats",
	.part = time_part,
	.factor = 1,
	.max = 100,
};

const struct plot_stack plot_busy = {
	.label = "BUSY per 1000 calls",
	.empty = "no call ended BUSY",
	.note = "all repeats together; parts: call and the operand that was "
		"busy",
	.part = busy_part,
	.divisor = "calls.total",
	.factor = 1000,
};

struct part {
	char name[NAME];
	const char *metric; /* NULL: the others */
	double most;	    /* in any cell */
};

struct stacks {
	struct plot_picture *p;
	const struct plot_group *g;
	const struct plot_stack *stack;
	struct part *part; /* all that are not 0 everywhere */
	size_t nparts, nshown;
	struct plot_axis axis;
};

/* ------------------------------------------------------------------- parts */

static double share(const struct stacks *s, const struct plot_cell *cell,
		    const char *metric)
{
	double sum = plot_sum(cell, metric), divisor;

	if (isnan(sum))
		return sum;
	divisor = s->stack->divisor ? plot_sum(cell, s->stack->divisor)
				    : (double)cell->cell->nrepeats;
	return divisor > 0 ? sum / divisor * s->stack->factor : (double)NAN;
}

static double most(const struct stacks *s, const char *metric)
{
	double max = (double)NAN;

	for (size_t i = 0; i < s->g->nlines * s->g->nvcpus; i++)
		max = fmax(max, share(s, &s->g->cell[i], metric));
	return max;
}

static bool known(const struct stacks *s, const char *metric)
{
	for (size_t i = 0; i < s->nparts; i++)
		if (strcmp(s->part[i].metric, metric) == 0)
			return true;
	return false;
}

static void add_part(struct stacks *s, const char *metric)
{
	struct part *part = &s->part[s->nparts];

	if (!s->stack->part(metric, part->name, sizeof(part->name)) ||
	    known(s, metric))
		return;
	part->metric = metric;
	part->most = most(s, metric);
	/* Where nothing is lost by it, what is 0 everywhere is not told. */
	if (part->most > 0)
		s->nparts++;
}

/* In the order of the results' tables of metrics. */
static bool find_parts(struct stacks *s)
{
	const struct plot_set *set = s->p->set;
	size_t n = 1;

	for (size_t r = 0; r < set->nresults; r++)
		n += set->result[r]->nmetrics;
	s->part = arena_alloc(set->arena, n, sizeof(*s->part));
	for (size_t r = 0; s->part && r < set->nresults; r++)
		for (size_t i = 0; i < set->result[r]->nmetrics; i++)
			add_part(s, set->result[r]->metric[i].name);
	return s->part;
}

/* Keep the largest ones, in their order; the rest is summed up. */
static void choose_parts(struct stacks *s)
{
	s->nshown = s->nparts;
	while (s->nshown > MAX_PARTS - (s->nshown < s->nparts)) {
		size_t least = 0;
		struct part part;

		for (size_t i = 1; i < s->nshown; i++)
			if (s->part[i].most < s->part[least].most)
				least = i;
		part = s->part[least];
		memmove(&s->part[least], &s->part[least + 1],
			(s->nshown - least - 1) * sizeof(part));
		s->part[--s->nshown] = part;
	}
}

static double others(const struct stacks *s, const struct plot_cell *cell)
{
	double sum = 0;

	for (size_t i = s->nshown; i < s->nparts; i++) {
		double v = share(s, cell, s->part[i].metric);

		sum += isnan(v) ? 0 : v;
	}
	return plot_good(cell) ? sum : (double)NAN;
}

/* -------------------------------------------------------------------- data */

/* A part that a good cell does not have is nothing, not unknown. */
static double part_of(const struct stacks *s, const struct plot_cell *cell,
		      size_t part)
{
	double v = share(s, cell, s->part[part].metric);

	return isnan(v) && plot_good(cell) ? 0 : v;
}

static double put_cell(const struct stacks *s, const struct plot_cell *cell,
		       uint32_t vcpus)
{
	FILE *f = s->p->data;
	double sum = 0, v;

	fprintf(f, "%u\t%s", vcpus, plot_status_name(cell));
	for (size_t i = 0; i < s->nshown; i++) {
		v = part_of(s, cell, i);
		sum += v;
		plot_put_number(f, v);
	}
	if (s->nshown < s->nparts) {
		v = others(s, cell);
		sum += v;
		plot_put_number(f, v);
	}
	fputc('\n', f);
	return sum;
}

static void put_data(struct stacks *s)
{
	FILE *f = s->p->data;

	fputs("# columns (tab between): vcpus, status", f);
	for (size_t i = 0; i < s->nshown; i++)
		fprintf(f, ", %s", s->part[i].metric);
	fputs(s->nshown < s->nparts ? ", all others\n" : "\n", f);
	for (size_t i = 0; i < s->g->nlines; i++) {
		fprintf(f, "%s# panel: %s\n", i ? "\n\n" : "",
			s->g->line[i].label);
		for (size_t v = 0; v < s->g->nvcpus; v++)
			plot_axis_add(&s->axis, put_cell(s, plot_at(s->g, i, v),
							 s->g->vcpus[v]));
	}
}

/* ------------------------------------------------------------------ script */

static void put_parts(const struct stacks *s)
{
	size_t n = s->nshown + (s->nshown < s->nparts);
	FILE *f = s->p->script;

	fprintf(f, "parts = %zu\n", n);
	plot_put_array(f, "part", n);
	for (size_t i = 0; i < n; i++) {
		plot_put_element(f, "part", i + 1,
				 i < s->nshown ? s->part[i].name : "others");
	}
}

/* Bars have the same distance; their names are thinned out by the script. */
static void put_script(const struct stacks *s)
{
	FILE *f = s->p->script;
	size_t n = s->g->nlines * s->g->nvcpus, k = 0;

	plot_put_labels(f, s->g);
	put_parts(s);
	plot_put_vcpus(f, s->g);
	fprintf(f, "ylabel = \"%s\"\nymax = %.10g\n", s->stack->label,
		s->axis.max);
	fputs("yticks = '", f);
	plot_ticks(f, &s->axis);
	fputs("'\n", f);
	plot_put_array(f, "mark_panel", n);
	plot_put_array(f, "mark_x", n);
	plot_put_array(f, "mark_text", n);
	for (size_t i = 0; i < n; i++) {
		const struct plot_status *status = plot_status(&s->g->cell[i]);

		if (!status)
			continue;
		k++;
		fprintf(f,
			"mark_panel[%zu] = %zu; mark_x[%zu] = %zu; "
			"mark_text[%zu] = '%c'\n",
			k, i / s->g->nvcpus + 1, k, i % s->g->nvcpus, k,
			status->letter);
	}
	fprintf(f, "marks = %zu\n", k);
}

/* ------------------------------------------------------------------- texts */

/* The largest part of each line at the compared count. */
static void put_alt(const struct stacks *s)
{
	size_t v = plot_common(s->p->set, s->g);
	FILE *f = s->p->alt;

	if (v == SIZE_MAX)
		v = s->g->nvcpus - 1;
	fprintf(f, "%s at %u vCPUs, largest parts: ", s->stack->label,
		s->g->vcpus[v]);
	for (size_t i = 0; i < s->g->nlines; i++) {
		const struct plot_cell *cell = plot_at(s->g, i, v);
		size_t best = 0;

		fprintf(f, "%s%s ", i ? "; " : "", s->g->line[i].label);
		for (size_t k = 1; k < s->nshown; k++)
			if (part_of(s, cell, k) > part_of(s, cell, best))
				best = k;
		if (plot_good(cell))
			fprintf(f, "%s %.3g", s->part[best].name,
				part_of(s, cell, best));
		else
			fputs(plot_status_name(cell), f);
	}
	fputc('.', f);
}

bool plot_write_stacks(struct plot_picture *p)
{
	struct stacks s = {
		.p = p,
		.g = p->group,
		.stack = p->kind->spec,
		.axis = {.min = 0, .max = (double)NAN},
	};

	if (!find_parts(&s)) {
		plot_append(p->why, sizeof(p->why), "out of memory");
		return false;
	}
	if (s.nparts == 0) {
		plot_append(p->why, sizeof(p->why), "%s", s.stack->empty);
		return false;
	}
	choose_parts(&s);
	put_data(&s);
	plot_axis_finish(&s.axis);
	if (s.stack->max > 0)
		s.axis.max = s.stack->max;
	put_script(&s);
	plot_append(p->note, sizeof(p->note), "%s", s.stack->note);
	plot_note_statuses(p);
	put_alt(&s);
	return true;
}
