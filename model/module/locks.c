/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/module/locks.h"

/*
 * Codes of the sanity checks, source 0x0001.  They are the module's own, as
 * in the tests of its underflow: 10, 11 and 13.
 */
enum {
	CHECK_MUTEX_RELEASE = 0,
	CHECK_SHAREX_SHARED = 1,
	CHECK_SHAREX_RELEASE_SHARED = 3,
	CHECK_SHAREX_RELEASE_EX = 4,
	CHECK_SHAREX_PROMOTE = 6,
	CHECK_SHAREX_DEMOTE = 7,
	CHECK_ENTRY_RELEASE = 8,
	CHECK_HP_SHARED_GUEST = 10,
	CHECK_HP_SHARED_HOST = 11,
	CHECK_HP_RELEASE_SHARED = 13,
	CHECK_HP_RELEASE_EX = 14,
	CHECK_HP_PROMOTE = 16,
	CHECK_HP_PROMOTE_AGAIN = 17,
};

static void check(const struct call *c, bool ok, u32 code, const char *what)
{
	if (!ok)
		tdx_call_halt(c, HALT_LOCKS, code, what);
}

static bool told_word(const struct call *c, const struct obstacle *o,
		      bool exclusive, bool won)
{
	trace_emit(c->s, lock, o->what, won);
	if (won)
		trace_emit(c->s, held, o->what, o->word, exclusive, true);
	else
		trace_emit(c->s, lost, o);
	return won;
}

/* `bits`: those that would make it fail again. */
static bool told(const struct call *c, const struct lock *l, bool exclusive,
		 u64 bits, bool won)
{
	struct obstacle o = {l->name, l->word, sizeof(*l->word), 0, bits};

	return told_word(c, &o, exclusive, won);
}

/* Said before the word changes: afterwards somebody else may have it. */
static void leaving(const struct call *c, const struct lock *l, bool exclusive)
{
	trace_emit(c->s, held, l->name, l->word, exclusive, false);
}

bool mutex_try(const struct call *c, u8 *word, struct line *line)
{
	struct obstacle o = {"WBCACHE", word, sizeof(*word), 0, 1};

	return told_word(c, &o, true,
			 line_cmpxchg8(c->s, line, word, 0, 1) == 0);
}

void mutex_release(const struct call *c, u8 *word, struct line *line)
{
	u8 old;

	trace_emit(c->s, held, "WBCACHE", word, true, false);
	old = line_cmpxchg8(c->s, line, word, 1, 0);

	check(c, old == 1, CHECK_MUTEX_RELEASE, "free mutex released");
}

/* --------------------------------------------------------------- SHAREX */

bool sharex_try(const struct call *c, const struct lock *l, bool exclusive)
{
	u16 old;

	if (exclusive) {
		old = line_cmpxchg16(c->s, l->line, l->word, 0, SHAREX_EX);
		return told(c, l, true, (u16)~0, old == 0);
	}
	old = line_xadd16(c->s, l->line, l->word, SHAREX_READER);
	check(c, old != SHAREX_FULL, CHECK_SHAREX_SHARED, "too many readers");
	return told(c, l, false, SHAREX_EX, !(old & SHAREX_EX));
}

void sharex_release(const struct call *c, const struct lock *l, bool exclusive)
{
	u16 old;

	leaving(c, l, exclusive);
	if (exclusive) {
		old = line_xchg16(c->s, l->line, l->word, 0);
		check(c, old & SHAREX_EX, CHECK_SHAREX_RELEASE_EX,
		      "exclusive release of a lock not held so");
		return;
	}
	old = line_xadd16(c->s, l->line, l->word, (u16)-SHAREX_READER);
	check(c, !(old & SHAREX_EX) && old, CHECK_SHAREX_RELEASE_SHARED,
	      "shared release of a lock not held so");
}

bool sharex_promote(const struct call *c, const struct lock *l)
{
	u16 old = line_cmpxchg16(c->s, l->line, l->word, SHAREX_READER,
				 SHAREX_EX);

	check(c, !(old & SHAREX_EX) && old, CHECK_SHAREX_PROMOTE,
	      "promotion of a lock not held shared");
	return told(c, l, true, (u16)~SHAREX_READER, old == SHAREX_READER);
}

void sharex_demote(const struct call *c, const struct lock *l)
{
	u16 old = line_xchg16(c->s, l->line, l->word, SHAREX_READER);

	check(c, old & SHAREX_EX, CHECK_SHAREX_DEMOTE,
	      "demotion of a lock not held exclusive");
}

/* ------------------------------------------------------------ SHAREX-HP */

static tdx_status hp_shared_host(const struct call *c, const struct lock *l)
{
	u16 old = line_xadd16(c->s, l->line, l->word, HP_READER);

	if (old & HP_EX) {
		line_or16(c->s, l->line, l->word, HP_PRIORITY);
		return TDX_OPERAND_BUSY;
	}
	if (old & HP_PRIORITY)
		line_and16(c->s, l->line, l->word, (u16)~HP_PRIORITY);
	check(c, old >> 2 != HP_FULL_COUNT, CHECK_HP_SHARED_HOST,
	      "too many readers");
	return TDX_SUCCESS;
}

