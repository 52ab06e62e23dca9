/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults inside the guest, and what KVM_RUN can answer: a report, and an end.
 * The real agent on a real VM; what KVM does not do on its own is answered in
 * its place.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "bench/backend.h"
#include "kvm/uapi.h"

enum { PAGES = 512, SHORT_MS = 300, LONG_MS = 20000 };

extern const struct backend backend_kvm;

/* ------------------------------------------------------- KVM_RUN's answers */

/** What the n-th KVM_RUN answers instead of entering the guest. */
struct answer {
	uint32_t at;	  /* from 1; 0: all enter */
	int error;	  /* -1 with it; 0: it returns with an exit */
	uint32_t reason;  /* of the exit */
	uint64_t word[2]; /* what the exit tells */
	bool hangs;	  /* does not return at all */
};

static struct {
	struct answer answer;
	uint32_t runs;	/* atomic */
	uint32_t kicks; /* atomic: of one that hangs */
} fake;

static int answer_run(int fd)
{
	const struct answer *a = &fake.answer;
	struct kvm_run *run; /* what the driver has mapped as well */

	if (__atomic_add_fetch(&fake.runs, 1, __ATOMIC_ACQ_REL) != a->at)
		return (int)syscall(SYS_ioctl, fd, KVM_RUN, 0);
	while (a->hangs) {
		pause();
		__atomic_add_fetch(&fake.kicks, 1, __ATOMIC_RELAXED);
	}
	run = mmap(NULL, sizeof(*run), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   0);
	if (run == MAP_FAILED)
		abort();
	run->exit_reason = a->reason;
	memcpy(&run->hw, a->word, sizeof(a->word));
	munmap(run, sizeof(*run));
	errno = a->error;
	return a->error ? -1 : 0;
}

/* Found before that of the C library. */
int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	unsigned long arg;

	va_start(args, request);
	arg = va_arg(args, unsigned long);
	va_end(args);
	if (request == KVM_RUN)
		return answer_run(fd);
	return (int)syscall(SYS_ioctl, fd, request, arg);
}

/* ------------------------------------------------------------------ guests */

static bool absent(void)
{
	char why[256];

	if (backend_kvm.available(why, sizeof(why)))
		return false;
	print_message("skipped: %s\n", why);
	return true;
}

/** What is run, and what must come of it. */
struct row {
	struct agent_op op[2]; /* of every vCPU */
	struct host_op host;   /* opcode HOST_END: no host thread */
	struct answer answer;
	uint32_t vcpus, max_ms;
	enum cell_status status;
	const char *reason;
};

static void make(struct scenario *s, const struct row *row)
{
	uint32_t hosts = row->host.opcode != HOST_END, i;

	assert_true(scenario_init(s, 1, row->vcpus, hosts));
	s->pages = PAGES;
	s->finalized = true;
	s->operation = "fault";
	for (i = 0; i < row->vcpus; i++) {
		scenario_vcpu(s, 0, i, row->op[0]);
		scenario_vcpu(s, 0, i, row->op[1]);
	}
	if (hosts)
		scenario_host(s, 0, row->host);
	assert_false(s->failed);
}

static int execute(const struct row *row, struct sample *sample, struct err *e)
{
	const struct cell_setup setup = {.max_ns = row->max_ms * 1000000ull};
	struct scenario s;
	int status;

	fake.answer = row->answer;
	fake.runs = 0;
	make(&s, row);
	assert_true(sample_init(sample));
	status = backend_kvm.run(&s, &setup, sample, e);
	scenario_free(&s);
	return status;
}

static void hold(const struct row *row, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++, row++) {
		struct sample sample;
		struct err e;

		if (execute(row, &sample, &e))
			fail_msg("row %zu: %s", i, e.text);
		if (sample.status != row->status ||
		    !strstr(sample.reason, row->reason))
			fail_msg("row %zu: %s: %s", i,
				 cell_status_name(sample.status),
				 sample.reason);
		sample_free(&sample);
	}
}

