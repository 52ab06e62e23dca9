/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The explorer against programs whose answers are known, and against plain
 * enumeration of all orders of small random programs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "model/machine/explore_impl.h"

/* Words that the strands of a program share, each on its own line. */
enum { WORDS = 8 };

struct shared {
	struct line line[WORDS];
	u64 word[WORDS];
	u32 word32[WORDS];
	int inside, most; /* strands in a critical section */
	int lost;
};

static u64 get(struct strand *s, struct shared *m, int i)
{
	return line_load64(s, &m->line[i], &m->word[i]);
}

static void set(struct strand *s, struct shared *m, int i, u64 v)
{
	line_store64(s, &m->line[i], &m->word[i], v);
}

static u64 add(struct strand *s, struct shared *m, int i, u64 v)
{
	return line_xadd64(s, &m->line[i], &m->word[i], v);
}

/* A critical section that takes an operation, so that others can get in. */
static void critical(struct strand *s, struct shared *m)
{
	if (++m->inside > m->most)
		m->most = m->inside;
	set(s, m, WORDS - 1, s->id);
	m->inside--;
}

typedef void body_fn(struct strand *s, void *shared);

struct setup {
	struct shared m;
	body_fn *body[4];
	u32 strands;
	u32 counting;
};

static bool begin(void *ctx, struct machine *machine)
{
	struct setup *p = ctx;

	memset(&p->m, 0, sizeof(p->m));
	for (u32 i = 0; i < p->strands; i++)
		if (!machine_strand(machine, i, p->body[i], &p->m))
			return false;
	return true;
}

static void end(void *ctx)
{
	(void)ctx;
}

static const char *exclusive(void *ctx, enum machine_end how)
{
	struct setup *p = ctx;

	if (how == MACHINE_DEADLOCK)
		return "deadlock";
	return p->m.most > 1 ? "two inside" : NULL;
}

static struct explore_answer ask_within(struct setup *p, u64 steps)
{
	const struct explore_program program = {.ctx = p,
						.begin = begin,
						.check = exclusive,
						.end = end,
						.counting = p->counting};
	const struct explore_bounds bounds = {
		.preemptions = -1, .steps = steps, .executions = 1000000};
	struct explore_answer a;

	explore(&program, &bounds, &a);
	assert_false(a.no_memory);
	return a;
}

static struct explore_answer ask(struct setup *p)
{
	return ask_within(p, 0);
}

/* A counterexample breaks the same thing when it is run again. */
static void replays(struct setup *p, const struct explore_answer *a)
{
	const struct explore_program program = {
		.ctx = p, .begin = begin, .check = exclusive, .end = end};
	enum machine_end how;
	const char *why =
		explore_replay(&program, &a->schedule, NULL, NULL, &how);

	assert_non_null(why);
	assert_string_equal(why, a->why);
}

/* ---------------------------------------------------------- known programs */

/* Peterson's lock with one attempt each: nobody waits, a look is enough. */
static void peterson_step(struct strand *s, struct shared *m, bool right)
{
	int me = (int)s->id, other = 1 - me;

	if (right)
		set(s, m, me, 1);
	set(s, m, 2, (u64)other);
	if (!right) /* the flag is raised too late */
		set(s, m, me, 1);
	for (int looks = 0; looks < 3; looks++) {
		if (get(s, m, other) && get(s, m, 2) == (u64)other)
			continue;
		critical(s, m);
		break;
	}
	set(s, m, me, 0);
}

static void peterson(struct strand *s, void *m)
{
	peterson_step(s, m, true);
}

static void peterson_broken(struct strand *s, void *m)
{
	peterson_step(s, m, false);
}

static void petersons_lock(void **state)
{
	struct setup good = {.body = {peterson, peterson}, .strands = 2};
	struct setup bad = {.body = {peterson_broken, peterson_broken},
			    .strands = 2};
	struct explore_answer a = ask(&good);

	(void)state;
	assert_true(a.complete);
	assert_false(a.broken);
	explore_answer_free(&a);
	a = ask(&bad);
	assert_true(a.broken);
	assert_string_equal(a.why, "two inside");
	replays(&bad, &a);
	explore_answer_free(&a);
}

/* Tickets: waiting for a word, three at a time. */
static void ticket(struct strand *s, void *shared)
{
	struct shared *m = shared;
	u32 mine = line_xadd32(s, &m->line[0], &m->word32[0], 1), now_serving;

	while ((now_serving = line_load32(s, &m->line[1], &m->word32[1])) !=
	       mine)
		line_wait(s, &m->line[1], &m->word32[1], now_serving, false);
	critical(s, m);
	line_xadd32(s, &m->line[1], &m->word32[1], 1);
}

