/* SPDX-License-Identifier: GPL-2.0-only */
/* How long the kernel let a thread wait for a CPU. */
#ifndef TDMEM_MACHINE_THREADS_DELAY_H
#define TDMEM_MACHINE_THREADS_DELAY_H

#include "model/machine/internal.h"

/**
 * Time, in ns, in which the calling thread was ready to run so far and
 * something else had its CPU: taken off, or not let on after it was woken.
 * False: the kernel does not count that (CONFIG_SCHED_INFO).
 */
bool thread_delay(u64 *ns);

#endif