#define HOLD(rows) hold(rows, sizeof(rows) / sizeof(*(rows)))

#define TOUCH(at, n)                                                           \
	{                                                                      \
		.opcode = AGENT_TOUCH, .count = n, .gpa = at, .stride = 4096   \
	}

/* The memory ends at 2M, what its tables map at 1G. */
static void faults_in_the_guest_are_reported(void **state)
{
	static const struct row rows[] = {
		{.op = {TOUCH(0, PAGES)},
		 .vcpus = 2,
		 .max_ms = LONG_MS,
		 .status = CELL_OK,
		 .reason = ""},
		{.op = {TOUCH(0, PAGES + 1)},
		 .vcpus = 1,
		 .max_ms = LONG_MS,
		 .status = CELL_FAILED,
		 .reason = "vCPU 0: access to 0x100200000, where no memory is"},
		{.op = {TOUCH(1ull << 40, 1)},
		 .vcpus = 1,
		 .max_ms = LONG_MS,
		 .status = CELL_FAILED,
		 .reason = "vCPU 0: exception 14 (error 0x2) at 0xffff"},
		{.op = {TOUCH(1ull << 40, 1)},
		 .vcpus = 1,
		 .max_ms = LONG_MS,
		 .status = CELL_FAILED,
		 .reason = ", address 0x10100000000"},
		{.op = {TOUCH(1ull << 62, 1)},
		 .vcpus = 2,
		 .max_ms = LONG_MS,
		 .status = CELL_FAILED,
		 .reason = "exception 13 (error 0)"},
		{.op = {{.opcode = AGENT_LOOP}},
		 .vcpus = 1,
		 .max_ms = LONG_MS,
		 .status = CELL_FAILED,
		 .reason = "its script ended with an operation that it cannot "
			   "do"},
	};

	(void)state;
	if (absent())
		skip();
	HOLD(rows);
}

static void what_does_not_end_is_ended(void **state)
{
	static const struct row rows[] = {
		{.op = {{.opcode = AGENT_SPIN}}, .vcpus = 2},
		{.op = {{.opcode = AGENT_HALT}}, .vcpus = 2},
		{.op = {{.opcode = AGENT_TICK}}, .vcpus = 2},
		{.op = {{.opcode = AGENT_SPIN}, {.opcode = AGENT_LOOP}},
		 .vcpus = 1},
		/* Twice in one script: the second is for nobody. */
		{.op = {{.opcode = AGENT_BARRIER}, {.opcode = AGENT_BARRIER}},
		 .vcpus = 1},
		{.host = {.opcode = HOST_SLEEP, .arg = 1000000000000},
		 .vcpus = 1},
		{.host = {.opcode = HOST_PUNCH,
			  .pages = PAGES,
			  .arg = 1,
			  .pace_ns = 1000000000000},
		 .vcpus = 1},
		{.op = {{.opcode = AGENT_HALT}},
		 .host = {.opcode = HOST_JOIN},
		 .vcpus = 2},
		{.op = {{.opcode = AGENT_HALT}},
		 .host = {.opcode = HOST_TEARDOWN},
		 .vcpus = 2},
	};
	struct row row;
	size_t i;

	(void)state;
	if (absent())
		skip();
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		row = rows[i];
		row.max_ms = SHORT_MS;
		row.status = CELL_TIMEOUT;
		row.reason = "not done after 0.300 s";
		hold(&row, 1);
	}
}

/* ------------------------------------------------------ what KVM can answer */

#define ANSWERED(expected, text, ...)                                          \
	{                                                                      \
		.op = {{.opcode = AGENT_SPIN}}, .vcpus = 2, .max_ms = LONG_MS, \
		.status = expected, .reason = text, .answer = {__VA_ARGS__},   \
	}

