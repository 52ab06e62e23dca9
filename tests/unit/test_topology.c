/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* CPU_COUNT */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bench/plan/topology.h"

static void load(const char *what, struct topology *t)
{
	struct err e = {.text = ""};

	if (topology_load(what, t, &e))
		fail_msg("%s: %s", what, e.text);
}

static void cores_come_before_siblings(void **state)
{
	struct topology t;

	(void)state;
	load("pack:2 core:3 pu:2", &t);
	assert_int_equal(t.ncpus, 12);
	assert_int_equal(t.npackages, 2);
	for (u32 i = 0; i < 6; i++) {
		assert_int_equal(t.cpu[i].core, i);
		assert_int_equal(t.cpu[i].package, i / 3);
		/* the sibling is on the same core */
		assert_memory_equal(&t.cpu[i + 6], &t.cpu[i], sizeof(t.cpu[i]));
	}
	topology_free(&t);
	assert_null(t.cpu);
}

static void without_caches_a_core_is_its_own_complex(void **state)
{
	struct topology t;

	(void)state;
	load("pack:1 core:4 pu:1", &t);
	for (u32 i = 0; i < 4; i++)
		for (u32 j = 0; j < i; j++)
			assert_int_not_equal(t.cpu[i].complex,
					     t.cpu[j].complex);
	topology_free(&t);
}

static void a_cache_of_the_whole_package_is_no_complex(void **state)
{
	struct topology t;

	(void)state;
	load("pack:2 l3:1 core:2 pu:1", &t);
	assert_int_not_equal(t.cpu[0].complex, t.cpu[1].complex);
	topology_free(&t);
}

static void a_cache_of_some_cores_is_a_complex(void **state)
{
	struct topology t;

	(void)state;
	load("pack:2 l3:2 core:4 pu:2", &t);
	assert_int_equal(t.ncpus, 32);
	for (u32 i = 0; i < 16; i++)
		for (u32 j = 0; j < 16; j++)
			assert_int_equal(t.cpu[i].complex == t.cpu[j].complex,
					 i / 4 == j / 4);
	topology_free(&t);
}

static void big_ones_work(void **state)
{
	struct topology t;

	(void)state;
	load("pack:4 core:72 pu:2", &t);
	assert_int_equal(t.ncpus, 576);
	assert_int_equal(t.cpu[287].package, 3);
	assert_int_equal(t.cpu[288].core, 0);
	topology_free(&t);
}

static void this_host_has_cpus(void **state)
{
	struct topology t;

	(void)state;
	load("host", &t);
	assert_true(t.ncpus >= 1);
	assert_true(t.npackages >= 1);
	topology_free(&t);
}

static void nonsense_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"nonsense",
		"pack:0 core:1",
		"core",
		"pu:-1",
		"pack:100000 core:100000 pu:2",
		"pu:99999999999999999999999",
		"1000000000",
		"pack:2 core:",
		"(((((",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct topology t;
		struct err e = {.text = ""};

		if (!topology_load(bad[i], &t, &e))
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(e.status, EXIT_USAGE);
		assert_true(e.text[0]);
		assert_null(t.cpu);
	}
}

/* ------------------------------------------------------- this host's CPUs */

/* All that this process may use, each once. */
static void cpus_are_those_that_may_be_used(void **state)
{
	struct topology t;
	struct err e = {.text = ""};
	cpu_set_t may;
	u32 *os;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(may), &may), 0);
	assert_int_equal(topology_load_cpus(NULL, &t, &os, &e), 0);
	assert_int_equal(t.ncpus, CPU_COUNT(&may));
	for (u32 i = 0; i < t.ncpus; i++) {
		assert_true(CPU_ISSET(os[i], &may));
		CPU_CLR(os[i], &may);
	}
	free(os);
	topology_free(&t);
}

static void cpus_are_in_the_order_of_the_list(void **state)
{
	struct topology t, chosen;
	struct err e = {.text = ""};
	u32 *os, *picked, last;
	char pin[32];

	(void)state;
	assert_int_equal(topology_load_cpus(NULL, &t, &os, &e), 0);
	last = t.ncpus - 1;
	if (last)
		snprintf(pin, sizeof(pin), "%u,%u", os[last], os[0]);
	else
		snprintf(pin, sizeof(pin), "%u", os[0]);
	assert_int_equal(topology_load_cpus(pin, &chosen, &picked, &e), 0);
	assert_int_equal(chosen.ncpus, last ? 2 : 1);
	assert_int_equal(picked[0], os[last]);
	assert_int_equal(picked[chosen.ncpus - 1], os[0]);
	assert_memory_equal(&chosen.cpu[0], &t.cpu[last], sizeof(*t.cpu));
	free(os);
	free(picked);
	topology_free(&t);
	topology_free(&chosen);
}

static void none_pins_nothing(void **state)
{
	struct topology t;
	struct err e = {.text = ""};
	u32 *os;

	(void)state;
	assert_int_equal(topology_load_cpus("none", &t, &os, &e), 0);
	assert_null(os);
	assert_true(t.ncpus > 0);
	topology_free(&t);
}

static void a_bad_list_of_cpus_is_refused(void **state)
{
	static const struct {
		const char *pin, *why;
	} bad[] = {
		{"", "expected CPUs"},	   {"0,", "expected CPUs"},
		{",0", "expected CPUs"},   {"x", "expected CPUs"},
		{"0 ", "expected CPUs"},   {"-1", "expected CPUs"},
		{"1-0", "expected CPUs"},  {"0-", "expected CPUs"},
		{"65000", "no CPU 65000"}, {"0-65000", "no CPU"},
		{"0,0", "named twice"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct topology t;
		struct err e = {.text = ""};
		u32 *os;

		assert_int_equal(topology_load_cpus(bad[i].pin, &t, &os, &e),
				 -1);
		if (!strstr(e.text, bad[i].why))
			fail_msg("\"%s\": %s", bad[i].pin, e.text);
		assert_null(os);
		assert_null(t.cpu);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cores_come_before_siblings),
		cmocka_unit_test(without_caches_a_core_is_its_own_complex),
		cmocka_unit_test(a_cache_of_the_whole_package_is_no_complex),
		cmocka_unit_test(a_cache_of_some_cores_is_a_complex),
		cmocka_unit_test(big_ones_work),
		cmocka_unit_test(this_host_has_cpus),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(cpus_are_those_that_may_be_used),
		cmocka_unit_test(cpus_are_in_the_order_of_the_list),
		cmocka_unit_test(none_pins_nothing),
		cmocka_unit_test(a_bad_list_of_cpus_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
