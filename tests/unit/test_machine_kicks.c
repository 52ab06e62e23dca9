/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupts on virtual time: what they cut short, and when. */
#include "tests/unit/machine_kit.h"

struct scene {
	struct strand *target;
	struct line line;
	u32 word;
	u64 begin_ps, stay_ps; /* the target's stay in the guest */
	u64 send_ps[4], latency_ps[4];
	u32 sends;
	u64 left_ps, at_ps; /* how the stay ended */
	u64 again_ps;	    /* left of a second stay, after taking it */
	bool pending, pending_after;
	bool woken; /* what line_wait() returned */
};

/** Stays in the guest, takes the interrupt, stays again. */
static void guest(struct strand *s, void *arg)
{
	struct scene *x = arg;

	spend(s, x->begin_ps);
	x->left_ps = spend_in_guest(s, x->stay_ps);
	x->at_ps = now(s);
	x->pending = interrupted(s);
	interrupt_done(s);
	x->pending_after = interrupted(s);
	x->again_ps = spend_in_guest(s, 1000);
}

static void sender(struct strand *s, void *arg)
{
	struct scene *x = arg;

	for (u32 i = 0; i < x->sends; i++) {
		spend(s, x->send_ps[i] - now(s));
		interrupt(s, x->target, x->latency_ps[i]);
	}
}

/** Play a scene; the sender is strand 1, or strand 0 when it comes first. */
static void play(struct scene *x, void (*target)(struct strand *, void *),
		 bool sender_first)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);

	if (sender_first)
		kit_strand(m, 1, sender, x);
	x->target = kit_strand(m, 0, target, x);
	if (!sender_first)
		kit_strand(m, 1, sender, x);
	kit_run(m, MACHINE_DONE);
	machine_destroy(m);
}

static void cuts_the_stay_at_the_right_time(void **state)
{
	(void)state;
	for (int first = 0; first < 2; first++) {
		struct scene x = {
			.stay_ps = 10000,
			.sends = 1,
			.send_ps = {3000},
			.latency_ps = {500},
		};

		play(&x, guest, first);
		assert_int_equal(x.at_ps, 3500);
		assert_int_equal(x.left_ps, 6500);
		assert_true(x.pending);
		assert_false(x.pending_after);
		assert_int_equal(x.again_ps, 0);
	}
}

/** Looks again and again; at_ps is when it first sees the interrupt. */
static void looker(struct strand *s, void *arg)
{
	struct scene *x = arg;

	while (!interrupted(s) && now(s) < PS_PER_NS * 100)
		spend(s, 70);
	x->at_ps = now(s);
}

/** When a looker sees an interrupt sent at 3000 with this latency. */
static u64 seen_at(u64 latency_ps, u64 min_ps, bool sender_first)
{
	struct virtual_config config = kit_config();
	struct scene x = {
		.sends = 1,
		.send_ps = {3000},
		.latency_ps = {latency_ps},
	};
	struct machine *m;

	config.min_interrupt_ps = min_ps;
	m = kit_machine(&config);
	if (sender_first)
		kit_strand(m, 1, sender, &x);
	x.target = kit_strand(m, 0, looker, &x);
	if (!sender_first)
		kit_strand(m, 1, sender, &x);
	kit_run(m, MACHINE_DONE);
	machine_destroy(m);
	return x.at_ps;
}

static void looking_ahead_sees_the_same(void **state)
{
	(void)state;
	for (u64 latency = 500; latency < 1500; latency += 35) {
		for (int first = 0; first < 2; first++) {
			u64 at = seen_at(latency, 0, first);

			assert_in_range(at, 3000 + latency, 3069 + latency);
			assert_int_equal(at, seen_at(latency, 500, first));
			assert_int_equal(at, seen_at(latency, latency, first));
		}
	}
	/* Sooner than the least is the least. */
	assert_in_range(seen_at(10, 800, false), 3800, 3869);
}

