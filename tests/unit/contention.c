/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Set-ups of the contention tests: TDs, trees, suspects, locks held by others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/contention.h"

const char *const who_name[NR_WHO] = {
	"SA", "AU", "RM", "PR", "DM", "RL", "SQ", "BL", "UB", "SR", "TR", "VE",
	"VF", "AC", "AD", "FD", "FI", "RC", "CW", "WI", "MX", "MF", "KC", "CX",
	"MI", "AR", "AW", "VR", "VW", "MR", "MC", "VC", "VA", "VI", "RD",
};

/* HKID of a TD that is created in a test; scripts use 33 to 36. */
#define SPARE_HKID 40

/* A page of the host that PAGE.ADD copies from. */
#define SOURCE 0x20000000ull

static const struct td_params plain_td = {.gpaw = 48};

/* What each call is, with the registers in their order. */
#define ACT(who, expression)                                                   \
	static void act_##who(struct lp *lp, struct act *a)                    \
	{                                                                      \
		a->status = (expression);                                      \
	}
#define TDCALL(who, expression)                                                \
	static void act_##who(struct lp *lp, struct act *a)                    \
	{                                                                      \
		a->end = (expression);                                         \
		if (a->end == TDG_EXITED)                                      \
			a->status = a->exit.rax;                               \
	}

/* clang-format off */
ACT(SA, tdh_mem_sept_add(lp, a->tdr, a->gpa, a->level, a->page, &a->out))
ACT(AU, tdh_mem_page_aug(lp, a->tdr, a->gpa, a->level, a->page, &a->out))
ACT(RM, tdh_mem_page_remove(lp, a->tdr, a->gpa, a->level, &a->out))
ACT(PR, tdh_mem_page_promote(lp, a->tdr, a->gpa, a->level, &a->out))
ACT(DM, tdh_mem_page_demote(lp, a->tdr, a->gpa, a->level, a->page, &a->out))
ACT(RL, tdh_mem_page_relocate(lp, a->tdr, a->gpa, a->page, &a->out))
ACT(SQ, tdh_mem_sept_rd(lp, a->tdr, a->gpa, a->level, &a->out))
ACT(BL, tdh_mem_range_block(lp, a->tdr, a->gpa, a->level, &a->out))
ACT(UB, tdh_mem_range_unblock(lp, a->tdr, a->gpa, a->level, &a->out))
ACT(SR, tdh_mem_sept_remove(lp, a->tdr, a->gpa, a->level, &a->out))
ACT(TR, tdh_mem_track(lp, a->tdr))
ACT(VE, tdh_vp_enter(lp, a->tdvpr, &a->exit))
ACT(VF, tdh_vp_flush(lp, a->tdvpr))
TDCALL(AC, tdg_mem_page_accept(lp, a->gpa, a->level, &a->status, &a->exit))
ACT(AD, tdh_mem_page_add(lp, a->tdr, a->gpa, a->page, HPA(SOURCE), &a->out))
ACT(FD, tdh_mng_vpflushdone(lp, a->tdr))
ACT(FI, tdh_mng_key_freeid(lp, a->tdr))
ACT(RC, tdh_phymem_page_reclaim(lp, a->page, &a->out))
ACT(CW, tdh_phymem_cache_wb(lp, 0))
ACT(WI, tdh_phymem_page_wbinvd(lp, a->page))
ACT(MX, tdh_mr_extend(lp, a->tdr, a->gpa, &a->out))
ACT(MF, tdh_mr_finalize(lp, a->tdr))
ACT(KC, tdh_mng_key_config(lp, a->tdr))
ACT(CX, tdh_mng_addcx(lp, a->tdr, a->page))
ACT(MI, tdh_mng_init(lp, a->tdr, &plain_td))
TDCALL(AR, tdg_mem_page_attr_rd(lp, a->gpa, &a->status, &a->exit))
TDCALL(AW, tdg_mem_page_attr_wr(lp, GPA(a->gpa.v | a->level), 0, &a->status,
				&a->exit))
ACT(VR, tdh_vp_rd(lp, a->tdvpr, 0, &a->out.rdx))
ACT(VW, tdh_vp_wr(lp, a->tdvpr, 0, 0))
ACT(MR, tdh_mng_rd(lp, a->tdr, 0, &a->out.rdx))
ACT(MC, tdh_mng_create(lp, a->page, SPARE_HKID))
ACT(VC, tdh_vp_create(lp, a->tdr, a->page))
ACT(VA, tdh_vp_addcx(lp, a->tdvpr, a->page))
ACT(VI, tdh_vp_init(lp, a->tdvpr, 0))
ACT(RD, tdh_phymem_page_rdmd(lp, a->page, &a->out))
/* clang-format on */
#undef ACT
#undef TDCALL

