/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's answer to pending pages, on a real VM in which page faults stand
 * for #VEs: at a touch, which says so, and elsewhere, where it goes on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench/backend.h"
#include "bench/result/metrics.h"

enum { TOUCHES = 4, PAGES_2M = 512 };

extern const struct backend backend_kvm;

static const struct agent_op touch = {
	.opcode = AGENT_TOUCH,
	.flags = AGENT_ACCEPT_ON_VE | AGENT_RECORD,
	.count = TOUCHES,
	.stride = PAGES_2M * 4096,
};

static double value(const struct sample *sample, const char *name)
{
	return sample->value[metric_find(name)];
}

static void pending_pages_are_accepted(void **state)
{
	const struct cell_setup setup = {.max_ns = 20000000000};
	struct sample sample;
	struct scenario s;
	char why[256];
	struct err e;

	(void)state;
	if (!backend_kvm.available(why, sizeof(why))) {
		print_message("skipped: %s\n", why);
		skip();
	}
	assert_true(scenario_init(&s, 1, 1, 0));
	s.pages = TOUCHES * PAGES_2M;
	s.finalized = true;
	s.operation = "fault";
	scenario_vcpu(&s, 0, 0, touch);
	assert_true(sample_init(&sample));
	if (backend_kvm.run(&s, &setup, &sample, &e))
		fail_msg("%s", e.text);
	if (sample.status != CELL_OK)
		fail_msg("%s", sample.reason);
	/* Each page was pending again when it was looked at for the last time,
	   and held what was written. */
	assert_int_equal(value(&sample, "check.touches"), TOUCHES);
	assert_int_equal(value(&sample, "check.pages"), TOUCHES);
	assert_int_equal(value(&sample, "check.zero"), 0);
	sample_free(&sample);
	scenario_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pending_pages_are_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
