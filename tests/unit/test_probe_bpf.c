/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probe's BPF program itself, run on calls that no kernel here makes:
 * those of a TDX host.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kvm/probe/program.h"

enum { TID = 77, OTHER_TID = 78, BLOCK = 0, TRACK = 1, SET = 2, REQUEST = 3 };

/** A call: what its arguments are and what it returns. */
struct call {
	uint64_t arg[3], returned;
};

/* What the helpers below see; one thread runs at a time. */
static struct {
	uint32_t tid, seat_of_tid;
	uint64_t now;
	struct probe_seat seat[2];
	struct probe_slot slot[2 * 6];
} kernel;

void *bpf_map_lookup_elem(void *map, const void *key)
{
	uint32_t i = *(const uint32_t *)key;

	if (map == (void *)&threads)
		return i == TID ? &kernel.seat_of_tid : NULL;
	if (map == (void *)&seats)
		return i < 2 ? &kernel.seat[i] : NULL;
	return i < 12 ? &kernel.slot[i] : NULL;
}

long bpf_get_ns_current_pid_tgid(__u64 dev, __u64 ino,
				 struct bpf_pidns_info *info, __u32 size)
{
	assert_int_equal(dev, setup.pid_dev);
	assert_int_equal(ino, setup.pid_ino);
	assert_int_equal(size, sizeof(*info));
	info->pid = kernel.tid;
	return 0;
}

__u64 bpf_ktime_get_ns(void)
{
	return kernel.now;
}

long bpf_get_func_arg(void *ctx, __u32 n, __u64 *value)
{
	*value = ((struct call *)ctx)->arg[n];
	return 0;
}

long bpf_get_func_ret(void *ctx, __u64 *value)
{
	*value = ((struct call *)ctx)->returned;
	return 0;
}

static int begin(void **state)
{
	const struct probe_setup fixed = {
		.slots_of_seat = 6,
		.rule =
			{
				[BLOCK] = {0, SPLIT_NOT, RETURNS_STATUS},
				[TRACK] = {1, SPLIT_NOT, RETURNS_STATUS},
				[SET] = {2, SPLIT_PRESENT, RETURNS_INT},
				[REQUEST] = {4, SPLIT_OUTSIDE_GUEST,
					     RETURNS_NOTHING},
			},
	};

	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	setup = fixed;
	kernel.tid = TID;
	kernel.seat_of_tid = 1;
	kernel.seat[1].measuring = 1;
	return 0;
}

static void call(uint32_t point, struct call c, uint64_t ns)
{
	enter(&c, point);
	kernel.now += ns;
	leave(&c, point);
	kernel.now += 1000;
}

static struct probe_slot *slot(uint32_t i)
{
	return &kernel.slot[6 + i];
}

static void times_are_of_calls(void **state)
{
	(void)state;
	kernel.now = 1;
	call(BLOCK, (struct call){.returned = 0}, 300);
	call(BLOCK, (struct call){.returned = 0}, 500);
	assert_int_equal(slot(0)->hist.count, 2);
	assert_int_equal(slot(0)->hist.min_plus_1, 301);
	assert_int_equal(slot(0)->hist.max, 500);
	assert_int_equal(slot(0)->hist.sum, 800);
	assert_int_equal(slot(0)->hist.bucket[hist_index(300)], 1);
	assert_int_equal(slot(0)->hist.bucket[hist_index(500)], 1);
	call(BLOCK, (struct call){.returned = 0}, 1ull << HIST_MAX_BITS);
	assert_int_equal(slot(0)->hist.overflow, 1);
}

static void only_while_measuring(void **state)
{
	struct call c = {.returned = 0};

	(void)state;
	kernel.now = 1;
	kernel.seat[1].measuring = 0;
	call(BLOCK, c, 10);
	assert_int_equal(slot(0)->hist.count, 0);
	/* One that began before does not count when it ends. */
	enter(&c, BLOCK);
	kernel.seat[1].measuring = 1;
	leave(&c, BLOCK);
	assert_int_equal(slot(0)->hist.count, 0);
	call(BLOCK, c, 10);
	assert_int_equal(slot(0)->hist.count, 1);
	/* Nor is one that begins afterwards the end of an earlier one. */
	kernel.seat[1].measuring = 0;
	call(BLOCK, c, 10);
	assert_int_equal(slot(0)->hist.count, 1);
}

