/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/result/encode.h"
#include "bench/result/metrics.h"
#include "bench/stats/stats.h"

#define LARGEST_EXACT 9007199254740992.0 /* 2^53 */

/* Counts are written as integers: shorter, and exact. */
static json_t *encode_value(double v)
{
	if (fabs(v) <= LARGEST_EXACT && v == floor(v))
		return json_integer((json_int_t)v);
	return json_real(v);
}

double encoded_value(double value)
{
	char text[40];

	if (!isfinite(value) ||
	    (fabs(value) <= LARGEST_EXACT && value == floor(value)))
		return value;
	snprintf(text, sizeof(text), "%.*g", JSON_DIGITS, value);
	return strtod(text, NULL);
}

static json_t *encode_count(uint64_t n)
{
	return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

static json_t *encode_buckets(const struct hist *h)
{
	json_t *buckets = json_array();
	int bad = 0;

	for (uint32_t i = 0; i < HIST_BUCKETS; i++)
		if (h->bucket[i])
			bad |= json_array_append_new(
				buckets, json_pack("[iI]", (int)i,
						   (json_int_t)h->bucket[i]));
	if (!bad)
		return buckets;
	json_decref(buckets);
	return NULL;
}

json_t *encode_hist(const struct hist *h)
{
	return json_pack("{sososososo}", "count", encode_count(h->count),
			 "overflow", encode_count(h->overflow), "min",
			 encode_count(h->min_plus_1 ? h->min_plus_1 - 1 : 0),
			 "max", encode_count(h->max), "buckets",
			 encode_buckets(h));
}

static int set_count(const json_t *json, const char *key, uint64_t *out)
{
	const json_t *v = json_object_get(json, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return -1;
	*out = (uint64_t)json_integer_value(v);
	return 0;
}

static int decode_bucket(const json_t *pair, struct hist *into)
{
	json_int_t index = json_integer_value(json_array_get(pair, 0));
	json_int_t count = json_integer_value(json_array_get(pair, 1));

	if (json_array_size(pair) != 2 || index < 0 || index >= HIST_BUCKETS ||
	    count < 1)
		return -1;
	if (count > (json_int_t)(UINT32_MAX - into->bucket[index]))
		into->bucket[index] = UINT32_MAX;
	else
		into->bucket[index] += (uint32_t)count;
	return 0;
}

int decode_hist(const json_t *json, struct hist *into)
{
	const json_t *buckets = json_object_get(json, "buckets"), *pair;
	uint64_t count, overflow, min, max;
	size_t i;

	if (set_count(json, "count", &count) ||
	    set_count(json, "overflow", &overflow) ||
	    set_count(json, "min", &min) || set_count(json, "max", &max) ||
	    !json_is_array(buckets))
		return -1;
	if (count == 0)
		return 0;
	if (into->min_plus_1 == 0 || min < into->min_plus_1 - 1)
		into->min_plus_1 = min + 1;
	if (max > into->max)
		into->max = max;
	into->count += count;
	into->overflow += overflow;
	json_array_foreach(buckets, i,
			   pair) if (decode_bucket(pair, into)) return -1;
	return 0;
}

json_t *encode_bucket_scheme(void)
{
	return json_pack("{sssisiss}", "kind", "log-linear", "sub_bits",
			 HIST_SUB_BITS, "max_bits", HIST_MAX_BITS, "help",
			 "buckets are [index, count]; with shift = index >> "
			 "sub_bits, the smallest value of a bucket is index "
			 "when shift <= 1, else (index - ((shift - 1) << "
			 "sub_bits)) << (shift - 1); values of 2^max_bits and "
			 "above are in overflow only");
}

static int encode_metrics(const struct sample *sample, json_t *metrics)
{
	int bad = 0;

	for (size_t i = 0; i < metric_count(); i++)
		if (!metric_at(i)->histogram && isfinite(sample->value[i]))
			bad |= json_object_set_new(
				metrics, metric_at(i)->name,
				encode_value(sample->value[i]));
	for (size_t i = 0; i < sample->nmore; i++)
		bad |= json_object_set_new(metrics, sample->more[i].name,
					   encode_value(sample->more[i].value));
	return bad;
}

static int encode_hists(const struct sample *sample, json_t *hists)
{
	int bad = 0;

	for (size_t i = 0; i < metric_count(); i++)
		if (sample->hist[i] && sample->hist[i]->count)
			bad |= json_object_set_new(
				hists, metric_at(i)->name,
				encode_hist(sample->hist[i]));
	return bad;
}

char *encode_repeat(const struct sample *sample, uint64_t seed, bool warmup)
{
	json_t *metrics = json_object(), *hists = json_object(), *repeat;
	int bad = encode_metrics(sample, metrics);
	char *text = NULL;

	bad |= encode_hists(sample, hists);
	repeat = json_pack("{sIsssoso}", "seed", (json_int_t)seed, "status",
			   cell_status_name(sample->status), "metrics", metrics,
			   "histograms", hists);
	if (warmup)
		bad |= json_object_set_new(repeat, "warmup", json_true());
	if (sample->probe)
		bad |= json_object_set(repeat, "probe", sample->probe);
	if (repeat && !bad)
		text = json_dumps(repeat, JSON_STYLE);
	json_decref(repeat);
	return text;
}

json_t *json_bytes(const char *bytes)
{
	json_t *string = json_string(bytes);
	char *escaped, *to;

	if (string)
		return string;
	escaped = to = malloc(4 * strlen(bytes) + 1);
	if (!escaped)
		return NULL;
	for (; *bytes; bytes++) {
		if ((unsigned char)*bytes < 0x80)
			*to++ = *bytes;
		else
			to += sprintf(to, "\\x%02x", (unsigned char)*bytes);
	}
	*to = '\0';
	string = json_string(escaped);
	free(escaped);
	return string;
}
