/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A backend executes the scenario of one cell once and gives a sample.
 * Adding one is one file and one line in backends[].
 */
#ifndef TDMEM_BENCH_BACKEND_H
#define TDMEM_BENCH_BACKEND_H

#include <jansson.h>
#include <stdint.h>

#include "bench/base/err.h"
#include "bench/base/names.h"
#include "bench/observe/ability.h"
#include "bench/scenario.h"
#include "guest-agent/hist.h"
#include "model/host/host.h"
#include "model/machine/machine.h"

/** How a cell ended; results carry it by name. */
enum cell_status {
	CELL_OK,
	CELL_VM_BUGGED,
	CELL_LIVELOCK,
	CELL_TIMEOUT,
	CELL_UNSUPPORTED,
	CELL_FAILED,  /* the model halted or ran out of memory */
	CELL_STOPPED, /* interrupted: not a result */
};
const char *cell_status_name(enum cell_status status);

/** What one repeat of one cell gave. */
struct sample {
	enum cell_status status;
	char reason[256];
	double *value;	     /* metric_count() of them; NaN: not measured */
	struct hist **hist;  /* metric_count() of them; NULL: none */
	struct sample_more { /* metrics that are not of the table */
		char name[72];
		double value;
	} * more;
	size_t nmore;
	json_t *probe; /* what functions returned; NULL: no probe */
};

/** False when out of memory. */
bool sample_init(struct sample *sample);
void sample_free(struct sample *sample);
/** Set a metric by name; the name must be one of the table's. */
void sample_set(struct sample *sample, const char *name, double value);
/** Add a metric that is not of the table; false: no memory. */
bool sample_add(struct sample *sample, const char *name, double value);
/** The histogram of a metric, made when first asked for; NULL: no memory. */
struct hist *sample_hist(struct sample *sample, const char *name);

/** What the model runs with: see bench/plan/costs.h. */
struct model_costs {
	struct tdx_costs tdx;
	struct kvm_costs kvm;
	struct line_costs line;
};

/** Everything a backend is told besides the scenario. */
struct cell_setup {
	struct retry_policy policy;
	uint32_t retry_limit;
	uint64_t seed;
	const struct topology *topology; /* of the modelled host, or of this
					    one's CPUs that may be used */
	const uint32_t *os_cpu; /* real CPUs: the kernel's numbers of them;
				   NULL: strands are not pinned */
	const struct model_costs *costs;
	double jitter;
	uint64_t livelock_ns; /* time without progress; 0: no limit */
	uint64_t max_ns;      /* time of a cell; 0: no limit */
	uint32_t memory;      /* of the backend's kinds */
	bool clear_removed;
	const struct counters *counters; /* NULL: none */
	struct perf *perf;		 /* to tell of the window; NULL: none */
	struct probe *probe;		 /* NULL: none */
	const atomic_int *stop;	   /* becomes non-zero on SIGINT, SIGTERM */
	const struct trace *trace; /* NULL: nobody looks on */
};

struct backend {
	const char *name;
	const char *summary;
	bool modelled;	     /* its numbers are model output */
	bool real_cpus;	     /* they depend on this host: one cell at a time */
	bool has_window;     /* it tells counters and perf when it measures */
	bool chooses_policy; /* false: the policy is the running kernel's */
	/* Kinds of guest memory, the default first; NULL: has no choice. */
	name_fn *memories;
	/* Can it run here?  If not, `why` says what is missing. */
	bool (*available)(char *why, size_t size);
	/*
	 * Fill in what of it this host can do, at most so many; returns how
	 * many.  NULL: all or nothing.
	 */
	size_t (*abilities)(struct ability *list, size_t most);
	/*
	 * How it does on these CPUs, with this memory, what it does, for the
	 * result; arguments as in struct cell_setup.  A new object, NULL when
	 * out of memory.  NULL: there is nothing to tell.
	 */
	json_t *(*facts)(const struct topology *topology,
			 const uint32_t *os_cpu, uint32_t memory);
	/*
	 * Execute once.  Returns 0 with the sample filled, whatever the cell's
	 * status; -1 with *err only when it cannot even try (no memory).
	 */
	int (*run)(const struct scenario *scenario,
		   const struct cell_setup *setup, struct sample *sample,
		   struct err *err);
};

extern const struct backend *const backends[]; /* ended by NULL */

#endif
