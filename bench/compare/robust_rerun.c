/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan of a result, run again with another column of its cost table. */
#define _GNU_SOURCE /* memfd_create */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/compare/robust_impl.h"
#include "bench/export/export.h"
#include "bench/run/write.h"
#include "bench/run/cell.h"
#include "bench/run/run.h"

/* A result, and the column that its sides are to have. */
struct origin {
	const struct samples *from;
	const char *column;
};

/* ------------------------------------------------------------------ config */

/* "host" was the topology of the machine that made the result. */
static int set_topology(json_t *host, const json_t *top)
{
	const char *asked =
		json_string_value(json_object_get(host, "topology"));
	json_t *was = json_object_get(json_object_get(top, "environment"),
				      "topology");

	if (!asked || strcmp(asked, "host") != 0 || !was)
		return 0;
	return json_object_set(host, "topology", was);
}

/* A config with the other column; NULL when out of memory. */
static json_t *make_document(const struct origin *o, const json_t *config)
{
	json_t *root = json_deep_copy(config);
	json_t *host = json_object_get(root, "host");

	if (root && !host) {
		host = json_object();
		json_object_set_new(root, "host", host);
	}
	if (root &&
	    (json_object_set_new(host, "column", json_string(o->column)) ||
	     set_topology(host, o->from->top))) {
		json_decref(root);
		return NULL;
	}
	return root;
}

/* Keep the values of a list of which the text is this one, if any has it. */
static void keep_values(json_t *list, const char *wanted)
{
	json_t *kept = json_array(), *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		char *text = export_axis(v);

		if (text && strcmp(text, wanted) == 0)
			json_array_append(kept, v);
		free(text);
	}
	if (json_array_size(kept)) {
		json_array_clear(list);
		json_array_extend(list, kept);
	}
	json_decref(kept);
}

/*
 * Only what is compared needs to run: a seed depends on its cell alone.  What
 * cannot be left out this way is left out by the comparison.
 */
static void keep_cells(json_t *root, const struct strings *cells)
{
	for (size_t i = 0; i < cells->n; i++) {
		char *axis = strdup(cells->v[i]);
		char *value = axis ? strchr(axis, '=') : NULL;

		if (value) {
			*value++ = '\0';
			keep_values(
				strcmp(axis, "workload") == 0
					? json_object_get(root, "workloads")
					: json_object_get(
						  json_object_get(root, "axes"),
						  axis),
				value);
		}
		free(axis);
	}
}

/* ------------------------------------------------------------------- sides */

/* `about` has the config and the cost table of a side. */
static int load_side(const struct origin *o, const json_t *about,
		     const struct strings *cells, struct side *side,
		     struct err *e)
{
	const char *path = o->from->path;
	json_t *root = make_document(o, json_object_get(about, "config"));
	json_t *table = json_deep_copy(
		json_object_get(json_object_get(about, "costs"), "table"));
	int status;

	if (!root || !table) {
		json_decref(root);
		json_decref(table);
		return err_set(e, EXIT_UNSUPPORTED,
			       "%.300s: --robust: expected a config and a cost "
			       "table of each side",
			       path);
	}
	if (cells)
		keep_cells(root, cells);
	status = config_parse(path, root, &side->config, e);
	if (costs_parse(path, table, o->column, &side->costs, e) || status)
		return -1;
	return topology_load(side->config.topology, &side->topology, e) ||
			       check_scenarios(&side->config, e)
		       ? -1
		       : 0;
}

/*
 * The sides of a result; with `cells` only what these select.  The caller
 * frees them in any case.
 */
static int load_sides(const struct origin *o, const struct strings *cells,
		      struct sides *sides, struct err *e)
{
	const json_t *base = json_object_get(o->from->top, "baseline");

	*sides = (struct sides){.n = base ? 2 : 1};
	if (load_side(o, o->from->top, cells, &sides->side[sides->n - 1], e))
		return -1;
	if (!base)
		return 0;
	if (json_object_get(base, "binary"))
		return err_set(e, EXIT_UNSUPPORTED,
			       "%.300s: --robust: the side \"base\" was run by "
			       "another program",
			       o->from->path);
	sides->side[1].config.side = "new";
	if (load_side(o, base, cells, &sides->side[0], e))
		return -1;
	sides->side[0].config.side = "base";
	return 0;
}

