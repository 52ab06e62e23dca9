/* SPDX-License-Identifier: GPL-2.0-only */
/* A buffer of perf that the kernel really writes to: of this thread's faults.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "kvm/probe/ring.h"

enum { PAGES = 1024, TOUCHES = 64 * PAGES };

struct sample {
	struct perf_event_header header;
	uint64_t address;
};

struct seen {
	uint64_t samples, lost;
	uint64_t last; /* both together */
	const char *from;
	uint64_t wrong; /* of another place than the one that is due */
};

static void take(void *context, const struct perf_event_header *record)
{
	struct seen *seen = context;
	const struct sample *s = (const struct sample *)record;

	if (record->type == PERF_RECORD_LOST) {
		/* Its id, then how many. */
		seen->lost += (&s->address)[1];
		seen->last += (&s->address)[1];
		return;
	}
	if (s->address < (uintptr_t)seen->from ||
	    s->address >= (uintptr_t)seen->from + PAGES * 4096ull)
		return; /* of the program itself */
	seen->wrong +=
		s->address != (uintptr_t)seen->from + seen->last % PAGES * 4096;
	seen->last++;
	seen->samples++;
}

static int faults(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_PAGE_FAULTS,
		.size = sizeof(attr),
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_ADDR,
		.exclude_kernel = 1,
		.disabled = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

/* Touch pages, and read the buffer each so many after the first ones. */
static void fault_in(unsigned first, unsigned every, struct seen *seen)
{
	struct perf_ring ring = {NULL, 0, 0};
	int event = faults();
	char *from = mmap(NULL, PAGES * 4096ul, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(from != MAP_FAILED);
	madvise(from, PAGES * 4096ul, MADV_NOHUGEPAGE);
	*seen = (struct seen){.from = from};
	if (event < 0) {
		print_message("skipped: no events of page faults here\n");
		skip();
	}
	assert_int_equal(perf_ring_open(&ring, event), 0);
	/* Or a fault of reading it is among the lost ones. */
	for (size_t i = 0; i < ring.page_bytes + ring.data_bytes; i += 4096)
		(void)((volatile char *)ring.page)[i];
	perf_ring_drain(&ring, take, seen);
	ioctl(event, PERF_EVENT_IOC_ENABLE, 0);
	for (unsigned i = 0; i < TOUCHES; i++) {
		if (i % PAGES == 0)
			madvise(from, PAGES * 4096ul, MADV_DONTNEED);
		((volatile char *)from)[i % PAGES * 4096ul] = 1;
		if (i >= first && i % every == 0)
			perf_ring_drain(&ring, take, seen);
	}
	ioctl(event, PERF_EVENT_IOC_DISABLE, 0);
	perf_ring_drain(&ring, take, seen);
	perf_ring_close(&ring);
	perf_ring_close(&ring);
	close(event);
	munmap(from, PAGES * 4096ul);
}

static void read_in_time_all_records_come_in_order(void **state)
{
	struct seen seen;

	(void)state;
	fault_in(0, 1000, &seen);
	assert_int_equal(seen.samples, TOUCHES);
	assert_int_equal(seen.lost, 0);
	assert_int_equal(seen.wrong, 0);
}

static void what_does_not_fit_is_said_before_what_comes_then(void **state)
{
	struct seen seen;

	(void)state;
	fault_in(TOUCHES - 5000, 1000, &seen);
	assert_true(seen.lost > 0 && seen.samples > 5000);
	assert_int_equal(seen.samples + seen.lost, TOUCHES);
	assert_int_equal(seen.wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_in_time_all_records_come_in_order),
		cmocka_unit_test(
			what_does_not_fit_is_said_before_what_comes_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
