/* SPDX-License-Identifier: GPL-2.0-only */
/* Manual pages, made of what --help is made of: man(7) source on stdout. */
#ifndef TDMEM_BENCH_BASE_MAN_H
#define TDMEM_BENCH_BASE_MAN_H

#include <stddef.h>

#include "bench/base/args.h"

/** A name and what is to be said about it. */
struct man_item {
	const char *name, *operands, *text;
};

/** The page of a command, tdmem-NAME(1). */
void man_command(const struct command_spec *spec);

/** The page of the program, tdmem(1), with `n` commands. */
void man_program(const char *summary, const struct man_item *command, size_t n);

#endif
