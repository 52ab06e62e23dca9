/* SPDX-License-Identifier: GPL-2.0-only */
/* How runs end that do not end by themselves. */
#include "tests/unit/machine_kit.h"

struct scene {
	struct line line, other;
	u32 word;
	u64 lock;
	u64 steps; /* how often the strands got round */
	atomic_int *stop;
	u64 stop_at;
};

static void says(const struct machine *m, const char *what)
{
	if (!strstr(machine_reason(m), what))
		print_error("'%s' is not in '%s'\n", what, machine_reason(m));
	assert_non_null(strstr(machine_reason(m), what));
}

/** Wants a lock that nobody will ever release. */
static void retry_for_ever(struct strand *s, void *arg)
{
	struct scene *x = arg;

	while (line_cmpxchg64(s, &x->line, &x->lock, 1, 2) != 1) {
		x->steps++;
		spend(s, PS_PER_US);
	}
}

static void useful_for_a_while(struct strand *s, void *arg)
{
	(void)arg;
	for (u32 i = 0; i < 10; i++) {
		spend(s, PS_PER_US);
		progress(s);
	}
}

static void livelock_is_found(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m;
	struct scene x = {0};

	(void)state;
	config.livelock_ps = PS_PER_MS;
	m = kit_machine(&config);
	for (u32 i = 0; i < 3; i++)
		kit_strand(m, i, retry_for_ever, &x);
	kit_strand(m, 3, useful_for_a_while, &x);
	kit_run(m, MACHINE_LIVELOCK);
	says(m, "no progress for 1.000000 ms after 0.010000 ms");
	says(m, "the last by strand 3");
	says(m, "3 cmpxchg64 (strand 0, ...)");
	assert_in_range(machine_time(m), 1010 * PS_PER_US, 1015 * PS_PER_US);
	assert_in_range(x.steps, 3 * 900, 3 * 1011);
	machine_destroy(m);
}

static void spend_for_ever(struct strand *s, void *arg)
{
	(void)arg;
	for (;;)
		spend(s, PS_PER_US);
}

static void livelock_of_who_only_spends(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m;

	(void)state;
	config.livelock_ps = PS_PER_MS;
	m = kit_machine(&config);
	kit_strand(m, 0, spend_for_ever, NULL);
	kit_strand(m, 1, spend_for_ever, NULL);
	kit_strand(m, 2, useful_for_a_while, NULL);
	kit_run(m, MACHINE_LIVELOCK);
	says(m, "2 spending time (strand 0, ...)");
	assert_in_range(machine_time(m), 1010 * PS_PER_US, 1012 * PS_PER_US);
	machine_destroy(m);
}

static void livelock_of_one_alone(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m;
	struct scene x = {0};

	(void)state;
	config.livelock_ps = PS_PER_MS;
	m = kit_machine(&config);
	kit_strand(m, 0, retry_for_ever, &x);
	kit_run(m, MACHINE_LIVELOCK);
	says(m, "1 cmpxchg64 (strand 0)");
	machine_destroy(m);
}

static void slow_but_steady(struct strand *s, void *arg)
{
	struct scene *x = arg;

	for (u32 i = 0; i < 100; i++) {
		spend(s, PS_PER_MS - PS_PER_US);
		progress(s);
		line_xadd64(s, &x->line, &x->lock, 1);
	}
}

static void slow_progress_is_no_livelock(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m;
	struct scene x = {0};

	(void)state;
	config.livelock_ps = PS_PER_MS;
	m = kit_machine(&config);
	kit_strand(m, 0, slow_but_steady, &x);
	kit_strand(m, 1, slow_but_steady, &x);
	kit_run(m, MACHINE_DONE);
	assert_int_equal(x.lock, 200);
	machine_destroy(m);
}

/** Each of these keeps a strand at a thing of its own. */
static void at_its_own_thing(struct strand *s, void *arg)
{
	struct scene *x = arg;

	for (;;) {
		switch (s->id % 7) {
		case 0:
			line_xadd64(s, &x->line, &x->lock, 1);
			break;
		case 1:
			line_cmpxchg64(s, &x->line, &x->lock, 1, 2);
			break;
		case 2:
			line_store64(s, &x->line, &x->lock, 0);
			break;
		case 3:
			line_bts64(s, &x->line, &x->lock, 1);
			break;
		case 4:
			line_btr64(s, &x->line, &x->lock, 1);
			break;
		default:
			line_wait(s, &x->other, &x->word, 0, false);
			break;
		}
	}
}

/* What is said is short enough for every copy of it, and whole. */
static void only_the_most_common_is_said(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m;
	struct scene x = {0};

	(void)state;
	config.livelock_ps = PS_PER_MS;
	m = kit_machine(&config);
	for (u32 i = 0; i < 63; i++)
		kit_strand(m, i, at_its_own_thing, &x);
	kit_run(m, MACHINE_LIVELOCK);
	says(m, "; 18 waiting for a line (strand 5, ...), 9 ");
	says(m, ", 27 at other things");
	assert_true(strlen(machine_reason(m)) < 256);
	machine_destroy(m);
}

