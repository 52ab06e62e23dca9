/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From what the threads recorded to the sample.  What a run did not produce
 * is left out: it is not 0.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bench/result/metrics.h"
#include "bench/sim/sim.h"

/* In the order of operand_index(). */
static const char *const operand_names[SIM_OPERAND_OTHER] = {
	"rcx",	    "rdx", "r8",      "tdr",	  "sept_tree",
	"td_epoch", "kot", "wbcache", "op_state",
};

__attribute__((format(printf, 3, 4))) static void
set(struct sample *sample, double value, const char *format, ...)
{
	char name[64];
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	sample_set(sample, name, value);
}

/** Sum over threads that were measured. */
#define SUM(sim, member)                                                       \
	({                                                                     \
		u64 sum_ = 0;                                                  \
                                                                               \
		for (u32 i_ = 0; i_ < (sim)->nthreads; i_++)                   \
			sum_ += (sim)->thread[i_].rec.member;                  \
		sum_;                                                          \
	})

/* How many operations, or calls, were recorded. */
static u64 count_of(const struct hist *h)
{
	return h ? h->count : 0;
}

static u64 calls_of(const struct sim *sim, u32 call)
{
	return count_of(sim->hists.slot.call[call]);
}

static u64 busy_of(const struct sim *sim, u32 call)
{
	u64 busy = 0;
	u32 i;

	for (i = 0; i < NR_SIM_OPERANDS; i++)
		busy += SUM(sim, operand[call][i]);
	return busy;
}

/* From the first begin to the last end of those that did `op`, in s. */
static double window_of(const struct sim *sim, enum sim_op op)
{
	u64 begin = UINT64_MAX, end = 0;
	u32 i;

	for (i = 0; i < sim->nthreads; i++) {
		const struct sim_recorder *rec = &sim->thread[i].rec;

		if (!rec->measured || (op != SIM_NONE && !(rec->did >> op & 1)))
			continue;
		if (begin > rec->begin_ps)
			begin = rec->begin_ps;
		if (end < rec->end_ps)
			end = rec->end_ps;
	}
	return end > begin ? (double)(end - begin) / (double)PS_PER_S : 0;
}

/* An operation that nobody did is 0 only where it is what is measured. */
static void fill_ops(const struct sim *sim, struct sample *sample)
{
	enum sim_op op;

	for (op = 0; op < NR_SIM_OPS; op++) {
		u64 count = count_of(sim->hists.slot.op[op]);
		double window = window_of(sim, count ? op : SIM_NONE);

		if (!count &&
		    strcmp(sim_op_names[op], sim->scenario->operation))
			continue;
		if (window <= 0)
			continue;
		set(sample, (double)count, "%s.count", sim_op_names[op]);
		set(sample, (double)count / window, "%s.rate",
		    sim_op_names[op]);
	}
}

/* BUSY of a call on the operand of this name; 0 for one that is not split. */
static u64 busy_on(const struct sim *sim, enum tdx_call call, const char *name)
{
	u32 i;

	for (i = 0; i < SIM_OPERAND_OTHER; i++) {
		if (!strcmp(name, operand_names[i]))
			return SUM(sim, operand[call][i]);
	}
	return 0;
}

/*
 * The metrics of a call follow each other in the table, first what it has in
 * common with others, then the operands that it can name, then the rest.
 */
static void fill_call(const struct sim *sim, enum tdx_call call,
		      struct sample *sample)
{
	const char *prefix = metric_call_prefix(call);
	u64 busy = busy_of(sim, call), unnamed = busy;
	size_t length = strlen(prefix), i;
	char name[64];

	snprintf(name, sizeof(name), "%s.calls", prefix);
	for (i = (size_t)metric_find(name); i < metric_count(); i++) {
		const struct metric *metric = metric_at(i);
		const char *what = metric->name + length + 1;
		u64 value = 0;

		if (strncmp(metric->name, prefix, length) ||
		    metric->name[length] != '.')
			break;
		if (metric->histogram)
			continue;
		if (!strcmp(what, "calls"))
			value = calls_of(sim, call);
		else if (!strcmp(what, "busy"))
			value = busy;
		else if (!strcmp(what, "previous_epoch_busy"))
			value = SUM(sim, previous_epoch_busy);
		else if (!strcmp(what, "busy.other"))
			value = unnamed;
		else
			unnamed -= value = busy_on(sim, call, what + 5);
		sample->value[i] = (double)value;
	}
}

static void fill_calls(const struct sim *sim, struct sample *sample)
{
	u64 total = 0, busy = 0;
	u32 c;

	for (c = 0; c < NR_TDX_CALLS; c++) {
		u64 calls = calls_of(sim, c);

		if (!calls)
			continue;
		total += calls;
		busy += busy_of(sim, c);
		fill_call(sim, (enum tdx_call)c, sample);
	}
	if (!total)
		return;
	set(sample, (double)total, "calls.total");
	set(sample, (double)busy, "calls.busy");
	set(sample, (double)busy / (double)total * 1000, "calls.busy_per_1000");
}

