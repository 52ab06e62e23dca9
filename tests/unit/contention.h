/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two calls at once, for the contention tests: a TD with everything in place
 * for the first call, which is stopped before each of its atomic operations
 * in turn while the second runs as a whole.
 */
#ifndef TDMEM_TESTS_CONTENTION_H
#define TDMEM_TESTS_CONTENTION_H

#include "bench/script/impl.h"

/** Rows and columns of the contention table (facts 10.1), in its order. */
enum who {
	SA, /* MEM.SEPT.ADD */
	AU, /* MEM.PAGE.AUG */
	RM, /* MEM.PAGE.REMOVE */
	PR, /* MEM.PAGE.PROMOTE */
	DM, /* MEM.PAGE.DEMOTE */
	RL, /* MEM.PAGE.RELOCATE */
	SQ, /* MEM.SEPT.RD */
	BL, /* MEM.RANGE.BLOCK */
	UB, /* MEM.RANGE.UNBLOCK */
	SR, /* MEM.SEPT.REMOVE */
	TR, /* MEM.TRACK */
	VE, /* VP.ENTER */
	VF, /* VP.FLUSH */
	AC, /* TDG.MEM.PAGE.ACCEPT */
	AD, /* MEM.PAGE.ADD */
	FD, /* MNG.VPFLUSHDONE */
	FI, /* MNG.KEY.FREEID */
	RC, /* PHYMEM.PAGE.RECLAIM of a page that is not a TDR */
	CW, /* PHYMEM.CACHE.WB */
	WI, /* PHYMEM.PAGE.WBINVD */
	NR_TABLE,
	/* not in the table, but with a place in one of its rows */
	MX = NR_TABLE, /* MR.EXTEND */
	MF,	       /* MR.FINALIZE */
	KC,	       /* MNG.KEY.CONFIG */
	CX,	       /* MNG.ADDCX */
	MI,	       /* MNG.INIT */
	AR,	       /* TDG.MEM.PAGE.ATTR.RD */
	AW,	       /* TDG.MEM.PAGE.ATTR.WR */
	VR,	       /* VP.RD */
	VW,	       /* VP.WR */
	MR,	       /* MNG.RD */
	MC,	       /* MNG.CREATE */
	VC,	       /* VP.CREATE */
	VA,	       /* VP.ADDCX */
	VI,	       /* VP.INIT */
	RD,	       /* PHYMEM.PAGE.RDMD */
	NR_WHO
};

extern const char *const who_name[NR_WHO];

/** The call of the table whose locks this one takes. */
enum who who_like(enum who who);

/** One call with its operands and its answer. */
struct act {
	enum who who;
	hpa_t tdr, tdvpr, page;
	gpa_t gpa;
	enum tdx_level level;
	/* answer */
	tdx_status status;
	struct tdx_out out;
	struct td_exit exit;
	enum tdg_end end;
};

/** A job for world_run() and world_start(). */
void act_job(struct lp *lp, void *act);

/** True for a status that says that somebody else was in the way. */
bool busy_class(tdx_status status);

/** Where things are in a scene. */
#define SCENE_ENTRY   0x0ull	     /* the entry that two calls share */
#define SCENE_CHILD   0x3000ull	     /* that entry at level 0 */
#define SCENE_LISTED  0x40000000ull  /* in a vCPU's zero-step list */
#define SCENE_INITIAL 0x80000000ull  /* where PAGE.ADD adds */
#define SCENE_SMALL   0x150000000ull /* free 4K pages from here */
#define SCENE_BIG     0x160000000ull /* free 2M pages from here */

struct scene {
	struct world w;
	u64 small, big; /* next free page of each size */
};

void scene_open(struct scene *s);
void scene_close(struct scene *s);
void scene_td(struct scene *s, u32 td, u64 state);

hpa_t scene_small(struct scene *s);
hpa_t scene_big(struct scene *s);

/** A call on TD `td`; the page is a free one of the right size. */
struct act scene_act(struct scene *s, enum who who, u32 td, u64 gpa,
		     enum tdx_level level, u32 vcpu);

/** Run a call to its end on an LP; fails the test when the module halts. */
tdx_status scene_run(struct scene *s, struct act *act, struct script_lp *lp);

/**
 * The point to stop a call at after this one.  PROMOTE does the same to each
 * of its 512 children: the first of them, a few more, and all that follows.
 */
u64 scene_next(enum who who, u64 at);

/** A call of the set-up on TD 0: has to succeed. */
void scene_do(struct scene *s, enum who who, u64 gpa, enum tdx_level level);
void scene_enter(struct scene *s, u32 vcpu);
void scene_exit(struct scene *s, u32 vcpu);

/**
 * A set-up as a string: a AUG, s SEPT.ADD, b BLOCK, t TRACK, d DEMOTE.
 */
void scene_program(struct scene *s, const char *program, u64 gpa,
		   enum tdx_level level);

/**
 * The program after which this call on that entry succeeds, in a TD that is
 * running or not; "" for a free entry.
 */
const char *scene_needs(enum who who, bool running);

/** Root to level 1 for the shared entry; with `leaf` to level 0. */
void scene_tree(struct scene *s, bool leaf);

/** Give vCPUs 0..n-1 a zero-step list of one page that is there again. */
void scene_suspect(struct scene *s, u32 n);

/** Every vCPU out of the guest, wherever it is. */
void scene_all_out(struct scene *s);

/** A lock taken from outside. */
struct holder {
	struct tdx_ref ref;
	bool exclusive, release;
	tdx_status status; /* of taking it, or of the release */
};

/** Take or release a lock on an LP; false when that halts the module. */
bool scene_hold(struct scene *s, struct script_lp *lp, struct holder *h);

/** The raw word of a lock of TD 0. */
u64 scene_raw(struct scene *s, enum tdx_object what, u32 vcpu, u64 gpa,
	      enum tdx_level level);

#endif
