/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bench/scenario.h"

/* ----------------------------------------------------------------- knobs */

static const char *const page_sizes[] = {"4k", "2m", NULL};
static const char *const layouts[] = {"disjoint", "interleaved", "shared",
				      NULL};
static const char *const others[] = {"inside", "halted", "ticking", "faulting",
				     NULL};
static const char *const accepts[] = {"first", "on-ve", "none", NULL};

/* 2^16 pages of 2M for each of 1024 vCPUs are within 48 bits of GPA. */
const struct knob knob_pages = {
	.name = "pages",
	.type = KNOB_INT,
	.unit = "pages",
	.def = 128,
	.min = 1,
	.max = 65536,
	.help = "pages for each vCPU",
};

const struct knob knob_page_size = {
	.name = "page_size",
	.type = KNOB_CHOICE,
	.unit = "",
	.def = PAGE_4K,
	.choices = page_sizes,
	.help = "size that is mapped and accepted",
};

const struct knob knob_layout = {
	.name = "layout",
	.type = KNOB_CHOICE,
	.unit = "",
	.def = LAYOUT_DISJOINT,
	.choices = layouts,
	.help = "whose pages are where: each vCPU its own page tables, every "
		"vCPU pages in every table, or all vCPUs the same pages",
};

const struct knob knob_others = {
	.name = "others",
	.type = KNOB_CHOICE,
	.unit = "",
	.def = OTHERS_TICKING,
	.choices = others,
	.help = "what the vCPUs do that are not measured",
};

const struct knob knob_tick_ns = {
	.name = "tick_ns",
	.type = KNOB_INT,
	.unit = "ns",
	.def = 20000,
	.min = 100,
	.max = 1000000000,
	.help = "others: time from one exit, or fault, to the next",
};

const struct knob knob_accept = {
	.name = "accept",
	.type = KNOB_CHOICE,
	.unit = "",
	.def = ACCEPT_FIRST,
	.choices = accepts,
	.help = "ACCEPT before the first touch, after the #VE, or never",
};

const struct knob knob_ve_disable = {
	.name = "ve_disable",
	.type = KNOB_BOOL,
	.unit = "",
	.def = 0,
	.min = 0,
	.max = 1,
	.help = "a touch of a pending page ends the TD instead of giving #VE",
};

const struct knob knob_host_threads = {
	.name = "host_threads",
	.type = KNOB_INT,
	.unit = "",
	.def = 1,
	.min = 1,
	.max = 64,
	.help = "host threads that do the work together",
};

int64_t knob(const struct knob_values *values, const char *name)
{
	size_t i;

	for (i = 0; values->knobs[i]; i++) {
		if (!strcmp(values->knobs[i]->name, name))
			return values->value[i];
	}
	abort(); /* a workload asks for a knob that is not in its table */
}

/* -------------------------------------------------------------- scenario */

bool scenario_init(struct scenario *s, uint32_t tds, uint32_t vcpus,
		   uint32_t hosts)
{
	*s = (struct scenario){.tds = tds, .vcpus = vcpus, .hosts = hosts};
	s->vcpu = calloc((size_t)tds * vcpus + 1, sizeof(*s->vcpu));
	s->host = calloc((size_t)hosts + 1, sizeof(*s->host));
	if (s->vcpu && s->host)
		return true;
	scenario_free(s);
	return false;
}

void scenario_free(struct scenario *s)
{
	size_t i;

	for (i = 0; s->vcpu && i < (size_t)s->tds * s->vcpus; i++)
		free(s->vcpu[i].op);
	for (i = 0; s->host && i < s->hosts; i++)
		free(s->host[i].op);
	free(s->vcpu);
	free(s->host);
	*s = (struct scenario){0};
}

/* Room for one more of `n` elements; false when out of memory. */
static bool grow(void **array, uint32_t n, uint32_t *room, size_t size)
{
	uint32_t more = *room ? *room * 2 : 8;
	void *bigger;

	if (n < *room)
		return true;
	bigger = more > n ? realloc(*array, more * size) : NULL;
	if (!bigger)
		return false;
	*array = bigger;
	*room = more;
	return true;
}

void scenario_vcpu(struct scenario *s, uint32_t td, uint32_t vcpu,
		   struct agent_op op)
{
	struct agent_script *script = &s->vcpu[td * s->vcpus + vcpu];
	void *array = script->op;

	assert(td < s->tds && vcpu < s->vcpus);
	if (!grow(&array, script->n, &script->room, sizeof(op))) {
		s->failed = true;
		return;
	}
	script->op = array;
	script->op[script->n++] = op;
}

void scenario_host(struct scenario *s, uint32_t thread, struct host_op op)
{
	struct host_script *script = &s->host[thread];
	void *array = script->op;

	assert(thread < s->hosts);
	if (!grow(&array, script->n, &script->room, sizeof(op))) {
		s->failed = true;
		return;
	}
	script->op = array;
	script->op[script->n++] = op;
}
