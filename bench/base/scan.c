/* SPDX-License-Identifier: GPL-2.0-only */
#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/scan.h"

char scan_peek(struct scan *s)
{
	while (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r')
		s->p++;
	return *s->p;
}

bool scan_take(struct scan *s, char c)
{
	if (scan_peek(s) != c || c == '\0')
		return false;
	s->p++;
	return true;
}

/* From behind the opening quote to behind the closing one. */
static bool string_end(struct scan *s)
{
	for (;;) {
		const char *quote = memchr(s->p, '"', (size_t)(s->end - s->p));
		const char *before = quote;

		if (!quote)
			return false;
		while (before > s->p && before[-1] == '\\')
			before--;
		s->p = quote + 1;
		if ((quote - before) % 2 == 0)
			return true;
	}
}

bool scan_name(struct scan *s, const char **name, size_t *length)
{
	if (!scan_take(s, '"'))
		return false;
	*name = s->p;
	if (!string_end(s))
		return false;
	*length = (size_t)(s->p - 1 - *name);
	return scan_take(s, ':');
}

bool scan_is(const char *name, size_t length, const char *what)
{
	return strlen(what) == length && memcmp(name, what, length) == 0;
}

/* What decides where a list or an object ends. */
enum mark { OTHER, OPEN, CLOSE, QUOTE };
static const unsigned char mark[256] = {
	['['] = OPEN, ['{'] = OPEN, [']'] = CLOSE, ['}'] = CLOSE, ['"'] = QUOTE,
};

#ifdef __SSE2__
/*
 * Pass over blocks without quotes in which the depth stays above 0: what
 * histograms are made of.  Returns where that ends.
 */
static const char *skip_blocks(const char *p, const char *end, long *depth)
{
	const __m128i quote = _mm_set1_epi8('"'), lower = _mm_set1_epi8(0x20);
	const __m128i open = _mm_set1_epi8('{'), close = _mm_set1_epi8('}');

	while (end - p >= 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		/* [ and ] become { and } */
		__m128i low = _mm_or_si128(v, lower);
		int opens = _mm_movemask_epi8(_mm_cmpeq_epi8(low, open));
		int closes = _mm_movemask_epi8(_mm_cmpeq_epi8(low, close));
		long down = __builtin_popcount((unsigned int)closes);

		if (_mm_movemask_epi8(_mm_cmpeq_epi8(v, quote)) ||
		    down >= *depth)
			break;
		*depth += __builtin_popcount((unsigned int)opens) - down;
		p += 16;
	}
	return p;
}
#else
static const char *skip_blocks(const char *p, const char *end, long *depth)
{
	(void)end;
	(void)depth;
	return p;
}
#endif

static bool skip_brackets(struct scan *s)
{
	const char *p = s->p, *end = s->end;
	long depth = 0;

	while (p < end) {
		switch (mark[(unsigned char)*p++]) {
		case OPEN:
			depth++;
			p = skip_blocks(p, end, &depth);
			break;
		case CLOSE:
			if (--depth == 0) {
				s->p = p;
				return true;
			}
			break;
		case QUOTE:
			s->p = p;
			if (!string_end(s))
				return false;
			p = s->p;
			break;
		default:
			break;
		}
	}
	return false;
}

bool scan_skip(struct scan *s)
{
	char c = scan_peek(s);
	const char *from;

	if (c == '[' || c == '{')
		return skip_brackets(s);
	if (scan_take(s, '"'))
		return string_end(s);
	from = s->p;
	while (*s->p && !strchr(",]} \n\t\r", *s->p))
		s->p++;
	return s->p > from;
}

static bool word(struct scan *s, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, text, n) != 0)
		return false;
	s->p += n;
	return true;
}

bool scan_number(struct scan *s, double *value)
{
	char c = scan_peek(s), *end;

	if (c == 'n') {
		*value = (double)NAN;
		return word(s, "null");
	}
	/* strtod() takes more than JSON has: inf, nan, hexadecimal, +1. */
	if (c != '-' && (c < '0' || c > '9'))
		return false;
	*value = strtod(s->p, &end);
	if (memchr(s->p, 'x', (size_t)(end - s->p)) || !isfinite(*value))
		return false;
	s->p = end;
	return true;
}

bool scan_count(struct scan *s, uint64_t *value)
{
	char c = scan_peek(s);
	uint64_t v = 0;

	if (c < '0' || c > '9')
		return false;
	for (; *s->p >= '0' && *s->p <= '9'; s->p++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s->p - '0'), &v))
			return false;
	*value = v;
	return *s->p != '.' && *s->p != 'e' && *s->p != 'E';
}

bool scan_bool(struct scan *s, bool *value)
{
	*value = scan_peek(s) == 't';
	return word(s, *value ? "true" : "false");
}

bool scan_object(struct scan *s, scan_member_fn *member, void *ctx)
{
	const char *name;
	size_t length;

	if (!scan_take(s, '{'))
		return false;
	if (scan_take(s, '}'))
		return true;
	do {
		if (!scan_name(s, &name, &length) ||
		    !member(ctx, s, name, length))
			return false;
	} while (scan_take(s, ','));
	return scan_take(s, '}');
}

bool scan_list(struct scan *s, scan_element_fn *element, void *ctx)
{
	if (!scan_take(s, '['))
		return false;
	if (scan_take(s, ']'))
		return true;
	do {
		if (!element(ctx, s))
			return false;
	} while (scan_take(s, ','));
	return scan_take(s, ']');
}