/* The one who leaves forgets to serve the next. */
static void ticket_lost(struct strand *s, void *shared)
{
	struct shared *m = shared;
	u32 mine = line_xadd32(s, &m->line[0], &m->word32[0], 1), now_serving;

	while ((now_serving = line_load32(s, &m->line[1], &m->word32[1])) !=
	       mine)
		line_wait(s, &m->line[1], &m->word32[1], now_serving, false);
	if (mine != 1)
		line_xadd32(s, &m->line[1], &m->word32[1], 1);
}

static void ticket_lock(void **state)
{
	struct setup good = {.body = {ticket, ticket, ticket}, .strands = 3};
	struct setup bad = {.body = {ticket_lost, ticket_lost, ticket_lost},
			    .strands = 3};
	struct explore_answer a = ask(&good);

	(void)state;
	assert_true(a.complete);
	assert_false(a.broken);
	explore_answer_free(&a);
	a = ask(&bad);
	assert_true(a.broken);
	assert_string_equal(a.why, "deadlock");
	replays(&bad, &a);
	explore_answer_free(&a);
}

/* A look, and then a wait for a write that came in between. */
static void sleeper(struct strand *s, void *shared)
{
	struct shared *m = shared;

	if (!line_load32(s, &m->line[0], &m->word32[0])) {
		u32 seen = line_load32(s, &m->line[1], &m->word32[1]);

		line_wait(s, &m->line[1], &m->word32[1], seen, false);
	}
}

static void sleeper_right(struct strand *s, void *shared)
{
	struct shared *m = shared;
	u32 seen = line_load32(s, &m->line[1], &m->word32[1]);

	if (!line_load32(s, &m->line[0], &m->word32[0]))
		line_wait(s, &m->line[1], &m->word32[1], seen, false);
}

static void waker(struct strand *s, void *shared)
{
	struct shared *m = shared;

	line_store32(s, &m->line[0], &m->word32[0], 1);
	line_xadd32(s, &m->line[1], &m->word32[1], 1);
}

static void lost_wakeup(void **state)
{
	struct setup bad = {.body = {sleeper, waker}, .strands = 2};
	struct setup good = {.body = {sleeper_right, waker}, .strands = 2};
	struct explore_answer a = ask(&bad);

	(void)state;
	assert_true(a.broken);
	replays(&bad, &a);
	explore_answer_free(&a);
	a = ask(&good);
	assert_true(a.complete && !a.broken);
	explore_answer_free(&a);
}

static void take_fork(struct strand *s, struct shared *m, u32 fork)
{
	while (line_cmpxchg32(s, &m->line[fork], &m->word32[fork], 0, 1))
		line_wait(s, &m->line[fork], &m->word32[fork], 1, false);
}

static void dine(struct strand *s, struct shared *m, u32 first, u32 second)
{
	take_fork(s, m, first);
	take_fork(s, m, second);
	line_store32(s, &m->line[second], &m->word32[second], 0);
	line_store32(s, &m->line[first], &m->word32[first], 0);
}

static void philosopher(struct strand *s, void *m)
{
	dine(s, m, s->id, (s->id + 1) % 3);
}

static void left_handed(struct strand *s, void *m)
{
	dine(s, m, (s->id + 1) % 3, s->id);
}

static void dining_philosophers(void **state)
{
	struct setup bad = {.body = {philosopher, philosopher, philosopher},
			    .strands = 3};
	struct setup good = {.body = {philosopher, philosopher, left_handed},
			     .strands = 3};
	struct explore_answer a = ask(&bad);

	(void)state;
	assert_true(a.broken);
	assert_string_equal(a.why, "deadlock");
	replays(&bad, &a);
	explore_answer_free(&a);
	a = ask(&good);
	assert_true(a.complete && !a.broken);
	explore_answer_free(&a);
}

/* An interrupt that arrives before or after the look for it. */
static void interruptee(struct strand *s, void *shared)
{
	struct shared *m = shared;

	while (!interrupted(s) &&
	       line_wait(s, &m->line[0], &m->word32[0], 0, true))
		;
	interrupt_done(s);
}

static struct strand *target_of_interrupts;

static void interrupter(struct strand *s, void *shared)
{
	(void)shared;
	interrupt(s, target_of_interrupts, 0);
}

static bool begin_interrupts(void *ctx, struct machine *machine)
{
	struct setup *p = ctx;

	memset(&p->m, 0, sizeof(p->m));
	target_of_interrupts = machine_strand(machine, 0, interruptee, &p->m);
	return machine_strand(machine, 1, interrupter, &p->m) != NULL;
}

