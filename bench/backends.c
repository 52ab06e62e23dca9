/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/backend.h"

extern const struct backend backend_sim; /* bench/sim.c */

/** All backends; the first is the default. */
const struct backend *const backends[] = {&backend_sim, NULL};
