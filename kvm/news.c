/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads of a cell sleep until something has come about.  Looking for it again
 * and again would take CPUs from vCPUs that measure.
 */
#define _GNU_SOURCE /* pthread_cond_clockwait() */
#include <time.h>

#include "kvm/cell.h"

void kvm_news_init(struct kvm_news *news)
{
	pthread_mutex_init(&news->lock, NULL);
	pthread_cond_init(&news->came, NULL);
	news->count = 0;
}

void kvm_news_destroy(struct kvm_news *news)
{
	pthread_cond_destroy(&news->came);
	pthread_mutex_destroy(&news->lock);
}

void kvm_cell_tell(struct kvm_cell *cell)
{
	struct kvm_news *news = &cell->news;

	pthread_mutex_lock(&news->lock);
	news->count++;
	pthread_cond_broadcast(&news->came);
	pthread_mutex_unlock(&news->lock);
}

void kvm_cell_await(struct kvm_cell *cell,
		    bool (*there)(const struct kvm_cell *cell))
{
	struct kvm_news *news = &cell->news;

	pthread_mutex_lock(&news->lock);
	while (!there(cell))
		pthread_cond_wait(&news->came, &news->lock);
	pthread_mutex_unlock(&news->lock);
}

uint64_t kvm_cell_await_news(struct kvm_cell *cell, uint64_t seen,
			     uint64_t until_ns)
{
	struct kvm_news *news = &cell->news;
	struct timespec until = {(time_t)(until_ns / 1000000000ull),
				 (long)(until_ns % 1000000000ull)};
	int error = 0;

	pthread_mutex_lock(&news->lock);
	while (news->count == seen && !error)
		error = pthread_cond_clockwait(&news->came, &news->lock,
					       CLOCK_MONOTONIC, &until);
	seen = news->count;
	pthread_mutex_unlock(&news->lock);
	return seen;
}
