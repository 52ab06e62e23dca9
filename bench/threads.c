/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The backend threads: the same model on this host's CPUs, with real
 * contention for its words.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/observe/noise.h"
#include "bench/result/metrics.h"
#include "bench/sim/sim.h"
#include "bench/timeline/timeline.h"

static bool fits(const struct sim *sim, struct sample *sample)
{
	if (sim->nthreads <= MACHINE_MAX_STRANDS)
		return true;
	sim_end_as(sample, CELL_UNSUPPORTED,
		   "%u vCPUs and host threads: the machine has at most %u",
		   sim->nthreads, MACHINE_MAX_STRANDS);
	return false;
}

static struct machine *make_machine(const struct sim *sim)
{
	const struct cell_setup *setup = sim->setup;
	const struct threads_config config = {
		.topology = setup->topology,
		.os_cpu = setup->os_cpu,
		.seed = setup->seed,
		.livelock_ps = setup->livelock_ns * PS_PER_NS,
		.max_ps = setup->max_ns * PS_PER_NS,
		.max_strands = sim->nthreads,
		.stop = setup->stop,
		.trace = setup->trace ? setup->trace : timeline_probes(),
	};
	return threads_create(&config);
}

static void fill(const struct sim *sim, struct sample *sample)
{
	struct threads_facts facts = threads_facts(sim->machine);

	sample_set(sample, "run.time",
		   (double)machine_time(sim->machine) / (double)PS_PER_NS);
	sample_set(sample, "run.clock_read",
		   (double)facts.read_ps / (double)PS_PER_NS);
	sample_set(sample, "run.unpinned", facts.unpinned);
}

static const struct sim_world world = {
	.name = "threads",
	.concurrent = true,
	.fits = fits,
	.make_machine = make_machine,
	.fill = fill,
};

static int run(const struct scenario *scenario, const struct cell_setup *setup,
	       struct sample *sample, struct err *err)
{
	u32 strands = scenario_threads(scenario),
	    ncpus = setup->topology->ncpus;
	const struct noise_cpus cpus = {
		.os_cpu = setup->os_cpu,
		.n = strands < ncpus ? strands : ncpus,
	};
	struct noise_ticks before, after;
	bool known = noise_ticks(&cpus, &before);
	int status = sim_execute(&world, scenario, setup, sample, err, NULL);

	if (status == 0 && known && noise_ticks(&cpus, &after) &&
	    isfinite(sample->value[metric_find("run.time")]))
		sample_set(sample, "run.steal",
			   noise_steal_ns(&before, &after));
	return status;
}

/* What a machine on these CPUs would use; false: out of memory. */
static bool facts_of(const struct topology *topology, const uint32_t *os_cpu,
		     struct threads_facts *facts)
{
	const struct threads_config config = {
		.topology = topology, .os_cpu = os_cpu, .max_strands = 1};
	struct machine *machine = threads_create(&config);

	if (!machine)
		return false;
	*facts = threads_facts(machine);
	machine_destroy(machine);
	return true;
}

static bool facts_of_one(struct threads_facts *facts)
{
	struct cpu_place place = {0};
	const struct topology one = {1, 1, &place};
	const u32 cpu = 0;

	return facts_of(&one, &cpu, facts);
}

/* Always; with what, is told. */
static bool available(char *why, size_t size)
{
	struct threads_facts facts;

	if (size)
		why[0] = '\0';
	if (facts_of_one(&facts))
		snprintf(why, size,
			 " (clock: %s at %.0f MHz; kicks: %s; page clears: %s; "
			 "flushes: %s)",
			 facts.clock, (double)facts.clock_hz / 1e6, facts.kick,
			 facts.clear, facts.flush);
	return true;
}

/* Where it cannot, something else stands in. */
static size_t abilities(struct ability *list, size_t most)
{
	struct ability all[] = {
		{.what = "strands bound to CPUs",
		 .cure = "no filter of sched_setaffinity"},
		{.what = "kicks by membarrier, else by signals",
		 .cure = "Linux 5.10 or newer with CONFIG_RSEQ, no filter of "
			 "membarrier"},
		{.what = "times by the TSC, else by CLOCK_MONOTONIC_RAW",
		 .cure = "the bare machine, or a hypervisor that shows an "
			 "invariant TSC"},
	};
	size_t n = sizeof(all) / sizeof(*all);
	struct threads_facts facts;
	int error = noise_binding();

	if (!facts_of_one(&facts))
		return 0;
	if (error)
		snprintf(all[0].why, sizeof(all[0].why), "%s", strerror(error));
	if (strcmp(facts.kick, "membarrier") != 0)
		strcpy(all[1].why, "the kernel refuses it");
	if (strcmp(facts.clock, "TSC") != 0)
		strcpy(all[2].why, "the TSC is not invariant");
	n = n < most ? n : most;
	memcpy(list, all, n * sizeof(*list));
	return n;
}

static json_t *facts_json(const struct topology *topology,
			  const uint32_t *os_cpu, uint32_t memory)
{
	struct threads_facts f;

	(void)memory;
	if (!facts_of(topology, os_cpu, &f))
		return NULL;
	return json_pack("{sssIsfssssss}", "clock", f.clock, "clock_hz",
			 (json_int_t)f.clock_hz, "clock_read_ns",
			 (double)f.read_ps / (double)PS_PER_NS, "kick", f.kick,
			 "page_clear", f.clear, "page_flush", f.flush);
}

const struct backend backend_threads = {
	.name = "threads",
	.summary = "the model on this host's CPUs: real contention, real time",
	.modelled = true,
	.real_cpus = true,
	.has_window = true,
	.chooses_policy = true,
	.available = available,
	.abilities = abilities,
	.facts = facts_json,
	.run = run,
};
