/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probe on functions that every kernel has, and one of them returns what
 * the TDX module does: a seek in /proc/self/mem gives back any 64 bits.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/backend.h"
#include "bench/result/metrics.h"
#include "kvm/probe/impl.h"

#define BUSY_TREE 0x8000020000000092ull
#define BUSY_RCX  0x8000020000000001ull

/* How much is read is where private entries have an SPTE. */
static const struct probe_point points[] = {
	{
		.function = "mem_lseek",
		.returns = RETURNS_STATUS,
		.call = "tdh_mem_range_block",
		.kind = {{"tdh_mem_range_block.calls",
			  "tdh_mem_range_block.latency"}},
	},
	{
		.function = "ksys_read",
		.returns = RETURNS_INT,
		.split = SPLIT_PRESENT,
		.kind = {{"sept_map.calls", "sept_map.latency"},
			 {"sept_removal.calls", "sept_removal.latency"}},
	},
	{
		.function = "tdmem_has_no_such_function",
		.kind = {{"sept_map.calls", "sept_map.latency"}},
	},
};

static const struct probe_table table = {"kernel", points, 3};

enum { SEATS = 3, SEAT = 1 };

/* Of this table by this way; false: not here, which is said. */
static bool begin(struct probe *probe, const struct probe_way *way)
{
	*probe = (struct probe){.table = &table, .seats = SEATS};
	for (uint32_t i = 0; i < table.n; i++)
		probe->place[i].name = points[i].function;
	if (way->open(probe) == 0) {
		probe->way = way;
		return true;
	}
	print_message("skipped: %s: %s\n", way->name, probe->why);
	return false;
}

static void seek(int fd, uint64_t to)
{
	assert_int_equal(lseek(fd, (off_t)to, SEEK_SET), to);
}

static void call_them(int mem, int zero)
{
	static char buffer[4096];

	seek(mem, BUSY_TREE);
	seek(mem, 0); /* a second try */
	seek(mem, BUSY_RCX);
	seek(mem, BUSY_TREE); /* another, which is BUSY, too */
	seek(mem, 0);	      /* and its second try */
	seek(mem, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(read(zero, buffer, 100), 100);
	assert_int_equal(read(zero, buffer, 0x800), 0x800);
	assert_int_equal(read(-1, buffer, 0x800), -1);
}

/* Only what is between the two probe_measure() may count. */
static void watch(struct probe *probe, struct sample *sample)
{
	int mem = open("/proc/self/mem", O_RDONLY);
	int zero = open("/dev/zero", O_RDONLY);

	assert_true(mem >= 0 && zero >= 0);
	assert_true(sample_init(sample));
	probe_attach(probe);
	call_them(mem, zero);
	probe_sit(probe, SEAT);
	call_them(mem, zero);
	probe_measure(probe, SEAT, true);
	call_them(mem, zero);
	probe_measure(probe, SEAT, false);
	call_them(mem, zero);
	assert_true(probe_fill(probe, sample));
	probe_detach(probe);
	close(mem);
	close(zero);
}

static void is(const struct sample *s, const char *name, double want)
{
	double value = s->value[metric_find(name)];

	if (!(value >= want && value <= want))
		fail_msg("%s: %g, not %g", name, value, want);
}

static void returned(const struct sample *s, const char *function,
		     const char *what, json_int_t want)
{
	const json_t *all = json_object_get(s->probe, function);

	assert_int_equal(json_integer_value(json_object_get(all, what)), want);
}

static void sees_calls_and_what_they_return(const struct probe_way *way,
					    const char *missing)
{
	struct probe probe;
	struct sample s;

	if (!begin(&probe, way))
		skip();
	/* The second time is like the first. */
	for (int i = 0; i < 2; i++) {
		watch(&probe, &s);
		is(&s, "tdh_mem_range_block.calls", 6);
		is(&s, "tdh_mem_range_block.busy", 3);
		is(&s, "tdh_mem_range_block.busy.sept_tree", 2);
		is(&s, "tdh_mem_range_block.busy.rcx", 1);
		is(&s, "calls.total", 6);
		is(&s, "calls.busy_per_1000", 500);
		is(&s, "kicks.second_tries", 3);
		is(&s, "sept_map.calls", 3);
		is(&s, "sept_removal.calls", 2);
		is(&s, "probe.missed", 0);
		returned(&s, "mem_lseek",
			 "TDX_OPERAND_BUSY | SEPT_TREE (0x8000020000000092)",
			 2);
		returned(&s, "mem_lseek", "TDX_SUCCESS (0x0000000000000000)",
			 3);
		returned(&s, "ksys_read", "100", 3);
		returned(&s, "ksys_read", "-9", 1); /* -EBADF */
		assert_int_equal(sample_hist(&s, "sept_map.latency")->count, 3);
		sample_free(&s);
	}
	assert_null(probe.place[2].name);
	assert_non_null(strstr(probe.place[2].missing, missing));
	way->close(&probe);
}

static void bpf_sees_calls_and_what_they_return(void **state)
{
	(void)state;
	sees_calls_and_what_they_return(&probe_by_bpf, "BTF");
}

static void kprobes_see_calls_and_what_they_return(void **state)
{
	(void)state;
	sees_calls_and_what_they_return(&probe_by_kprobes,
					"cannot be traced in this kernel");
}

/* More than a buffer holds; what could not be read in time is said. */
static void kprobes_count_what_they_miss(void **state)
{
	enum { CALLS = 50000 };
	struct probe probe;
	struct sample s;
	uint64_t timed;
	int mem;

	(void)state;
	if (!begin(&probe, &probe_by_kprobes))
		skip();
	mem = open("/proc/self/mem", O_RDONLY);
	assert_true(sample_init(&s));
	probe_attach(&probe);
	probe_sit(&probe, SEAT);
	probe_measure(&probe, SEAT, true);
	for (int i = 0; i < CALLS; i++)
		seek(mem, i & 1 ? BUSY_TREE : 0);
	probe_measure(&probe, SEAT, false);
	assert_true(probe_fill(&probe, &s));
	is(&s, "tdh_mem_range_block.calls", CALLS);
	timed = sample_hist(&s, "tdh_mem_range_block.latency")->count;
	assert_in_range(timed, 1, CALLS);
	is(&s, "probe.missed", (double)(CALLS - timed));
	print_message("%llu of %d calls timed\n", (unsigned long long)timed,
		      CALLS);
	sample_free(&s);
	probe_by_kprobes.close(&probe);
	close(mem);
}

/* It would have too few calls. */
static void what_is_not_watched_on_all_threads_is_missing(void **state)
{
	enum { OF_WATCH = 2, EVENTS = 3 };
	struct rlimit limit, few;
	struct probe probe;
	struct sample s;
	int next;

	(void)state;
	if (!begin(&probe, &probe_by_kprobes))
		skip();
	next = dup(STDIN_FILENO);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = (rlim_t)(next + OF_WATCH + EVENTS);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	watch(&probe, &s);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	is(&s, "tdh_mem_range_block.calls", 6);
	is(&s, "probe.missed", 0);
	assert_false(s.value[metric_find("sept_map.calls")] >= 0);
	assert_null(probe.place[1].name);
	assert_non_null(strstr(probe.place[1].missing, "on all threads"));
	sample_free(&s);
	probe_by_kprobes.close(&probe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bpf_sees_calls_and_what_they_return),
		cmocka_unit_test(kprobes_see_calls_and_what_they_return),
		cmocka_unit_test(kprobes_count_what_they_miss),
		cmocka_unit_test(what_is_not_watched_on_all_threads_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
