/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "model/machine/threads_work.h"

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#endif

/*
 * Until all stores are done, which belongs to their time.  Not a fence of the
 * C language: that orders atomics, and gcc's thread sanitizer knows none.
 */
static void drain_stores(void)
{
#ifdef __x86_64__
	_mm_mfence();
#else
	__sync_synchronize();
#endif
}

static void clear_cached(void *page)
{
	memset(page, 0, WORK_PAGE_BYTES);
	drain_stores();
}

#ifdef __x86_64__
enum { LINE_BYTES = 64, LINES = WORK_PAGE_BYTES / LINE_BYTES };

/* ------------------------------------------------------- direct stores */

__attribute__((target("movdir64b"))) static void clear_direct(void *page)
{
	static const char zero[LINE_BYTES] __attribute__((aligned(64)));
	char *to = page;

	for (int i = 0; i < LINES; i++)
		_movdir64b(to + i * LINE_BYTES, zero);
	_mm_sfence();
}

__attribute__((target("movdir64b"))) static void copy_direct(void *page,
							     const void *from)
{
	const char *source = from;
	char *to = page;

	for (int i = 0; i < LINES; i++)
		_movdir64b(to + i * LINE_BYTES, source + i * LINE_BYTES);
	_mm_sfence();
}

/* ------------------------------------------------- non-temporal stores */

static void clear_streaming(void *page)
{
	const __m128i zero = _mm_setzero_si128();
	__m128i *to = page;

	for (int i = 0; i < WORK_PAGE_BYTES / 16; i++)
		_mm_stream_si128(&to[i], zero);
	_mm_sfence();
}

static void copy_streaming(void *page, const void *from)
{
	const __m128i *source = from;
	__m128i *to = page;

	for (int i = 0; i < WORK_PAGE_BYTES / 16; i++)
		_mm_stream_si128(&to[i], _mm_load_si128(&source[i]));
	_mm_sfence();
}

/* ------------------------------------------------------------- flushes */

__attribute__((target("clflushopt"))) static void flush_opt(const void *page)
{
	const char *at = page;

	/* The intrinsic wants a pointer to what could be written. */
	for (int i = 0; i < LINES; i++)
		_mm_clflushopt((void *)(unsigned long)(at + i * LINE_BYTES));
	_mm_sfence();
}

static void flush_plain(const void *page)
{
	const char *at = page;

	for (int i = 0; i < LINES; i++)
		_mm_clflush(at + i * LINE_BYTES);
	_mm_mfence();
}

struct page_work page_work(void)
{
	struct page_work w = {clear_streaming, copy_streaming, flush_plain,
			      "MOVNTDQ", "CLFLUSH"};
	unsigned int a, b, c, d;

	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d))
		return w;
	if (c >> 28 & 1) { /* CPUID 7.0 ECX bit 28 */
		w.clear = clear_direct;
		w.copy = copy_direct;
		w.store_name = "MOVDIR64B";
	}
	if (b >> 23 & 1) { /* CPUID 7.0 EBX bit 23 */
		w.flush = flush_opt;
		w.flush_name = "CLFLUSHOPT";
	}
	return w;
}
#else
static void copy_plain(void *to, const void *from)
{
	memcpy(to, from, WORK_PAGE_BYTES);
	drain_stores();
}

static void flush_nothing(const void *page)
{
	(void)page;
}

struct page_work page_work(void)
{
	return (struct page_work){clear_cached, copy_plain, flush_nothing,
				  "memset", "none"};
}
#endif

const char *page_clear_way(unsigned int index, void (**clear)(void *page))
{
	struct page_work best = page_work();
	struct way {
		const char *name;
		void (*clear)(void *page);
	} ways[] = {
		{best.store_name, best.clear},
#ifdef __x86_64__
		{"MOVNTDQ", clear_streaming},
#endif
		{"memset", clear_cached},
	};
	unsigned int n = sizeof(ways) / sizeof(ways[0]);

	/* The best may be one of the others: not twice. */
	for (unsigned int i = 0; i < n; i++) {
		if (i && strcmp(ways[i].name, best.store_name) == 0)
			continue;
		if (index-- == 0) {
			*clear = ways[i].clear;
			return ways[i].name;
		}
	}
	return NULL;
}
