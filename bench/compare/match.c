/* SPDX-License-Identifier: GPL-2.0-only */
/* Sides, and which cells of theirs belong together. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/impl.h"
#include "bench/export/export.h"
#include "bench/result/encode.h"

/* The sides' names while they are collected. */
struct matcher {
	struct comparison *c;
	struct compare_cells *cells;
	json_t *index; /* key -> number of the cell */
	size_t room;
	struct err *e;
};

int compare_no_memory(struct err *e)
{
	return err_set(e, EXIT_FAILED, "out of memory");
}

static char *keep(struct arena *arena, char *text)
{
	char *copy = text ? arena_text(arena, text) : NULL;

	free(text);
	return copy;
}

/* ------------------------------------------------------------------- sides */

/* The file's name without folder and ".json". */
static char *file_label(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char *plain = keep(arena, export_plain(name));
	size_t n = plain ? strlen(plain) : 0;

	if (n > 5 && strcmp(plain + n - 5, ".json") == 0)
		plain[n - 5] = '\0';
	return plain;
}

/* Two files of the same name: numbered, so that tables can be read. */
static bool number_label(struct comparison *c, size_t side)
{
	char *label = c->side[side].label;
	size_t same = 1;

	for (size_t i = 0; i < side; i++)
		same += strcmp(c->side[i].path, c->side[side].path) == 0 ||
			strcmp(c->side[i].label, label) == 0;
	if (same > 1)
		label = arena_print(c->arena, "%s#%zu", label, same);
	c->side[side].label = label;
	return label;
}

static int sides_of_results(struct comparison *c, struct err *e)
{
	const struct compare_request *r = c->request;

	c->by = "result";
	c->nsides = r->nresults;
	c->side = arena_alloc(c->arena, c->nsides, sizeof(*c->side));
	if (!c->side)
		return compare_no_memory(e);
	for (size_t i = 0; i < c->nsides; i++) {
		struct compare_side *s = &c->side[i];
		const char *given = r->label ? r->label[i] : NULL;

		s->samples = r->result[i];
		s->path = s->samples->path;
		s->label = given ? keep(c->arena, export_plain(given))
				 : file_label(c->arena, s->path);
		if (!s->label || (!given && !number_label(c, i)))
			return compare_no_memory(e);
	}
	return 0;
}

static bool add_side(struct comparison *c, const char *label)
{
	struct compare_side *s = &c->side[c->nsides];

	for (size_t i = 0; i < c->nsides; i++)
		if (strcmp(c->side[i].label, label) == 0)
			return true;
	s->samples = c->request->result[0];
	s->path = s->samples->path;
	s->label = arena_text(c->arena, label);
	if (s->label)
		c->nsides++;
	return s->label;
}

/* The base first, the others in the order of the result. */
static int sides_of_axis(struct comparison *c, struct err *e)
{
	const struct compare_request *r = c->request;
	const struct samples *s = r->result[0];
	bool good = true;

	c->by = r->by;
	c->side = arena_alloc(c->arena, s->ncells + 1, sizeof(*c->side));
	good = c->side && (!r->base || add_side(c, r->base));
	for (size_t i = 0; good && i < s->ncells; i++) {
		const json_t *v = json_object_get(s->cell[i].axes, r->by);
		char *text = v ? export_axis(v) : NULL;

		good = !v || (text && add_side(c, text));
		free(text);
	}
	return good ? 0 : compare_no_memory(e);
}

static int check_sides(const struct comparison *c, struct err *e)
{
	const struct compare_request *r = c->request;

	if (!r->by)
		return 0;
	if (c->nsides < 2)
		return err_set(
			e, EXIT_USAGE,
			"%.200s: --by: no two values of an axis \"%.60s\""
			" are in the result",
			r->result[0]->path, r->by);
	return 0;
}

static int check_base(const struct comparison *c,
		      const struct compare_cells *cells, struct err *e)
{
	for (size_t i = 0; i < cells->n; i++)
		if (cells->cell[i].side[0])
			return 0;
	if (c->request->base)
		return err_set(e, EXIT_USAGE,
			       "%.200s: --base: no cell has %.60s=%.60s",
			       c->side[0].path, c->by, c->request->base);
	return err_set(e, EXIT_USAGE, "%.200s: no cell%s", c->side[0].path,
		       c->request->cells.n ? " is as --cell says" : "s");
}

/* ------------------------------------------------------------------- cells */

/* Does a cell have what "AXIS=VALUE" says?  -1: out of memory. */
static int holds(const json_t *axes, const char *condition)
{
	size_t n = strcspn(condition, "=");
	const char *key;
	int status = 0;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)axes, key, v)
	{
		char *text;

		if (strlen(key) != n || strncmp(key, condition, n) != 0)
			continue;
		text = export_axis(v);
		if (!text)
			return -1;
		status = condition[n] && strcmp(text, condition + n + 1) == 0;
		free(text);
	}
	return status;
}

static int is_selected(const struct compare_request *r, const json_t *axes)
{
	for (size_t i = 0; i < r->cells.n; i++) {
		int status = holds(axes, r->cells.v[i]);

		if (status <= 0)
			return status;
	}
	return 1;
}

/* The axes that are no side, in an order of their own. */
static char *key_of(const struct comparison *c, json_t *axes)
{
	json_t *rest = c->request->by ? json_copy(axes) : json_incref(axes);
	char *text;

	if (rest && c->request->by)
		json_object_del(rest, c->request->by);
	text = rest ? json_dumps(rest, JSON_STYLE | JSON_SORT_KEYS) : NULL;
	json_decref(rest);
	return text;
}

