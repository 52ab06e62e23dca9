/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Documents of older versions, made into what this version writes, so that
 * readers know one version only.  A kind of document is a table of steps,
 * each from one version to the next, and of members that came to be within
 * the version and what it means when they are absent.
 */
#ifndef TDMEM_BENCH_RESULT_UPGRADE_H
#define TDMEM_BENCH_RESULT_UPGRADE_H

#include <jansson.h>
#include <stdbool.h>

#include "bench/base/json.h"

/** From version `from` to the next.  Either may be NULL: nothing to do. */
struct upgrade_step {
	unsigned from;
	/* False when out of memory.  A wrong type is left for the reader. */
	bool (*top)(json_t *top);
	bool (*cell)(json_t *cell);
};

/** What an absent member stands for, as JSON. */
struct upgrade_default {
	const char *member;
	const char *json;
};

struct upgrade_kind {
	const char *name;		  /* "tdmem-result" */
	unsigned now;			  /* the version that is written */
	const struct upgrade_step *steps; /* by version; ended by from 0 */
	const struct upgrade_default *top, *cell; /* ended by NULL; or NULL */
};

extern const struct upgrade_kind upgrade_results, upgrade_configs;

/**
 * The version of a document; 0: it has no schema of this kind, which the
 * reader then says.  -1 with the error set when it is newer than this program.
 */
int upgrade_version(const struct upgrade_kind *kind, const json_t *document,
		    unsigned *version, const struct at *at);

/**
 * Upgrade all but the cells of a document, in place.  What has no schema of
 * this kind is left as it is.  -1 with the error set when it is newer than
 * this program, or out of memory.
 */
int upgrade_top(const struct upgrade_kind *kind, json_t *document,
		const struct at *at);

/** Upgrade one cell of a document of version `from`.  False: no memory. */
bool upgrade_cell(const struct upgrade_kind *kind, unsigned from, json_t *cell);

/** The same of its text, n bytes.  For free(); NULL: no cell, or no memory. */
char *upgrade_cell_text(const struct upgrade_kind *kind, unsigned from,
			const char *text, size_t n);

#endif
