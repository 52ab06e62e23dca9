/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Secure EPT: entry format, states, walk.  States are decided by seven bits
 * of an entry; the lock bits, RWX and the address take no part.
 */
#ifndef TDMEM_MODULE_SEPT_H
#define TDMEM_MODULE_SEPT_H

#include "model/module/td.h"

#define SEPT_RWX	0x7ull
#define SEPT_MEMTYPE_WB (6ull << 3)
#define SEPT_IPAT	(1ull << 6)
#define SEPT_LEAF	(1ull << 7)
#define SEPT_D		(1ull << 9)
#define SEPT_HPA	0x000FFFFFFFFFF000ull
#define SEPT_EXPORTED	(1ull << 53)
#define SEPT_BLOCKEDW	(1ull << 54)
#define SEPT_BLOCKED	(1ull << 55)
#define SEPT_PENDING	(1ull << 56)
#define SEPT_NO_VE	(1ull << 63)

/** Chunks of a 2M page accepted so far: inside the address of the entry. */
#define SEPT_COUNTER 0x00000000001FF000ull

#define SEPT_LEAF_BITS (SEPT_LEAF | SEPT_IPAT | SEPT_MEMTYPE_WB | SEPT_NO_VE)
/** A free entry; what a new S-EPT page is filled with. */
#define SEPT_FREE_ENTRY                                                        \
	(SEPT_NO_VE | SEPT_BLOCKED | SEPT_BLOCKEDW | SEPT_EXPORTED)

/** The columns of the module's permission tables. */
enum sept_state {
	STATE_FREE,
	STATE_REMOVED,
	STATE_NL_MAPPED,
	STATE_NL_BLOCKED,
	STATE_MAPPED,
	STATE_BLOCKED,
	STATE_BLOCKEDW,
	STATE_EXPORTED_BLOCKEDW,
	STATE_EXPORTED_DIRTY,
	STATE_EXPORTED_DIRTY_BLOCKEDW,
	STATE_PENDING,
	STATE_PENDING_BLOCKED,
	STATE_PENDING_BLOCKEDW,
	STATE_PENDING_EXPORTED_BLOCKEDW,
	STATE_PENDING_EXPORTED_DIRTY,
	STATE_PENDING_EXPORTED_DIRTY_BLOCKEDW,
	STATE_INVALID, /* bits that the module never writes */
	NR_SEPT_STATES
};

struct sept_state_info {
	const char *name;
	u8 code; /* the seven bits */
	u8 public_code;
	u8 flags;
};

enum {
	SEPT_TRACKED = 1,    /* needs TLB tracking before it goes away */
	SEPT_ACCESSIBLE = 2, /* a leaf that the guest can use */
	SEPT_IS_BLOCKED = 4,
	SEPT_NON_LEAF = 8,
};

enum sept_state sept_state(u64 entry);
const struct sept_state_info *sept_info(enum sept_state state);

static inline const struct sept_state_info *sept_entry_info(u64 entry)
{
	return sept_info(sept_state(entry));
}

static inline bool sept_has(u64 entry, unsigned flag)
{
	return sept_entry_info(entry)->flags & flag;
}

/** May `call` work on an entry in this state? */
bool sept_allowed(enum tdx_call call, u64 entry);

/** The entry as a host or guest is shown it: RCX of a failing call. */
u64 sept_image(u64 entry);
/** RDX: level and public state. */
u64 sept_image_info(u64 entry, enum tdx_level level);

/** A pending 2M entry without its accept counter, anything else as it is. */
u64 sept_clean(u64 entry, enum tdx_level level);
u64 sept_block(u64 entry, enum tdx_level level);
u64 sept_unblock(u64 entry);

static inline hpa_t sept_hpa(u64 entry)
{
	return HPA(entry & SEPT_HPA);
}

/** Of a leaf: without the bits below its size, where a counter can be. */
static inline hpa_t sept_leaf_hpa(u64 entry, enum tdx_level level)
{
	return HPA(entry & SEPT_HPA & ~(LEVEL_BYTES(level) - 1));
}

static inline u64 sept_load(const u64 *entry)
{
	return __atomic_load_n(entry, __ATOMIC_ACQUIRE);
}

/** Where a walk ended. */
struct sept_walk {
	u64 *entry;
	struct line *line;
	u64 copy;
	enum tdx_level level;
};

/**
 * Walk to the entry of `level`; takes no locks.  False when it stops above:
 * at an entry without R, W and X (unless `through`) or at a leaf.  `s` is
 * NULL for those who only look.
 */
bool sept_walk(const struct tdx_module *m, struct strand *s,
	       const struct td *td, gpa_t gpa, enum tdx_level level,
	       bool through, struct sept_walk *w);

/** Private, and inside the guest's physical address width? */
bool sept_gpa_is_private(const struct td *td, u64 gpa);

/** The page's entries, created if need be, filled with free ones. */
struct sept_page *sept_page_init(const struct call *c, hpa_t hpa);
/** Filled with the 512 parts of a bigger leaf. */
void sept_page_split(const struct call *c, hpa_t hpa, u64 leaf,
		     enum tdx_level level);
struct sept_page *sept_page_at(const struct tdx_module *m, hpa_t hpa);

#endif
