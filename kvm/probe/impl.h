/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the files of probe.h. */
#ifndef TDMEM_KVM_PROBE_IMPL_H
#define TDMEM_KVM_PROBE_IMPL_H

#include <stdio.h>

#include "kvm/probe/probe.h"
#include "kvm/probe/shared.h"

/* ----------------------------------------------------------------- tables */

/** The metrics of one kind of calls; NULL: there is none. */
struct probe_metrics {
	const char *calls, *latency;
};

/** One function. */
struct probe_point {
	const char *function;
	const char *before; /* what other kernels call it; NULL: nothing */
	enum probe_returns returns;
	enum probe_split split;
	struct probe_metrics kind[PROBE_KINDS];
	const char *call; /* prefix of its metrics, of the module's calls */
};

struct probe_table {
	const char *name;
	const struct probe_point *point;
	uint32_t n; /* at most PROBE_POINTS */
};

/** By name; NULL: there is none. */
const struct probe_table *probe_table_find(const char *name, size_t length);
/** All, ended by NULL. */
extern const struct probe_table *const probe_tables[];

static inline uint32_t probe_kinds(const struct probe_point *p)
{
	return p->split == SPLIT_NOT ? 1 : 2;
}

/* ---------------------------------------------------------------- symbols */

/**
 * What /proc/kallsyms, which is `f`, says of the functions of a table: `found`
 * is set for a symbol, `other` for the first name that is the function's with
 * something behind a dot.
 */
struct probe_symbol {
	bool found, found_before;
	char other[64];
};
void probe_symbols(FILE *f, const struct probe_table *table,
		   struct probe_symbol symbol[PROBE_POINTS]);

/* --------------------------------------------------------------- the probe */

enum { PROBE_WHY = 160 };

/** A function in this kernel. */
struct probe_place {
	const char *name; /* in this kernel; NULL: missing */
	char missing[PROBE_WHY];
};

/** Calls of one kind, of all seats. */
struct probe_sum {
	uint64_t calls, second_tries;
	struct {
		uint64_t value, count;
	} result[PROBE_RESULTS];
	uint64_t other_results;
	struct hist *hist; /* borrowed */
};

/** Count a value among those that were returned. */
void probe_sum_result(struct probe_sum *sum, uint64_t value, uint64_t count);
/** Add what a slot has, but for its calls. */
void probe_sum_slot(struct probe_sum *sum, const struct probe_slot *slot);

/** One way to watch functions. */
struct probe_way {
	const char *name;
	/*
	 * Find the functions that can be watched: those that cannot get a
	 * reason.  -1: none at all, for the reason in probe->why.
	 */
	int (*open)(struct probe *probe);
	void (*close)(struct probe *probe);
	void (*attach)(struct probe *probe);
	void (*detach)(struct probe *probe);
	void (*sit)(struct probe *probe, uint32_t seat);
	void (*measure)(struct probe *probe, uint32_t seat, bool begin);
	/* Add a seat's calls; sum->hist is where times go. */
	void (*read)(struct probe *probe, uint32_t seat, uint32_t point,
		     uint32_t kind, struct probe_sum *sum);
	/* Set metrics that only this way has; NULL: there are none. */
	void (*finish)(struct probe *probe, struct sample *sample);
};

/** Fill probe->ret_pf if the table needs it and BTF has it. */
void probe_find_ret_pf(struct probe *probe);

extern const struct probe_way probe_by_bpf, probe_by_kprobes;

struct probe {
	const struct probe_table *table;
	const struct probe_way *way; /* NULL: there is none here */
	uint32_t seats;
	struct probe_place place[PROBE_POINTS];
	char why[2 * PROBE_WHY]; /* why ways before this one cannot be used */
	void *state;		 /* of the way, owned by it */
	/* Names of RET_PF_*, by value; "": not known. */
	char ret_pf[8][24];
};

/** The function is missing, for a reason; the first one is kept. */
__attribute__((format(printf, 3, 4))) void
probe_miss(struct probe *probe, uint32_t point, const char *format, ...);

/* ---------------------------------------------------------------- figures */

/**
 * Take what was read of one kind of calls into the sample, and what was
 * returned into the object `returned`.  False: no memory.
 */
bool probe_take_sum(const struct probe *probe, uint32_t point, uint32_t kind,
		    const struct probe_sum *sum, struct sample *sample,
		    json_t *returned);

#endif
