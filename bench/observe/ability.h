/* SPDX-License-Identifier: GPL-2.0-only */
/* One thing that this host can do, or cannot, and what would change that. */
#ifndef TDMEM_BENCH_OBSERVE_ABILITY_H
#define TDMEM_BENCH_OBSERVE_ABILITY_H

#include <stddef.h>
#include <stdio.h>

struct ability {
	const char *name; /* by which it is chosen; NULL: is not chosen */
	const char *what;
	char why[200];	  /* why not; "": it can */
	const char *cure; /* what it takes; "": not known */
};

/** For people: two lines, or three. */
void ability_print(const struct ability *a, FILE *f);

/** In one line: why not, and what it takes. */
void ability_line(const struct ability *a, char *buf, size_t size);

#endif
