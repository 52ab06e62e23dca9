/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The backend tdx on a KVM that is faked: whole cells, every exit, and a
 * failure at every call.  After each of them nothing may be left.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <cmocka.h>

#include "kvm/cell.h"
#include "kvm/td.h"
#include "tests/unit/fake_kvm.h"
#include "tests/unit/sim_kit.h"

extern const struct backend backend_tdx;

/** A cell and how it ended. */
struct run {
	struct kit kit;
	uint32_t vcpus;
	struct fake_options fake;
	struct sample sample;
	struct err err;
	int status;
};

static struct run cell_of(const char *workload, uint32_t vcpus)
{
	return (struct run){.kit = kit_defaults(kit_workload(workload)),
			    .vcpus = vcpus};
}

/*
 * With one call that fails, nth 0: none.  The sample is freed by finish().
 */
static void start(struct run *r, unsigned nth, unsigned error)
{
	struct cell_setup setup = {.max_ns = 20000000000};
	struct scenario s;

	if (kit_make(&r->kit, r->vcpus, &s, &r->err))
		fail_msg("%s", r->err.text);
	assert_true(sample_init(&r->sample));
	fake_kvm_fail(nth, error);
	r->status = backend_tdx.run(&s, &setup, &r->sample, &r->err);
	fake_kvm_fail(0, 0);
	scenario_free(&s);
}

static void finish(struct run *r)
{
	assert_int_equal(fake_kvm_left(), 0);
	sample_free(&r->sample);
}

static void execute(struct run *r)
{
	fake_kvm_begin(&r->fake);
	start(r, 0, 0);
	if (r->status)
		print_error("%s\n", r->err.text);
	assert_int_equal(r->status, 0);
}

static void assert_ended(const struct run *r, enum cell_status status,
			 const char *reason)
{
	if (r->sample.status != status ||
	    !strstr(r->sample.reason, reason ? reason : ""))
		print_error("%s: %s\n", cell_status_name(r->sample.status),
			    r->sample.reason);
	assert_int_equal(r->sample.status, status);
	if (reason)
		assert_non_null(strstr(r->sample.reason, reason));
}

static void assert_ok(const struct run *r)
{
	if (fake_kvm_complaint())
		print_error("%s\n", fake_kvm_complaint());
	assert_null(fake_kvm_complaint());
	assert_ended(r, CELL_OK, NULL);
}

static struct run fault_in(uint32_t vcpus)
{
	struct run r = cell_of("fault-in", vcpus);

	kit_set(&r.kit, "pages", 16);
	kit_set(&r.kit, "stuck_percent", 0);
	return r;
}

/* ------------------------------------------------------------ whole cells */

static void faults_are_accepted(void **state)
{
	struct run r = fault_in(2);

	(void)state;
	execute(&r);
	assert_ok(&r);
	assert_int_equal(kit_value(&r.sample, "fault.count"), 32);
	assert_int_equal(fake_kvm_counts().accepted, 32);
	assert_int_equal(fake_kvm_counts().released, 3);
	finish(&r);
}

static void a_ve_is_answered_by_accept(void **state)
{
	struct run r = fault_in(1);

	(void)state;
	kit_set(&r.kit, "accept", ACCEPT_ON_VE);
	execute(&r);
	assert_ok(&r);
	assert_int_equal(fake_kvm_counts().accepted, 16);
	finish(&r);
}

static void an_unaccepted_access_without_ve_ends_the_td(void **state)
{
	struct run r = fault_in(1);

	(void)state;
	kit_set(&r.kit, "ve_disable", 1);
	r.fake.guest = FAKE_UNACCEPTED;
	execute(&r);
	assert_ended(&r, CELL_VM_BUGGED, "KVM_RUN");
	finish(&r);
}

static void pages_are_converted_and_come_back(void **state)
{
	struct run r = cell_of("convert", 2);

	(void)state;
	kit_set(&r.kit, "pages", 4);
	r.fake.busy_conversions = 3;
	execute(&r);
	assert_ok(&r);
	/* To shared and back, twice. */
	assert_int_equal(fake_kvm_counts().converted, 2 * 4 * 4);
	assert_int_equal(kit_value(&r.sample, "convert.count"), 2 * 4 * 4);
	finish(&r);
}

