/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probe: what functions of the running kernel cost, how often they were
 * called and what they returned, for the threads of a VM and while these
 * measure.  Which functions is a table: the calls of the TDX module, or KVM's
 * MMU.
 */
#ifndef TDMEM_KVM_PROBE_PROBE_H
#define TDMEM_KVM_PROBE_PROBE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/base/err.h"

struct probe;
struct sample;

/**
 * Make a probe by what --probe says: the name of a table, and ":bpf",
 * ":kprobes" or ":none" behind it for one way only.  At most so many threads
 * are watched at a time.  -1 with *e: not such a text, or no memory.  What
 * this kernel lacks is no error: see probe_facts().
 */
int probe_open(const char *text, uint32_t seats, struct probe **probe,
	       struct err *e);
/** Twice, or NULL, does nothing. */
void probe_close(struct probe *probe);

/** Is it a text that probe_open() takes?  -1 with *e. */
int probe_check(const char *text, struct err *e);

/** Is there a way to watch anything here? */
bool probe_works(const struct probe *probe);

/**
 * {"table", "by", "missing"} and of each function {}, {"as": name in this
 * kernel} or {"missing": why}.  NULL: no memory.
 */
json_t *probe_facts(const struct probe *probe);

/** What is missing, a line each on stderr. */
void probe_warn(const struct probe *probe);

/** What can be used here, and why not, for people. */
void probe_print_env(void);

/**
 * Put it on the functions, with all counts at 0.  A function where that fails
 * is missing from then on.
 */
void probe_attach(struct probe *probe);
/** Take it off.  Twice does nothing. */
void probe_detach(struct probe *probe);

/**
 * The calling thread takes a seat, 0 to below what probe_open() was told, and
 * has it until probe_detach().  NULL for `probe`: nothing, here and below.
 */
void probe_sit(struct probe *probe, uint32_t seat);
/** The thread of this seat begins to measure, or has ended. */
void probe_measure(struct probe *probe, uint32_t seat, bool begin);

/**
 * The sample's metrics and "probe" member, of all seats since probe_attach()
 * and before probe_detach(); no watched thread measures any more.  False: no
 * memory.
 */
bool probe_fill(struct probe *probe, struct sample *sample);

#endif
