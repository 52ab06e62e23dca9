/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/module/sept.h"

/* code: bits PS, IPAT, TDP, TDB, TDBW, TDEX, D from high to low */
#define STATE(name, code, public_code, flags)                                  \
	[STATE_##name] = {#name, code, public_code, flags}

static const struct sept_state_info states[NR_SEPT_STATES] = {
	STATE(FREE, 0x0E, 0, 0),
	STATE(REMOVED, 0x0C, 5, 0),
	STATE(NL_MAPPED, 0x00, 0x84, SEPT_TRACKED | SEPT_NON_LEAF),
	STATE(NL_BLOCKED, 0x08, 0x81,
	      SEPT_TRACKED | SEPT_IS_BLOCKED | SEPT_NON_LEAF),
	STATE(MAPPED, 0x60, 4, SEPT_TRACKED | SEPT_ACCESSIBLE),
	STATE(BLOCKED, 0x68, 1, SEPT_TRACKED | SEPT_IS_BLOCKED),
	STATE(BLOCKEDW, 0x64, 8, SEPT_TRACKED | SEPT_ACCESSIBLE),
	STATE(EXPORTED_BLOCKEDW, 0x66, 9, SEPT_ACCESSIBLE),
	STATE(EXPORTED_DIRTY, 0x63, 11, SEPT_TRACKED | SEPT_ACCESSIBLE),
	STATE(EXPORTED_DIRTY_BLOCKEDW, 0x67, 12,
	      SEPT_TRACKED | SEPT_ACCESSIBLE),
	STATE(PENDING, 0x70, 2, SEPT_TRACKED),
	STATE(PENDING_BLOCKED, 0x78, 3, SEPT_TRACKED | SEPT_IS_BLOCKED),
	STATE(PENDING_BLOCKEDW, 0x74, 16, SEPT_TRACKED),
	STATE(PENDING_EXPORTED_BLOCKEDW, 0x76, 17, 0),
	STATE(PENDING_EXPORTED_DIRTY, 0x73, 19, SEPT_TRACKED),
	STATE(PENDING_EXPORTED_DIRTY_BLOCKEDW, 0x77, 20, SEPT_TRACKED),
	STATE(INVALID, 0xFF, 0xFF, 0),
};

/* The same the other way: state + 1 by code, 0 for codes of no state. */
static const u8 by_code[128] = {
	[0x0E] = STATE_FREE + 1,
	[0x0C] = STATE_REMOVED + 1,
	[0x00] = STATE_NL_MAPPED + 1,
	[0x08] = STATE_NL_BLOCKED + 1,
	[0x60] = STATE_MAPPED + 1,
	[0x68] = STATE_BLOCKED + 1,
	[0x64] = STATE_BLOCKEDW + 1,
	[0x66] = STATE_EXPORTED_BLOCKEDW + 1,
	[0x63] = STATE_EXPORTED_DIRTY + 1,
	[0x67] = STATE_EXPORTED_DIRTY_BLOCKEDW + 1,
	[0x70] = STATE_PENDING + 1,
	[0x78] = STATE_PENDING_BLOCKED + 1,
	[0x74] = STATE_PENDING_BLOCKEDW + 1,
	[0x76] = STATE_PENDING_EXPORTED_BLOCKEDW + 1,
	[0x73] = STATE_PENDING_EXPORTED_DIRTY + 1,
	[0x77] = STATE_PENDING_EXPORTED_DIRTY_BLOCKEDW + 1,
};

#define S(name)	    (1u << STATE_##name)
#define LIVE_LEAVES (S(MAPPED) | S(BLOCKED) | S(PENDING) | S(PENDING_BLOCKED))
#define EXPORT_LEAVES                                                          \
	(S(EXPORTED_BLOCKEDW) | S(EXPORTED_DIRTY) |                            \
	 S(EXPORTED_DIRTY_BLOCKEDW) | S(PENDING_EXPORTED_BLOCKEDW) |           \
	 S(PENDING_EXPORTED_DIRTY) | S(PENDING_EXPORTED_DIRTY_BLOCKEDW))
#define ACCESSIBLE                                                             \
	(S(MAPPED) | S(BLOCKEDW) | S(EXPORTED_BLOCKEDW) | S(EXPORTED_DIRTY) |  \
	 S(EXPORTED_DIRTY_BLOCKEDW))

static const u32 allowed[NR_TDX_CALLS] = {
	[TDH_MEM_PAGE_ADD] = S(FREE),
	[TDH_MEM_SEPT_ADD] = S(FREE) | S(NL_MAPPED),
	[TDH_MEM_PAGE_AUG] = S(FREE) | S(REMOVED),
	[TDG_MEM_PAGE_ACCEPT] = S(PENDING) | S(PENDING_EXPORTED_DIRTY),
	[TDG_MEM_PAGE_ATTR_RD] = ACCESSIBLE | S(PENDING) | S(PENDING_BLOCKEDW),
	[TDG_MEM_PAGE_ATTR_WR] = S(MAPPED) | S(EXPORTED_DIRTY) | S(PENDING) |
				 S(PENDING_EXPORTED_DIRTY),
	[TDH_MEM_RANGE_BLOCK] = S(NL_MAPPED) | S(MAPPED) | S(PENDING) |
				S(BLOCKEDW) | S(PENDING_BLOCKEDW),
	[TDH_MEM_RANGE_UNBLOCK] =
		S(NL_BLOCKED) | S(BLOCKED) | S(PENDING_BLOCKED),
	[TDH_MEM_PAGE_REMOVE] = LIVE_LEAVES | S(BLOCKEDW) | S(PENDING_BLOCKEDW),
	[TDH_MEM_SEPT_REMOVE] = S(NL_MAPPED) | S(NL_BLOCKED),
	[TDH_MEM_PAGE_PROMOTE] = S(NL_MAPPED) | S(NL_BLOCKED),
	[TDH_MEM_PAGE_DEMOTE] = LIVE_LEAVES,
	[TDH_MEM_PAGE_RELOCATE] =
		LIVE_LEAVES | S(BLOCKEDW) | S(PENDING_BLOCKEDW) | EXPORT_LEAVES,
	[TDH_MR_EXTEND] = S(MAPPED),
	[TDH_MEM_SEPT_RD] = ~0u,
};

enum sept_state sept_state(u64 entry)
{
	/* PS and IPAT are bits 7:6, the four software bits 56:53, D bit 9 */
	unsigned code =
		(unsigned)((entry & (SEPT_LEAF | SEPT_IPAT)) >> 1 |
			   (entry >> 53 & 1) << 1 | (entry >> 54 & 1) << 2 |
			   (entry >> 55 & 1) << 3 | (entry >> 56 & 1) << 4 |
			   (entry >> 9 & 1));

	return by_code[code] ? (enum sept_state)(by_code[code] - 1)
			     : STATE_INVALID;
}

const struct sept_state_info *sept_info(enum sept_state state)
{
	return &states[state];
}

bool sept_allowed(enum tdx_call call, u64 entry)
{
	return allowed[call] >> sept_state(entry) & 1;
}

u64 sept_image(u64 entry)
{
	const u64 shown = SEPT_RWX | SEPT_MEMTYPE_WB | SEPT_IPAT | SEPT_LEAF |
			  SEPT_HPA | SEPT_NO_VE;

	if (sept_has(entry, SEPT_NON_LEAF))
		return entry & SEPT_RWX;
	return entry & shown;
}

u64 sept_image_info(u64 entry, enum tdx_level level)
{
	return (u64)level | (u64)sept_entry_info(entry)->public_code << 8;
}

u64 sept_clean(u64 entry, enum tdx_level level)
{
	if (level == LEVEL_2M && (entry & SEPT_LEAF) && (entry & SEPT_PENDING))
		entry &= ~SEPT_COUNTER;
	return entry;
}

u64 sept_block(u64 entry, enum tdx_level level)
{
	entry = sept_clean(entry, level);
	return (entry & ~SEPT_RWX) | SEPT_BLOCKED;
}

u64 sept_unblock(u64 entry)
{
	entry &= ~SEPT_BLOCKED;
	return entry & SEPT_PENDING ? entry : entry | SEPT_RWX;
}

/* ------------------------------------------------------------------ walk */

struct sept_page *sept_page_at(const struct tdx_module *m, hpa_t hpa)
{
	struct control_page *p = control_page(m, hpa);

	return p ? __atomic_load_n(&p->sept, __ATOMIC_ACQUIRE) : NULL;
}

bool sept_walk(const struct tdx_module *m, struct strand *s,
	       const struct td *td, gpa_t gpa, enum tdx_level level,
	       bool through, struct sept_walk *w)
{
	struct sept_page *page = td->root;

	for (w->level = td->root_level;; w->level--) {
		unsigned i = (gpa.v >> (12 + 9 * w->level)) % ENTRIES;

		w->entry = &page->entry[i];
		w->line = &page->line[i / 8];
		plain_access(s, w->entry, sizeof(*w->entry), false);
		w->copy = sept_load(w->entry);
		if (w->level <= level)
			return true;
		if (w->copy & SEPT_LEAF)
			return false;
		if (!(w->copy & SEPT_RWX) &&
		    !(through && sept_has(w->copy, SEPT_NON_LEAF)))
			return false;
		page = sept_page_at(m, sept_hpa(w->copy));
		if (!page)
			return false;
	}
}

bool sept_gpa_is_private(const struct td *td, u64 gpa)
{
	/* the uppermost bit of the width is the SHARED bit */
	return gpa >> (td->gpaw - 1) == 0;
}

static struct sept_page *page_make(const struct call *c, hpa_t hpa)
{
	struct sept_page *page = MAKE(c->m, &control_page_make(c, hpa)->sept);

	if (!page)
		tdx_call_halt(c, HALT_MODEL, 1, "the model is out of memory");
	return page;
}

static void fill(struct sept_page *page, u64 entry, u64 step)
{
	unsigned i;

	for (i = 0; i < ENTRIES; i++)
		__atomic_store_n(&page->entry[i], entry + i * step,
				 __ATOMIC_RELAXED);
}

struct sept_page *sept_page_init(const struct call *c, hpa_t hpa)
{
	struct sept_page *page = page_make(c, hpa);

	fill(page, SEPT_FREE_ENTRY, 0);
	return page;
}

void sept_page_split(const struct call *c, hpa_t hpa, u64 leaf,
		     enum tdx_level level)
{
	fill(page_make(c, hpa), leaf, LEVEL_BYTES(level - 1));
}
