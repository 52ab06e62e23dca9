/* SPDX-License-Identifier: GPL-2.0-only */
/* The contexts of other architectures, tested on this one. */
#define TDMEM_UCONTEXT 1

#include "model/machine/context.c"
#include "tests/unit/test_machine_context.c"