static void failures_of_kvm_run_are_reported(void **state)
{
	static const struct row rows[] = {
		ANSWERED(CELL_VM_BUGGED, "KVM gave the VM up", .at = 1,
			 .error = EIO),
		ANSWERED(CELL_VM_BUGGED, "KVM gave the VM up", .at = 2,
			 .error = EIO),
		ANSWERED(CELL_FAILED, "KVM_RUN: Cannot allocate memory",
			 .at = 2, .error = ENOMEM),
		ANSWERED(CELL_FAILED, "KVM_RUN: Bad address", .at = 1,
			 .error = EFAULT, .reason = KVM_EXIT_UNKNOWN),
		ANSWERED(CELL_FAILED, "KVM has no page for 0x123000", .at = 1,
			 .error = EFAULT, .reason = KVM_EXIT_MEMORY_FAULT,
			 .word = {0, 0x123000}),
	};

	(void)state;
	if (absent())
		skip();
	HOLD(rows);
}

static void exits_are_reported(void **state)
{
	static const struct row rows[] = {
		ANSWERED(CELL_FAILED, "triple fault (exit 8, 0)", .at = 1,
			 .reason = KVM_EXIT_SHUTDOWN),
		ANSWERED(CELL_FAILED, "entry failed (exit 9, 0x80000021)",
			 .at = 2, .reason = KVM_EXIT_FAIL_ENTRY,
			 .word = {0x80000021}),
		ANSWERED(CELL_FAILED, "internal error of KVM (exit 17, 0x3)",
			 .at = 1, .reason = KVM_EXIT_INTERNAL_ERROR,
			 .word = {3}),
		ANSWERED(CELL_FAILED, "system event (exit 24, 0x1)", .at = 1,
			 .reason = KVM_EXIT_SYSTEM_EVENT, .word = {1}),
		ANSWERED(CELL_FAILED, "unexpected exit (exit 4294967295, 0)",
			 .at = 1, .reason = UINT32_MAX),
	};

	(void)state;
	if (absent())
		skip();
	HOLD(rows);
}

/* An interrupted KVM_RUN is begun again. */
static void interruptions_are_none(void **state)
{
	static const struct row rows[] = {
		{.op = {TOUCH(0, PAGES)},
		 .vcpus = 1,
		 .max_ms = LONG_MS,
		 .answer = {.at = 1, .error = EINTR},
		 .status = CELL_OK,
		 .reason = ""},
		{.op = {TOUCH(0, PAGES)},
		 .vcpus = 1,
		 .max_ms = LONG_MS,
		 .answer = {.at = 1, .error = EAGAIN},
		 .status = CELL_OK,
		 .reason = ""},
	};

	(void)state;
	if (absent())
		skip();
	HOLD(rows);
}

/* Last: its thread never comes back. */
static void a_hung_vcpu_is_given_up(void **state)
{
	static const struct row row = {
		.op = {{.opcode = AGENT_SPIN}},
		.vcpus = 2,
		.max_ms = SHORT_MS,
		.answer = {.at = 2, .hangs = true},
	};
	struct sample sample;
	struct err e;

	(void)state;
	if (absent())
		skip();
	assert_int_equal(execute(&row, &sample, &e), -1);
	assert_non_null(strstr(e.text, "does not leave KVM_RUN, kicked for"));
	assert_int_equal(e.status, EXIT_FAILED);
	/* For 5 s each 2 ms, and when another thread has come to its end. */
	assert_in_range(__atomic_load_n(&fake.kicks, __ATOMIC_RELAXED), 2,
			2500 + 10);
	sample_free(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_in_the_guest_are_reported),
		cmocka_unit_test(what_does_not_end_is_ended),
		cmocka_unit_test(failures_of_kvm_run_are_reported),
		cmocka_unit_test(exits_are_reported),
		cmocka_unit_test(interruptions_are_none),
		cmocka_unit_test(a_hung_vcpu_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
