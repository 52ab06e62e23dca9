/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a script acts on: a module on a step machine, logical processors, and
 * TDs that were set up by the module's own calls.
 */
#include <stdio.h>
#include <string.h>

#include "bench/script/impl.h"
#include "bench/script/threads.h"

#define MIB (1ull << 20)

/* Host, other, one LP for each vCPU and a spare one for each. */
#define MAX_STRANDS (2 + 2 * SCRIPT_TDS * SCRIPT_VCPUS)

enum { FIRST_TD_HKID = 33 };

static const struct tdx_costs no_costs;

static bool world_interrupted(void *ctx, struct strand *s)
{
	struct world *w = ctx;

	(void)s;
	if (w->irq_quiet)
		return false;
	return w->irq_checks++ >= w->irq_after && w->irq_after >= 0;
}

static u64 world_now(void *ctx, struct strand *s)
{
	(void)s;
	return ((struct world *)ctx)->now_ps;
}

/* The same for strands of real threads. */
static bool real_interrupted(struct strand *s)
{
	return world_interrupted(s->user, s);
}

static u64 real_now(struct strand *s)
{
	return world_now(s->user, s);
}

static void init_lp(struct world *w, struct script_lp *lp)
{
	memset(lp, 0, sizeof(*lp));
	lp_init(&lp->lp, w->module, NULL, w->lps++, 0);
}

/* Whatever it is that calls run on. */
static bool make_machine(struct world *w)
{
	const struct machine_ops own = {
		.interrupted = real_interrupted,
		.now = real_now,
	};
	const struct step_config config = {
		.max_strands = MAX_STRANDS,
		.interrupted = world_interrupted,
		.now = world_now,
		.ctx = w,
	};

	if (w->real)
		w->threads = script_threads_create(w, &own);
	else
		w->machine = step_create(&config);
	return w->threads || w->machine;
}

int world_create(struct world *w, bool real)
{
	u32 i;

	memset(w, 0, sizeof(*w));
	w->real = real;
	w->irq_after = -1;
	w->module = tdx_module_create(&tdx_platform_default, &no_costs);
	if (!w->module || !make_machine(w)) {
		world_destroy(w);
		return -1;
	}
	init_lp(w, &w->host);
	init_lp(w, &w->other);
	for (i = 0; i < SCRIPT_TDS * SCRIPT_VCPUS; i++)
		init_lp(w, &w->more[i]);
	return 0;
}

void world_destroy(struct world *w)
{
	if (w->threads)
		script_threads_destroy(w->threads);
	if (w->machine)
		machine_destroy(w->machine);
	if (w->module)
		tdx_module_destroy(w->module);
	memset(w, 0, sizeof(*w));
}

/* -------------------------------------------------------------- running */

static void strand_main(struct strand *s, void *arg)
{
	struct script_lp *lp = arg;

	(void)s;
	lp->fn(&lp->lp, lp->arg);
}

/* Point the LP's strand at fn; false when there is no memory for one. */
static bool aim(struct world *w, struct script_lp *lp,
		void (*fn)(struct lp *, void *), void *arg)
{
	lp->fn = fn;
	lp->arg = arg;
	if (w->threads)
		return true;
	if (lp->strand) {
		step_reuse(lp->strand, strand_main, lp);
		return true;
	}
	lp->strand = machine_strand(w->machine, lp->lp.id, strand_main, lp);
	lp->lp.strand = lp->strand;
	return lp->strand;
}

/* The place of a failed check is the part of the text that looks like it. */
static void note_halt(struct world *w, const char *why)
{
	const char *at;
	unsigned source, code;

	w->halted = true;
	snprintf(w->halt, sizeof(w->halt), "?");
	for (at = strstr(why, "0x"); at; at = strstr(at + 2, "0x")) {
		if (sscanf(at, "0x%4x:%u", &source, &code) != 2)
			continue;
		snprintf(w->halt, sizeof(w->halt), "0x%04x:%u", source & 0xffff,
			 code % 100000);
		return;
	}
}

