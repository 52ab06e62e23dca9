/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running cells on the sim backend with a cost table of the test's own: what
 * tests assert must not change with the files in configs/.
 */
#ifndef TDMEM_TESTS_SIM_KIT_H
#define TDMEM_TESTS_SIM_KIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/backend.h"
#include "bench/result/metrics.h"
#include "tests/unit/workload_kit.h"

extern const struct backend backend_sim, backend_threads;

#define KIT_NS(x) ((x)*PS_PER_NS)

/** Figures of the order of a server of today. */
static inline struct model_costs kit_costs(void)
{
	struct model_costs costs = {
		.tdx =
			{
				.seamcall_ps = KIT_NS(1000),
				.tdcall_ps = KIT_NS(500),
				.td_enter_ps = KIT_NS(1200),
				.td_exit_ps = KIT_NS(900),
				.accept_2m_ps = KIT_NS(700000),
				.demote_ps = KIT_NS(10000),
				.line_local_ps = KIT_NS(5),
			},
		.kvm =
			{
				.fault_ps = KIT_NS(1200),
				.exit_ps = KIT_NS(300),
				.remove_page_ps = KIT_NS(2000),
				.reclaim_page_ps = KIT_NS(1000),
				.clear_4k_ps = KIT_NS(1500),
				.flush_4k_ps = KIT_NS(400),
				.kick_base_ps = KIT_NS(3000),
				.kick_vcpu_ps = KIT_NS(100),
				.vcpu_ioctl_ps = KIT_NS(500),
			},
		.line = {KIT_NS(5), KIT_NS(50), KIT_NS(59), KIT_NS(138)},
	};
	u32 c;

	for (c = 0; c < NR_TDX_CALLS; c++)
		costs.tdx.call_ps[c] = KIT_NS(2500);
	return costs;
}

/** `packages` packages of cores with one thread each. */
static inline struct topology kit_topology(u32 packages, u32 ncpus)
{
	struct topology topology = {.ncpus = ncpus, .npackages = packages};
	u32 i;

	topology.cpu = calloc(ncpus, sizeof(*topology.cpu));
	for (i = 0; topology.cpu && i < ncpus; i++)
		topology.cpu[i] = (struct cpu_place){
			.core = (u16)i,
			.complex = (u16)(i * packages / ncpus),
			.package = (u16)(i * packages / ncpus),
		};
	return topology;
}

static inline const struct retry_policy *kit_policy(const char *name)
{
	u32 i;

	for (i = 0; retry_policies[i].name; i++) {
		if (!strcmp(retry_policies[i].name, name))
			return &retry_policies[i];
	}
	abort();
}

/** What a run of a cell is made of, besides its scenario. */
struct kit_world {
	struct model_costs costs;
	struct topology topology;
	struct cell_setup setup;
};

static inline void kit_world_init(struct kit_world *w, const char *policy,
				  u32 ncpus)
{
	memset(w, 0, sizeof(*w));
	w->costs = kit_costs();
	w->topology = kit_topology(2, ncpus);
	w->setup = (struct cell_setup){
		.policy = *kit_policy(policy),
		.seed = 1,
		.topology = &w->topology,
		.costs = &w->costs,
		.jitter = 0.05,
		.livelock_ns = 50000000,
		.max_ns = 20000000000,
	};
}

static inline void kit_world_free(struct kit_world *w)
{
	free(w->topology.cpu);
}

/** Make the scenario, run it once, free it.  Aborts when it cannot try. */
static inline void kit_run_on(const struct backend *backend,
			      const struct kit *kit, u32 vcpus,
			      const struct kit_world *w, struct sample *sample)
{
	struct scenario s;
	struct err err = {0};

	if (kit_make(kit, vcpus, &s, &err) || !sample_init(sample) ||
	    backend->run(&s, &w->setup, sample, &err)) {
		fprintf(stderr, "%s: %s\n", kit->workload->name, err.text);
		abort();
	}
	scenario_free(&s);
}

static inline void kit_run(const struct kit *kit, u32 vcpus,
			   const struct kit_world *w, struct sample *sample)
{
	kit_run_on(&backend_sim, kit, vcpus, w, sample);
}

static inline double kit_value(const struct sample *sample, const char *name)
{
	int index = metric_find(name);

	if (index < 0)
		abort();
	return sample->value[index];
}

static inline const struct hist *kit_hist(const struct sample *sample,
					  const char *name)
{
	int index = metric_find(name);

	if (index < 0)
		abort();
	return sample->hist[index];
}

#endif
