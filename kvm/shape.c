/* SPDX-License-Identifier: GPL-2.0-only */
/* What a scenario needs of its VM. */
#include <stdlib.h>

#include "kvm/cell.h"

/* Operations of that kind; into `part`, if it is there, what they are on. */
static uint32_t each(const struct scenario *s, enum host_opcode opcode,
		     struct memory_part *part)
{
	uint32_t i, k, n = 0;

	for (i = 0; i < s->hosts; i++) {
		for (k = 0; k < s->host[i].n; k++) {
			const struct host_op *op = &s->host[i].op[k];

			if (op->opcode != opcode)
				continue;
			if (part)
				part[n] = (struct memory_part){
					op->gpa, op->pages * 4096};
			n++;
		}
	}
	return n;
}

static int by_offset(const void *a, const void *b)
{
	const struct memory_part *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The same one again and again is one; others do not overlap. */
static uint32_t unique(struct memory_part *part, uint32_t n)
{
	uint32_t i, kept = 0;

	for (i = 0; i < n; i++) {
		if (!kept || part[i].offset != part[kept - 1].offset)
			part[kept++] = part[i];
	}
	return kept;
}

int kvm_cell_shape(const struct kvm_cell *cell, struct vmm_shape *shape,
		   struct memory_part **own)
{
	const struct scenario *s = cell->scenario;
	uint32_t n = each(s, HOST_SLOT, NULL);

	*own = calloc(n + 1ull, sizeof(**own));
	if (!*own)
		return -1;
	each(s, HOST_SLOT, *own);
	qsort(*own, n, sizeof(**own), by_offset);
	*shape = (struct vmm_shape){
		.vcpus = s->vcpus,
		.idle = each(s, HOST_PREFAULT, NULL) ? s->hosts : 0,
		.pages = s->pages,
		.huge = s->huge,
		.memory = cell->memory,
		.ve_disable = s->ve_disable,
		.unfinished = !s->finalized,
		.own = *own,
		.nown = unique(*own, n),
	};
	return 0;
}