static void wait_for_ever(struct strand *s, void *arg)
{
	struct scene *x = arg;

	for (;;)
		line_wait(s, &x->line, &x->word, 0, s->id % 2);
}

static void deadlock_is_found(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct scene x = {0};

	(void)state;
	for (u32 i = 0; i < 5; i++)
		kit_strand(m, i, wait_for_ever, &x);
	kit_strand(m, 5, useful_for_a_while, &x);
	kit_run(m, MACHINE_DEADLOCK);
	says(m, "5 waiting for a line (strand 0, ...)");
	machine_destroy(m);
}

static void time_runs_out(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m;
	struct scene x = {0};

	(void)state;
	config.max_ps = 5 * PS_PER_MS;
	m = kit_machine(&config);
	kit_strand(m, 0, retry_for_ever, &x);
	kit_strand(m, 1, retry_for_ever, &x);
	kit_strand(m, 2, wait_for_ever, &x);
	kit_run(m, MACHINE_TIMEOUT);
	says(m, "not done at 5.000000 ms");
	machine_destroy(m);
}

static void in_the_guest_for_ever(struct strand *s, void *arg)
{
	(void)arg;
	spend_in_guest(s, UINT64_MAX);
}

static void time_itself_runs_out(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);

	(void)state;
	kit_strand(m, 0, in_the_guest_for_ever, NULL);
	kit_strand(m, 1, useful_for_a_while, NULL);
	kit_run(m, MACHINE_TIMEOUT);
	says(m, "1 in the guest (strand 0)");
	machine_destroy(m);
}

static void spend_too_much(struct strand *s, void *arg)
{
	struct scene *x = arg;

	spend(s, UINT64_MAX / 2);
	line_xadd64(s, &x->line, &x->lock, 1);
}

static void huge_times_are_a_timeout(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct scene x = {0};

	(void)state;
	kit_strand(m, 0, spend_too_much, &x);
	kit_strand(m, 1, spend_too_much, &x);
	kit_run(m, MACHINE_TIMEOUT);
	assert_int_equal(x.lock, 0);
	machine_destroy(m);
}

/* -------------------------------------------------------------------- stop */

static void stopper(struct strand *s, void *arg)
{
	struct scene *x = arg;

	for (;;) {
		line_xadd64(s, &x->line, &x->lock, 1);
		if (++x->steps == x->stop_at)
			*x->stop = 1;
	}
}

static void stop_is_obeyed(void **state)
{
	(void)state;
	for (u32 strands = 1; strands <= 64; strands *= 8) {
		struct virtual_config config = kit_config();
		atomic_int stop = 0;
		struct scene x = {.stop = &stop, .stop_at = 10000};
		struct machine *m;

		/* Even when no time passes at all. */
		config.line = (struct line_costs){0};
		config.stop = &stop;
		m = kit_machine(&config);
		for (u32 i = 0; i < strands; i++)
			kit_strand(m, i, stopper, &x);
		kit_run(m, MACHINE_STOPPED);
		says(m, "stopped");
		/* "Now and then" is soon enough. */
		assert_in_range(x.steps, 10000, 20000);
		machine_destroy(m);
	}
}

/* -------------------------------------------------------------------- halt */

static void halts(struct strand *s, void *arg)
{
	char text[600];

	(void)arg;
	spend(s, PS_PER_US);
	memset(text, 'x', sizeof(text));
	memcpy(text, "TDH.MEM.PAGE.REMOVE: type", 25);
	text[sizeof(text) - 1] = 0;
	machine_halt(s, text);
}

static void halt_ends_the_run(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct scene x = {0};

	(void)state;
	kit_strand(m, 0, retry_for_ever, &x);
	kit_strand(m, 1, halts, &x);
	kit_strand(m, 2, wait_for_ever, &x);
	kit_run(m, MACHINE_HALTED);
	says(m, "TDH.MEM.PAGE.REMOVE: type");
	assert_true(strlen(machine_reason(m)) < 400);
	machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(livelock_is_found),
		cmocka_unit_test(livelock_of_one_alone),
		cmocka_unit_test(livelock_of_who_only_spends),
		cmocka_unit_test(only_the_most_common_is_said),
		cmocka_unit_test(slow_progress_is_no_livelock),
		cmocka_unit_test(deadlock_is_found),
		cmocka_unit_test(time_runs_out),
		cmocka_unit_test(time_itself_runs_out),
		cmocka_unit_test(huge_times_are_a_timeout),
		cmocka_unit_test(stop_is_obeyed),
		cmocka_unit_test(halt_ends_the_run),
	};

	return cmocka_run_group_tests_name("machine watchdog", tests, NULL,
					   NULL);
}
