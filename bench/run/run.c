/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench/base/interrupt.h"
#include "bench/base/progress.h"
#include "bench/run/cell.h"
#include "bench/run/run.h"

/* What the workers share; `lock` guards all but what never changes. */
struct run {
	const struct run_setup *setup;
	struct schedule schedule;
	pthread_mutex_t lock;
	pthread_cond_t came_in; /* a repeat, or the end of a worker */
	unsigned working;
	atomic_int stop; /* read without the lock, only ever set */
	int wake;	 /* eventfd: the last worker is done */
	struct progress progress;
	struct err err;
	bool failed;
};

static const struct repeat_rule *rule_of(const struct run *run)
{
	return &sides_main(run->setup->sides)->config.repeat;
}

/* ---------------------------------------------------------------- workers */

static void fail_run(struct run *run, const struct err *e)
{
	if (!run->failed)
		run->err = *e;
	run->failed = true;
	run->stop = 1;
}

/* The next repeat to do; waits for one that it depends on. */
static bool next(struct run *run, struct run_item *item)
{
	double limit = rule_of(run)->time_s;

	while (!run->stop) {
		if (limit > 0 && progress_seconds(&run->progress) >= limit)
			schedule_time_over(&run->schedule);
		switch (schedule_next(&run->schedule, item)) {
		case SCHEDULE_ITEM:
			return true;
		case SCHEDULE_WAIT:
			pthread_cond_wait(&run->came_in, &run->lock);
			break;
		case SCHEDULE_END:
			return false;
		}
	}
	return false;
}

static double weight_of(const struct run *run, size_t index)
{
	struct cell cell;

	sides_cell(run->setup->sides, index, &cell);
	return cell.vcpus;
}

/* So many repeats of a cell will not be run, or need not be any more. */
static void drop(struct run *run, size_t cell, uint32_t n)
{
	run->progress.all -= n;
	run->progress.all_weight -= n * weight_of(run, cell);
}

static int take_repeat(struct run *run, const struct run_item *item,
		       struct repeat *repeat, struct err *e)
{
	const struct repeat_value value = {repeat->status == CELL_OK,
					   repeat->rate};
	int status;

	if (!repeat->text) /* stopped in the middle */
		return 0;
	status = journal_add(run->setup->journal, item, repeat, e);
	free(repeat->text);
	if (status)
		return -1;
	run->progress.done++;
	run->progress.weight += weight_of(run, item->cell);
	drop(run, item->cell, schedule_take(&run->schedule, item, &value));
	return 0;
}

static void *worker(void *arg)
{
	struct run *run = arg;
	struct run_item item;

	pthread_mutex_lock(&run->lock);
	while (next(run, &item)) {
		struct repeat repeat;
		struct err e;
		int status;

		pthread_mutex_unlock(&run->lock);
		status = cell_repeat(run->setup->sides, &item, &run->stop,
				     &repeat, &e);
		pthread_mutex_lock(&run->lock);
		if (status == 0)
			status = take_repeat(run, &item, &repeat, &e);
		if (status)
			fail_run(run, &e);
		pthread_cond_broadcast(&run->came_in);
	}
	if (--run->working == 0)
		eventfd_write(run->wake, 1);
	pthread_mutex_unlock(&run->lock);
	return NULL;
}

/* ------------------------------------------------------------- main thread */

/* Wait for the workers; meanwhile progress. */
static void watch(struct run *run)
{
	struct pollfd fd = {.fd = run->wake, .events = POLLIN};

	for (;;) {
		int n = poll(&fd, 1, run->progress.shown ? 250 : -1);

		if (n > 0 || (n < 0 && errno != EINTR))
			break;
		pthread_mutex_lock(&run->lock);
		progress_show(&run->progress);
		pthread_mutex_unlock(&run->lock);
	}
	progress_end(&run->progress);
}

/* Start as many workers as can be; those that run do the work of all. */
static unsigned start(struct run *run, pthread_t *threads)
{
	unsigned n = 0;

	run->working = run->setup->jobs;
	while (n < run->setup->jobs &&
	       pthread_create(&threads[n], NULL, worker, run) == 0)
		n++;
	pthread_mutex_lock(&run->lock);
	run->working -= run->setup->jobs - n;
	if (n == 0)
		err_set(&run->err, EXIT_FAILED, "no thread can be started");
	run->failed = run->failed || n == 0;
	if (run->working == 0)
		eventfd_write(run->wake, 1);
	pthread_mutex_unlock(&run->lock);
	return n;
}

static void work(struct run *run, pthread_t *threads)
{
	unsigned n = start(run, threads);

	watch(run);
	while (n-- > 0)
		pthread_join(threads[n], NULL);
}

/* What the journal holds is done. */
static int restore(struct run *run, struct err *e)
{
	const struct journal *j = run->setup->journal;

	for (size_t i = 0; i < j->n; i++) {
		const struct journal_entry *entry = &j->entry[i];
		const struct repeat_value value = {entry->status == CELL_OK,
						   entry->rate};
		uint32_t dropped;

		if (schedule_restore(&run->schedule, &entry->item, &value,
				     &dropped))
			return err_set(e, EXIT_USAGE,
				       "%s: cell %zu, repeat %u: there is no "
				       "such repeat, or it is there twice",
				       j->path, entry->item.cell,
				       entry->item.repeat);
		drop(run, entry->item.cell, dropped + 1);
	}
	return 0;
}

static int prepare(struct run *run, struct err *e)
{
	const struct sides *sides = run->setup->sides;
	uint32_t most = schedule_most(rule_of(run));

	if (schedule_init(&run->schedule, rule_of(run), sides_cells(sides),
			  sides_main(sides)->config.seed))
		return err_set(e, EXIT_FAILED, "out of memory");
	progress_begin(&run->progress, run->setup->progress);
	for (size_t i = 0; i < sides_cells(sides); i++) {
		run->progress.all += most;
		run->progress.all_weight += most * weight_of(run, i);
	}
	return restore(run, e);
}

static void run_threads(struct run *run)
{
	pthread_t *threads = calloc(run->setup->jobs, sizeof(*threads));

	run->wake = eventfd(0, EFD_CLOEXEC);
	if (threads && run->wake >= 0) {
		work(run, threads);
	} else {
		err_set(&run->err, EXIT_FAILED, "a run cannot be started: %s",
			strerror(errno));
		run->failed = true;
	}
	if (run->wake >= 0)
		close(run->wake);
	free(threads);
}

/* A signal ends it early: what is done is in the journal. */
static void run_until_signal(struct run *run)
{
	struct interrupt interrupt;

	if (interrupt_begin(&interrupt, &run->stop, &run->err)) {
		run->failed = true;
		return;
	}
	run_threads(run);
	interrupt_end(&interrupt);
}

int run_cells(const struct run_setup *setup, struct run_outcome *outcome,
	      struct err *e)
{
	struct run run = {.setup = setup,
			  .lock = PTHREAD_MUTEX_INITIALIZER,
			  .came_in = PTHREAD_COND_INITIALIZER};

	outcome->bad_journal = false;
	if (prepare(&run, &run.err)) {
		run.failed = outcome->bad_journal = true;
	} else {
		run_until_signal(&run);
	}
	outcome->whole = !run.failed && schedule_finished(&run.schedule);
	schedule_free(&run.schedule);
	pthread_cond_destroy(&run.came_in);
	pthread_mutex_destroy(&run.lock);
	if (run.failed)
		*e = run.err;
	return run.failed ? -1 : 0;
}
