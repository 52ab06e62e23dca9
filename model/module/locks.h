/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's four kinds of locks, with their exact words.  Nothing here
 * waits: a try that fails is told, and may leave marks in the word.
 */
#ifndef TDMEM_MODULE_LOCKS_H
#define TDMEM_MODULE_LOCKS_H

#include "model/module/call.h"

/** A lock word and the line that it lies on. */
struct lock {
	u16 *word;
	struct line *line;
	const char *name; /* for traces */
};

/* SHAREX: bit 0 exclusive, bits 15:1 readers. */
enum { SHAREX_EX = 1, SHAREX_READER = 2, SHAREX_FULL = 0xFFFE };

/* SHAREX-HP: bit 0 exclusive, bit 1 host priority, bits 15:2 readers. */
enum { HP_EX = 1, HP_PRIORITY = 2, HP_READER = 4, HP_FULL_COUNT = 0x3FFF };

/* Bits of an S-EPT entry that make its lock. */
#define ENTRY_EL (1ull << 11)
#define ENTRY_HP (1ull << 52)

/** Who asks: only the host's side sets, and is not stopped by, priority. */
enum side { HOST, GUEST };

/** One byte, 0 free and 1 taken. */
bool mutex_try(const struct call *c, u8 *word, struct line *line);
void mutex_release(const struct call *c, u8 *word, struct line *line);

/**
 * One try; false: busy.  A failed shared try leaves its reader behind, which
 * the exclusive holder's release wipes.
 */
bool sharex_try(const struct call *c, const struct lock *l, bool exclusive);
void sharex_release(const struct call *c, const struct lock *l, bool exclusive);
/** Shared to exclusive, for the only reader; not used by any call. */
bool sharex_promote(const struct call *c, const struct lock *l);
/** Exclusive to shared; not used by any call. */
void sharex_demote(const struct call *c, const struct lock *l);

/** 0, TDX_OPERAND_BUSY or TDX_OPERAND_BUSY_HOST_PRIORITY. */
tdx_status hp_try(const struct call *c, const struct lock *l, bool exclusive,
		  enum side side);
void hp_release(const struct call *c, const struct lock *l, bool exclusive);
/** Host only.  After a failure the reader is still held. */
tdx_status hp_promote(const struct call *c, const struct lock *l);

/** 0, TDX_OPERAND_BUSY or TDX_OPERAND_BUSY_HOST_PRIORITY. */
tdx_status entry_try(const struct call *c, u64 *entry, struct line *line,
		     enum side side);
void entry_release(const struct call *c, u64 *entry, struct line *line);

#endif
