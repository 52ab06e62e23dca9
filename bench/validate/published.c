/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The backend sim against what others have measured on TDX hosts, and what
 * follows from that by arithmetic.  The cost table's typical column is fitted
 * to the sums, so that these checks tell whether the fit still holds; ratios
 * and the share of the clear are not fitted one by one.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/validate/run.h"
#include "bench/validate/validate.h"

/* A fit: sums are meant to be right within 20 %. */
#define FIT_DOWN 0.8
#define FIT_UP	 1.2

#define HUNTER_TERMINATE                                                       \
	"20250425075756.14545-1-adrian.hunter@intel.com, derived"
#define HUNTER_CLEAR "20250703153712.155600-3-adrian.hunter@intel.com, measured"
#define TOPOLOGY     "pack:2 core:56 pu:2"

/* A figure of one run of one scenario, in us. */
enum figure {
	FAULT,
	REMOVAL,
	RUNNABLE_4,
	RUNNABLE_32,
	EARLY_4,
	EARLY_32,
	EARLY_KEPT,
	NR_FIGURES
};

static const struct run {
	const char *workload, *knob, *value;
	unsigned vcpus;
	bool keep_removed;
	const char *metric;
} runs[NR_FIGURES] = {
	[FAULT] = {"fault-in", "layout", "disjoint", 1, false, "fault.latency"},
	[REMOVAL] = {"block-remove", "others", "halted", 1, false,
		     "removal.latency"},
	[RUNNABLE_4] = {"reclaim", "order", "runnable", 4, false,
			"removal.latency"},
	[RUNNABLE_32] = {"reclaim", "order", "runnable", 32, false,
			 "removal.latency"},
	[EARLY_4] = {"reclaim", "order", "early", 4, false, "reclaim.latency"},
	[EARLY_32] = {"reclaim", "order", "early", 32, false,
		      "reclaim.latency"},
	[EARLY_KEPT] = {"reclaim", "order", "early", 4, true,
			"reclaim.latency"},
};

static int execute(const struct run *r, const struct costs *costs, double *us,
		   struct err *e)
{
	struct validate_figures f;
	struct validate_cell cell = {
		.backend = "sim",
		.workload = r->workload,
		.knobs = json_pack("{ss}", r->knob, r->value),
		.vcpus = r->vcpus,
		.topology = TOPOLOGY,
		.keep_removed = r->keep_removed,
		.seed = 1,
		.costs = costs,
	};
	int status = cell.knobs ? validate_run(&cell, &f, e)
				: err_set(e, EXIT_FAILED, "out of memory");

	json_decref(cell.knobs);
	if (status)
		return -1;
	*us = validate_mean(&f, r->metric) / 1e3;
	validate_figures_free(&f);
	return 0;
}

static double ratio(const double *us, enum figure a, enum figure b)
{
	return us[a] / us[b];
}

/* What costs are not made of in any run is taken from the table. */
static const char entry_note[] =
	"an entry of the cost table, which the model charges as it is";

static void add(struct validation *v, const char *quantity, const char *unit,
		double low, double high, double here, const char *source,
		const char *note)
{
	struct check c = {
		.group = "published",
		.unit = unit,
		.low = low,
		.high = high,
		.here = here,
		.down = FIT_DOWN,
		.up = FIT_UP,
	};

	snprintf(c.quantity, sizeof(c.quantity), "%s", quantity);
	snprintf(c.source, sizeof(c.source), "%s", source);
	snprintf(c.note, sizeof(c.note), "%s", note);
	validation_add(v, &c);
}

static void add_sums(const double *us, struct validation *v)
{
	add(v, "4K accept fault", "us", 8, 8, us[FAULT],
	    "Dstack-TEE/dstack PR #1220, Granite Rapids, measured", "");
	add(v, "removed page, no vCPU inside", "us", 15.3, 18.4, us[REMOVAL],
	    HUNTER_TERMINATE, "");
	add(v, "page, runnable TD, 4 vCPUs", "us", 15.3, 15.3, us[RUNNABLE_4],
	    HUNTER_TERMINATE " (72 s for 18 GB)", "");
	add(v, "page, runnable TD, 32 vCPUs", "us", 18.4, 18.4, us[RUNNABLE_32],
	    HUNTER_TERMINATE " (517 s for 107 GB)", "");
	add(v, "page after HKID release, 4 vCPUs", "us", 5.09, 5.09,
	    us[EARLY_4], HUNTER_TERMINATE " (24 s for 18 GB)", "");
	add(v, "page after HKID release, 32 vCPUs", "us", 4.78, 4.78,
	    us[EARLY_32], HUNTER_TERMINATE " (134 s for 107 GB)", "");
	add(v, "runnable to released, 4 vCPUs", "ratio", 72. / 24, 72. / 24,
	    ratio(us, RUNNABLE_4, EARLY_4), HUNTER_TERMINATE, "");
	add(v, "runnable to released, 32 vCPUs", "ratio", 517. / 134,
	    517. / 134, ratio(us, RUNNABLE_32, EARLY_32), HUNTER_TERMINATE, "");
	add(v, "shutdown saved by not clearing", "%", 0, 40,
	    100 * (1 - ratio(us, EARLY_KEPT, EARLY_4)), HUNTER_CLEAR,
	    "the source says: up to 40 %");
}

static void add_entries(const struct model_costs *m, struct validation *v)
{
	add(v, "PAGE.DEMOTE of 2M", "us", 10, 10,
	    (double)m->tdx.demote_ps / 1e6,
	    "Yan Zhao, thread of 20250424030033.32635-1-yan.y.zhao@intel.com, "
	    "measured",
	    entry_note);
	add(v, "cache line, same socket", "ns", 59, 59,
	    (double)m->line.socket_ps / 1e3,
	    "Sapphire Rapids, mean (Chips and Cheese 2023-11-07), measured",
	    entry_note);
	add(v, "cache line, other socket", "ns", 138, 138,
	    (double)m->line.remote_ps / 1e3,
	    "Sapphire Rapids (Chips and Cheese 2023-11-07), measured",
	    entry_note);
	add(v, "DEMOTE interrupted", "share", 2. / 142, 2. / 142, (double)NAN,
	    "Yan Zhao, thread of 20250424030033.32635-1-yan.y.zhao@intel.com, "
	    "measured",
	    "no interrupts from devices or timers are modelled");
	add(v, "BUSY and kicks", "share", (double)NAN, (double)NAN, (double)NAN,
	    "nobody has published it",
	    "model output that nothing here validates");
}

static int run(const struct validate_setup *setup, struct validation *v,
	       struct err *e)
{
	double us[NR_FIGURES];
	struct costs costs;
	int status = 0;

	if (costs_load(setup->costs, "typ", &costs, e))
		return -1;
	for (int i = 0; status == 0 && i < NR_FIGURES; i++)
		status = execute(&runs[i], &costs, &us[i], e);
	if (status == 0) {
		add_sums(us, v);
		add_entries(&costs.model, v);
	}
	costs_free(&costs);
	return status;
}

const struct validate_group validate_published = {
	.name = "published",
	.summary = "the backend sim against published measurements",
	.run = run,
};
