/* SPDX-License-Identifier: GPL-2.0-only */
/* Making scenarios of workloads with knobs at chosen values, for tests. */
#ifndef TDMEM_TESTS_WORKLOAD_KIT_H
#define TDMEM_TESTS_WORKLOAD_KIT_H

#include <stdlib.h>
#include <string.h>

#include "bench/scenario.h"

enum { KIT_KNOBS = 32 };

/** A workload and the values of its knobs. */
struct kit {
	const struct workload *workload;
	int64_t value[KIT_KNOBS];
};

static inline const struct workload *kit_workload(const char *name)
{
	size_t i;

	for (i = 0; workloads[i]; i++) {
		if (!strcmp(workloads[i]->name, name))
			return workloads[i];
	}
	abort();
}

static inline struct kit kit_defaults(const struct workload *w)
{
	struct kit kit = {.workload = w};
	size_t i;

	for (i = 0; w->knobs[i]; i++) {
		if (i == KIT_KNOBS)
			abort();
		kit.value[i] = w->knobs[i]->def;
	}
	return kit;
}

static inline void kit_set(struct kit *kit, const char *knob_name,
			   int64_t value)
{
	size_t i;

	for (i = 0; kit->workload->knobs[i]; i++) {
		if (!strcmp(kit->workload->knobs[i]->name, knob_name)) {
			kit->value[i] = value;
			return;
		}
	}
	abort();
}

static inline int kit_make(const struct kit *kit, uint32_t vcpus,
			   struct scenario *s, struct err *err)
{
	struct knob_values values = {kit->workload->knobs, kit->value};

	return kit->workload->make(&values, vcpus, s, err);
}

#endif
