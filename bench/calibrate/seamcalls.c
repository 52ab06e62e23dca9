/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SEAMCALLs in calibrate: what the probe timed in TDs, out of a result.  User
 * space cannot call the module itself.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/json.h"
#include "bench/calibrate/impl.h"
#include "bench/observe/environment.h"

/* Fewer values than this have no 95 % interval of their median. */
enum { LEAST_REPEATS = 6 };

/* One call of so many may be BUSY: that does not move the median. */
enum { BUSY_ONE_OF = 100 };

/*
 * The calls that cost tables have and that the kernel makes.  Its wrappers of
 * those that add a page flush the page's 64 lines first, which the model
 * charges as flush_4k.  PHYMEM.CACHE.WB is missing: interrupts cut it short,
 * and one call of it is not the write-back of a package.
 */
static const struct call {
	const char *name; /* what its metrics begin with */
	const char *entry;
	bool flushes;
} calls[] = {
	{"tdh_mem_sept_add", "sept_add", true},
	{"tdh_mem_page_add", "page_add", true},
	{"tdh_mr_extend", "mr_extend", false},
	{"tdh_mem_page_aug", "page_aug", true},
	{"tdh_mem_range_block", "range_block", false},
	{"tdh_mem_track", "mem_track", false},
	{"tdh_mem_page_remove", "page_remove", false},
	{"tdh_phymem_page_wbinvd", "page_wbinvd", false},
	{"tdh_phymem_page_reclaim", "page_reclaim", false},
};

enum { NR_CALLS = sizeof(calls) / sizeof(calls[0]) };

/* -------------------------------------------------------------- the result */

static bool ends_with(const char *text, size_t length, const char *end)
{
	size_t n = strlen(end);

	return length >= n && memcmp(text + length - n, end, n) == 0;
}

static bool wanted(const void *ctx, const char *operation,
		   const struct samples_metric *metric)
{
	(void)ctx;
	(void)operation;
	return strncmp(metric->name, "tdh_", 4) == 0 &&
	       (ends_with(metric->name, metric->length, ".latency") ||
		ends_with(metric->name, metric->length, ".busy"));
}

/* Is the text of a member what it should be? */
static int expect(const struct at *at, const json_t *object, const char *key,
		  const char *want, const char *because)
{
	const char *is = json_string_value(json_object_get(object, key));
	struct at here = at_key(at, key);

	if (is && strcmp(is, want) == 0)
		return 0;
	return at_bad(&here, "expected \"%.90s\", not %s%.90s%s: %s", want,
		      is ? "\"" : "", is ? is : "nothing", is ? "\"" : "",
		      because);
}

static int check(const struct samples *result, const json_t *here,
		 struct err *e)
{
	const json_t *env = json_object_get(result->top, "environment");
	const json_t *config = json_object_get(result->top, "config");
	const char *cpu = json_string_value(json_object_get(here, "cpu"));
	struct at root = at_root(result->path, e);
	struct at at_config = at_key(&root, "config");
	struct at at_env = at_key(&root, "environment");
	struct at at_probe = at_key(&at_env, "probe");
	const json_t *probe = json_object_get(env, "probe");

	if (expect(&at_config, config, "backend", "tdx",
		   "SEAMCALLs are measured in TDs") ||
	    expect(&at_probe, probe, "table", "seamcall",
		   "tdmem run --probe seamcall times them") ||
	    expect(&at_probe, probe, "by", "bpf", "kprobes add to the times") ||
	    expect(&at_env, env, "cpu", cpu ? cpu : "",
		   "the flush that is subtracted is this host's"))
		return -1;
	return 0;
}

int calibrate_load_seamcalls(const char *path, struct samples *result,
			     struct err *e)
{
	json_t *here;
	int status;

	if (samples_load(path, wanted, NULL, result, e))
		return -1;
	here = environment(0, NULL);
	status = check(result, here, e);
	json_decref(here);
	if (status)
		samples_free(result);
	return status;
}

/* ----------------------------------------------------------- medians of it */