static void removal_under_halted_vcpus(void **state)
{
	struct run r = cell_of("block-remove", 2);

	(void)state;
	kit_set(&r.kit, "pages", 32);
	kit_set(&r.kit, "others", OTHERS_HALTED);
	execute(&r);
	assert_ok(&r);
	assert_int_equal(fake_kvm_counts().punched, 32);
	/* Nothing else ends a halt of a TD. */
	assert_int_equal(fake_kvm_counts().msis, 2);
	finish(&r);
}

static void removal_by_memslots(void **state)
{
	struct run r = cell_of("block-remove", 2);

	(void)state;
	kit_set(&r.kit, "pages", 32);
	kit_set(&r.kit, "by", 2); /* slot */
	execute(&r);
	assert_ok(&r);
	assert_int_equal(fake_kvm_counts().punched, 32);
	finish(&r);
}

static void teardown_gives_all_back(void **state)
{
	struct run r = cell_of("reclaim", 2);

	(void)state;
	kit_set(&r.kit, "pages", 8);
	execute(&r);
	assert_ok(&r);
	assert_int_equal(kit_value(&r.sample, "teardown.count"), 1);
	assert_int_equal(fake_kvm_counts().released, 3);
	finish(&r);
}

static void pages_are_there_before_they_are_accepted(void **state)
{
	struct run r = cell_of("accept", 2);

	(void)state;
	kit_set(&r.kit, "pages", 8);
	execute(&r);
	assert_ok(&r);
	assert_int_equal(fake_kvm_counts().accepted, 16);
	assert_int_equal(kit_value(&r.sample, "accept.count"), 16);
	finish(&r);
}

static void a_build_is_raced_by_ioctls(void **state)
{
	struct run r = cell_of("build", 2);
	const struct hist *attempts;

	(void)state;
	kit_set(&r.kit, "pages", 64);
	kit_set(&r.kit, "racers", 2);
	r.fake.busy_adds = 5;
	r.fake.finalize_us = 20000;
	execute(&r);
	assert_ok(&r);
	assert_int_equal(kit_value(&r.sample, "build.count"), 64);
	attempts = r.sample.hist[metric_find("build.attempts")];
	assert_int_equal(attempts->count, 64);
	assert_int_equal(attempts->sum, 64 + 5);
	assert_int_equal(attempts->max, 6);
	/* All the agent's pages, and those 64. */
	assert_int_equal(fake_kvm_counts().measured, 16 + 256 + 2 * 8 + 64);
	finish(&r);
	kit_set(&r.kit, "measure", 0);
	execute(&r);
	assert_ok(&r);
	assert_int_equal(fake_kvm_counts().measured, 16 + 256 + 2 * 8);
	finish(&r);
}

/* -------------------------------------------------------- what is measured */

static const struct vmm_shape small = {
	.vcpus = 2,
	.pages = 16,
	.memory = &memory_kind_td,
};

static void the_image_and_its_tables_are_measured(void **state)
{
	const struct fake_options options = {.piece = 3, .no_entropy = 2};
	const uint64_t pd = AGENT_TABLES + 3 * 4096; /* of control memory */
	struct vmm vm;
	struct err e;

	(void)state;
	fake_kvm_begin(&options);
	assert_int_equal(vmm_create(&vm, &small, &e), 0);
	assert_null(fake_kvm_complaint());
	/* 64 KiB of code, a MiB of tables, 32 KiB of stack a vCPU. */
	assert_int_equal(fake_kvm_counts().measured, 16 + 256 + 2 * 8);
	/* The reset vector is a jump backwards. */
	assert_int_equal(fake_kvm_private_word(0xFFFFFFF0) & 0xff, 0xe9);
	/* Control memory is shared, the image is not. */
	assert_int_equal(fake_kvm_private_word(pd),
			 TD_SHARED_BIT | AGENT_CONTROL | 0xe3);
	assert_int_equal(fake_kvm_private_word(pd + 511 * 8),
			 0xFFE00000 | 0xe3);
	vmm_close(&vm);
	assert_int_equal(fake_kvm_left(), 0);
}

