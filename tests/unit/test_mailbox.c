/* SPDX-License-Identifier: GPL-2.0-only */
/* What is taken from a guest, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kvm/mailbox.h"

enum {
	MOST_NS = 2000000000,
	FLIPS = 20000,
	READS = 300,
	RACES = 100000, /* at most, until so many are taken: */
	TAKEN = 300,
};

struct fixture {
	struct agent_box box, quiet;
	struct agent_report report;
	atomic_uint writes;
	atomic_int done;
};

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* xorshift64* (Marsaglia, Vigna). */
static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * 0x2545f4914f6cdd1dull;
}

static void fill_sound(struct agent_box *box)
{
	static const uint64_t times[] = {0,    1,     511,    512,
					 9000, 12345, 500001, 1000000000};
	size_t i;

	memset(box, 0, sizeof(*box));
	box->measured = 1;
	box->begin_ns = 7000;
	box->end_ns = 7000 + MOST_NS / 2;
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		hist_record(&box->hist[AGENT_LAT_TOUCH], times[i]);
}

static const char *verdict(struct fixture *f)
{
	return mailbox_read(&f->report, &f->box, MOST_NS);
}

static void what_an_agent_records_is_taken(void **state)
{
	struct fixture *f = *state;

	memset(&f->box, 0, sizeof(f->box));
	assert_null(verdict(f));
	assert_false(f->report.measured);
	fill_sound(&f->box);
	assert_null(verdict(f));
	assert_true(f->report.measured);
	assert_int_equal(f->report.begin_ns, 7000);
	assert_int_equal(f->report.end_ns, 7000 + MOST_NS / 2);
	assert_memory_equal(f->report.hist, f->box.hist, sizeof(f->box.hist));
}

/* Longer than 2^40 ns: counted as overflow. */
static void long_times_are_taken(void **state)
{
	struct fixture *f = *state;
	uint64_t most = 1ull << 43;

	fill_sound(&f->box);
	hist_record(&f->box.hist[AGENT_LAT_TOUCH], (1ull << 40) + 5);
	assert_null(mailbox_read(&f->report, &f->box, most));
	memset(&f->box, 0, sizeof(f->box));
	hist_record(&f->box.hist[AGENT_LAT_CONVERT], 1ull << 41);
	assert_null(mailbox_read(&f->report, &f->box, most));
}

/* Each is of a sound box with one member changed. */
#define CHANGED(member, value, expected)                                       \
	{                                                                      \
		offsetof(struct agent_box, member),                            \
			sizeof(((struct agent_box *)0)->member), value,        \
			expected                                               \
	}

static const struct change {
	size_t at, bytes;
	uint64_t value;
	const char *expected;
} changes[] = {
	CHANGED(begin_ns, UINT64_MAX, "ends before it begins"),
	CHANGED(end_ns, 0, "ends before it begins"),
	CHANGED(end_ns, UINT64_MAX, "longer than the run"),
	CHANGED(hist[0].count, 0, "its count"),
	CHANGED(hist[0].count, UINT64_MAX, "its count"),
	CHANGED(hist[0].overflow, UINT64_MAX, "longer than the run"),
	CHANGED(hist[0].overflow, 1, "longer than the run"),
	CHANGED(hist[0].sum, 0, "its sum"),
	CHANGED(hist[0].sum, MOST_NS, "its sum"),
	CHANGED(hist[0].sum, UINT64_MAX, "longer than the run"),
	CHANGED(hist[0].min_plus_1, 0, "least time"),
	CHANGED(hist[0].min_plus_1, 2, "least time"),
	CHANGED(hist[0].min_plus_1, UINT64_MAX, "least time"),
	CHANGED(hist[0].max, 0, "longest time"),
	CHANGED(hist[0].max, MOST_NS, "longest time"),
	CHANGED(hist[0].max, UINT64_MAX, "longer than the run"),
	CHANGED(hist[0].bucket[0], 2, "its count"),
	CHANGED(hist[0].bucket[HIST_BUCKETS - 1], UINT32_MAX, "its count"),
	CHANGED(hist[1].count, UINT64_MAX, "its count"),
	CHANGED(hist[2].sum, 1, NULL), /* of nothing: it is not used */
};

static void what_cannot_be_is_refused(void **state)
{
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const struct change *c = &changes[i];
		const char *why;

		fill_sound(&f->box);
		memcpy((char *)&f->box + c->at, &c->value, c->bytes);
		why = verdict(f);
		if (!c->expected)
			assert_null(why);
		else if (!why || !strstr(why, c->expected))
			fail_msg("change %zu: %s, expected %s", i,
				 why ? why : "taken", c->expected);
	}
}

