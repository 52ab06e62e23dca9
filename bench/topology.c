/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <hwloc.h>
#include <stdlib.h>
#include <string.h>

#include "bench/topology.h"

/*
 * How many CPUs a synthetic description would make: the product of its
 * counts.  Asked before hwloc, which would make any number of them.
 */
static unsigned long long synthetic_cpus(const char *what)
{
	unsigned long long cpus = 1;
	int depth = 0;

	for (const char *p = what; *p && cpus <= TOPOLOGY_MAX_CPUS; p++) {
		char before = p == what ? ' ' : p[-1];

		depth += (*p == '(') - (*p == ')');
		if (depth > 0 || !isdigit((unsigned char)*p) ||
		    !(before == ':' || isspace((unsigned char)before)))
			continue;
		cpus *= strtoull(p, NULL, 10);
	}
	return cpus;
}

static int is_cache(hwloc_obj_t obj)
{
	return hwloc_obj_type_is_dcache(obj->type);
}

/* The largest cache between a core and its package, or the core. */
static hwloc_obj_t complex_of(hwloc_obj_t core, hwloc_obj_t package)
{
	hwloc_obj_t found = core;

	for (hwloc_obj_t o = core->parent; o && o != package; o = o->parent)
		if (is_cache(o) &&
		    hwloc_bitmap_weight(o->cpuset) >
			    hwloc_bitmap_weight(core->cpuset) &&
		    !hwloc_bitmap_isequal(o->cpuset, package->cpuset))
			found = o;
	return found;
}

/* Number of each object that stands for a complex: its first PU. */
static unsigned first_pu(hwloc_topology_t t, hwloc_obj_t obj)
{
	hwloc_obj_t pu = hwloc_get_next_obj_inside_cpuset_by_type(
		t, obj->cpuset, HWLOC_OBJ_PU, NULL);

	return pu ? pu->logical_index : 0;
}

struct pu_place {
	struct cpu_place place;
	unsigned sibling; /* which hyperthread of its core */
	unsigned order;	  /* hwloc's logical index: package by package */
};

static struct pu_place place_of(hwloc_topology_t t, hwloc_obj_t pu)
{
	hwloc_obj_t core =
		hwloc_get_ancestor_obj_by_type(t, HWLOC_OBJ_CORE, pu);
	hwloc_obj_t package =
		hwloc_get_ancestor_obj_by_type(t, HWLOC_OBJ_PACKAGE, pu);
	unsigned first, package_index = package ? package->logical_index : 0;

	if (!core)
		core = pu;
	if (!package)
		package = hwloc_get_root_obj(t);
	first = first_pu(t, core);
	return (struct pu_place){
		.place = {(u16)core->logical_index,
			  (u16)first_pu(t, complex_of(core, package)),
			  (u16)package_index},
		.sibling = pu->logical_index - first,
		.order = pu->logical_index,
	};
}

static int by_sibling(const void *a, const void *b)
{
	const struct pu_place *x = a, *y = b;

	if (x->sibling != y->sibling)
		return x->sibling < y->sibling ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static int fill(hwloc_topology_t t, struct topology *out, struct err *e)
{
	int n = hwloc_get_nbobjs_by_type(t, HWLOC_OBJ_PU);
	int packages = hwloc_get_nbobjs_by_type(t, HWLOC_OBJ_PACKAGE);
	struct pu_place *pu;

	if (n < 1 || n > TOPOLOGY_MAX_CPUS)
		return err_set(e, EXIT_USAGE, "%d CPUs, expected 1 to %d", n,
			       TOPOLOGY_MAX_CPUS);
	pu = calloc((size_t)n, sizeof(*pu));
	out->cpu = calloc((size_t)n, sizeof(*out->cpu));
	if (!pu || !out->cpu) {
		free(pu);
		topology_free(out);
		return err_set(e, EXIT_FAILED, "out of memory");
	}
	for (int i = 0; i < n; i++)
		pu[i] = place_of(
			t, hwloc_get_obj_by_type(t, HWLOC_OBJ_PU, (unsigned)i));
	qsort(pu, (size_t)n, sizeof(*pu), by_sibling);
	for (int i = 0; i < n; i++)
		out->cpu[i] = pu[i].place;
	out->ncpus = (u32)n;
	out->npackages = packages > 0 ? (u32)packages : 1;
	free(pu);
	return 0;
}

int topology_load(const char *what, struct topology *topology, struct err *e)
{
	int synthetic = strcmp(what, "host") != 0, status = -1;
	unsigned long long cpus = synthetic ? synthetic_cpus(what) : 1;
	hwloc_topology_t t;

	memset(topology, 0, sizeof(*topology));
	if (cpus < 1 || cpus > TOPOLOGY_MAX_CPUS)
		return err_set(e, EXIT_USAGE,
			       "expected 1 to %d CPUs, not those of \"%.80s\"",
			       TOPOLOGY_MAX_CPUS, what);
	if (hwloc_topology_init(&t))
		return err_set(e, EXIT_FAILED, "out of memory");
	if (synthetic && hwloc_topology_set_synthetic(t, what))
		err_set(e, EXIT_USAGE,
			"\"%.80s\" is neither \"host\" nor an hwloc synthetic "
			"description such as \"pack:2 core:56 pu:2\"",
			what);
	else if (hwloc_topology_load(t))
		err_set(e, EXIT_FAILED, "hwloc cannot load \"%.80s\"", what);
	else
		status = fill(t, topology, e);
	hwloc_topology_destroy(t);
	return status;
}

void topology_free(struct topology *topology)
{
	free(topology->cpu);
	memset(topology, 0, sizeof(*topology));
}
