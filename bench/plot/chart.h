/* SPDX-License-Identifier: GPL-2.0-only */
/* What pictures of lines and of stacks show: rows of tables. */
#ifndef TDMEM_BENCH_PLOT_CHART_H
#define TDMEM_BENCH_PLOT_CHART_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/plot/plot.h"

enum plot_panel_style {
	PANEL_LINEAR,
	PANEL_LOG,
	PANEL_EVENTS, /* the picture is left out when all panels are 0 */
	PANEL_INDEX,  /* 0..1, drawn as far down as values go */
};

struct plot_panel {
	const char *name;  /* "p99" */
	const char *label; /* of the axis; " rate": behind the operation */
	struct plot_measure measure;
	enum plot_panel_style style;
};

struct plot_chart {
	size_t npanels;
	bool ideal;	   /* of the first panel */
	bool same_axis;	   /* all panels have one scale */
	const char *empty; /* why it is left out when it is */
	struct plot_panel panel[3];
};

/** Parts of one hundred percent, or of a number that is the sum of them. */
struct plot_stack {
	const char *label; /* of the axis, with the unit */
	const char *empty; /* why it is left out when it is */
	const char *note;
	/* Is a metric a part, and what is it called?  False: it is not. */
	bool (*part)(const char *metric, char *name, size_t size);
	/* What sums are divided by: a metric; NULL: by the number of repeats */
	const char *divisor;
	double factor; /* and multiplied with */
	double max;    /* of the axis; 0: what there is */
};

/** A file of plot/ that is built into the program. */
struct plot_file {
	const char *name; /* in the folder of pictures */
	const char *text, *end;
};

/** What the scripts of pictures load; ended by a NULL name. */
extern const struct plot_file plot_files[];
extern const struct plot_file plot_page_css;

#endif
