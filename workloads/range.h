/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TDMEM_WORKLOADS_RANGE_H
#define TDMEM_WORKLOADS_RANGE_H

#include "workloads/script.h"

/** What host threads do to a range. */
struct range_work {
	enum host_opcode opcode;
	uint64_t arg;	/* of the operation */
	uint64_t piece; /* pages of one operation; 0: all */
	bool contested; /* faulting vCPUs fault in the range itself */
	bool fresh;	/* it is touched when the work is done, not before */
};

/** What range_make() reads beside `pages`, which has its own text for each. */
#define RANGE_KNOBS                                                            \
	&knob_page_size, &knob_others, &knob_tick_ns, &knob_stuck_percent,     \
		&knob_stuck_ns, &knob_host_threads

/**
 * Make a scenario in which host threads divide a range, of mapped and accepted
 * pages if it is not fresh, and work on it once, while vCPUs do what the knobs
 * say.
 */
int range_make(const struct workload *w, const struct knob_values *values,
	       uint32_t vcpus, const struct range_work *work,
	       struct scenario *s, struct err *err);

#endif