static void interrupts_end_waits(void **state)
{
	struct setup p = {.strands = 2};
	const struct explore_program program = {.ctx = &p,
						.begin = begin_interrupts,
						.check = exclusive,
						.end = end};
	const struct explore_bounds bounds = {.preemptions = -1};
	struct explore_answer a;

	(void)state;
	explore(&program, &bounds, &a);
	assert_true(a.complete && !a.broken);
	assert_int_equal(a.executions, 2);
	explore_answer_free(&a);
}

/* Two that spin for each other never end: cut, and said so. */
static void spinner(struct strand *s, void *m)
{
	while (!get(s, m, (int)(1 - s->id)))
		;
	set(s, m, (int)s->id, 1);
}

static void bounds_are_told(void **state)
{
	struct setup p = {.body = {spinner, spinner}, .strands = 2};
	struct explore_answer a = ask_within(&p, 30);

	(void)state;
	assert_false(a.broken);
	assert_false(a.complete);
	assert_true(a.cut > 0);
	explore_answer_free(&a);
}

/* ---------------------------------------------------- plain enumeration */

/* A random program: per strand a few operations on few words. */
enum { OPS = 4 };

struct random_program {
	struct setup setup;
	unsigned char op[3][OPS]; /* word and kind */
};

static struct random_program *current; /* of strands, which get the words */

static void random_body(struct strand *s, void *shared)
{
	for (int i = 0; i < OPS; i++) {
		unsigned char op = current->op[s->id][i];

		if (op == 0xff)
			return;
		switch (op >> 4) {
		case 0:
			get(s, shared, op & 3);
			break;
		case 1:
			set(s, shared, op & 3, s->id);
			break;
		default:
			add(s, shared, op & 3, 1);
		}
	}
}

/*
 * An order as its dependences: for each pair of operations that depend on
 * each other which one came first.  Orders with the same text are the same.
 */
struct order {
	struct pending did[3 * OPS];
	u8 strand[3 * OPS], nth[3 * OPS];
	u32 n, count[3];
};

static void describe(const struct order *o, char *text)
{
	/* in the order of (strand, nth), whatever the order was */
	for (u32 a = 0; a < 3 * OPS; a++) {
		for (u32 b = 0; b < 3 * OPS; b++) {
			int at = -1, bt = -1;

			for (u32 i = 0; i < o->n; i++) {
				u32 id = o->strand[i] * (u32)OPS + o->nth[i];

				at = id == a ? (int)i : at;
				bt = id == b ? (int)i : bt;
			}
			*text++ =
				at < 0 || bt < 0 || a / OPS == b / OPS ||
						!explore_dependent(&o->did[at],
								   &o->did[bt])
					? '-'
				: at < bt ? '<'
					  : '>';
		}
	}
	*text = '\0';
}

enum { TEXT = 9 * OPS * OPS + 1, MOST_ORDERS = 20000 };

struct enumeration {
	char (*text)[TEXT];
	u32 distinct;
	u64 orders;
};

static void note(struct enumeration *e, const struct order *o)
{
	char text[TEXT];

	describe(o, text);
	e->orders++;
	for (u32 i = 0; i < e->distinct; i++)
		if (strcmp(e->text[i], text) == 0)
			return;
	assert_true(e->distinct < MOST_ORDERS);
	strcpy(e->text[e->distinct++], text);
}

/* All orders, by running each prefix again and trying every strand. */
static void enumerate(struct enumeration *e, struct random_program *p,
		      const struct order *prefix)
{
	struct explore_machine *m = explore_machine_new();
	u32 enabled;

	assert_non_null(m);
	m->counting = p->setup.counting;
	assert_true(begin(&p->setup, &m->base));
	explore_machine_start(m);
	for (u32 i = 0; i < prefix->n; i++)
		explore_machine_step(m, prefix->strand[i]);
	enabled = explore_machine_enabled(m);
	if (!enabled)
		note(e, prefix);
	for (u32 i = 0; i < 3; i++) {
		struct order longer = *prefix;

		if (!(enabled & 1u << i))
			continue;
		longer.did[longer.n] = m->strand[i].next;
		longer.strand[longer.n] = (u8)i;
		longer.nth[longer.n++] = (u8)longer.count[i]++;
		enumerate(e, p, &longer);
	}
	explore_machine_free(m);
}

static unsigned int draw(u64 *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)(*seed >> 33);
}

static void make_random(struct random_program *p, u64 *seed)
{
	*p = (struct random_program){
		.setup = {.body = {random_body, random_body, random_body},
			  .strands = 2 + draw(seed) % 2},
	};
	for (u32 i = 0; i < p->setup.strands; i++) {
		/* 3 x 3 have 1680 orders, 2 x 4 have 70 */
		u32 n = p->setup.strands == 2 ? OPS : 1 + draw(seed) % 3;

		memset(p->op[i], 0xff, OPS);
		for (u32 k = 0; k < n; k++)
			p->op[i][k] = (unsigned char)(draw(seed) % 3 << 4 |
						      draw(seed) % 3);
	}
}

