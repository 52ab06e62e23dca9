/* SPDX-License-Identifier: GPL-2.0-only */
/* Where there was no libbpf or no clang when this program was built. */
#include <string.h>

#include "kvm/probe/impl.h"

static int no_bpf_open(struct probe *probe)
{
	size_t n = strlen(probe->why);

	snprintf(probe->why + n, sizeof(probe->why) - n,
		 "this program was built without libbpf or clang");
	return -1;
}

/* libbpf would read them out of BTF; their numbers stay. */
void probe_find_ret_pf(struct probe *probe)
{
	(void)probe;
}

const struct probe_way probe_by_bpf = {
	.name = "bpf",
	.open = no_bpf_open,
};
