/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A config (tdmem-config/1): what `tdmem run` is asked for.  Everything in it
 * is checked when it is loaded; what later goes wrong is not its fault.
 */
#ifndef TDMEM_BENCH_PLAN_CONFIG_H
#define TDMEM_BENCH_PLAN_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/backend.h"
#include "bench/base/err.h"
#include "bench/plan/schedule.h"

enum {
	CONFIG_MAX_BYTES = 1 << 20,
	CONFIG_MAX_CELLS = 100000,
	CONFIG_MAX_REPEATS = 100000,
	CONFIG_MAX_RUNS = 1000000, /* cells times repeats, warm-ups too */
	CONFIG_MAX_VCPUS = 1024,
	CONFIG_MAX_AXES = 16,
	CONFIG_MAX_VALUES = 1024, /* of one axis */
};

enum axis_kind { AXIS_POLICY, AXIS_VCPUS, AXIS_KNOB };

/** A policy as a config chooses it. */
struct policy_choice {
	struct retry_policy policy; /* name: NULL for a free combination */
	char label[96];		    /* the name, or "FAULT/REMOVAL" */
};

/** One axis; the member of the union is that of its kind, `n` values long. */
struct axis {
	const char *name; /* owned by the config's document */
	enum axis_kind kind;
	size_t n;
	json_t *values; /* borrowed from the document: a list */
	union {
		struct policy_choice *policy;
		uint32_t *vcpus;
	};
};

/** A workload with the values of its knobs, axes not yet applied. */
struct config_workload {
	const struct workload *workload;
	size_t nknobs;
	int64_t *value;
};

struct config {
	json_t *root; /* the whole document, --set applied */
	const char *file;
	const char *side; /* value of the axis "side"; NULL: there is none */
	const char *name;
	const struct backend *backend;
	struct config_workload *workloads;
	size_t nworkloads;
	struct axis axes[CONFIG_MAX_AXES]; /* policy, vcpus, then knobs */
	size_t naxes;
	struct repeat_rule repeat;
	uint32_t retry_limit; /* of the spin halves; 0: none */
	const char *topology; /* hwloc synthetic, or "host" */
	const char *pin;      /* CPUs of real strands; NULL: all */
	char *costs;	      /* path, resolved */
	const char *column;
	double jitter;
	bool clear_removed;
	uint32_t memory;	      /* of the backend's kinds */
	uint64_t livelock_ns, max_ns; /* virtual; 0: no limit */
	uint64_t seed;
};

/**
 * Load a config and check all of it.  `set` are "path=value" strings, `nset`
 * of them, applied before the check; a value that is not JSON is a string.
 * The cost table's path is taken relative to the config's folder or, when
 * there is no such file, to the current one.  `file` and `set` must outlive
 * the config.  Returns -1 with *e (one line, EXIT_USAGE); *config is then
 * empty.
 */
int config_load(const char *file, const char *const *set, size_t nset,
		struct config *config, struct err *e);
void config_free(struct config *config);

/**
 * Check a document that is already there, as config_load() does.  Takes the
 * reference to `root`.
 */
int config_parse(const char *file, json_t *root, struct config *config,
		 struct err *e);

/** Cells of the config: workloads times the values of each axis. */
size_t config_cells(const struct config *config);

#endif