static void arrives_at_the_very_end(void **state)
{
	struct scene x = {
		.stay_ps = 10000,
		.sends = 1,
		.send_ps = {9000},
		.latency_ps = {1000},
	};

	(void)state;
	play(&x, guest, false);
	/* All the time has passed; the interrupt is there all the same. */
	assert_int_equal(x.left_ps, 0);
	assert_int_equal(x.at_ps, 10000);
	assert_true(x.pending);
}

static void one_on_its_way_does_not_count_yet(void **state)
{
	struct scene x = {
		.stay_ps = 10000,
		.sends = 1,
		.send_ps = {9000},
		.latency_ps = {1001},
	};

	(void)state;
	play(&x, guest, false);
	assert_int_equal(x.left_ps, 0);
	assert_false(x.pending);
	/* ... and what was sent before is taken by the one who takes. */
	assert_int_equal(x.again_ps, 0);
}

static void waits_for_a_target_outside(void **state)
{
	struct scene x = {
		.begin_ps = 5000, /* spent outside, in one piece */
		.stay_ps = 10000,
		.sends = 1,
		.send_ps = {3000},
		.latency_ps = {500},
	};

	(void)state;
	play(&x, guest, false);
	assert_int_equal(x.at_ps, 5000);
	assert_int_equal(x.left_ps, 10000);
	assert_true(x.pending);
	assert_int_equal(x.again_ps, 0);
}

static void several_are_taken_as_one(void **state)
{
	struct scene x = {
		.stay_ps = 10000,
		.sends = 3,
		.send_ps = {2000, 2100, 2200},
		.latency_ps = {900, 500, 700}, /* the second arrives first */
	};

	(void)state;
	play(&x, guest, false);
	assert_int_equal(x.at_ps, 2600);
	assert_int_equal(x.left_ps, 7400);
	assert_true(x.pending);
	assert_false(x.pending_after);
	assert_int_equal(x.again_ps, 0);
}

static void the_next_one_is_new(void **state)
{
	struct scene x = {
		.stay_ps = 10000,
		.sends = 2,
		.send_ps = {2000, 3000},
		.latency_ps = {100, 100},
	};

	(void)state;
	play(&x, guest, false);
	assert_int_equal(x.at_ps, 2100);
	/* The second stay is from 2100 to 3100. */
	assert_int_equal(x.again_ps, 0);
	x.send_ps[1] = 2500;
	play(&x, guest, false);
	assert_int_equal(x.again_ps, 500);
}

static void stays_for_ever_until_kicked(void **state)
{
	struct scene x = {
		.stay_ps = UINT64_MAX,
		.sends = 1,
		.send_ps = {PS_PER_S},
		.latency_ps = {5},
	};

	(void)state;
	play(&x, guest, false);
	assert_int_equal(x.at_ps, PS_PER_S + 5);
	assert_true(x.left_ps > UINT64_MAX / 2);
	assert_int_equal(x.again_ps, 0);
}

static void by_itself(struct strand *s, void *arg)
{
	struct scene *x = arg;

	interrupt(s, s, 700);
	x->pending = interrupted(s);
	x->left_ps = spend_in_guest(s, 1000);
	x->at_ps = now(s);
	x->pending_after = interrupted(s);
}

static void a_strand_can_kick_itself(void **state)
{
	struct scene x = {0};

	(void)state;
	play(&x, by_itself, false);
	assert_false(x.pending);
	assert_int_equal(x.at_ps, 700);
	assert_int_equal(x.left_ps, 300);
	assert_true(x.pending_after);
}

/* ------------------------------------------------------- while it is parked */

static void interruptible_waiter(struct strand *s, void *arg)
{
	struct scene *x = arg;

	spend(s, x->begin_ps);
	x->woken = line_wait(s, &x->line, &x->word, 0, true);
	x->at_ps = now(s);
	x->pending = interrupted(s);
}

static void ends_an_interruptible_wait(void **state)
{
	struct scene x = {
		.sends = 1,
		.send_ps = {3000},
		.latency_ps = {500},
	};

	(void)state;
	play(&x, interruptible_waiter, false);
	assert_false(x.woken);
	assert_int_equal(x.at_ps, 3500);
	assert_true(x.pending);
	assert_int_equal(x.line.waiters, 0);
}

