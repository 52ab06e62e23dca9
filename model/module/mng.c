/* SPDX-License-Identifier: GPL-2.0-only */
/* Life of a TD: from MNG.CREATE to MNG.KEY.FREEID. */
#include <string.h>

#include "model/module/gates.h"
#include "model/module/kot.h"

/* Default host-priority time-out of a TD. */
#define HP_TIMEOUT_SECONDS 1

/* TDCS page that is the root of the S-EPT. */
enum { TDCS_ROOT_PAGE = 3 };

/* ------------------------------------------------------------------ KOT */

/* Packages 0..31 in the first half of the words, 32..63 in the second. */
static u32 kot_index(const struct call *c, u32 hkid, u32 package)
{
	return package < 32 ? hkid : c->m->kot.hkids + hkid;
}

void kot_flush_everywhere(const struct call *c, u32 hkid)
{
	u32 packages = c->m->platform.packages, i;

	for (i = 0; i < packages; i++)
		c->m->kot.words->wbinvd[kot_index(c, hkid, i)] |= 1u << i % 32;
}

void kot_package_flushed(const struct call *c, u32 hkid, u32 package)
{
	u32 i = kot_index(c, hkid, package);

	line_btr32(c->s, &c->m->kot.line[(i + 1) / 16],
		   &c->m->kot.words->wbinvd[i], 1u << package % 32);
}

bool kot_is_flushed(const struct call *c, u32 hkid)
{
	const struct kot *k = &c->m->kot;

	return !k->words->wbinvd[hkid] && !k->words->wbinvd[k->hkids + hkid];
}

/* --------------------------------------------------------------- CREATE */

static bool hkid_is_private(const struct tdx_module *m, u32 hkid)
{
	return hkid >= m->platform.first_private_hkid && hkid < m->kot.hkids;
}

static void td_reset(struct td *td, hpa_t hpa, u32 hkid)
{
	td->tdr.fatal = 0;
	td->tdr.chldcnt = 0;
	td->tdr.lifecycle = HKID_ASSIGNED;
	memset(&td->state, 0, sizeof(td->state));
	memset(&td->tree, 0, sizeof(td->tree));
	memset(&td->track, 0, sizeof(td->track));
	td->hpa = hpa;
	td->hkid = hkid;
	td->num_tdcx = 0;
	td->keyed_packages = 0;
	td->root = NULL;
}

static tdx_status assign_hkid(const struct call *c, hpa_t tdr,
			      struct pamt_entry *e, u32 hkid)
{
	struct lock kot = kot_lock(c->m);
	tdx_status status = TDX_SUCCESS;
	struct td *td;

	if (!sharex_try(c, &kot, true))
		return with_operand(TDX_OPERAND_BUSY, OPERAND_KOT);
	if (c->m->kot.state[hkid] != KOT_FREE) {
		status = TDX_HKID_NOT_FREE;
	} else {
		td = MAKE(c->m, &control_page_make(c, tdr)->td);
		if (!td)
			tdx_call_halt(c, HALT_MODEL, 1,
				      "the model is out of memory");
		/* cleared, and its seeds drawn, under the table's lock */
		tdx_call_body(c, 0, WORK_CLEAR_4K);
		td_reset(td, tdr, hkid);
		c->m->kot.state[hkid] = KOT_ASSIGNED;
		pamt_assign(c->s, e, PT_TDR, HPA(0));
	}
	sharex_release(c, &kot, true);
	return status;
}

tdx_status tdh_mng_create(struct lp *lp, hpa_t tdr, u32 hkid)
{
	struct pamt_walk w;
	struct call c;
	tdx_status status;

	tdx_call_begin(&c, lp, TDH_MNG_CREATE);
	if (!hkid_is_private(c.m, hkid))
		return tdx_call_end(
			&c, with_operand(TDX_OPERAND_INVALID, OPERAND_RDX));
	status = page_check(&c, &w, tdr, ROLE_NEW_4K, OPERAND_RCX);
	if (!status) {
		status = assign_hkid(&c, tdr, w.at[LEVEL_4K].entry, hkid);
		pamt_unwalk(&c, &w);
	}
	return tdx_call_end(&c, status);
}