/* Where the measured time of vCPU threads, or of workers, went. */
static void fill_time(const struct sim *sim, bool workers,
		      struct sample *sample)
{
	u64 spent[NR_WHERES] = {0}, all = 0;
	u32 i, w;

	for (i = 0; i < sim->nthreads; i++) {
		const struct sim_thread *t = &sim->thread[i];

		if (t->worker != workers)
			continue;
		all += t->rec.on_ps;
		for (w = 0; w < NR_WHERES; w++)
			spent[w] += t->rec.total.spent_ps[w];
	}
	for (w = 0; all && w < NR_WHERES; w++)
		set(sample, (double)spent[w] / (double)all * 100, "%s.%s",
		    workers ? "host_time" : "time", where_name((enum where)w));
}

/* Does a script have anything that the agent records? */
static bool records(const struct agent_script *script)
{
	u32 i;

	for (i = 0; i < script->n; i++) {
		if (script->op[i].flags & AGENT_RECORD)
			return true;
	}
	return false;
}

/* Time in operations; one that had not ended when the run did is counted. */
static u64 time_in_ops(const struct sim_recorder *rec)
{
	u64 ps = rec->op_ps;

	if (rec->unfinished && rec->op_since_ps)
		ps += rec->end_ps - (rec->op_since_ps - 1);
	return ps;
}

/*
 * Jain's index of the vCPUs' operations per time in operations.  Waiting for
 * the next one to be due or for a barrier is not counted, nor are vCPUs that
 * were told to stop before their first.
 */
static void fill_fairness(const struct sim *sim, struct sample *sample)
{
	double sum = 0, squares = 0, n = 0;
	u32 i;

	for (i = 0; i < sim->nthreads; i++) {
		const struct sim_thread *t = &sim->thread[i];
		const struct sim_recorder *rec = &t->rec;
		u64 ps = time_in_ops(rec);
		double x;

		if (t->worker || !rec->measured || !ps ||
		    !records(&sim->scenario->vcpu[i]))
			continue;
		x = (double)rec->op_count / (double)ps;
		n++;
		sum += x;
		squares += x * x;
	}
	if (squares > 0)
		set(sample, sum * sum / (n * squares), "fairness.jain");
}

static void fill_zero_step(const struct sim *sim, struct sample *sample)
{
	if (!calls_of(sim, TDH_VP_ENTER))
		return;
	set(sample, (double)SUM(sim, zero_step), "zero_step.vcpus");
	set(sample, (double)SUM(sim, refused), "zero_step.refused");
}

static void fill_kicks(const struct sim *sim, struct sample *sample)
{
	set(sample, (double)SUM(sim, total.kicks_sent), "kicks.rounds");
	set(sample, (double)SUM(sim, total.flushes_sent), "kicks.flushes");
	set(sample, (double)SUM(sim, total.ipis_sent), "kicks.ipis");
	set(sample, (double)SUM(sim, total.kicked), "kicks.taken");
}

/* A strand that was never measured has counted nothing, and may not have. */
static void fill_counters(struct sim *sim, struct sample *sample)
{
	struct counted sum = {.value = {0}};
	u32 i;

	for (i = 0; i < sim->nthreads; i++) {
		if (sim->thread[i].rec.measured)
			counting_add(&sim->thread[i].counting, &sum);
	}
	if (!counted_fill(sim->setup->counters, &sum, sample))
		sim->hists.failed = true;
}

void sim_fill_sample(struct sim *sim, struct sample *sample)
{
	u64 end = machine_time(sim->machine);
	u32 i;

	for (i = 0; i < sim->nthreads; i++) {
		sim_cut_measure(&sim->thread[i], end);
		if (sim->world->concurrent)
			sim_hists_merge(&sim->hists, &sim->thread[i].hists);
	}
	sim->world->fill(sim, sample);
	if (!SUM(sim, measured))
		return;
	if (sim->world->concurrent) {
		set(sample, (double)SUM(sim, preempted), "run.preempted");
		if (!SUM(sim, delay_unknown))
			set(sample, (double)SUM(sim, delayed_ns),
			    "run.delayed");
		set(sample, (double)SUM(sim, watched_ps) / (double)PS_PER_NS,
		    "run.measured");
	}
	if (sim->world->concurrent && sim->setup->counters)
		fill_counters(sim, sample);
	fill_ops(sim, sample);
	fill_calls(sim, sample);
	fill_kicks(sim, sample);
	fill_time(sim, false, sample);
	fill_time(sim, true, sample);
	fill_fairness(sim, sample);
	fill_zero_step(sim, sample);
	if (sim->hists.slot.op[SIM_IOCTL])
		set(sample, (double)SUM(sim, ioctl_busy), "ioctl.busy");
}