static void (*const acts[NR_WHO])(struct lp *, struct act *) = {
	act_SA, act_AU, act_RM, act_PR, act_DM, act_RL, act_SQ, act_BL, act_UB,
	act_SR, act_TR, act_VE, act_VF, act_AC, act_AD, act_FD, act_FI, act_RC,
	act_CW, act_WI, act_MX, act_MF, act_KC, act_CX, act_MI, act_AR, act_AW,
	act_VR, act_VW, act_MR, act_MC, act_VC, act_VA, act_VI, act_RD,
};

void act_job(struct lp *lp, void *act)
{
	struct act *a = act;

	acts[a->who](lp, a);
}

enum who who_like(enum who who)
{
	switch (who) {
	case AR:
	case AW:
		return AC;
	case MX:
	case MF:
	case KC:
	case CX:
	case MI:
		return AD;
	default:
		return who;
	}
}

bool busy_class(tdx_status status)
{
	const u64 code = status & TDX_STATUS_MASK;

	return code == TDX_OPERAND_BUSY ||
	       code == TDX_PREVIOUS_TLB_EPOCH_BUSY ||
	       code == TDX_OPERAND_BUSY_HOST_PRIORITY ||
	       code == TDX_HOST_PRIORITY_BUSY_TIMEOUT;
}

/* ---------------------------------------------------------------- scenes */

void scene_open(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	assert_int_equal(world_create(&s->w, false), 0);
	assert_int_equal(
		world_add_tdmr(&s->w, HPA(0x100000000ull), 0x100000000ull), 0);
	s->small = SCENE_SMALL;
	s->big = SCENE_BIG;
}

void scene_close(struct scene *s)
{
	world_destroy(&s->w);
}

void scene_td(struct scene *s, u32 td, u64 state)
{
	struct script_args args = {.given = 0};
	char why[160];

	args.v[F_TD] = td;
	args.v[F_VCPUS] = 3;
	args.v[F_STATE] = state;
	if (world_add_td(&s->w, &args, why, sizeof(why)))
		fail_msg("TD %u: %s", td, why);
}

hpa_t scene_small(struct scene *s)
{
	s->small += 0x1000;
	return HPA(s->small - 0x1000);
}

hpa_t scene_big(struct scene *s)
{
	s->big += 0x200000;
	return HPA(s->big - 0x200000);
}

static bool wants_big(enum who who, enum tdx_level level)
{
	return who == AU && level == LEVEL_2M;
}

struct act scene_act(struct scene *s, enum who who, u32 td, u64 gpa,
		     enum tdx_level level, u32 vcpu)
{
	const struct script_td *t = &s->w.td[td];
	struct act act = {
		.who = who,
		.tdr = t->tdr,
		.tdvpr = world_tdvpr(t, vcpu),
		.gpa = GPA(gpa),
		.level = level,
	};

	/* A control page that no other call of the tests names. */
	if (who == RC)
		act.page = world_tdvps_page(t, 2, TDX_TDVPS_PAGES - 1);
	else
		act.page =
			wants_big(who, level) ? scene_big(s) : scene_small(s);
	return act;
}

tdx_status scene_run(struct scene *s, struct act *act, struct script_lp *lp)
{
	if (!world_run(&s->w, lp, act_job, act))
		fail_msg("%s: the module halted: %s", who_name[act->who],
			 s->w.halt);
	return act->status;
}

u64 scene_next(enum who who, u64 at)
{
	const u64 children = 24, after = 1020;

	if (who != PR || at < children || at >= after)
		return at + 1;
	return at + 79 < after ? at + 79 : after;
}

void scene_do(struct scene *s, enum who who, u64 gpa, enum tdx_level level)
{
	struct act act = scene_act(s, who, 0, gpa, level, 0);
	const tdx_status status = scene_run(s, &act, &s->w.host);

	if (status)
		fail_msg("set-up: %s at level %d: 0x%llx", who_name[who],
			 (int)level, (unsigned long long)status);
}

void scene_enter(struct scene *s, u32 vcpu)
{
	struct act act = scene_act(s, VE, 0, 0, LEVEL_4K, vcpu);

	assert_int_equal(scene_run(s, &act, &s->w.td[0].vcpu[vcpu].lp), 0);
}

static void exit_job(struct lp *lp, void *arg)
{
	td_interrupt_exit(lp, arg);
}

