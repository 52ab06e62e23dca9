/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work on real pages: clears and copies past the cache, flushes out of it,
 * with the best instruction that the running CPU has.
 */
#ifndef TDMEM_MACHINE_THREADS_WORK_H
#define TDMEM_MACHINE_THREADS_WORK_H

enum { WORK_PAGE_BYTES = 4096 };

/** Pages are 4 KiB, aligned.  When a function returns it is done: fenced. */
struct page_work {
	void (*clear)(void *page);
	void (*copy)(void *to, const void *from);
	void (*flush)(const void *page);
	const char *store_name, *flush_name; /* of the instructions */
};

struct page_work page_work(void);

/**
 * Ways to clear a page here, the one that is used first.  The name of way
 * `index`, NULL when there are no more.
 */
const char *page_clear_way(unsigned int index, void (**clear)(void *page));

#endif
