/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A run of one cell as a timeline: what its strands did, in the order of
 * time, written while it happens.
 *
 * Strands of the virtual machine run a little ahead of each other, so events
 * come in almost in order.  The TIMELINE_WINDOW latest are kept back and the
 * earliest of them is written: memory is bounded whatever the run.
 */
#ifndef TDMEM_BENCH_TIMELINE_TIMELINE_H
#define TDMEM_BENCH_TIMELINE_TIMELINE_H

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>

#include "bench/base/json.h"
#include "model/machine/machine.h"

enum {
	/*
	 * A strand is ahead by at most one call of the module, which is a few
	 * events: this is more than 2048 strands can be.
	 */
	TIMELINE_WINDOW = 1 << 16,
	/* Slices within slices; the deepest is a wait within a call. */
	TIMELINE_DEPTH = 16,
	TIMELINE_NAME = 40,
};

enum timeline_kind {
	TIMELINE_BEGIN,	  /* of a slice */
	TIMELINE_END,	  /* of the innermost slice of the strand */
	TIMELINE_KICK,	  /* an interrupt was sent */
	TIMELINE_KICKED,  /* and taken */
	TIMELINE_MEASURE, /* on or off */
};

enum timeline_slice { SLICE_GUEST, SLICE_CALL, SLICE_SPAN };

struct timeline_event {
	u64 at_ps;
	u64 number;	  /* order of coming in */
	u64 since_ps;	  /* END: when the slice began */
	u64 value;	  /* END of a call: status; KICK, KICKED: pairs them;
			     MEASURE: on */
	const char *name; /* static */
	u32 strand;
	u32 other; /* KICK: the target */
	u8 kind;   /* enum timeline_kind */
	u8 slice;  /* enum timeline_slice */
	bool cut;  /* ended by the end of the run, or never taken */
};

/** What was seen so far, in the order of time. */
struct timeline_totals {
	u64 events, calls, busy, kicks;
	u64 waiting; /* for mmu_lock, now */
};

struct timeline;

/** How it is written; one constant table a form. */
struct timeline_form {
	const char *name, *help;
	void (*head)(struct timeline *t);
	void (*event)(struct timeline *t, const struct timeline_event *e);
	void (*tail)(struct timeline *t, const json_t *facts);
};

/** Ended by one whose name is NULL. */
extern const struct timeline_form timeline_forms[];

/** By its name; NULL: the first.  NULL with the error of `at`. */
const struct timeline_form *timeline_form(const char *name,
					  const struct at *at);

struct timeline_strand {
	char name[TIMELINE_NAME]; /* "vCPU 3", "host thread 0" */
	u32 depth;
	struct timeline_open {
		const char *name;
		u64 since_ps;
		enum timeline_slice slice;
	} open[TIMELINE_DEPTH];
	u64 sent, taken; /* kicks to this one */
};

struct timeline {
	struct trace trace; /* the hooks, for the machine */
	const struct timeline_form *form;
	FILE *out;	   /* borrowed */
	const char *title; /* borrowed: what is run, one plain line */
	struct timeline_strand *strand;
	u32 strands;
	pthread_mutex_t lock; /* on real CPUs strands come at the same time */
	struct timeline_event *window;
	size_t n;
	u64 number;
	u64 seen_ps;	/* latest time of any event */
	u64 written_ps; /* time of the last one written */
	u64 misfits;	/* ends without a begin: must not be */
	struct timeline_totals totals;
};

/** TDs of so many vCPUs each, then host threads, in the order of strands. */
struct timeline_cast {
	u32 tds, vcpus, hosts;
	const char *const *names; /* borrowed; NULL: "vCPU 0", ... */
};

/** The begin or the end of a slice. */
struct timeline_change {
	enum timeline_slice slice;
	const char *name; /* static */
	bool begin;
	u64 value; /* end of a call: its status */
};

/**
 * Begin to write.  -1: out of memory.  What is borrowed must outlive it;
 * timeline_free() in any case.
 */
int timeline_begin(struct timeline *t, const struct timeline_form *form,
		   const struct timeline_cast *cast, const char *title,
		   FILE *out);

/**
 * What the hooks do, for events that were kept and have a time of their own.
 * A kick that is taken is all that were sent to the strand.
 */
void timeline_slice(struct timeline *t, u32 strand, u64 at_ps,
		    const struct timeline_change *change);
void timeline_kick(struct timeline *t, u32 strand, u64 at_ps, u32 target);
void timeline_kicked(struct timeline *t, u32 strand, u64 at_ps);

/**
 * The run is over: write what was kept back, end what had not ended, at
 * `end_ps` or the latest event, and then the facts of the run (an object,
 * borrowed).  Errors of writing are the stream's.
 */
void timeline_end(struct timeline *t, u64 end_ps, const json_t *facts);
void timeline_free(struct timeline *t);

/** A status without its number: "TDX_OPERAND_BUSY | RCX".  Returns buf. */
const char *timeline_status(u64 status, char *buf, size_t size);

/**
 * Hooks that are static probes, when a tracer looks at any of them now; else,
 * and when built without sys/sdt.h, NULL.
 */
const struct trace *timeline_probes(void);

/* timeline_json.c */
void timeline_json_head(struct timeline *t);
void timeline_json_event(struct timeline *t, const struct timeline_event *e);
void timeline_json_tail(struct timeline *t, const json_t *facts);

/* timeline_text.c */
void timeline_text_head(struct timeline *t);
void timeline_text_event(struct timeline *t, const struct timeline_event *e);
void timeline_mail_event(struct timeline *t, const struct timeline_event *e);
void timeline_text_tail(struct timeline *t, const json_t *facts);

#endif
