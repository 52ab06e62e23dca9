/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two TDs that have nothing in common but the table of keys: the cells with a
 * star of facts 10.1, MNG.CREATE, and CACHE.WB on one package and on two.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/contention.h"

/* VPFLUSHDONE and, for FREEID, a whole write-back. */
static void set_up(struct scene *s, enum who first, enum who second)
{
	const enum who who[2] = {first, second};
	u32 td;

	scene_open(s);
	for (td = 0; td < 2; td++) {
		struct act act = {.who = FD};

		scene_td(s, td, STATE_RUNNABLE);
		if (who[td] != FI)
			continue;
		act.tdr = s->w.td[td].tdr;
		assert_int_equal(scene_run(s, &act, &s->w.host), 0);
		act.who = CW;
		assert_int_equal(scene_run(s, &act, &s->w.host), 0);
	}
}

/* How often the second is busy with the KOT over all points of the first. */
static unsigned meet(enum who first, enum who second, unsigned *other)
{
	enum step_end end = STEP_PAUSED;
	unsigned busy = 0;
	u64 at;

	*other = 0;
	for (at = 0; end == STEP_PAUSED; at++) {
		struct act a, b;
		struct scene s;
		char point[32];
		u64 before, after;

		set_up(&s, first, second);
		a = scene_act(&s, first, 0, 0, LEVEL_4K, 0);
		b = scene_act(&s, second, 1, 0, LEVEL_4K, 0);
		end = world_start(&s.w, &s.w.host, act_job, &a, at, point);
		before = scene_raw(&s, TDX_KOT, 0, 0, LEVEL_4K);
		scene_run(&s, &b, &s.w.other);
		after = scene_raw(&s, TDX_KOT, 0, 0, LEVEL_4K);
		if (b.status == (TDX_OPERAND_BUSY | OPERAND_KOT)) {
			busy++;
			/* A failed shared try leaves its count. */
			assert_int_equal(after,
					 before + (second == CW ? 2 : 0));
		} else if (busy_class(b.status)) {
			++*other;
		}
		if (end == STEP_PAUSED)
			assert_true(world_finish(&s.w, &s.w.host));
		assert_false(busy_class(a.status));
		assert_int_equal(scene_raw(&s, TDX_KOT, 0, 0, LEVEL_4K), 0);
		scene_close(&s);
	}
	return busy;
}

static void test_two_tds(void **state)
{
	static const enum who who[] = {FD, FI, MC, CW};
	size_t i, j;

	(void)state;
	for (i = 0; i < 4; i++) {
		for (j = 0; j < 4; j++) {
			const bool both_wb = who[i] == CW && who[j] == CW;
			unsigned other;
			unsigned busy = meet(who[i], who[j], &other);

			if ((busy > 0) == both_wb || (other > 0) != both_wb)
				fail_msg("%s before %s: %u times KOT, %u other",
					 who_name[who[i]], who_name[who[j]],
					 busy, other);
		}
	}
}

/* ---------------------------------------------------------- two packages */

struct pair {
	struct tdx_module *module;
	struct machine *machine;
	struct lp lp[2];
	struct strand *strand[2];
	tdx_status status[2];
};

static void wb(struct strand *s, void *arg)
{
	struct pair *p = arg;
	const int i = s == p->strand[1];

	p->status[i] = tdh_phymem_cache_wb(&p->lp[i], 0);
}

static void pair_open(struct pair *p, u32 packages)
{
	const struct step_config config = {.max_strands = 2};
	const struct tdx_costs costs = {.seamcall_ps = 0};
	struct tdx_platform platform = tdx_platform_default;
	u32 i;

	memset(p, 0, sizeof(*p));
	platform.packages = packages;
	p->module = tdx_module_create(&platform, &costs);
	p->machine = step_create(&config);
	assert_non_null(p->module);
	assert_non_null(p->machine);
	for (i = 0; i < 2; i++) {
		p->strand[i] = machine_strand(p->machine, i, wb, p);
		assert_non_null(p->strand[i]);
		lp_init(&p->lp[i], p->module, p->strand[i], i, i % packages);
	}
}

static void pair_close(struct pair *p)
{
	machine_destroy(p->machine);
	tdx_module_destroy(p->module);
}

/* Points at which CACHE.WB on the second LP is busy. */
static unsigned write_back_twice(u32 packages)
{
	unsigned busy = 0;
	bool more = true;
	u64 at;

	for (at = 0; more; at++) {
		struct pair p;

		pair_open(&p, packages);
		more = step_run(p.strand[0], at) == STEP_PAUSED;
		assert_int_equal(step_run(p.strand[1], UINT64_MAX),
				 STEP_RETURNED);
		if (p.status[1] == (TDX_OPERAND_BUSY | OPERAND_WBCACHE))
			busy++;
		else
			assert_int_equal(p.status[1],
					 TDX_NO_HKID_READY_TO_WBCACHE);
		if (more)
			assert_int_equal(step_run(p.strand[0], UINT64_MAX),
					 STEP_RETURNED);
		pair_close(&p);
	}
	assert_true(at > 3);
	return busy;
}

static void test_packages(void **state)
{
	(void)state;
	assert_true(write_back_twice(1) > 0);
	assert_int_equal(write_back_twice(2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_tds),
		cmocka_unit_test(test_packages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
