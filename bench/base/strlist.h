/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TDMEM_BENCH_BASE_STRLIST_H
#define TDMEM_BENCH_BASE_STRLIST_H

#include <stddef.h>

/** Strings of a repeated option; `v` is freed by its owner. */
struct strings {
	const char **v;
	size_t n;
};

#endif