static void steps_out_of_order_are_refused(void **state)
{
	static const struct fake_options options;
	static const struct td_shape shape = {.vcpus = 1};
	struct err e;
	int kvm, vm;

	(void)state;
	fake_kvm_begin(&options);
	kvm = kvm_ask(&(struct kvm_answers){0}, "/dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, (long)KVM_X86_TDX_VM);
	assert_int_equal(ioctl(vm, KVM_CREATE_VCPU, 0l), -1);
	assert_int_equal(errno, EIO);
	assert_int_equal(td_finalize(vm, &e), -1);
	assert_string_equal(e.text,
			    "tdx: KVM_TDX_FINALIZE_VM: Invalid argument");
	assert_int_equal(td_begin(kvm, vm, &shape, &e), 0);
	assert_int_equal(td_begin(kvm, vm, &shape, &e), -1);
	assert_non_null(strstr(e.text, "KVM_CAP_SPLIT_IRQCHIP: File exists"));
	close(vm);
	close(kvm);
	assert_int_equal(fake_kvm_left(), 0);
}

static void the_module_is_quoted(void **state)
{
	const struct fake_options options = {.init_status = 0xC000010000000009};
	struct vmm vm;
	struct err e;

	(void)state;
	fake_kvm_begin(&options);
	assert_int_equal(vmm_create(&vm, &small, &e), -1);
	assert_string_equal(e.text,
			    "tdx: KVM_TDX_INIT_VM: Invalid argument, the "
			    "SEAMCALL gave TDX_OPERAND_INVALID | R9 "
			    "(0xc000010000000009)");
	assert_int_equal(fake_kvm_left(), 0);
}

static void what_a_host_lacks_is_said(void **state)
{
	struct run r = fault_in(2);

	(void)state;
	r.fake.max_vcpus = 1;
	execute(&r);
	assert_ended(&r, CELL_UNSUPPORTED, "KVM_CAP_MAX_VCPUS of a TD is 1");
	finish(&r);
	r.fake = (struct fake_options){.only_ordinary = true};
	execute(&r);
	assert_ended(&r, CELL_UNSUPPORTED, "KVM_CAP_VM_TYPES is 0x1");
	finish(&r);
}

static void a_result_says_that_it_is_of_a_td(void **state)
{
	json_t *facts = backend_tdx.facts(NULL, NULL, 0);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(facts, "vm")),
			    "KVM_X86_TDX_VM");
	assert_string_equal(json_string_value(json_object_get(facts, "memory")),
			    "td");
	json_decref(facts);
}

/* ------------------------------------------------------------------- exits */

static void every_exit_has_its_answer(void **state)
{
	static const struct {
		enum fake_guest guest;
		enum cell_status status;
		const char *reason;
	} cases[] = {
		{FAKE_FATAL, CELL_FAILED,
		 "vCPU 0: ReportFatalError, code 2, at 0x140000000, after "
		 "TDX_OPERAND_INVALID | RCX"},
		{FAKE_TRIPLE_FAULT, CELL_FAILED, "vCPU 0: triple fault"},
		{FAKE_MMIO, CELL_FAILED, "access to 0xd0000000"},
		{FAKE_ENTER_FAILS, CELL_FAILED,
		 "TDH.VP.ENTER on CPU 3 gave TDX_OPERAND_INVALID | TDR"},
		{FAKE_FAIL_ENTRY, CELL_FAILED, "entry failed"},
		{FAKE_POISON, CELL_FAILED, "hardware error"},
		{FAKE_GET_QUOTE, CELL_OK, NULL},
		{FAKE_OTHER_EVENT, CELL_FAILED, "system event"},
		{FAKE_BEYOND, CELL_FAILED, "no page for 0xd0000000"},
		{FAKE_CONVERT_BEYOND, CELL_FAILED,
		 "code 3, at 0xd0000000, after 0x8000000000000000"},
		{FAKE_IMPLICIT, CELL_OK, NULL},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run r = fault_in(1);

		r.fake.guest = cases[i].guest;
		execute(&r);
		assert_ended(&r, cases[i].status, cases[i].reason);
		finish(&r);
	}
}