static void note_no_memory(struct world *w)
{
	w->halted = true;
	snprintf(w->halt, sizeof(w->halt), "out of memory");
}

static bool run_really(struct world *w, struct script_lp *lp)
{
	if (script_threads_run(w->threads, lp))
		return true;
	note_halt(w, script_threads_why(w->threads));
	return false;
}

static bool ended(struct world *w, enum step_end end)
{
	if (end == STEP_RETURNED)
		return true;
	note_halt(w, end == STEP_HALTED ? machine_reason(w->machine) : "");
	return false;
}

bool world_run(struct world *w, struct script_lp *lp,
	       void (*fn)(struct lp *, void *), void *arg)
{
	if (!aim(w, lp, fn, arg)) {
		note_no_memory(w);
		return false;
	}
	return w->threads ? run_really(w, lp)
			  : ended(w, step_run(lp->strand, UINT64_MAX));
}

/*
 * Recorded scripts count locked instructions and the stores that publish an
 * S-EPT entry; other stores are not points of a race.
 */
static bool counts(const struct world *w, struct strand *s)
{
	return step_op(s) != LINE_STORE64 ||
	       !strcmp(tdx_word_name(w->module, step_word(s)), "sept-entry");
}

enum step_end world_start(struct world *w, struct script_lp *lp,
			  void (*fn)(struct lp *, void *), void *arg, u64 at,
			  char *point)
{
	enum step_end end;
	u64 seen = 0;

	if (!aim(w, lp, fn, arg)) {
		note_no_memory(w);
		return STEP_BLOCKED;
	}
	for (end = step_run(lp->strand, 0); end == STEP_PAUSED;
	     end = step_run(lp->strand, 1)) {
		if (!counts(w, lp->strand) || seen++ < at)
			continue;
		snprintf(point, 32, "%s %s", line_op_name(step_op(lp->strand)),
			 tdx_word_name(w->module, step_word(lp->strand)));
		return end;
	}
	ended(w, end);
	return end;
}

bool world_finish(struct world *w, struct script_lp *lp)
{
	return ended(w, step_run(lp->strand, UINT64_MAX));
}

static bool is_free(const struct script_lp *lp, const struct script_lp *taken)
{
	return lp != taken && !lp->lp.inside;
}

/*
 * A vCPU that was sent to the host's LP keeps it until it leaves the guest.
 * There are as many spare LPs as vCPUs, so that one is always free.
 */
struct script_lp *world_host(struct world *w, const struct script_lp *taken)
{
	struct script_lp *lp = w->more;

	if (is_free(&w->host, taken))
		return &w->host;
	if (is_free(&w->other, taken))
		return &w->other;
	while (!is_free(lp, taken))
		lp++;
	return lp;
}

/* ------------------------------------------------------------------ TDs */

int world_add_tdmr(struct world *w, hpa_t base, u64 size)
{
	if (tdx_module_add_tdmr(w->module, base, size))
		return -1;
	if (!w->has_tdmr)
		w->base = base;
	w->has_tdmr = true;
	return 0;
}

hpa_t world_tdcs_page(const struct script_td *td, u32 index)
{
	return HPA(td->tdr.v + (1 + index) * 4096ull);
}

hpa_t world_tdvps_page(const struct script_td *td, u32 vcpu, u32 index)
{
	return HPA(td->tdr.v + (vcpu + 1) * 2 * MIB + index * 4096ull);
}

int world_td_of(const struct world *w, u64 tdr)
{
	int t;

	for (t = 0; t < SCRIPT_TDS; t++) {
		if (w->td[t].exists && w->td[t].tdr.v == tdr)
			return t;
	}
	return -1;
}

/* What the set-up of a TD runs on the host's LP. */
struct setup {
	const struct script_td *td;
	struct td_params params;
	u64 state;
	u32 hkid;
	/* the first call that failed */
	enum tdx_call call;
	tdx_status status;
};

/* False at the first failure, so that calls can be strung together. */
static bool step_ok(struct setup *setup, enum tdx_call call, tdx_status status)
{
	if (!tdx_error(status))
		return true;
	setup->call = call;
	setup->status = status;
	return false;
}

