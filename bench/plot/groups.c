/* SPDX-License-Identifier: GPL-2.0-only */
/* Cells of results, arranged by what they differ in. */
#include <stdlib.h>
#include <string.h>

#include "bench/base/arena.h"
#include "bench/export/export.h"
#include "bench/plot/plot.h"

enum { NAME_MAX_CHARACTERS = 100, LABEL_CHARACTERS = 28 };

/* A cell and where it belongs. */
struct entry {
	const struct samples *samples;
	const struct samples_cell *cell;
	const char *name, *label, *policy;
	uint32_t vcpus;
	size_t group;
};

struct filler {
	struct plot_set *set;
	struct entry *entry;
	size_t n;
	struct err *e;
};

static int no_memory(struct err *e)
{
	return err_set(e, EXIT_FAILED, "out of memory");
}

bool plot_wanted(const void *ctx, const char *operation,
		 const struct samples_metric *metric)
{
	static const char *const prefixes[] = {"calls.", "kicks.", "time.",
					       "fairness."};
	const char *name = metric->name;
	size_t n = strlen(operation);

	(void)ctx;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return !metric->histogram;
	if (strstr(name, ".busy."))
		return !metric->histogram;
	return n && strncmp(name, operation, n) == 0 &&
	       (strcmp(name + n, ".rate") == 0 ||
		strcmp(name + n, ".count") == 0 ||
		strcmp(name + n, ".latency") == 0);
}

/* ------------------------------------------------------------------- names */

/* Axes that make lines, or that a picture runs over. */
static bool inside(const char *axis)
{
	static const char *const axes[] = {"workload", "policy", "vcpus",
					   "side"};

	for (size_t i = 0; i < sizeof(axes) / sizeof(*axes); i++)
		if (strcmp(axis, axes[i]) == 0)
			return true;
	return false;
}

static const char *group_name(struct arena *arena, const json_t *axes,
			      const char *workload)
{
	const char *key,
		*name = plot_text(arena, workload, NAME_MAX_CHARACTERS);
	json_t *v;

	json_object_foreach((json_t *)axes, key, v)
	{
		char *value, *plain_key;

		if (inside(key) || !name)
			continue;
		value = export_axis(v);
		plain_key = export_plain(key);
		name = value && plain_key ? arena_print(arena, "%s, %s %s",
							name, plain_key, value)
					  : NULL;
		free(value);
		free(plain_key);
	}
	return name ? plot_text(arena, name, NAME_MAX_CHARACTERS) : NULL;
}

/* Where the policy is the running kernel's, it is no axis. */
static const char *policy_name(struct arena *arena, const json_t *axes)
{
	const char *policy = json_string_value(json_object_get(axes, "policy"));

	return policy ? plot_text(arena, policy, LABEL_CHARACTERS)
		      : "kernel's policy";
}

static const char *line_label(struct plot_set *set, size_t result,
			      const json_t *axes, const char *policy)
{
	const char *side = json_string_value(json_object_get(axes, "side"));
	const char *label = policy;

	if (side)
		label = arena_print(set->arena, "%s, %s", policy, side);
	if (label && set->nresults > 1)
		label = arena_print(set->arena, "%s: %s", set->label[result],
				    label);
	return label ? plot_text(set->arena, label, LABEL_CHARACTERS + 12)
		     : NULL;
}

/* ----------------------------------------------------------------- entries */

static int fill_entry(struct filler *f, size_t result, size_t index)
{
	struct plot_set *set = f->set;
	const struct samples *samples = set->result[result];
	const struct samples_cell *cell = &samples->cell[index];
	const json_t *vcpus = json_object_get(cell->axes, "vcpus");
	json_int_t n = json_integer_value(vcpus);
	struct entry *e = &f->entry[f->n++];

	if (n < 1 || n > UINT32_MAX)
		return err_set(f->e, EXIT_USAGE,
			       "%s: cells[%zu].axes.vcpus: expected a whole "
			       "number above 0",
			       samples->path, index);
	*e = (struct entry){.samples = samples, .cell = cell};
	e->vcpus = (uint32_t)n;
	e->name = group_name(set->arena, cell->axes, cell->workload);
	e->policy = policy_name(set->arena, cell->axes);
	e->label = e->policy ? line_label(set, result, cell->axes, e->policy)
			     : NULL;
	return e->name && e->label ? 0 : no_memory(f->e);
}

static int fill_entries(struct filler *f)
{
	size_t n = 0;

	for (size_t r = 0; r < f->set->nresults; r++)
		n += f->set->result[r]->ncells;
	f->entry = arena_alloc(f->set->arena, n, sizeof(*f->entry));
	if (!f->entry)
		return no_memory(f->e);
	for (size_t r = 0; r < f->set->nresults; r++)
		for (size_t i = 0; i < f->set->result[r]->ncells; i++)
			if (fill_entry(f, r, i))
				return -1;
	return 0;
}

/* ------------------------------------------------------------------ groups */

/* File names are not names: two groups may have the same one. */
static const char *own_slug(struct plot_set *set, const char *name)
{
	const char *slug = plot_slug(set->arena, name), *own = slug;

	for (unsigned int try = 2; own; try++) {
		size_t i = 0;

		while (i < set->ngroups && strcmp(set->group[i].slug, own) != 0)
			i++;
		if (i == set->ngroups)
			break;
		own = arena_print(set->arena, "%s-%u", slug, try);
	}
	return own;
}

