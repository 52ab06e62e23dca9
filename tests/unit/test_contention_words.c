/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each kind of lock makes of its word (facts 1.1 to 1.4): leaked reader
 * counts, host priority set, cleared and surviving, and the checks that bring
 * the module down.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/contention.h"

/* s, x: host shared, exclusive; g, G: guest; S, X: release of s/g, x/G. */
struct word_step {
	char what;
	tdx_status code; /* without operand */
	u64 raw;	 /* after it, under the mask */
};

#define OK   TDX_SUCCESS
#define BUSY TDX_OPERAND_BUSY
#define PRIO TDX_OPERAND_BUSY_HOST_PRIORITY
#define EL   (1ull << 11)
#define HP   (1ull << 52)

struct word_test {
	const char *name;
	enum tdx_object object;
	u64 mask;
	struct word_step step[16]; /* ends with what == 0 */
};

#define ALL UINT64_MAX

static const struct word_test tests[] = {
	{"readers, then a writer who fails",
	 TDX_SEPT_TREE,
	 ALL,
	 {{'s', OK, 2},
	  {'s', OK, 4},
	  {'x', BUSY, 4},
	  {'S', OK, 2},
	  {'x', BUSY, 2},
	  {'S', OK, 0},
	  {'x', OK, 1},
	  {'X', OK, 0}}},
	{"failed readers stay in the count until the writer lets go",
	 TDX_EPOCH,
	 ALL,
	 {{'x', OK, 1},
	  {'s', BUSY, 3},
	  {'s', BUSY, 5},
	  {'x', BUSY, 5},
	  {'X', OK, 0},
	  {'s', OK, 2},
	  {'S', OK, 0}}},
	{"the KOT is one of the same kind",
	 TDX_KOT,
	 ALL,
	 {{'x', OK, 1},
	  {'s', BUSY, 3},
	  {'X', OK, 0},
	  {'s', OK, 2},
	  {'x', BUSY, 2},
	  {'S', OK, 0}}},
	{"a failed host writer sets priority, the next host reader clears it",
	 TDX_OP_STATE,
	 ALL,
	 {{'s', OK, 4},
	  {'x', BUSY, 6},
	  {'g', PRIO, 6},
	  {'s', OK, 8},
	  {'g', OK, 12},
	  {'S', OK, 8},
	  {'S', OK, 4},
	  {'S', OK, 0}}},
	{"priority survives the writer, the leaked count does not",
	 TDX_TDR,
	 ALL,
	 {{'x', OK, 1},
	  {'s', BUSY, 7},
	  {'g', PRIO, 7},
	  {'x', BUSY, 7},
	  {'X', OK, 2},
	  {'g', PRIO, 2},
	  {'G', PRIO, 2},
	  {'x', OK, 1},
	  {'X', OK, 0}}},
	{"a guest who fails sets no priority",
	 TDX_TDVPR,
	 ALL,
	 {{'x', OK, 1},
	  {'g', BUSY, 5},
	  {'G', BUSY, 5},
	  {'X', OK, 0},
	  {'s', OK, 4},
	  {'G', BUSY, 4},
	  {'S', OK, 0},
	  {'G', OK, 1},
	  {'X', OK, 0}}},
	{"a guest writer under writer and priority is told plain busy",
	 TDX_OP_STATE,
	 ALL,
	 {{'x', OK, 1},
	  {'s', BUSY, 7},
	  {'G', BUSY, 7},
	  {'X', OK, 2},
	  {'s', OK, 4},
	  {'S', OK, 0}}},
	{"an S-EPT entry has one holder, and priority for hosts",
	 TDX_SEPT_ENTRY,
	 EL | HP,
	 {{'x', OK, EL},
	  {'x', BUSY, EL | HP},
	  {'G', BUSY, EL | HP},
	  {'X', OK, HP},
	  {'G', PRIO, HP},
	  {'x', OK, EL},
	  {'X', OK, 0},
	  {'G', OK, EL},
	  {'G', BUSY, EL},
	  {'x', BUSY, EL | HP},
	  {'X', OK, HP},
	  {'x', OK, EL},
	  {'X', OK, 0}}},
	{"the cache lock is a mutex",
	 TDX_WBCACHE,
	 ALL,
	 {{'x', OK, 1}, {'x', BUSY, 1}, {'X', OK, 0}}},
};

static struct holder make_job(struct scene *s, enum tdx_object object,
			      char what)
{
	const struct script_td *td = &s->w.td[0];

	return (struct holder){
		.ref = {.what = object,
			.tdr = td->tdr,
			.hpa = world_tdvpr(td, 0),
			.gpa = GPA(SCENE_ENTRY),
			.level = LEVEL_2M,
			.guest = what == 'g' || what == 'G'},
		.exclusive = strchr("xGX", what),
		.release = strchr("SX", what),
	};
}

static void open_scene(struct scene *s)
{
	scene_open(s);
	scene_td(s, 0, STATE_RUNNABLE);
	scene_tree(s, false);
}

static void run_word_test(const struct word_test *test)
{
	const struct word_step *step;
	struct scene s;

	open_scene(&s);
	for (step = test->step; step->what; step++) {
		struct holder job = make_job(&s, test->object, step->what);
		u64 raw;

		assert_true(scene_hold(&s, &s.w.host, &job));
		raw = tdx_ref_raw(&s.w.host.lp, &job.ref) & test->mask;
		if ((job.status & TDX_STATUS_MASK) != step->code ||
		    raw != step->raw)
			fail_msg("%s: step %zu (%c): 0x%llx, word 0x%llx",
				 test->name, (size_t)(step - test->step),
				 step->what, (unsigned long long)job.status,
				 (unsigned long long)raw);
	}
	scene_close(&s);
}

static void test_words(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		run_word_test(&tests[i]);
}

/* To release what is not held, or not so, is more than the module bears. */
static void test_wrong_release(void **state)
{
	static const struct {
		enum tdx_object object;
		char take, release;
	} wrong[] = {
		{TDX_SEPT_TREE, 0, 'S'},   {TDX_SEPT_TREE, 0, 'X'},
		{TDX_SEPT_TREE, 's', 'X'}, {TDX_SEPT_TREE, 'x', 'S'},
		{TDX_OP_STATE, 0, 'S'},	   {TDX_OP_STATE, 0, 'X'},
		{TDX_OP_STATE, 's', 'X'},  {TDX_OP_STATE, 'x', 'S'},
		{TDX_SEPT_ENTRY, 0, 'X'},  {TDX_WBCACHE, 0, 'X'},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct holder job;
		struct scene s;

		open_scene(&s);
		if (wrong[i].take) {
			job = make_job(&s, wrong[i].object, wrong[i].take);
			assert_true(scene_hold(&s, &s.w.host, &job));
			assert_int_equal(job.status, 0);
		}
		job = make_job(&s, wrong[i].object, wrong[i].release);
		assert_false(scene_hold(&s, &s.w.host, &job));
		assert_string_not_equal(s.w.halt, "?");
		scene_close(&s);
	}
}

int main(void)
{
	const struct CMUnitTest unit[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_wrong_release),
	};

	return cmocka_run_group_tests(unit, NULL, NULL);
}
