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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_of_one_vcpu_keeps_the_laws),
		cmocka_unit_test(every_cell_of_two_vcpus_keeps_the_laws),
	};

	return cmocka_run_group_tests(tests, find_cpus, NULL);
}