/* Cost tables say what calls cost where nothing contends. */
static bool alone(const struct samples_cell *cell)
{
	const char *side =
		json_string_value(json_object_get(cell->axes, "side"));

	/* The base of two sides may have had another backend. */
	return json_integer_value(json_object_get(cell->axes, "vcpus")) == 1 &&
	       (!side || strcmp(side, "base") != 0);
}

static bool often_busy(const struct samples_series *busy, size_t repeat,
		       const struct samples_hist *hist)
{
	return busy && busy->value && !isnan(busy->value[repeat]) &&
	       busy->value[repeat] * BUSY_ONE_OF > (double)hist->count;
}

/* The medians of a cell's repeats; returns how many. */
static size_t take_cell(const struct samples *result,
			const struct samples_cell *cell,
			const struct call *call, double *ns)
{
	const struct samples_series *latency, *busy;
	char name[64];
	size_t n = 0;

	snprintf(name, sizeof(name), "%s.latency", call->name);
	latency = samples_find(result, cell, name);
	snprintf(name, sizeof(name), "%s.busy", call->name);
	busy = samples_find(result, cell, name);
	if (!latency || !latency->hist || !alone(cell))
		return 0;
	for (size_t i = 0; i < cell->nrepeats; i++) {
		const struct samples_hist *hist = latency->hist[i];

		if (hist && hist->count && !often_busy(busy, i, hist))
			ns[n++] = samples_quantile(hist, 0.5);
	}
	return n;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The flush is known as well as its interval tells. */
static void subtract(struct primitive *p, const struct calibration *c)
{
	const struct primitive *flush = c->primitive;
	const struct primitive *end = c->primitive + c->n;

	while (flush < end &&
	       (!flush->entry || strcmp(flush->entry, "flush_4k")))
		flush++;
	if (flush == end || isnan(flush->median) ||
	    p->interval.low <= flush->interval.high) {
		p->median = (double)NAN;
		p->interval = (struct interval){(double)NAN, (double)NAN, 0};
		snprintf(
			p->why, sizeof(p->why),
			"flush_4k, which is in it, is not measured or is more");
		return;
	}
	p->median -= flush->median;
	p->interval.low -= flush->interval.high;
	p->interval.high -= flush->interval.low;
}

static void take_call(struct calibration *c, const struct samples *result,
		      const struct call *call, double *ns)
{
	struct primitive *p = calibrate_begin(
		c, call->name, call->entry,
		call->flushes ? "the kernel's wrapper by the probe, less "
				"flush_4k"
			      : "the kernel's wrapper by the probe");
	size_t n = 0;

	p->seamcall = true;
	for (size_t i = 0; i < result->ncells; i++)
		n += take_cell(result, &result->cell[i], call, ns + n);
	p->batches = n;
	if (n < LEAST_REPEATS) {
		snprintf(p->why, sizeof(p->why),
			 "%zu repeats with one vCPU have it, expected %d", n,
			 LEAST_REPEATS);
		return;
	}
	qsort(ns, n, sizeof(*ns), by_value);
	p->median = median_of_sorted(ns, n);
	p->interval = median_interval(ns, n, 0.95);
	if (call->flushes)
		subtract(p, c);
}

static void say_what_it_takes(struct calibration *c)
{
	struct primitive *p =
		calibrate_begin(c, "SEAMCALLs", NULL, "calls of the module");

	snprintf(p->why, sizeof(p->why),
		 "--seamcalls takes them from a result of a TDX host, run with "
		 "--probe seamcall");
}

int calibrate_seamcalls(struct calibration *c, const struct samples *result,
			struct err *e)
{
	const json_t *env;
	size_t most = 1;
	double *ns;

	if (!result) {
		say_what_it_takes(c);
		return 0;
	}
	for (size_t i = 0; i < result->ncells; i++)
		most += result->cell[i].nrepeats;
	ns = calloc(most, sizeof(*ns));
	if (!ns)
		return err_set(e, EXIT_FAILED, "out of memory");
	for (size_t i = 0; i < NR_CALLS; i++)
		take_call(c, result, &calls[i], ns);
	free(ns);
	env = json_object_get(result->top, "environment");
	describe_host(
		env, (unsigned)json_integer_value(json_object_get(env, "cpus")),
		&c->seamcalls);
	return 0;
}
