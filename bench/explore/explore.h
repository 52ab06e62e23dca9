/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `tdmem explore`: claims about small scenarios, decided by running them in
 * every order.
 *
 *   claim.c     a claim's file
 *   ops.c       what strands of a scenario can do
 *   world.c     module, host, VM and strands, afresh for each order
 *   watch.c     what is looked at while and after one runs
 *   search.c    bounds, answers, the shortest counterexample
 *   events.c    one execution as a list of events
 *   mail.c      that list in columns, as mails have it
 *   forms.c     the same as JSON and dot
 *   trace.c     the same as a timeline
 *   schedule.c  an order in a file
 */
#ifndef TDMEM_BENCH_EXPLORE_EXPLORE_H
#define TDMEM_BENCH_EXPLORE_EXPLORE_H

#include <stdio.h>

#include "bench/base/err.h"
#include "bench/base/json.h"
#include "bench/base/strlist.h"
#include "bench/timeline/timeline.h"
#include "model/host/host.h"
#include "model/machine/explore.h"

enum {
	CLAIM_STRANDS = 4,
	CLAIM_OPS = 16, /* of one strand */
	CLAIM_LIMITS = 8,
	CLAIM_PAGES = 4096,
};

struct claim_world;
struct claim_worker;
struct claim_op;

/** Something that a strand can do. */
struct claim_op_kind {
	const char *name;
	const char *operands; /* for messages: "GFN [PAGES]" */
	u32 min, max;	      /* numbers that follow the name */
	enum {
		BY_HOST,
		BY_VCPU = 1,
		IN_SETUP = 2
	} who; /* IN_SETUP: only there */
	/* 0, or a negative errno that ends the strand. */
	int (*run)(struct claim_world *w, struct claim_worker *me,
		   const struct claim_op *op);
	/* The call of the module that it is; NULL: none. */
	tdx_status (*call)(struct claim_world *w, struct lp *lp,
			   const struct claim_op *op);
};
extern const struct claim_op_kind
	claim_op_kinds[]; /* ended by one without a name */

struct claim_op {
	const struct claim_op_kind *kind;
	u64 v[3];
	u32 n;
	bool again; /* until the call is not BUSY */
	char text[64];
};

struct claim_ops {
	struct claim_op op[CLAIM_OPS];
	u32 n;
};

struct claim_strand {
	char name[32];
	bool is_vcpu;
	u32 vcpu;
	struct claim_ops setup, body;
};

/** What is claimed, a bit each; claim_checks[] has the names. */
enum {
	CHECK_NO_DEADLOCK = 1,
	CHECK_NO_LIVELOCK = 2,
	CHECK_NO_HALT = 4,
	CHECK_INVARIANTS = 8,
	CHECK_EXCLUSION = 16,
	CHECK_NOT_BUGGED = 32,
	CHECK_FAULTS_END = 64,
	CHECK_NO_ZERO_STEP = 128,
	CHECK_PAGES = 256,
};
struct check_name {
	const char *name;
	u32 bit;
	const char *summary;
};
extern const struct check_name claim_checks[]; /* ended by NULL */

/** A call that must never answer so, or not be BUSY more often in a row. */
struct claim_limit {
	const char *call; /* one of tdx_call_name(); NULL: any */
	tdx_status status;
	u32 tries; /* 0: `status` must never come */
};

struct claim {
	char name[64];
	char what[200]; /* the claim in words; may be "" */
	struct retry_policy policy;
	char policy_name[96];
	u32 vcpus;
	u64 pages;
	bool huge, ve_disable;
	struct claim_ops setup; /* by the host, before anything else */
	struct claim_strand strand[CLAIM_STRANDS];
	u32 strands;
	u32 checks;
	struct claim_limit limit[CLAIM_LIMITS];
	u32 limits;
	bool expect_broken;
	u32 futile; /* tries that cannot succeed, in a row, before waiting */
	struct explore_bounds bounds;
};

/** Read a claim.  -1 with *e, EXIT_USAGE. */
int claim_read(const char *path, struct claim *claim, struct err *e);
/** "punch 0 1" understood; -1 with the error of `at`. */
int claim_parse_op(const char *text, bool by_vcpu, struct claim_op *op,
		   const struct at *at);
/** Set or add what --claim says: NAME, or max-tries:CALL=N, never:STATUS. */
int claim_add_check(struct claim *claim, const char *text, const struct at *at);

/* ---------------------------------------------------------------- events */

