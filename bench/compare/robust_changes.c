/* SPDX-License-Identifier: GPL-2.0-only */
/* Changes from a base: is the verdict the same with all columns? */
#include <math.h>
#include <stdlib.h>

#include "bench/compare/robust_impl.h"

enum { NOWHERE = -1 };

/* Number of the row of a key in a comparison: JSON key -> row. */
static json_t *index_rows(const struct comparison *c)
{
	json_t *index = json_object();

	for (size_t i = 0; index && i < c->nrows; i++) {
		char *key = robust_key(c, i);
		int bad = !key ||
			  json_object_set_new(index, key,
					      json_integer((json_int_t)i));

		free(key);
		if (bad) {
			json_decref(index);
			return NULL;
		}
	}
	return index;
}

static bool is_change(enum verdict v)
{
	return v == VERDICT_BETTER || v == VERDICT_WORSE ||
	       v == VERDICT_CHANGED;
}

static enum robust_outcome outcome_of(const struct robust_item *item)
{
	const enum verdict *v = item->verdict;
	bool same = true;

	for (size_t i = 0; i < ROBUST_COLUMNS; i++) {
		for (size_t k = i + 1; k < ROBUST_COLUMNS; k++) {
			if (is_change(v[i]) && is_change(v[k]) &&
			    item->ratio[i] * item->ratio[k] < 0)
				return ROBUST_REVERSES;
			same &= v[i] == v[k];
		}
	}
	return same ? ROBUST_SURVIVES : ROBUST_WEAKENS;
}

/* The change of a side of a row in all columns, if it is one in any. */
static bool add_change(const struct robust_runs *columns,
		       const int row[ROBUST_COLUMNS], size_t side,
		       struct robust *robust)
{
	const struct comparison *own = columns->comparison[robust->own];
	struct robust_item *item = &robust->item[robust->n];
	bool any = false, few = false;

	for (size_t i = 0; i < ROBUST_COLUMNS; i++) {
		const struct compare_row *r =
			row[i] == NOWHERE
				? NULL
				: &columns->comparison[i]->row[row[i]];

		item->verdict[i] = r ? r->change[side].verdict : VERDICT_NONE;
		item->ratio[i] = r ? r->change[side].ratio : (double)NAN;
		any |= is_change(item->verdict[i]);
		few |= item->verdict[i] == VERDICT_TOO_FEW;
		if (r && r->change[side].needed > robust->needed)
			robust->needed = r->change[side].needed;
	}
	if (!any && !few) {
		robust->quiet++;
		return true;
	}
	item = robust_item(robust, own, (size_t)row[robust->own]);
	if (!item)
		return false;
	item->side = arena_text(robust->arena, own->side[side].label);
	item->outcome = any ? outcome_of(item) : ROBUST_UNDECIDED;
	return item->side;
}

/* A row of the own column and those of the others that are the same. */
static bool find_rows(const struct robust_runs *columns, size_t own, size_t row,
		      json_t *const *index, int found[ROBUST_COLUMNS])
{
	char *key = robust_key(columns->comparison[own], row);

	for (size_t i = 0; key && i < ROBUST_COLUMNS; i++) {
		json_t *v = json_object_get(index[i], key);

		found[i] = v ? (int)json_integer_value(v) : NOWHERE;
	}
	free(key);
	return key;
}

bool robust_changes(const struct robust_runs *columns, struct robust *robust)
{
	const struct comparison *own = columns->comparison[robust->own];
	json_t *index[ROBUST_COLUMNS];
	bool good = true;

	for (size_t i = 0; i < ROBUST_COLUMNS; i++) {
		index[i] = index_rows(columns->comparison[i]);
		good &= index[i] != NULL;
	}
	for (size_t r = 0; good && r < own->nrows; r++) {
		int found[ROBUST_COLUMNS];

		good = find_rows(columns, robust->own, r, index, found);
		for (size_t s = 1; good && s < own->nsides; s++)
			good = add_change(columns, found, s, robust);
	}
	for (size_t i = 0; i < ROBUST_COLUMNS; i++)
		json_decref(index[i]);
	return good;
}
