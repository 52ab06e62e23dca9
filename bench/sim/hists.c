/* SPDX-License-Identifier: GPL-2.0-only */
/* Sets of histograms: one for all strands, or one for each. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/result/metrics.h"
#include "bench/sim/sim.h"
#include "bench/stats/stats.h"

enum { SLOTS = sizeof(struct sim_hist_slots) / sizeof(struct hist *) };

/** Slots are pointers and nothing else: they can be numbered. */
static struct hist **slot_at(struct sim_hists *hists, size_t i)
{
	return (struct hist **)&hists->slot + i;
}

#define FIRST(member)                                                          \
	(offsetof(struct sim_hist_slots, member) / sizeof(struct hist *))

/* "<prefix>.<what>", as the metric is called. */
struct kind {
	size_t first, n;
	const char *(*prefix)(size_t i);
	const char *what;
};

static const char *op_name(size_t i)
{
	return sim_op_names[i];
}

static const char *kvm_name(size_t i)
{
	return kvm_op_name((enum kvm_op)i);
}

static const char *map_or_kick(size_t i)
{
	return i ? "kick" : "map";
}

static const char *call_name(size_t i)
{
	return metric_call_prefix((enum tdx_call)i);
}

static const struct kind kinds[] = {
	{FIRST(op), NR_SIM_OPS, op_name, "latency"},
	{FIRST(attempts), NR_KVM_OPS, kvm_name, "attempts"},
	{FIRST(map), 2, map_or_kick, "latency"},
	{FIRST(call), NR_TDX_CALLS, call_name, "latency"},
	{FIRST(retries), NR_TDX_CALLS, call_name, "retries"},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void name_of(size_t slot, char *buf, size_t size)
{
	const struct kind *k = kinds;

	while (slot >= k->first + k->n)
		k++;
	snprintf(buf, size, "%s.%s", k->prefix(slot - k->first), k->what);
}

struct hist *sim_hists_get(struct sim_hists *hists, struct hist **slot)
{
	char name[64];

	if (*slot)
		return *slot;
	name_of((size_t)(slot - slot_at(hists, 0)), name, sizeof(name));
	*slot = sample_hist(hists->sample, name);
	if (!*slot)
		hists->failed = true;
	return *slot;
}

bool sim_hists_make(struct sim_hists *hists)
{
	hists->memory = calloc(SLOTS, sizeof(struct hist));
	for (size_t i = 0; hists->memory && i < SLOTS; i++)
		*slot_at(hists, i) = &hists->memory[i];
	return hists->memory;
}

void sim_hists_free(struct sim_hists *hists)
{
	free(hists->memory);
	hists->memory = NULL;
}

/* Values up to a millisecond lie in so many bytes of a histogram. */
#define TOUCHED_VALUE 1000000u
enum { PAGE = 4096 };

void sim_hists_touch(struct sim_hists *hists)
{
	size_t bytes = offsetof(struct hist, bucket) +
		       hist_index(TOUCHED_VALUE) * sizeof(uint32_t);

	for (size_t i = 0; i < SLOTS; i++) {
		volatile char *at = (volatile char *)*slot_at(hists, i);

		for (size_t k = 0; k < bytes; k += PAGE)
			at[k] = 0;
	}
}

void sim_hists_merge(struct sim_hists *into, const struct sim_hists *from)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct hist **slot = slot_at(into, i);

		if (!from->memory[i].count)
			continue;
		if (sim_hists_get(into, slot))
			hist_merge(*slot, &from->memory[i]);
	}
}
