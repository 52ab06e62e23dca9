/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bench/cell.h"
#include "bench/json.h"
#include "bench/progress.h"
#include "bench/run.h"

/* A cell while its repeats are under way. */
struct slot {
	struct repeat_result *repeat;
	uint32_t done;
};

/* What the workers share; `lock` guards all but what never changes. */
struct run {
	const struct run_setup *setup;
	struct run_outcome *outcome;
	struct slot *slot; /* outcome->ncells */
	pthread_mutex_t lock;
	size_t next_cell;
	uint32_t next_repeat;
	unsigned working;
	atomic_int stop; /* read without the lock, only ever set */
	int wake;	 /* eventfd: the last worker is done */
	struct progress progress;
	struct err err;
	bool failed;
};

/* ---------------------------------------------------------------- workers */

static void fail_run(struct run *run, const struct err *e)
{
	if (!run->failed)
		run->err = *e;
	run->failed = true;
	run->stop = 1;
}

/* The next repeat to do, in the order of the plan. */
static bool next(struct run *run, size_t *cell, uint32_t *repeat)
{
	const struct run_outcome *o = run->outcome;

	while (run->next_cell < o->ncells && o->cells[run->next_cell])
		run->next_cell++;
	if (run->stop || run->next_cell == o->ncells)
		return false;
	*cell = run->next_cell;
	*repeat = run->next_repeat++;
	if (run->next_repeat == run->setup->config->repeats) {
		run->next_repeat = 0;
		run->next_cell++;
	}
	return true;
}

static int make_slot(struct slot *slot, uint32_t repeats, struct err *e)
{
	if (!slot->repeat)
		slot->repeat = calloc(repeats, sizeof(*slot->repeat));
	return slot->repeat ? 0 : err_set(e, EXIT_FAILED, "out of memory");
}

static void free_slot(struct slot *slot, uint32_t repeats)
{
	for (uint32_t i = 0; slot->repeat && i < repeats; i++)
		free(slot->repeat[i].text);
	free(slot->repeat);
	slot->repeat = NULL;
}

/* All repeats of a cell are there: make its text, keep it in the journal. */
static int finish_cell(struct run *run, size_t index, struct err *e)
{
	const struct config *config = run->setup->config;
	struct slot *slot = &run->slot[index];
	struct run_outcome *o = run->outcome;

	o->cells[index] =
		cell_text(config, index, slot->repeat, config->repeats);
	if (!o->cells[index])
		return err_set(e, EXIT_FAILED, "out of memory");
	for (uint32_t i = 0; i < config->repeats; i++)
		if (slot->repeat[i].status == CELL_FAILED) {
			o->broken++;
			break;
		}
	free_slot(slot, config->repeats);
	o->done++;
	return journal_add(run->setup->journal, index, o->cells[index], e);
}

static double weight_of(const struct run *run, size_t index)
{
	struct cell cell;

	plan_cell(run->setup->config, index, &cell);
	return cell.vcpus;
}

static int take_repeat(struct run *run, size_t index, uint32_t repeat,
		       struct repeat_result *result, struct err *e)
{
	struct slot *slot = &run->slot[index];

	if (!result->text) /* stopped in the middle */
		return 0;
	if (make_slot(slot, run->setup->config->repeats, e)) {
		free(result->text);
		return -1;
	}
	slot->repeat[repeat] = *result;
	run->progress.done++;
	run->progress.weight += weight_of(run, index);
	if (++slot->done < run->setup->config->repeats)
		return 0;
	return finish_cell(run, index, e);
}

static void *worker(void *arg)
{
	struct run *run = arg;
	uint32_t repeat;
	size_t cell;

	pthread_mutex_lock(&run->lock);
	while (next(run, &cell, &repeat)) {
		struct repeat_result result;
		struct err e;
		int status;

		pthread_mutex_unlock(&run->lock);
		status = cell_repeat(run->setup, cell, repeat, &run->stop,
				     &result, &e);
		pthread_mutex_lock(&run->lock);
		if (status == 0)
			status = take_repeat(run, cell, repeat, &result, &e);
		if (status)
			fail_run(run, &e);
	}
	if (--run->working == 0)
		eventfd_write(run->wake, 1);
	pthread_mutex_unlock(&run->lock);
	return NULL;
}

