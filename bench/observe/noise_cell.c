/* SPDX-License-Identifier: GPL-2.0-only */
/* What noise did to a cell, from the metrics of its repeats. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/observe/noise.h"

static const double steal_limit = 1;	  /* % of the time */
static const double steal_step_ns = 1e7;  /* USER_HZ, see proc_stat(5) */
static const double preempted_limit = 20; /* in a second of a strand */
enum { PREEMPTED_LEAST = 5 };

static double number(const json_t *metrics, const char *name)
{
	return json_number_value(json_object_get(metrics, name));
}

/* A repeat that has one of a pair only says nothing of a share. */
static void add_pair(const json_t *metrics, const char *part, const char *whole,
		     double *part_sum, double *whole_sum)
{
	if (!json_object_get(metrics, part) || !json_object_get(metrics, whole))
		return;
	*part_sum += number(metrics, part);
	*whole_sum += number(metrics, whole);
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

void noise_add(struct noise_sums *sums, const json_t *metrics)
{
	const char *name;
	json_t *value;

	if (json_object_get(metrics, "run.steal"))
		sums->steals++;
	add_pair(metrics, "run.steal", "run.time", &sums->steal_ns,
		 &sums->run_ns);
	add_pair(metrics, "run.preempted", "run.measured", &sums->preempted,
		 &sums->measured_ns);
	json_object_foreach((json_t *)(uintptr_t)metrics, name, value)
	{
		if (strncmp(name, "counter.", 8) == 0 &&
		    ends_with(name, ".running") &&
		    (!sums->scaled ||
		     json_number_value(value) < sums->running)) {
			sums->scaled = true;
			sums->running = json_number_value(value);
		}
	}
}

static int add_note(json_t *notes, const char *text)
{
	return json_array_append_new(notes, json_string(text));
}

/*
 * Each repeat's steal is wrong by up to a step, either way: their sum by that
 * times the root of their number, of which twice is no accident.
 */
static bool is_stolen(const struct noise_sums *sums, double percent)
{
	return percent > steal_limit &&
	       sums->steal_ns > 2 * steal_step_ns * sqrt(sums->steals);
}

int noise_notes(const struct noise_sums *sums, bool oversubscribed,
		json_t *notes)
{
	double steal =
		sums->run_ns > 0 ? sums->steal_ns / sums->run_ns * 100 : 0;
	double rate = sums->measured_ns > 0
			      ? sums->preempted / sums->measured_ns * 1e9
			      : 0;
	char text[120];
	int bad = 0;

	if (is_stolen(sums, steal)) {
		snprintf(text, sizeof(text),
			 "noise: the hypervisor took %.1f %% of the CPUs' time",
			 steal);
		bad |= add_note(notes, text);
	}
	if (!oversubscribed && sums->preempted >= PREEMPTED_LEAST &&
	    rate > preempted_limit) {
		snprintf(text, sizeof(text),
			 "noise: preempted %.0f times, %.0f in a second of a "
			 "strand",
			 sums->preempted, rate);
		bad |= add_note(notes, text);
	}
	if (sums->scaled) {
		snprintf(text, sizeof(text),
			 "counters shared the hardware and are scaled: counted "
			 "from %.0f %% of the time on",
			 sums->running);
		bad |= add_note(notes, text);
	}
	return bad;
}
