/* SPDX-License-Identifier: GPL-2.0-only */
/* What can be counted on this host, and what it takes to count the rest. */
#ifndef TDMEM_BENCH_OBSERVE_COUNTERS_ENV_H
#define TDMEM_BENCH_OBSERVE_COUNTERS_ENV_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>

#include "bench/observe/ability.h"

/** Kinds of events that are tried, from 0 to this. */
size_t abilities(void);
void ability_of_event(size_t i, struct ability *a);

/** Can the device of an MSR be read?  Nothing is read from it. */
void ability_of_msr(const char *path, struct ability *a);

/** Is there such a program in a list of folders as PATH is? */
void ability_of_program(const char *name, const char *path, struct ability *a);

/** All of them, for people. */
void counters_print_env(FILE *f);

#endif
