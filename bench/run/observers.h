/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What looks on while real CPUs run, as far as the command line asks for it:
 * counters, the noise of the host, perf, Intel PCM, the probe.
 */
#ifndef TDMEM_BENCH_RUN_OBSERVERS_H
#define TDMEM_BENCH_RUN_OBSERVERS_H

#include <jansson.h>
#include <stdbool.h>

#include "bench/base/err.h"
#include "bench/observe/counters.h"
#include "bench/observe/pcm.h"
#include "bench/observe/perf.h"
#include "kvm/probe/probe.h"

struct sides;

struct observers {
	/* of the command line; NULL: not asked for */
	const char *counter_list, *perf_words, *pcm_program, *probe_text;
	struct counters counters;
	struct perf perf;
	struct pcm pcm;
	struct probe *probe; /* NULL: none, or not yet */
	json_t *noise;	     /* before a run on real CPUs; else NULL */
	json_t *companions;  /* what perf and PCM have found; NULL: none */
};

/** Understand what was asked for; -1 with *e. */
int observers_choose(struct observers *o, struct err *e);

/** Give them to the sides, which borrow them; -1 with *e: not with these. */
int observers_use(struct observers *o, struct sides *sides, struct err *e);

/** Find what there is to be watched here; -1 with *e: out of memory. */
int observers_open(struct observers *o, struct sides *sides, struct err *e);

/** What cannot be counted, a line each on stderr. */
void observers_warn(const struct observers *o);

/**
 * Look at the host, start companions for a run whose result this will be.  -1
 * with *e; that a companion is missing is only said.
 */
int observers_begin(struct observers *o, const struct sides *sides,
		    const char *result, struct err *e);

/** End companions, say what went wrong; -1 with *e: out of memory. */
int observers_end(struct observers *o, struct err *e);

/** Add what is known to a result's environment; false: out of memory. */
bool observers_facts(const struct observers *o, json_t *environment);

void observers_free(struct observers *o);

#endif
