/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scenario executed by the model, on virtual time (backend sim) or on real
 * CPUs (backend threads).  sim.c builds the world and runs it, sim_agent.c and
 * sim_host.c are what its strands do, sim_record.c and sim_hists.c what they
 * record, sim_metrics.c makes the sample; sim_virtual.c and threads.c are the
 * two backends.
 */
#ifndef TDMEM_BENCH_SIM_SIM_H
#define TDMEM_BENCH_SIM_SIM_H

#include "bench/backend.h"
#include "bench/observe/counters.h"

/** Operations of the metrics, in the order of sim_op_names[]. */
enum sim_op {
	SIM_FAULT,
	SIM_ACCEPT,
	SIM_CONVERT,
	SIM_REMOVAL,
	SIM_TRACK,
	SIM_BUILD,
	SIM_RECLAIM,
	SIM_TEARDOWN,
	SIM_IOCTL,
	SIM_PREFAULT,
	NR_SIM_OPS,
	SIM_NONE = NR_SIM_OPS
};

/** Operands that a BUSY is split by; the last is every other one. */
enum { SIM_OPERAND_OTHER = 9, NR_SIM_OPERANDS };

/**
 * Histograms, by what is recorded.  Of a run on virtual time there is one
 * set, of which each is made when first recorded into; of strands that run
 * at the same time each has its own set, made before the run and merged
 * after it.
 */
struct sim_hists {
	struct sample *sample; /* owns them; NULL: they are a strand's */
	struct sim_hist_slots {
		struct hist *op[NR_SIM_OPS];
		struct hist *attempts[NR_KVM_OPS];
		struct hist *map, *kick;
		struct hist *call[NR_TDX_CALLS];
		struct hist *retries[NR_TDX_CALLS];
	} slot;
	struct hist *memory; /* a strand's: all of them */
	bool failed;	     /* out of memory: something was not recorded */
};

/**
 * What a thread counts between its MEASURE begin and end.  What is recorded
 * for every fault comes first and is little; how many calls and operations
 * there were is what their histograms say.
 */
struct sim_recorder {
	struct sim_hists *hists; /* this thread's own or everybody's */
	bool on;
	bool measured;	      /* was on at some time */
	bool unfinished;      /* was still on when the run ended */
	bool zero_step;	      /* the module suspected this vCPU */
	u32 did;	      /* operations that it did, a bit for each */
	u64 op_ps;	      /* in operations that the agent recorded */
	u64 op_count;	      /* of those */
	u64 op_since_ps;      /* one is under way since + 1; 0: none */
	u32 tried;	      /* calls of a policy's try so far, all BUSY */
	enum tdx_call trying; /* which call */
	u64 begin_ps, end_ps; /* first begin, last end */
	u64 on_since_ps, on_ps;
	/* on real CPUs: involuntary context switches, and in which time */
	u64 preempted_base, preempted, watched_ps;
	/* and how long it was ready and had no CPU, from the last barrier on */
	u64 delay_base, delayed_ns;
	bool delay_begun, delay_unknown;
	u64 ioctl_busy, refused, previous_epoch_busy;
	u32 operand[NR_TDX_CALLS][NR_SIM_OPERANDS]; /* BUSY by operand */
	/* of struct kvm_thread: at MEASURE begin, and gone up since */
	struct sim_totals {
		u64 spent_ps[NR_WHERES];
		u64 kicks_sent, flushes_sent, ipis_sent, kicked;
	} base, total;
};

/** A word that strands wait for, alone on its line. */
struct sim_flag {
	struct line line;
	u32 value;
} __attribute__((aligned(64)));

/** Who comes counts up; the last one opens. */
struct sim_barrier {
	struct sim_flag arrived;
	struct sim_flag open;
	u32 expected; /* scripts that have it */
};

/** While perf counts, see window.c. */
struct sim_window {
	u32 ends_left; /* of MEASURE, in all scripts */
	bool open;
};

struct sim_td {
	struct kvm_vm *vm;
	struct sim_flag runnable; /* finalized, or nothing will come of it */
	struct sim_flag left;	  /* vCPUs that will not come back */
	u32 teardowns;		  /* threads that tear it down together */
};

struct sim;

/** A host thread: a vCPU's or a worker. */
struct sim_thread {
	struct agent_port port; /* must be first */
	struct kvm_thread kvm;
	struct sim *sim;
	struct kvm_vcpu *vcpu; /* NULL: a worker, or not started */
	u32 td, index;	       /* vCPU of a TD, or worker */
	bool worker;
	u32 *loops; /* worker: times left, for each operation of its script */
	struct sim_recorder rec;
	struct sim_hists hists;	  /* its own, if it has one */
	struct counting counting; /* nothing, unless on real CPUs */
} __attribute__((aligned(64)));

struct sim;

/** On which machine a scenario is executed. */
struct sim_world {
	const char *name; /* of the backend */
	/* Strands run at the same time: a set of histograms for each. */
	bool concurrent;
	/* Can it run at all?  If not, the sample says why. */
	bool (*fits)(const struct sim *sim, struct sample *sample);
	/* NULL when out of memory. */
	struct machine *(*make_machine)(const struct sim *sim);
	/* Metrics of the machine itself, after the run. */
	void (*fill)(const struct sim *sim, struct sample *sample);
};

