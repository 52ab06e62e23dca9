/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the world of a claim, its operations and those who watch it. */
#ifndef TDMEM_BENCH_EXPLORE_IMPL_H
#define TDMEM_BENCH_EXPLORE_IMPL_H

#include "bench/explore/explore.h"
#include "model/host/internal.h"
#include "model/module/inspect.h"

enum { WATCHED_WORDS = 96 };

/** Who holds a lock word. */
struct watched_word {
	const void *word;
	const char *name;
	u32 readers;
	u32 writer; /* strand + 1; 0: none */
};

/** A strand of the scenario. */
struct claim_worker {
	struct kvm_thread t;
	struct claim_world *w;
	const struct claim_strand *claim;
	u32 index;
	struct kvm_vcpu *vcpu;
	int error;	      /* of the operation that ended it */
	bool done;	      /* all of its operations */
	struct obstacle lost; /* of the last try that failed; word NULL: none */
	u32 futile;	      /* tries since then, without progress */
	u32 busy[NR_TDX_CALLS]; /* in a row */
	u64 acted;		/* number of the last step that it did */
};

/** What claims are about, while an execution runs. */
struct watch {
	struct watched_word word[WATCHED_WORDS];
	u32 words;
	u64 steps, progressed; /* steps: and at the last progress */
	char why[200];	       /* a claim is broken; "": none is */
};

struct claim_world {
	const struct claim *claim;
	struct machine *setup_machine; /* runs the set-up, without choices */
	struct strand *setup_strand;
	char setup_error[160];
	struct machine *machine; /* of the execution; borrowed */
	struct tdx_module *module;
	struct kvm_host *host;
	struct kvm_vm *vm;
	struct claim_worker builder;
	struct claim_worker worker[CLAIM_STRANDS];
	struct trace trace;
	struct watch watch;
	struct events *record; /* borrowed; NULL: nothing is recorded */
	struct events early;   /* of strands that have not done a step */
	u32 moved;	       /* those that have, a bit each */
	u32 moving;	       /* who does the step */
};

/** The hooks of an execution's strands. */
void watch_begin(struct claim_world *w);
/** Break a claim: the first one stays. */
__attribute__((format(printf, 2, 3))) void watch_fail(struct claim_world *w,
						      const char *format, ...);
const char *watch_step(void *world);
const char *watch_check(void *world, enum machine_end end);
/** Where something is tried: only the first two take interrupts. */
enum attempt { ATTEMPT_ENTER, ATTEMPT_IN_GUEST, ATTEMPT_IN_KVM };
/** Before something is tried that may just have failed. */
void watch_attempt(struct claim_worker *me, enum attempt attempt);

/** Write down which vCPUs are in the guest when the strands begin. */
void record_inside(struct claim_world *w);
/** Write down an event of this strand, if anybody wants to know. */
void record(struct claim_world *w, u32 strand, struct event event);

/** Run a list of operations; 0 or the error of the one that failed. */
int claim_run_ops(struct claim_world *w, struct claim_worker *me,
		  const struct claim_ops *ops);

#endif
