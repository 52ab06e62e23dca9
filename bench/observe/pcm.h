/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Intel PCM beside a run: what the whole machine did from before the first
 * repeat until after the last one.
 */
#ifndef TDMEM_BENCH_OBSERVE_PCM_H
#define TDMEM_BENCH_OBSERVE_PCM_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/base/err.h"
#include "bench/observe/companion.h"

struct pcm {
	struct companion companion;
	const char *program; /* NULL: none was chosen */
	char *path;	     /* what it writes */
	uint64_t since_ns;
};

/** By the name of one of its programs; -1 with *e: it is none of them. */
int pcm_choose(struct pcm *p, const char *name, struct err *e);

/**
 * Start it, which takes seconds; it writes to a file named after the result.
 * -1 with *e: that file may not be written.  That it does not run is no
 * error: p->companion.missing.
 */
int pcm_start(struct pcm *p, const char *result, struct err *e);

/** End it.  What it was, and its figures; NULL: no memory. */
json_t *pcm_finish(struct pcm *p);

/** Also of a struct that is all zero. */
void pcm_free(struct pcm *p);

/** Bytes a second of the whole machine; NaN: it does not say. */
struct pcm_memory {
	double read, write;
};

/**
 * The last row of a CSV file of pcm or pcm-memory as a list of objects, see
 * the schema of results: empty when it is no such file.  `seconds` is how long
 * it has counted.  NULL: out of memory.
 */
json_t *pcm_figures(FILE *f, double seconds, struct pcm_memory *memory);

#endif
