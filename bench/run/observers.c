/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>

#include "bench/base/args.h"
#include "bench/observe/noise.h"
#include "bench/run/cell.h"
#include "bench/run/observers.h"
#include "bench/run/sides.h"

int observers_choose(struct observers *o, struct err *e)
{
	if (o->counter_list && counters_load(o->counter_list, &o->counters, e))
		return -1;
	if (o->perf_words && perf_choose(&o->perf, o->perf_words, e))
		return -1;
	if (o->probe_text && probe_check(o->probe_text, e))
		return -1;
	return o->pcm_program ? pcm_choose(&o->pcm, o->pcm_program, e) : 0;
}

static int check_backend(const struct observers *o, const struct backend *b,
			 struct err *e)
{
	const char *option = o->counter_list && !b->has_window ? "--counters"
			     : o->perf_words && !b->has_window ? "--perf"
			     : o->pcm_program && !b->real_cpus ? "--pcm"
							       : NULL;

	if (o->probe_text && b->modelled)
		return err_set(e, EXIT_USAGE,
			       "run: --probe: the backend \"%s\" is a model; "
			       "expected backend=kvm",
			       b->name);
	if (!option)
		return 0;
	return err_set(e, EXIT_USAGE,
		       "run: %s: the backend \"%s\" %s; expected "
		       "backend=threads",
		       option, b->name,
		       b->real_cpus ? "does not tell when it measures"
				    : "has no CPUs to count on");
}

int observers_use(struct observers *o, struct sides *sides, struct err *e)
{
	if (sides->n > 1 && (o->perf_words || o->pcm_program))
		return err_set(e, EXIT_USAGE,
			       "run: --perf and --pcm cannot tell two sides "
			       "apart; expected no --baseline");
	for (size_t i = 0; i < sides->n; i++) {
		struct side *side = &sides->side[i];

		if (check_backend(o, side->config.backend, e))
			return -1;
		side->counters = o->counter_list ? &o->counters : NULL;
		side->perf = o->perf_words ? &o->perf : NULL;
		side->probe_text = o->probe_text;
	}
	return 0;
}

int observers_open(struct observers *o, struct sides *sides, struct err *e)
{
	uint32_t seats = 1, n;

	if (!o->probe_text)
		return 0;
	for (size_t i = 0; i < sides->n; i++) {
		if (cells_threads(&sides->side[i].config, &n, e))
			return -1;
		seats = n > seats ? n : seats;
	}
	if (probe_open(o->probe_text, seats, &o->probe, e))
		return -1;
	for (size_t i = 0; probe_works(o->probe) && i < sides->n; i++)
		sides->side[i].probe = o->probe;
	return 0;
}

void observers_warn(const struct observers *o)
{
	if (o->counter_list)
		counters_warn(&o->counters);
	if (o->probe)
		probe_warn(o->probe);
}

/* ------------------------------------------------------------------- a run */

enum { LOOK_MS = 250 }; /* 25 ticks of each CPU */

/* How quiet the CPUs are is known only before the run makes its own noise. */
static int look_at_noise(struct observers *o, const struct side *side,
			 struct err *e)
{
	const struct noise_cpus cpus = {.os_cpu = side->os_cpu,
					.n = side->topology.ncpus};

	o->noise = noise_look(&cpus, LOOK_MS);
	if (!o->noise)
		return err_set(e, EXIT_FAILED, "out of memory");
	noise_warn(o->noise);
	return 0;
}

int observers_begin(struct observers *o, const struct sides *sides,
		    const char *result, struct err *e)
{
	if (sides_real_cpus(sides) && look_at_noise(o, sides_main(sides), e))
		return -1;
	if (o->pcm_program && pcm_start(&o->pcm, result, e))
		return -1;
	return o->perf_words ? perf_start(&o->perf, result, e) : 0;
}

/* False: out of memory. */
static bool take(struct observers *o, const char *name, json_t *facts)
{
	const char *missing =
		json_string_value(json_object_get(facts, "missing"));

	if (missing)
		fprintf(stderr, "tdmem: %s: %s\n", name, missing);
	if (!o->companions)
		o->companions = json_object();
	return json_object_set_new(o->companions, name, facts) == 0;
}

int observers_end(struct observers *o, struct err *e)
{
	bool good = true;

	if (o->perf_words)
		good &= take(o, "perf", perf_finish(&o->perf));
	if (o->pcm_program)
		good &= take(o, "pcm", pcm_finish(&o->pcm));
	return good ? 0 : err_set(e, EXIT_FAILED, "out of memory");
}

bool observers_facts(const struct observers *o, json_t *environment)
{
	return !(o->counter_list &&
		 json_object_set_new(environment, "counters",
				     counters_facts(&o->counters))) &&
	       !(o->probe && json_object_set_new(environment, "probe",
						 probe_facts(o->probe))) &&
	       !(o->noise && json_object_set(environment, "noise", o->noise));
}

void observers_free(struct observers *o)
{
	counters_free(&o->counters);
	perf_free(&o->perf);
	pcm_free(&o->pcm);
	probe_close(o->probe);
	json_decref(o->noise);
	json_decref(o->companions);
}
