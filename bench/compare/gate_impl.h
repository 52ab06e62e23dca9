/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of the gate only. */
#ifndef TDMEM_BENCH_COMPARE_GATE_IMPL_H
#define TDMEM_BENCH_COMPARE_GATE_IMPL_H

#include "bench/compare/gate.h"

/**
 * The first rule that matches a row as seen by a side; NULL: none does, or
 * it says nothing of a metric without a direction.
 */
const struct gate_rule *gate_rule_of(const struct gate *gate,
				     const struct comparison *c, size_t row,
				     size_t side);

/** The first rule that checks anything in the row's cell; NULL: none. */
const struct gate_rule *gate_rule_of_cell(const struct gate *gate,
					  const struct comparison *c,
					  size_t row, size_t side);

#endif
