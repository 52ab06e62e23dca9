/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/json.h"
#include "bench/observe/noise.h"
#include "bench/result/encode.h"
#include "bench/result/metrics.h"
#include "bench/run/cell.h"
#include "bench/run/remote.h"

static int no_memory(struct err *e)
{
	return err_set(e, EXIT_FAILED, "out of memory");
}

/* ------------------------------------------------------------- executing */

int cell_scenario(const struct config *config, const struct cell *cell,
		  struct scenario *scenario, struct err *e)
{
	const struct workload *w = cell->workload->workload;
	struct knob_values values = {.knobs = w->knobs};
	int64_t *value = calloc(cell->workload->nknobs + 1, sizeof(*value));
	int status;

	if (!value)
		return no_memory(e);
	plan_knobs(config, cell, value);
	values.value = value;
	status = w->make(&values, cell->vcpus, scenario, e);
	free(value);
	return status;
}

int cells_threads(const struct config *config, uint32_t *most, struct err *e)
{
	*most = 0;
	for (size_t i = 0; i < config_cells(config); i++) {
		struct scenario scenario;
		struct cell cell;

		plan_cell(config, i, &cell);
		if (cell_scenario(config, &cell, &scenario, e))
			return -1;
		if (*most < scenario.vcpus + scenario.hosts)
			*most = scenario.vcpus + scenario.hosts;
		scenario_free(&scenario);
	}
	return 0;
}

int check_scenarios(const struct config *config, struct err *e)
{
	struct at root = at_root(config->file, e);
	struct at all = at_key(&root, "workloads");

	for (size_t i = 0; i < config_cells(config); i++) {
		struct scenario scenario;
		struct cell cell;
		struct err why;
		bool first = true;

		plan_cell(config, i, &cell);
		/* Only knobs matter: one policy and vCPU count is enough. */
		for (size_t a = 0; a < config->naxes; a++)
			first = first && (config->axes[a].kind == AXIS_KNOB ||
					  cell.place[a] == 0);
		if (!first)
			continue;
		if (cell_scenario(config, &cell, &scenario, &why)) {
			struct at here =
				at_key(&all, cell.workload->workload->name);

			return at_bad(&here, "%s", why.text);
		}
		scenario_free(&scenario);
	}
	return 0;
}

static struct cell_setup setup_of(const struct side *side,
				  const struct cell *cell, uint64_t seed,
				  const atomic_int *stop)
{
	const struct config *c = &side->config;
	struct cell_setup setup = {
		.retry_limit = c->retry_limit,
		.seed = seed,
		.topology = &side->topology,
		.os_cpu = side->os_cpu,
		.costs = &side->costs.model,
		.jitter = c->jitter,
		.livelock_ns = c->livelock_ns,
		.max_ns = c->max_ns,
		.clear_removed = c->clear_removed,
		.memory = c->memory,
		.counters = side->counters,
		.probe = side->probe,
		.stop = stop,
	};

	if (cell->policy)
		setup.policy = cell->policy->policy;
	return setup;
}

/*
 * Warm-ups have seeds of their own: the counted repeats are the same with any
 * number of them.
 */
static uint64_t seed_of(const struct config *config, const struct cell *cell,
			uint32_t repeat)
{
	json_t *axes = plan_axes(config, cell);
	char *text = axes ? json_dumps(axes, JSON_STYLE) : NULL;
	uint32_t number = repeat < config->repeat.warmup
				  ? repeat | 1u << 31
				  : repeat - config->repeat.warmup;
	uint64_t seed = plan_seed(config->seed, text ? text : "", number);

	free(text);
	json_decref(axes);
	return seed;
}

struct task {
	const struct side *side;
	const struct scenario *scenario;
	struct cell_setup setup;
	const char *rate; /* name of the metric */
	bool warmup;
	bool odd; /* number of the repeat */
};

static double rate_of(const struct task *t, const struct sample *sample)
{
	int metric = metric_find(t->rate);

	return metric < 0 ? (double)NAN : sample->value[metric];
}

/* The rate of the same with the probe taken off; NaN: it did not end ok. */
static int rate_without(const struct task *t, double *rate, struct err *e)
{
	struct cell_setup setup = t->setup;
	struct sample sample;
	int status;

	setup.probe = NULL;
	if (!sample_init(&sample))
		return no_memory(e);
	status = t->side->config.backend->run(t->scenario, &setup, &sample, e);
	*rate = sample.status == CELL_OK ? rate_of(t, &sample) : (double)NAN;
	sample_free(&sample);
	return status;
}

