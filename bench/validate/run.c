/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/result/metrics.h"
#include "bench/run/cell.h"
#include "bench/stats/stats.h"
#include "bench/validate/run.h"

static json_t *document(const struct validate_cell *cell)
{
	return json_pack("{ss ss ss s{sO} s{s[s] s[i]} s{sf sb ss}}", "schema",
			 "tdmem-config/1", "name", "validate", "backend",
			 cell->backend, "workloads", cell->workload,
			 cell->knobs, "axes", "policy", "kick-once", "vcpus",
			 (int)cell->vcpus, "host", "jitter", cell->jitter,
			 "clear_removed", !cell->keep_removed, "topology",
			 cell->topology);
}

struct place_of_run {
	struct topology topology;
	u32 *os_cpu;
};

static int load_place(const struct config *config, struct place_of_run *p,
		      struct err *e)
{
	*p = (struct place_of_run){0};
	if (config->backend->real_cpus || strcmp(config->topology, "host") == 0)
		return topology_load_cpus(NULL, &p->topology, &p->os_cpu, e);
	return topology_load(config->topology, &p->topology, e);
}

/*
 * Virtual time has a CPU for each strand.  Those that a host has not got lie
 * where the backend threads puts these strands: at its first CPUs again.
 */
static int grow(struct topology *t, u32 strands, struct err *e)
{
	struct cpu_place *cpu;

	if (strands <= t->ncpus)
		return 0;
	cpu = realloc(t->cpu, strands * sizeof(*cpu));
	if (!cpu)
		return err_set(e, EXIT_FAILED, "out of memory");
	for (u32 i = t->ncpus; i < strands; i++)
		cpu[i] = cpu[i % t->ncpus];
	t->cpu = cpu;
	t->ncpus = strands;
	return 0;
}

static int run_scenario(const struct validate_cell *cell,
			const struct config *config,
			const struct scenario *scenario, const struct cell *c,
			const struct place_of_run *p, struct sample *sample,
			struct err *e)
{
	const struct cell_setup setup = {
		.policy = c->policy->policy,
		.retry_limit = config->retry_limit,
		.seed = cell->seed,
		.topology = &p->topology,
		.os_cpu = p->os_cpu,
		.costs = &cell->costs->model,
		.jitter = config->jitter,
		.livelock_ns = config->livelock_ns,
		.max_ns = config->max_ns,
		.clear_removed = config->clear_removed,
	};

	if (config->backend->run(scenario, &setup, sample, e))
		return -1;
	if (sample->status == CELL_OK)
		return 0;
	return err_set(e, EXIT_FAILED,
		       "validate: %s, %u vCPUs, backend %s: %s: %s",
		       cell->workload, cell->vcpus, cell->backend,
		       cell_status_name(sample->status), sample->reason);
}

static int execute(const struct validate_cell *cell,
		   const struct config *config, struct place_of_run *p,
		   struct validate_figures *f, struct err *e)
{
	struct scenario scenario;
	struct cell c;
	int status = 0;
	u32 strands;

	plan_cell(config, 0, &c);
	if (cell_scenario(config, &c, &scenario, e))
		return -1;
	strands = scenario.tds * scenario.vcpus + scenario.hosts;
	f->crowded = strands > p->topology.ncpus;
	if (!config->backend->real_cpus)
		status = grow(&p->topology, strands, e);
	if (status == 0)
		status = run_scenario(cell, config, &scenario, &c, p,
				      &f->sample, e);
	scenario_free(&scenario);
	return status;
}

int validate_run(const struct validate_cell *cell, struct validate_figures *f,
		 struct err *e)
{
	struct place_of_run place = {0};
	struct config config;
	json_t *root = document(cell);
	int status;

	if (!root || !sample_init(&f->sample)) {
		json_decref(root);
		return err_set(e, EXIT_FAILED, "out of memory");
	}
	status = config_parse("validate", root, &config, e);
	if (status == 0) {
		status = load_place(&config, &place, e) ||
			 execute(cell, &config, &place, f, e);
		topology_free(&place.topology);
		free(place.os_cpu);
		config_free(&config);
	}
	if (status)
		sample_free(&f->sample);
	return status ? -1 : 0;
}

void validate_figures_free(struct validate_figures *f)
{
	sample_free(&f->sample);
}

double validate_value(const struct validate_figures *f, const char *metric)
{
	int index = metric_find(metric);

	return index < 0 ? (double)NAN : f->sample.value[index];
}

static const struct hist *hist_of(const struct validate_figures *f,
				  const char *metric)
{
	int index = metric_find(metric);
	const struct hist *h = index < 0 ? NULL : f->sample.hist[index];

	return h && h->count ? h : NULL;
}

double validate_mean(const struct validate_figures *f, const char *metric)
{
	const struct hist *h = hist_of(f, metric);

	return h ? (double)h->sum / (double)h->count : (double)NAN;
}

double validate_p50(const struct validate_figures *f, const char *metric)
{
	const struct hist *h = hist_of(f, metric);

	return h ? (double)hist_quantile(h, 0.5) : (double)NAN;
}
