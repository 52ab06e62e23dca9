/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Comparing results: which metrics of which cells changed, by how much, and
 * how sure that is.  compare_results() computes, the printers of
 * compare_print.h print; nothing is computed while printing.
 */
#ifndef TDMEM_BENCH_COMPARE_COMPARE_H
#define TDMEM_BENCH_COMPARE_COMPARE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/base/err.h"
#include "bench/base/strlist.h"
#include "bench/result/samples.h"
#include "bench/stats/infer.h"

/** What is compared and how; all is borrowed. */
struct compare_request {
	const struct samples *const *result; /* base first */
	size_t nresults;		     /* 1 needs `by` */
	const char *const *label; /* of each result; NULL: its file's name */
	/*
	 * The axis of the one result whose values are the sides ("policy",
	 * "side"); NULL: each result is a side.
	 */
	const char *by;
	const char *base; /* value of that axis; NULL: the first one */
	/*
	 * Patterns (fnmatch).  None: rate and latency of what the workload is
	 * about, and of each call of the module the median latency.
	 */
	struct strings metrics;
	samples_wanted_fn *also; /* wanted besides, whole; NULL: none */
	const void *also_ctx;
	struct strings cells;  /* "AXIS=VALUE", all must hold */
	struct strings across; /* aspects that are meant to differ */
	double alpha;	       /* family-wise error rate, 0..1: 0.05 */
	double confidence;     /* of intervals, 0..1: 0.95 */
	double material;       /* smallest change of interest, a share: 0.01 */
	size_t rounds; /* of bootstraps; 0: by the number of comparisons */
	uint64_t seed; /* of bootstraps */
};

/** What a comparison says. */
enum verdict {
	VERDICT_NONE,	 /* nothing to compare: a side has no value */
	VERDICT_SAME,	 /* "~": not significant, or not material */
	VERDICT_TOO_FEW, /* "~": could never be significant, see `needed` */
	VERDICT_BETTER,
	VERDICT_WORSE,
	VERDICT_CHANGED, /* of a metric of which neither is better */
};
const char *verdict_name(enum verdict verdict); /* "better" */

/** One side of one row. */
struct estimate {
	bool there;	    /* the side has the cell */
	const char *status; /* of the cell; "" when it is not there */
	size_t n;	    /* repeats that have a value */
	double median;	    /* NaN: n is 0 */
	/* Of the median: order statistics; of a quantile: bootstrap. */
	struct interval interval;
	double low, high;   /* smallest and largest repeat */
	double mean, hmean; /* arithmetic; harmonic, NaN unless all are > 0 */
	double deviation;   /* of the sample; NaN below n = 2 */
};

/** A side against the base. */
struct change {
	enum verdict verdict;
	/* New over base - 1: 0.03 is +3 %; NaN, and INFINITY from 0. */
	double ratio;
	struct interval interval; /* of the ratio; NaNs: there is none */
	struct u_test test;	  /* a: new, b: base; delta > 0: new higher */
	double p;		  /* after Holm's correction, of all shown */
	size_t needed; /* VERDICT_TOO_FEW: repeats needed on each side */
};

/** One metric of one cell on all sides. */
struct compare_row {
	size_t group;
	size_t cell;	  /* which one it is among those that were matched */
	json_t *axes;	  /* those of the cell that are no side; borrowed */
	const char **key; /* nkeys texts of the axes that vary; "" if none */
	struct estimate *side; /* nsides */
	struct change *change; /* nsides; that of the base is all NONE */
};

/** Rows of one workload and one metric; they follow each other. */
struct compare_group {
	const char *workload, *operation;
	char *name;	      /* "fault.latency p99" */
	const char *metric;   /* "fault.latency" */
	const char *quantile; /* "p99"; NULL: no histogram */
	const char *unit;
	int better; /* +1, -1, 0 */
	bool modelled;
	size_t first, nrows;
};

/** Something that is the same on all sides, or not. */
struct compare_aspect {
	const char *name; /* "costs", "topology", "kernel", "config.host..." */
	bool same;
	bool compared; /* differs, and is what the comparison is about */
	char **value;  /* nsides short texts; one when it is the same */
};

struct compare_side {
	char *label; /* any bytes but controls, UTF-8, no trailing blanks */
	const char *path;
	const struct samples *samples;
	char *repeats; /* "10" or "8-10", warm-ups not counted */
};

struct comparison {
	const struct compare_request *request;
	const char *by; /* "result" or the axis */
	size_t nsides;
	struct compare_side *side;
	size_t naspects;
	struct compare_aspect *aspect; /* the same ones first */
	size_t nkeys;
	const char **key_name; /* axes that vary, workload not among them */
	size_t ngroups;
	struct compare_group *group;
	size_t nrows;
	struct compare_row *row;
	size_t rounds; /* of bootstraps */
	size_t tests;  /* comparisons with a p: what Holm corrected for */
	size_t count[VERDICT_CHANGED + 1]; /* of the changes, by verdict */
	size_t status_changes; /* cells ok on the base and not elsewhere */
	size_t only[2];	       /* cells only in the base, not in the base */
	struct arena *arena;   /* owns the texts and arrays */
};

/**
 * Is this metric asked for?  For samples_load(), with the request, of which
 * only `metrics` and `also` are looked at, as the context.
 */
samples_wanted_fn compare_wanted;

/**
 * Compare.  -1 with *e: EXIT_USAGE when the results differ in something that
 * is not the compared axis (named), or nothing is as asked for.  The caller
 * frees it; the results must outlive it.
 */
int compare_results(const struct compare_request *request,
		    struct comparison *comparison, struct err *e);
void compare_free(struct comparison *comparison);

/**
 * Names of what else differs, one line each, for stderr and headers: the
 * aspects that are neither the same nor compared.
 */
size_t compare_warnings(const struct comparison *comparison);

#endif
