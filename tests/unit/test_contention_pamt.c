/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Collisions on physical pages (facts 10.2): what a call does to the PAMT
 * entry of a page while another has hold of that page, or of a page inside
 * the same 2 MiB.  The first call is stopped before each of its atomic
 * operations, where the second runs as a whole.
 *
 * TD 0 owns what has an owner; whoever comes with a page of its own comes
 * from TD 1, so that the two meet at the page and nowhere else.  Both TDs are
 * not running yet: there nothing has to be blocked before it is removed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/contention.h"

enum role {
	R4S, /* 4K shared, by a walk */
	R4X, /* 4K exclusive, by a walk */
	R4I, /* 4K exclusive, no parents */
	R2X, /* 2M exclusive, by a walk and a promotion */
	R2I, /* 2M exclusive, no parents */
	NR_ROLES
};

static const char *const role_name[NR_ROLES] = {"4s", "4x", "4i", "2x", "2i"};

/* What the page has to be for the call to take its lock. */
enum needs { ANY, FREE, MAPPED, SEPT, BIG };

struct actor {
	enum who who;
	enum role role;
	enum needs needs;
	u32 operand;
};

static const struct actor actors[] = {
	{WI, R4S, ANY, OPERAND_RCX},	{RD, R4S, ANY, OPERAND_RCX},
	{AU, R4X, ANY, OPERAND_R8},	{SA, R4X, ANY, OPERAND_R8},
	{RC, R4X, ANY, OPERAND_RCX},	{RL, R4X, ANY, OPERAND_R8},
	{RM, R4I, MAPPED, OPERAND_RCX}, {SR, R4I, SEPT, OPERAND_RCX},
	{RL, R4I, MAPPED, OPERAND_RCX}, {AU, R2X, ANY, OPERAND_R8},
	{RC, R2X, BIG, OPERAND_RCX},	{RM, R2I, BIG, OPERAND_RCX},
	{DM, R2I, BIG, OPERAND_RCX},	{PR, R2I, FREE, OPERAND_RCX},
};

#define NR_ACTORS (sizeof(actors) / sizeof(*actors))

/*
 * Rows: who is there; columns: who comes.  4K roles are on one page, 2M roles
 * on the 2 MiB around it.  '!' busy, '.' not, '-' cannot be had.
 */
static const char table[NR_ROLES][NR_ROLES + 1] = {
	/*        4s   4x   4i   2x   2i */
	[R4S] = "."
		"!"
		"!"
		"!"
		"!",
	[R4X] = "!"
		"!"
		"!"
		"!"
		"!",
	[R4I] = "!"
		"!"
		"-"
		"."
		"-",
	[R2X] = "!"
		"!"
		"."
		"!"
		"!",
	[R2I] = "!"
		"!"
		"-"
		"!"
		"-",
};

static const char *const unreachable[] = {
	"4i before 4i, 2i before 2i: the same S-EPT entry is locked first",
	"4i before 2i, 2i before 4i: a page mapped as 2M has no 4K owner",
};

#define BIG_PAGE   0x170000000ull
#define SMALL_PAGE (BIG_PAGE + 0x5000)
/* How far the second call's entry is from that of the first. */
#define APART_4K 0x4000ull
#define APART_2M 0x400000ull
#define CHILDREN 0x200000ull /* a range with a level-1 table */

struct meeting {
	const struct actor *first, *second;
	bool busy; /* seen at some point */
	char wrong[160];
	unsigned points;
};

static bool is_big(const struct actor *a)
{
	return a->role == R2X || a->role == R2I;
}

/* The stricter of the two says what the page is. */
static enum needs needs_of(const struct meeting *m)
{
	if (m->first->needs > FREE)
		return m->first->needs;
	if (m->second->needs > FREE)
		return m->second->needs;
	return m->first->needs == FREE || m->second->needs == FREE ? FREE : ANY;
}

static void run_on(struct scene *s, enum who who, u32 td, u64 gpa,
		   enum tdx_level level, u64 page)
{
	struct act act = scene_act(s, who, td, gpa, level, 0);
	tdx_status status;

