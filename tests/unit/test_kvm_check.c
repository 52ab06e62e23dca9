/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is looked at in the guest's memory, on memory of this program, and what
 * must be there by the scripts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bench/scenario.h"
#include "guest-agent/image/check.c"
#include "kvm/check.h"

enum { PAGES = 8 };

/* ------------------------------------------------------------ the agent's */

static enum agent_result accept(uint64_t gpa, unsigned level)
{
	(void)gpa;
	(void)level;
	return AGENT_OK;
}

static const struct world world = {.accept = accept};

struct guest {
	struct vcpu vcpu;
	uint64_t *page; /* PAGES of them */
	struct agent_op op;
};

static int set_up(void **state)
{
	struct guest *g = calloc(1, sizeof(*g));

	g->vcpu.world = &world;
	g->vcpu.salt = 12345;
	g->page = aligned_alloc(PAGE_BYTES, PAGES * PAGE_BYTES);
	memset(g->page, 0, PAGES * PAGE_BYTES);
	g->op = (struct agent_op){.opcode = AGENT_TOUCH,
				  .count = PAGES,
				  .gpa = (uintptr_t)g->page,
				  .stride = PAGE_BYTES};
	*state = g;
	return 0;
}

static int tear_down(void **state)
{
	struct guest *g = *state;

	free(g->page);
	free(g);
	return 0;
}

static void touch(struct guest *g, unsigned page)
{
	uint64_t *at = g->page + page * WORDS;

	*at = (uintptr_t)at | 1;
	check_touched(&g->vcpu, (uintptr_t)at);
}

static const struct agent_check *end(struct guest *g)
{
	check_script(&g->vcpu, &g->op, 1);
	return &g->vcpu.check;
}

static void touch_all(struct guest *g)
{
	for (unsigned i = 0; i < PAGES; i++)
		touch(g, i);
}

static void fresh_pages_hold(void **state)
{
	struct guest *g = *state;
	const struct agent_check *c;

	touch_all(g);
	touch(g, 0); /* as it was left */
	c = end(g);
	assert_int_equal(c->touches, PAGES + 1);
	assert_int_equal(c->fresh, PAGES);
	assert_int_equal(c->stale, 0);
	assert_int_equal(c->pages, PAGES);
	assert_int_equal(c->held, PAGES);
	assert_int_equal(c->zero + c->damaged, 0);
}

static void removed_pages_are_zero(void **state)
{
	struct guest *g = *state;
	const struct agent_check *c;

	touch_all(g);
	memset(g->page, 0, 3 * PAGE_BYTES);
	touch(g, 2); /* fresh again */
	c = end(g);
	assert_int_equal(c->fresh, PAGES + 1);
	assert_int_equal(c->zero, 2);
	assert_int_equal(c->held, PAGES - 2);
	assert_int_equal(c->damaged, 0);
}

/* What a page has that was another's, or another VM's, before. */
static void stale_pages_are_seen(void **state)
{
	struct guest *g = *state;

	touch_all(g);
	memcpy(g->page, g->page + WORDS, PAGE_BYTES);
	touch(g, 0);
	assert_int_equal(g->vcpu.check.stale, 1);
	g->vcpu.salt++;
	touch(g, 1);
	assert_int_equal(g->vcpu.check.stale, 2);
}

static void each_word_counts(void **state)
{
	struct guest *g = *state;
	unsigned i;

	for (i = 0; i < WORDS; i++) {
		touch(g, 0);
		g->page[i] ^= 4;
		assert_int_equal(read_page(&g->vcpu, g->op.gpa), DAMAGED);
		memset(g->page, 0, PAGE_BYTES);
	}
}

/* Taken away between the touch and what follows it. */
static void half_a_touch_is_no_damage(void **state)
{
	struct guest *g = *state;
	const struct agent_check *c;

	touch_all(g);
	g->page[0] = 0;
	c = end(g);
	assert_int_equal(c->held, PAGES - 1);
	assert_int_equal(c->zero + c->damaged, 0);
}

static void other_operations_are_not_read(void **state)
{
	struct guest *g = *state;

	g->op.flags = AGENT_UNTIL_STOP;
	assert_int_equal(end(g)->pages, 0);
	g->op.opcode = AGENT_CONVERT;
	assert_int_equal(end(g)->pages, 0);
}

