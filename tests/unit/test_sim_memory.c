/* SPDX-License-Identifier: GPL-2.0-only */
/* The model's memory goes with the pages that are touched, not with the TD. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench/sim/sim.h"
#include "tests/unit/sim_kit.h"

#define TIB_PAGES (1ull << 28)
#define GIB_PAGES (1ull << 18)

/* Twice what a page needs: a mirror SPTE, an S-EPT entry, a PAMT entry. */
enum { BYTES_PER_PAGE = 48 };

static void a_tib_of_which_a_gib_is_touched(void **state)
{
	struct kit kit = kit_defaults(kit_workload("fault-in"));
	struct sim_memory memory;
	struct kit_world world;
	struct sample sample;
	struct scenario s;
	struct err err;

	(void)state;
	kit_world_init(&world, "kick-once", 8);
	kit_set(&kit, "pages", GIB_PAGES / 8);
	kit_set(&kit, "total_pages", GIB_PAGES);
	kit_set(&kit, "stuck_percent", 0);
	assert_int_equal(kit_make(&kit, 8, &s, &err), 0);
	s.pages = TIB_PAGES;
	assert_true(sample_init(&sample));
	assert_int_equal(sim_run(&s, &world.setup, &sample, &err, &memory), 0);
	assert_int_equal(sample.status, CELL_OK);
	assert_true(kit_value(&sample, "fault.count") == GIB_PAGES);
	print_message("module %.1f, host %.1f bytes for each touched page\n",
		      (double)memory.module / GIB_PAGES,
		      (double)memory.host / GIB_PAGES);
	assert_in_range(memory.module + memory.host, 16 * GIB_PAGES,
			BYTES_PER_PAGE * GIB_PAGES);
	sample_free(&sample);
	scenario_free(&s);
	kit_world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tib_of_which_a_gib_is_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
