/* SPDX-License-Identifier: GPL-2.0-only */
/* SIGINT and SIGTERM as a wish to end early, with what there is. */
#ifndef TDMEM_BENCH_BASE_INTERRUPT_H
#define TDMEM_BENCH_BASE_INTERRUPT_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "bench/base/err.h"

struct interrupt {
	atomic_int *stop; /* borrowed */
	sigset_t before;
	pthread_t thread;
	int signals, over;
};

/**
 * From here on the first signal sets *stop, and the second one kills as if
 * nobody handled it.  Threads that are started before interrupt_end() have
 * both blocked.  -1 with *e: nothing is changed.
 */
int interrupt_begin(struct interrupt *i, atomic_int *stop, struct err *e);

/** As it was before. */
void interrupt_end(struct interrupt *i);

#endif