static tdx_status hp_shared_guest(const struct call *c, const struct lock *l)
{
	u16 old = line_xadd16(c->s, l->line, l->word, HP_READER);

	if (old & HP_PRIORITY) {
		/*
		 * Not checked: a release between the two steps makes this an
		 * underflow, as it does in the module.
		 */
		line_xadd16(c->s, l->line, l->word, (u16)-HP_READER);
		return TDX_OPERAND_BUSY_HOST_PRIORITY;
	}
	if (old & HP_EX)
		return TDX_OPERAND_BUSY;
	check(c, old >> 2 != HP_FULL_COUNT, CHECK_HP_SHARED_GUEST,
	      "too many readers");
	return TDX_SUCCESS;
}

static tdx_status hp_exclusive(const struct call *c, const struct lock *l,
			       enum side side)
{
	u16 old = line_cmpxchg16(c->s, l->line, l->word, 0, HP_EX);

	if (old == 0)
		return TDX_SUCCESS;
	if (old == HP_PRIORITY) {
		if (side == GUEST)
			return TDX_OPERAND_BUSY_HOST_PRIORITY;
		old = line_cmpxchg16(c->s, l->line, l->word, HP_PRIORITY,
				     HP_EX);
		return old == HP_PRIORITY ? TDX_SUCCESS : TDX_OPERAND_BUSY;
	}
	if (side == HOST)
		line_or16(c->s, l->line, l->word, HP_PRIORITY);
	return TDX_OPERAND_BUSY;
}

/* What keeps this side out. */
static u64 hp_bits(bool exclusive, enum side side)
{
	u64 bits = exclusive ? (u16)~HP_PRIORITY : HP_EX;

	return side == GUEST ? bits | HP_PRIORITY : bits;
}

tdx_status hp_try(const struct call *c, const struct lock *l, bool exclusive,
		  enum side side)
{
	tdx_status status;

	if (exclusive)
		status = hp_exclusive(c, l, side);
	else if (side == HOST)
		status = hp_shared_host(c, l);
	else
		status = hp_shared_guest(c, l);
	told(c, l, exclusive, hp_bits(exclusive, side), status == TDX_SUCCESS);
	return status;
}

void hp_release(const struct call *c, const struct lock *l, bool exclusive)
{
	u16 old;

	leaving(c, l, exclusive);
	if (exclusive) {
		old = __atomic_load_n(l->word, __ATOMIC_RELAXED);
		check(c, old & HP_EX, CHECK_HP_RELEASE_EX,
		      "exclusive release of a lock not held so");
		line_and16(c->s, l->line, l->word, HP_PRIORITY);
		return;
	}
	old = line_xadd16(c->s, l->line, l->word, (u16)-HP_READER);
	check(c, !(old & HP_EX) && old >> 2, CHECK_HP_RELEASE_SHARED,
	      "shared release of a lock not held so");
}

tdx_status hp_promote(const struct call *c, const struct lock *l)
{
	const u16 with_hp = HP_READER | HP_PRIORITY;
	u16 old = line_cmpxchg16(c->s, l->line, l->word, HP_READER, HP_EX);
	bool won = old == HP_READER;

	check(c, !(old & HP_EX) && old, CHECK_HP_PROMOTE,
	      "promotion of a lock not held shared");
	if (old == with_hp) {
		old = line_cmpxchg16(c->s, l->line, l->word, with_hp, HP_EX);
		check(c, !(old & HP_EX) && old, CHECK_HP_PROMOTE_AGAIN,
		      "promotion of a lock not held shared");
		won = old == with_hp;
	} else if (!won) {
		line_or16(c->s, l->line, l->word, HP_PRIORITY);
	}
	told(c, l, true, (u16) ~(HP_PRIORITY | HP_READER), won);
	return won ? TDX_SUCCESS : TDX_OPERAND_BUSY;
}

/* ------------------------------------------------------- S-EPT entries */

static tdx_status entry_host(const struct call *c, u64 *entry,
			     struct line *line)
{
	if (line_bts64(c->s, line, entry, ENTRY_EL) & ENTRY_EL) {
		line_bts64(c->s, line, entry, ENTRY_HP);
		return TDX_OPERAND_BUSY;
	}
	line_btr64(c->s, line, entry, ENTRY_HP);
	return TDX_SUCCESS;
}

static tdx_status entry_guest(const struct call *c, u64 *entry,
			      struct line *line)
{
	if (line_bts64(c->s, line, entry, ENTRY_EL) & ENTRY_EL)
		return TDX_OPERAND_BUSY;
	plain_access(c->s, entry, sizeof(*entry), false);
	if (__atomic_load_n(entry, __ATOMIC_RELAXED) & ENTRY_HP) {
		line_btr64(c->s, line, entry, ENTRY_EL);
		return TDX_OPERAND_BUSY_HOST_PRIORITY;
	}
	return TDX_SUCCESS;
}

tdx_status entry_try(const struct call *c, u64 *entry, struct line *line,
		     enum side side)
{
	tdx_status status = side == HOST ? entry_host(c, entry, line)
					 : entry_guest(c, entry, line);
	struct obstacle o = {"SEPT_ENTRY", entry, sizeof(*entry), 0, 0};

	o.mask = side == HOST ? ENTRY_EL : ENTRY_EL | ENTRY_HP;
	told_word(c, &o, true, status == TDX_SUCCESS);
	return status;
}

void entry_release(const struct call *c, u64 *entry, struct line *line)
{
	u64 now = __atomic_load_n(entry, __ATOMIC_RELAXED);

	trace_emit(c->s, held, "SEPT_ENTRY", entry, true, false);
	check(c, now & ENTRY_EL, CHECK_ENTRY_RELEASE,
	      "release of an entry not locked");
	line_btr64(c->s, line, entry, ENTRY_EL);
}