/* ------------------------------------------------------------- main thread */

static void stop_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

/* The second signal: at once, as if there were no handling of it. */
static void die_of(int signal_number)
{
	sigset_t set;

	stop_signals(&set);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void take_signal(struct run *run, int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (run->outcome->interrupted)
		die_of((int)info.ssi_signo);
	run->outcome->interrupted = true;
	run->stop = 1;
}

/* Wait for the workers; meanwhile signals and progress. */
static void watch(struct run *run, int signals)
{
	struct pollfd fds[] = {{.fd = run->wake, .events = POLLIN},
			       {.fd = signals, .events = POLLIN}};

	for (;;) {
		int n = poll(fds, 2, run->progress.shown ? 250 : -1);

		if (n < 0 && errno != EINTR)
			break;
		if (n > 0 && fds[0].revents)
			break;
		if (n > 0 && fds[1].revents)
			take_signal(run, signals);
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

static void work(struct run *run, pthread_t *threads, int signals)
{
	unsigned n = start(run, threads);

	watch(run, signals);
	while (n-- > 0)
		pthread_join(threads[n], NULL);
}

static void count_runs(struct run *run)
{
	uint32_t repeats = run->setup->config->repeats;

	for (size_t i = 0; i < run->outcome->ncells; i++) {
		if (run->outcome->cells[i])
			continue;
		run->progress.all += repeats;
		run->progress.all_weight += repeats * weight_of(run, i);
	}
}

int run_cells(const struct run_setup *setup, struct run_outcome *outcome,
	      struct err *e)
{
	struct run run = {.setup = setup, .outcome = outcome};
	pthread_t *threads = calloc(setup->jobs, sizeof(*threads));
	sigset_t set, before;
	int signals;

	stop_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	run.wake = eventfd(0, EFD_CLOEXEC);
	run.slot = calloc(outcome->ncells, sizeof(*run.slot));
	pthread_mutex_init(&run.lock, NULL);
	progress_begin(&run.progress, setup->progress);
	count_runs(&run);
	if (threads && run.slot && signals >= 0 && run.wake >= 0) {
		work(&run, threads, signals);
	} else {
		err_set(&run.err, EXIT_FAILED, "a run cannot be started: %s",
			strerror(errno));
		run.failed = true;
	}
	for (size_t i = 0; run.slot && i < outcome->ncells; i++)
		free_slot(&run.slot[i], setup->config->repeats);
	pthread_mutex_destroy(&run.lock);
	if (run.wake >= 0)
		close(run.wake);
	if (signals >= 0)
		close(signals);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	free(run.slot);
	free(threads);
	if (run.failed)
		*e = run.err;
	return run.failed ? -1 : 0;
}

int check_scenarios(const struct config *config, struct err *e)
{
	struct at root = at_root(config->file, e);
	struct at all = at_key(&root, "workloads");

	for (size_t i = 0; i < config_cells(config); i++) {
		struct scenario scenario;
		struct cell cell;
		struct err why;
		bool first = true;

		plan_cell(config, i, &cell);
		/* Only knobs matter: one policy and vCPU count is enough. */
		for (size_t a = 0; a < config->naxes; a++)
			first = first && (config->axes[a].kind == AXIS_KNOB ||
					  cell.place[a] == 0);
		if (!first)
			continue;
		if (cell_scenario(config, &cell, &scenario, &why)) {
			struct at here =
				at_key(&all, cell.workload->workload->name);

			return at_bad(&here, "%s", why.text);
		}
		scenario_free(&scenario);
	}
	return 0;
}

int make_cells(struct run_outcome *outcome, size_t ncells)
{
	*outcome = (struct run_outcome){
		.cells = calloc(ncells, sizeof(*outcome->cells)),
		.ncells = ncells,
	};
	return outcome->cells ? 0 : -1;
}

void free_cells(struct run_outcome *outcome)
{
	for (size_t i = 0; outcome->cells && i < outcome->ncells; i++)
		free(outcome->cells[i]);
	free(outcome->cells);
	*outcome = (struct run_outcome){0};
}
