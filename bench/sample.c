/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/backend.h"
#include "bench/result/metrics.h"

const char *cell_status_name(enum cell_status status)
{
	static const char *const name[] = {
		[CELL_OK] = "ok",
		[CELL_VM_BUGGED] = "vm-bugged",
		[CELL_LIVELOCK] = "livelock",
		[CELL_TIMEOUT] = "timeout",
		[CELL_UNSUPPORTED] = "unsupported",
		[CELL_FAILED] = "failed",
		[CELL_STOPPED] = "stopped",
	};

	return name[status];
}

bool sample_init(struct sample *sample)
{
	size_t n = metric_count();

	memset(sample, 0, sizeof(*sample));
	sample->value = malloc(n * sizeof(*sample->value));
	sample->hist = calloc(n, sizeof(*sample->hist));
	if (!sample->value || !sample->hist) {
		sample_free(sample);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		sample->value[i] = (double)NAN;
	return true;
}

void sample_free(struct sample *sample)
{
	for (size_t i = 0; sample->hist && i < metric_count(); i++)
		free(sample->hist[i]);
	free(sample->hist);
	free(sample->value);
	free(sample->more);
	json_decref(sample->probe);
	sample->probe = NULL;
	sample->more = NULL;
	sample->nmore = 0;
	sample->hist = NULL;
	sample->value = NULL;
}

void sample_set(struct sample *sample, const char *name, double value)
{
	int index = metric_find(name);

	assert(index >= 0);
	assert(!metric_at((size_t)index)->histogram);
	sample->value[index] = value;
}

bool sample_add(struct sample *sample, const char *name, double value)
{
	struct sample_more *more =
		realloc(sample->more, (sample->nmore + 1) * sizeof(*more));

	if (!more)
		return false;
	sample->more = more;
	more += sample->nmore++;
	snprintf(more->name, sizeof(more->name), "%s", name);
	more->value = value;
	return true;
}

struct hist *sample_hist(struct sample *sample, const char *name)
{
	int index = metric_find(name);

	assert(index >= 0);
	assert(metric_at((size_t)index)->histogram);
	if (!sample->hist[index])
		sample->hist[index] = calloc(1, sizeof(struct hist));
	return sample->hist[index];
}
