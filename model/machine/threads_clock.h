/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock of the threads machine: the TSC where it is invariant, else the
 * kernel's.  Read inline, converted without divisions, never set.
 */
#ifndef TDMEM_MACHINE_THREADS_CLOCK_H
#define TDMEM_MACHINE_THREADS_CLOCK_H

#include <time.h>

#include "model/machine/internal.h"

#ifdef __x86_64__
#include <x86intrin.h>
#endif

struct tclock {
	u64 begin;	  /* ticks at the machine's time 0 */
	u64 ps_per_tick;  /* times 2^32 */
	u64 ticks_per_ps; /* times 2^40 */
	u64 hz;
	u64 read_ps; /* what a reading costs, median */
	bool tsc;
};

/**
 * Find out how fast it is, which takes some milliseconds.  Without `no_tsc`
 * the TSC is taken when the CPU says that it runs at one rate always.
 */
void tclock_init(struct tclock *c, bool no_tsc);

__extension__ typedef unsigned __int128 tclock_u128;

static inline u64 tclock_kernel_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (u64)ts.tv_sec * 1000000000u + (u64)ts.tv_nsec;
}

/** Now, after everything that comes before in the program. */
static inline u64 tclock_read(const struct tclock *c)
{
#ifdef __x86_64__
	unsigned int cpu;

	if (likely(c->tsc))
		return __rdtscp(&cpu);
#endif
	return tclock_kernel_ns();
}

/** Now, roughly: cheaper, for loops that wait. */
static inline u64 tclock_glance(const struct tclock *c)
{
#ifdef __x86_64__
	if (likely(c->tsc))
		return __rdtsc();
#endif
	return tclock_kernel_ns();
}

/** Ticks since the machine's time 0, in ps. */
static inline u64 tclock_ps(const struct tclock *c, u64 ticks)
{
	return (u64)((tclock_u128)(ticks - c->begin) * c->ps_per_tick >> 32);
}

/** A time in ticks. */
static inline u64 tclock_ticks(const struct tclock *c, u64 ps)
{
	return (u64)((tclock_u128)ps * c->ticks_per_ps >> 40);
}

static inline void tclock_pause(void)
{
#ifdef __x86_64__
	_mm_pause();
#endif
}

#endif