/*
 * What the probe costs is known by executing twice, with it and without; who
 * is first alternates, so that neither always has the warmer caches.
 */
static int run_backend(const struct task *t, struct sample *sample,
		       struct err *e)
{
	double with, without = (double)NAN;
	bool first = t->setup.probe && t->odd; /* without it */
	int status = first ? rate_without(t, &without, e) : 0;

	if (status == 0)
		status = t->side->config.backend->run(t->scenario, &t->setup,
						      sample, e);
	if (status == 0 && t->setup.probe && !first)
		status = rate_without(t, &without, e);
	with = rate_of(t, sample);
	if (status || sample->status != CELL_OK || !(with > 0 && without > 0))
		return status;
	sample_set(sample, "probe.rate_without", without);
	sample_set(sample, "probe.overhead", (without / with - 1) * 100);
	return 0;
}

static int execute(const struct task *t, struct repeat *result, struct err *e)
{
	struct sample sample;
	int status;

	if (!sample_init(&sample))
		return no_memory(e);
	status = run_backend(t, &sample, e);
	if (status == 0 && sample.status != CELL_STOPPED) {
		result->status = sample.status;
		snprintf(result->reason, sizeof(result->reason), "%s",
			 sample.reason);
		result->rate = encoded_value(rate_of(t, &sample));
		result->text = encode_repeat(&sample, t->setup.seed, t->warmup);
		if (!result->text)
			status = no_memory(e);
	}
	sample_free(&sample);
	return status;
}

static int execute_here(const struct side *side, const struct cell *cell,
			struct task *task, struct repeat *result, struct err *e)
{
	struct scenario scenario;
	int status;

	if (cell_scenario(&side->config, cell, &scenario, e))
		return -1;
	task->scenario = &scenario;
	status = execute(task, result, e);
	scenario_free(&scenario);
	return status;
}

int side_repeat_traced(const struct side *side, const struct run_item *item,
		       const struct trace *trace, const atomic_int *stop,
		       struct repeat *result, struct err *e)
{
	struct task task = {
		.side = side,
		.warmup = item->repeat < side->config.repeat.warmup,
		.odd = item->repeat % 2,
	};
	struct remote_item what = {.item = *item};
	struct cell cell;
	char rate[80];

	result->text = NULL;
	plan_cell(&side->config, item->cell, &cell);
	snprintf(rate, sizeof(rate), "%.60s.rate",
		 cell.workload->workload->operation);
	what.rate = task.rate = rate;
	what.seed = seed_of(&side->config, &cell, item->repeat);
	task.setup = setup_of(side, &cell, what.seed, stop);
	task.setup.trace = trace;
	task.setup.perf = task.warmup ? NULL : side->perf;
	return side->binary ? remote_repeat(side, &what, stop, result, e)
			    : execute_here(side, &cell, &task, result, e);
}

int side_repeat(const struct side *side, const struct run_item *item,
		const atomic_int *stop, struct repeat *result, struct err *e)
{
	return side_repeat_traced(side, item, NULL, stop, result, e);
}

int cell_repeat(const struct sides *sides, const struct run_item *item,
		const atomic_int *stop, struct repeat *result, struct err *e)
{
	const struct run_item within = {item->cell / sides->n, item->repeat};

	return side_repeat(&sides->side[item->cell % sides->n], &within, stop,
			   result, e);
}

/* ------------------------------------------------------------------ text */

/* How the repeats of a cell ended. */
struct ends {
	const struct journal_entry *first_bad; /* NULL: all ended ok */
	size_t n, bad;
};

static struct ends count_ends(const struct journal_entry *entry, size_t n,
			      uint32_t warmup)
{
	struct ends ends = {.n = 0};

	for (size_t i = 0; i < n; i++) {
		if (entry[i].item.repeat < warmup)
			continue;
		ends.n++;
		if (entry[i].status == CELL_OK)
			continue;
		ends.bad++;
		if (!ends.first_bad)
			ends.first_bad = &entry[i];
	}
	return ends;
}

/* Threads that share CPUs; 0: each has its own, -1: out of memory. */
static int count_oversubscribed(const struct side *side,
				const struct cell *cell)
{
	struct scenario scenario;
	struct err e;
	uint32_t n;

	if (!side->config.backend->real_cpus)
		return 0;
	if (cell_scenario(&side->config, cell, &scenario, &e))
		return -1;
	n = scenario_threads(&scenario);
	scenario_free(&scenario);
	return n > side->topology.ncpus ? (int)n : 0;
}