/* A count in the wrong bucket: the sum gives it away. */
static void moved_counts_are_refused(void **state)
{
	struct fixture *f = *state;
	struct hist *h = &f->box.hist[AGENT_LAT_TOUCH];

	fill_sound(&f->box);
	h->bucket[hist_index(9000)]--;
	h->bucket[hist_index(900000000)]++;
	assert_non_null(strstr(verdict(f), "its sum"));
}

/* So many that a sum of products in 64 bits would come out right again. */
static void sums_do_not_wrap(void **state)
{
	struct fixture *f = *state;
	struct hist *h = &f->box.hist[AGENT_LAT_TOUCH];
	uint32_t i;

	fill_sound(&f->box);
	for (i = HIST_BUCKETS - 512; i < HIST_BUCKETS; i++)
		h->bucket[i] = UINT32_MAX;
	h->count += 512ull * UINT32_MAX;
	assert_non_null(strstr(verdict(f), "its sum"));
}

static void results_have_words(void **state)
{
	struct fixture *f = *state;
	uint32_t i;

	f->box.result = AGENT_OK;
	assert_null(mailbox_result(&f->box));
	for (i = 1; i < 40; i++) {
		f->box.result = i;
		assert_non_null(mailbox_result(&f->box));
	}
	f->box.result = UINT32_MAX;
	assert_string_equal(mailbox_result(&f->box), "a result that is none");
}

static void *scribble(void *arg)
{
	struct fixture *f = arg;
	volatile struct hist *h = &f->box.hist[AGENT_LAT_TOUCH];
	uint64_t seed = 1;

	/* Leaves a sound box for a moment, else a damaged one. */
	while (!atomic_load(&f->done)) {
		uint32_t i = (uint32_t)(next(&seed) % HIST_BUCKETS);

		h->bucket[i]++;
		h->count = UINT64_MAX;
		atomic_fetch_add(&f->writes, 1);
		h->bucket[i]--;
		h->count = 8;
		atomic_fetch_add(&f->writes, 1);
	}
	return NULL;
}

/*
 * What was taken while the guest was writing is sound in itself.  Reads beside
 * which nothing was written, as on one CPU, show nothing.
 */
static void a_report_is_what_was_checked(void **state)
{
	struct fixture *f = *state;
	uint32_t taken = 0, damaged = 0, i;
	pthread_t thread;

	fill_sound(&f->box);
	atomic_store(&f->done, 0);
	assert_int_equal(pthread_create(&thread, NULL, scribble, f), 0);
	for (i = 0; i < RACES && taken < TAKEN; i++) {
		unsigned before = atomic_load(&f->writes);

		if (verdict(f) || atomic_load(&f->writes) == before)
			continue;
		taken++;
		fill_sound(&f->quiet);
		memcpy(f->quiet.hist, f->report.hist, sizeof(f->quiet.hist));
		if (mailbox_read(&f->report, &f->quiet, MOST_NS))
			damaged++;
	}
	atomic_store(&f->done, 1);
	pthread_join(thread, NULL);
	assert_int_equal(damaged, 0);
}

static void random_bytes_are_refused(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = 42, i;

	for (i = 0; i < sizeof(f->box) / 8; i++)
		((uint64_t *)&f->box)[i] = next(&seed);
	for (i = 0; i < READS; i++) {
		((uint64_t *)&f->box)[i] = next(&seed);
		assert_non_null(verdict(f));
	}
}

/* One bit anywhere of a sound histogram, but for those of no meaning. */
static void any_flipped_bit_is_refused(void **state)
{
	struct fixture *f = *state;
	struct hist *h = &f->box.hist[AGENT_LAT_TOUCH];
	uint64_t seed = 7, i, taken = 0;

	for (i = 0; i < FLIPS; i++) {
		uint64_t bit = next(&seed) % (sizeof(*h) * 8);

		fill_sound(&f->box);
		((uint8_t *)h)[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (verdict(f))
			continue;
		/* Still in the same bucket, and the sum may be so. */
		assert_true(bit / 8 < offsetof(struct hist, bucket));
		assert_true(bit / 8 >= offsetof(struct hist, sum));
		taken++;
	}
	assert_true(taken < FLIPS / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_agent_records_is_taken),
		cmocka_unit_test(long_times_are_taken),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(moved_counts_are_refused),
		cmocka_unit_test(sums_do_not_wrap),
		cmocka_unit_test(results_have_words),
		cmocka_unit_test(a_report_is_what_was_checked),
		cmocka_unit_test(random_bytes_are_refused),
		cmocka_unit_test(any_flipped_bit_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
