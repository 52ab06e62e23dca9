/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <hwloc.h>
#include <stdlib.h>
#include <string.h>

#include "bench/plan/topology.h"

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
	unsigned os;	  /* the kernel's number */
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
		.os = pu->os_index,
	};
}

static int by_sibling(const void *a, const void *b)
{
	const struct pu_place *x = a, *y = b;

	if (x->sibling != y->sibling)
		return x->sibling < y->sibling ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

/* All PUs in the order in which strands get them, for free(). */
static struct pu_place *places(hwloc_topology_t t, u32 *count, struct err *e)
{
	int n = hwloc_get_nbobjs_by_type(t, HWLOC_OBJ_PU);
	struct pu_place *pu;

	if (n < 1 || n > TOPOLOGY_MAX_CPUS) {
		err_set(e, EXIT_USAGE, "%d CPUs, expected 1 to %d", n,
			TOPOLOGY_MAX_CPUS);
		return NULL;
	}
	pu = calloc((size_t)n, sizeof(*pu));
	if (!pu) {
		err_set(e, EXIT_FAILED, "out of memory");
		return NULL;
	}
	for (int i = 0; i < n; i++)
		pu[i] = place_of(
			t, hwloc_get_obj_by_type(t, HWLOC_OBJ_PU, (unsigned)i));
	qsort(pu, (size_t)n, sizeof(*pu), by_sibling);
	*count = (u32)n;
	return pu;
}

static int take_places(hwloc_topology_t t, const struct pu_place *pu, u32 n,
		       struct topology *out, struct err *e)
{
	int packages = hwloc_get_nbobjs_by_type(t, HWLOC_OBJ_PACKAGE);

	out->cpu = calloc(n, sizeof(*out->cpu));
	if (!out->cpu)
		return err_set(e, EXIT_FAILED, "out of memory");
	for (u32 i = 0; i < n; i++)
		out->cpu[i] = pu[i].place;
	out->ncpus = n;
	out->npackages = packages > 0 ? (u32)packages : 1;
	return 0;
}

static int fill(hwloc_topology_t t, struct topology *out, struct err *e)
{
	u32 n;
	struct pu_place *pu = places(t, &n, e);
	int status = pu ? take_places(t, pu, n, out, e) : -1;

	free(pu);
	return status;
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

/* ------------------------------------------------------- this host's CPUs */

/* Without those that this process may not use; how many are left. */
static u32 keep_allowed(hwloc_topology_t t, struct pu_place *pu, u32 n)
{
	hwloc_bitmap_t may = hwloc_bitmap_alloc();
	u32 kept = 0;

	/* Where it cannot be asked, pinning will tell. */
	if (!may || hwloc_get_cpubind(t, may, HWLOC_CPUBIND_THREAD)) {
		hwloc_bitmap_free(may);
		return n;
	}
	for (u32 i = 0; i < n; i++)
		if (hwloc_bitmap_isset(may, pu[i].os))
			pu[kept++] = pu[i];
	hwloc_bitmap_free(may);
	return kept;
}

/* Move the CPU to the end of those that are chosen. */
static int choose(struct pu_place *pu, u32 n, u32 *chosen, unsigned long os,
		  struct err *e)
{
	for (u32 i = 0; i < n; i++) {
		struct pu_place found = pu[i];

		if (found.os != os)
			continue;
		if (i < *chosen)
			return err_set(e, EXIT_USAGE, "CPU %lu is named twice",
				       os);
		pu[i] = pu[*chosen];
		pu[(*chosen)++] = found;
		return 0;
	}
	return err_set(e, EXIT_USAGE,
		       "there is no CPU %lu here that this process may use",
		       os);
}

/* "0,2,4-7": those CPUs, in that order. */
static int choose_list(struct pu_place *pu, u32 *n, const char *pin,
		       struct err *e)
{
	u32 chosen = 0;
	char *end = NULL;

	for (const char *at = pin;; at = end + 1) {
		unsigned long first, last;

		first = last = strtoul(at, &end, 10);
		if (isdigit((unsigned char)*at) && *end == '-' &&
		    isdigit((unsigned char)end[1]))
			last = strtoul(end + 1, &end, 10);
		if (!isdigit((unsigned char)*at) || (*end && *end != ',') ||
		    last < first)
			return err_set(e, EXIT_USAGE,
				       "\"%.80s\": expected CPUs such as "
				       "\"0,2,4-7\", or \"none\"",
				       pin);
		for (unsigned long os = first; os <= last; os++)
			if (choose(pu, *n, &chosen, os, e))
				return -1;
		if (!*end)
			break;
	}
	*n = chosen;
	return 0;
}

static int take_cpus(hwloc_topology_t t, const char *pin,
		     struct topology *topology, u32 **os_cpu, struct err *e)
{
	bool pinned = !pin || strcmp(pin, "none") != 0;
	u32 n;
	struct pu_place *pu = places(t, &n, e);
	int status = pu ? 0 : -1;

	if (status == 0) {
		n = keep_allowed(t, pu, n);
		if (pinned && pin)
			status = choose_list(pu, &n, pin, e);
	}
	if (status == 0)
		status = take_places(t, pu, n, topology, e);
	if (status == 0 && pinned) {
		*os_cpu = calloc(n, sizeof(**os_cpu));
		for (u32 i = 0; *os_cpu && i < n; i++)
			(*os_cpu)[i] = pu[i].os;
		if (!*os_cpu) {
			topology_free(topology);
			status = err_set(e, EXIT_FAILED, "out of memory");
		}
	}
	free(pu);
	return status;
}

int topology_load_cpus(const char *pin, struct topology *topology, u32 **os_cpu,
		       struct err *e)
{
	hwloc_topology_t t;
	int status;

	memset(topology, 0, sizeof(*topology));
	*os_cpu = NULL;
	if (hwloc_topology_init(&t))
		return err_set(e, EXIT_FAILED, "out of memory");
	if (hwloc_topology_load(t))
		status = err_set(e, EXIT_FAILED,
				 "hwloc cannot tell this host's CPUs");
	else
		status = take_cpus(t, pin, topology, os_cpu, e);
	hwloc_topology_destroy(t);
	return status;
}
