/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must hold while no call is running (facts 12.1).  vCPUs may be inside:
 * each of them holds its TDVPR with its parents, its TDR, and one reference.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "model/module/inspect.h"
#include "model/module/sept.h"

struct audit {
	const struct tdx_module *m;
	char *why;
	size_t size;
	bool failed;
};

__attribute__((format(printf, 2, 3))) static void fail(struct audit *a,
						       const char *format, ...)
{
	va_list args;

	if (a->failed)
		return;
	a->failed = true;
	va_start(args, format);
	vsnprintf(a->why, a->size, format, args);
	va_end(args);
}

/* A shared-only word at rest: so many readers, host priority or not. */
static void check_hp(struct audit *a, u16 raw, u32 readers, const char *what,
		     u64 at)
{
	if ((raw & ~HP_PRIORITY) != readers * HP_READER)
		fail(a, "%s 0x%" PRIx64 ": lock 0x%x with %u readers", what, at,
		     raw, readers);
}

static struct td *td_of(const struct tdx_module *m, hpa_t tdr)
{
	const struct control_page *p = control_page(m, tdr);

	return p ? p->td : NULL;
}

/* -------------------------------------------------- first pass: counting */

static void reset_td(void *ctx, hpa_t base, struct pamt_chunk *chunk)
{
	const struct audit *a = ctx;
	unsigned i;

	for (i = 0; i < ENTRIES; i++) {
		struct td *td;

		if (chunk->entry[i].type != PT_TDR)
			continue;
		td = td_of(a->m, HPA(base.v + i * 4096ull));
		if (!td)
			continue;
		td->counted_pages = 0;
		td->counted_vcpus = 0;
		td->counted_inside[0] = td->counted_inside[1] = 0;
	}
}

static void count_page(struct audit *a, const struct pamt_entry *e, hpa_t hpa,
		       enum tdx_level size)
{
	struct td *td;

	if (e->type == PT_NDA || e->type == PT_RSVD || e->type == PT_TDR)
		return;
	td = td_of(a->m, pamt_owner(e));
	if (!td) {
		fail(a, "page 0x%" PRIx64 ": its owner is no TD", hpa.v);
		return;
	}
	td->counted_pages += LEVEL_PAGES(size);
}

static void count_vcpu(struct audit *a, hpa_t hpa)
{
	const struct tdvps *vcpu = control_page(a->m, hpa)->vcpu;

	vcpu->td->counted_vcpus += vcpu->head.assoc_lpid != NO_LP;
	if (vcpu->state == VCPU_ACTIVE)
		vcpu->td->counted_inside[vcpu->head.epoch & 1]++;
}

static void count_chunk(void *ctx, hpa_t base, struct pamt_chunk *chunk)
{
	struct audit *a = ctx;
	unsigned i;

	for (i = 0; i < ENTRIES; i++) {
		hpa_t hpa = HPA(base.v + i * 4096ull);

		count_page(a, &chunk->entry[i], hpa, LEVEL_4K);
		if (chunk->entry[i].type == PT_TDVPR)
			count_vcpu(a, hpa);
	}
}

/* ------------------------------------------------- second pass: checking */

static void check_td(struct audit *a, const struct td *td)
{
	u64 at = td->hpa.v;
	u32 p;

	if (td->tree.tree_lock)
		fail(a, "TD 0x%" PRIx64 ": tree lock 0x%x", at,
		     td->tree.tree_lock);
	if (td->track.lock)
		fail(a, "TD 0x%" PRIx64 ": epoch lock 0x%x", at,
		     td->track.lock);
	check_hp(a, td->state.op_state_lock, 0, "OP_STATE of TD", at);
	for (p = 0; p < 2; p++)
		if (td->track.refcount[p] != td->counted_inside[p])
			fail(a,
			     "TD 0x%" PRIx64
			     ": refcount[%u] %u with %u vCPUs inside",
			     at, p, td->track.refcount[p],
			     td->counted_inside[p]);
	if (td->tdr.chldcnt != td->counted_pages)
		fail(a, "TD 0x%" PRIx64 ": chldcnt %" PRIu64 " of %" PRIu64, at,
		     td->tdr.chldcnt, td->counted_pages);
	if (td->state.num_assoc_vcpus != td->counted_vcpus)
		fail(a, "TD 0x%" PRIx64 ": %u vCPUs associated, not %u", at,
		     td->state.num_assoc_vcpus, td->counted_vcpus);
}

