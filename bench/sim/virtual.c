/* SPDX-License-Identifier: GPL-2.0-only */
/* The backend sim: scenarios on the model in virtual time. */
#include "bench/sim/sim.h"

static bool fits(const struct sim *sim, struct sample *sample)
{
	const struct scenario *s = sim->scenario;
	u32 cpus = sim->setup->topology->ncpus;

	if (sim->nthreads <= cpus && sim->nthreads <= MACHINE_MAX_STRANDS)
		return true;
	sim_end_as(sample, CELL_UNSUPPORTED,
		   "%u vCPUs and %u host threads need a CPU each: %s %u",
		   s->tds * s->vcpus, s->hosts,
		   cpus < MACHINE_MAX_STRANDS
			   ? "the topology has"
			   : "the virtual machine has at most",
		   cpus < MACHINE_MAX_STRANDS ? cpus : MACHINE_MAX_STRANDS);
	return false;
}

static struct machine *make_machine(const struct sim *sim)
{
	const struct cell_setup *setup = sim->setup;
	u64 ipi_ps = kvm_ipi_ps(&setup->costs->kvm);
	const struct virtual_config config = {
		.topology = setup->topology,
		.line = setup->costs->line,
		.seed = setup->seed,
		.jitter = setup->jitter,
		.livelock_ps = setup->livelock_ns * PS_PER_NS,
		.max_ps = setup->max_ns * PS_PER_NS,
		.min_interrupt_ps = (u64)((double)ipi_ps * (1 - setup->jitter)),
		.max_strands = sim->nthreads,
		.stop = setup->stop,
		.trace = setup->trace,
	};

	return virtual_create(&config);
}

static void fill(const struct sim *sim, struct sample *sample)
{
	sample_set(sample, "run.virtual_time",
		   (double)machine_time(sim->machine) / (double)PS_PER_NS);
	sample_set(sample, "run.events", (double)machine_events(sim->machine));
}

static const struct sim_world world = {
	.name = "sim",
	.fits = fits,
	.make_machine = make_machine,
	.fill = fill,
};

int sim_run(const struct scenario *scenario, const struct cell_setup *setup,
	    struct sample *sample, struct err *err, struct sim_memory *memory)
{
	return sim_execute(&world, scenario, setup, sample, err, memory);
}

static int run(const struct scenario *scenario, const struct cell_setup *setup,
	       struct sample *sample, struct err *err)
{
	return sim_run(scenario, setup, sample, err, NULL);
}

static bool available(char *why, size_t size)
{
	if (size)
		why[0] = '\0';
	return true;
}

const struct backend backend_sim = {
	.name = "sim",
	.summary = "the model on virtual time, deterministic, 1 to 1024 vCPUs",
	.modelled = true,
	.chooses_policy = true,
	.available = available,
	.run = run,
};
