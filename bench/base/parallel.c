/* SPDX-License-Identifier: GPL-2.0-only */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/base/parallel.h"

struct work {
	parallel_fn *fn;
	void *ctx;
	size_t n;
	atomic_size_t next;
	atomic_bool failed;
};

static void *do_work(void *arg)
{
	struct work *w = arg;
	size_t i;

	while (!atomic_load(&w->failed) &&
	       (i = atomic_fetch_add(&w->next, 1)) < w->n)
		if (!w->fn(w->ctx, i))
			atomic_store(&w->failed, true);
	return NULL;
}

bool parallel_for(size_t n, unsigned int jobs, parallel_fn *fn, void *ctx)
{
	struct work w = {.fn = fn, .ctx = ctx, .n = n};
	size_t more = jobs > n ? n : jobs, made = 0;
	pthread_t *thread = calloc(more + 1, sizeof(*thread));

	while (thread && made + 1 < more &&
	       pthread_create(&thread[made], NULL, do_work, &w) == 0)
		made++;
	do_work(&w);
	for (size_t i = 0; i < made; i++)
		pthread_join(thread[i], NULL);
	free(thread);
	return !atomic_load(&w.failed);
}

long parallel_jobs(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return cpus < 1 ? 1 : cpus > MAX_JOBS ? MAX_JOBS : cpus;
}
