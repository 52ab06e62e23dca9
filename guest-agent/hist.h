/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log-linear histogram: 3 significant digits (512 buckets an octave, so the
 * middle of a bucket is within 0.1 % of every value in it), values from 0 to
 * 2^40-1 (nanoseconds: 18 minutes), larger ones counted as overflow.  Flat,
 * so that recording is a few instructions and never allocates; pages of it
 * that are not used are never touched.  Freestanding.
 */
#ifndef TDMEM_GUEST_AGENT_HIST_H
#define TDMEM_GUEST_AGENT_HIST_H

#include <stdint.h>

enum {
	HIST_SUB_BITS = 9,
	HIST_MAX_BITS = 40,
	HIST_BUCKETS = (HIST_MAX_BITS - HIST_SUB_BITS + 1) << HIST_SUB_BITS,
};

/** All zero is an empty one; min holds the smallest value + 1. */
struct hist {
	uint64_t count;	   /* values recorded, overflow included */
	uint64_t overflow; /* values of 2^40 and above */
	uint64_t sum;	   /* of all values; wraps */
	uint64_t min_plus_1;
	uint64_t max;
	uint32_t bucket[HIST_BUCKETS];
};

/** The highest bit that is set; 0 for 0. */
static inline uint32_t hist_top_bit(uint64_t value)
{
#ifdef __bpf__
	/* BPF has no instruction for it, and clang 14 gives up on it. */
	uint32_t top = 0, bits;

	for (bits = 32; bits; bits >>= 1) {
		if (value >> bits) {
			value >>= bits;
			top += bits;
		}
	}
	return top;
#else
	return 63u - (uint32_t)__builtin_clzll(value | 1);
#endif
}

/** The bucket of a value below 2^40. */
static inline uint32_t hist_index(uint64_t value)
{
	uint32_t top = hist_top_bit(value);
	uint32_t shift = top > HIST_SUB_BITS ? top - HIST_SUB_BITS : 0;

	return (shift << HIST_SUB_BITS) + (uint32_t)(value >> shift);
}

/** Smallest value of a bucket. */
static inline uint64_t hist_lowest(uint32_t index)
{
	uint32_t shift = index >> HIST_SUB_BITS;

	if (shift <= 1)
		return index;
	shift--;
	return (uint64_t)(index - (shift << HIST_SUB_BITS)) << shift;
}

/** Middle of a bucket: what stands for its values. */
static inline uint64_t hist_middle(uint32_t index)
{
	uint32_t shift = index >> HIST_SUB_BITS;

	return hist_lowest(index) +
	       (shift > 1 ? (1ull << (shift - 1)) >> 1 : 0);
}

_Static_assert((HIST_BUCKETS & (HIST_BUCKETS - 1)) == 0,
	       "a mask is the bound of an index");

/* The mask changes nothing; BPF's verifier sees the bound by it. */
static inline void hist_record(struct hist *h, uint64_t value)
{
	h->count++;
	h->sum += value;
	if (value > h->max)
		h->max = value;
	if (h->min_plus_1 == 0 || value < h->min_plus_1 - 1)
		h->min_plus_1 = value + 1;
	if (value >> HIST_MAX_BITS)
		h->overflow++;
	else
		h->bucket[hist_index(value) & (HIST_BUCKETS - 1)]++;
}

#endif
