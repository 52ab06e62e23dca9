/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What else happens on the CPUs of a run: how the host is set up, who else
 * uses it, and what that did to a cell.
 */
#ifndef TDMEM_BENCH_OBSERVE_NOISE_H
#define TDMEM_BENCH_OBSERVE_NOISE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/** The CPUs of a run on this host. */
struct noise_cpus {
	const uint32_t *os_cpu; /* the kernel's numbers; NULL: any CPU */
	uint32_t n;
	const char *root; /* where /proc and /sys are; "" but in tests */
};

/** Time of these CPUs so far, in USER_HZ; see proc_stat(5). */
struct noise_ticks {
	uint64_t busy, steal, all;
	uint32_t cpus; /* of which something is known */
};

/** False: not known. */
bool noise_ticks(const struct noise_cpus *cpus, struct noise_ticks *ticks);

/** Mean steal of a CPU between two readings, in ns. */
double noise_steal_ns(const struct noise_ticks *from,
		      const struct noise_ticks *to);

/**
 * Governor, turbo, SMT, isolated CPUs, load, and for `look_ms`: steal, other
 * work and interrupts on these CPUs; "warnings" says what may disturb.  What
 * is not known is absent.  NULL: out of memory.
 */
json_t *noise_look(const struct noise_cpus *cpus, unsigned look_ms);

/** May this process bind its threads to CPUs?  0, or why not: an errno. */
int noise_binding(void);

/** The warnings, a line each on stderr. */
void noise_warn(const json_t *noise);

/** What the repeats of a cell suffered. */
struct noise_sums {
	double steal_ns, run_ns;
	double steals; /* repeats of which the two are */
	double preempted, measured_ns;
	bool scaled;	/* some counter had to share the hardware */
	double running; /* the least share of the time of any of these, % */
};

/** Add a repeat by its "metrics". */
void noise_add(struct noise_sums *sums, const json_t *metrics);

/**
 * Add to a cell's notes what is out of line: steal above 1 % of the time and
 * above what its steps of 10 ms may be wrong by, or 5 and more preemptions that
 * are more than 20 in a second of a strand.  Strands that share CPUs preempt
 * each other, so with `oversubscribed` there is no such note.  -1: out of
 * memory.
 */
int noise_notes(const struct noise_sums *sums, bool oversubscribed,
		json_t *notes);

#endif
