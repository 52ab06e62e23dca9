/* SPDX-License-Identifier: GPL-2.0-only */
/* The buffer into which the kernel writes the records of perf's events. */
#ifndef TDMEM_KVM_PROBE_RING_H
#define TDMEM_KVM_PROBE_RING_H

#include <linux/perf_event.h>
#include <stddef.h>
#include <stdint.h>

struct perf_ring {
	struct perf_event_mmap_page *page; /* NULL: there is none */
	size_t page_bytes, data_bytes;
};

/** What begins with a header, of at most so many bytes; longer ones are cut. */
enum { PERF_RECORD_MOST = 256 };
typedef void perf_ring_take(void *context,
			    const struct perf_event_header *record);

/** Half a MiB, so that a reader has some ms, or what may be locked here. */
enum { PERF_RING_MOST = 1 << 19, PERF_RING_LEAST = 1 << 13 };

/** Map that of an event.  -1: errno. */
int perf_ring_open(struct perf_ring *ring, int event);
/** Twice does nothing. */
void perf_ring_close(struct perf_ring *ring);
/** Take all records that are there; one reader at a time. */
void perf_ring_drain(struct perf_ring *ring, perf_ring_take *take,
		     void *context);

#endif