static void as_many_orders_as_traces(u32 counting, u64 *total)
{
	struct enumeration e = {.text = calloc(MOST_ORDERS, TEXT)};
	struct random_program p;
	u64 seed = 42, all = 0, traces = 0;

	assert_non_null(e.text);
	current = &p;
	for (int i = 0; i < 60; i++) {
		const struct order none = {0};
		struct explore_answer a;

		make_random(&p, &seed);
		p.setup.counting = counting;
		e.distinct = 0;
		e.orders = 0;
		enumerate(&e, &p, &none);
		a = ask(&p.setup);
		assert_true(a.complete && !a.broken);
		assert_int_equal(a.executions, e.distinct);
		all += e.orders;
		traces += e.distinct;
		explore_answer_free(&a);
	}
	/* or nothing was reduced, and nothing shown */
	assert_true(all > 3 * traces);
	free(e.text);
	*total = traces;
}

static void as_many_orders_as_there_are_traces(void **state)
{
	u64 all, counting;

	(void)state;
	as_many_orders_as_traces(0, &all);
	/* Additions commute: the same programs have fewer. */
	as_many_orders_as_traces(1u << LINE_XADD64, &counting);
	assert_true(counting < all);
}

/* ------------------------------------------------ plain accesses, waiting */

/* Published before it is filled, as an entry before the type of its page. */
static void publish_early(struct strand *s, void *shared)
{
	struct shared *m = shared;

	set(s, m, 0, 1);
	add(s, m, 1, 1);
	plain_access(s, &m->lost, sizeof(m->lost), true);
	m->lost = 0;
}

static void look_early(struct strand *s, void *shared)
{
	struct shared *m = shared;

	if (!get(s, m, 0))
		return;
	plain_access(s, &m->lost, sizeof(m->lost), false);
	if (m->lost)
		m->most = 2;
}

static void fill_later(struct strand *s, void *shared)
{
	((struct shared *)shared)->lost = 1;
	publish_early(s, shared);
}

static void plain_accesses_are_choices(void **state)
{
	struct setup p = {.body = {fill_later, look_early}, .strands = 2};
	struct explore_answer a = ask(&p);

	(void)state;
	assert_true(a.broken);
	replays(&p, &a);
	explore_answer_free(&a);
}

/* Tries until the word is 0, and does so without end when it stays. */
static void try_again(struct strand *s, void *shared)
{
	struct shared *m = shared;
	struct obstacle o = {"word", &m->word[0], sizeof(m->word[0]), 0, 1};

	while (get(s, m, 0))
		explore_await(s, &o, false);
	critical(s, m);
}

static void hold(struct strand *s, void *shared)
{
	set(s, shared, 0, 1);
	set(s, shared, 0, 0);
}

static void hold_for_ever(struct strand *s, void *shared)
{
	set(s, shared, 0, 1);
}

static const char *livelock(void *ctx, enum machine_end how)
{
	(void)ctx;
	return how == MACHINE_LIVELOCK ? "livelock"
	       : how == MACHINE_DONE   ? NULL
				       : "another end";
}

static struct explore_answer ask_livelock(body_fn *holder)
{
	struct setup p = {.body = {holder, try_again}, .strands = 2};
	const struct explore_program program = {
		.ctx = &p, .begin = begin, .check = livelock, .end = end};
	const struct explore_bounds bounds = {.preemptions = -1, .steps = 100};
	struct explore_answer a;

	explore(&program, &bounds, &a);
	return a;
}

static void who_waits_in_vain_is_a_livelock(void **state)
{
	struct explore_answer a = ask_livelock(hold);

	(void)state;
	assert_true(a.complete && !a.broken);
	assert_int_equal(a.cut, 0);
	explore_answer_free(&a);
	a = ask_livelock(hold_for_ever);
	assert_true(a.broken);
	assert_string_equal(a.why, "livelock");
	explore_answer_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(petersons_lock),
		cmocka_unit_test(ticket_lock),
		cmocka_unit_test(lost_wakeup),
		cmocka_unit_test(dining_philosophers),
		cmocka_unit_test(interrupts_end_waits),
		cmocka_unit_test(bounds_are_told),
		cmocka_unit_test(as_many_orders_as_there_are_traces),
		cmocka_unit_test(plain_accesses_are_choices),
		cmocka_unit_test(who_waits_in_vain_is_a_livelock),
	};

	return cmocka_run_group_tests_name("explore", tests, NULL, NULL);
}
