/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An open queue: the times of arrival are drawn beforehand, and the strands
 * are the customers in turn, so many that each is back in time.
 */
#include <math.h>
#include <stdlib.h>

#include "bench/validate/queue.h"
#include "model/host/lock.h"

/*
 * With a load of 0.8 the chance that more than so many are in an M/M/1 queue
 * is 0.8^160, below 10^-15; `late` counts whoever was not back.
 */
enum { STRANDS = 160 };

/* A number that is integrated over time, in the order of the machine. */
struct level {
	struct line line;
	u32 value;
	u64 since_ps;
	double area;
} __attribute__((aligned(64)));

struct customer {
	struct queue_world *world;
	struct kvm_thread thread;
	u32 first;
};

struct queue_world {
	const struct queue_rig *rig;
	struct queue_figures figures;
	struct qrwlock rw;
	struct qspinlock spin;
	struct level word, in_system, in_service;
	double wait_ps, sojourn_ps;
	u64 end_ps;
	u64 *arrival, *service;
	struct qnode *nodes;
	struct cpu_place place[STRANDS];
	struct topology topology;
	struct customer customer[STRANDS];
};

/* Between 0 and 1, neither of them. */
static double uniform(struct strand *s)
{
	return ((double)(strand_random(s) >> 11) + 0.5) * 0x1p-53;
}

static void draw(struct queue_world *w)
{
	const struct queue_rig *rig = w->rig;
	struct strand source = {.random = rig->seed};
	double mean = (double)rig->service_ps, at = 0, sum = 0;

	for (u32 i = 0; i < rig->customers; i++) {
		at -= log(uniform(&source)) * mean / rig->load;
		w->arrival[i] = (u64)llround(at);
		w->service[i] = rig->service_ps;
		if (rig->exponential)
			w->service[i] =
				(u64)llround(-log(uniform(&source)) * mean);
		sum += (double)w->service[i];
	}
	w->figures.service = sum / rig->customers;
}

/*
 * The counter's line costs nothing: an operation on it only has the machine
 * do everything that comes before it first.
 */
static void step(struct queue_world *w, struct strand *s, struct level *level,
		 u32 by)
{
	u32 before = line_xadd32(s, &level->line, &level->value, by);
	u64 at = now(s);

	if (at < level->since_ps)
		w->figures.out_of_order++;
	level->area += before * ((double)at - (double)level->since_ps);
	level->since_ps = at;
}

static void lock(struct queue_world *w, struct kvm_thread *t)
{
	if (w->rig->server == QUEUE_MMU_LOCK)
		qrw_write_lock(t, &w->rw);
	else
		qspin_lock(t, &w->spin);
}

static void unlock(struct queue_world *w, struct kvm_thread *t)
{
	if (w->rig->server == QUEUE_MMU_LOCK)
		qrw_write_unlock(t, &w->rw);
	else
		qspin_unlock(t, &w->spin);
}

static u64 be_served(struct queue_world *w, struct kvm_thread *t, u64 service)
{
	struct strand *s = t->strand;
	u64 begin;

	if (w->rig->server == QUEUE_LINE) {
		line_xadd32(s, &w->word.line, &w->word.value, 1);
		return now(s) - service;
	}
	step(w, s, &w->in_system, 1);
	lock(w, t);
	begin = now(s);
	step(w, s, &w->in_service, 1);
	spend(s, service);
	step(w, s, &w->in_service, (u32)-1);
	unlock(w, t);
	step(w, s, &w->in_system, (u32)-1);
	return begin;
}

static void run_customer(struct strand *s, void *arg)
{
	struct customer *c = arg;
	struct queue_world *w = c->world;

	for (u32 i = c->first; i < w->rig->customers; i += STRANDS) {
		u64 at = w->arrival[i], begin;

		if (now(s) > at)
			w->figures.late++;
		else
			spend(s, at - now(s));
		begin = be_served(w, &c->thread, w->service[i]);
		w->sojourn_ps += (double)(now(s) - at);
		if (i >= w->rig->warmup)
			w->wait_ps += (double)begin - (double)at;
		if (w->end_ps < now(s))
			w->end_ps = now(s);
	}
}

static void fill(struct queue_world *w)
{
	struct queue_figures *f = &w->figures;
	u32 n = w->rig->customers;

	f->span = (double)w->end_ps;
	f->wait =
		w->wait_ps / (n - w->rig->warmup) / (double)w->rig->service_ps;
	f->sojourn = w->sojourn_ps / n;
	f->in_system = w->in_system.area / f->span;
	f->in_service = w->in_service.area / f->span;
}

static int run_machine(struct queue_world *w)
{
	u64 transfer = w->rig->server == QUEUE_LINE ? w->rig->service_ps : 0;
	const struct virtual_config config = {
		.topology = &w->topology,
		.line = {0, transfer, transfer, transfer},
		.seed = w->rig->seed,
		.max_strands = STRANDS,
	};
	struct machine *m = virtual_create(&config);
	int status = m ? 0 : -1;

	for (u32 i = 0; m && i < STRANDS; i++) {
		struct customer *c = &w->customer[i];

		c->world = w;
		c->first = i;
		c->thread.where = WHERE_KVM;
		c->thread.strand = machine_strand(m, i, run_customer, c);
		if (!c->thread.strand)
			status = -1;
	}
	if (status == 0 && machine_run(m) != MACHINE_DONE)
		status = -1;
	if (m)
		machine_destroy(m);
	return status;
}

int queue_run(const struct queue_rig *rig, struct queue_figures *figures)
{
	struct queue_world *w = aligned_alloc(64, sizeof(*w));
	int status = -1;

	if (!w)
		return -1;
	*w = (struct queue_world){.rig = rig};
	w->arrival = calloc(rig->customers, sizeof(*w->arrival));
	w->service = calloc(rig->customers, sizeof(*w->service));
	w->nodes = aligned_alloc(64, MACHINE_MAX_STRANDS * sizeof(*w->nodes));
	for (u16 i = 0; i < STRANDS; i++)
		w->place[i] = (struct cpu_place){i, 0, 0};
	w->topology = (struct topology){STRANDS, 1, w->place};
	if (w->arrival && w->service && w->nodes) {
		for (u32 i = 0; i < MACHINE_MAX_STRANDS; i++)
			w->nodes[i] = (struct qnode){0};
		qrw_init(&w->rw, w->nodes, WHERE_MMU_LOCK);
		qspin_init(&w->spin, w->nodes, WHERE_MMU_LOCK);
		draw(w);
		status = run_machine(w);
		fill(w);
		*figures = w->figures;
	}
	free(w->arrival);
	free(w->service);
	free(w->nodes);
	free(w);
	return status;
}
