/* SPDX-License-Identifier: GPL-2.0-only */
/* What a run would do, for people. */
#ifndef TDMEM_BENCH_RUN_PLAN_PRINT_H
#define TDMEM_BENCH_RUN_PLAN_PRINT_H

#include "bench/run/sides.h"

/** Print the cells, the repeat rule and in what sides differ, on stdout. */
void plan_print(const struct sides *sides);

#endif