/* -------------------------------------------------------------- the rules */

static const struct agent_op touches = {
	.opcode = AGENT_TOUCH, .count = PAGES, .stride = PAGE_BYTES};
static const struct agent_op converts = {
	.opcode = AGENT_CONVERT, .count = PAGES / 2, .stride = PAGE_BYTES};
static const struct agent_op meets = {.opcode = AGENT_BARRIER};
static const struct agent_op spins = {.opcode = AGENT_SPIN};
static const struct host_op host_meets = {.opcode = HOST_BARRIER};
static const struct host_op punches = {.opcode = HOST_PUNCH, .pages = 2};

static const struct agent_check all_held = {
	.touches = PAGES, .fresh = PAGES, .pages = PAGES, .held = PAGES};
static const struct agent_check two_zero = {.touches = PAGES,
					    .fresh = PAGES,
					    .pages = PAGES,
					    .held = PAGES - 2,
					    .zero = 2};

/* A script of one vCPU, and of one host thread, each ended by opcode 0. */
struct rule {
	struct agent_op vcpu[6];
	struct host_op host[4];
	bool td;
	bool held, zero; /* may it be so? */
};

static bool holds(const struct rule *rule, const struct agent_check *seen)
{
	struct scenario s;
	struct page_rules *rules;
	char why[256];
	bool good;
	unsigned i;

	assert_true(scenario_init(&s, 1, 1, 1));
	s.pages = PAGES;
	for (i = 0; rule->vcpu[i].opcode != AGENT_END; i++)
		scenario_vcpu(&s, 0, 0, rule->vcpu[i]);
	for (i = 0; rule->host[i].opcode != HOST_END; i++)
		scenario_host(&s, 0, rule->host[i]);
	rules = page_rules_new(&s, rule->td);
	good = page_rules_hold(rules, 0, seen, why, sizeof(why));
	page_rules_free(rules);
	scenario_free(&s);
	return good;
}

static void scripts_make_rules(void **state)
{
	const struct rule rows[] = {
		{{touches}, {host_meets}, false, true, false},
		/* Removed behind the set-up, and before the end. */
		{{touches, meets, spins},
		 {host_meets, punches},
		 false,
		 false,
		 true},
		/* The vCPU does not wait for it. */
		{{touches, meets}, {host_meets, punches}, false, true, true},
		/* Nobody knows which was first. */
		{{touches, meets, spins}, {punches}, false, true, true},
		{{meets, touches, spins},
		 {host_meets, punches},
		 false,
		 true,
		 true},
		/* Converted and touched again, or not. */
		{{converts, touches}, {host_meets}, false, true, false},
		{{touches, converts}, {host_meets}, false, true, true},
		/* Not accepted, so not written. */
		{{touches}, {host_meets}, true, true, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (holds(&rows[i], &all_held) != rows[i].held ||
		    holds(&rows[i], &two_zero) != rows[i].zero)
			fail_msg("row %zu", i);
	}
}

static void lies_are_seen(void **state)
{
	const struct rule rule = {.vcpu = {touches}, .host = {host_meets}};
	struct agent_check c = all_held;

	(void)state;
	assert_true(holds(&rule, &c));
	c.stale = 1;
	assert_false(holds(&rule, &c));
	c = all_held;
	c.damaged = 1;
	assert_false(holds(&rule, &c));
	c = all_held;
	c.fresh = UINT64_MAX;
	assert_false(holds(&rule, &c));
	c = all_held;
	c.held = UINT64_MAX;
	assert_false(holds(&rule, &c));
	c = all_held;
	c.pages = c.held = PAGES - 1;
	assert_false(holds(&rule, &c));
	memset(&c, 0xff, sizeof(c));
	assert_false(holds(&rule, &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fresh_pages_hold, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(removed_pages_are_zero, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(stale_pages_are_seen, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(each_word_counts, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(half_a_touch_is_no_damage,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_operations_are_not_read,
						set_up, tear_down),
		cmocka_unit_test(scripts_make_rules),
		cmocka_unit_test(lies_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
