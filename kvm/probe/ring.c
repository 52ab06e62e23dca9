/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm/probe/ring.h"

int perf_ring_open(struct perf_ring *ring, int event)
{
	size_t data, page = (size_t)sysconf(_SC_PAGESIZE);
	void *at = MAP_FAILED;

	for (data = PERF_RING_MOST; data >= PERF_RING_LEAST; data /= 2) {
		at = mmap(NULL, page + data, PROT_READ | PROT_WRITE, MAP_SHARED,
			  event, 0);
		if (at != MAP_FAILED)
			break;
	}
	if (at == MAP_FAILED)
		return -1;
	*ring = (struct perf_ring){at, page, data};
	return 0;
}

void perf_ring_close(struct perf_ring *ring)
{
	if (ring->page)
		munmap(ring->page, ring->page_bytes + ring->data_bytes);
	ring->page = NULL;
}

/* A record can end where the buffer begins. */
static void copy_out(const struct perf_ring *ring, uint64_t from, void *to,
		     size_t bytes)
{
	const char *data = (const char *)ring->page + ring->page_bytes;
	size_t at = (size_t)(from % ring->data_bytes);
	size_t first = ring->data_bytes - at;

	if (first > bytes)
		first = bytes;
	memcpy(to, data + at, first);
	memcpy((char *)to + first, data, bytes - first);
}

void perf_ring_drain(struct perf_ring *ring, perf_ring_take *take,
		     void *context)
{
	union {
		struct perf_event_header header;
		char bytes[PERF_RECORD_MOST];
	} record;
	uint64_t head, tail;

	if (!ring->page)
		return;
	head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	tail = ring->page->data_tail;
	while (tail < head) {
		size_t bytes;

		memset(&record, 0, sizeof(record));
		copy_out(ring, tail, &record, sizeof(record.header));
		bytes = record.header.size;
		if (bytes < sizeof(record.header))
			break; /* no kernel writes that */
		copy_out(ring, tail, &record,
			 bytes < sizeof(record) ? bytes : sizeof(record));
		take(context, &record.header);
		tail += bytes;
	}
	__atomic_store_n(&ring->page->data_tail, head, __ATOMIC_RELEASE);
}
