/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters: only what is measured, scaled where shared, missing with a word. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/observe/counters.h"
#include "bench/observe/counters_env.h"
#include "tests/unit/sim_kit.h"

static void bad_lists_are_refused(void **state)
{
	static const char *const bad[][2] = {
		{"", "expected a name"},
		{"task-clock,", "expected a name"},
		{"task clock", "expected a name"},
		{"page-faults,page-faults", "twice"},
		{"no-such-event", "no-such-event"},
	};
	struct counters c;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(counters_load(bad[i][0], &c, &e), -1);
		assert_int_equal(e.status, EXIT_USAGE);
		assert_non_null(strstr(e.text, bad[i][1]));
		assert_int_equal(c.n, 0);
	}
}

static double value_of(const struct sample *sample, const char *name)
{
	for (size_t i = 0; i < sample->nmore; i++)
		if (!strcmp(sample->more[i].name, name))
			return sample->more[i].value;
	return -1;
}

static void touch(volatile char *pages, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pages[i * 4096] = 1;
}

enum { BEFORE = 400, WITHIN = 100, AFTER = 300, PAGES = 800 };

/* Twice begun and ended, with faults before, between and after. */
static void count_faults(const struct counters *c, struct counted *sum)
{
	char *pages = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct counting t;

	assert_ptr_not_equal(pages, MAP_FAILED);
	madvise(pages, PAGES * 4096, MADV_NOHUGEPAGE);
	counting_open(&t, c);
	touch(pages, BEFORE);
	counting_begin(&t);
	touch(pages + BEFORE * 4096, WITHIN / 2);
	counting_end(&t);
	touch(pages + (BEFORE + WITHIN) * 4096, AFTER);
	counting_begin(&t);
	touch(pages + (BEFORE + WITHIN / 2) * 4096, WITHIN / 2);
	counting_end(&t);
	counting_add(&t, sum);
	counting_close(&t);
	munmap(pages, PAGES * 4096);
}

static void only_what_is_measured_is_counted(void **state)
{
	struct counted sum = {.value = {0}};
	struct sample sample;
	struct counters c;
	struct err e;

	(void)state;
	assert_int_equal(counters_load("task-clock,page-faults", &c, &e), 0);
	if (c.v[1].missing[0]) {
		print_message("page-faults: %s\n", c.v[1].missing);
		counters_free(&c);
		skip();
	}
	count_faults(&c, &sum);
	assert_true(sample_init(&sample));
	assert_true(counted_fill(&c, &sum, &sample));
	/* A few of code and stacks may come on top. */
	assert_in_range((long)value_of(&sample, "counter.page-faults"), WITHIN,
			WITHIN + 60);
	assert_true(value_of(&sample, "counter.task-clock") > 0);
	assert_true(value_of(&sample, "counter.page-faults.running") < 0);
	sample_free(&sample);
	counters_free(&c);
}

/* What a read of a group gives, from a pipe in place of the kernel. */
static void read_group(const struct counters *c, uint64_t enabled,
		       uint64_t running, struct counted *sum)
{
	const uint64_t group[] = {2, enabled, running, 1000, 30};
	int ends[2];
	int fd[2];
	bool leads[] = {true, false};
	struct counting t = {.fd = fd, .leads = leads, .set = c};

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], group, sizeof(group)), sizeof(group));
	fd[0] = ends[0];
	fd[1] = 1 << 20; /* is open, as far as anybody looks */
	counting_add(&t, sum);
	close(ends[0]);
	close(ends[1]);
}

static void shared_hardware_is_scaled_and_marked(void **state)
{
	struct counter v[] = {{.name = "one"}, {.name = "two"}};
	const struct counters c = {.v = v, .n = 2};
	struct counted sum = {.value = {0}}, none = {.value = {0}};
	struct sample sample;

	(void)state;
	read_group(&c, 4000, 1000, &sum);
	read_group(&c, 4000, 4000, &sum);
	assert_true(sample_init(&sample));
	assert_true(counted_fill(&c, &sum, &sample));
	assert_int_equal((long)value_of(&sample, "counter.one"), 5000);
	assert_int_equal((long)value_of(&sample, "counter.two"), 150);
	assert_true(value_of(&sample, "counter.one.running") == 62.5);
	sample_free(&sample);

	read_group(&c, 4000, 0, &none);
	assert_true(sample_init(&sample));
	assert_true(counted_fill(&c, &none, &sample));
	assert_int_equal(sample.nmore, 0);
	sample_free(&sample);
}

