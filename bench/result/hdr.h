/* SPDX-License-Identifier: GPL-2.0-only */
/* Histograms as HdrHistogram's programs exchange them. */
#ifndef TDMEM_BENCH_RESULT_HDR_H
#define TDMEM_BENCH_RESULT_HDR_H

#include "guest-agent/hist.h"

/**
 * A histogram in HdrHistogram's V2 encoding (3 significant digits), deflated
 * and in base64, for free(); NULL when out of memory.  All values are
 * counted: a bucket's at its middle, so that quantiles are within 0.1 % of
 * those of hist_quantile(), those that overflowed at the maximum.
 */
char *hdr_encode(const struct hist *h);

#endif