static void pending_one_ends_a_wait_at_once(void **state)
{
	struct scene x = {
		.begin_ps = 9000,
		.sends = 1,
		.send_ps = {3000},
		.latency_ps = {500},
	};

	(void)state;
	play(&x, interruptible_waiter, false);
	assert_false(x.woken);
	assert_int_equal(x.at_ps, 9000 + KIT_LOCAL);
	assert_int_equal(x.line.waiters, 0);
}

static void one_on_its_way_ends_a_wait_later(void **state)
{
	struct scene x = {
		.begin_ps = 4000,
		.sends = 1,
		.send_ps = {3000},
		.latency_ps = {5000},
	};

	(void)state;
	play(&x, interruptible_waiter, false);
	assert_false(x.woken);
	assert_int_equal(x.at_ps, 8000);
}

static void deaf_waiter(struct strand *s, void *arg)
{
	struct scene *x = arg;

	while (!*(volatile u32 *)&x->word)
		x->woken = line_wait(s, &x->line, &x->word, 0, false);
	x->at_ps = now(s);
	x->pending = interrupted(s);
}

static void send_then_write(struct strand *s, void *arg)
{
	struct scene *x = arg;

	spend(s, 3000);
	interrupt(s, x->target, 500);
	spend(s, 4000);
	line_store32(s, &x->line, &x->word, 1);
}

static void other_waits_go_on(void **state)
{
	struct virtual_config config = kit_config();
	struct machine *m = kit_machine(&config);
	struct scene x = {0};

	(void)state;
	x.target = kit_strand(m, 8, deaf_waiter, &x);
	kit_strand(m, 0, send_then_write, &x);
	kit_run(m, MACHINE_DONE);
	assert_true(x.woken);
	assert_int_equal(x.at_ps, 7000 + KIT_LOCAL + KIT_SOCKET);
	assert_true(x.pending);
	machine_destroy(m);
}

/* ------------------------------------------------------------------ jitter */

static void cut_with_jitter(void **state)
{
	(void)state;
	for (u64 seed = 0; seed < 200; seed++) {
		struct virtual_config config = kit_config();
		struct scene x = {
			.stay_ps = 100000,
			.sends = 1,
			.send_ps = {30000},
			.latency_ps = {5000},
		};
		struct machine *m;

		config.seed = seed;
		config.jitter = 0.1;
		m = kit_machine(&config);
		x.target = kit_strand(m, 0, guest, &x);
		kit_strand(m, 1, sender, &x);
		kit_run(m, MACHINE_DONE);
		assert_in_range(x.at_ps, 27000 + 4500 - 2, 33000 + 5500);
		/* What is left is nominal: at_ps of 90000 to 110000. */
		assert_in_range(x.left_ps, 100000 - x.at_ps * 10 / 9 - 1,
				100000 - x.at_ps * 10 / 11 + 1);
		machine_destroy(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_the_stay_at_the_right_time),
		cmocka_unit_test(looking_ahead_sees_the_same),
		cmocka_unit_test(arrives_at_the_very_end),
		cmocka_unit_test(one_on_its_way_does_not_count_yet),
		cmocka_unit_test(waits_for_a_target_outside),
		cmocka_unit_test(several_are_taken_as_one),
		cmocka_unit_test(the_next_one_is_new),
		cmocka_unit_test(stays_for_ever_until_kicked),
		cmocka_unit_test(a_strand_can_kick_itself),
		cmocka_unit_test(ends_an_interruptible_wait),
		cmocka_unit_test(pending_one_ends_a_wait_at_once),
		cmocka_unit_test(one_on_its_way_ends_a_wait_later),
		cmocka_unit_test(other_waits_go_on),
		cmocka_unit_test(cut_with_jitter),
	};

	return cmocka_run_group_tests_name("machine kicks", tests, NULL, NULL);
}
