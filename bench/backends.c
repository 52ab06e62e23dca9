/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/backend.h"

extern const struct backend backend_sim;     /* bench/sim/virtual.c */
extern const struct backend backend_threads; /* bench/threads.c */
extern const struct backend backend_kvm;     /* kvm/backend.c */
extern const struct backend backend_tdx;     /* kvm/td_backend.c */

/** All backends; the first is the default. */
const struct backend *const backends[] = {&backend_sim, &backend_threads,
					  &backend_kvm, &backend_tdx, NULL};
