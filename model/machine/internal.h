/* SPDX-License-Identifier: GPL-2.0-only */
/* What the machines share among themselves; not for the model. */
#ifndef TDMEM_MACHINE_INTERNAL_H
#define TDMEM_MACHINE_INTERNAL_H

#include "model/machine/machine.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/** The kinds of machines differ in these; one constant table a kind. */
struct machine_kind {
	struct strand *(*add)(struct machine *m, u32 cpu,
			      void (*fn)(struct strand *, void *), void *arg);
	enum machine_end (*run)(struct machine *m);
	u64 (*events)(const struct machine *m);
	u64 (*time)(const struct machine *m);
	void (*destroy)(struct machine *m);
};

/** First member of each machine. */
struct machine {
	const struct machine_kind *kind;
	char reason[320];
};

/** One step of splitmix64: spreads a number over all 64 bits. */
static inline u64 mix64(u64 z)
{
	z += 0x9e3779b97f4a7c15ull;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

#endif
