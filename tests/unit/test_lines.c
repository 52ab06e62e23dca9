/* SPDX-License-Identifier: GPL-2.0-only */
/* What cache lines cost on the machine on virtual time. */
#include "tests/unit/machine_kit.h"

/** A cache line with words, as the model lays them out. */
struct shared {
	struct line line;
	u64 word;
	u64 took_ps[8]; /* what each step of a script took */
	u32 times;
};

/* -------------------------------------------------------- one at a time */

static void hammer(struct strand *s, void *arg)
{
	struct shared *h = arg;

	for (u32 i = 0; i < h->times; i++)
		line_xadd64(s, &h->line, &h->word, 1);
}

/** CPUs of different complexes of one package. */
static u32 nth_complex(u32 n)
{
	return 8 * n;
}

static void contended_line_serves_one_at_a_time(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct shared h = {.times = 100};
	const u32 strands = 16;

	(void)state;
	for (u32 i = 0; i < strands; i++)
		kit_strand(m, nth_complex(i), hammer, &h);
	kit_run(m, MACHINE_DONE);
	assert_int_equal(h.word, strands * h.times);
	/* Each takes it from another one, but the very first. */
	assert_int_equal(machine_time(m),
			 KIT_LOCAL + (strands * h.times - 1) * KIT_SOCKET);
	machine_destroy(m);
}

static void contended_line_is_fair(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct shared h = {.times = 100};
	struct strand *s[16];

	(void)state;
	for (u32 i = 0; i < 16; i++)
		s[i] = kit_strand(m, nth_complex(i), hammer, &h);
	kit_run(m, MACHINE_DONE);
	/* First come, first served: all end within one round. */
	for (u32 i = 1; i < 16; i++)
		assert_int_equal(s[i]->clock, s[i - 1]->clock + KIT_SOCKET);
	machine_destroy(m);
}

static void own_line_is_local(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct shared h[2] = {{.times = 100}, {.times = 100}};

	(void)state;
	kit_strand(m, 0, hammer, &h[0]);
	kit_strand(m, 8, hammer, &h[1]);
	kit_run(m, MACHINE_DONE);
	assert_int_equal(machine_time(m), 100 * KIT_LOCAL);
	machine_destroy(m);
}

/* --------------------------------------------------------------- distance */

static void write_once(struct strand *s, void *arg)
{
	struct shared *h = arg;

	line_store64(s, &h->line, &h->word, 7);
}

static void late_write(struct strand *s, void *arg)
{
	struct shared *h = arg;
	u64 begin;

	spend(s, PS_PER_MS);
	begin = now(s);
	line_store64(s, &h->line, &h->word, 8);
	h->took_ps[0] = now(s) - begin;
}