enum event_kind {
	EVENT_CALL,    /* a call of the module begins */
	EVENT_STATUS,  /* and ends */
	EVENT_LOST,    /* a try that failed because of a word */
	EVENT_HELD,    /* a lock that somebody else then lost to */
	EVENT_ENTERED, /* a vCPU runs in the guest */
	EVENT_EXITED,
	EVENT_KICK,   /* an IPI is sent */
	EVENT_KICKED, /* and taken */
	EVENT_OP,     /* an operation of the scenario begins */
	EVENT_OP_END,
	EVENT_WAIT, /* trying again would be futile */
	EVENT_HALT, /* a sanity check of the module fails */
	EVENT_SPAN, /* a stretch of time begins or ends; not drawn */
};

struct event {
	enum event_kind kind;
	u32 strand;
	u32 other; /* kicks: the strand that it is for */
	size_t step;
	const char *name;
	tdx_status status;
	const void *word;
	u64 value; /* of the word, after */
	int error; /* of an operation of the scenario */
	bool exclusive;
	bool shown; /* HELD: somebody lost to it */
	bool begin; /* SPAN */
	char text[64];
};

struct events {
	struct event *event; /* owned */
	size_t n, room;
	bool no_memory;
};

void events_add(struct events *events, const struct event *event);
void events_free(struct events *events);
/** Is it told to people, or only there for others to come? */
bool event_is_drawn(const struct event *event);

/** One execution, as it is shown. */
struct execution {
	const struct claim *claim;
	struct events events;
	const char *why; /* what it broke; NULL: nothing */
	enum machine_end end;
	size_t steps;
};

/* ----------------------------------------------------------------- world */

/** NULL when out of memory. */
struct claim_world *claim_world_new(const struct claim *claim);
void claim_world_free(struct claim_world *w);
/** For explore(): the scenario and its claims; borrows the world. */
struct explore_program claim_world_program(struct claim_world *w);
/** A set-up that failed: why; NULL if it did not. */
const char *claim_world_setup_error(const struct claim_world *w);
/** Steps of the last execution. */
size_t claim_world_steps(const struct claim_world *w);
/**
 * Record what happens from the next execution on; NULL: no longer.  What a
 * strand does before its first choice is recorded when it comes to that: who
 * runs the execution calls claim_world_see() before each step.
 */
void claim_world_record(struct claim_world *w, struct events *events);
void claim_world_see(void *world, const struct explore_step *step);

/* ---------------------------------------------------------------- search */

struct claim_answer {
	bool broken, complete;
	char why[200];
	struct explore_schedule schedule; /* owned; of the counterexample */
	s64 preemptions; /* that the last search allowed; -1: any */
	bool shortest;	 /* no shorter one with so many preemptions */
	u64 executions, redundant, cut, steps, longest;
	double seconds;
	const char *bound; /* that was met first; NULL: none */
};

/** -1 with *e when it cannot be run. */
int claim_search(const struct claim *claim, struct claim_answer *answer,
		 struct err *e);
void claim_answer_free(struct claim_answer *answer);
/** Run one order and write down what happens.  -1 with *e. */
int claim_execute(const struct claim *claim,
		  const struct explore_schedule *schedule, struct execution *x,
		  struct err *e);
void execution_free(struct execution *x);

/* ----------------------------------------------------------------- forms */

/** A drawing of at most 75 columns.  -1: out of memory. */
int execution_mail(const struct execution *x, FILE *out);
json_t *execution_json(const struct execution *x);
void execution_dot(const struct execution *x, FILE *out);
/** A step is drawn as a microsecond.  -1 with *e. */
int execution_timeline(const struct execution *x,
		       const struct timeline_form *form, FILE *out,
		       struct err *e);
/** What an event is in words. */
void event_print(const struct execution *x, const struct event *event,
		 char *text, size_t size);

/**
 * What is in a schedule's file.  One that was read owns what it points to;
 * one that is written borrows all of it.
 */
struct schedule_file {
	json_t *root;	       /* of one that was read */
	const char *claim;     /* path of the claim's file */
	const char *why;       /* what the order breaks */
	const char *policy;    /* in place of the claim's; may be NULL */
	struct strings claims; /* in place of the claim's, when there are any */
	struct explore_schedule schedule;
};
/** Runs of steps of one strand: [[strand, steps], ...]. */
json_t *schedule_order(const struct explore_schedule *s);
int schedule_write(const char *path, const struct schedule_file *file,
		   struct err *e);
int schedule_read(const char *path, struct schedule_file *file, struct err *e);
void schedule_file_free(struct schedule_file *file);

#endif
