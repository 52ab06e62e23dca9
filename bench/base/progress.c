/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "bench/base/progress.h"

void progress_begin(struct progress *p, bool shown)
{
	memset(p, 0, sizeof(*p));
	p->shown = shown;
	clock_gettime(CLOCK_MONOTONIC, &p->begin);
}

double progress_seconds(const struct progress *p)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)(at.tv_sec - p->begin.tv_sec) +
	       (double)(at.tv_nsec - p->begin.tv_nsec) / 1e9;
}

static void duration(double s, char *buf, size_t size)
{
	if (s < 100)
		snprintf(buf, size, "%.0f s", s);
	else if (s < 6000)
		snprintf(buf, size, "%.0f min", s / 60);
	else
		snprintf(buf, size, "%.1f h", s / 3600);
}

void progress_show(const struct progress *p)
{
	double spent = progress_seconds(p);
	char since[24], left[24];

	if (!p->shown)
		return;
	duration(spent, since, sizeof(since));
	fprintf(stderr, "\r\033[K%zu of %zu runs, %s", p->done, p->all, since);
	/* Nothing can be said before something has been done. */
	if (p->weight > 0 && spent > 1) {
		duration(spent * (p->all_weight - p->weight) / p->weight, left,
			 sizeof(left));
		fprintf(stderr, ", about %s left", left);
	}
	fflush(stderr);
}

void progress_end(const struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
}
