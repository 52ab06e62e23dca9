/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dashboard from the inside: dashboard_site.c sorts the history into what
 * pages show, dashboard_data.c and dashboard_overview.c make it JSON,
 * dashboard_pages.c has what is built in, dashboard_files.c writes files,
 * dashboard.c says which.
 */
#ifndef TDMEM_BENCH_TREND_DASHBOARD_IMPL_H
#define TDMEM_BENCH_TREND_DASHBOARD_IMPL_H

#include <stdio.h>

#include "bench/base/arena.h"
#include "bench/trend/dashboard.h"

/** Nights of the overview's sparklines: two months. */
enum { SITE_RECENT = 60 };

/** The file that a folder must have to be written over. */
#define SITE_MARK "dashboard.txt"

/** No index. */
#define SITE_NONE ((size_t)-1)

/** Texts, each one once, in the order in which they came. */
struct site_names {
	size_t n;
	const char **v;
	json_t *index; /* name -> place */
};

/**
 * Series of one config on one host, or of one modelled host; they share an x
 * axis.
 */
struct site_group {
	const char *config, *host; /* as the series have it */
	size_t nruns;
	size_t *run;	/* indexes of trend->run, rising */
	size_t *series; /* indexes of trend->series */
	size_t nseries;
};

/** Where a run is, and its texts as places in lists of names. */
struct site_run {
	size_t group, at; /* at: its place in the group */
	size_t host, kernel, cpu, version;
};

/** Where a series is shown. */
struct site_place {
	size_t group, workload;
	size_t chart; /* cell without workload and policy: "vcpus=8" */
	size_t line;  /* of a chart: policy, and side if there is one */
};

struct site {
	const struct trend *trend;
	const char *dir, *out;
	struct site_names workload, chart, line, slug; /* slug: of workloads */
	struct site_names run_slug;
	struct site_names host, kernel, cpu, version; /* of runs */
	size_t ngroups;
	struct site_group *group;
	struct site_run *run;	  /* of each run */
	struct site_place *place; /* of each series */
	struct arena *arena;
};

/** Sort a history.  -1: out of memory.  site_free() in any case. */
int site_init(struct site *site, const struct trend *trend, const char *dir,
	      const char *out);
void site_free(struct site *site);

/** The place of a name, added if it is new; SITE_NONE: out of memory. */
size_t site_name(struct site_names *names, struct arena *arena,
		 const char *name);

/** The point of a series at a run; NULL: none. */
const struct trend_point *site_point(const struct trend_series *series,
				     size_t run);

/* Documents; NULL when out of memory. */
json_t *site_index_json(const struct site *site, const char *base);
json_t *site_overview_json(const struct site *site);
json_t *site_series_json(const struct site *site);
json_t *site_workload_json(const struct site *site, size_t workload);
json_t *site_run_json(const struct site *site, size_t run);

/** A number of a figure: whole ones short, NaN and infinity null. */
json_t *site_number(double value);
/** A text, or null for NULL. */
json_t *site_text(const char *text);

/**
 * Write OUT/data/NAME.js, which gives `data` (reference stolen; NULL: out of
 * memory) to the pages under that name.
 */
int site_write_data(const struct site *site, const char *name, json_t *data,
		    struct err *e);
/** Write one file of the site, with `put`, which is false when it failed. */
int site_write_file(const struct site *site, const char *name,
		    bool (*put)(FILE *f, const void *arg), const void *arg,
		    struct err *e);
/** Write the pages, the style and the chart library. */
int site_write_pages(const struct site *site, struct err *e);
/** -1 with EXIT_UNSUPPORTED: the chart library was not built in. */
int site_check_library(struct err *e);
/** Make the folders, or find an older dashboard; nothing without a library. */
int site_make_folders(const struct site *site, struct err *e);
/** Remove data of runs and workloads that are not in the history any more. */
int site_remove_old(const struct site *site, struct err *e);

/**
 * The path from the folder `out` to the folder `dir`, as the beginning of a
 * link: percent-encoded, never with a scheme, ended by a slash.
 */
char *site_base(const struct site *site, struct err *e);

/** A path as a link has it. */
char *site_encode_path(struct arena *arena, const char *path);

#endif
