/* SPDX-License-Identifier: GPL-2.0-only */
/* The CPUs of the modelled host, or of this one, from hwloc. */
#ifndef TDMEM_BENCH_PLAN_TOPOLOGY_H
#define TDMEM_BENCH_PLAN_TOPOLOGY_H

#include "bench/base/err.h"
#include "model/machine/machine.h"

enum { TOPOLOGY_MAX_CPUS = 8192 };

/**
 * Fill *topology from an hwloc synthetic description ("pack:2 core:56 pu:2")
 * or from this host ("host").  CPUs are in the order in which they are given
 * to strands: the first hyperthread of every core, package by package, then
 * the second ones.  A complex is a cache that several cores share and that
 * is not the whole package's; where there is none, each core is its own.
 * Returns -1 with *e, whose text does not name a file.
 */
int topology_load(const char *what, struct topology *topology, struct err *e);
void topology_free(struct topology *topology);

/**
 * The CPUs of this host that this process may use, in the same order, and in
 * *os_cpu the kernel's number of each, for free().  `pin` chooses some, in
 * the order in which it names them ("0,2,4-7"); NULL: all.  With "none" it is
 * all and *os_cpu is NULL: nothing is to be pinned.
 * Returns -1 with *e, whose text does not name a file.
 */
int topology_load_cpus(const char *pin, struct topology *topology, u32 **os_cpu,
		       struct err *e);

#endif
