/* SPDX-License-Identifier: GPL-2.0-only */
/* The files that are built into the program. */
#include <stddef.h>

#include "bench/plot/chart.h"

#define FILES(X)                                                               \
	X(theme, "tdmem-theme.gp")                                             \
	X(begin, "tdmem-begin.gp")                                             \
	X(lines, "tdmem-lines.gp")                                             \
	X(stacks, "tdmem-stacks.gp")                                           \
	X(distribution, "tdmem-distribution.gp")                               \
	X(heatmap, "tdmem-heatmap.gp")

#define DECLARE(symbol, name)                                                  \
	extern const char plot_file_##symbol[], plot_file_##symbol##_end[];
FILES(DECLARE)
DECLARE(page, "page.css")

#define ROW(symbol, name) {name, plot_file_##symbol, plot_file_##symbol##_end},

const struct plot_file plot_files[] = {FILES(ROW){NULL, NULL, NULL}};

const struct plot_file plot_page_css = {"page.css", plot_file_page,
					plot_file_page_end};
