/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of the script interpreter:
 *
 *   script.c         lines in, results out
 *   script_parse.c   one JSON object to a step: fields, types, ranges
 *   script_expect.c  comparing a result with what was expected
 *   script_world.c   module, step machine, logical processors, TDs
 *   script_calls.c   the calls of the module
 *   script_ops.c     everything else that a step can be
 */
#ifndef TDMEM_BENCH_SCRIPT_IMPL_H
#define TDMEM_BENCH_SCRIPT_IMPL_H

#include <jansson.h>

#include "bench/script/script.h"
#include "model/module/inspect.h"
#include "model/module/module.h"

/* --------------------------------------------------------------- fields */

/** Keys of a step; the table in script_parse.c says what each holds. */
enum field {
	F_TD,
	F_VCPU,
	F_VCPUS,
	F_GPAW,
	F_STATE,
	F_VE_DISABLE,
	F_NOTIFY,
	F_BASE,
	F_BYTES, /* "size" of a TDMR */
	F_GPA,
	F_LEVEL,
	F_HPA,
	F_SRC,
	F_HKID,
	F_RESUME,
	F_PAGE,
	F_INDEX,
	F_TDR_HPA,
	F_LP,
	F_RIP,
	F_MODE,
	F_SIDE,
	F_SIZE, /* "size" of a PAMT entry */
	F_AFTER,
	F_ADD,
	F_AT,
	NR_FIELDS
};

#define FIELD(f) (1u << F_##f)

/** Values of the fields of one step.  Choices are indexes. */
struct script_args {
	u64 v[NR_FIELDS];
	u32 given; /* mask of FIELD() */
};

static inline bool given(const struct script_args *a, enum field f)
{
	return a->given & 1u << f;
}

enum { STATE_RUNNABLE, STATE_INITIALIZED, STATE_TEARDOWN };
enum { PAGE_TDR, PAGE_TDCS, PAGE_TDVPS };
enum { MODE_SHARED, MODE_EXCLUSIVE };
enum { SIDE_HOST, SIDE_GUEST };

/* ---------------------------------------------------------------- world */

enum {
	/* Control pages: 16 MiB for each TD, 2 MiB for each of its vCPUs. */
	SCRIPT_TDS = 4,
	SCRIPT_VCPUS = 7,
};

/** A logical processor with the strand that its calls run on. */
struct script_lp {
	struct lp lp;
	struct strand *strand; /* NULL until something has run here */
	void (*fn)(struct lp *lp, void *arg);
	void *arg;
};

struct script_vcpu {
	struct script_lp lp;	   /* its own */
	struct script_lp *running; /* where it is in the guest, or NULL */
};

struct script_td {
	bool exists;
	hpa_t tdr;
	u32 vcpus;
	struct script_vcpu vcpu[SCRIPT_VCPUS];
};

/** The module, its machine, and what stands around them. */
struct world {
	struct tdx_module *module;
	bool real;			/* calls run on threads: */
	struct script_threads *threads; /* of which each has an end */
	struct machine *machine;	/* else one strand when told */
	struct script_lp host;		/* host calls run here */
	struct script_lp other; /* the inner call of a race, if host is taken */
	struct script_lp more[SCRIPT_TDS * SCRIPT_VCPUS]; /* see world_host() */
	struct script_td td[SCRIPT_TDS];
	bool has_tdmr;
	hpa_t base; /* of the first TDMR */
	bool halted;
	char halt[16]; /* "0xSSSS:c" */
	u32 lps;
	u64 now_ps;
	s64 irq_after; /* first check that sees an interrupt; -1: none */
	s64 irq_checks;
	bool irq_quiet; /* set-up: nothing pending, nothing counted */
};

/**
 * Start afresh, with `real` on threads of this host.  Returns -1 when out of
 * memory or threads; then *w is all zero.
 */
int world_create(struct world *w, bool real);
void world_destroy(struct world *w);

/** Add a TDMR.  Returns -1 for a range that the module does not take. */
int world_add_tdmr(struct world *w, hpa_t base, u64 size);

/** A TD as "td" asks for one.  `why` gets the reason of a failure. */
int world_add_td(struct world *w, const struct script_args *a, char *why,
		 size_t size);

hpa_t world_tdcs_page(const struct script_td *td, u32 index);
hpa_t world_tdvps_page(const struct script_td *td, u32 vcpu, u32 index);
static inline hpa_t world_tdvpr(const struct script_td *td, u32 vcpu)
{
	return world_tdvps_page(td, vcpu, 0);
}

/** Number of the TD whose TDR is at this address; -1: none. */
int world_td_of(const struct world *w, u64 tdr);

/**
 * The LP that a host call runs on: the host's, or the first other one when a
 * vCPU is inside there or when it is `taken` (may be NULL).
 */
struct script_lp *world_host(struct world *w, const struct script_lp *taken);

/** Run fn to its end.  False: the module halted, w->halt says where. */
bool world_run(struct world *w, struct script_lp *lp,
	       void (*fn)(struct lp *, void *), void *arg);

