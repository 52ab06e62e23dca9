/* SPDX-License-Identifier: GPL-2.0-only */
/* Virtual time: order, jitter, sameness of runs, many strands. */
#include <stdlib.h>

#include "tests/unit/machine_kit.h"

/* ------------------------------------------------------------------ order */

struct log {
	struct line line[64];
	u64 word[64];
	u32 used;
	struct {
		u64 clock;
		u32 id;
	} entry[4096];
};

static void log_turn(struct log *log, struct strand *s)
{
	assert_true(log->used < 4096);
	log->entry[log->used].clock = now(s);
	log->entry[log->used].id = s->id;
	log->used++;
}

/** Notes when it has its turn; each strand has its own pace and line. */
static void pace(struct strand *s, void *arg)
{
	struct log *log = arg;

	for (u32 i = 0; i < 20; i++) {
		u64 before;

		spend(s, (7 * s->id + 3 * i) % 11 * PS_PER_NS);
		before = now(s);
		line_xadd64(s, &log->line[s->id], &log->word[s->id], 1);
		s->clock -= KIT_LOCAL;
		assert_int_equal(before, now(s));
		log_turn(log, s);
		s->clock += KIT_LOCAL;
	}
}

static void strands_run_in_the_order_of_clocks(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct log *log = calloc(1, sizeof(*log));

	(void)state;
	assert_non_null(log);
	for (u32 i = 0; i < 50; i++)
		kit_strand(m, i, pace, log);
	kit_run(m, MACHINE_DONE);
	assert_int_equal(log->used, 50 * 20);
	for (u32 i = 1; i < log->used; i++) {
		u64 earlier = log->entry[i - 1].clock;

		assert_true(earlier <= log->entry[i].clock);
		if (earlier == log->entry[i].clock)
			assert_true(log->entry[i - 1].id < log->entry[i].id);
	}
	free(log);
	machine_destroy(m);
}

static void spend_only(struct strand *s, void *arg)
{
	(void)arg;
	spend(s, 5);
	spend_work(s, 6, WORK_CLEAR_4K);
	assert_int_equal(spend_in_guest(s, 7), 0);
	assert_int_equal(spend_in_guest(s, 0), 0);
	assert_int_equal(now(s), 18);
}

static void time_without_jitter_is_exact(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);

	(void)state;
	kit_strand(m, 0, spend_only, NULL);
	kit_strand(m, 0, spend_only, NULL);
	kit_run(m, MACHINE_DONE);
	assert_int_equal(machine_time(m), 18);
	assert_int_equal(machine_events(m), 8);
	assert_string_equal(machine_reason(m), "");
	machine_destroy(m);
}

static void machine_without_strands_is_done(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);

	(void)state;
	kit_run(m, MACHINE_DONE);
	assert_int_equal(machine_time(m), 0);
	machine_destroy(m);
}

static void limits_are_refused(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m;

	(void)state;
	config.max_strands = 0;
	assert_null(virtual_create(&config));
	config.max_strands = MACHINE_MAX_STRANDS + 1;
	assert_null(virtual_create(&config));
	config.max_strands = 1;
	m = kit_machine(&config);
	assert_null(machine_strand(m, KIT_CPUS, spend_only, NULL));
	kit_strand(m, 0, spend_only, NULL);
	assert_null(machine_strand(m, 0, spend_only, NULL));
	kit_run(m, MACHINE_DONE);
	machine_destroy(m);
}

/* ----------------------------------------------------------------- jitter */

#define SPENDS 20000

struct spread {
	u64 least, most, sum;
};

static void measure_spread(struct strand *s, void *arg)
{
	struct spread *spread = arg;

	*spread = (struct spread){.least = UINT64_MAX};
	for (u32 i = 0; i < SPENDS; i++) {
		u64 begin = now(s), took;

		spend(s, PS_PER_US);
		took = now(s) - begin;
		spread->least = took < spread->least ? took : spread->least;
		spread->most = took > spread->most ? took : spread->most;
		spread->sum += took;
	}
}

