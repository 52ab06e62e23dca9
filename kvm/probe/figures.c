/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From what was counted in the kernel to the metrics of a sample, which are
 * those of the model where it has them, and the list of what was returned.
 */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "bench/backend.h"
#include "bench/result/metrics.h"
#include "bench/stats/stats.h"
#include "kvm/probe/impl.h"
#include "model/module/module.h"

void probe_sum_result(struct probe_sum *sum, uint64_t value, uint64_t count)
{
	size_t i = 0;

	if (!count)
		return;
	while (i < PROBE_RESULTS && sum->result[i].count &&
	       sum->result[i].value != value)
		i++;
	if (i == PROBE_RESULTS) {
		sum->other_results += count;
		return;
	}
	sum->result[i].value = value;
	sum->result[i].count += count;
}

void probe_sum_slot(struct probe_sum *sum, const struct probe_slot *slot)
{
	sum->second_tries += slot->second_tries;
	sum->other_results += slot->other_results;
	hist_merge(sum->hist, &slot->hist);
	for (size_t i = 0; i < PROBE_RESULTS; i++)
		probe_sum_result(sum, slot->result[i].value,
				 slot->result[i].count);
}

/* Several functions can have the same metric. */
static void add(struct sample *sample, const char *name, uint64_t n)
{
	double *value = &sample->value[metric_find(name)];

	*value = (isnan(*value) ? 0 : *value) + (double)n;
}

/* ------------------------------------------------- statuses of the module */

/* "tdh_mem_page_aug.busy.sept_tree"; "...busy.other" where there is none. */
static void busy_metric(const char *call, uint32_t operand, char *buf,
			size_t size)
{
	const char *name = tdx_operand_name(operand);
	size_t n = (size_t)snprintf(buf, size, "%s.busy.", call);

	for (; name && *name && n + 1 < size; name++)
		buf[n++] = (char)tolower((unsigned char)*name);
	if (n < size)
		buf[n] = '\0';
	if (!name || metric_find(buf) < 0)
		snprintf(buf, size, "%s.busy.other", call);
}

static void take_status(const char *call, uint64_t status, uint64_t count,
			struct sample *sample)
{
	char name[64];

	if (tdx_operand_busy(status)) {
		busy_metric(call, (uint32_t)status, name, sizeof(name));
		add(sample, name, count);
		snprintf(name, sizeof(name), "%s.busy", call);
		add(sample, name, count);
		add(sample, "calls.busy", count);
	} else if ((status & TDX_STATUS_MASK) == TDX_PREVIOUS_TLB_EPOCH_BUSY) {
		snprintf(name, sizeof(name), "%s.previous_epoch_busy", call);
		if (metric_find(name) >= 0)
			add(sample, name, count);
	}
}

/* No BUSY is 0 of them, as soon as there are calls. */
static void take_call(const char *call, const struct probe_sum *sum,
		      struct sample *sample)
{
	char name[64];

	snprintf(name, sizeof(name), "%s.busy", call);
	add(sample, name, 0);
	add(sample, "calls.busy", 0);
	add(sample, "kicks.second_tries", sum->second_tries);
	for (size_t i = 0; i < PROBE_RESULTS; i++) {
		if (sum->result[i].count)
			take_status(call, sum->result[i].value,
				    sum->result[i].count, sample);
	}
}

/* ---------------------------------------------------------------- returned */

static const char *result_name(const struct probe *probe,
			       enum probe_returns returns, uint64_t value,
			       char *buf, size_t size)
{
	const size_t known = sizeof(probe->ret_pf) / sizeof(probe->ret_pf[0]);

	if (returns == RETURNS_STATUS)
		return tdx_status_print(value, buf, size);
	if (returns == RETURNS_RET_PF && value < known &&
	    probe->ret_pf[value][0])
		return probe->ret_pf[value];
	snprintf(buf, size, "%" PRId64, (int64_t)value);
	return buf;
}

static int add_count(json_t *object, const char *name, uint64_t count)
{
	json_int_t before = json_integer_value(json_object_get(object, name));

	return json_object_set_new(object, name,
				   json_integer(before + (json_int_t)count));
}

static bool take_returned(const struct probe *probe, uint32_t i,
			  const struct probe_sum *sum, json_t *returned)
{
	const struct probe_point *point = &probe->table->point[i];
	json_t *all = json_object_get(returned, point->function);
	char buf[96];
	int bad = 0;

	if (!all) {
		all = json_object();
		bad = json_object_set_new(returned, point->function, all);
	}
	for (size_t k = 0; !bad && k < PROBE_RESULTS; k++) {
		if (sum->result[k].count)
			bad = add_count(all,
					result_name(probe, point->returns,
						    sum->result[k].value, buf,
						    sizeof(buf)),
					sum->result[k].count);
	}
	if (!bad && sum->other_results)
		bad = add_count(all, "other", sum->other_results);
	return !bad;
}

bool probe_take_sum(const struct probe *probe, uint32_t point, uint32_t kind,
		    const struct probe_sum *sum, struct sample *sample,
		    json_t *returned)
{
	const struct probe_point *p = &probe->table->point[point];
	const struct probe_metrics *m = &p->kind[kind];
	struct hist *hist;

	add(sample, m->calls, sum->calls);
	if (p->call && sum->calls)
		add(sample, "calls.total", sum->calls);
	if (!sum->hist->count)
		return true;
	hist = sample_hist(sample, m->latency);
	if (!hist)
		return false;
	hist_merge(hist, sum->hist);
	if (p->call)
		take_call(p->call, sum, sample);
	return p->returns == RETURNS_NOTHING ||
	       take_returned(probe, point, sum, returned);
}

/* --------------------------------------------------------------- the probe */

static bool take_kind(struct probe *probe, uint32_t point, uint32_t kind,
		      struct hist *hist, struct sample *sample,
		      json_t *returned)
{
	struct probe_sum sum = {.hist = hist};

	memset(hist, 0, sizeof(*hist));
	for (uint32_t seat = 0; seat < probe->seats; seat++)
		probe->way->read(probe, seat, point, kind, &sum);
	return probe_take_sum(probe, point, kind, &sum, sample, returned);
}

static bool take_all(struct probe *probe, struct sample *sample,
		     json_t *returned)
{
	struct hist *hist = calloc(1, sizeof(*hist));
	bool good = hist;

	for (uint32_t i = 0; good && i < probe->table->n; i++) {
		const struct probe_point *p = &probe->table->point[i];

		for (uint32_t k = 0; good && k < probe_kinds(p); k++)
			good = !probe->place[i].name ||
			       take_kind(probe, i, k, hist, sample, returned);
	}
	free(hist);
	return good;
}

/* What follows from several metrics; a NaN among them gives none. */
static void derive(struct sample *sample)
{
	const double *value = sample->value;
	double total = value[metric_find("calls.total")];
	double busy = value[metric_find("calls.busy")];
	double faults = value[metric_find("kvm_mmu_page_fault.calls")];
	double exits = value[metric_find("faults.exits")];

	if (total > 0)
		sample_set(sample, "calls.busy_per_1000", busy / total * 1000);
	sample_set(sample, "faults.local_retries", faults - exits);
}

bool probe_fill(struct probe *probe, struct sample *sample)
{

	if (!probe || !probe->way)
		return true;
	sample->probe = json_object();
	if (!sample->probe || !take_all(probe, sample, sample->probe))
		return false;
	if (probe->way->finish)
		probe->way->finish(probe, sample);
	derive(sample);
	return true;
}
