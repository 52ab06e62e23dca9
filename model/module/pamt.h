/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Physical memory: PAMT entries, their walk, and the control pages that hang
 * off them.  Memory is taken as pages are touched, in a radix by HPA.
 */
#ifndef TDMEM_MODULE_PAMT_H
#define TDMEM_MODULE_PAMT_H

#include "model/module/locks.h"

enum pamt_type {
	PT_NDA = 0,
	PT_RSVD = 1,
	PT_REG = 3,
	PT_TDR = 4,
	PT_TDCX = 5,
	PT_TDVPR = 6,
	PT_EPT = 8,
};

/** 16 bytes, four on a line, as in the module. */
struct pamt_entry {
	u16 lock;
	u8 type;
	u8 owner_high;
	u32 owner_low; /* with owner_high: frame number of the TDR */
	u64 bepoch;
};
_Static_assert(sizeof(struct pamt_entry) == 16, "PAMT entries are 16 bytes");

enum { ENTRIES = 512, PAMT_LINES = ENTRIES / 4, SEPT_LINES = ENTRIES / 8 };

/** An S-EPT page: eight entries on a line. */
struct sept_page {
	u64 entry[ENTRIES];
	struct line line[SEPT_LINES];
};

/**
 * What a 4K page has been used for.  Kept after the page is freed, for
 * walkers that still hold a pointer, and used again at the next use.
 */
struct control_page {
	struct td *td;
	struct tdvps *vcpu;
	struct sept_page *sept;
};

enum { CONTROL_GROUP = 8 };
struct control_group {
	struct control_page page[CONTROL_GROUP];
};

/** PAMT entries of the 4K pages of 2 MiB. */
struct pamt_chunk {
	struct pamt_entry entry[ENTRIES];
	struct line line[PAMT_LINES];
	struct control_group *control[ENTRIES / CONTROL_GROUP];
};

/** PAMT entries of the 2M pages of 1 GiB. */
struct pamt_block {
	struct pamt_entry entry[ENTRIES];
	struct line line[PAMT_LINES];
	struct pamt_chunk *chunk[ENTRIES];
};

struct tdmr {
	u64 base, size;
	struct pamt_entry *entry; /* of 1G pages */
	struct line *line;
	struct pamt_block **block;
};

struct pamt_ref {
	struct pamt_entry *entry;
	struct line *line;
};

/** Is this address in a TDMR? */
bool pamt_covers(const struct tdx_module *m, hpa_t hpa);

/** The entry, created free if nobody has touched it. */
struct pamt_ref pamt_at(const struct call *c, hpa_t hpa, enum tdx_level size);
/** The same, {NULL} if nobody has touched it. */
struct pamt_ref pamt_peek(const struct tdx_module *m, hpa_t hpa,
			  enum tdx_level size);
/** The entry of a page known to be in use; halts when it is not. */
struct pamt_ref pamt_get(const struct call *c, hpa_t hpa, enum tdx_level size);

/** Lock of one entry, named `name` in traces. */
static inline struct lock pamt_lock(const struct pamt_ref *ref,
				    const char *name)
{
	return (struct lock){&ref->entry->lock, ref->line, name};
}

static inline enum pamt_type pamt_type(const struct pamt_entry *e)
{
	return (enum pamt_type)__atomic_load_n(&e->type, __ATOMIC_ACQUIRE);
}

static inline void pamt_set_type(struct strand *s, struct pamt_entry *e,
				 enum pamt_type type)
{
	plain_access(s, &e->type, sizeof(e->type), true);
	__atomic_store_n(&e->type, (u8)type, __ATOMIC_RELEASE);
}

hpa_t pamt_owner(const struct pamt_entry *e);
/** Owner first, the type last; BEPOCH stays that of the page's last use. */
void pamt_give(struct strand *s, struct pamt_entry *e, enum pamt_type type,
	       hpa_t owner);
/** The same with BEPOCH 0. */
void pamt_assign(struct strand *s, struct pamt_entry *e, enum pamt_type type,
		 hpa_t owner);

/** Entries held by an explicit walk, indexed by level. */
struct pamt_walk {
	struct pamt_ref at[3];
	enum tdx_level leaf;
	bool exclusive; /* the leaf; parents are always shared */
	const char *name;
};

/**
 * Lock a page's entry and its parents.  The walk ends early at a bigger page
 * in use; w->leaf says where.  0, or TDX_OPERAND_BUSY with nothing held.
 */
tdx_status pamt_walk(const struct call *c, struct pamt_walk *w, hpa_t hpa,
		     enum tdx_level size, bool exclusive, const char *name);
void pamt_unwalk(const struct call *c, const struct pamt_walk *w);

/** Are the 512 4K entries of a 2M page all free? */
bool pamt_2m_is_free(const struct tdx_module *m, hpa_t hpa);

/**
 * 512 small entries become one big one, which takes `ps` under its lock.
 * 0 or TDX_OPERAND_BUSY.
 */
tdx_status pamt_merge(const struct call *c, hpa_t hpa, enum tdx_level size,
		      u64 ps);
/** The other way round. */
tdx_status pamt_split(const struct call *c, hpa_t hpa, enum tdx_level size,
		      u64 ps);

/** What a 4K page is used for; with `c`, created.  NULL if nothing yet. */
struct control_page *control_page(const struct tdx_module *m, hpa_t hpa);
struct control_page *control_page_make(const struct call *c, hpa_t hpa);

/** Called for each 2 MiB with touched 4K entries. */
typedef void chunk_fn(void *ctx, hpa_t base, struct pamt_chunk *chunk);
void pamt_each_chunk(const struct tdx_module *m, chunk_fn *fn, void *ctx);
void pamt_destroy(struct tdx_module *m);

#endif