static void only_threads_with_a_seat(void **state)
{
	(void)state;
	kernel.now = 1;
	kernel.tid = OTHER_TID;
	call(BLOCK, (struct call){.returned = 0}, 10);
	for (size_t i = 0; i < 12; i++)
		assert_int_equal(kernel.slot[i].hist.count, 0);
}

static void results_are_counted_by_value(void **state)
{
	const uint64_t busy = 0x8000020000000092ull;

	(void)state;
	kernel.now = 1;
	call(BLOCK, (struct call){.returned = busy}, 10);
	call(BLOCK, (struct call){.returned = 0}, 10);
	call(BLOCK, (struct call){.returned = busy}, 10);
	assert_int_equal(slot(0)->result[0].value, busy);
	assert_int_equal(slot(0)->result[0].count, 2);
	assert_int_equal(slot(0)->result[1].value, 0);
	assert_int_equal(slot(0)->result[1].count, 1);
	for (uint64_t i = 2; i < PROBE_RESULTS + 3; i++)
		call(BLOCK, (struct call){.returned = i}, 10);
	assert_int_equal(slot(0)->other_results, 3);
}

static void an_int_is_32_bits(void **state)
{
	/* What is above the low half of the register is anything. */
	const uint64_t minus_16 = 0x12345678fffffff0ull;

	(void)state;
	kernel.now = 1;
	call(SET, (struct call){.returned = minus_16}, 10);
	assert_int_equal(slot(2)->result[0].value, (uint64_t)-16);
}

static void second_tries_follow_a_busy_of_the_same_call(void **state)
{
	const struct call busy = {.returned = 0x80000200000000a9ull};
	const struct call epoch = {.returned = 0x8000020100000000ull};
	const struct call ok = {.returned = 0};

	(void)state;
	kernel.now = 1;
	call(TRACK, busy, 10);
	call(TRACK, ok, 10); /* a second try */
	call(TRACK, ok, 10);
	assert_int_equal(slot(1)->second_tries, 1);
	call(TRACK, busy, 10);
	call(BLOCK, ok, 10);
	call(TRACK, ok, 10);
	assert_int_equal(slot(1)->second_tries, 1);
	call(TRACK, epoch, 10); /* not TDX_OPERAND_BUSY */
	call(TRACK, ok, 10);
	assert_int_equal(slot(1)->second_tries, 1);
	call(BLOCK, busy, 10);
	/* Kicks between the two are no call of the module. */
	call(REQUEST, (struct call){.arg = {0, 0x700}}, 10);
	call(BLOCK, busy, 10);
	call(BLOCK, ok, 10);
	assert_int_equal(slot(0)->second_tries, 2);
}

static void a_present_entry_is_removed(void **state)
{
	(void)state;
	kernel.now = 1;
	call(SET, (struct call){.arg = {0, 5, 0}}, 10);
	call(SET, (struct call){.arg = {0, 5, 1 << 11}}, 20);
	call(SET, (struct call){.arg = {0, 5, 0x8000000000000800ull}}, 20);
	assert_int_equal(slot(2)->hist.count, 1);
	assert_int_equal(slot(3)->hist.count, 2);
}

static void kicks_are_request_0x700(void **state)
{
	(void)state;
	kernel.now = 1;
	call(REQUEST, (struct call){.arg = {0, 0x700}}, 10);
	call(REQUEST, (struct call){.arg = {0, 0x100}}, 10);
	call(REQUEST, (struct call){.arg = {0, 0x701}}, 10);
	assert_int_equal(slot(5)->hist.count, 1);
	assert_int_equal(slot(4)->hist.count, 2);
	assert_int_equal(slot(4)->result[0].count, 0);
}

static void exits_are_of_threads_that_measure(void **state)
{
	(void)state;
	fault_exit();
	fault_exit();
	kernel.seat[1].measuring = 0;
	fault_exit();
	kernel.seat[1].measuring = 1;
	kernel.tid = OTHER_TID;
	fault_exit();
	assert_int_equal(kernel.seat[1].exits, 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, begin)
	const struct CMUnitTest tests[] = {
		TEST(times_are_of_calls),
		TEST(only_while_measuring),
		TEST(only_threads_with_a_seat),
		TEST(results_are_counted_by_value),
		TEST(an_int_is_32_bits),
		TEST(second_tries_follow_a_busy_of_the_same_call),
		TEST(a_present_entry_is_removed),
		TEST(kicks_are_request_0x700),
		TEST(exits_are_of_threads_that_measure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
