/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>

#include "model/module/td.h"

/* Codes of source 0x0003, as the module numbers its checks. */
enum {
	CHECK_MERGE_PARENT = 4,
	CHECK_MERGE_CHILDREN = 6,
	CHECK_SPLIT_PARENT = 8,
	CHECK_IMPLICIT = 10,
};

#define GIB_SHIFT 30
#define MIB_SHIFT 21

static const struct tdmr *tdmr_of(const struct tdx_module *m, hpa_t hpa)
{
	u32 i;

	for (i = 0; i < m->tdmrs; i++)
		if (hpa.v - m->tdmr[i].base < m->tdmr[i].size)
			return &m->tdmr[i];
	return NULL;
}

bool pamt_covers(const struct tdx_module *m, hpa_t hpa)
{
	return tdmr_of(m, hpa) != NULL;
}

static u64 gib_of(const struct tdmr *t, hpa_t hpa)
{
	return (hpa.v - t->base) >> GIB_SHIFT;
}

static unsigned index_2m(hpa_t hpa)
{
	return (hpa.v >> MIB_SHIFT) % ENTRIES;
}

static unsigned index_4k(hpa_t hpa)
{
	return (hpa.v >> 12) % ENTRIES;
}

static struct pamt_chunk *chunk_peek(const struct tdx_module *m, hpa_t hpa)
{
	const struct tdmr *t = tdmr_of(m, hpa);
	struct pamt_block *b;

	if (!t)
		return NULL;
	b = __atomic_load_n(&t->block[gib_of(t, hpa)], __ATOMIC_ACQUIRE);
	if (!b)
		return NULL;
	return __atomic_load_n(&b->chunk[index_2m(hpa)], __ATOMIC_ACQUIRE);
}

static void out_of_memory(const struct call *c)
{
	tdx_call_halt(c, HALT_MODEL, 1, "the model is out of memory");
}

static struct pamt_block *block_make(const struct call *c, hpa_t hpa)
{
	const struct tdmr *t = tdmr_of(c->m, hpa);
	struct pamt_block *b;

	if (!t)
		tdx_call_halt(c, HALT_MODEL, 2, "page of no TDMR");
	b = MAKE(c->m, &t->block[gib_of(t, hpa)]);
	if (!b)
		out_of_memory(c);
	return b;
}

static struct pamt_chunk *chunk_make(const struct call *c, hpa_t hpa)
{
	struct pamt_block *b = block_make(c, hpa);
	struct pamt_chunk *chunk = MAKE(c->m, &b->chunk[index_2m(hpa)]);

	if (!chunk)
		out_of_memory(c);
	return chunk;
}

static struct pamt_ref ref_1g(const struct tdmr *t, hpa_t hpa)
{
	u64 i = gib_of(t, hpa);

	return (struct pamt_ref){&t->entry[i], &t->line[i / 4]};
}

static struct pamt_ref ref_2m(struct pamt_block *b, hpa_t hpa)
{
	unsigned i = index_2m(hpa);

	return (struct pamt_ref){&b->entry[i], &b->line[i / 4]};
}

static struct pamt_ref ref_4k(struct pamt_chunk *chunk, hpa_t hpa)
{
	unsigned i = index_4k(hpa);

	return (struct pamt_ref){&chunk->entry[i], &chunk->line[i / 4]};
}

struct pamt_ref pamt_at(const struct call *c, hpa_t hpa, enum tdx_level size)
{
	const struct tdmr *t;

	switch (size) {
	case LEVEL_4K:
		return ref_4k(chunk_make(c, hpa), hpa);
	case LEVEL_2M:
		return ref_2m(block_make(c, hpa), hpa);
	default:
		t = tdmr_of(c->m, hpa);
		if (!t)
			tdx_call_halt(c, HALT_MODEL, 2, "page of no TDMR");
		return ref_1g(t, hpa);
	}
}

struct pamt_ref pamt_peek(const struct tdx_module *m, hpa_t hpa,
			  enum tdx_level size)
{
	const struct tdmr *t = tdmr_of(m, hpa);
	struct pamt_chunk *chunk = chunk_peek(m, hpa);
	struct pamt_block *b;

	if (!t)
		return (struct pamt_ref){NULL, NULL};
	if (size == LEVEL_1G)
		return ref_1g(t, hpa);
	b = t->block[gib_of(t, hpa)];
	if (size == LEVEL_2M && b)
		return ref_2m(b, hpa);
	if (size == LEVEL_4K && chunk)
		return ref_4k(chunk, hpa);
	return (struct pamt_ref){NULL, NULL};
}

struct pamt_ref pamt_get(const struct call *c, hpa_t hpa, enum tdx_level size)
{
	struct pamt_ref ref = pamt_at(c, hpa, size);
	enum pamt_type type;

