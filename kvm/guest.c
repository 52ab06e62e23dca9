/* SPDX-License-Identifier: GPL-2.0-only */
/* From what the vCPUs of a VM report to the metrics of a sample. */
#include <stdlib.h>

#include "bench/stats/stats.h"
#include "kvm/cell.h"
#include "kvm/check.h"
#include "kvm/mailbox.h"
#include "kvm/uapi_tdx.h"

/** All vCPUs together. */
struct sums {
	struct agent_report one; /* of the last vCPU */
	struct hist hist[NR_AGENT_LATENCIES];
	uint64_t begin_ns, end_ns; /* first begin, last end */
	struct agent_check check;
	char why[256];
};

static const struct {
	const char *latency, *count, *rate;
} metrics[NR_AGENT_LATENCIES] = {
	[AGENT_LAT_TOUCH] = {"fault.latency", "fault.count", "fault.rate"},
	[AGENT_LAT_ACCEPT] = {"accept.latency", "accept.count", "accept.rate"},
	[AGENT_LAT_CONVERT] = {"convert.latency", "convert.count",
			       "convert.rate"},
};

/* Clocks of guest and host may differ in their rate, but not by half. */
static uint64_t most_ns(const struct kvm_cell *cell)
{
	return 2 * cell->ran_ns + 1000000;
}

static void add(struct sums *sums, const struct agent_report *r)
{
	bool any = false;
	uint32_t i;

	for (i = 0; i < NR_AGENT_LATENCIES; i++) {
		hist_merge(&sums->hist[i], &r->hist[i]);
		any = any || r->hist[i].count;
	}
	sums->check.touches += r->check.touches;
	sums->check.fresh += r->check.fresh;
	sums->check.pages += r->check.pages;
	sums->check.zero += r->check.zero;
	if (!any || !r->measured)
		return;
	if (r->begin_ns < sums->begin_ns)
		sums->begin_ns = r->begin_ns;
	if (r->end_ns > sums->end_ns)
		sums->end_ns = r->end_ns;
}

/* NULL, or what is wrong with what vCPU *i, or all of them, measured. */
static const char *read_all(const struct kvm_cell *cell,
			    const struct page_rules *rules, struct sums *sums,
			    uint32_t *i)
{
	uint64_t most = most_ns(cell);
	const char *why;

	for (*i = 0; *i < cell->scenario->vcpus; (*i)++) {
		why = mailbox_read(&sums->one, vmm_box(&cell->vm, *i), most);
		if (why)
			return why;
		if (!page_rules_hold(rules, *i, &sums->one.check, sums->why,
				     sizeof(sums->why)))
			return sums->why;
		add(sums, &sums->one);
	}
	*i = 0;
	if (sums->end_ns > sums->begin_ns &&
	    sums->end_ns - sums->begin_ns > most)
		return "its clock is not that of the others";
	return NULL;
}

static bool set(struct sample *sample, const struct sums *sums, uint32_t what)
{
	const struct hist *from = &sums->hist[what];
	struct hist *h;

	if (!from->count)
		return true;
	h = sample_hist(sample, metrics[what].latency);
	if (!h)
		return false;
	hist_merge(h, from);
	if (sums->end_ns <= sums->begin_ns)
		return true;
	sample_set(sample, metrics[what].count, (double)from->count);
	sample_set(sample, metrics[what].rate,
		   (double)from->count * 1e9 /
			   (double)(sums->end_ns - sums->begin_ns));
	return true;
}

static void set_check(struct sample *sample, const struct agent_check *check)
{
	if (!check->touches)
		return;
	sample_set(sample, "check.touches", (double)check->touches);
	sample_set(sample, "check.fresh", (double)check->fresh);
	sample_set(sample, "check.pages", (double)check->pages);
	sample_set(sample, "check.zero", (double)check->zero);
}

int kvm_cell_guest_metrics(struct kvm_cell *cell, struct err *err)
{
	struct sums *sums = calloc(1, sizeof(*sums));
	bool td = cell->memory->vm_type == KVM_X86_TDX_VM;
	struct page_rules *rules = page_rules_new(cell->scenario, td);
	bool room = sums && rules;
	const char *why;
	uint32_t i;

	if (!room)
		goto out;
	sums->begin_ns = UINT64_MAX;
	why = read_all(cell, rules, sums, &i);
	if (why)
		kvm_cell_end(cell, CELL_FAILED, "vCPU %u: %s", i, why);
	for (i = 0; !why && room && i < NR_AGENT_LATENCIES; i++)
		room = set(cell->sample, sums, i);
	if (!why)
		set_check(cell->sample, &sums->check);
out:
	page_rules_free(rules);
	free(sums);
	return room ? 0 : err_set(err, EXIT_FAILED, "kvm: out of memory");
}
