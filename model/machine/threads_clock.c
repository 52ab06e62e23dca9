/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>

#include "model/machine/threads_clock.h"

#ifdef __x86_64__
#include <cpuid.h>

/* CPUID 80000007h EDX bit 8: the TSC's rate is the same in all states. */
static bool tsc_is_invariant(void)
{
	unsigned int a, b, c, d;

	if (!__get_cpuid(0x80000007, &a, &b, &c, &d) || !(d >> 8 & 1))
		return false;
	/* 80000001h EDX bit 27: RDTSCP */
	return __get_cpuid(0x80000001, &a, &b, &c, &d) && d >> 27 & 1;
}

/* CPUID 15h: crystal clock times EBX over EAX; 0 where it does not say. */
static u64 tsc_hz_of_cpuid(void)
{
	unsigned int a = 0, b = 0, c = 0, d = 0;

	if (!__get_cpuid(0x15, &a, &b, &c, &d) || !a || !b || !c)
		return 0;
	return (u64)c * b / a;
}
#else
static bool tsc_is_invariant(void)
{
	return false;
}

static u64 tsc_hz_of_cpuid(void)
{
	return 0;
}
#endif

/* Both clocks at one instant: the try that was interrupted least. */
static void read_both(const struct tclock *c, u64 *ticks, u64 *ns)
{
	u64 best = UINT64_MAX;

	for (int i = 0; i < 16; i++) {
		u64 before = tclock_read(c), at = tclock_kernel_ns();
		u64 took = tclock_read(c) - before;

		if (took >= best)
			continue;
		best = took;
		*ticks = before + took / 2;
		*ns = at;
	}
}

/*
 * 4 ms apart: an error of 50 ns at either end is 25 in a million, below the
 * spread of everything that is measured with it.
 */
enum { MEASURE_NS = 4000000 };

static u64 measured_hz(const struct tclock *c)
{
	u64 t0 = 0, t1 = 0, n0 = 0, n1 = 0;

	read_both(c, &t0, &n0);
	do
		read_both(c, &t1, &n1);
	while (n1 - n0 < MEASURE_NS);
	return (u64)((tclock_u128)(t1 - t0) * 1000000000u / (n1 - n0));
}

static int by_value(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x > y) - (x < y);
}

enum { READ_TRIES = 101, READ_BATCH = 16 };

/* Median of batches: what one more reading adds to what is between two. */
static u64 read_cost_ps(const struct tclock *c)
{
	u64 took[READ_TRIES];

	for (int i = 0; i < READ_TRIES; i++) {
		u64 begin = tclock_read(c), end = begin;

		for (int k = 0; k < READ_BATCH; k++)
			end = tclock_read(c);
		took[i] = end - begin;
	}
	qsort(took, READ_TRIES, sizeof(*took), by_value);
	return (u64)((tclock_u128)took[READ_TRIES / 2] * c->ps_per_tick >> 32) /
	       READ_BATCH;
}

void tclock_init(struct tclock *c, bool no_tsc)
{
	*c = (struct tclock){.hz = 1000000000u};
	c->tsc = !no_tsc && tsc_is_invariant();
	if (c->tsc)
		c->hz = tsc_hz_of_cpuid();
	if (!c->hz)
		c->hz = measured_hz(c);
	c->ps_per_tick = (u64)(((tclock_u128)PS_PER_S << 32) / c->hz);
	c->ticks_per_ps = (u64)(((tclock_u128)c->hz << 40) / PS_PER_S);
	c->read_ps = read_cost_ps(c);
	c->begin = tclock_read(c);
}
