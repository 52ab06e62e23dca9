/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers of TDCALL and TDVMCALL, with the instruction replaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "guest-agent/td.h"

/* What the next calls answer, in order, and what they were asked. */
enum { MOST_CALLS = 8 };
static struct td_registers asked[MOST_CALLS], answers[MOST_CALLS];
static unsigned calls;

static void fake_call(struct td_registers *r)
{
	assert_true(calls < MOST_CALLS);
	asked[calls] = *r;
	*r = answers[calls++];
}

static int setup(void **state)
{
	(void)state;
	calls = 0;
	memset(asked, 0, sizeof(asked));
	memset(answers, 0, sizeof(answers));
	return 0;
}

/* A TDVMCALL shows the host R10 to R15 and nothing else. */
static void assert_vmcall(const struct td_registers *r, uint64_t function,
			  uint64_t r12, uint64_t r13, uint64_t r14,
			  uint64_t r15)
{
	assert_int_equal(r->rax, 0);
	assert_int_equal(r->rcx, 0xFC00);
	assert_int_equal(r->r10, 0);
	assert_int_equal(r->r11, function);
	assert_int_equal(r->r12, r12);
	assert_int_equal(r->r13, r13);
	assert_int_equal(r->r14, r14);
	assert_int_equal(r->r15, r15);
	assert_int_equal(r->rdx | r->r8 | r->r9, 0);
}

static void test_shared_bit(void **state)
{
	uint64_t status;

	(void)state;
	/* The other bits of RCX are not the width. */
	answers[0].rcx = 0xabc0 | 48;
	assert_int_equal(td_shared_bit(fake_call, &status), 1ull << 47);
	assert_int_equal(asked[0].rax, 1);
	answers[1].rcx = 52;
	assert_int_equal(td_shared_bit(fake_call, &status), 1ull << 51);
	answers[2].rax = 0xC000010000000000;
	answers[2].rcx = 48;
	assert_int_equal(td_shared_bit(fake_call, &status), 0);
	assert_int_equal(status, 0xC000010000000000);
	assert_int_equal(td_shared_bit(fake_call, &status), 0);
}

static void test_accept(void **state)
{
	static const struct {
		uint64_t status;
		enum agent_result result;
	} cases[] = {
		{0, AGENT_OK},
		{0x00000B0A00000001, AGENT_ALREADY},
		{0xC0000B0B00000001, AGENT_MISMATCH},
		{0x8000020000000001, AGENT_BUSY},
		{0x8000020400000001, AGENT_BUSY},
		{0xC000010000000001, AGENT_STOP},
		{0x8000020100000000, AGENT_STOP},
	};
	uint64_t status;
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		answers[i].rax = cases[i].status;
		assert_int_equal(
			td_accept(fake_call, 0x140200000, i & 1, &status),
			cases[i].result);
		assert_int_equal(status, cases[i].status);
		assert_int_equal(asked[i].rax, 6);
		assert_int_equal(asked[i].rcx, 0x140200000 | (i & 1));
	}
}

static void test_pending(void **state)
{
	uint64_t gpa;

	(void)state;
	answers[0].rcx = 48;
	answers[0].r9 = 0x140001008;
	assert_true(td_pending(fake_call, &gpa));
	assert_int_equal(gpa, 0x140001008);
	assert_int_equal(asked[0].rax, 3);
	answers[1].rcx = 30;
	assert_false(td_pending(fake_call, &gpa));
	answers[2].rax = 0xC000070400000000;
	answers[2].rcx = 48;
	assert_false(td_pending(fake_call, &gpa));
}

#define S (1ull << 47)

static void test_convert(void **state)
{
	uint64_t status;

	(void)state;
	assert_int_equal(
		td_convert(fake_call, S, 0x100000000, 0x1000, true, &status),
		AGENT_OK);
	assert_vmcall(&asked[0], 0x10001, 0x100000000, 0x1000, 0, 0);
	/* Stopped half way, asked again where nothing was done, then done. */
	answers[1].r10 = 1;
	answers[1].r11 = S | 0x100200000;
	answers[2].r10 = 1;
	answers[2].r11 = S | 0x100200000;
	assert_int_equal(
		td_convert(fake_call, S, 0x100000000, 0x400000, false, &status),
		AGENT_OK);
	assert_vmcall(&asked[1], 0x10001, S | 0x100000000, 0x400000, 0, 0);
	assert_vmcall(&asked[2], 0x10001, S | 0x100200000, 0x200000, 0, 0);
	assert_vmcall(&asked[3], 0x10001, S | 0x100200000, 0x200000, 0, 0);
	assert_int_equal(calls, 4);
}

static void test_convert_refused(void **state)
{
	uint64_t status;

	(void)state;
	answers[0].r10 = 0x8000000000000002;
	assert_int_equal(
		td_convert(fake_call, S, 0x1000, 0x1000, true, &status),
		AGENT_STOP);
	assert_int_equal(status, 0x8000000000000002);
	/* The host sends the guest to where it did not ask for anything. */
	answers[1].r10 = 1;
	answers[1].r11 = 0x2000;
	assert_int_equal(
		td_convert(fake_call, S, 0x1000, 0x1000, true, &status),
		AGENT_STOP);
	answers[2].r10 = 1;
	assert_int_equal(
		td_convert(fake_call, S, 0x1000, 0x1000, true, &status),
		AGENT_STOP);
	assert_int_equal(calls, 3);
}

static void test_vmcalls(void **state)
{
	(void)state;
	td_out(fake_call, 0xE0, 2);
	assert_vmcall(&asked[0], 30, 1, 1, 0xE0, 2);
	td_halt(fake_call);
	assert_vmcall(&asked[1], 12, 0, 0, 0, 0);
	answers[2].r10 = 0x8000000000000000;
	assert_int_equal(td_wrmsr(fake_call, 0x80F, 0x1FF), 0x8000000000000000);
	assert_vmcall(&asked[2], 32, 0x80F, 0x1FF, 0, 0);
	assert_int_equal(td_wrmsr(fake_call, 0x80F, 0x1FF), 0);
	td_report_fatal(fake_call, TD_FATAL_ACCEPT, 0x5000, 7);
	assert_vmcall(&asked[4], 0x10003, TD_FATAL_ACCEPT, 0x5000, 7, 0);
	/* TDCALL itself failed. */
	answers[5].rax = 0xC000010000000001;
	assert_int_equal(td_wrmsr(fake_call, 0x80F, 0x1FF), 0xC000010000000001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_shared_bit, setup),
		cmocka_unit_test_setup(test_accept, setup),
		cmocka_unit_test_setup(test_pending, setup),
		cmocka_unit_test_setup(test_convert, setup),
		cmocka_unit_test_setup(test_convert_refused, setup),
		cmocka_unit_test_setup(test_vmcalls, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
