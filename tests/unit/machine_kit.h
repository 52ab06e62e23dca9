/* SPDX-License-Identifier: GPL-2.0-only */
/* Small machines for the tests of the machine. */
#ifndef TDMEM_TEST_MACHINE_KIT_H
#define TDMEM_TEST_MACHINE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/machine/machine.h"

#define KIT_CPUS 1024

/* Distances that cannot be mistaken for each other. */
#define KIT_LOCAL   1000u
#define KIT_COMPLEX 20000u
#define KIT_SOCKET  50000u
#define KIT_REMOTE  130000u

/** Two packages of complexes of 8 CPUs, two CPUs a core. */
static inline const struct topology *kit_topology(void)
{
	static struct cpu_place cpu[KIT_CPUS];
	static struct topology topology = {KIT_CPUS, 2, cpu};

	for (u16 i = 0; i < KIT_CPUS; i++)
		cpu[i] = (struct cpu_place){
			.core = i / 2,
			.complex = i / 8,
			.package = i / (KIT_CPUS / 2),
		};
	return &topology;
}

/** No jitter and no limits: change what the test is about. */
static inline struct virtual_config kit_config(void)
{
	return (struct virtual_config){
		.topology = kit_topology(),
		.line = {KIT_LOCAL, KIT_COMPLEX, KIT_SOCKET, KIT_REMOTE},
		.seed = 1,
		.max_strands = KIT_CPUS,
	};
}

static inline struct machine *kit_machine(const struct virtual_config *config)
{
	struct machine *m = virtual_create(config);

	assert_non_null(m);
	return m;
}

static inline struct strand *kit_strand(struct machine *m, u32 cpu,
					void (*fn)(struct strand *, void *),
					void *arg)
{
	struct strand *s = machine_strand(m, cpu, fn, arg);

	assert_non_null(s);
	return s;
}

static inline void kit_run(struct machine *m, enum machine_end expected)
{
	enum machine_end end = machine_run(m);

	if (end != expected)
		print_error("ended %d: %s\n", end, machine_reason(m));
	assert_int_equal(end, expected);
}

#endif
