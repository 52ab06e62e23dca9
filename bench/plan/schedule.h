/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which repeat of which cell is next.  A run goes in rounds: in round r every
 * cell that is not done has its r-th repeat, in an order that is drawn anew
 * for each round, so that what slowly changes on a host falls on all cells
 * alike.  Warm-ups are the first rounds.
 *
 * How many repeats a cell gets depends on its own values only, so the repeats
 * of a run are the same whoever asks, with any number of them under way.
 * Nothing here is locked.
 */
#ifndef TDMEM_BENCH_PLAN_SCHEDULE_H
#define TDMEM_BENCH_PLAN_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** When a cell has enough repeats; warm-ups are not counted. */
struct repeat_rule {
	uint32_t min, max; /* 1 <= min <= max */
	uint32_t warmup;   /* rounds before the counted ones */
	/*
	 * From min on a cell is done when the 95 % confidence interval of the
	 * median is at most this wide, as a share of the median; below 0:
	 * there is no such target.
	 */
	double ci_width;
	double time_s; /* then no repeat beyond min is begun; 0: no limit */
};

/** One repeat of one cell; `repeat` counts from 0, warm-ups first. */
struct run_item {
	size_t cell;
	uint32_t repeat;
};

/** What a repeat gave, as far as the rule is concerned. */
struct repeat_value {
	bool ok;     /* it ended ok */
	double rate; /* of what the workload is about; NaN: not measured */
};

struct schedule_cell;

struct schedule {
	struct repeat_rule rule;
	uint64_t seed;
	size_t ncells;
	struct schedule_cell *cell;
	double *rate;	      /* max of each cell: those known, sorted */
	unsigned char *given; /* one for each round of each cell */
	size_t *order;	      /* of the round; the first `passed` are over */
	size_t passed;
	uint32_t round;
	size_t under_way; /* items given and not taken back */
	bool over;	  /* the time is: nothing beyond the minimum */
};

/** -1 when out of memory.  `seed` is what the orders are drawn from. */
int schedule_init(struct schedule *s, const struct repeat_rule *rule,
		  size_t ncells, uint64_t seed);
void schedule_free(struct schedule *s);

enum schedule_answer {
	SCHEDULE_ITEM, /* *item is to be done, by nobody else */
	SCHEDULE_WAIT, /* for one that is under way: ask when it is in */
	SCHEDULE_END,
};
enum schedule_answer schedule_next(struct schedule *s, struct run_item *item);

/**
 * An item is in.  Returns how many repeats its cell will not have after all,
 * of those that schedule_most() counts.
 */
uint32_t schedule_take(struct schedule *s, const struct run_item *item,
		       const struct repeat_value *value);

/**
 * The same for an item of an earlier run, before the first schedule_next();
 * in *dropped what schedule_take() returns.  -1: there is no such item, or it
 * is in already.
 */
int schedule_restore(struct schedule *s, const struct run_item *item,
		     const struct repeat_value *value, uint32_t *dropped);

/** From now on no repeat beyond the minimum is begun. */
void schedule_time_over(struct schedule *s);

/** Are all repeats in that there will be? */
bool schedule_finished(struct schedule *s);

/** Rounds and so repeats of a cell, at most. */
static inline uint32_t schedule_most(const struct repeat_rule *rule)
{
	return rule->warmup + rule->max;
}

#endif
