/* SPDX-License-Identifier: GPL-2.0-only */
/* The kinds of pictures: to add one is a row here and what it writes. */
#include "bench/plot/plot.h"

#define LINES  .script = "lines", .write = plot_write_lines
#define STACKS .script = "stacks", .write = plot_write_stacks

const struct plot_kind plot_kinds[] = {
	{
		.name = "heatmap",
		.title = "Policies compared",
		.metrics = "rate of each workload's operation",
		.whole = true,
		.script = "heatmap",
		.write = plot_write_heatmap,
	},
	{
		.name = "throughput",
		.title = "Throughput over vCPUs",
		.metrics = "rate of the operation, 1/s",
		LINES,
		.spec = &plot_throughput,
		.overlay = true,
	},
	{
		.name = "latency",
		.title = "Latency over vCPUs",
		.metrics = "latency of the operation, ns",
		LINES,
		.spec = &plot_latencies,
		.overlay = true,
	},
	{
		.name = "distribution",
		.title = "Distribution of the latency",
		.metrics = "latency of the operation, ns",
		.script = "distribution",
		.overlay = true,
		.write = plot_write_distribution,
	},
	{
		.name = "busy",
		.title = "BUSY by call and operand",
		.metrics = "calls that ended BUSY, per 1000 calls",
		STACKS,
		.spec = &plot_busy,
	},
	{
		.name = "time",
		.title = "Where the vCPUs' time went",
		.metrics = "vCPU time, %",
		STACKS,
		.spec = &plot_time,
	},
	{
		.name = "kicks",
		.title = "Kicks, and time kept out",
		.metrics = "kicks.rounds and kicks.ipis per 1000 operations, "
			   "time.kept_out in % of vCPU time",
		LINES,
		.spec = &plot_kicks,
	},
	{
		.name = "fairness",
		.title = "Fairness between vCPUs",
		.metrics = "fairness.jain, ratio",
		LINES,
		.spec = &plot_fairness,
	},
	{.name = NULL},
};
