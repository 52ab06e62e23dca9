/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls of a script on real threads: each CPU has one, and each logical
 * processor belongs to one of them.  The words that calls change are changed
 * by locked instructions of the CPU that they run on, and one call begins on
 * it after another has ended elsewhere.  What the time is, and whether an
 * interrupt is pending, is the script's to say.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "bench/plan/topology.h"
#include "bench/script/threads.h"

/* More do not tell more: the host's LP has one, and a few vCPUs. */
enum { MAX_WORKERS = 8 };

struct worker {
	struct strand *strand;
	sem_t todo;
	struct script_lp *lp; /* what it is to run; NULL: the end */
};

struct script_threads {
	struct topology topology;
	u32 *os_cpu;
	struct machine *machine;
	struct machine_ops ops; /* of the strands; halt is the machine's: */
	__attribute__((noreturn)) void (*halt)(struct strand *s,
					       const char *why);
	struct worker worker[MAX_WORKERS];
	u32 n;
	sem_t done; /* a call has ended, or all threads have */
	bool returned;
	char why[160]; /* a call did not return: the reason */
	pthread_t runner;
	bool runs;
};

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem) && errno == EINTR)
		;
}

/* ------------------------------------------------------ what threads do */

static struct script_threads *threads_of(const struct strand *s)
{
	return ((const struct world *)s->user)->threads;
}

static void work(struct strand *s, void *arg)
{
	struct worker *w = arg;
	struct script_threads *t;

	for (;;) {
		wait_for(&w->todo);
		if (!w->lp)
			return;
		t = threads_of(s);
		w->lp->fn(&w->lp->lp, w->lp->arg);
		t->returned = true;
		sem_post(&t->done);
	}
}

/* A failed check of the module ends the machine: nobody runs after it. */
static __attribute__((noreturn)) void halt(struct strand *s, const char *why)
{
	struct script_threads *t = threads_of(s);

	strncpy(t->why, why, sizeof(t->why) - 1);
	sem_post(&t->done);
	t->halt(s, why);
}

static void *run_machine(void *arg)
{
	struct script_threads *t = arg;

	machine_run(t->machine);
	sem_post(&t->done);
	return NULL;
}

/* --------------------------------------------------------- begin and end */

static bool add_worker(struct script_threads *t, struct world *world,
		       const struct machine_ops *own)
{
	struct worker *w = &t->worker[t->n];

	sem_init(&w->todo, 0, 0);
	w->strand = machine_strand(t->machine, t->n++, work, w);
	if (!w->strand)
		return false;
	if (!t->halt) {
		t->ops = *w->strand->ops;
		t->halt = t->ops.halt;
		t->ops.halt = halt;
		t->ops.interrupted = own->interrupted;
		t->ops.now = own->now;
	}
	w->strand->ops = &t->ops;
	w->strand->user = world;
	return true;
}

static bool make_machine(struct script_threads *t, struct world *world,
			 const struct machine_ops *own)
{
	const struct threads_config config = {
		.topology = &t->topology,
		.os_cpu = t->os_cpu,
		.max_strands = MAX_WORKERS,
	};
	u32 n = t->topology.ncpus < MAX_WORKERS ? t->topology.ncpus
						: MAX_WORKERS;

	t->machine = threads_create(&config);
	while (t->machine && t->n < n)
		if (!add_worker(t, world, own))
			return false;
	return t->machine;
}

struct script_threads *script_threads_create(struct world *world,
					     const struct machine_ops *own)
{
	struct script_threads *t = calloc(1, sizeof(*t));
	struct err e;

	if (!t)
		return NULL;
	sem_init(&t->done, 0, 0);
	if (topology_load_cpus(NULL, &t->topology, &t->os_cpu, &e) == 0 &&
	    make_machine(t, world, own))
		t->runs = !pthread_create(&t->runner, NULL, run_machine, t);
	if (t->runs)
		return t;
	script_threads_destroy(t);
	return NULL;
}

void script_threads_destroy(struct script_threads *t)
{
	for (u32 i = 0; i < t->n; i++) {
		t->worker[i].lp = NULL;
		sem_post(&t->worker[i].todo);
	}
	if (t->runs)
		pthread_join(t->runner, NULL);
	for (u32 i = 0; i < t->n; i++)
		sem_destroy(&t->worker[i].todo);
	sem_destroy(&t->done);
	if (t->machine)
		machine_destroy(t->machine);
	topology_free(&t->topology);
	free(t->os_cpu);
	free(t);
}

/* The first CPU is the host's; the others, if there are, are the guests'. */
static struct worker *worker_of(struct script_threads *t, u32 lp)
{
	if (lp == 0 || t->n == 1)
		return &t->worker[0];
	return &t->worker[1 + (lp - 1) % (t->n - 1)];
}

bool script_threads_run(struct script_threads *t, struct script_lp *lp)
{
	struct worker *w = worker_of(t, lp->lp.id);

	lp->lp.strand = w->strand;
	w->lp = lp;
	t->returned = false;
	sem_post(&w->todo);
	wait_for(&t->done);
	if (!t->returned && !t->why[0])
		strncpy(t->why, machine_reason(t->machine), sizeof(t->why) - 1);
	return t->returned;
}

const char *script_threads_why(const struct script_threads *t)
{
	return t->why;
}
