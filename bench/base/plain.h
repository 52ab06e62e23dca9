/* SPDX-License-Identifier: GPL-2.0-only */
/* Texts of others, made harmless. */
#ifndef TDMEM_BENCH_BASE_PLAIN_H
#define TDMEM_BENCH_BASE_PLAIN_H

#include <stddef.h>

enum { PLAIN_LONGEST = 11 }; /* "\U0010ffff" and a NUL */

/**
 * What stands for the character at `from`: itself, or what plain_copy() makes
 * of one that is not harmless.  Returns how many bytes it has in `from`.
 */
size_t plain_character(char piece[PLAIN_LONGEST], const char *from);

/**
 * Copy as much of a text as `size` bytes hold, a NUL among them, so that
 * nothing in it moves a cursor, ends a line or acts unseen: such characters
 * become \xNN, \uNNNN or \UNNNNNNNN, and so do bytes that are no UTF-8.  Up
 * to four bytes come of one.
 */
void plain_copy(char *to, size_t size, const char *from);

/** The whole of it, for free(); NULL when out of memory. */
char *plain_text(const char *from);

#endif
