/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pictures of results.  Cells are arranged into groups, which differ in
 * policy and vCPUs only; a kind of picture writes the data and the script of
 * one picture, gnuplot draws it, and a page shows all.  Everything that is
 * written is a function of the results and the options alone.
 */
#ifndef TDMEM_BENCH_PLOT_PLOT_H
#define TDMEM_BENCH_PLOT_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/base/err.h"
#include "bench/result/samples.h"

struct arena;

/** What is asked for; all is borrowed. */
struct plot_options {
	const char *dir;
	const char *baseline; /* policy of the heat map; NULL: the first */
	long vcpus; /* of distributions and heat map; 0: the most all have */
	long width; /* of pictures, in pixels */
	bool oversubscribed; /* draw such cells like others */
};

/** A cell as pictures see it. */
struct plot_cell {
	const struct samples *samples;
	const struct samples_cell *cell; /* NULL: it was not run */
	bool left_out;			 /* oversubscribed, and not wanted */
};

/** One line of a picture: a policy, of one side, of one result. */
struct plot_line {
	const char *label; /* harmless, short */
	const char *policy;
};

/** Cells of one workload that differ in their line and in vCPUs. */
struct plot_group {
	const char *name; /* "fault-in, pages 64"; harmless */
	const char *slug; /* the same for file names: [a-z0-9-] */
	const char *workload;
	const char *operation; /* harmless */
	const char *summary;   /* of the workload; harmless, may be "" */
	size_t nlines;
	struct plot_line *line;
	size_t nvcpus;
	uint32_t *vcpus;	/* rising */
	struct plot_cell *cell; /* nlines rows of nvcpus */
};

/** Results that are drawn together. */
struct plot_set {
	const struct plot_options *options;
	const struct samples *const *result;
	const char *const *label; /* of each result; harmless */
	size_t nresults;
	const char *prefix; /* of file names: [a-z0-9-] */
	const char *footer; /* config, model or measured, repeats, version */
	size_t ngroups;
	struct plot_group *group;
	struct arena *arena; /* borrowed: owns all of the above */
};

/** Does a picture need this metric?  A samples_wanted_fn; ctx is unused. */
samples_wanted_fn plot_wanted;

/** Arrange the cells of set->result.  -1 with *e. */
int plot_set_fill(struct plot_set *set, struct err *e);

/** Keep the groups that cells of more than one result are in. */
void plot_set_keep_shared(struct plot_set *set);

static inline const struct plot_cell *plot_at(const struct plot_group *g,
					      size_t line, size_t vcpus)
{
	return &g->cell[line * g->nvcpus + vcpus];
}

/**
 * Index of the vCPU count at which policies are compared: the one asked for,
 * else the highest that all lines have and that any ended ok at, else the
 * highest at which any did.  SIZE_MAX: there is none.
 */
size_t plot_common(const struct plot_set *set, const struct plot_group *g);

/* ------------------------------------------------------------------ status */

/** How a cell ended that has no value, as pictures show it. */
struct plot_status {
	const char *name; /* "vm-bugged" */
	char letter;
	const char *what; /* for the key: "VM bugged" */
};

/** NULL: the cell was not run, or it ended ok. */
const struct plot_status *plot_status(const struct plot_cell *cell);

/** "ok", "missing", or the name of its plot_status(). */
const char *plot_status_name(const struct plot_cell *cell);

/** Did it end ok, and is it to be drawn? */
bool plot_good(const struct plot_cell *cell);

/* ------------------------------------------------------------------ values */

/** What is measured: a number, or a quantile of a histogram. */
struct plot_measure {
	const char *metric; /* ".rate": that of the workload's operation */
	double q;	    /* of a histogram, 0..1; 0: a number */
	bool per_1000;	    /* of the workload's operations */
};

struct plot_value {
	size_t n; /* repeats that have one */
	/*
	 * Of a number the median, and an interval of the median; of a
	 * quantile that of all repeats together, and the range of the
	 * repeats.  NaN: there is none.
	 */
	double value, low, high;
	double coverage; /* probability, 0..1; NaN: it is a range */
};

struct plot_value plot_value(const struct plot_measure *measure,
			     const struct plot_cell *cell);

/** As plot_value(), of a number, with the whole range of the repeats. */
struct plot_value plot_range(const struct plot_measure *measure,
			     const struct plot_cell *cell);

/** Sum over the repeats of a number; NaN when no repeat has it. */
double plot_sum(const struct plot_cell *cell, const char *metric);

/** The histograms of the operation's latency; NULL: there are none. */
const struct samples_series *plot_latency(const struct plot_cell *cell);

/** Unit of the measured number, from any cell that has it; "" if none. */
const char *plot_unit(const struct plot_group *g,
		      const struct plot_measure *measure);

/* -------------------------------------------------------------------- axes */

struct plot_axis {
	double min, max;
	bool log; /* then min is above 0 */
	bool ns;  /* values are nanoseconds */
};

