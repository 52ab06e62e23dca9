/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls of a script on threads of this host's CPUs, one after the other. */
#ifndef TDMEM_BENCH_SCRIPT_THREADS_H
#define TDMEM_BENCH_SCRIPT_THREADS_H

#include "bench/script/impl.h"

struct script_threads;

/**
 * A thread for each CPU that this process may use, at most eight, for
 * world->threads; strands have the world as their user.  Of `own` interrupted
 * and now are used, the rest is the machine's.  NULL when there is no memory or
 * no thread.
 */
struct script_threads *script_threads_create(struct world *world,
					     const struct machine_ops *own);
void script_threads_destroy(struct script_threads *t);

/**
 * Run lp->fn to its end, on the thread of that LP.  False: the module halted,
 * or there are no threads; nothing can be run any more.
 */
bool script_threads_run(struct script_threads *t, struct script_lp *lp);

/** Why script_threads_run() was false. */
const char *script_threads_why(const struct script_threads *t);

#endif
