/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the BPF program and the program that reads it out share.  Each thread
 * that is watched has a seat, and in it a slot for each kind of call that is
 * told apart: a slot has one writer, so nothing here is atomic.
 */
#ifndef TDMEM_KVM_PROBE_SHARED_H
#define TDMEM_KVM_PROBE_SHARED_H

#include "guest-agent/hist.h"

enum {
	PROBE_POINTS = 32,  /* functions of a table */
	PROBE_KINDS = 2,    /* of calls of one function */
	PROBE_RESULTS = 16, /* different values that are told apart */
};

/** What a function returns, as far as it is counted. */
enum probe_returns {
	RETURNS_NOTHING,
	RETURNS_INT,
	RETURNS_RET_PF, /* RETURNS_INT, one of the kernel's RET_PF_* */
	RETURNS_STATUS, /* 64 bits, of the TDX module */
};

/** By what two kinds of calls are told apart. */
enum probe_split {
	SPLIT_NOT,
	SPLIT_OUTSIDE_GUEST, /* second: request 0x700 in argument 1 */
	SPLIT_PRESENT,	     /* second: a present SPTE in argument 2 */
};

/** How the BPF program sees a function. */
struct probe_rule {
	uint32_t first_slot; /* in a seat */
	uint32_t split;	     /* enum probe_split */
	uint32_t returns;    /* enum probe_returns */
};

/** Fixed before the program is loaded. */
#define PROBE_SETUP_SECTION ".rodata.setup"
struct probe_setup {
	/* The namespace in which threads have their numbers. */
	uint64_t pid_dev, pid_ino;
	uint32_t slots_of_seat, unused;
	struct probe_rule rule[PROBE_POINTS];
};

/** A thread that is watched. */
struct probe_seat {
	uint32_t measuring; /* written by the thread itself */
	uint32_t busy;	    /* 1 + point of its last call, which ended BUSY */
	uint64_t exits;	    /* from the guest, for a page fault */
	struct {
		uint64_t ns; /* 0: not inside */
		uint64_t slot;
	} entered[PROBE_POINTS];
};

/** Calls of one kind by one thread. */
struct probe_slot {
	uint64_t second_tries; /* right after one that ended BUSY */
	struct {
		uint64_t value, count;
	} result[PROBE_RESULTS];
	uint64_t other_results;
	struct hist hist; /* ns */
};

#endif