static int add_group(struct filler *f, const struct entry *entry)
{
	struct plot_set *set = f->set;
	struct plot_group *g = &set->group[set->ngroups];
	const json_t *workloads =
		json_object_get(entry->samples->top, "workloads");
	const char *summary = json_string_value(json_object_get(
		json_object_get(workloads, entry->cell->workload), "summary"));

	g->name = entry->name;
	g->workload = entry->cell->workload;
	g->slug = own_slug(set, entry->name);
	g->operation = plot_text(set->arena, entry->cell->operation, 40);
	g->summary = plot_text(set->arena, summary ? summary : "", 100);
	if (!g->slug || !g->operation || !g->summary)
		return no_memory(f->e);
	set->ngroups++;
	return 0;
}

static int find_groups(struct filler *f)
{
	struct plot_set *set = f->set;

	set->group = arena_alloc(set->arena, f->n, sizeof(*set->group));
	if (!set->group)
		return no_memory(f->e);
	for (size_t i = 0; i < f->n; i++) {
		struct entry *e = &f->entry[i];

		for (e->group = 0; e->group < set->ngroups; e->group++)
			if (strcmp(set->group[e->group].name, e->name) == 0)
				break;
		if (e->group == set->ngroups && add_group(f, e))
			return -1;
	}
	return 0;
}

/* ------------------------------------------------------------------- cells */

static size_t find_line(const struct plot_group *g, const char *label)
{
	size_t i = 0;

	while (i < g->nlines && strcmp(g->line[i].label, label) != 0)
		i++;
	return i;
}

static size_t find_vcpus(const struct plot_group *g, uint32_t vcpus)
{
	size_t i = 0;

	while (i < g->nvcpus && g->vcpus[i] != vcpus)
		i++;
	return i;
}

static int by_count(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* As a run notes it of cells with more threads than CPUs. */
static bool is_oversubscribed(const struct samples_cell *cell)
{
	static const char mark[] = "oversubscribed: ";
	size_t i;
	json_t *note;

	json_array_foreach(cell->notes, i, note)
	{
		const char *text = json_string_value(note);

		if (text && strncmp(text, mark, strlen(mark)) == 0)
			return true;
	}
	return false;
}

static void place(const struct plot_set *set, struct plot_group *g,
		  const struct entry *e)
{
	size_t line = find_line(g, e->label);
	struct plot_cell *to =
		&g->cell[line * g->nvcpus + find_vcpus(g, e->vcpus)];

	to->samples = e->samples;
	to->cell = e->cell;
	to->left_out =
		!set->options->oversubscribed && is_oversubscribed(e->cell);
}

static int fill_group(struct filler *f, size_t group)
{
	struct plot_set *set = f->set;
	struct plot_group *g = &set->group[group];
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->entry[i].group == group;
	g->line = arena_alloc(set->arena, n, sizeof(*g->line));
	g->vcpus = arena_alloc(set->arena, n, sizeof(*g->vcpus));
	if (!g->line || !g->vcpus)
		return no_memory(f->e);
	for (size_t i = 0; i < f->n; i++) {
		const struct entry *e = &f->entry[i];

		if (e->group != group)
			continue;
		if (find_line(g, e->label) == g->nlines)
			g->line[g->nlines++] =
				(struct plot_line){e->label, e->policy};
		if (find_vcpus(g, e->vcpus) == g->nvcpus)
			g->vcpus[g->nvcpus++] = e->vcpus;
	}
	qsort(g->vcpus, g->nvcpus, sizeof(*g->vcpus), by_count);
	g->cell = arena_alloc(set->arena, g->nlines * g->nvcpus,
			      sizeof(*g->cell));
	if (!g->cell)
		return no_memory(f->e);
	for (size_t i = 0; i < f->n; i++)
		if (f->entry[i].group == group)
			place(set, g, &f->entry[i]);
	return 0;
}

int plot_set_fill(struct plot_set *set, struct err *e)
{
	struct filler f = {.set = set, .e = e};

	set->ngroups = 0;
	if (fill_entries(&f) || find_groups(&f))
		return -1;
	for (size_t i = 0; i < set->ngroups; i++)
		if (fill_group(&f, i))
			return -1;
	return 0;
}

static bool shared(const struct plot_group *g)
{
	const struct samples *first = NULL;

	for (size_t i = 0; i < g->nlines * g->nvcpus; i++) {
		const struct plot_cell *cell = &g->cell[i];

		if (cell->cell && first && cell->samples != first)
			return true;
		if (cell->cell)
			first = cell->samples;
	}
	return false;
}

void plot_set_keep_shared(struct plot_set *set)
{
	size_t n = 0;

	for (size_t i = 0; i < set->ngroups; i++)
		if (shared(&set->group[i]))
			set->group[n++] = set->group[i];
	set->ngroups = n;
}

/* ------------------------------------------------------------------ choice */

enum presence { NONE_GOOD, SOME_GOOD, ALL_THERE };

static enum presence presence(const struct plot_group *g, size_t vcpus)
{
	size_t there = 0, good = 0;

	for (size_t l = 0; l < g->nlines; l++) {
		const struct plot_cell *cell = plot_at(g, l, vcpus);
		const char *name = plot_status_name(cell);

		good += plot_good(cell);
		there += cell->cell && !cell->left_out &&
			 strcmp(name, "unsupported") != 0;
	}
	if (good == 0)
		return NONE_GOOD;
	return there == g->nlines ? ALL_THERE : SOME_GOOD;
}

size_t plot_common(const struct plot_set *set, const struct plot_group *g)
{
	size_t best = SIZE_MAX;

	if (set->options->vcpus) {
		size_t i = find_vcpus(g, (uint32_t)set->options->vcpus);

		return i < g->nvcpus && presence(g, i) != NONE_GOOD ? i
								    : SIZE_MAX;
	}
	for (size_t i = g->nvcpus; i-- > 0;) {
		if (presence(g, i) == ALL_THERE)
			return i;
		if (presence(g, i) == SOME_GOOD && best == SIZE_MAX)
			best = i;
	}
	return best;
}