static void lp_out(struct scene *s, struct script_lp *lp)
{
	struct td_exit exit;

	if (lp->lp.inside && !world_run(&s->w, lp, exit_job, &exit))
		fail_msg("TD exit: the module halted: %s", s->w.halt);
}

void scene_exit(struct scene *s, u32 vcpu)
{
	assert_non_null(s->w.td[0].vcpu[vcpu].lp.lp.inside);
	lp_out(s, &s->w.td[0].vcpu[vcpu].lp);
}

void scene_all_out(struct scene *s)
{
	u32 v;

	lp_out(s, &s->w.host);
	lp_out(s, &s->w.other);
	for (v = 0; v < s->w.td[0].vcpus; v++)
		lp_out(s, &s->w.td[0].vcpu[v].lp);
}

void scene_program(struct scene *s, const char *program, u64 gpa,
		   enum tdx_level level)
{
	for (; *program; program++) {
		switch (*program) {
		case 'a':
			scene_do(s, AU, gpa, level);
			break;
		case 's':
			scene_do(s, SA, gpa, level);
			break;
		case 'b':
			scene_do(s, BL, gpa, level);
			break;
		case 't':
			scene_do(s, TR, 0, LEVEL_4K);
			break;
		case 'd':
			scene_do(s, DM, gpa, level);
			break;
		default:
			fail_msg("no such step: %c", *program);
		}
	}
}

const char *scene_needs(enum who who, bool running)
{
	switch (who) {
	case RM:
	case DM:
	case RL:
	case UB:
		return running ? "abt" : "a";
	case PR:
		return running ? "abtdbt" : "ad";
	case SR:
		return "sbt";
	case SQ:
	case BL:
	case AC:
		return "a";
	default:
		return "";
	}
}

void scene_tree(struct scene *s, bool leaf)
{
	scene_do(s, SA, SCENE_ENTRY, LEVEL_512G);
	scene_do(s, SA, SCENE_ENTRY, LEVEL_1G);
	if (leaf)
		scene_do(s, SA, SCENE_ENTRY, LEVEL_2M);
}

/* ------------------------------------------------------------- zero-step */

struct guest_step {
	u64 gpa;
	struct td_exit exit;
	bool exited;
};

/* A guest that stands still at one instruction. */
static void fault_job(struct lp *lp, void *arg)
{
	struct guest_step *g = arg;

	td_set_rip(lp, 0x1000);
	g->exited = td_ept_violation(lp, GPA(g->gpa), &g->exit);
}

static void suspect(struct scene *s, u32 vcpu)
{
	struct guest_step g = {.gpa = SCENE_LISTED};
	int i;

	for (i = 0; i < 7; i++) {
		scene_enter(s, vcpu);
		assert_true(world_run(&s->w, &s->w.td[0].vcpu[vcpu].lp,
				      fault_job, &g));
		assert_true(g.exited);
	}
	assert_int_equal(tdx_zero_step_listed(s->w.module,
					      world_tdvpr(&s->w.td[0], vcpu)),
			 1);
}

void scene_suspect(struct scene *s, u32 n)
{
	struct act accept = scene_act(s, AC, 0, SCENE_LISTED, LEVEL_4K, 2);
	u32 v;

	scene_do(s, SA, SCENE_LISTED, LEVEL_1G);
	scene_do(s, SA, SCENE_LISTED, LEVEL_2M);
	for (v = 0; v < n; v++)
		suspect(s, v);
	scene_do(s, AU, SCENE_LISTED, LEVEL_4K);
	scene_enter(s, 2);
	assert_int_equal(scene_run(s, &accept, &s->w.td[0].vcpu[2].lp), 0);
	scene_exit(s, 2);
}

static void hold_job(struct lp *lp, void *arg)
{
	struct holder *h = arg;

	h->status = (h->release ? tdx_ref_unlock : tdx_ref_lock)(lp, &h->ref,
								 h->exclusive);
}

bool scene_hold(struct scene *s, struct script_lp *lp, struct holder *h)
{
	return world_run(&s->w, lp, hold_job, h);
}

u64 scene_raw(struct scene *s, enum tdx_object what, u32 vcpu, u64 gpa,
	      enum tdx_level level)
{
	const struct tdx_ref ref = {
		.what = what,
		.tdr = s->w.td[0].tdr,
		.hpa = world_tdvpr(&s->w.td[0], vcpu),
		.gpa = GPA(gpa),
		.level = level,
	};

	return tdx_ref_raw(&s->w.host.lp, &ref);
}
