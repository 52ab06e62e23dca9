/* SPDX-License-Identifier: GPL-2.0-only */
/* Samples as JSON and back. */
#ifndef TDMEM_BENCH_RESULT_ENCODE_H
#define TDMEM_BENCH_RESULT_ENCODE_H

#include <jansson.h>

#include "bench/backend.h"

/** JSON text is compact and keeps figures to 12 digits. */
enum {
	JSON_DIGITS = 12,
	JSON_STYLE = JSON_COMPACT | JSON_REAL_PRECISION(JSON_DIGITS),
};

/**
 * One repeat: seed, status, whether it is a warm-up, metrics that were
 * measured, histograms that are not empty.  A string for free(); NULL when
 * out of memory.
 */
char *encode_repeat(const struct sample *sample, uint64_t seed, bool warmup);

/** What a reader of the JSON will have in place of a value. */
double encoded_value(double value);

/** A histogram as results have it; NULL when out of memory. */
json_t *encode_hist(const struct hist *h);

/**
 * Add what encode_hist() made to *into.  -1 when it is not a histogram; then
 * *into may hold a part of it.
 */
int decode_hist(const json_t *json, struct hist *into);

/** How bucket indexes are to be read, for the result's top. */
json_t *encode_bucket_scheme(void);

/** A string of bytes that may be no UTF-8: those become \xNN. */
json_t *json_bytes(const char *bytes);

#endif