static bool setup_vcpu(struct lp *lp, struct setup *s, u32 vcpu)
{
	const hpa_t tdr = s->td->tdr, tdvpr = world_tdvpr(s->td, vcpu);
	u32 i;

	if (!step_ok(s, TDH_VP_CREATE, tdh_vp_create(lp, tdr, tdvpr)))
		return false;
	for (i = 1; i < TDX_TDVPS_PAGES; i++) {
		hpa_t page = world_tdvps_page(s->td, vcpu, i);

		if (!step_ok(s, TDH_VP_ADDCX, tdh_vp_addcx(lp, tdvpr, page)))
			return false;
	}
	return step_ok(s, TDH_VP_INIT, tdh_vp_init(lp, tdvpr, 0)) &&
	       step_ok(s, TDH_VP_FLUSH, tdh_vp_flush(lp, tdvpr));
}

/* CACHE.WB serves every HKID that waits for it, so other TDs' as well. */
static bool setup_teardown(struct lp *lp, struct setup *s)
{
	const hpa_t tdr = s->td->tdr;

	return step_ok(s, TDH_MNG_VPFLUSHDONE, tdh_mng_vpflushdone(lp, tdr)) &&
	       step_ok(s, TDH_PHYMEM_CACHE_WB, tdh_phymem_cache_wb(lp, 0)) &&
	       step_ok(s, TDH_MNG_KEY_FREEID, tdh_mng_key_freeid(lp, tdr));
}

static void setup_td(struct lp *lp, void *arg)
{
	struct setup *s = arg;
	const hpa_t tdr = s->td->tdr;
	u32 i;

	if (!step_ok(s, TDH_MNG_CREATE, tdh_mng_create(lp, tdr, s->hkid)) ||
	    !step_ok(s, TDH_MNG_KEY_CONFIG, tdh_mng_key_config(lp, tdr)))
		return;
	for (i = 0; i < TDX_TDCS_PAGES; i++) {
		if (!step_ok(s, TDH_MNG_ADDCX,
			     tdh_mng_addcx(lp, tdr, world_tdcs_page(s->td, i))))
			return;
	}
	if (!step_ok(s, TDH_MNG_INIT, tdh_mng_init(lp, tdr, &s->params)))
		return;
	for (i = 0; i < s->td->vcpus; i++) {
		if (!setup_vcpu(lp, s, i))
			return;
	}
	if (s->state == STATE_INITIALIZED ||
	    !step_ok(s, TDH_MR_FINALIZE, tdh_mr_finalize(lp, tdr)))
		return;
	if (s->state == STATE_TEARDOWN)
		setup_teardown(lp, s);
}

int world_add_td(struct world *w, const struct script_args *a, char *why,
		 size_t size)
{
	const u64 t = a->v[F_TD];
	struct script_td *td = &w->td[t];
	struct setup s = {
		.td = td,
		.params = {.gpaw = a->v[F_GPAW] ? 52 : 48,
			   .pending_ve_disable = a->v[F_VE_DISABLE],
			   .notify_ept_faults = a->v[F_NOTIFY]},
		.state = a->v[F_STATE],
		.hkid = FIRST_TD_HKID + (u32)t,
	};
	char text[96];
	u32 v;

	td->tdr = HPA(w->base.v + t * 16 * MIB);
	td->vcpus = (u32)a->v[F_VCPUS];
	for (v = 0; v < td->vcpus; v++)
		init_lp(w, &td->vcpu[v].lp);
	w->irq_quiet = true;
	if (world_run(w, world_host(w, NULL), setup_td, &s) && !s.status) {
		td->exists = true;
		w->irq_quiet = false;
		return 0;
	}
	w->irq_quiet = false;
	snprintf(why, size, "%s: %s",
		 w->halted ? "the module halted" : tdx_call_name(s.call),
		 w->halted ? w->halt
			   : tdx_status_print(s.status, text, sizeof(text)));
	return -1;
}
