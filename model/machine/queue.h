/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is next: a tournament over one key for each strand.
 *
 * key[1] is the smallest of all, key[n] the smaller of key[2n] and key[2n+1],
 * and the second half are the strands' own keys.  A key packs a time and the
 * strand, so that the smallest says both and ties go to the smaller id.  The
 * siblings that an update looks at are known beforehand: nothing in it waits
 * for anything but one running minimum.
 */
#ifndef TDMEM_MACHINE_QUEUE_H
#define TDMEM_MACHINE_QUEUE_H

#include "model/machine/internal.h"

#define QUEUE_ID_BITS 11
#define QUEUE_PARKED  UINT64_MAX
/** Time ends here: 2^52 ps are 75 minutes. */
#define QUEUE_TIME_MAX (1ull << 52)

_Static_assert(MACHINE_MAX_STRANDS == 1u << QUEUE_ID_BITS,
	       "a key has room for every strand");

struct queue {
	u64 *key;
	u32 leaves; /* a power of two, 2 or more */
};

static inline u64 queue_key(u64 ps, u32 id)
{
	ps = ps < QUEUE_TIME_MAX ? ps : QUEUE_TIME_MAX;
	return ps << QUEUE_ID_BITS | id;
}

static inline u64 queue_key_time(u64 key)
{
	return key >> QUEUE_ID_BITS;
}

static inline u32 queue_key_id(u64 key)
{
	return (u32)key & (MACHINE_MAX_STRANDS - 1);
}

static inline u64 queue_min(u64 a, u64 b)
{
	return a < b ? a : b;
}

/** Set the key of one strand; returns the smallest key of all. */
static inline u64 queue_set(struct queue *q, u32 id, u64 key)
{
	u64 *keys = q->key;
	size_t at = q->leaves + id;

	keys[at] = key;
	while (at > 1) {
		key = queue_min(key, keys[at ^ 1]);
		at >>= 1;
		keys[at] = key;
	}
	return key;
}

/** The key that lost the final: every second time it is the next in line. */
static inline u64 queue_runner_up(const struct queue *q)
{
	return q->key[2] < q->key[3] ? q->key[3] : q->key[2];
}

/** The smallest key of all strands but one. */
static inline u64 queue_others(const struct queue *q, u32 id)
{
	const u64 *keys = q->key;
	u64 key = QUEUE_PARKED;

	for (size_t at = q->leaves + id; at > 1; at >>= 1)
		key = queue_min(key, keys[at ^ 1]);
	return key;
}

#endif
