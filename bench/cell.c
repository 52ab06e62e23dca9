/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/cell.h"
#include "bench/encode.h"

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

static struct cell_setup setup_of(const struct run_setup *run,
				  const struct cell *cell, uint64_t seed,
				  const atomic_int *stop)
{
	const struct config *c = run->config;
	struct cell_setup setup = {
		.retry_limit = c->retry_limit,
		.seed = seed,
		.topology = run->topology,
		.costs = &run->costs->model,
		.jitter = c->jitter,
		.livelock_ns = c->livelock_ns,
		.max_ns = c->max_ns,
		.clear_removed = c->clear_removed,
		.stop = stop,
	};

	if (cell->policy)
		setup.policy = cell->policy->policy;
	return setup;
}

static uint64_t seed_of(const struct config *config, const struct cell *cell,
			uint32_t repeat)
{
	json_t *axes = plan_axes(config, cell);
	char *text = axes ? json_dumps(axes, JSON_STYLE) : NULL;
	uint64_t seed = plan_seed(config->seed, text ? text : "", repeat);

	free(text);
	json_decref(axes);
	return seed;
}

static int execute(const struct config *config, const struct scenario *scenario,
		   const struct cell_setup *setup, struct repeat_result *result,
		   struct err *e)
{
	struct sample sample;
	int status;

	if (!sample_init(&sample))
		return no_memory(e);
	status = config->backend->run(scenario, setup, &sample, e);
	if (status == 0 && sample.status != CELL_STOPPED) {
		result->status = sample.status;
		snprintf(result->reason, sizeof(result->reason), "%s",
			 sample.reason);
		result->text = encode_repeat(&sample, setup->seed);
		if (!result->text)
			status = no_memory(e);
	}
	sample_free(&sample);
	return status;
}

int cell_repeat(const struct run_setup *run, size_t index, uint32_t repeat,
		const atomic_int *stop, struct repeat_result *result,
		struct err *e)
{
	struct scenario scenario;
	struct cell_setup setup;
	struct cell cell;
	int status;

	result->text = NULL;
	plan_cell(run->config, index, &cell);
	setup = setup_of(run, &cell, seed_of(run->config, &cell, repeat), stop);
	if (cell_scenario(run->config, &cell, &scenario, e))
		return -1;
	status = execute(run->config, &scenario, &setup, result, e);
	scenario_free(&scenario);
	return status;
}

/* ------------------------------------------------------------------ text */

static const struct repeat_result *
first_bad(const struct repeat_result *repeats, uint32_t n, uint32_t *count)
{
	const struct repeat_result *first = NULL;

	*count = 0;
	for (uint32_t i = n; i-- > 0;) {
		if (repeats[i].status == CELL_OK)
			continue;
		first = &repeats[i];
		(*count)++;
	}
	return first;
}

static json_t *notes_of(const struct repeat_result *bad, uint32_t count,
			uint32_t n)
{
	json_t *notes = json_array();
	char text[80];

	if (bad && count < n) {
		snprintf(text, sizeof(text), "%u of %u repeats did not end ok",
			 count, n);
		json_array_append_new(notes, json_string(text));
	}
	return notes;
}

static char *head_text(const struct config *config, size_t index,
		       const struct repeat_result *repeats, uint32_t n)
{
	const struct repeat_result *bad;
	struct cell cell;
	uint32_t count;
	json_t *head;
	char *text;

	plan_cell(config, index, &cell);
	bad = first_bad(repeats, n, &count);
	head = json_pack(
		"{sossssso}", "axes", plan_axes(config, &cell), "status",
		cell_status_name(bad ? bad->status : CELL_OK), "reason",
		bad ? bad->reason : "", "notes", notes_of(bad, count, n));
	text = head ? json_dumps(head, JSON_STYLE) : NULL;
	json_decref(head);
	return text;
}

char *cell_text(const struct config *config, size_t index,
		const struct repeat_result *repeats, uint32_t n)
{
	char *head = head_text(config, index, repeats, n), *text = NULL;
	size_t size;
	FILE *f = head ? open_memstream(&text, &size) : NULL;

	if (!f) {
		free(head);
		return NULL;
	}
	head[strlen(head) - 1] = '\0'; /* the brace, to go on behind it */
	fprintf(f, "%s,\"repeats\":[", head);
	for (uint32_t i = 0; i < n; i++)
		fprintf(f, "%s%s", i ? "," : "", repeats[i].text);
	fputs("]}", f);
	free(head);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