	if (page)
		act.page = HPA(page);
	status = scene_run(s, &act, &s->w.host);
	if (status)
		fail_msg("set-up: %s: 0x%llx", who_name[who],
			 (unsigned long long)status);
}

static void trees(struct scene *s, u32 td)
{
	run_on(s, SA, td, 0, LEVEL_512G, 0);
	run_on(s, SA, td, 0, LEVEL_1G, 0);
	run_on(s, SA, td, CHILDREN, LEVEL_2M, 0);
	run_on(s, AU, td, CHILDREN, LEVEL_4K, 0);
	run_on(s, AU, td, CHILDREN + APART_4K, LEVEL_4K, 0);
}

static bool with(const struct meeting *m, enum who who)
{
	return m->first->who == who || m->second->who == who;
}

/* PROMOTE works on pages that are free as 2M and mapped as 4K. */
static void set_up(struct scene *s, const struct meeting *m)
{
	scene_open(s);
	scene_td(s, 0, STATE_INITIALIZED);
	scene_td(s, 1, STATE_INITIALIZED);
	trees(s, 0);
	trees(s, 1);
	if (with(m, PR)) {
		run_on(s, AU, 0, 0, LEVEL_2M, BIG_PAGE);
		run_on(s, DM, 0, 0, LEVEL_2M, 0);
		return;
	}
	switch (needs_of(m)) {
	case MAPPED:
		run_on(s, AU, 0, CHILDREN + 0x1000, LEVEL_4K, SMALL_PAGE);
		break;
	case SEPT:
		run_on(s, SA, 0, 0, LEVEL_2M, SMALL_PAGE);
		break;
	case BIG:
		run_on(s, AU, 0, 0, LEVEL_2M, BIG_PAGE);
		break;
	default:
		break;
	}
}

/* Who owns what it works on, and who brings a page to another TD. */
static struct act make_act(struct scene *s, const struct actor *a, bool second)
{
	const bool owner = a->role == R4I || a->role == R2I;
	enum tdx_level level = is_big(a) ? LEVEL_2M : LEVEL_4K;
	u64 gpa = is_big(a) || a->who == SA || a->who == SR ? 0 : CHILDREN;
	struct act act;

	if (a->who == SA || a->who == SR)
		level = LEVEL_2M;
	if (a->who == AU && !is_big(a))
		gpa += 0x2000;
	if (a->role == R4I && a->who != SR)
		gpa += 0x1000;
	if (!owner && second)
		gpa += level == LEVEL_2M ? APART_2M : APART_4K;
	act = scene_act(s, a->who, owner ? 0 : 1, gpa, level, 0);
	if (!owner || a->who == WI || a->who == RD)
		act.page = HPA(is_big(a) ? BIG_PAGE : SMALL_PAGE);
	return act;
}

static bool run_point(struct meeting *m, u64 at)
{
	const tdx_status busy = TDX_OPERAND_BUSY | m->second->operand;
	struct act first, second;
	char point[32] = "its end";
	enum step_end end;
	struct scene s;

	set_up(&s, m);
	first = make_act(&s, m->first, false);
	second = make_act(&s, m->second, true);
	end = world_start(&s.w, &s.w.host, act_job, &first, at, point);
	scene_run(&s, &second, &s.w.other);
	m->points++;
	m->busy |= second.status == busy;
	if (busy_class(second.status) && second.status != busy)
		snprintf(m->wrong, sizeof(m->wrong), "0x%llx at %s",
			 (unsigned long long)second.status, point);
	if (end == STEP_PAUSED && !world_finish(&s.w, &s.w.host))
		snprintf(m->wrong, sizeof(m->wrong), "halt %s at %s", s.w.halt,
			 point);
	scene_close(&s);
	return end == STEP_PAUSED;
}