/**
 * Run fn until it is about to do its atomic operation number `at`, counted
 * from 0 as the recorded scripts count them.  STEP_PAUSED: `point` (32 bytes)
 * says which; world_finish() goes on.
 */
enum step_end world_start(struct world *w, struct script_lp *lp,
			  void (*fn)(struct lp *, void *), void *arg, u64 at,
			  char *point);
bool world_finish(struct world *w, struct script_lp *lp);

/* ---------------------------------------------------------------- steps */

struct script_step;

/** What a call's answer consists of. */
enum answer {
	ANSWER_STATUS,
	ANSWER_MEM,	/* rcx, rdx */
	ANSWER_RECLAIM, /* rcx, owner_td, r8 */
	ANSWER_MD,	/* rcx, rdx, r8 */
	ANSWER_TDCALL,
	ANSWER_ENTER,
	ANSWER_EXIT,
	ANSWER_FAULT,
};

/** One call of the module, with what it needs and what came of it. */
struct script_call {
	const struct call_kind *kind;
	const struct script_args *args;
	hpa_t tdr, tdvpr, hpa;
	gpa_t gpa;
	enum tdx_level level;
	struct script_vcpu *vcpu; /* NULL: the call names none */
	/* answer */
	tdx_status status;
	struct tdx_out out;
	struct td_exit exit;
	enum tdg_end end;
	bool exited; /* fault: a TD exit */
};

enum place {
	PLACE_HOST,
	PLACE_VCPU,  /* the vCPU's own LP; the host's when it is inside */
	PLACE_GUEST, /* where the vCPU is inside */
};

struct call_kind {
	enum tdx_call id;
	const char *name; /* NULL: tdx_call_name(id) */
	u32 required, optional;
	enum place place;
	enum answer answer;
	void (*run)(struct lp *lp, struct script_call *call);
};

/** The kind of a "name"; NULL: there is none. */
const struct call_kind *call_kind_find(const char *name);
extern const struct call_kind call_enter, call_exit, call_fault, call_progress;

/** Something that can be locked or shown. */
struct object_kind {
	const char *name;
	enum tdx_object what;
	u32 required; /* besides the mode */
	u32 optional;
	u32 lock; /* required for lock and unlock only */
	u32 lock_optional;
	bool can_lock;
	void (*show)(struct world *w, const struct tdx_ref *ref,
		     json_t *result);
};

const struct object_kind *object_kind_find(const char *name);

enum selector { SELECT_NONE, SELECT_CALL, SELECT_OBJECT };

struct op_kind {
	const char *name;
	u32 required, optional;
	enum selector selector;
	bool locks;
	bool race;
	const struct call_kind *call; /* enter, exit, fault, progress */
	int (*run)(struct world *w, const struct script_step *step,
		   json_t *result, struct err *e);
};

const struct op_kind *op_kind_find(const char *name);

/** One line, understood. */
struct script_step {
	const char *where; /* "FILE:LINE", for messages */
	const struct op_kind *op;
	const struct call_kind *call;
	const struct object_kind *object;
	struct script_args args;
	const struct script_step *outer, *inner; /* race */
	json_t *expect;				 /* borrowed; may be NULL */
};

/**
 * Understand one object.  `inner` and `outer` are filled for a race.  On an
 * error returns -1 and fills *e with where, the path and what was expected.
 */
int script_parse(json_t *line, struct script_step *step,
		 struct script_step *outer, struct script_step *inner,
		 struct err *e);

/** -1, with a message about a member of a step. */
__attribute__((format(printf, 4, 5))) int
script_bad(struct err *e, const struct script_step *step, const char *path,
	   const char *format, ...);

/** Carry out a step; its members go into `result`. */
int script_step_run(struct world *w, const struct script_step *step,
		    json_t *result, struct err *e);

/* Make a call ready, find its LP, put its answer into `result`. */
int call_prepare(struct world *w, const struct script_step *step,
		 struct script_call *call, struct err *e);
struct script_lp *call_place(struct world *w, const struct script_call *call,
			     const struct script_lp *taken);
void call_job(struct lp *lp, void *call);
void call_done(struct script_call *call, struct script_lp *lp);
void call_answer(struct world *w, const struct script_call *call,
		 json_t *result);

/** Names of lock, unlock and show. */
int op_lock(struct world *w, const struct script_step *step, json_t *result,
	    struct err *e);
int op_show(struct world *w, const struct script_step *step, json_t *result,
	    struct err *e);

/* ------------------------------------------------------------------ JSON */

void put_hex(json_t *object, const char *key, u64 value);
void put_int(json_t *object, const char *key, s64 value);
/** "status" and "text". */
void put_status(json_t *object, tdx_status status);
void put_halt(const struct world *w, json_t *object);

/** Parse "0x..."; false when it is not a hex string of at most 64 bits. */
bool script_hex(const char *text, u64 *value);

/**
 * Compare each member of `expect` with that of `got`; adds the number of
 * members to *compared.  True when all are equal; else the first difference
 * is written to `path`, *want and *have (borrowed; *have may be NULL).
 */
bool script_expect(const json_t *expect, const json_t *got, size_t *compared,
		   char *path, size_t size, const json_t **want,
		   const json_t **have);

#endif
