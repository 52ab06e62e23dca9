/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random calls on two TDs, operands sensible and not: one call at a time can
 * neither halt the module nor break what holds at rest.
 */
#include "tests/unit/module_kit.h"

enum { TDS = 2, VCPUS = 2, ROUNDS = 30000, CHECK_EVERY = 25 };

struct game {
	struct kit *k;		  /* k->user points back */
	struct lp lp[TDS][VCPUS]; /* each vCPU's own */
	u64 random;
	u32 succeeded[NR_TDX_CALLS];
	u32 exits, statuses;
	u32 race_at;	       /* operation before which another turn comes */
	bool busy[TDS][VCPUS]; /* this vCPU's LP is in a call */
};

static u64 pick(struct game *g, u64 below)
{
	/* xorshift64 */
	g->random ^= g->random << 13;
	g->random ^= g->random >> 7;
	g->random ^= g->random << 17;
	return g->random % below;
}

/* Mostly low ones: what is blocked high up hides everything below it. */
static enum tdx_level some_level(struct game *g)
{
	static const enum tdx_level levels[] = {
		LEVEL_4K, LEVEL_4K, LEVEL_4K,	LEVEL_4K, LEVEL_4K,
		LEVEL_4K, LEVEL_2M, LEVEL_2M,	LEVEL_2M, LEVEL_2M,
		LEVEL_2M, LEVEL_1G, LEVEL_512G,
	};

	return levels[pick(g, sizeof(levels) / sizeof(levels[0]))];
}

static gpa_t some_gpa(struct game *g, enum tdx_level level)
{
	u64 gpa = pick(g, 6) * 0x200000 + pick(g, 4) * 4096;

	if (pick(g, 40) == 0)
		return GPA(pick(g, ~0ull)); /* any bits at all */
	return GPA(gpa & ~(LEVEL_BYTES(level) - 1));
}

static hpa_t some_page(struct game *g)
{
	switch (pick(g, 40)) {
	case 0:
		return HPA(pick(g, ~0ull));
	case 1:
		return kit_tdcs((unsigned)pick(g, TDS), 3);
	case 2:
		return kit_page(pick(g, 4) * ENTRIES);
	default:
		return pick(g, 2) ? kit_sept_page(pick(g, 30))
				  : kit_page(pick(g, 4) * ENTRIES + pick(g, 3));
	}
}

static tdx_status guest_turn(struct game *g, struct lp *lp, hpa_t tdvpr)
{
	enum tdx_level level = some_level(g);
	gpa_t gpa = some_gpa(g, level);
	struct td_exit exit;
	tdx_status status = TDX_SUCCESS;

	if (!lp->inside) {
		status = tdh_vp_enter(lp, tdvpr, &exit);
		return status;
	}
	td_set_rip(lp, 0x1000 * (1 + pick(g, 2)));
	switch (pick(g, 8)) {
	case 0:
	case 1:
	case 2:
		td_interrupt_exit(lp, &exit);
		g->exits++;
		break;
	case 3:
		g->exits += td_ept_violation(lp, gpa, &exit);
		break;
	case 4:
		tdg_mem_page_attr_rd(lp, gpa, &status, &exit);
		break;
	case 5:
		tdg_mem_page_attr_wr(lp, gpa, 0, &status, &exit);
		break;
	default:
		if (tdg_mem_page_accept(lp, gpa, level, &status, &exit) ==
			    TDG_RETURNED &&
		    !status)
			g->succeeded[TDG_MEM_PAGE_ACCEPT]++;
	}
	return status;
}

static tdx_status mem_turn(struct game *g, struct lp *lp, hpa_t tdr,
			   enum tdx_call id)
{
	enum tdx_level level = some_level(g);
	gpa_t gpa = some_gpa(g, level);
	hpa_t page = some_page(g);
	struct tdx_out out;

	switch (id) {
	case TDH_MEM_SEPT_ADD:
		return tdh_mem_sept_add(lp, tdr, gpa, level, page, &out);
	case TDH_MEM_PAGE_AUG:
		if (level == LEVEL_2M)
			page = kit_page(pick(g, 6) * ENTRIES);
		return tdh_mem_page_aug(lp, tdr, gpa, level, page, &out);
	case TDH_MEM_RANGE_BLOCK:
		if (level > LEVEL_2M && pick(g, 30))
			level = LEVEL_4K;
		return tdh_mem_range_block(lp, tdr, gpa, level, &out);
	case TDH_MEM_RANGE_UNBLOCK:
		return tdh_mem_range_unblock(lp, tdr, gpa, level, &out);
	case TDH_MEM_TRACK:
		return tdh_mem_track(lp, tdr);
	case TDH_MEM_PAGE_REMOVE:
		return tdh_mem_page_remove(lp, tdr, gpa, level, &out);
	case TDH_MEM_SEPT_REMOVE:
		return tdh_mem_sept_remove(lp, tdr, gpa, level, &out);
	case TDH_MEM_PAGE_PROMOTE:
		return tdh_mem_page_promote(lp, tdr, gpa, level, &out);
	case TDH_MEM_PAGE_DEMOTE:
		return tdh_mem_page_demote(lp, tdr, gpa, level, page, &out);
	case TDH_MEM_PAGE_RELOCATE:
		return tdh_mem_page_relocate(lp, tdr, gpa, page, &out);
	case TDH_MEM_SEPT_RD:
		return tdh_mem_sept_rd(lp, tdr, gpa, level, &out);
	case TDH_PHYMEM_PAGE_WBINVD:
		return tdh_phymem_page_wbinvd(lp, page);
	case TDH_PHYMEM_PAGE_RECLAIM:
		return tdh_phymem_page_reclaim(lp, page, &out);
	default:
		return tdh_phymem_page_rdmd(lp, page, &out);
	}
}