static void jitter_stays_within_its_bounds(void **state)
{
	static const double jitters[] = {0.01, 0.1, 0.5};

	(void)state;
	for (u32 i = 0; i < 3; i++) {
		struct virtual_config config = kit_config();
		double width = jitters[i] * (double)PS_PER_US;
		double slack = width / 100;
		struct spread spread;
		struct machine *m;
		double mean;

		config.jitter = jitters[i];
		m = kit_machine(&config);
		kit_strand(m, 0, measure_spread, &spread);
		kit_run(m, MACHINE_DONE);
		/* Within, and near both ends, and centred. */
		assert_true((double)spread.least >= PS_PER_US - width - 1);
		assert_true((double)spread.least < PS_PER_US - width + slack);
		assert_true((double)spread.most <= PS_PER_US + width);
		assert_true((double)spread.most > PS_PER_US + width - slack);
		/* 0.02 is 5 standard errors of a mean of 20000 uniforms */
		mean = (double)spread.sum / SPENDS;
		assert_true(mean > PS_PER_US - 0.02 * width);
		assert_true(mean < PS_PER_US + 0.02 * width);
		machine_destroy(m);
	}
}

static void long_spends_do_not_overflow(struct strand *s, void *arg)
{
	u64 hour = 3600 * PS_PER_S;

	(void)arg;
	spend(s, hour);
	assert_true(now(s) >= hour / 2 && now(s) <= hour / 2 * 3);
}

static void jitter_holds_for_long_times(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m;

	(void)state;
	config.jitter = 0.5;
	m = kit_machine(&config);
	kit_strand(m, 0, long_spends_do_not_overflow, NULL);
	kit_run(m, MACHINE_DONE);
	machine_destroy(m);
}

/* --------------------------------------------------------------- sameness */

#define LINES 40

struct mix {
	struct line *line[LINES];
	u64 *word[LINES];
	struct strand *strand[64];
	u32 strands;
	u32 ring; /* word on line 0 that some wait for */
	u64 hash;
	bool noisy; /* allocate in between, lie deeper in the stack */
};

static void note(struct mix *x, struct strand *s, u64 what)
{
	u64 z = x->hash ^ (what + 31 * s->id + now(s));

	x->hash = (z ^ z >> 29) * 0xbf58476d1ce4e5b9ull;
}

/** A little of everything, chosen by the strand's own random numbers. */
static void mixed_step(struct mix *x, struct strand *s)
{
	u64 r = strand_random(s);
	u32 n = (u32)(r >> 8) % LINES;

	switch (r % 8) {
	case 0:
		note(x, s, spend_in_guest(s, r >> 44));
		break;
	case 1:
		interrupt(s, x->strand[n % x->strands], r >> 48);
		break;
	case 2:
		note(x, s, interrupted(s));
		interrupt_done(s);
		break;
	case 3:
		note(x, s, line_load64(s, x->line[n], x->word[n]));
		break;
	case 4:
		line_xadd32(s, x->line[0], &x->ring, 1);
		break;
	default:
		note(x, s, line_xadd64(s, x->line[n], x->word[n], r));
	}
}

static void mixed(struct strand *s, void *arg)
{
	struct mix *x = arg;
	void *held[8] = {NULL};

	for (u32 i = 0; i < 200; i++) {
		if (x->noisy) {
			free(held[i % 8]);
			held[i % 8] = malloc(100 + 64 * i);
		}
		spend(s, 10 * PS_PER_NS);
		mixed_step(x, s);
		if (i % 50 == 7 && s->id % 2)
			line_wait(s, x->line[0], &x->ring, x->ring, true);
	}
	for (u32 i = 0; i < 8; i++)
		free(held[i]);
	/* Nobody is left waiting. */
	line_xadd32(s, x->line[0], &x->ring, 1);
}

static void mixed_deeper(struct strand *s, void *arg)
{
	volatile char frame[10000];

	frame[0] = 0;
	mixed(s, arg);
	frame[9999] = frame[0];
}

