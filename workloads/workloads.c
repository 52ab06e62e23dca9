/* SPDX-License-Identifier: GPL-2.0-only */
#include "workloads/script.h"

const struct workload *const workloads[] = {
	&workload_build,
	&workload_fault_in,
	&workload_accept,
	&workload_track,
	&workload_block_remove,
	&workload_convert,
	&workload_reclaim,
	&workload_zero_step,
	&workload_churn,
	&workload_prefault,
	NULL,
};