/* --------------------------------------------------- a failure at each call */

/* Errors that the driver has an answer to, or does not need the answer of. */
static bool is_borne(const char *call, int error)
{
	static const struct {
		const char *call;
		int error; /* 0: any */
	} borne[] = {
		{"KVM_RUN", EINTR},
		{"KVM_RUN", EAGAIN},
		{"KVM_GET_SUPPORTED_CPUID", E2BIG},
		{"KVM_MEMORY_ENCRYPT_OP", E2BIG},
		{"KVM_MEMORY_ENCRYPT_OP", EAGAIN},
		{"KVM_MEMORY_ENCRYPT_OP", EINTR},
		{"KVM_SET_MEMORY_ATTRIBUTES", EAGAIN},
		{"fallocate", EINTR},
		{"KVM_CHECK_EXTENSION", 0},
	};
	size_t i;

	for (i = 0; i < sizeof(borne) / sizeof(borne[0]); i++) {
		if (!strcmp(call, borne[i].call) &&
		    (!borne[i].error || borne[i].error == error))
			return true;
	}
	return false;
}

/* One line that says something. */
static void assert_said(const char *call, int error, const char *text)
{
	if (strlen(text) < 10 || strchr(text, '\n'))
		fail_msg("%s fails with %s: \"%s\"", call, strerror(error),
			 text);
}

static void assert_failed_well(const struct run *r, const char *call, int error)
{
	if (r->status)
		assert_said(call, error, r->err.text);
	else if (r->sample.status != CELL_OK)
		assert_said(call, error, r->sample.reason);
	else if (!is_borne(call, error))
		fail_msg("%s fails with %s, and nobody minds", call,
			 strerror(error));
}

/* False: there are not so many calls, or errors of that one. */
static bool fails_at(struct run *r, unsigned nth, unsigned error)
{
	const char *call;
	int with;

	fake_kvm_begin(&r->fake);
	memset(&r->err, 0, sizeof(r->err));
	start(r, nth, error);
	call = fake_kvm_failed(&with);
	if (call)
		assert_failed_well(r, call, with);
	finish(r);
	return call;
}

static unsigned fail_everywhere(struct run *r)
{
	unsigned nth = 1, error, failures = 0;

	while (fails_at(r, nth, 0)) {
		for (error = 1; fails_at(r, nth, error); error++)
			failures++;
		failures++;
		nth++;
	}
	return failures;
}

static void each_call_of_a_cell_fails(void **state)
{
	static const char *const workloads_of_it[] = {
		"fault-in", "convert", "block-remove", "reclaim"};
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct run r = cell_of(workloads_of_it[i], 2);

		kit_set(&r.kit, "pages", 2);
		if (i == 0)
			kit_set(&r.kit, "stuck_percent", 0);
		/* It takes more than these to make a TD. */
		assert_true(fail_everywhere(&r) > 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_are_accepted),
		cmocka_unit_test(a_ve_is_answered_by_accept),
		cmocka_unit_test(an_unaccepted_access_without_ve_ends_the_td),
		cmocka_unit_test(pages_are_converted_and_come_back),
		cmocka_unit_test(removal_under_halted_vcpus),
		cmocka_unit_test(removal_by_memslots),
		cmocka_unit_test(teardown_gives_all_back),
		cmocka_unit_test(pages_are_there_before_they_are_accepted),
		cmocka_unit_test(a_build_is_raced_by_ioctls),
		cmocka_unit_test(the_image_and_its_tables_are_measured),
		cmocka_unit_test(steps_out_of_order_are_refused),
		cmocka_unit_test(the_module_is_quoted),
		cmocka_unit_test(what_a_host_lacks_is_said),
		cmocka_unit_test(a_result_says_that_it_is_of_a_td),
		cmocka_unit_test(every_exit_has_its_answer),
		cmocka_unit_test(each_call_of_a_cell_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
