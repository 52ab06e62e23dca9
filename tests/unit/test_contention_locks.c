/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every lock that a call takes (facts 2, 1.6 and 10.3), one at a time: while
 * somebody holds it against the call, the call is busy with that lock's
 * operand; when it is free again, the same call is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/contention.h"

/* Which page's PAMT entry. */
enum page {
	NO_PAGE,
	NEW,	/* the one that the call brings */
	MAPPED, /* what the S-EPT entry points to */
};

enum held { SH, EX, GUEST };

struct hold {
	enum who who;
	enum tdx_object what;
	enum held held;
	u32 operand;
	enum page page;
	enum tdx_level size;
};

#define TDR_EX(who, operand)                                                   \
	{                                                                      \
		who, TDX_TDR, EX, operand, NO_PAGE, 0                          \
	}
#define TDR_SH(who, operand)                                                   \
	{                                                                      \
		who, TDX_TDR, SH, operand, NO_PAGE, 0                          \
	}
#define OP_EX(who)                                                             \
	{                                                                      \
		who, TDX_OP_STATE, EX, OPERAND_OP_STATE, 0, 0                  \
	}
#define TREE(who, held)                                                        \
	{                                                                      \
		who, TDX_SEPT_TREE, held, OPERAND_SEPT_TREE, 0, 0              \
	}
#define ENTRY(who)                                                             \
	{                                                                      \
		who, TDX_SEPT_ENTRY, EX, OPERAND_RCX, 0, 0                     \
	}
#define PAMT(who, pg, sz, op)                                                  \
	{                                                                      \
		who, TDX_PAMT, SH, op, pg, sz                                  \
	}
#define MEM(who, held)                                                         \
	TDR_EX(who, OPERAND_RDX), OP_EX(who), TREE(who, held), ENTRY(who)

static const struct hold holds[] = {
	MEM(SA, EX),
	PAMT(SA, NEW, LEVEL_4K, OPERAND_R8),
	MEM(AU, EX),
	PAMT(AU, NEW, LEVEL_2M, OPERAND_R8),
	MEM(RM, EX),
	PAMT(RM, MAPPED, LEVEL_2M, OPERAND_RCX),
	MEM(PR, EX),
	PAMT(PR, MAPPED, LEVEL_4K, OPERAND_RCX),
	MEM(DM, EX),
	PAMT(DM, NEW, LEVEL_4K, OPERAND_R8),
	PAMT(DM, MAPPED, LEVEL_2M, OPERAND_RCX),
	MEM(RL, EX),
	PAMT(RL, NEW, LEVEL_4K, OPERAND_R8),
	PAMT(RL, MAPPED, LEVEL_4K, OPERAND_RCX),
	MEM(SQ, EX),
	MEM(BL, SH),
	MEM(UB, SH),
	MEM(SR, SH),
	PAMT(SR, MAPPED, LEVEL_4K, OPERAND_RCX),
	TDR_EX(TR, OPERAND_RCX),
	OP_EX(TR),
	{TR, TDX_EPOCH, SH, OPERAND_TD_EPOCH, 0, 0},
	{VE, TDX_TDVPR, EX, OPERAND_RCX, 0, 0},
	TDR_EX(VE, OPERAND_TDR),
	OP_EX(VE),
	{VE, TDX_EPOCH, EX, OPERAND_TD_EPOCH, 0, 0},
	TREE(VE, SH),
	{VF, TDX_TDVPR, SH, OPERAND_RCX, 0, 0},
	TDR_EX(VF, OPERAND_TDR),
	ENTRY(AC),
	{AC, TDX_SEPT_ENTRY, GUEST, OPERAND_RCX, 0, 0},
	ENTRY(AR),
	ENTRY(AW),
	TDR_SH(AD, OPERAND_RDX),
	PAMT(AD, NEW, LEVEL_4K, OPERAND_R8),
	TDR_SH(MX, OPERAND_RDX),
	TDR_SH(MF, OPERAND_RCX),
	TDR_SH(KC, OPERAND_RCX),
	TDR_SH(CX, OPERAND_RDX),
	PAMT(CX, NEW, LEVEL_4K, OPERAND_RCX),
	TDR_SH(MI, OPERAND_RCX),
	TDR_EX(MR, OPERAND_RCX),
	OP_EX(MR),
	PAMT(MC, NEW, LEVEL_4K, OPERAND_RCX),
	{MC, TDX_KOT, SH, OPERAND_KOT, 0, 0},
	TDR_EX(VC, OPERAND_RDX),
	OP_EX(VC),
	PAMT(VC, NEW, LEVEL_4K, OPERAND_RCX),
	{VA, TDX_TDVPR, SH, OPERAND_RDX, 0, 0},
	TDR_EX(VA, OPERAND_TDR),
	OP_EX(VA),
	{VI, TDX_TDVPR, SH, OPERAND_RCX, 0, 0},
	TDR_EX(VI, OPERAND_TDR),
	OP_EX(VI),
	{VR, TDX_TDVPR, EX, OPERAND_RCX, 0, 0},
	TDR_EX(VR, OPERAND_TDR),
	OP_EX(VR),
	{VW, TDX_TDVPR, EX, OPERAND_RCX, 0, 0},
	TDR_EX(VW, OPERAND_TDR),
	OP_EX(VW),
	TDR_SH(FD, OPERAND_RCX),
	{FD, TDX_KOT, SH, OPERAND_KOT, 0, 0},
	TDR_SH(FI, OPERAND_RCX),
	{FI, TDX_KOT, SH, OPERAND_KOT, 0, 0},
	PAMT(RC, NEW, LEVEL_4K, OPERAND_RCX),
	TDR_EX(RC, OPERAND_TDR),
	{CW, TDX_WBCACHE, EX, OPERAND_WBCACHE, 0, 0},
	{CW, TDX_KOT, EX, OPERAND_KOT, 0, 0},
	{WI, TDX_PAMT, EX, OPERAND_RCX, NEW, LEVEL_4K},
	{WI, TDX_PAMT, EX, OPERAND_RCX, NEW, LEVEL_2M},
	{WI, TDX_PAMT, EX, OPERAND_RCX, NEW, LEVEL_1G},
	{RD, TDX_PAMT, EX, OPERAND_RCX, NEW, LEVEL_4K},
};