	plain_access(c->s, &ref.entry->type, sizeof(ref.entry->type), false);
	type = pamt_type(ref.entry);
	if (type == PT_NDA || type == PT_RSVD)
		tdx_call_halt(c, HALT_PAMT, CHECK_IMPLICIT,
			      "PAMT entry of a page in use is free");
	return ref;
}

hpa_t pamt_owner(const struct pamt_entry *e)
{
	return HPA(((u64)e->owner_high << 32 | e->owner_low) << 12);
}

void pamt_give(struct strand *s, struct pamt_entry *e, enum pamt_type type,
	       hpa_t owner)
{
	e->owner_low = (u32)(owner.v >> 12);
	e->owner_high = (u8)(owner.v >> 44);
	pamt_set_type(s, e, type);
}

void pamt_assign(struct strand *s, struct pamt_entry *e, enum pamt_type type,
		 hpa_t owner)
{
	e->bepoch = 0;
	pamt_give(s, e, type, owner);
}

/* ------------------------------------------------------------------ walk */

static const char *const size_name[] = {"PAMT_4K", "PAMT_2M", "PAMT_1G"};

static void release_shared(const struct call *c, const struct pamt_walk *w,
			   enum tdx_level from)
{
	enum tdx_level level;

	for (level = from; level <= LEVEL_1G; level++) {
		struct lock l = pamt_lock(&w->at[level], size_name[level]);

		hp_release(c, &l, false);
	}
}

/* A big page in use, or the asked one: its entry is held shared so far. */
static tdx_status take_big_leaf(const struct call *c, struct pamt_walk *w,
				enum tdx_level level)
{
	struct lock l = pamt_lock(&w->at[level], w->name);

	w->leaf = level;
	if (!w->exclusive || hp_promote(c, &l) == TDX_SUCCESS)
		return TDX_SUCCESS;
	release_shared(c, w, level);
	return TDX_OPERAND_BUSY;
}

tdx_status pamt_walk(const struct call *c, struct pamt_walk *w, hpa_t hpa,
		     enum tdx_level size, bool exclusive, const char *name)
{
	enum tdx_level level;
	struct lock l;

	w->exclusive = exclusive;
	w->name = name;
	for (level = LEVEL_1G; level > LEVEL_4K; level--) {
		w->at[level] = pamt_at(c, hpa, level);
		l = pamt_lock(&w->at[level], size_name[level]);
		if (hp_try(c, &l, false, HOST) != TDX_SUCCESS) {
			release_shared(c, w, level + 1);
			return TDX_OPERAND_BUSY;
		}
		if (level == size || pamt_type(w->at[level].entry) == PT_REG)
			return take_big_leaf(c, w, level);
	}
	w->leaf = LEVEL_4K;
	w->at[LEVEL_4K] = pamt_at(c, hpa, LEVEL_4K);
	l = pamt_lock(&w->at[LEVEL_4K], name);
	if (hp_try(c, &l, exclusive, HOST) != TDX_SUCCESS) {
		release_shared(c, w, LEVEL_2M);
		return TDX_OPERAND_BUSY;
	}
	return TDX_SUCCESS;
}

void pamt_unwalk(const struct call *c, const struct pamt_walk *w)
{
	struct lock l = pamt_lock(&w->at[w->leaf], w->name);

	hp_release(c, &l, w->exclusive);
	release_shared(c, w, w->leaf + 1);
}

/* ------------------------------------------------------- merge and split */

bool pamt_2m_is_free(const struct tdx_module *m, hpa_t hpa)
{
	const struct pamt_chunk *chunk = chunk_peek(m, hpa);
	unsigned i;

	for (i = 0; chunk && i < ENTRIES; i++)
		if (pamt_type(&chunk->entry[i]) != PT_NDA)
			return false;
	return true;
}

static struct pamt_entry *children_of(const struct call *c, hpa_t hpa,
				      enum tdx_level size)
{
	if (size == LEVEL_2M)
		return chunk_make(c, hpa)->entry;
	return block_make(c, hpa)->entry;
}

