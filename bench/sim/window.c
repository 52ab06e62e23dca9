/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The window of a run: from before the first strand measures until after the
 * last one has.  It is opened by the strand that comes last to barrier 0,
 * while all others wait there, so that nobody who measures waits for perf.
 */
#include "bench/observe/perf.h"
#include "bench/sim/sim.h"

/* How often a strand that waits says that the run is alive. */
enum { ALIVE_MS = 5 };

/* `t` NULL: no strand, the run is over. */
static void tell(struct sim *sim, struct sim_thread *t, bool open)
{
	struct perf *perf = sim->setup->perf;

	sim->window.open = open;
	perf_tell(perf, open);
	while (!perf_obeyed(perf, ALIVE_MS))
		if (t)
			progress(t->kvm.strand);
}

static u32 count_begins(const struct scenario *s)
{
	u32 n = 0, i, k;

	for (i = 0; i < s->tds * s->vcpus; i++)
		for (k = 0; k < s->vcpu[i].n; k++)
			n += s->vcpu[i].op[k].opcode == AGENT_MEASURE &&
			     s->vcpu[i].op[k].arg;
	for (i = 0; i < s->hosts; i++)
		for (k = 0; k < s->host[i].n; k++)
			n += s->host[i].op[k].opcode == HOST_MEASURE &&
			     s->host[i].op[k].arg;
	return n;
}

void sim_window_init(struct sim *sim)
{
	sim->window.ends_left = count_begins(sim->scenario);
}

void sim_window_open(struct sim_thread *t)
{
	if (t->sim->setup->perf)
		tell(t->sim, t, true);
}

void sim_window_leave(struct sim_thread *t)
{
	struct sim_window *w = &t->sim->window;

	if (t->sim->setup->perf &&
	    __atomic_sub_fetch(&w->ends_left, 1, __ATOMIC_ACQ_REL) == 0)
		tell(t->sim, t, false);
}

void sim_window_close(struct sim *sim)
{
	if (sim->window.open)
		tell(sim, NULL, false);
}