/** The world of one repeat of one cell. */
struct sim {
	const struct sim_world *world;
	const struct scenario *scenario;
	const struct cell_setup *setup;
	struct machine *machine;
	struct tdx_module *module;
	struct kvm_host *host;
	struct sim_td *td;
	struct sim_thread *thread; /* vCPUs TD by TD, then workers */
	u32 nthreads;
	struct sim_barrier *barrier;
	u32 nbarriers;
	struct sim_window window;
	struct sim_flag ready; /* the TDs are built, or could not be */
	struct sim_flag stop;  /* vCPUs: come to an end */
	u32 gone;	       /* a VM is gone, or something failed */
	u32 failed;	       /* somebody has said why */
	char failure[200];     /* why the cell failed; "" if it did not */
	struct sim_hists hists;
};

/* sim.c */

/** Host memory that the model took, at the end of a run, in bytes. */
struct sim_memory {
	u64 module, host;
};

/**
 * Execute a scenario once, as struct backend says; `memory` may be NULL.
 */
int sim_execute(const struct sim_world *world, const struct scenario *scenario,
		const struct cell_setup *setup, struct sample *sample,
		struct err *err, struct sim_memory *memory);

/** Is everybody to come to an end? */
static inline bool sim_gone(const struct sim *sim)
{
	return __atomic_load_n(&sim->gone, __ATOMIC_ACQUIRE);
}

/** End a sample with a status and a reason. */
__attribute__((format(printf, 3, 4))) void sim_end_as(struct sample *sample,
						      enum cell_status status,
						      const char *format, ...);

/** Everybody comes to an end: all waits are over. */
void sim_give_up(struct sim_thread *t);
/** The same, and the cell has failed; only the first reason is kept. */
__attribute__((format(printf, 2, 3))) void sim_fail(struct sim_thread *t,
						    const char *format, ...);
/** What a negative errno of the host means: the VM is gone, or a failure. */
void sim_host_error(struct sim_thread *t, const char *what, int error);
/** Is the barrier a barrier of this scenario?  Counts the strand in. */
struct sim_barrier *sim_arrive(struct sim_thread *t, u64 id);
/** Longest time that may pass without telling the watchdog. */
u64 sim_slice_ps(const struct sim *sim);

/* sim_virtual.c */

/** sim_execute() on virtual time. */
int sim_run(const struct scenario *scenario, const struct cell_setup *setup,
	    struct sample *sample, struct err *err, struct sim_memory *memory);

/* sim_agent.c */

/** Run the script of a vCPU; the vCPU has been started. */
enum agent_result sim_agent_run(struct sim_thread *t,
				const struct agent_script *script);

/* sim_host.c */

/** Run the script of a worker. */
void sim_host_run(struct sim_thread *t, const struct host_script *script);
/** Wait outside of any guest until the flag has another value. */
void sim_wait(struct sim_thread *t, struct sim_flag *flag, u32 seen);

/* sim_record.c */

extern const char *const sim_op_names[NR_SIM_OPS];
extern const struct kvm_observer sim_observer;

/** From here on until it has measured, delays of this thread are counted. */
void sim_watch_delay(struct sim_thread *t);
/** MEASURE of a script. */
void sim_measure(struct sim_thread *t, bool begin);
/** The agent does something to a page: an operation, or a part of one. */
void sim_op_goes_on(struct sim_thread *t);
/** An operation that the agent has timed, in ns. */
void sim_record_agent(struct sim_thread *t, enum agent_latency what,
		      u64 begin_ns, u64 end_ns);
/** An operation that a host script has timed, in ps. */
void sim_record_op(struct sim_recorder *rec, enum sim_op op, u64 begin_ps,
		   u64 end_ps);
/**
 * End a MEASURE whose end was not reached because the run, of which `at` is
 * the end, was over before.
 */
void sim_cut_measure(struct sim_thread *t, u64 at);

/* sim_window.c */

void sim_window_init(struct sim *sim);
/** By the last one at barrier 0, before it lets the others go. */
void sim_window_open(struct sim_thread *t);
/** After MEASURE end; the last one closes the window. */
void sim_window_leave(struct sim_thread *t);
/** After a run, of which the last end may not have been reached. */
void sim_window_close(struct sim *sim);

/* sim_hists.c */

/** Make all histograms of a strand's own set; false: out of memory. */
bool sim_hists_make(struct sim_hists *hists);
void sim_hists_free(struct sim_hists *hists);
/** By the strand itself: memory that it will record into is touched. */
void sim_hists_touch(struct sim_hists *hists);
/** Add all that was recorded; into->failed when out of memory. */
void sim_hists_merge(struct sim_hists *into, const struct sim_hists *from);
/** The histogram of a slot, made when there is none; NULL: out of memory. */
struct hist *sim_hists_get(struct sim_hists *hists, struct hist **slot);

/* sim_metrics.c */

/** After the run: fill the sample from all threads. */
void sim_fill_sample(struct sim *sim, struct sample *sample);

#endif