static void metrics_of_a_list(void **state)
{
	json_t *table = json_object();
	struct counters c;
	struct err e;

	(void)state;
	assert_int_equal(counters_load("page-faults,task-clock", &c, &e), 0);
	assert_int_equal(counters_metrics(&c, table), 0);
	assert_int_equal(json_object_size(table), 4);
	assert_string_equal(
		json_string_value(json_object_get(
			json_object_get(table, "counter.task-clock"), "unit")),
		"ns");
	assert_true(counters_have(&c, "counter.task-clock.running"));
	assert_true(counters_have(&c, "counter.page-faults"));
	assert_false(counters_have(&c, "counter.page"));
	assert_false(counters_have(&c, "counter.cycles"));
	assert_false(counters_have(NULL, "counter.cycles"));
	json_decref(table);
	counters_free(&c);
}

/* A cell on a real CPU, as the backend runs it. */
static void run_cell(const struct counters *c, struct sample *sample)
{
	struct kit_world w;
	struct kit kit = kit_defaults(kit_workload("fault-in"));

	kit_world_init(&w, "kick-once", 1);
	w.setup.counters = c;
	kit_run_on(&backend_threads, &kit, 1, &w, sample);
	kit_world_free(&w);
}

static void a_cell_has_its_counters(void **state)
{
	struct sample sample;
	struct counters c;
	struct err e;

	(void)state;
	assert_int_equal(counters_load("task-clock", &c, &e), 0);
	run_cell(&c, &sample);
	assert_int_equal(sample.status, CELL_OK);
	if (c.v[0].missing[0]) {
		assert_int_equal(sample.nmore, 0);
	} else {
		double ns = value_of(&sample, "counter.task-clock");

		assert_true(ns > 0);
		assert_true(ns < kit_value(&sample, "run.time"));
	}
	sample_free(&sample);
	counters_free(&c);
}

/* perf_event_open is not there any more, in this process. */
static bool forbid_perf(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(*code), code};

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* What a process without perf_event_open finds: its exit status. */
static int live_without(void)
{
	struct sample sample;
	struct counters c;
	struct err e;
	int bad = 0;

	if (!forbid_perf())
		return 77;
	if (counters_load("default", &c, &e))
		return 2;
	for (size_t i = 0; i < c.n; i++)
		bad |= !strstr(c.v[i].missing, "perf_event_open");
	for (size_t i = 0; i < abilities(); i++) {
		struct ability a;

		ability_of_event(i, &a);
		bad |= !strstr(a.why, "perf_event_open") || !a.cure[0];
	}
	run_cell(&c, &sample);
	bad |= sample.status != CELL_OK || sample.nmore;
	sample_free(&sample);
	counters_free(&c);
	return bad ? 3 : 0;
}

static void without_perf_events_it_runs_and_says_so(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0)
		_exit(live_without());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("no filter of system calls can be set\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void registers_are_there_or_it_is_said(void **state)
{
	struct ability a;

	(void)state;
	ability_of_msr("/dev/null", &a);
	assert_string_equal(a.why, "");
	ability_of_msr("/dev/cpu/none/msr", &a);
	assert_non_null(strstr(a.why, "/dev/cpu/none/msr: No such file"));
	assert_non_null(strstr(a.cure, "module msr"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_lists_are_refused),
		cmocka_unit_test(only_what_is_measured_is_counted),
		cmocka_unit_test(shared_hardware_is_scaled_and_marked),
		cmocka_unit_test(metrics_of_a_list),
		cmocka_unit_test(a_cell_has_its_counters),
		cmocka_unit_test(registers_are_there_or_it_is_said),
		cmocka_unit_test(without_perf_events_it_runs_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
