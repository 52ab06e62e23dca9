/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the workloads have in common: where pages lie, and the pieces that
 * their scripts are made of.  Inside workloads/ only; what a workload is and
 * the table of all of them is in bench/scenario.h.
 */
#ifndef TDMEM_WORKLOADS_SCRIPT_H
#define TDMEM_WORKLOADS_SCRIPT_H

#include "bench/scenario.h"

#define PAGE_BYTES 4096ull
#define NS_PER_S   1000000000ull

/** Knobs that several workloads share and that are not common ones. */
extern const struct knob knob_total_pages, knob_stuck_percent, knob_stuck_ns;

/** Fresh pages of a vCPU that faults in the background. */
enum { FRESH_PAGES = 1024 };

/** Pages of several users (vCPUs), laid out as the knobs say. */
struct area {
	uint64_t gpa;
	uint64_t each; /* pages of one user */
	uint32_t users;
	uint32_t layout; /* LAYOUT_* */
	uint8_t level;	 /* 0: 4K, 1: 2M */
};

/** The pages of one user. */
struct part {
	uint64_t gpa, stride;
	uint64_t count;
	uint8_t level;
};

/** Bytes of a page of the area. */
uint64_t area_page_bytes(const struct area *area);
struct part area_part(const struct area *area, uint32_t user);
/** The first address behind the area that shares no table with it. */
uint64_t area_end(const struct area *area);
/** Piece `index` of an area without gaps, split evenly into `parts`. */
struct part area_slice(const struct area *area, uint32_t index, uint32_t parts);

/** How many of `vcpus` the knob "stuck_percent" makes stuck: never all. */
uint32_t stuck_vcpus(const struct knob_values *values, uint32_t vcpus);

/** Knob "pages", less where "total_pages" bounds the pages of all users. */
uint64_t pages_each(const struct knob_values *values, uint32_t users);

/** AGENT_ACCEPT_* for an ACCEPT_*. */
uint8_t accept_flags(int64_t accept);
/** Refuse accept modes that end a TD whose pending pages give no #VE. */
int accept_check(const struct knob_values *values, struct err *err);

/** Start a scenario of finalized TDs; returns 0, or -1 when out of memory. */
int script_begin(struct scenario *s, const struct workload *w, uint32_t tds,
		 uint32_t vcpus, uint32_t hosts, struct err *err);
/**
 * Finish it: the guest's memory ends at `end`.  Returns 0, or -1 when memory
 * was out on the way; then the scenario is freed.
 */
int script_end(struct scenario *s, uint64_t end, struct err *err);

/** A vCPU of a scenario that is being made. */
struct who {
	struct scenario *s;
	uint32_t td, vcpu;
};

/** Where the next operation will be: the target of a loop. */
uint32_t vcpu_next(struct who who);
/** Back to `first` until it has run `count` times; 0: until told to stop. */
void vcpu_loop(struct who who, uint32_t first, uint32_t count);
void vcpu_barrier(struct who who, uint32_t id);
void vcpu_measure(struct who who, bool begin);
/** An operation on pages: AGENT_TOUCH, _ACCEPT, _CONVERT. */
void vcpu_pages(struct who who, uint16_t opcode, struct part part,
		uint8_t flags, uint64_t arg, uint64_t pace_ns);
/** Fault at one instruction until told to stop, in a MEASURE of its own. */
void vcpu_stuck(struct who who, uint64_t gpa, uint64_t pace_ns);
/**
 * What the "others" knob says, until told to stop, in a MEASURE of its own.
 * `fresh`: pages that a faulting one takes, one each tick.
 */
void vcpu_background(struct who who, const struct knob_values *values,
		     struct part fresh, uint8_t flags);

void host_barrier(struct scenario *s, uint32_t thread, uint32_t id);
void host_measure(struct scenario *s, uint32_t thread, bool begin);
void host_stop(struct scenario *s, uint32_t thread);
/** An operation on a part of a TD that has no gaps. */
void host_pages(struct scenario *s, uint32_t thread, enum host_opcode opcode,
		uint32_t td, struct part part, uint64_t arg, uint64_t pace_ns);

/** Least time between things that happen `rate` times a second; 0: none. */
uint64_t pace_of_rate(int64_t rate);

extern const struct workload workload_build, workload_fault_in, workload_accept,
	workload_track, workload_block_remove, workload_convert,
	workload_reclaim, workload_zero_step, workload_churn, workload_prefault;

#endif
