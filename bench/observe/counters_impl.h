/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the files of counters.h, and with what is tried by tdmem env. */
#ifndef TDMEM_BENCH_OBSERVE_COUNTERS_IMPL_H
#define TDMEM_BENCH_OBSERVE_COUNTERS_IMPL_H

#include <stddef.h>

struct perf_event_attr;

/** Open an event for this thread; `group` -1: it leads.  -1 with errno. */
int counter_open(const struct perf_event_attr *attr, int group);

/** What an errno of counter_open() means to the user. */
void counter_why(int error, char *why, size_t size);

/** /proc/sys/kernel/perf_event_paranoid; below -1: not known. */
int counters_paranoid(void);

#endif