static void write_costs_by_distance(void **state)
{
	static const struct {
		u32 cpu;
		u64 ps;
	} cases[] = {
		{0, KIT_LOCAL},	   {1, KIT_LOCAL},     {2, KIT_COMPLEX},
		{7, KIT_COMPLEX},  {8, KIT_SOCKET},    {511, KIT_SOCKET},
		{512, KIT_REMOTE}, {1023, KIT_REMOTE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct virtual_config config = kit_config();
		struct machine *m = kit_machine(&config);
		struct shared h = {0};

		kit_strand(m, 0, write_once, &h);
		kit_strand(m, cases[i].cpu, late_write, &h);
		kit_run(m, MACHINE_DONE);
		assert_int_equal(h.took_ps[0], cases[i].ps);
		machine_destroy(m);
	}
}

static void same_core_number_elsewhere_is_not_near(void **state)
{
	/* Numbers that are unique only within what is above them. */
	struct cpu_place places[] = {{0, 0, 0}, {0, 1, 0}, {0, 0, 1}};
	struct topology topology = {3, 2, places};
	static const u64 expected[] = {KIT_LOCAL, KIT_SOCKET, KIT_REMOTE};

	(void)state;
	for (u32 i = 0; i < 3; i++) {
		struct virtual_config config = kit_config();
		struct shared h = {0};
		struct machine *m;

		config.topology = &topology;
		m = kit_machine(&config);
		kit_strand(m, 0, write_once, &h);
		kit_strand(m, i, late_write, &h);
		kit_run(m, MACHINE_DONE);
		assert_int_equal(h.took_ps[0], expected[i]);
		machine_destroy(m);
	}
}

/* ------------------------------------------------------------------ reads */

static u64 timed_load(struct strand *s, struct shared *h)
{
	u64 begin = now(s);

	line_load64(s, &h->line, &h->word);
	return now(s) - begin;
}

/** Reads at 1 and 2 ms, again at 4 and 5 ms, writes at 6 ms. */
static void read_and_write(struct strand *s, void *arg)
{
	struct shared *h = arg;
	u64 begin;

	for (u32 i = 0; i < 5; i++) {
		u64 at = (i < 2 ? i + 1 : i + 2) * PS_PER_MS;

		spend(s, at - now(s));
		h->took_ps[i] = timed_load(s, h);
	}
	spend(s, 7 * PS_PER_MS - now(s));
	begin = now(s);
	line_store64(s, &h->line, &h->word, 1);
	h->took_ps[5] = now(s) - begin;
}

static void write_twice(struct strand *s, void *arg)
{
	struct shared *h = arg;

	line_store64(s, &h->line, &h->word, 1);
	spend(s, 3 * PS_PER_MS - now(s));
	h->took_ps[6] = now(s);
	line_store64(s, &h->line, &h->word, 2);
	h->took_ps[6] = now(s) - h->took_ps[6];
}

static void reads_are_remembered_until_the_next_write(void **state)
{
	static const u64 expected[] = {
		KIT_SOCKET, /* first read of the first write */
		KIT_LOCAL,  /* has a copy */
		KIT_SOCKET, /* written since */
		KIT_LOCAL,  KIT_LOCAL,
		KIT_SOCKET, /* reading did not make it the owner */
		KIT_LOCAL,  /* nor did it take the line from its writer */
	};
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct shared h = {0};

	(void)state;
	kit_strand(m, 0, write_twice, &h);
	kit_strand(m, 8, read_and_write, &h);
	kit_run(m, MACHINE_DONE);
	for (u32 i = 0; i < 7; i++)
		assert_int_equal(h.took_ps[i], expected[i]);
	machine_destroy(m);
}

static void read_once(struct strand *s, void *arg)
{
	timed_load(s, arg);
}

static void readers_do_not_wait_for_each_other(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct shared h = {0};
	struct strand *s[10];

	(void)state;
	kit_strand(m, 0, write_once, &h);
	for (u32 i = 0; i < 10; i++)
		s[i] = kit_strand(m, nth_complex(i + 1), read_once, &h);
	kit_run(m, MACHINE_DONE);
	/* All wait for the write, which is done after KIT_LOCAL. */
	for (u32 i = 0; i < 10; i++)
		assert_int_equal(s[i]->clock, KIT_LOCAL + KIT_SOCKET);
	machine_destroy(m);
}

static void untouched_line_is_local_to_all(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct shared h = {0};

	(void)state;
	for (u32 i = 0; i < 10; i++)
		kit_strand(m, nth_complex(i), read_once, &h);
	kit_run(m, MACHINE_DONE);
	assert_int_equal(machine_time(m), KIT_LOCAL);
	machine_destroy(m);
}

/* ------------------------------------------------------------- operations */

struct words {
	struct line line;
	u64 w64;
	u32 w32;
	u16 w16;
	u8 w8;
};

/** Each returns the old value and does what its name says. */
static void every_operation(struct strand *s, void *arg)
{
	struct words *w = arg;
	struct line *l = &w->line;

	assert_int_equal(line_xadd64(s, l, &w->w64, 5), 0);
	assert_int_equal(line_bts64(s, l, &w->w64, 1ull << 63), 5);
	assert_int_equal(line_btr64(s, l, &w->w64, 1), 1ull << 63 | 5);
	assert_int_equal(line_cmpxchg64(s, l, &w->w64, 1, 2), 1ull << 63 | 4);
	assert_int_equal(line_cmpxchg64(s, l, &w->w64, 1ull << 63 | 4, 2),
			 1ull << 63 | 4);
	assert_int_equal(line_load64(s, l, &w->w64), 2);
	line_store64(s, l, &w->w64, 9);
	assert_int_equal(w->w64, 9);
	assert_int_equal(line_xadd32(s, l, &w->w32, UINT32_MAX), 0);
	assert_int_equal(line_btr32(s, l, &w->w32, 1u << 31), UINT32_MAX);
	assert_int_equal(line_xchg32(s, l, &w->w32, 3), UINT32_MAX >> 1);
	assert_int_equal(line_cmpxchg32(s, l, &w->w32, 3, 4), 3);
	assert_int_equal(line_load32(s, l, &w->w32), 4);
	line_store32(s, l, &w->w32, 5);
	assert_int_equal(w->w32, 5);
	assert_int_equal(line_xadd16(s, l, &w->w16, 0xffff), 0);
	assert_int_equal(line_and16(s, l, &w->w16, 0x0ff0), 0xffff);
	assert_int_equal(line_or16(s, l, &w->w16, 1), 0x0ff0);
	assert_int_equal(line_xchg16(s, l, &w->w16, 2), 0x0ff1);
	assert_int_equal(line_cmpxchg16(s, l, &w->w16, 3, 4), 2);
	assert_int_equal(line_cmpxchg8(s, l, &w->w8, 0, 4), 0);
	assert_int_equal(w->w8, 4);
}

static void operations_do_what_they_say(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct words w = {0};

	(void)state;
	kit_strand(m, 0, every_operation, &w);
	kit_run(m, MACHINE_DONE);
	assert_int_equal(machine_events(m), 19);
	assert_int_equal(machine_time(m), 19 * KIT_LOCAL);
	machine_destroy(m);
}

static void operations_have_names(void **state)
{
	(void)state;
	assert_string_equal(line_op_name(LINE_LOAD), "load");
	assert_string_equal(line_op_name(LINE_CMPXCHG16), "cmpxchg16");
	assert_string_equal(line_op_name(LINE_READ128), "read128");
	for (int i = 0; i < NR_LINE_OPS; i++)
		assert_non_null(line_op_name((enum line_op)i));
	assert_string_equal(line_op_name(NR_LINE_OPS), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contended_line_serves_one_at_a_time),
		cmocka_unit_test(contended_line_is_fair),
		cmocka_unit_test(own_line_is_local),
		cmocka_unit_test(write_costs_by_distance),
		cmocka_unit_test(same_core_number_elsewhere_is_not_near),
		cmocka_unit_test(reads_are_remembered_until_the_next_write),
		cmocka_unit_test(readers_do_not_wait_for_each_other),
		cmocka_unit_test(untouched_line_is_local_to_all),
		cmocka_unit_test(operations_do_what_they_say),
		cmocka_unit_test(operations_have_names),
	};

	return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
