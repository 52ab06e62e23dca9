/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HdrHistogram's layout for 3 significant digits: cells of width 1 below
 * 2048, then 1024 cells an octave.  Ours are half as many, and each boundary
 * of ours is one of theirs.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "bench/result/hdr.h"

enum {
	DIGITS = 3,
	HALF_BITS = 10, /* 1024 cells an octave */
	LINEAR = 2 << HALF_BITS,
	/* "V2" and its deflated form; 0x10: counts are LEB128. */
	COOKIE = 0x1c849303 | 0x10,
	COOKIE_DEFLATED = 0x1c849304 | 0x10,
	HEADER = 40,
	DEFLATED_HEADER = 8,
	LONGEST_COUNT = 9, /* bytes of a LEB128 number */
};

/* -------------------------------------------------------------------- cells */

struct cells {
	uint64_t *count;
	size_t n;
};

static size_t cell_of(uint64_t value)
{
	unsigned int top = 63u - (unsigned int)__builtin_clzll(value | 1);
	unsigned int shift = top > HALF_BITS ? top - HALF_BITS : 0;

	return ((size_t)shift << HALF_BITS) + (size_t)(value >> shift);
}

/*
 * What stands for a bucket's values, the same in every histogram, so that
 * sums of histograms are sums of the same cells.  Readers show the last value
 * of a cell: the one nearest to the middle is that of the cell right below.
 */
static uint64_t value_of(uint32_t bucket)
{
	uint64_t v = hist_middle(bucket);

	return v < LINEAR ? v : v - 1;
}

static void fill(struct cells *c, const struct hist *h)
{
	for (uint32_t i = 0; i < HIST_BUCKETS; i++)
		if (h->bucket[i])
			c->count[cell_of(value_of(i))] += h->bucket[i];
	c->count[cell_of(h->max)] += h->overflow;
}

static int make_cells(struct cells *c, const struct hist *h)
{
	c->n = cell_of(h->max) + 2; /* a middle can be above the maximum */
	c->count = calloc(c->n, sizeof(*c->count));
	if (!c->count)
		return -1;
	if (h->count)
		fill(c, h);
	return 0;
}

/* -------------------------------------------------------------------- bytes */

static unsigned char *put_big_endian(unsigned char *to, uint64_t v, int bytes)
{
	while (bytes-- > 0)
		*to++ = (unsigned char)(v >> (8 * bytes));
	return to;
}

/* ZigZag LEB128; the ninth byte holds eight bits and ends it. */
static unsigned char *put_leb128(unsigned char *to, int64_t number)
{
	uint64_t v = (uint64_t)number << 1 ^ (uint64_t)(number >> 63);

	for (int i = 1; i < LONGEST_COUNT && v >> 7; i++) {
		*to++ = (unsigned char)(v | 0x80);
		v >>= 7;
	}
	*to++ = (unsigned char)v;
	return to;
}

/* A number below 0 is so many empty cells. */
static unsigned char *put_counts(unsigned char *to, const struct cells *c)
{
	int64_t empty = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (c->count[i] == 0) {
			empty++;
			continue;
		}
		if (empty)
			to = put_leb128(to, empty == 1 ? 0 : -empty);
		to = put_leb128(to, (int64_t)c->count[i]);
		empty = 0;
	}
	return to;
}

static void put_header(unsigned char *to, const struct hist *h, size_t payload)
{
	static const double ratio = 1; /* of doubles to counted integers */
	uint64_t bits, highest = h->max < 2 ? 2 : h->max | 1;

	memcpy(&bits, &ratio, sizeof(bits));
	to = put_big_endian(to, COOKIE, 4);
	to = put_big_endian(to, payload, 4);
	to = put_big_endian(to, 0, 4); /* cells are not shifted */
	to = put_big_endian(to, DIGITS, 4);
	to = put_big_endian(to, 1, 8); /* lowest value told from 0 */
	to = put_big_endian(to, highest, 8);
	put_big_endian(to, bits, 8);
}

/* -------------------------------------------------------------------- texts */

static char *base64(const unsigned char *p, size_t n)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = malloc((n + 2) / 3 * 4 + 1), *to = text;

	for (size_t i = 0; text && i < n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16;

		v |= i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0;
		v |= i + 2 < n ? p[i + 2] : 0;
		*to++ = digit[v >> 18];
		*to++ = digit[v >> 12 & 63];
		*to++ = i + 1 < n ? digit[v >> 6 & 63] : '=';
		*to++ = i + 2 < n ? digit[v & 63] : '=';
	}
	if (text)
		*to = '\0';
	return text;
}

static char *deflated(const unsigned char *plain, size_t n)
{
	uLongf size = compressBound(n);
	unsigned char *buf = malloc(DEFLATED_HEADER + size);
	char *text = NULL;

	if (buf && compress(buf + DEFLATED_HEADER, &size, plain, n) == Z_OK) {
		put_big_endian(put_big_endian(buf, COOKIE_DEFLATED, 4), size,
			       4);
		text = base64(buf, DEFLATED_HEADER + size);
	}
	free(buf);
	return text;
}

char *hdr_encode(const struct hist *h)
{
	struct cells cells = {0};
	unsigned char *plain = NULL, *end;
	char *text = NULL;

	/* A run of empty cells stands before a count: two numbers a cell. */
	if (make_cells(&cells, h) == 0)
		plain = malloc(HEADER + 2 * LONGEST_COUNT * cells.n);
	if (plain) {
		end = put_counts(plain + HEADER, &cells);
		put_header(plain, h, (size_t)(end - plain) - HEADER);
		text = deflated(plain, (size_t)(end - plain));
	}
	free(plain);
	free(cells.count);
	return text;
}