/* -------------------------------------- calls with the TDR held exclusive */

typedef tdx_status exclusive_fn(const struct call *c, struct td *td,
				const void *arg);

static tdx_status with_tdr_exclusive(struct lp *lp, enum tdx_call id, hpa_t tdr,
				     u32 operand, exclusive_fn *fn,
				     const void *arg)
{
	struct pamt_walk w;
	struct call c;
	tdx_status status;

	tdx_call_begin(&c, lp, id);
	status = page_check(&c, &w, tdr, ROLE_TDR_EXCLUSIVE, operand);
	if (!status) {
		status = fn(&c, td_at(&c, tdr), arg);
		pamt_unwalk(&c, &w);
	}
	return tdx_call_end(&c, status);
}

static tdx_status key_config(const struct call *c, struct td *td,
			     const void *arg)
{
	u64 all = ~0ull >> (64 - c->m->platform.packages);
	u64 mine = 1ull << c->lp->package;

	(void)arg;
	if (td->tdr.fatal)
		return TDX_TD_FATAL;
	if (td->tdr.lifecycle != HKID_ASSIGNED)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	if (td->keyed_packages & mine)
		return TDX_KEY_CONFIGURED;
	tdx_call_body(c, 0, WORK_PLAIN);
	td->keyed_packages |= mine;
	if (td->keyed_packages == all)
		td->tdr.lifecycle = KEYS_CONFIGURED;
	return TDX_SUCCESS;
}

tdx_status tdh_mng_key_config(struct lp *lp, hpa_t tdr)
{
	return with_tdr_exclusive(lp, TDH_MNG_KEY_CONFIG, tdr, OPERAND_RCX,
				  key_config, NULL);
}

static tdx_status addcx(const struct call *c, struct td *td, const void *arg)
{
	const hpa_t *page = arg;
	struct pamt_walk w;
	tdx_status status;

	if (td->tdr.fatal)
		return TDX_TD_FATAL;
	if (td->tdr.lifecycle != KEYS_CONFIGURED)
		return TDX_TD_KEYS_NOT_CONFIGURED;
	if (td->num_tdcx >= TDX_TDCS_PAGES)
		return TDX_TDCX_NUM_INCORRECT;
	status = page_check(c, &w, *page, ROLE_NEW_4K, OPERAND_RCX);
	if (status)
		return status;
	tdx_call_body(c, 0, WORK_CLEAR_4K);
	if (td->num_tdcx == TDCS_ROOT_PAGE)
		td->root = sept_page_init(c, *page);
	td->num_tdcx++;
	td->tdr.chldcnt++;
	pamt_assign(c->s, w.at[LEVEL_4K].entry, PT_TDCX, td->hpa);
	pamt_unwalk(c, &w);
	return TDX_SUCCESS;
}

tdx_status tdh_mng_addcx(struct lp *lp, hpa_t tdr, hpa_t page)
{
	return with_tdr_exclusive(lp, TDH_MNG_ADDCX, tdr, OPERAND_RDX, addcx,
				  &page);
}

static tdx_status init(const struct call *c, struct td *td, const void *arg)
{
	const struct td_params *params = arg;
	tdx_status status = td_check(td);

	if (!status)
		status = op_state_check(c, td);
	if (status)
		return status;
	if (params->gpaw != 48 && params->gpaw != 52)
		return with_operand(TDX_OPERAND_INVALID, OPERAND_RDX);
	tdx_call_body(c, 0, WORK_PLAIN);
	td->gpaw = params->gpaw;
	td->root_level = params->gpaw == 48 ? LEVEL_512G : LEVEL_256T;
	td->pending_ve_disable = params->pending_ve_disable;
	td->notify_ept_faults = params->notify_ept_faults;
	td->hp_timeout_ticks = c->m->platform.tsc_hz * HP_TIMEOUT_SECONDS;
	td->track.epoch = 1;
	td->state.op_state = OP_INITIALIZED;
	return TDX_SUCCESS;
}

