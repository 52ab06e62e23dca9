/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bench/scenario.h"

static void scripts_grow(void **state)
{
	struct scenario s;
	uint32_t i;

	(void)state;
	assert_true(scenario_init(&s, 2, 3, 2));
	for (i = 0; i < 1000; i++) {
		scenario_vcpu(
			&s, 1, 2,
			(struct agent_op){.opcode = AGENT_SPIN, .arg = i});
		scenario_host(&s, 1,
			      (struct host_op){.opcode = HOST_SLEEP, .arg = i});
	}
	assert_false(s.failed);
	assert_int_equal(s.vcpu[1 * 3 + 2].n, 1000);
	assert_int_equal(s.host[1].n, 1000);
	for (i = 0; i < 1000; i++) {
		assert_int_equal(s.vcpu[5].op[i].arg, i);
		assert_int_equal(s.host[1].op[i].arg, i);
	}
	for (i = 0; i < 5; i++)
		assert_int_equal(s.vcpu[i].n, 0);
	assert_int_equal(s.host[0].n, 0);
	scenario_free(&s);
	assert_null(s.vcpu);
	scenario_free(&s);
}

static void scenario_without_hosts(void **state)
{
	struct scenario s;

	(void)state;
	assert_true(scenario_init(&s, 1, 1, 0));
	scenario_free(&s);
}

static void knob_by_name(void **state)
{
	const struct knob *const knobs[] = {&knob_pages, &knob_accept, NULL};
	const int64_t value[] = {17, ACCEPT_ON_VE};
	const struct knob_values values = {knobs, value};

	(void)state;
	assert_int_equal(knob(&values, "pages"), 17);
	assert_int_equal(knob(&values, "accept"), ACCEPT_ON_VE);
}

/* What the choices' numbers are called is what configs are written with. */
static void choices_have_their_names(void **state)
{
	(void)state;
	assert_string_equal(knob_layout.choices[LAYOUT_SHARED], "shared");
	assert_string_equal(knob_layout.choices[LAYOUT_INTERLEAVED],
			    "interleaved");
	assert_string_equal(knob_others.choices[OTHERS_TICKING], "ticking");
	assert_string_equal(knob_others.choices[OTHERS_FAULTING], "faulting");
	assert_string_equal(knob_accept.choices[ACCEPT_NONE], "none");
	assert_string_equal(knob_page_size.choices[PAGE_2M], "2m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scripts_grow),
		cmocka_unit_test(scenario_without_hosts),
		cmocka_unit_test(knob_by_name),
		cmocka_unit_test(choices_have_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
