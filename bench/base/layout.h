/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text that has to fit: its width on a terminal, texts that do no harm, and
 * cutting and wrapping by columns.  Texts are UTF-8; wide characters count
 * two columns, combining ones none, and colours (ESC [ ... m) none.
 */
#ifndef TDMEM_BENCH_BASE_LAYOUT_H
#define TDMEM_BENCH_BASE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "bench/base/arena.h"

/** Columns that a text of one line takes. */
size_t layout_width(const char *text);

/**
 * A text in which nothing moves a cursor, ends a line or acts unseen: such
 * characters become \xNN or \uNNNN, and so do bytes that are no UTF-8.  With
 * `ascii` all that is not ASCII becomes '?'.  NULL when out of memory.
 */
char *layout_plain(struct arena *arena, const char *text, bool ascii);

/**
 * A plain text cut to a width (4 or more) with ".." in its middle, as what
 * tells names apart may be at either end.  It is `text` itself when that
 * fits; NULL when out of memory.
 */
const char *layout_cut(struct arena *arena, const char *text, size_t width);

/**
 * Print the words of a plain text in lines of `width`, the first one after
 * `head`, the others after `indent` blanks.  Words that no line can hold are
 * broken.  `head` is shorter than `width` by some columns.
 */
void layout_wrap(FILE *f, size_t width, const char *head, size_t indent,
		 const char *text);

/**
 * Print a shell's command line in lines of `width` that end in a backslash,
 * so that it can be pasted back.  Words that do not fit are quoted anew, in
 * pieces; what is no printable ASCII becomes $'\xNN', which bash, zsh and
 * ksh read.  False when out of memory.
 */
bool layout_command(FILE *f, size_t width, size_t indent, const char *command);

#endif
