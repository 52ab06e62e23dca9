/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a history is read: files are found (files.c), each is read or taken
 * from the index as an entry (entry.c, index.c), and the entries are put
 * together to series (series.c).  Where these change is looked for (change.c)
 * or taken from another cache (places.c).
 */
#ifndef TDMEM_BENCH_TREND_IMPL_H
#define TDMEM_BENCH_TREND_IMPL_H

#include "bench/base/arena.h"
#include "bench/trend/trend.h"

#define TREND_INDEX   ".tdmem-index"
#define TREND_CHANGES ".tdmem-changes"
#define TREND_ACKS    "tdmem-acks.json"

/* ----------------------------------------------------------------- files */

/** A file below the folder that may be a result. */
struct trend_file {
	const char *path; /* below the folder */
	uint64_t device, inode, size;
	int64_t mtime_ns;
	bool link;	  /* reached by a symbolic link */
	const char *skip; /* why it is left out; NULL: it is not */
};

struct trend_files {
	size_t n, room;
	struct trend_file *file; /* in the order of paths; for free() */
};

/**
 * All *.json below a folder, links followed, hidden ones not.  Texts are the
 * arena's.  -1 with *e: the folder cannot be read, or no memory.
 */
int trend_find_files(const char *dir, struct arena *arena,
		     struct trend_files *files, struct err *e);

/* --------------------------------------------------------------- entries */

struct trend_metric {
	const char *name, *unit;
	int better;
};

struct trend_value {
	size_t metric; /* of the entry */
	double value, low, high;
};

struct trend_cell {
	const char *axes; /* as JSON */
	const char *workload, *operation, *status;
	size_t nvalues;
	struct trend_value *value;
};

/** What a history keeps of one file. */
struct trend_entry {
	const char *path;
	uint64_t size;
	int64_t mtime_ns;
	const char *skip;     /* why it is no result; NULL: it is one */
	bool parsed;	      /* from the file, not from the index */
	bool young;	      /* may change again without looking changed */
	struct trend_run run; /* run.environment is owned by the entry */
	const char *host;     /* that series are told apart by */
	size_t nmetrics;
	struct trend_metric *metric;
	size_t ncells;
	struct trend_cell *cell;
	struct arena *arena; /* owns all but the environment */
};

/** An empty one; NULL: out of memory. */
struct trend_entry *trend_entry_new(void);

/**
 * Read a file.  What is no result has `skip` set.  NULL: out of memory.  For
 * trend_entry_free().
 */
struct trend_entry *trend_entry_read(const char *dir,
				     const struct trend_file *file);
void trend_entry_free(struct trend_entry *entry);

/** One line of JSON, for free(); NULL: out of memory. */
char *trend_entry_encode(const struct trend_entry *entry);
/** NULL: it is none, or no memory. */
struct trend_entry *trend_entry_decode(const char *text, size_t n);

/* ----------------------------------------------------------------- index */

struct trend_index {
	size_t n;
	struct trend_entry **entry; /* by path */
};

/**
 * Read the index of a folder.  One that is missing, of another version or
 * broken is empty, a line that is broken is left out.
 */
void trend_index_load(const char *dir, unsigned int jobs,
		      struct trend_index *index);
void trend_index_free(struct trend_index *index);

/** The entry of an unchanged file, borrowed; or NULL. */
struct trend_entry *trend_index_find(const struct trend_index *index,
				     const struct trend_file *file);

/**
 * Write the index: NULL entries and young ones are left out.  NULL, or why
 * that could not be done, in the arena.
 */
const char *trend_index_save(const char *dir, struct trend_entry *const *entry,
			     size_t n, struct arena *arena);

/* ---------------------------------------------------------------- series */

/**
 * Put the series of entries together, which are in the order of time, one a
 * run of the trend.  -1 with *e: no memory, or nothing is as asked for.
 */
int trend_make_series(struct trend *trend, struct trend_entry *const *entry,
		      const struct trend_request *request, struct err *e);

/* ---------------------------------------------------------------- places */

/** A place among the values of a series, and what it is a change between. */
struct trend_place {
	size_t at; /* first value of the new level */
	double p;  /* of the permutation test */
	double before, after, ratio;
	double u_p;
};

/** after / before - 1; infinite when there was nothing before. */
double trend_ratio(double before, double after);

/** Where one series changes, as long as its values and the rule are these. */
struct trend_places {
	uint64_t series; /* hash of its key */
	uint64_t values; /* hash of its values and of the rule */
	size_t n;
	struct trend_place *place; /* n, in rising order; owned */
};

/** The cache of places: one of each series, by the series' hash. */
struct trend_cache {
	size_t n;
	struct trend_places *places;
};

void trend_cache_load(const char *dir, struct trend_cache *cache);
void trend_cache_free(struct trend_cache *cache);

/** Those of a series with these values, borrowed; or NULL. */
const struct trend_places *trend_cache_find(const struct trend_cache *cache,
					    uint64_t series, uint64_t values);

/**
 * Write the places of n series, in any order, and those of the other series
 * that were in the cache.  NULL, or why it could not be done, in the arena.
 */
const char *trend_cache_save(const char *dir, const struct trend_cache *cache,
			     struct trend_places *places, size_t n,
			     struct arena *arena);

/* ------------------------------------------------------ acknowledgements */

/**
 * Fill the `acknowledged` of all changes from a file that may be missing.  An
 * acknowledgement is of the change with its id and of those within `segment`
 * runs of its place; when there is none, of the nearest one of the same kind
 * between the levels that it was between.
 */
int trend_apply_acks(struct trend *trend, const char *path, size_t segment,
		     struct err *e);

/** FNV-1a of bytes, going on from `hash`. */
#define TREND_HASH UINT64_C(0xcbf29ce484222325)
uint64_t trend_hash(uint64_t hash, const void *bytes, size_t n);

#endif
