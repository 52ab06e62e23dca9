/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one repeat of a cell left, and the one line of JSON by which it goes
 * into a journal and from one program to another.
 */
#ifndef TDMEM_BENCH_RUN_REPEAT_H
#define TDMEM_BENCH_RUN_REPEAT_H

#include <jansson.h>
#include <stdio.h>

#include "bench/backend.h"
#include "bench/plan/schedule.h"

struct repeat {
	enum cell_status status;
	char reason[256]; /* "" when it ended ok */
	double rate;	  /* of the workload's operation; NaN: not measured */
	char *text;	  /* as results have it, owned; NULL: it was stopped */
};

/** Where a repeat's text is within its line. */
struct repeat_place {
	size_t offset, size;
};

/**
 * Print the line, without its end; *place says where the text went.  Errors
 * are the stream's; -1 when out of memory.
 */
int repeat_print(FILE *f, const struct run_item *item,
		 const struct repeat *repeat, struct repeat_place *place);

/**
 * Understand a line of n bytes.  The repeat's text stays NULL: it is in the
 * line, at *place, and as JSON in *data, which the caller owns.  -1: it is no
 * such line.
 */
int repeat_parse(const char *line, size_t n, struct run_item *item,
		 struct repeat *repeat, struct repeat_place *place,
		 json_t **data);

#endif
