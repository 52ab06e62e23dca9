/* SPDX-License-Identifier: GPL-2.0-only */
/* Counting on one thread, and sums over threads. */
#include <errno.h>
#include <perfmon/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench/backend.h"
#include "bench/observe/counters.h"
#include "bench/observe/counters_impl.h"

/*
 * Into the group that is being filled if it has room, else at the head of a
 * new one: the kernel counts a group as a whole or not at all.
 */
static void open_next(struct counting *t, size_t i, int *leader)
{
	struct perf_event_attr attr = *t->set->v[i].attr;

	if (*leader >= 0) {
		attr.disabled = 0;
		t->fd[i] = counter_open(&attr, *leader);
		if (t->fd[i] >= 0)
			return;
		attr.disabled = 1;
	}
	t->fd[i] = counter_open(&attr, -1);
	t->leads[i] = t->fd[i] >= 0;
	if (t->leads[i])
		*leader = t->fd[i];
	else
		t->broken = true;
}

void counting_open(struct counting *t, const struct counters *set)
{
	int leader = -1;

	*t = (struct counting){.set = set};
	t->fd = calloc(set->n + 1, sizeof(*t->fd));
	t->leads = calloc(set->n + 1, sizeof(*t->leads));
	if (!t->fd || !t->leads) {
		free(t->fd);
		free(t->leads);
		t->fd = NULL;
		t->leads = NULL;
		t->broken = true;
		return;
	}
	for (size_t i = 0; i < set->n; i++)
		t->fd[i] = -1;
	for (size_t i = 0; i < set->n; i++)
		if (!set->v[i].missing[0])
			open_next(t, i, &leader);
}

/*
 * Of a group only its leader is switched, its other events follow.  Asked to
 * switch all of it (PERF_IOC_FLAG_GROUP), Linux 6.18 does not count the
 * others any more after the second begin.
 */
static void switch_all(const struct counting *t, unsigned long request)
{
	for (size_t i = 0; t->fd && i < t->set->n; i++)
		if (t->leads[i])
			ioctl(t->fd[i], request, 0);
}

void counting_begin(const struct counting *t)
{
	switch_all(t, PERF_EVENT_IOC_ENABLE);
}

void counting_end(const struct counting *t)
{
	switch_all(t, PERF_EVENT_IOC_DISABLE);
}

void counting_close(struct counting *t)
{
	for (size_t i = 0; t->fd && i < t->set->n; i++)
		if (t->fd[i] >= 0)
			close(t->fd[i]);
	free(t->fd);
	free(t->leads);
	*t = (struct counting){.fd = NULL};
}

/* ------------------------------------------------------------------- sums */

/* What a read of a leader gives: see PERF_FORMAT_GROUP. */
struct group_values {
	uint64_t n, enabled, running, value[COUNTERS_MAX];
};

static size_t group_end(const struct counting *t, size_t leader)
{
	size_t i = leader + 1;

	while (i < t->set->n && !t->leads[i])
		i++;
	return i;
}

static void add_group(const struct counting *t, size_t leader,
		      struct counted *sum)
{
	struct group_values got = {.n = 0};
	bool good = read(t->fd[leader], &got, sizeof(got)) > 0;
	double enabled = (double)got.enabled, running = (double)got.running;
	size_t at = 0;

	for (size_t i = leader; i < group_end(t, leader); i++) {
		if (t->fd[i] < 0)
			continue;
		/* It had its time and never came to count. */
		if (!good || at >= got.n || (enabled > 0 && running <= 0)) {
			sum->lost[i] = true;
			continue;
		}
		sum->enabled[i] += enabled;
		sum->running[i] += running;
		if (running > 0)
			sum->value[i] +=
				(double)got.value[at] * (enabled / running);
		at++;
	}
}

void counting_add(const struct counting *t, struct counted *sum)
{
	for (size_t i = 0; t->set && i < t->set->n; i++) {
		if (!t->fd || (t->fd[i] < 0 && !t->set->v[i].missing[0]))
			sum->lost[i] = true;
		else if (t->leads[i])
			add_group(t, i, sum);
	}
}

bool counted_fill(const struct counters *set, const struct counted *sum,
		  struct sample *sample)
{
	bool good = true;

	for (size_t i = 0; i < set->n; i++) {
		char name[COUNTER_NAME + 20];
		double share = sum->running[i] / sum->enabled[i];

		if (set->v[i].missing[0] || sum->lost[i] ||
		    sum->enabled[i] <= 0)
			continue;
		snprintf(name, sizeof(name), "counter.%s", set->v[i].name);
		good &= sample_add(sample, name, sum->value[i]);
		if (share > 0.9995)
			continue;
		snprintf(name, sizeof(name), "counter.%s.running",
			 set->v[i].name);
		good &= sample_add(sample, name, share * 100);
	}
	return good;
}