tdx_status pamt_merge(const struct call *c, hpa_t hpa, enum tdx_level size,
		      u64 ps)
{
	struct pamt_ref ref = pamt_at(c, hpa, size);
	struct lock l = pamt_lock(&ref, size_name[size]);
	struct pamt_entry *child = children_of(c, hpa, size);
	unsigned i;

	if (pamt_type(ref.entry) != PT_NDA)
		tdx_call_halt(c, HALT_PAMT, CHECK_MERGE_PARENT,
			      "merge into a page in use");
	if (hp_try(c, &l, true, HOST) != TDX_SUCCESS)
		return TDX_OPERAND_BUSY;
	spend(c->s, ps);
	for (i = 1; i < ENTRIES; i++)
		if (child[i].type != child[0].type ||
		    child[i].owner_low != child[0].owner_low ||
		    child[i].owner_high != child[0].owner_high)
			tdx_call_halt(c, HALT_PAMT, CHECK_MERGE_CHILDREN,
				      "merge of unequal pages");
	ref.entry->owner_low = child[0].owner_low;
	ref.entry->owner_high = child[0].owner_high;
	pamt_set_type(c->s, ref.entry, pamt_type(&child[0]));
	/* All at once: they are under the lock of their parent. */
	plain_access(c->s, child, ENTRIES * sizeof(*child), true);
	for (i = 0; i < ENTRIES; i++)
		pamt_set_type(NULL, &child[i], PT_NDA);
	hp_release(c, &l, true);
	return TDX_SUCCESS;
}

tdx_status pamt_split(const struct call *c, hpa_t hpa, enum tdx_level size,
		      u64 ps)
{
	struct pamt_ref ref = pamt_at(c, hpa, size);
	struct lock l = pamt_lock(&ref, size_name[size]);
	struct pamt_entry *child = children_of(c, hpa, size);
	unsigned i;

	if (pamt_type(ref.entry) != PT_REG)
		tdx_call_halt(c, HALT_PAMT, CHECK_SPLIT_PARENT,
			      "split of a page not in use");
	if (hp_try(c, &l, true, HOST) != TDX_SUCCESS)
		return TDX_OPERAND_BUSY;
	spend(c->s, ps);
	plain_access(c->s, child, ENTRIES * sizeof(*child), true);
	for (i = 0; i < ENTRIES; i++)
		pamt_assign(NULL, &child[i], PT_REG, pamt_owner(ref.entry));
	pamt_set_type(c->s, ref.entry, PT_NDA);
	hp_release(c, &l, true);
	return TDX_SUCCESS;
}

/* --------------------------------------------------------- control pages */

struct control_page *control_page(const struct tdx_module *m, hpa_t hpa)
{
	struct pamt_chunk *chunk = chunk_peek(m, hpa);
	struct control_group *g;
	unsigned i = index_4k(hpa);

	if (!chunk)
		return NULL;
	g = __atomic_load_n(&chunk->control[i / CONTROL_GROUP],
			    __ATOMIC_ACQUIRE);
	return g ? &g->page[i % CONTROL_GROUP] : NULL;
}

struct control_page *control_page_make(const struct call *c, hpa_t hpa)
{
	unsigned i = index_4k(hpa);
	struct pamt_chunk *chunk = chunk_make(c, hpa);
	struct control_group *g =
		MAKE(c->m, &chunk->control[i / CONTROL_GROUP]);

	if (!g)
		out_of_memory(c);
	return &g->page[i % CONTROL_GROUP];
}

/* ------------------------------------------------------- whole structure */

static void each_chunk_of(const struct tdmr *t, u64 gib, chunk_fn *fn,
			  void *ctx)
{
	struct pamt_block *b = t->block[gib];
	unsigned i;

	for (i = 0; b && i < ENTRIES; i++)
		if (b->chunk[i])
			fn(ctx,
			   HPA(t->base + (gib << GIB_SHIFT) +
			       ((u64)i << MIB_SHIFT)),
			   b->chunk[i]);
}

void pamt_each_chunk(const struct tdx_module *m, chunk_fn *fn, void *ctx)
{
	u64 gib;
	u32 i;

	for (i = 0; i < m->tdmrs; i++)
		for (gib = 0; gib < m->tdmr[i].size >> GIB_SHIFT; gib++)
			each_chunk_of(&m->tdmr[i], gib, fn, ctx);
}

static void free_chunk(void *ctx, hpa_t base, struct pamt_chunk *chunk)
{
	unsigned i, k;

	(void)ctx;
	(void)base;
	for (i = 0; i < ENTRIES / CONTROL_GROUP; i++) {
		struct control_group *g = chunk->control[i];

		for (k = 0; g && k < CONTROL_GROUP; k++) {
			free(g->page[k].td);
			free(g->page[k].vcpu);
			free(g->page[k].sept);
		}
		free(g);
	}
	free(chunk);
}

void pamt_destroy(struct tdx_module *m)
{
	u64 gib;
	u32 i;

	pamt_each_chunk(m, free_chunk, NULL);
	for (i = 0; i < m->tdmrs; i++) {
		for (gib = 0; gib < m->tdmr[i].size >> GIB_SHIFT; gib++)
			free(m->tdmr[i].block[gib]);
		free(m->tdmr[i].entry);
		free(m->tdmr[i].line);
		free(m->tdmr[i].block);
	}
}