/** Hash of everything that every strand saw, in order. */
static u64 mixed_run(u64 seed, double jitter, bool noisy, size_t stack)
{
	struct virtual_config config = kit_config();
	struct mix x = {.strands = 33, .noisy = noisy};
	struct machine *m;

	config.seed = seed;
	config.jitter = jitter;
	config.stack_bytes = stack;
	m = kit_machine(&config);
	for (u32 i = 0; i < LINES; i++) {
		size_t bytes = sizeof(struct line) + (noisy ? 48 + i * 16 : 0);

		x.line[i] = calloc(1, bytes);
		x.word[i] = calloc(1, 8);
	}
	for (u32 i = 0; i < x.strands; i++)
		x.strand[i] = kit_strand(m, i * 31 % KIT_CPUS,
					 noisy ? mixed_deeper : mixed, &x);
	kit_run(m, MACHINE_DONE);
	x.hash ^= machine_time(m) ^ machine_events(m) << 40;
	for (u32 i = 0; i < LINES; i++) {
		free(x.line[i]);
		free(x.word[i]);
	}
	machine_destroy(m);
	return x.hash;
}

static void runs_are_the_same(void **state)
{
	u64 first = mixed_run(1, 0.1, false, 0);

	(void)state;
	assert_int_equal(mixed_run(1, 0.1, false, 0), first);
	/* Where things lie in memory does not matter, nor do the stacks. */
	assert_int_equal(mixed_run(1, 0.1, true, 0), first);
	assert_int_equal(mixed_run(1, 0.1, true, 200 << 10), first);
	assert_int_not_equal(mixed_run(2, 0.1, false, 0), first);
	assert_int_not_equal(mixed_run(1, 0.2, false, 0), first);
}

static void runs_are_the_same_everywhere(void **state)
{
	(void)state;
	/*
	 * The figure itself is of no interest; it must not depend on the
	 * compiler, its options, or the machine.
	 */
	assert_int_equal(mixed_run(7, 0.25, false, 0), 0x39e810e9dff61e0eull);
}

static void streams_differ(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	u64 seen[256];

	(void)state;
	for (u32 i = 0; i < 256; i++) {
		struct strand *s = kit_strand(m, i, spend_only, NULL);

		seen[i] = strand_random(s);
		for (u32 j = 0; j < i; j++)
			assert_int_not_equal(seen[i], seen[j]);
	}
	machine_destroy(m);
}

/* ------------------------------------------------------------------- many */

struct crowd {
	struct line line;
	u32 word;
	u64 sum;
};

static u32 depths(struct strand *s, struct crowd *c, u32 depth)
{
	volatile u32 frame[128];

	frame[depth] = 1;
	if (!depth)
		return line_xadd32(s, &c->line, &c->word, 1);
	return depths(s, c, depth - 1) + frame[depth];
}

static void crowd_member(struct strand *s, void *arg)
{
	struct crowd *c = arg;

	for (u32 i = 0; i < 10; i++) {
		spend(s, PS_PER_US);
		c->sum += depths(s, c, i) - i;
	}
}

static void a_thousand_strands(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m;
	struct crowd c = {0};
	u64 n = 1024 * 10;

	(void)state;
	config.jitter = 0.1;
	m = kit_machine(&config);
	for (u32 i = 0; i < 1024; i++)
		assert_int_equal(kit_strand(m, i, crowd_member, &c)->id, i);
	kit_run(m, MACHINE_DONE);
	assert_int_equal(c.word, n);
	assert_int_equal(c.sum, n * (n - 1) / 2);
	assert_int_equal(machine_events(m), 2 * n);
	machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strands_run_in_the_order_of_clocks),
		cmocka_unit_test(time_without_jitter_is_exact),
		cmocka_unit_test(machine_without_strands_is_done),
		cmocka_unit_test(limits_are_refused),
		cmocka_unit_test(jitter_stays_within_its_bounds),
		cmocka_unit_test(jitter_holds_for_long_times),
		cmocka_unit_test(runs_are_the_same),
		cmocka_unit_test(runs_are_the_same_everywhere),
		cmocka_unit_test(streams_differ),
		cmocka_unit_test(a_thousand_strands),
	};

	return cmocka_run_group_tests_name("machine time", tests, NULL, NULL);
}