static bool meeting_holds(struct meeting *m)
{
	const char cell = table[m->first->role][m->second->role];
	u64 at = 0;

	while (run_point(m, at))
		at = scene_next(m->first->who, at);
	if (m->busy == (cell == '!') && !m->wrong[0])
		return true;
	print_message("%s(%s) before %s(%s): expected %c, busy %d %s\n",
		      who_name[m->first->who], role_name[m->first->role],
		      who_name[m->second->who], role_name[m->second->role],
		      cell, m->busy, m->wrong);
	return false;
}

/* Two calls that need the page in different states can't meet there. */
static bool can_meet(const struct meeting *m)
{
	const enum needs a = m->first->needs, b = m->second->needs;

	if (table[m->first->role][m->second->role] == '-')
		return false;
	/* The page that PROMOTE merges is mapped, though not by TD 1. */
	if (a > ANY && b > ANY && a != b)
		return false;
	return !(m->first->who == PR && m->second->who == PR);
}

static void test_pages(void **state)
{
	unsigned tested = 0, wrong = 0, apart = 0, points = 0;
	size_t i, j;

	(void)state;
	for (i = 0; i < NR_ACTORS; i++) {
		for (j = 0; j < NR_ACTORS; j++) {
			struct meeting m = {.first = &actors[i],
					    .second = &actors[j]};

			if (!can_meet(&m)) {
				apart++;
				continue;
			}
			tested++;
			wrong += !meeting_holds(&m);
			points += m.points;
		}
	}
	print_message("%u pairs over %u points, %u pairs can't meet\n", tested,
		      points, apart);
	for (i = 0; i < sizeof(unreachable) / sizeof(*unreachable); i++)
		print_message("  not reachable: %s\n", unreachable[i]);
	assert_int_equal(wrong, 0);
}

/* ------------------------------------------------- a vCPU in the way */

/* A vCPU in the guest has the 2 MiB around its TDVPR shared, all the time. */
static void test_tdvpr_neighbours(void **state)
{
	struct act aug;
	struct scene s;
	int inside;

	(void)state;
	scene_open(&s);
	scene_td(&s, 0, STATE_RUNNABLE);
	scene_tree(&s, false);
	for (inside = 1; inside >= 0; inside--) {
		if (inside)
			scene_enter(&s, 0);
		else
			scene_exit(&s, 0);
		aug = scene_act(&s, AU, 0, 0, LEVEL_2M, 0);
		aug.page = world_tdvpr(&s.w.td[0], 0);
		assert_int_equal(scene_run(&s, &aug, &s.w.host),
				 inside ? TDX_OPERAND_BUSY | OPERAND_R8
					: TDX_PAGE_METADATA_INCORRECT |
						  OPERAND_R8);
	}
	scene_close(&s);
}

/* Flushing two pages of one 2 MiB never collides. */
static void test_neighbours_share(void **state)
{
	static const enum who pair[][2] = {
		{WI, WI}, {WI, AU}, {AU, WI}, {AU, AU},
		{SA, AU}, {RD, SA}, {AU, RD},
	};
	size_t i;
	u64 at;

	(void)state;
	for (i = 0; i < sizeof(pair) / sizeof(*pair); i++) {
		for (at = 0;; at++) {
			struct actor a = {pair[i][0], R4X, ANY, 0};
			struct actor b = {pair[i][1], R4X, ANY, 0};
			struct meeting m = {.first = &a, .second = &b};
			struct act first, second;
			enum step_end end;
			struct scene s;
			char point[32];

			set_up(&s, &m);
			first = make_act(&s, &a, false);
			second = make_act(&s, &b, true);
			second.page.v += 0x1000;
			second.tdr = s.w.td[0].tdr;
			end = world_start(&s.w, &s.w.host, act_job, &first, at,
					  point);
			assert_int_equal(scene_run(&s, &second, &s.w.other), 0);
			if (end == STEP_PAUSED)
				assert_true(world_finish(&s.w, &s.w.host));
			if (first.who != RD && first.who != WI)
				assert_int_equal(first.status, 0);
			scene_close(&s);
			if (end != STEP_PAUSED)
				break;
		}
		assert_true(at >= 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_tdvpr_neighbours),
		cmocka_unit_test(test_neighbours_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