tdx_status tdh_mng_init(struct lp *lp, hpa_t tdr,
			const struct td_params *params)
{
	return with_tdr_exclusive(lp, TDH_MNG_INIT, tdr, OPERAND_RCX, init,
				  params);
}

/* Op states in which vCPUs and so associations exist. */
static bool has_associated_vcpus(const struct td *td)
{
	return td->num_tdcx >= TDX_TDCS_PAGES &&
	       td->state.op_state != OP_UNINITIALIZED &&
	       td->state.num_assoc_vcpus;
}

static tdx_status vpflushdone_locked(const struct call *c, struct td *td)
{
	if (td->tdr.lifecycle != KEYS_CONFIGURED &&
	    td->tdr.lifecycle != HKID_ASSIGNED)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	if (has_associated_vcpus(td))
		return TDX_FLUSHVP_NOT_DONE;
	tdx_call_body(c, 0, WORK_PLAIN);
	kot_flush_everywhere(c, td->hkid);
	td->tdr.lifecycle = LIFE_BLOCKED;
	c->m->kot.state[td->hkid] = KOT_FLUSHED;
	return TDX_SUCCESS;
}

static tdx_status vpflushdone(const struct call *c, struct td *td,
			      const void *arg)
{
	struct lock kot = kot_lock(c->m);
	tdx_status status;

	(void)arg;
	if (!sharex_try(c, &kot, true))
		return with_operand(TDX_OPERAND_BUSY, OPERAND_KOT);
	status = vpflushdone_locked(c, td);
	sharex_release(c, &kot, true);
	return status;
}

tdx_status tdh_mng_vpflushdone(struct lp *lp, hpa_t tdr)
{
	return with_tdr_exclusive(lp, TDH_MNG_VPFLUSHDONE, tdr, OPERAND_RCX,
				  vpflushdone, NULL);
}

static tdx_status freeid(const struct call *c, struct td *td, const void *arg)
{
	struct lock kot = kot_lock(c->m);
	tdx_status status = TDX_SUCCESS;

	(void)arg;
	if (td->tdr.lifecycle != LIFE_BLOCKED)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	if (!sharex_try(c, &kot, true))
		return with_operand(TDX_OPERAND_BUSY, OPERAND_KOT);
	if (kot_is_flushed(c, td->hkid)) {
		tdx_call_body(c, 0, WORK_PLAIN);
		c->m->kot.state[td->hkid] = KOT_FREE;
		td->tdr.lifecycle = TEARDOWN;
	} else {
		status = TDX_WBCACHE_NOT_COMPLETE;
	}
	sharex_release(c, &kot, true);
	return status;
}

tdx_status tdh_mng_key_freeid(struct lp *lp, hpa_t tdr)
{
	return with_tdr_exclusive(lp, TDH_MNG_KEY_FREEID, tdr, OPERAND_RCX,
				  freeid, NULL);
}

/* ------------------------------------------------------------ MNG.RD, MR */

tdx_status tdh_mng_rd(struct lp *lp, hpa_t tdr, u64 field, u64 *value)
{
	struct pamt_walk w;
	struct call c;
	struct td *td;
	tdx_status status;

	(void)field;
	*value = 0;
	tdx_call_begin(&c, lp, TDH_MNG_RD);
	status = td_enter_shared(&c, &w, tdr, OPERAND_RCX, &td);
	if (!status) {
		tdx_call_body(&c, 0, WORK_PLAIN);
		td_leave_shared(&c, &w, td);
	}
	return tdx_call_end(&c, status);
}

static tdx_status finalize(const struct call *c, struct td *td, const void *arg)
{
	tdx_status status = td_check(td);

	(void)arg;
	if (!status)
		status = op_state_check(c, td);
	if (status)
		return status;
	if (!td->state.num_vcpus)
		return TDX_NO_VCPUS;
	tdx_call_body(c, 0, WORK_PLAIN);
	td->state.op_state = OP_RUNNABLE;
	return TDX_SUCCESS;
}

tdx_status tdh_mr_finalize(struct lp *lp, hpa_t tdr)
{
	return with_tdr_exclusive(lp, TDH_MR_FINALIZE, tdr, OPERAND_RCX,
				  finalize, NULL);
}
