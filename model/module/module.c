/* SPDX-License-Identifier: GPL-2.0-only */
/* The module as a whole: life cycle, memory, logical processors. */
#include <stdlib.h>
#include <string.h>

#include "model/module/td.h"

const struct tdx_platform tdx_platform_default = {
	.max_pa = 52,
	.hkid_bits = 6,
	.first_private_hkid = 32,
	.packages = 1,
	.cache_sub_blocks = 4,
	.tsc_hz = 2500000000ull,
};

#define GIB (1ull << 30)

/* ---------------------------------------------------------------- memory */

static size_t whole_lines(size_t size)
{
	return (size + 63) & ~(size_t)63;
}

void *module_alloc(struct tdx_module *m, size_t size)
{
	void *p;

	size = whole_lines(size);
	p = aligned_alloc(64, size);
	if (!p)
		return NULL;
	memset(p, 0, size);
	__atomic_fetch_add(&m->memory, size, __ATOMIC_RELAXED);
	return p;
}

void module_free(struct tdx_module *m, void *p, size_t size)
{
	__atomic_fetch_sub(&m->memory, whole_lines(size), __ATOMIC_RELAXED);
	free(p);
}

void *module_make(struct tdx_module *m, void **slot, size_t size)
{
	void *p = module_alloc(m, size);
	void *other = NULL;

	if (!p)
		return NULL;
	if (__atomic_compare_exchange_n(slot, &other, p, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return p;
	module_free(m, p, size);
	return other;
}

const struct tdx_platform *tdx_module_platform(const struct tdx_module *module)
{
	return &module->platform;
}

u64 tdx_module_memory(const struct tdx_module *module)
{
	return module->memory;
}

/* ---------------------------------------------------------- create, free */

static bool kot_create(struct tdx_module *m)
{
	struct kot *k = &m->kot;
	size_t count;

	k->hkids = 1u << m->platform.hkid_bits;
	count = 1 + 2 * (size_t)k->hkids;
	k->words = module_alloc(m, count * sizeof(u32));
	k->line = module_alloc(m, (count / 16 + 1) * sizeof(*k->line));
	k->state = module_alloc(m, k->hkids);
	if (!k->words || !k->line || !k->state)
		return false;
	k->state[m->platform.first_private_hkid] = KOT_RESERVED;
	return true;
}

static bool wbt_create(struct tdx_module *m)
{
	u32 i;

	m->wbt = module_alloc(m, m->platform.packages * sizeof(*m->wbt));
	if (!m->wbt)
		return false;
	for (i = 0; i < m->platform.packages; i++) {
		m->wbt[i].snapshot = module_alloc(m, m->kot.hkids);
		if (!m->wbt[i].snapshot)
			return false;
	}
	return true;
}

static bool platform_is_sane(const struct tdx_platform *p)
{
	return p->max_pa <= 52 && p->hkid_bits >= 1 && p->hkid_bits <= 15 &&
	       p->max_pa >= p->hkid_bits + 32 &&
	       p->first_private_hkid < 1u << p->hkid_bits && p->packages &&
	       p->packages <= 64 && p->cache_sub_blocks && p->tsc_hz;
}

struct tdx_module *tdx_module_create(const struct tdx_platform *platform,
				     const struct tdx_costs *costs)
{
	struct tdx_module *m;

	if (!platform_is_sane(platform))
		return NULL;
	m = aligned_alloc(64, sizeof(*m));
	if (!m)
		return NULL;
	memset(m, 0, sizeof(*m));
	m->memory = sizeof(*m);
	m->platform = *platform;
	m->costs = *costs;
	costs_prepare(&m->costs, m->body_ps);
	if (!kot_create(m) || !wbt_create(m)) {
		tdx_module_destroy(m);
		return NULL;
	}
	return m;
}

void tdx_module_destroy(struct tdx_module *module)
{
	u32 i;

	if (!module)
		return;
	pamt_destroy(module);
	for (i = 0; module->wbt && i < module->platform.packages; i++)
		free(module->wbt[i].snapshot);
	free(module->wbt);
	free(module->kot.words);
	free(module->kot.line);
	free(module->kot.state);
	free(module);
}

static bool tdmr_is_sane(const struct tdx_module *m, hpa_t base, u64 size)
{
	u64 end = base.v + size;
	u64 limit = 1ull << (m->platform.max_pa - m->platform.hkid_bits);
	u32 i;

	if (base.v % GIB || size % GIB || !size || end < size || end > limit ||
	    m->tdmrs == MAX_TDMRS)
		return false;
	for (i = 0; i < m->tdmrs; i++)
		if (base.v < m->tdmr[i].base + m->tdmr[i].size &&
		    m->tdmr[i].base < end)
			return false;
	return true;
}

int tdx_module_add_tdmr(struct tdx_module *module, hpa_t base, u64 size)
{
	struct tdmr t = {.base = base.v, .size = size};
	u64 gibs = size / GIB;

	if (!tdmr_is_sane(module, base, size))
		return -1;
	t.entry = module_alloc(module, gibs * sizeof(*t.entry));
	t.line = module_alloc(module, (gibs / 4 + 1) * sizeof(*t.line));
	t.block = module_alloc(module, gibs * sizeof(*t.block));
	if (!t.entry || !t.line || !t.block) {
		free(t.entry);
		free(t.line);
		free(t.block);
		return -1;
	}
	module->tdmr[module->tdmrs++] = t;
	return 0;
}

/* ------------------------------------------------------------------ rest */

void lp_init(struct lp *lp, struct tdx_module *module, struct strand *strand,
	     u32 id, u32 package)
{
	*lp = (struct lp){.module = module,
			  .strand = strand,
			  .id = id,
			  .package = package};
}

hpa_t tdx_hpa_with_hkid(const struct tdx_module *module, hpa_t page, u32 hkid)
{
	const struct tdx_platform *p = &module->platform;

	return HPA(page.v | (u64)hkid << (p->max_pa - p->hkid_bits));
}

u64 module_tsc(const struct call *c)
{
	return (u64)((unsigned __int128)now(c->s) * c->m->platform.tsc_hz /
		     PS_PER_S);
}

struct lock td_tree_lock(struct td *td)
{
	return (struct lock){&td->tree.tree_lock, &td->tree_line, "SEPT_TREE"};
}

struct lock td_epoch_lock(struct td *td)
{
	return (struct lock){&td->track.lock, &td->track_line, "TD_EPOCH"};
}

struct lock td_op_state_lock(struct td *td)
{
	return (struct lock){&td->state.op_state_lock, &td->state_line,
			     "OP_STATE"};
}

struct lock kot_lock(struct tdx_module *m)
{
	return (struct lock){&m->kot.words->lock, &m->kot.line[0], "KOT"};
}
