/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of calibrate: how a primitive is measured. */
#ifndef TDMEM_BENCH_CALIBRATE_IMPL_H
#define TDMEM_BENCH_CALIBRATE_IMPL_H

#include <pthread.h>

#include "bench/calibrate/calibrate.h"
#include "model/machine/threads_clock.h"

/** A measurement under way, on a CPU of its own. */
struct bench {
	struct tclock clock;
	u32 cpu;	/* the kernel's number; this thread is bound to it */
	u32 other;	/* of the partner; may be the same */
	bool has_other; /* there is a second CPU */
	bool entries;	/* nothing else is asked for */
	unsigned char *page; /* of scratch memory */
	u64 deadline;	     /* ticks: no batch is begun after it */
};

/**
 * One batch: the time of one operation, in ticks.  Negative: it cannot be
 * measured, `why` says so.
 */
typedef double batch_fn(struct bench *b, void *ctx, char *why, size_t size);

/** Do batches and fill in the primitive. */
void measure(struct bench *b, struct primitive *p, batch_fn *batch, void *ctx);

/** The next primitive of the list, not measured yet. */
struct primitive *calibrate_begin(struct calibration *c, const char *name,
				  const char *entry, const char *help);

/** When and where, by an environment() and the CPUs that could be used. */
void describe_host(const json_t *environment, unsigned cpus,
		   struct measured *m);

/** Bind a thread to one CPU; false: it could not be. */
bool bind_thread(pthread_t thread, u32 cpu);

/** Who plays with whom. */
enum pair_game {
	PAIR_LINE,   /* compare-and-swap on a line, to and fro */
	PAIR_FUTEX,  /* wake the partner of another CPU, which sleeps */
	PAIR_SWITCH, /* futex to and fro on one CPU */
	PAIR_IPI,    /* membarrier to the partner's CPU, which loops */
	PAIR_SIGNAL, /* signal to the partner, which loops */
};

/** Measure a game with a partner on b->other. */
void measure_pair(struct bench *b, struct primitive *p, enum pair_game game);

/** VM exit and entry, by a guest of its own. */
void measure_vm_exit(struct bench *b, struct primitive *p);

#endif
