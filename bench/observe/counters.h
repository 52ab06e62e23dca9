/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Performance counters of the kernel (perf_event_open), by libpfm's names:
 * what strands on real CPUs did while they were measured.
 */
#ifndef TDMEM_BENCH_OBSERVE_COUNTERS_H
#define TDMEM_BENCH_OBSERVE_COUNTERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/base/err.h"

struct sample;
struct perf_event_attr;

enum { COUNTER_NAME = 48, COUNTERS_MAX = 32 };

/** One event. */
struct counter {
	char name[COUNTER_NAME + 1];  /* as the user wrote it */
	struct perf_event_attr *attr; /* owned */
	bool user_only;		      /* only what happens in user mode */
	char missing[160];	      /* why not counted here; "": it is */
};

/** What is counted; may be used by any number of threads. */
struct counters {
	char *list; /* as the user wrote it */
	struct counter *v;
	size_t n;
};

/**
 * Understand a list of names ("cycles,context-switches"; "default" is some of
 * general use) and try each event on this thread.  What cannot be counted here
 * stays in the list with the reason.  -1 with *e: a name that is none, or is
 * there twice, or too many.  *c is then empty.
 */
int counters_load(const char *list, struct counters *c, struct err *e);
void counters_free(struct counters *c);

/** Is "counter.NAME" or "counter.NAME.running" a metric of these? */
bool counters_have(const struct counters *c, const char *metric);

/** Add the metrics of the counters to a result's table; -1: no memory. */
int counters_metrics(const struct counters *c, json_t *table);

/** Name -> {}, {"user_only": true} or {"missing": "why"}; NULL: no memory. */
json_t *counters_facts(const struct counters *c);

/** One line on stderr for each that is missing, or counts user mode only. */
void counters_warn(const struct counters *c);

/** The events of one thread. */
struct counting {
	int *fd;     /* of each counter; -1: none */
	bool *leads; /* a group begins here */
	const struct counters *set;
	bool broken; /* an event that could be counted could not be opened */
};

/**
 * Open the events for the calling thread, stopped.  They may be read and
 * closed by any thread, even after this one has ended.
 */
void counting_open(struct counting *counting, const struct counters *set);
void counting_begin(const struct counting *counting);
void counting_end(const struct counting *counting);
void counting_close(struct counting *counting);

/** What some threads have counted. */
struct counted {
	double value[COUNTERS_MAX];   /* scaled up to the whole time */
	double enabled[COUNTERS_MAX]; /* ns that it should have counted */
	double running[COUNTERS_MAX]; /* ns that it did */
	bool lost[COUNTERS_MAX];      /* of some thread there is nothing */
};

/** Add what a thread's events have. */
void counting_add(const struct counting *counting, struct counted *sum);

/**
 * The sample's metrics.  Of a counter that had to share the hardware there is
 * the share of the time, too; one that was lost is absent.  False: no memory.
 */
bool counted_fill(const struct counters *set, const struct counted *sum,
		  struct sample *sample);

#endif
