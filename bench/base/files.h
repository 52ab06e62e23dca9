/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TDMEM_BENCH_BASE_FILES_H
#define TDMEM_BENCH_BASE_FILES_H

/**
 * Let this process open as many files as it may at most, for where each of
 * many threads needs some.  If that cannot be, opening will tell.
 */
void files_allow(void);

#endif
