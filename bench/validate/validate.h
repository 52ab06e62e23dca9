/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How far the model can be trusted: figures of it beside references that do
 * not come from it.  A group of checks is one file and one line in
 * validate_groups[].
 */
#ifndef TDMEM_BENCH_VALIDATE_VALIDATE_H
#define TDMEM_BENCH_VALIDATE_VALIDATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "bench/base/err.h"

enum agreement {
	AGREES_OK,
	AGREES_OFF,
	AGREES_UNCLEAR, /* the statistical error is too large to tell */
	AGREES_NONE,	/* there is no figure; the note says why */
	NR_AGREEMENTS
};
/** "ok", "off", "unclear", "none". */
const char *agreement_name(enum agreement verdict);

/** One line of the table. */
struct check {
	const char *group;
	char quantity[64];
	const char *unit;
	double low, high; /* the reference; the same for one figure */
	double here;	  /* NaN: there is none */
	double error;	  /* statistical, of `here`, in its unit; 0: none */
	double down, up;  /* ratios allowed outside of the reference */
	double ratio;	  /* here to the nearest of the reference; 1 within */
	enum agreement verdict;
	char source[160]; /* of the reference */
	char note[160];	  /* "" or what else is to be said */
};

struct validation {
	struct check *check;
	size_t n, room;
	bool failed; /* out of memory */
};

void validation_free(struct validation *v);

/**
 * Add a check and judge it: `ok` when here, give or take its error, lies
 * within low * down .. high * up.  An error of more than MAX_ERROR of the
 * reference is `unclear`, no figure is `none`.  `ratio` and `verdict` are
 * filled in.
 */
#define VALIDATE_MAX_ERROR 0.05
void validation_add(struct validation *v, const struct check *check);

/** How many have this verdict. */
size_t validation_count(const struct validation *v, enum agreement verdict);

/** What checks are made with; everything is borrowed. */
struct validate_setup {
	const char *costs; /* cost table */
};

struct validate_group {
	const char *name;
	const char *summary;
	bool real_cpus; /* only when asked for: it needs a quiet machine */
	/* Adds checks; -1 with *e when it could not even try. */
	int (*run)(const struct validate_setup *setup, struct validation *v,
		   struct err *e);
};

extern const struct validate_group *const validate_groups[]; /* NULL ends */

/** The table as text; `costs` is the path of the cost table. */
void validation_print(const struct validation *v, const char *costs, FILE *f);
/** As tdmem-validate/1; NULL when out of memory. */
json_t *validation_json(const struct validation *v, const char *costs);

#endif
