/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Contexts: flows of control with stacks of their own, switched by hand.
 *
 * On x86-64 a switch saves the callee-saved registers and nothing else; the
 * floating-point control words are never changed by the model.  Elsewhere, or
 * with -DTDMEM_UCONTEXT=1, it is ucontext, which does a system call a switch.
 */
#ifndef TDMEM_MACHINE_CONTEXT_H
#define TDMEM_MACHINE_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__x86_64__) && !defined(TDMEM_UCONTEXT)
#define CONTEXT_BY_HAND 1
#else
#define CONTEXT_BY_HAND 0
#include <ucontext.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define CONTEXT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CONTEXT_ASAN 1
#endif
#endif
#ifndef CONTEXT_ASAN
#define CONTEXT_ASAN 0
#endif

/** All zero is a context for the code that is already running. */
struct context {
	void *sp; /* by hand: saved stack pointer; must be first */
	void (*entry)(void *);
	void *arg;
	char *map; /* guard page and stack; NULL: not ours */
	size_t map_bytes;
	char *bottom; /* of the usable stack */
	size_t bytes;
	size_t colour;
#if !CONTEXT_BY_HAND
	ucontext_t *uc;
#endif
#if CONTEXT_ASAN
	void *fake;
	struct context *from; /* who switched here last */
#endif
};

/**
 * Give `c` a stack of at least `bytes` and let it start in entry(arg), which
 * must never return.  `colour` is a small number that differs between
 * contexts: it moves the top of the stack, so that the tops of many stacks do
 * not fall into the same sets of a cache.
 * Returns 0 or -ENOMEM.
 */
int context_create(struct context *c, size_t bytes, unsigned colour,
		   void (*entry)(void *), void *arg);

/** Forget where it was and let it start in entry(arg) again. */
void context_restart(struct context *c, void (*entry)(void *), void *arg);

/** Free the stack, wherever its context was. */
void context_destroy(struct context *c);

/* Not for others: the parts of context_switch(). */
#if CONTEXT_BY_HAND
void context_swap(void **save_sp, void *load_sp);
void context_start(void);
#endif
void context_switch_slow(struct context *from, struct context *to, bool last);

/** Save the running context in `from` and go on in `to`. */
static inline void context_switch(struct context *from, struct context *to)
{
#if CONTEXT_BY_HAND && !CONTEXT_ASAN
	context_swap(&from->sp, to->sp);
#else
	context_switch_slow(from, to, false);
#endif
}

/** The same from a context that will not run again unless restarted. */
static inline _Noreturn void context_leave(struct context *from,
					   struct context *to)
{
#if CONTEXT_BY_HAND && !CONTEXT_ASAN
	context_swap(&from->sp, to->sp);
#else
	context_switch_slow(from, to, true);
#endif
	__builtin_unreachable();
}

#endif
