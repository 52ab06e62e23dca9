/* SPDX-License-Identifier: GPL-2.0-only */
/* The backend tdx: a scenario in a real TD. */
#include <unistd.h>

#include "kvm/cell.h"
#include "kvm/facts.h"
#include "kvm/td_can.h"

static bool available(char *why, size_t size)
{
	struct kvm_answers answers;
	struct ability ability;
	struct td_host host;
	int fd = vmm_open(&answers, why, size);
	bool can;

	if (fd < 0)
		return false;
	close(fd);
	td_host_read(&host, "");
	can = td_host_can(&host, &answers, &ability);
	if (!can)
		ability_line(&ability, why, size);
	return can;
}

static json_t *facts(const struct topology *topology, const uint32_t *os_cpu,
		     uint32_t memory)
{
	(void)topology;
	(void)os_cpu;
	(void)memory;
	return kvm_facts(&memory_kind_td);
}

static int run(const struct scenario *scenario, const struct cell_setup *setup,
	       struct sample *sample, struct err *err)
{
	return kvm_cell_run(&memory_kind_td, scenario, setup, sample, err);
}

const struct backend backend_tdx = {
	.name = "tdx",
	.summary = "a TD of /dev/kvm, on a host with TDX",
	.real_cpus = true,
	.available = available,
	.facts = facts,
	.run = run,
};
