/* SPDX-License-Identifier: GPL-2.0-only */
/* What cache lines cost on the machine on virtual time. */
#include "tests/unit/machine_kit.h"

struct hammer {
	struct line line;
	u64 word;
	u32 times;
};

static void hammer(struct strand *s, void *arg)
{
	struct hammer *h = arg;

	for (u32 i = 0; i < h->times; i++)
		line_xadd64(s, &h->line, &h->word, 1);
}

/** One CPU per core of a package, so that each transfer costs the same. */
static u32 nth_core(u32 n)
{
	return 8 * n;
}

static void contended_line_serves_one_at_a_time(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct hammer h = {.times = 100};
	const u32 strands = 16;

	(void)state;
	for (u32 i = 0; i < strands; i++)
		kit_strand(m, nth_core(i), hammer, &h);
	kit_run(m, MACHINE_DONE);
	assert_int_equal(h.word, strands * h.times);
	/* Each takes it from another one, but the very first. */
	assert_int_equal(machine_time(m),
			 KIT_LOCAL + (strands * h.times - 1) * KIT_SOCKET);
	machine_destroy(m);
}

static void own_line_is_local(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct hammer h[2] = {{.times = 100}, {.times = 100}};

	(void)state;
	kit_strand(m, 0, hammer, &h[0]);
	kit_strand(m, 8, hammer, &h[1]);
	kit_run(m, MACHINE_DONE);
	assert_int_equal(machine_time(m), 100 * KIT_LOCAL);
	machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contended_line_serves_one_at_a_time),
		cmocka_unit_test(own_line_is_local),
	};

	return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