/** Widen an axis (NaNs: an empty one) by a value; NaN changes nothing. */
void plot_axis_add(struct plot_axis *axis, double value);

/** Round the ends so that what is in it does not touch the frame. */
void plot_axis_finish(struct plot_axis *axis);

/** Ticks as gnuplot has them: '"10us" 10000, "100us" 100000'. */
void plot_ticks(FILE *f, const struct plot_axis *axis);

/** A number with its unit: "9.53k/s", "10.1us", "3.2 %". */
const char *plot_figure(double value, const char *unit, char *buf, size_t size);

/* ------------------------------------------------------------------- texts */

/** A copy with only [a-z0-9-], not empty, short.  NULL: out of memory. */
char *plot_slug(struct arena *arena, const char *text);

/** A harmless copy of at most so many characters.  NULL: out of memory. */
char *plot_text(struct arena *arena, const char *text, size_t characters);

/** NAME = 'text', whatever is in the text but line ends. */
void plot_put_string(FILE *f, const char *name, const char *text);

/** A tab and a number of the data: "NaN" when there is none. */
void plot_put_number(FILE *f, double value);

/** ARRAY[index] = 'text'; arrays begin with 1. */
void plot_put_element(FILE *f, const char *array, size_t index,
		      const char *text);

/** Declare an array of n (0: of one, unused) elements. */
void plot_put_array(FILE *f, const char *name, size_t n);

/** Write text as it stands in HTML, in an attribute as well. */
void plot_put_html(FILE *f, const char *text);

/* ---------------------------------------------------------------- pictures */

struct plot_picture {
	const struct plot_set *set;
	const struct plot_group *group; /* NULL: of all groups */
	const struct plot_kind *kind;
	char *name; /* of its files, without an ending */
	/* Written by the kind; heads and tails are not its business. */
	FILE *data, *script, *alt;
	char note[240]; /* the rest of the footer: "...; ..." */
	/*
	 * What comes behind the title: which cells.  Empty: the group's name
	 * and summary.
	 */
	char subtitle[200];
	char why[120]; /* set when it is left out: why */
};

/** A kind of picture. */
struct plot_kind {
	const char *name;    /* in names of files: "throughput" */
	const char *title;   /* "Throughput over vCPUs" */
	const char *script;  /* of plot/: "lines" */
	bool whole;	     /* one of all groups, not one of each */
	bool overlay;	     /* is drawn of several results together as well */
	const char *metrics; /* what it draws, for the data's head */
	/* False: left out, and why is set. */
	bool (*write)(struct plot_picture *p);
	const void *spec;
};

/** All kinds, in the order of the page; ended by a NULL name. */
extern const struct plot_kind plot_kinds[];

bool plot_write_lines(struct plot_picture *p);
bool plot_write_stacks(struct plot_picture *p);
bool plot_write_distribution(struct plot_picture *p);
bool plot_write_heatmap(struct plot_picture *p);
/* What of the lines is drawn is the kind's spec; of the stacks too. */
extern const struct plot_chart plot_throughput, plot_latencies, plot_kicks,
	plot_fairness;
extern const struct plot_stack plot_busy, plot_time;

/** Names of the lines, as the array "label". */
void plot_put_labels(FILE *f, const struct plot_group *g);

/** The counts of vCPUs, as the array "vcpus" of so many "counts". */
void plot_put_vcpus(FILE *f, const struct plot_group *g);

/** Append to a picture's note: the key of the statuses that are there. */
void plot_note_statuses(struct plot_picture *p);

/** Append to a text of limited size. */
__attribute__((format(printf, 3, 4))) void plot_append(char *text, size_t size,
						       const char *format, ...);

/* ------------------------------------------------------------------- files */

/** A picture that was written, or left out, as the page needs it. */
struct plot_entry {
	const struct plot_kind *kind;
	const struct plot_group *group;
	const char *name, *alt;
	const char *why; /* left out: why; else NULL */
	bool drawn;
};

struct plot_section {
	const struct plot_set *set;
	const char *title; /* harmless */
	size_t n;
	struct plot_entry *entry;
};

/** Write a file into the folder; the name is one of ours.  -1 with *e. */
int plot_save(const struct plot_options *options,
	      const struct plot_section *section, const char *name,
	      const char *text, size_t size, struct err *e);

/** Write data and scripts of all pictures of a set.  -1 with *e. */
int plot_section_write(struct plot_section *section, const struct plot_set *set,
		       struct err *e);

/** Write what the scripts of all pictures load.  -1 with *e. */
int plot_scripts_write(const struct plot_section *section, struct err *e);

/**
 * Let gnuplot draw.  -1 with *e: EXIT_UNSUPPORTED when there is none, else
 * EXIT_FAILED with the script that failed.
 */
int plot_draw(struct plot_section *section, size_t n, struct err *e);

/** Write index.html, which shows all.  -1 with *e. */
int plot_page_write(const struct plot_section *section, size_t n,
		    struct err *e);

#endif