static void turn(struct game *g, struct lp *host)
{
	static const enum tdx_call calls[] = {
		TDH_MEM_SEPT_ADD,	 TDH_MEM_SEPT_ADD,
		TDH_MEM_SEPT_ADD,	 TDH_MEM_PAGE_AUG,
		TDH_MEM_PAGE_AUG,	 TDH_MEM_RANGE_BLOCK,
		TDH_MEM_RANGE_BLOCK,	 TDH_MEM_RANGE_UNBLOCK,
		TDH_MEM_TRACK,		 TDH_MEM_TRACK,
		TDH_MEM_PAGE_REMOVE,	 TDH_MEM_PAGE_REMOVE,
		TDH_MEM_SEPT_REMOVE,	 TDH_MEM_PAGE_PROMOTE,
		TDH_MEM_PAGE_DEMOTE,	 TDH_MEM_PAGE_RELOCATE,
		TDH_MEM_SEPT_RD,	 TDH_PHYMEM_PAGE_WBINVD,
		TDH_PHYMEM_PAGE_RECLAIM, TDH_PHYMEM_PAGE_RDMD,
	};
	unsigned td = (unsigned)pick(g, TDS), vcpu = (unsigned)pick(g, VCPUS);
	enum tdx_call id = calls[pick(g, sizeof(calls) / sizeof(calls[0]))];
	tdx_status status;

	if (pick(g, 3) == 0 && !g->busy[td][vcpu]) {
		g->busy[td][vcpu] = true;
		status = guest_turn(g, &g->lp[td][vcpu], KIT_TDVPR(td, vcpu));
		g->busy[td][vcpu] = false;
	} else {
		status = mem_turn(g, host, kit_tdr(td), id);
		g->succeeded[id] += status == TDX_SUCCESS;
	}
	g->statuses += status != TDX_SUCCESS;
}

/* Another CPU does something, whole, before operation n of this turn. */
static void race(struct kit *k, u32 n)
{
	struct game *g = k->s.user;

	if (n != g->race_at)
		return;
	k->point = NULL;
	turn(g, &k->other);
}

static void begin(struct game *g, u64 seed)
{
	unsigned td, vcpu;

	*g = (struct game){.k = kit_create(NULL), .random = seed};
	g->k->s.user = g;
	for (td = 0; td < TDS; td++) {
		kit_td(&g->k->lp, td, VCPUS);
		for (vcpu = 0; vcpu < VCPUS; vcpu++)
			lp_init(&g->lp[td][vcpu], g->k->m, &g->k->s,
				2 + td * VCPUS + vcpu, 0);
	}
}

static u32 play(u64 seed)
{
	struct game g;
	unsigned i;

	begin(&g, seed);
	for (i = 0; i < ROUNDS; i++) {
		g.k->interrupt_after = (int)pick(&g, 700) - 1;
		turn(&g, &g.k->lp);
		if (i % CHECK_EVERY == 0)
			kit_check(g.k);
	}
	/* the game has to be one: things happen and things fail */
	assert_true(g.succeeded[TDH_MEM_SEPT_ADD] > 10);
	assert_true(g.succeeded[TDH_MEM_PAGE_AUG] > 10);
	assert_true(g.succeeded[TDH_MEM_PAGE_REMOVE] > 10);
	assert_true(g.succeeded[TDH_MEM_TRACK] > 10);
	assert_true(g.succeeded[TDG_MEM_PAGE_ACCEPT] > 10);
	assert_true(g.exits > 100 && g.statuses > 1000);
	kit_destroy(g.k);
	return g.succeeded[TDH_MEM_PAGE_DEMOTE];
}

static void random_calls_keep_what_must_hold(void **state)
{
	u32 demoted = 0;
	u64 seed;

	(void)state;
	for (seed = 1; seed <= 4; seed++)
		demoted += play(seed * 0x9E3779B97F4A7C15ull);
	assert_true(demoted > 0);
}

/* Returns the rounds until the module halted, or all of them. */
static u32 play_races(struct game *g, u64 seed)
{
	volatile u32 i;
	bool halted;

	begin(g, seed);
	for (i = 0; i < ROUNDS; i++) {
		g->k->interrupt_after = (int)pick(g, 700) - 1;
		g->race_at = (u32)pick(g, 24);
		g->k->nops = 0;
		g->k->point = race;
		KIT_CATCH(g->k, &halted, turn(g, &g->k->lp));
		g->k->point = NULL;
		if (halted)
			break;
		if (i % CHECK_EVERY == 0)
			kit_check(g->k);
	}
	return i;
}

/* The one halt that a race of two calls can come to is AUG's window. */
static void races_of_two_halt_in_one_way(void **state)
{
	struct game *g = calloc(1, sizeof(*g));
	u64 rounds = 0;
	u64 seed;

	(void)state;
	assert_non_null(g);
	for (seed = 1; seed <= 6; seed++) {
		u32 lasted = play_races(g, seed * 0xD1342543DE82EF95ull);

		if (lasted < ROUNDS)
			assert_non_null(strstr(g->k->why, "halt 0x0003:10 "));
		rounds += lasted;
		kit_destroy(g->k);
	}
	assert_true(rounds > ROUNDS / 10);
	free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_calls_keep_what_must_hold),
		cmocka_unit_test(races_of_two_halt_in_one_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