/* ---------------------------------------------------------------- is it ours
 */

static const struct samples_cell *find_cell(const struct samples *samples,
					    const json_t *axes)
{
	for (size_t i = 0; i < samples->ncells; i++)
		if (json_equal(samples->cell[i].axes, axes))
			return &samples->cell[i];
	return NULL;
}

/* The rate of a cell's first counted repeat; NaN: there is none. */
static double first_rate(const struct samples *samples, const struct side *side,
			 const struct cell *cell)
{
	json_t *axes = plan_axes(&side->config, cell);
	const struct samples_cell *found = find_cell(samples, axes);
	const struct samples_series *series;
	char name[80];

	json_decref(axes);
	if (!found || !found->nrepeats || strcmp(found->status, "ok") != 0)
		return (double)NAN;
	snprintf(name, sizeof(name), "%.60s.rate", found->operation);
	series = samples_find(samples, found, name);
	return series && series->value ? series->value[0] : (double)NAN;
}

static int check_repeat(const struct side *side, size_t cell, double was,
			struct err *e)
{
	const struct run_item item = {cell, side->config.repeat.warmup};
	struct repeat repeat = {.text = NULL};
	atomic_int never = 0;

	if (side_repeat(side, &item, &never, &repeat, e))
		return -1;
	free(repeat.text);
	if (repeat.rate == was)
		return 0;
	return err_set(e, EXIT_UNSUPPORTED,
		       "%.300s: --robust: this tdmem gets other numbers than "
		       "are in it: another build of the model made it",
		       side->config.file);
}

int robust_is_ours(const struct samples *samples, const char *column,
		   struct err *e)
{
	const struct origin o = {samples, column};
	struct sides sides;
	int status = load_sides(&o, NULL, &sides, e);
	const struct side *side = sides_main(&sides);

	for (size_t i = 0; status == 0 && i < config_cells(&side->config);
	     i++) {
		struct cell cell;
		double was;

		plan_cell(&side->config, i, &cell);
		was = first_rate(samples, side, &cell);
		if (isnan(was))
			continue;
		status = check_repeat(side, i, was, e);
		break;
	}
	sides_free(&sides);
	return status;
}

/* -------------------------------------------------------------------- run */

/*
 * As a result in memory, which is read like any other: so that all columns go
 * through the same reader.
 */
static int take(const struct result_top *top, const struct journal *journal,
		const struct robust_setup *setup, struct samples *to,
		struct err *e)
{
	int fd = memfd_create("tdmem-robust", MFD_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w+");
	char path[40];
	int status = -1;

	if (!f) {
		if (fd >= 0)
			close(fd);
		return err_set(e, EXIT_FAILED, "no memory for a result: %s",
			       strerror(errno));
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!result_write(f, top, journal) || fflush(f) || ferror(f))
		err_set(e, EXIT_FAILED, "no memory for a result");
	else
		status = samples_load(path, compare_wanted, setup->request, to,
				      e);
	fclose(f);
	return status;
}

static int run(const struct sides *sides, const struct robust_setup *setup,
	       const struct samples *from, struct samples *to, struct err *e)
{
	struct journal journal;
	const struct run_setup run_setup = {
		.sides = sides,
		.jobs = setup->jobs,
		.progress = setup->progress,
		.journal = &journal,
	};
	const struct result_top top = {
		.sides = sides,
		.environment = json_object_get(from->top, "environment"),
	};
	struct run_outcome outcome;
	int status;

	if (journal_in_memory(&journal, e))
		return -1;
	status = run_cells(&run_setup, &outcome, e);
	if (status == 0 && !outcome.whole)
		status = err_set(e, EXIT_FAILED, "interrupted");
	if (status == 0) {
		journal_sort(&journal);
		status = take(&top, &journal, setup, to, e);
	}
	journal_close(&journal, 0);
	return status;
}

int robust_rerun(const struct robust_setup *setup, const struct samples *from,
		 const char *column, struct samples *to, struct err *e)
{
	const struct origin o = {from, column};
	struct sides sides;
	int status;

	*to = (struct samples){0};
	status = load_sides(&o, &setup->request->cells, &sides, e);
	if (status == 0)
		status = run(&sides, setup, from, to, e);
	sides_free(&sides);
	return status;
}
