/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/module/module.h"

static const struct {
	tdx_status status;
	const char *text;
} printed[] = {
	{0, "TDX_SUCCESS (0x0000000000000000)"},
	{0x8000020000000092,
	 "TDX_OPERAND_BUSY | SEPT_TREE (0x8000020000000092)"},
	{0x8000020000000001, "TDX_OPERAND_BUSY | RCX (0x8000020000000001)"},
	{0x80000200000000A9,
	 "TDX_OPERAND_BUSY | TD_EPOCH (0x80000200000000a9)"},
	{0x8000020100000000,
	 "TDX_PREVIOUS_TLB_EPOCH_BUSY (0x8000020100000000)"},
	{0xC000030000000008,
	 "TDX_PAGE_METADATA_INCORRECT | R8 (0xc000030000000008)"},
	{0x00000B0A00000001,
	 "TDX_PAGE_ALREADY_ACCEPTED | level 1 (0x00000b0a00000001)"},
	{0x30, "TDX_SUCCESS | exit reason 48 (0x0000000000000030)"},
	{0x9000020500000000,
	 "TDX_HOST_PRIORITY_BUSY_TIMEOUT (0x9000020500000000)"},
	{0xC000010000000077, "TDX_OPERAND_INVALID | 0x77 "
			     "(0xc000010000000077)"},
	{0x1234567800000000, "0x1234567800000000"},
};

static void statuses_print_as_people_write_them(void **state)
{
	char buf[100];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(printed) / sizeof(printed[0]); i++)
		assert_string_equal(
			tdx_status_print(printed[i].status, buf, sizeof(buf)),
			printed[i].text);
}

static void a_short_buffer_is_not_overrun(void **state)
{
	char buf[12];

	(void)state;
	memset(buf, 'x', sizeof(buf));
	tdx_status_print(TDX_OPERAND_BUSY, buf, 8);
	assert_string_equal(buf, "TDX_OPE");
	assert_int_equal(buf[8], 'x');
}

static void every_call_has_a_name_of_its_own(void **state)
{
	unsigned i, k;

	(void)state;
	for (i = 0; i < NR_TDX_CALLS; i++) {
		const char *name = tdx_call_name(i);

		assert_non_null(name);
		assert_int_equal(name[0], 'T');
		for (k = 0; k < i; k++)
			assert_string_not_equal(name, tdx_call_name(k));
	}
	assert_string_equal(tdx_call_name(TDH_MEM_PAGE_AUG),
			    "TDH.MEM.PAGE.AUG");
	assert_string_equal(tdx_call_name(NR_TDX_CALLS), "?");
}

static void operands_have_names(void **state)
{
	(void)state;
	assert_string_equal(tdx_operand_name(OPERAND_RCX), "RCX");
	assert_string_equal(tdx_operand_name(OPERAND_SEPT_TREE), "SEPT_TREE");
	assert_string_equal(tdx_operand_name(OPERAND_WBCACHE), "WBCACHE");
	assert_null(tdx_operand_name(0x93));
}

static void error_and_busy_are_told_apart(void **state)
{
	(void)state;
	assert_true(tdx_operand_busy(TDX_OPERAND_BUSY + OPERAND_RDX));
	assert_false(tdx_operand_busy(TDX_PREVIOUS_TLB_EPOCH_BUSY));
	assert_true(tdx_error(TDX_EPT_WALK_FAILED));
	assert_false(tdx_error(TDX_GPA_RANGE_ALREADY_BLOCKED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses_print_as_people_write_them),
		cmocka_unit_test(a_short_buffer_is_not_overrun),
		cmocka_unit_test(every_call_has_a_name_of_its_own),
		cmocka_unit_test(operands_have_names),
		cmocka_unit_test(error_and_busy_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
