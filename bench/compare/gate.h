/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A gate (tdmem-gate/1) makes a verdict of a comparison: which changes must
 * not be, and how large they must be to matter.
 */
#ifndef TDMEM_BENCH_COMPARE_GATE_H
#define TDMEM_BENCH_COMPARE_GATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "bench/base/err.h"
#include "bench/compare/compare.h"

enum {
	GATE_MAX_BYTES = 1 << 20,
	GATE_MAX_RULES = 1000,
};

/** Which changes a rule lets fail. */
enum gate_fails {
	GATE_WORSE, /* by the metric's direction; of one without: none */
	GATE_HIGHER,
	GATE_LOWER,
	GATE_ANY,
};

/** One rule; texts are owned by the gate's document. */
struct gate_rule {
	const char *metric;   /* pattern: "*.rate", "own.latency p99" */
	const char *workload; /* pattern; NULL: all */
	json_t *cell;	      /* axis -> value or pattern; NULL: all */
	bool check;	      /* false: ignore what it matches */
	double material;      /* a share, 0..: 0.03 */
	enum gate_fails fails;
	const char *why; /* NULL: not said */
};

struct gate {
	json_t *root;
	const char *name;
	double alpha; /* 0: as the comparison */
	size_t nrules;
	struct gate_rule *rule;
};

/**
 * Load a gate and check all of it.  -1 with *e (EXIT_USAGE; file, JSON path,
 * what was expected); *gate is then empty.
 */
int gate_load(const char *path, struct gate *gate, struct err *e);
/** The same of a document that is there; takes the reference. */
int gate_parse(const char *path, json_t *root, struct gate *gate,
	       struct err *e);
void gate_free(struct gate *gate);

/** Is there a rule that checks this metric, in any cell?  ctx is the gate. */
samples_wanted_fn gate_wanted;

enum gate_verdict { GATE_PASS, GATE_UNDECIDED, GATE_FAIL, NR_GATE_VERDICTS };

/** A change that a rule checks. */
struct gated {
	size_t row, side; /* of the comparison */
	const struct gate_rule *rule;
	enum gate_verdict verdict;
	double p;      /* Holm's, over all that the gate checks; NaN: none */
	size_t needed; /* repeats on each side to decide it; 0: enough */
};

/** A cell that was ok on the base and is not, or is not there, elsewhere. */
struct gate_lost {
	size_t row, side; /* of the comparison; one row of the cell */
	const struct gate_rule *rule;
};

struct gate_outcome {
	const struct gate *gate;
	double alpha;
	size_t n;
	struct gated *change; /* in the order of the comparison */
	size_t nlost;
	struct gate_lost *lost;
	size_t tests; /* comparisons with a p */
	size_t count[NR_GATE_VERDICTS];
	bool *used; /* of each rule: it decided something */
};

/**
 * Judge a comparison, whose base is side 0.  -1 with *e: no rule checks
 * anything of it (EXIT_USAGE), or out of memory.  The caller frees the
 * outcome; gate and comparison must outlive it.
 */
int gate_judge(const struct gate *gate, const struct comparison *comparison,
	       struct gate_outcome *outcome, struct err *e);
void gate_outcome_free(struct gate_outcome *outcome);

/** Does it fail?  With `strict` what is undecided fails too. */
bool gate_failed(const struct gate_outcome *outcome, bool strict);

/** What fails and what is undecided, as text of at most 75 columns. */
bool gate_print(const struct gate_outcome *outcome,
		const struct comparison *comparison, bool strict, bool ascii,
		FILE *f);

/** The same as JSON; NULL when out of memory. */
json_t *gate_json(const struct gate_outcome *outcome,
		  const struct comparison *comparison, bool strict);

#endif