static int add_note(json_t *notes, const char *text)
{
	return json_array_append_new(notes, json_string(text));
}

static int add_oversubscribed(json_t *notes, const struct side *side,
			      int threads)
{
	uint32_t cpus = side->topology.ncpus;
	char text[80];

	snprintf(text, sizeof(text), "oversubscribed: %d threads on %u CPU%s",
		 threads, cpus, cpus == 1 ? "" : "s");
	return add_note(notes, text);
}

/* The metrics of a repeat; NULL: out of memory, or it cannot be read. */
static json_t *metrics_of(const struct journal *j,
			  const struct journal_entry *entry)
{
	json_t *repeat, *metrics;
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	int bad = !f || journal_copy(j, entry, f);

	bad |= f && fclose(f);
	repeat = bad ? NULL : json_loadb(text, n, 0, NULL);
	metrics = json_incref(json_object_get(repeat, "metrics"));
	json_decref(repeat);
	free(text);
	return metrics;
}

/* What other users of the CPUs did to it; warm-ups do not count. */
static int add_noise_notes(json_t *notes, const struct side *side,
			   const struct journal *j,
			   const struct journal_entry *entry, size_t n,
			   bool oversubscribed)
{
	struct noise_sums sums = {.run_ns = 0};

	if (!side->config.backend->real_cpus)
		return 0;
	for (size_t i = 0; i < n; i++) {
		json_t *metrics;

		if (entry[i].item.repeat < side->config.repeat.warmup)
			continue;
		metrics = metrics_of(j, &entry[i]);
		if (!metrics)
			return -1;
		noise_add(&sums, metrics);
		json_decref(metrics);
	}
	return noise_notes(&sums, oversubscribed, notes);
}

static int add_ends_note(json_t *notes, const struct ends *ends)
{
	char text[80];

	if (!ends->bad || ends->bad == ends->n)
		return 0;
	snprintf(text, sizeof(text), "%zu of %zu repeats did not end ok",
		 ends->bad, ends->n);
	return add_note(notes, text);
}

/* NULL: out of memory. */
static json_t *notes_of(const struct ends *ends, const struct side *side,
			const struct cell *cell, const struct journal *j,
			const struct journal_entry *entry, size_t n)
{
	json_t *notes = json_array();
	int threads = count_oversubscribed(side, cell);

	if (notes && threads >= 0 &&
	    !(threads && add_oversubscribed(notes, side, threads)) &&
	    !add_noise_notes(notes, side, j, entry, n, threads > 0) &&
	    !add_ends_note(notes, ends))
		return notes;
	json_decref(notes);
	return NULL;
}

static char *head_text(const struct sides *sides, const struct journal *j,
		       const struct journal_entry *entry, size_t n)
{
	struct ends ends =
		count_ends(entry, n, sides_main(sides)->config.repeat.warmup);
	const struct side *side;
	char reason[256] = "";
	struct cell cell;
	json_t *head;
	char *text;

	if (ends.n == 0)
		ends = count_ends(entry, n, 0);
	if (ends.first_bad &&
	    journal_reason(j, ends.first_bad, reason, sizeof(reason)))
		return NULL;
	side = sides_cell(sides, entry->item.cell, &cell);
	head = json_pack(
		"{sosssoso}", "axes", plan_axes(&side->config, &cell), "status",
		cell_status_name(ends.first_bad ? ends.first_bad->status
						: CELL_OK),
		"reason", json_bytes(reason), "notes",
		notes_of(&ends, side, &cell, j, entry, n));
	text = head ? json_dumps(head, JSON_STYLE) : NULL;
	json_decref(head);
	return text;
}

int cell_write(FILE *f, const struct sides *sides, const struct journal *j,
	       const struct journal_entry *entry, size_t n)
{
	char *head = head_text(sides, j, entry, n);

	if (!head)
		return -1;
	head[strlen(head) - 1] = '\0'; /* the brace, to go on behind it */
	fprintf(f, "%s,\"repeats\":[", head);
	free(head);
	for (size_t i = 0; i < n; i++) {
		if (i)
			fputc(',', f);
		if (journal_copy(j, &entry[i], f))
			return -1;
	}
	fputs("]}", f);
	return 0;
}