static u64 state_for(enum who who)
{
	switch (who) {
	case AD:
	case MX:
	case MF:
	case VC:
		return STATE_INITIALIZED;
	case RC:
		return STATE_TEARDOWN;
	default:
		return STATE_RUNNABLE;
	}
}

static bool in_guest(enum who who)
{
	return who == AC || who == AR || who == AW;
}

static enum tdx_level level_for(enum who who)
{
	return who == RL || who == AD || who == MX ? LEVEL_4K : LEVEL_2M;
}

static void set_up(struct scene *s, enum who who)
{
	const u64 state = state_for(who);
	const enum tdx_level level = level_for(who);

	scene_open(s);
	scene_td(s, 0, state);
	if (state == STATE_TEARDOWN)
		return;
	scene_tree(s, level == LEVEL_4K);
	scene_program(s, scene_needs(who, state == STATE_RUNNABLE),
		      level == LEVEL_4K ? SCENE_CHILD : SCENE_ENTRY, level);
	if (who == VE)
		scene_suspect(s, 1);
	if (who == VF) {
		scene_enter(s, 0);
		scene_exit(s, 0);
	}
	if (who == FI || who == CW)
		scene_do(s, FD, 0, LEVEL_4K);
	if (who == FI)
		scene_do(s, CW, 0, LEVEL_4K);
	if (in_guest(who))
		scene_enter(s, 0);
}

static struct script_lp *place(struct scene *s, enum who who)
{
	if (who == VE || who == VF || in_guest(who))
		return &s->w.td[0].vcpu[0].lp;
	return &s->w.host;
}

static void holder_do(struct scene *s, struct holder *h, bool release)
{
	h->release = release;
	assert_true(scene_hold(s, &s->w.other, h));
	assert_int_equal(h->status, 0);
}

static struct holder make_holder(struct scene *s, const struct hold *hold,
				 const struct act *act)
{
	struct holder h = {
		.ref = {.what = hold->what,
			.tdr = act->tdr,
			.hpa = hold->page == NEW ? act->page : act->tdvpr,
			.gpa = act->gpa,
			.level = act->level,
			.size = hold->size,
			.guest = hold->held == GUEST},
		.exclusive = hold->held == EX,
	};
	struct tdx_show_sept show;

	if (hold->page == MAPPED) {
		tdx_show_sept(s->w.module, act->tdr, act->gpa, act->level,
			      &show);
		assert_true(show.reachable);
		h.ref.hpa = show.hpa;
	}
	return h;
}

/* A TD that has a key and no more, which the other TDs have left behind. */
static hpa_t newborn(struct scene *s)
{
	struct act create = scene_act(s, MC, 0, 0, LEVEL_4K, 0);
	struct act config = scene_act(s, KC, 0, 0, LEVEL_4K, 0);

	config.tdr = create.page;
	assert_int_equal(scene_run(s, &create, &s->w.host), 0);
	assert_int_equal(scene_run(s, &config, &s->w.host), 0);
	return create.page;
}

static struct act make_act(struct scene *s, enum who who)
{
	const enum tdx_level level = level_for(who);
	struct act act = scene_act(
		s, who, 0, level == LEVEL_4K ? SCENE_CHILD : SCENE_ENTRY, level,
		0);

	if (who == CX)
		act.tdr = newborn(s);
	return act;
}

static void test_locks(void **state)
{
	const size_t n = sizeof(holds) / sizeof(*holds);
	size_t i, wrong = 0;

	(void)state;
	for (i = 0; i < n; i++) {
		const struct hold *hold = &holds[i];
		tdx_status held, after;
		struct holder holder;
		struct scene s;
		struct act act;

		set_up(&s, hold->who);
		act = make_act(&s, hold->who);
		holder = make_holder(&s, hold, &act);
		holder_do(&s, &holder, false);
		held = scene_run(&s, &act, place(&s, hold->who));
		holder_do(&s, &holder, true);
		if (in_guest(hold->who) && !s.w.td[0].vcpu[0].lp.lp.inside)
			scene_enter(&s, 0);
		after = scene_run(&s, &act, place(&s, hold->who));
		if (held != (TDX_OPERAND_BUSY | hold->operand) ||
		    (busy_class(after) && !in_guest(hold->who)))
			wrong++;
		if (held != (TDX_OPERAND_BUSY | hold->operand) ||
		    (busy_class(after) && !in_guest(hold->who)))
			print_message(
				"%s, row %zu: held 0x%llx, expected operand "
				"0x%x; after 0x%llx\n",
				who_name[hold->who], i,
				(unsigned long long)held, hold->operand,
				(unsigned long long)after);
		scene_close(&s);
	}
	print_message("%zu locks of calls\n", n);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_locks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
