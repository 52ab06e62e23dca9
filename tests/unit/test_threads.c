/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The backend threads: every workload with every policy ends on real CPUs,
 * and its figures keep the laws of laws.h.
 */
#define _GNU_SOURCE /* sched_getaffinity */
#include <sched.h>

#include "tests/unit/laws.h"

static struct cpus {
	u32 n, os[2];
	struct cpu_place place[2];
} cpus;

/* Two of the CPUs that this process may use, or the one that there is. */
static int find_cpus(void **state)
{
	cpu_set_t set;

	(void)state;
	if (sched_getaffinity(0, sizeof(set), &set))
		return -1;
	for (u32 i = 0; i < CPU_SETSIZE && cpus.n < 2; i++) {
		if (!CPU_ISSET(i, &set))
			continue;
		cpus.place[cpus.n].core = (u16)i;
		cpus.os[cpus.n++] = i;
	}
	return cpus.n ? 0 : -1;
}

static void real_world(struct kit_world *world, u64 ncpus)
{
	u32 n = ncpus < cpus.n ? (u32)ncpus : cpus.n;

	world->topology.ncpus = n;
	world->topology.npackages = 1;
	for (u32 i = 0; i < n; i++)
		world->topology.cpu[i] = cpus.place[i];
	world->setup.os_cpu = cpus.os;
	/* Others may want the CPUs: what is stuck is so for long. */
	world->setup.livelock_ns = 300000000;
}

static void run_all(u32 vcpus)
{
	for (size_t v = 0; variants[v].workload; v++) {
		for (size_t p = 0; retry_policies[p].name; p++) {
			struct cell c;

			begin_cell(&c, &backend_threads, &variants[v],
				   &retry_policies[p], vcpus, real_world, 2);
			check(&c);
			end_cell(&c);
		}
	}
}

static void every_cell_of_one_vcpu_keeps_the_laws(void **state)
{
	(void)state;
	run_all(1);
}

static void every_cell_of_two_vcpus_keeps_the_laws(void **state)
{
	(void)state;
	run_all(2);
}

/* ------------------------------------------- the same model as the sim's */

/* One package, as the CPUs of real_world() are. */
static void exact_world(struct kit_world *world, u64 arg)
{
	default_world(world, arg);
	world->setup.jitter = 0;
	world->topology.npackages = 1;
	for (u32 i = 0; i < NR_CPUS; i++)
		world->topology.cpu[i].package = 0;
}

static void exact_real_world(struct kit_world *world, u64 arg)
{
	real_world(world, arg);
	world->setup.jitter = 0;
}

/* Where one strand does everything, nothing depends on time. */
static const struct variant alone[] = {
	{"build", {{"pages", 20}, {"racers", 0}}},
	{"fault-in", {{"pages", 24}}},
	{"fault-in", {{"pages", 24}, {"accept", ACCEPT_ON_VE}}},
	{"fault-in", {{"pages", 3}, {"page_size", PAGE_2M}}},
	{"accept", {{"pages", 24}}},
	{"convert", {{"pages", 6}}},
	{"reclaim", {{"pages", 16}}},
	{"reclaim", {{"pages", 16}, {"order", 1}}},
	{"reclaim", {{"pages", 2}, {"page_size", PAGE_2M}}},
};

/* Counts, not times: those that a machine cannot change. */
static bool is_count(const struct metric *m)
{
	return !m->histogram &&
	       (strstr(m->name, ".calls") || strstr(m->name, ".count") ||
		strstr(m->name, ".busy") || strstr(m->name, "zero_step."));
}

static void the_module_is_called_as_on_virtual_time(void **state)
{
	(void)state;
	for (size_t v = 0; v < sizeof(alone) / sizeof(*alone); v++) {
		struct cell real, sim;
		size_t counts = 0;

		begin_cell(&sim, &backend_sim, &alone[v],
			   kit_policy("kick-once"), 1, exact_world, 0);
		begin_cell(&real, &backend_threads, &alone[v],
			   kit_policy("kick-once"), 1, exact_real_world, 2);
		assert_int_equal(sim.sample.status, CELL_OK);
		assert_int_equal(real.sample.status, CELL_OK);
		for (size_t i = 0; i < metric_count(); i++) {
			const char *name = metric_at(i)->name;

			if (!is_count(metric_at(i)))
				continue;
			same(&real, name, number(&real, name),
			     number(&sim, name));
			counts += number(&sim, name) > 0;
		}
		assert_true(counts >= 2);
		end_cell(&real);
		end_cell(&sim);
	}
}

/* ----------------------------------------------------- how cells can end */

/* Each is a result, with its reason, and everything is given back. */
static void cut_cells_keep_the_laws(void **state)
{
	(void)state;
	for (size_t v = 0; variants[v].workload; v++) {
		struct kit_world world;
		struct cell c = {
			.backend = &backend_threads,
			.variant = &variants[v],
			.policy = kit_policy("eagain"),
			.vcpus = 2,
			.kit = kit_defaults(kit_workload(variants[v].workload)),
		};
		atomic_int stop = v % 2 == 0;

		for (size_t i = 0; i < SETTINGS && variants[v].set[i].knob; i++)
			kit_set(&c.kit, variants[v].set[i].knob,
				variants[v].set[i].value);
		kit_world_init(&world, "eagain", NR_CPUS);
		real_world(&world, 2);
		world.setup.stop = &stop;
		world.setup.max_ns = 300000;
		/* Never done in so little time: building a TD takes longer. */
		for (u32 c2 = 0; c2 < NR_TDX_CALLS; c2++)
			world.costs.tdx.call_ps[c2] = KIT_NS(20000);
		kit_run_on(&backend_threads, &c.kit, 2, &world, &c.sample);
		assert_int_equal(c.sample.status,
				 stop ? CELL_STOPPED : CELL_TIMEOUT);
		check(&c);
		end_cell(&c);
		kit_world_free(&world);
	}
}

/* Eight vCPUs, of which each has a quarter of a CPU or less. */
static void crowded_cells_keep_the_laws(void **state)
{
	(void)state;
	for (size_t v = 0; variants[v].workload; v++) {
		struct cell c;

		if (v % 5)
			continue;
		begin_cell(&c, &backend_threads, &variants[v],
			   kit_policy("spin"), 8, real_world, 2);
		check(&c);
		end_cell(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_of_one_vcpu_keeps_the_laws),
		cmocka_unit_test(every_cell_of_two_vcpus_keeps_the_laws),
		cmocka_unit_test(the_module_is_called_as_on_virtual_time),
		cmocka_unit_test(cut_cells_keep_the_laws),
		cmocka_unit_test(crowded_cells_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, find_cpus, NULL);
}
