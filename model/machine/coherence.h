/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What having a cache line costs.
 *
 * A write takes the line from its last writer and keeps it to itself until
 * it is done; the next one to want it waits.  A read by the last writer, or
 * by a CPU that has read the line since the last write, is local.  Any other
 * read waits for the last write, pays the transfer, and is remembered; it
 * neither takes the line away from its writer nor makes others wait.
 *
 * Each write of the machine has a number of its own, and a copy is known by
 * the number of the write that it holds.  So nothing depends on where a line
 * lies in memory: it differs from run to run.
 */
#ifndef TDMEM_MACHINE_COHERENCE_H
#define TDMEM_MACHINE_COHERENCE_H

#include "model/machine/virtual.h"

/** Places are compared from the package down. */
static inline u64 place_of(const struct cpu_place *cpu)
{
	return (u64)cpu->package << 32 | (u64)cpu->complex << 16 | cpu->core;
}

/** A cost, times 1 +- jitter. */
static inline u64 jittered(struct strand *s, u64 ps, u32 jitter)
{
	u64 factor;

	if (!jitter)
		return ps;
	factor = (1ull << 32) - jitter +
		 ((strand_random(s) >> 32) * (2ull * jitter) >> 32);
	return (u64)((__extension__(unsigned __int128) ps) * factor >> 32);
}

/** Cost of getting a line from where `owner` (CPU + 1) is. */
static inline u64 transfer_cost(const struct virtual *m,
				const struct vstrand *v, u32 owner)
{
	u64 apart;

	if (!owner || owner == v->s.cpu + 1u)
		return m->cost[0];
	apart = m->place[owner - 1] ^ v->place;
	return m->cost[(apart != 0) + (apart >> 16 != 0) + (apart >> 32 != 0)];
}

/** Note that this CPU has a copy; returns false if it had it already. */
static inline bool copy_line(struct vstrand *v, const struct line *line)
{
	u32 *copy = &v->copies[line->version % COPIES];

	if (*copy == line->version)
		return false;
	*copy = line->version;
	return true;
}

static inline void charge_read(struct virtual *m, struct vstrand *v,
			       const struct line *line)
{
	u64 cost = m->cost[0];

	if (copy_line(v, line)) {
		cost = transfer_cost(m, v, line->owner);
		if (v->s.clock < line->free_at)
			v->s.clock = line->free_at;
	}
	v->s.clock += jittered(&v->s, cost, m->jitter);
}

static inline void charge_write(struct virtual *m, struct vstrand *v,
				struct line *line)
{
	u64 cost = transfer_cost(m, v, line->owner);
	u64 start = v->s.clock;

	if (start < line->free_at)
		start = line->free_at;
	v->s.clock = start + jittered(&v->s, cost, m->jitter);
	line->free_at = v->s.clock;
	line->owner = (u16)(v->s.cpu + 1);
	if (!++m->writes)
		m->writes = 1;
	line->version = m->writes;
}

#endif