static void check_sept_page(struct audit *a, hpa_t hpa,
			    const struct sept_page *page)
{
	unsigned i;

	for (i = 0; i < ENTRIES; i++) {
		if (page->entry[i] == SEPT_FREE_ENTRY)
			continue;
		if (page->entry[i] & ENTRY_EL)
			fail(a, "S-EPT page 0x%" PRIx64 ": entry %u locked",
			     hpa.v, i);
		if (sept_state(page->entry[i]) == STATE_INVALID)
			fail(a,
			     "S-EPT page 0x%" PRIx64 ": entry %u is 0x%" PRIx64,
			     hpa.v, i, page->entry[i]);
	}
}

/* Readers that a page's entry has at rest: vCPUs inside. */
static u32 resting_readers(struct audit *a, const struct pamt_entry *e,
			   hpa_t hpa)
{
	const struct control_page *p;

	if (e->type != PT_TDR && e->type != PT_TDVPR)
		return 0;
	p = control_page(a->m, hpa);
	if (e->type == PT_TDR)
		return p->td->counted_inside[0] + p->td->counted_inside[1];
	return p->vcpu->state == VCPU_ACTIVE;
}

/* Returns how many TDVPRs of vCPUs inside there are: the parents' readers. */
static u32 check_entries(struct audit *a, hpa_t base,
			 const struct pamt_chunk *chunk)
{
	u32 inside = 0;
	unsigned i;

	for (i = 0; i < ENTRIES; i++) {
		const struct pamt_entry *e = &chunk->entry[i];
		hpa_t hpa = HPA(base.v + i * 4096ull);
		u32 readers = resting_readers(a, e, hpa);

		check_hp(a, e->lock, readers, "page", hpa.v);
		if (e->type == PT_TDVPR)
			inside += readers;
		if (e->type == PT_TDR)
			check_td(a, td_of(a->m, hpa));
		if (e->type == PT_EPT)
			check_sept_page(a, hpa, sept_page_at(a->m, hpa));
	}
	return inside;
}

static u32 check_block(struct audit *a, hpa_t base, const struct pamt_block *b)
{
	u32 inside_all = 0;
	unsigned i;

	for (i = 0; i < ENTRIES; i++) {
		hpa_t hpa = HPA(base.v + ((u64)i << 21));
		u32 inside = 0;

		if (b->chunk[i])
			inside = check_entries(a, hpa, b->chunk[i]);
		check_hp(a, b->entry[i].lock, inside, "2M page", hpa.v);
		inside_all += inside;
	}
	return inside_all;
}

static void each_gib(struct audit *a, const struct tdmr *t, bool check)
{
	u64 gib;
	unsigned i;

	for (gib = 0; gib < t->size >> 30; gib++) {
		const struct pamt_block *b = t->block[gib];
		hpa_t hpa = HPA(t->base + (gib << 30));

		if (check)
			check_hp(a, t->entry[gib].lock,
				 b ? check_block(a, hpa, b) : 0, "1G page",
				 hpa.v);
		else
			count_page(a, &t->entry[gib], hpa, LEVEL_1G);
		for (i = 0; !check && b && i < ENTRIES; i++)
			count_page(a, &b->entry[i], HPA(hpa.v + ((u64)i << 21)),
				   LEVEL_2M);
	}
}

bool tdx_check_invariants(struct tdx_module *module, char *why, size_t size)
{
	struct audit a = {.m = module, .why = why, .size = size};
	u32 i;

	if (module->kot.words->lock)
		fail(&a, "KOT: lock 0x%x", module->kot.words->lock);
	for (i = 0; i < module->platform.packages; i++)
		if (module->wbt[i].lock)
			fail(&a, "WBCACHE of package %u: taken", i);
	pamt_each_chunk(module, reset_td, &a);
	pamt_each_chunk(module, count_chunk, &a);
	for (i = 0; i < module->tdmrs; i++)
		each_gib(&a, &module->tdmr[i], false);
	for (i = 0; i < module->tdmrs; i++)
		each_gib(&a, &module->tdmr[i], true);
	return !a.failed;
}
