/* SPDX-License-Identifier: GPL-2.0-only */
/* The bytes of HdrHistogram's V2 encoding, taken apart again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "bench/result/hdr.h"

struct decoded {
	unsigned char plain[4096];
	size_t n;
};

static size_t base64(const char *text, unsigned char *to)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0, bits = 0;
	uint32_t v = 0;

	assert_int_equal(strlen(text) % 4, 0);
	for (; *text && *text != '='; text++) {
		const char *at = strchr(digits, *text);

		assert_non_null(at);
		v = v << 6 | (uint32_t)(at - digits);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			to[n++] = (unsigned char)(v >> bits);
		}
	}
	return n;
}

static uint64_t big_endian(const unsigned char *p, int n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

static void decode(const struct hist *h, struct decoded *d)
{
	char *text = hdr_encode(h);
	unsigned char raw[4096];
	uLongf size = sizeof(d->plain);
	size_t n;

	assert_non_null(text);
	assert_true(strlen(text) < sizeof(raw));
	n = base64(text, raw);
	assert_int_equal(big_endian(raw, 4), 0x1c849314);
	assert_int_equal(big_endian(raw + 4, 4), n - 8);
	assert_int_equal(uncompress(d->plain, &size, raw + 8, n - 8), Z_OK);
	d->n = size;
	free(text);
}

static struct hist *make(const uint64_t *value, size_t n)
{
	struct hist *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	for (size_t i = 0; i < n; i++)
		hist_record(h, value[i]);
	return h;
}

static void header_and_counts(void **state)
{
	static const uint64_t value[] = {100, 100, 102, 300};
	/* 100 empty cells, 2, one empty, 1, 197 empty, 1 */
	static const unsigned char want[] = {0xc7, 0x01, 4,    0,
					     2,	   0x89, 0x03, 2};
	struct hist *h = make(value, 4);
	struct decoded d;

	(void)state;
	decode(h, &d);
	assert_int_equal(big_endian(d.plain, 4), 0x1c849313);
	assert_int_equal(big_endian(d.plain + 4, 4), sizeof(want));
	assert_int_equal(big_endian(d.plain + 8, 4), 0);
	assert_int_equal(big_endian(d.plain + 12, 4), 3);
	assert_int_equal(big_endian(d.plain + 16, 8), 1);
	assert_true(big_endian(d.plain + 24, 8) >= 300);
	assert_true(big_endian(d.plain + 32, 8) == 0x3ff0000000000000);
	assert_int_equal(d.n, 40 + sizeof(want));
	assert_memory_equal(d.plain + 40, want, sizeof(want));
	free(h);
}

/* Where the only count of a histogram is. */
static uint64_t only_cell(uint64_t value)
{
	struct hist *h = make(&value, 1);
	struct decoded d;
	uint64_t v = 0;
	int shift = 0;

	decode(h, &d);
	free(h);
	if (d.n == 41 && d.plain[40] == 2)
		return 0;
	for (size_t i = 40; i < d.n; i++) {
		v |= (uint64_t)(d.plain[i] & 0x7f) << shift;
		shift += 7;
		if (!(d.plain[i] & 0x80))
			break;
	}
	assert_int_equal(d.plain[d.n - 1], 2);
	return (v + 1) / 2; /* of -n, as ZigZag has it */
}

/* The last value of a cell: what their readers show. */
static uint64_t shown(uint64_t cell)
{
	uint64_t shift = cell >> 10;

	if (shift <= 1)
		return cell;
	shift--;
	return ((cell - (shift << 10) + 1) << shift) - 1;
}

static void values_are_within_a_thousandth(void **state)
{
	(void)state;
	for (uint64_t v = 2; v < 1ull << 40; v += v / 7 + 1) {
		uint64_t got = shown(only_cell(v));
		uint64_t off = got > v ? got - v : v - got;

		if (off * 1000 > v)
			fail_msg("%llu became %llu", (unsigned long long)v,
				 (unsigned long long)got);
	}
}

static void ends_of_the_range(void **state)
{
	struct hist *h = make(NULL, 0);
	struct decoded d;

	(void)state;
	decode(h, &d);
	assert_int_equal(d.n, 40);
	free(h);
	assert_int_equal(only_cell(0), 0);
	assert_int_equal(shown(only_cell((1ull << 40) - 1)) >> 30, 1023);
	/* it overflowed: the maximum stands for it */
	assert_int_equal(shown(only_cell(1ull << 50)) >> 40, 1024);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_and_counts),
		cmocka_unit_test(values_are_within_a_thousandth),
		cmocka_unit_test(ends_of_the_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
