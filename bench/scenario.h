/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a workload is and what it makes: a scenario, one script for each vCPU
 * of the guest and one for each host thread, and what to measure.  A backend
 * executes it.  Workloads include this header and nothing else.
 */
#ifndef TDMEM_BENCH_SCENARIO_H
#define TDMEM_BENCH_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/base/err.h"
#include "guest-agent/abi.h"

/* ----------------------------------------------------------------- knobs */

enum knob_type { KNOB_INT, KNOB_BOOL, KNOB_CHOICE };

/** A knob of a workload; the config, `tdmem list` and checks use it. */
struct knob {
	const char *name;
	enum knob_type type;
	const char *unit;	    /* "pages", "ns", "1/s", ... or "" */
	int64_t def;		    /* CHOICE: index; BOOL: 0 or 1 */
	int64_t min, max;	    /* INT: range */
	const char *const *choices; /* CHOICE: names, ended by NULL */
	const char *help;
};

/** Values of the knobs of one cell, in the order of the workload's table. */
struct knob_values {
	const struct knob *const *knobs; /* ended by NULL; common ones first */
	const int64_t *value;
};

/** The value of a knob; the name must be one of the table's. */
int64_t knob(const struct knob_values *values, const char *name);

/* Choices of the common knobs, in the order of their names. */
enum { LAYOUT_DISJOINT, LAYOUT_INTERLEAVED, LAYOUT_SHARED };
enum { OTHERS_INSIDE, OTHERS_HALTED, OTHERS_TICKING, OTHERS_FAULTING };
enum { ACCEPT_FIRST, ACCEPT_ON_VE, ACCEPT_NONE };
enum { PAGE_4K, PAGE_2M };

/* -------------------------------------------------------------- scenario */

enum host_opcode {
	HOST_END,
	HOST_BARRIER,  /* arg: id */
	HOST_MEASURE,  /* arg 1: the measured part begins; 0: ends */
	HOST_SLEEP,    /* arg: ns */
	HOST_STOP,     /* tell all vCPUs to stop */
	HOST_LOOP,     /* back to op `arg`, an earlier one, until what is between
			  has run `count` times */
	HOST_BUILD,    /* PAGE.ADD the range; arg 1: MR.EXTEND as well */
	HOST_FINALIZE, /* MR.FINALIZE: the TD can run */
	HOST_IOCTL,    /* vCPU ioctls on vCPU `arg`, `count` times; 0: until
			  the build is finalized */
	HOST_PREFAULT, /* KVM_PRE_FAULT_MEMORY the range */
	HOST_PUNCH,    /* punch a hole of the range, in pieces of `arg` pages
			  (0: all at once) */
	HOST_CONVERT,  /* set attributes; arg 1: to private, 0: to shared */
	HOST_SLOT,     /* delete the memslot that the range is, and make it
			  again: its pages stay, and are mapped no more */
	HOST_TRACK,    /* BLOCK + TRACK + kick + UNBLOCK each page */
	HOST_JOIN,     /* wait until all vCPUs of the TD have left for good */
	HOST_TEARDOWN, /* arg: enum teardown_order of the model; the threads
			  that have it do it together */
	NR_HOST_OPCODES
};

/** One operation of a host thread's script; unused members are 0. */
struct host_op {
	enum host_opcode opcode;
	uint32_t td;	  /* which TD */
	uint64_t gpa;
	uint64_t pages;
	uint64_t count;
	uint64_t arg;
	uint64_t pace_ns; /* least time from piece to piece; 0: none */
};

/** A script that grows. */
struct agent_script {
	struct agent_op *op;
	uint32_t n, room;
};
struct host_script {
	struct host_op *op;
	uint32_t n, room;
};

/** What a backend gets to execute. */
struct scenario {
	const char *operation; /* whose rate and latency the tables show:
				  "fault", "removal", "track", ... */
	uint32_t tds;	       /* 1.. */
	uint32_t vcpus;	       /* of each TD */
	uint32_t hosts;	       /* host threads, beside the vCPU threads */
	uint64_t pages;	       /* private memory of each TD, 4K pages */
	bool huge;	       /* map 2M where it can be */
	bool ve_disable;       /* pending pages exit instead of giving #VE */
	bool finalized;	       /* the TD runs before the scripts start; else
				  a script has HOST_FINALIZE and vCPUs start
				  after it */
	struct agent_script *vcpu; /* tds * vcpus of them, TD by TD */
	struct host_script *host;  /* hosts of them */
	bool failed;	       /* out of memory while it was made */
};

/** Make an empty scenario; false when out of memory. */
bool scenario_init(struct scenario *s, uint32_t tds, uint32_t vcpus,
		   uint32_t hosts);
void scenario_free(struct scenario *s);

/** Threads that run at the same time: vCPUs of all TDs, and host threads. */
static inline uint32_t scenario_threads(const struct scenario *s)
{
	return s->tds * s->vcpus + s->hosts;
}

/** Append; out of memory is remembered in s->failed. */
void scenario_vcpu(struct scenario *s, uint32_t td, uint32_t vcpu,
		   struct agent_op op);
void scenario_host(struct scenario *s, uint32_t thread, struct host_op op);

/*
 * Barriers: those whose script has it take part, each once; ids in the order
 * of use from 0.  A VM that is gone releases all of them.  Barrier 0 ends the
 * set-up: nobody measures before it.
 *
 * MEASURE: everybody brackets the part of his own script that counts.  The
 * rate of an operation is over the time from the first begin to the last end
 * of those that did it.
 */

/* -------------------------------------------------------------- workload */

struct workload {
	const char *name;
	const char *summary;   /* one line: what it measures */
	const char *operation; /* see struct scenario */
	const struct knob *const *knobs; /* its own and the common ones it
					    uses, ended by NULL */
	/* Make the scenario.  `vcpus` is an axis of every cell. */
	int (*make)(const struct knob_values *values, uint32_t vcpus,
		    struct scenario *scenario, struct err *err);
};

/** All workloads, ended by NULL. */
extern const struct workload *const workloads[];

/* Common knobs, for the tables of the workloads. */
extern const struct knob knob_pages, knob_page_size, knob_layout, knob_others,
	knob_tick_ns, knob_accept, knob_ve_disable, knob_host_threads;

#endif
