/* SPDX-License-Identifier: GPL-2.0-only */
/* Contexts: their stacks, and all but the fastest way to switch. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/machine/context.h"

#if CONTEXT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

/*
 * Tops of stacks go through all 64 sets of a first-level cache that 12 address
 * bits choose, three lines apart because that much of a stack is always used.
 */
static size_t colour_bytes(unsigned colour)
{
	return colour * 3 % 64 * 64;
}

static int map_stack(struct context *c, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	/* and one page for the guard, one for the colour */
	size_t pages = (bytes + page - 1) / page + 2;

	/* An odd number: stacks in a row then use all sets of a TLB. */
	pages |= 1;
	c->map_bytes = pages * page;
	c->map = mmap(NULL, c->map_bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (c->map == MAP_FAILED)
		goto fail;
	if (mprotect(c->map, page, PROT_NONE)) {
		munmap(c->map, c->map_bytes);
		goto fail;
	}
	c->bottom = c->map + page;
	c->bytes = c->map_bytes - page;
	return 0;
fail:
	c->map = NULL;
	return -ENOMEM;
}

int context_create(struct context *c, size_t bytes, unsigned colour,
		   void (*entry)(void *), void *arg)
{
	*c = (struct context){.colour = colour_bytes(colour)};
	if (map_stack(c, bytes))
		return -ENOMEM;
#if !CONTEXT_BY_HAND
	c->uc = malloc(sizeof(*c->uc));
	if (!c->uc) {
		context_destroy(c);
		return -ENOMEM;
	}
#endif
	context_restart(c, entry, arg);
	return 0;
}

void context_destroy(struct context *c)
{
	if (c->map) {
#if CONTEXT_ASAN
		/* Frames that were abandoned leave red zones behind. */
		__asan_unpoison_memory_region(c->bottom, c->bytes);
#endif
		munmap(c->map, c->map_bytes);
	}
#if !CONTEXT_BY_HAND
	free(c->uc);
	c->uc = NULL;
#endif
	c->map = NULL;
}

static void arrived(struct context *c)
{
#if CONTEXT_ASAN
	const void *bottom;
	size_t bytes;

	__sanitizer_finish_switch_fiber(c->fake, &bottom, &bytes);
	/* The host thread's own stack is known only from here. */
	c->from->bottom = (char *)(uintptr_t)bottom;
	c->from->bytes = bytes;
#else
	(void)c;
#endif
}

static void first_entry(void *context)
{
	struct context *c = context;

	arrived(c);
	c->entry(c->arg);
	abort();
}

#if CONTEXT_BY_HAND

void context_restart(struct context *c, void (*entry)(void *), void *arg)
{
	char *top = c->bottom + c->bytes - c->colour;
	uintptr_t *sp = (uintptr_t *)(top - (uintptr_t)top % 64);

#if CONTEXT_ASAN
	__asan_unpoison_memory_region(c->bottom, c->bytes);
	c->fake = NULL;
#endif
	c->entry = entry;
	c->arg = arg;
	*--sp = 0; /* end of the chain of frames, keeps the alignment */
	*--sp = 0;
	*--sp = (uintptr_t)context_start;
	*--sp = 0;			/* rbp */
	*--sp = (uintptr_t)first_entry; /* rbx */
	*--sp = (uintptr_t)c;		/* r12 */
	*--sp = 0;			/* r13 */
	*--sp = 0;			/* r14 */
	*--sp = 0;			/* r15 */
	c->sp = sp;
}

static void swap(struct context *from, struct context *to)
{
	context_swap(&from->sp, to->sp);
}

#else

static void split_entry(unsigned high, unsigned low)
{
	first_entry((void *)((uintptr_t)high << 16 << 16 | low));
}

void context_restart(struct context *c, void (*entry)(void *), void *arg)
{
	uintptr_t self = (uintptr_t)c;

#if CONTEXT_ASAN
	__asan_unpoison_memory_region(c->bottom, c->bytes);
	c->fake = NULL;
#endif
	c->entry = entry;
	c->arg = arg;
	getcontext(c->uc);
	c->uc->uc_link = NULL;
	c->uc->uc_stack.ss_sp = c->bottom;
	c->uc->uc_stack.ss_size = c->bytes - c->colour;
	/* makecontext() passes ints only */
	makecontext(c->uc, (void (*)(void))split_entry, 2,
		    (unsigned)(self >> 16 >> 16), (unsigned)self);
}

static void swap(struct context *from, struct context *to)
{
	ucontext_t own;
	bool borrowed = !from->uc;

	/* The host thread's context lives in this very frame. */
	if (borrowed)
		from->uc = &own;
	swapcontext(from->uc, to->uc);
	if (borrowed)
		from->uc = NULL;
}

#endif

void context_switch_slow(struct context *from, struct context *to, bool last)
{
#if CONTEXT_ASAN
	to->from = from;
	__sanitizer_start_switch_fiber(last ? NULL : &from->fake, to->bottom,
				       to->bytes);
#else
	(void)last;
#endif
	swap(from, to);
	arrived(from);
}