static bool make_room(struct matcher *m)
{
	struct compare_cells *all = m->cells;
	size_t room = m->room ? 2 * m->room : 64;
	struct compare_cell *cell;

	if (all->n < m->room)
		return true;
	cell = realloc(all->cell, room * sizeof(*cell));
	if (!cell)
		return false;
	all->cell = cell;
	m->room = room;
	return true;
}

/* Number of the cell of a key, which is made when it is new. */
static bool place_of(struct matcher *m, const char *key, size_t *place)
{
	json_t *known = json_object_get(m->index, key);
	struct compare_cells *all = m->cells;
	struct compare_cell cell = {0};

	*place = known ? (size_t)json_integer_value(known) : all->n;
	if (known)
		return true;
	cell.side = arena_alloc(m->c->arena, m->c->nsides, sizeof(*cell.side));
	cell.key = arena_text(m->c->arena, key);
	if (!cell.side || !cell.key || !make_room(m) ||
	    json_object_set_new(m->index, key,
				json_integer((json_int_t)all->n)))
		return false;
	all->cell[all->n++] = cell;
	return true;
}

static int side_of(const struct comparison *c, const json_t *axes)
{
	const json_t *v = json_object_get(axes, c->by);
	char *text = v ? export_axis(v) : NULL;
	int side = -1;

	for (size_t i = 0; text && i < c->nsides; i++)
		if (strcmp(c->side[i].label, text) == 0)
			side = (int)i;
	free(text);
	return side;
}

/* Twice the same cell: of a file that is none of ours; the last one counts. */
static int add_cell(struct matcher *m, const struct samples_cell *cell,
		    size_t result)
{
	int selected = is_selected(m->c->request, cell->axes);
	int side = m->c->request->by ? side_of(m->c, cell->axes) : (int)result;
	bool good = true;
	size_t place;
	char *key;

	if (selected < 0)
		return compare_no_memory(m->e);
	if (!selected || side < 0)
		return 0;
	key = key_of(m->c, cell->axes);
	good = key && place_of(m, key, &place);
	free(key);
	if (!good)
		return compare_no_memory(m->e);
	m->cells->cell[place].side[side] = cell;
	m->cells->cell[place].any = cell;
	return 0;
}

/* Cells of a workload together, workloads in the order in which they came. */
static bool sort_by_workload(struct compare_cells *all)
{
	struct compare_cell *sorted = calloc(all->n + 1, sizeof(*sorted));
	bool *done = calloc(all->n + 1, sizeof(*done));
	size_t n = 0;

	for (size_t i = 0; sorted && done && i < all->n; i++) {
		for (size_t k = i; !done[i] && k < all->n; k++) {
			if (done[k] || strcmp(all->cell[k].any->workload,
					      all->cell[i].any->workload) != 0)
				continue;
			sorted[n++] = all->cell[k];
			done[k] = k > i;
		}
	}
	free(done);
	if (!sorted || !done)
		free(sorted);
	else {
		free(all->cell);
		all->cell = sorted;
	}
	return sorted && done;
}

static void count_lonely(struct comparison *c, const struct compare_cells *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct samples_cell **side = all->cell[i].side;
		bool others = false, bad = false;

		for (size_t k = 1; k < c->nsides; k++) {
			others |= side[k] != NULL;
			bad |= side[k] && strcmp(side[k]->status, "ok") != 0;
		}
		c->only[0] += side[0] && !others;
		c->only[1] += !side[0];
		c->status_changes +=
			bad && side[0] && strcmp(side[0]->status, "ok") == 0;
	}
}

/* "10", or "8-10" where cells differ. */
static bool name_repeats(struct comparison *c, const struct compare_cells *all)
{
	for (size_t k = 0; k < c->nsides; k++) {
		size_t low = SIZE_MAX, high = 0;

		for (size_t i = 0; i < all->n; i++) {
			const struct samples_cell *cell = all->cell[i].side[k];
			size_t n = cell ? cell->nrepeats : 0;

			if (!cell || strcmp(cell->status, "ok") != 0)
				continue;
			low = n < low ? n : low;
			high = n > high ? n : high;
		}
		c->side[k].repeats =
			low < high ? arena_print(c->arena, "%zu-%zu", low, high)
				   : arena_print(c->arena, "%zu", high);
		if (!c->side[k].repeats)
			return false;
	}
	return true;
}

int compare_match(struct comparison *c, struct compare_cells *cells,
		  struct err *e)
{
	struct matcher m = {.c = c, .cells = cells, .e = e};
	const struct compare_request *r = c->request;
	int status = r->by ? sides_of_axis(c, e) : sides_of_results(c, e);

	if (status || check_sides(c, e))
		return -1;
	m.index = json_object();
	if (!m.index)
		return compare_no_memory(e);
	for (size_t i = 0; status == 0 && i < r->nresults; i++)
		for (size_t k = 0; status == 0 && k < r->result[i]->ncells; k++)
			status = add_cell(&m, &r->result[i]->cell[k], i);
	json_decref(m.index);
	if (status || check_base(c, cells, e))
		return -1;
	count_lonely(c, cells);
	if (!sort_by_workload(cells) || !name_repeats(c, cells))
		return compare_no_memory(e);
	return 0;
}

/* "tdh_mem_page_aug.latency": of a call of the module. */
static bool is_call_latency(const char *metric)
{
	return fnmatch("td[hg]_*.latency", metric, 0) == 0;
}

bool compare_wanted(const void *ctx, const char *operation,
		    const struct samples_metric *metric)
{
	const struct compare_request *r = ctx;

	for (size_t i = 0; i < r->metrics.n; i++)
		if (fnmatch(r->metrics.v[i], metric->name, 0) == 0)
			return true;
	if (r->also && r->also(r->also_ctx, operation, metric))
		return true;
	return r->metrics.n == 0 &&
	       (samples_headline(NULL, operation, metric) ||
		is_call_latency(metric->name));
}
