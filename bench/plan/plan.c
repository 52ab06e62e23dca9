/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "bench/plan/config_impl.h"
#include "bench/plan/plan.h"

void plan_cell(const struct config *config, size_t index, struct cell *cell)
{
	memset(cell, 0, sizeof(*cell));
	for (size_t i = config->naxes; i-- > 0;) {
		const struct axis *axis = &config->axes[i];

		cell->place[i] = index % axis->n;
		index /= axis->n;
		if (axis->kind == AXIS_POLICY)
			cell->policy = &axis->policy[cell->place[i]];
		else if (axis->kind == AXIS_VCPUS)
			cell->vcpus = axis->vcpus[cell->place[i]];
	}
	cell->workload = &config->workloads[index];
}

static json_t *axis_value(const struct axis *axis, const struct cell *cell,
			  size_t place)
{
	switch (axis->kind) {
	case AXIS_POLICY:
		return json_string(cell->policy->label);
	case AXIS_VCPUS:
		return json_integer(cell->vcpus);
	default:
		return json_incref(json_array_get(axis->values, place));
	}
}

json_t *plan_axes(const struct config *config, const struct cell *cell)
{
	json_t *axes = json_object();
	int failed = json_object_set_new(
		axes, "workload", json_string(cell->workload->workload->name));

	for (size_t i = 0; i < config->naxes; i++)
		failed |= json_object_set_new(
			axes, config->axes[i].name,
			axis_value(&config->axes[i], cell, cell->place[i]));
	if (config->side)
		failed |= json_object_set_new(axes, "side",
					      json_string(config->side));
	if (failed) {
		json_decref(axes);
		return NULL;
	}
	return axes;
}

void plan_knobs(const struct config *config, const struct cell *cell,
		int64_t *value)
{
	const struct workload *w = cell->workload->workload;
	struct err ignored;
	struct at at = at_root(config->file, &ignored);

	memcpy(value, cell->workload->value,
	       cell->workload->nknobs * sizeof(*value));
	for (size_t i = 0; i < config->naxes; i++) {
		const struct axis *axis = &config->axes[i];
		int k;

		if (axis->kind != AXIS_KNOB)
			continue;
		/* Both were checked when the config was loaded. */
		k = workload_knob(w, axis->name);
		parse_knob(w->knobs[k],
			   json_array_get(axis->values, cell->place[i]),
			   &value[k], &at);
	}
}

/* FNV-1a, 64 bits. */
static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	while (n--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

/* The same on machines of either byte order. */
static uint64_t hash_number(uint64_t h, uint64_t n)
{
	for (int i = 0; i < 8; i++, n >>= 8) {
		unsigned char byte = (unsigned char)n;

		h = hash_bytes(h, &byte, 1);
	}
	return h;
}

uint64_t plan_seed(uint64_t config_seed, const char *axes_text, uint32_t repeat)
{
	uint64_t h = 0xcbf29ce484222325ull;

	h = hash_number(h, config_seed);
	h = hash_bytes(h, axes_text, strlen(axes_text));
	h = hash_number(h, repeat);
	/* FNV leaves the upper bits of short inputs alike: mix (splitmix). */
	h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ull;
	h = (h ^ (h >> 27)) * 0x94d049bb133111ebull;
	return (h ^ (h >> 31)) >> 11;
}
