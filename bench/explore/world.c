/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A module, a host and a VM, made afresh for each execution.  What comes
 * before the strands' own part runs on the step machine: none of its
 * operations is a choice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/explore/impl.h"

#define GIB (1ull << 30)

/* The LP of the thread that makes the VM; the strands have 0, 1, ... */
enum { BUILDER_LP = 15 };

static const struct tdx_costs no_costs;

/* ---------------------------------------------------------------- set-up */

static void join(struct claim_world *w, struct claim_worker *me, u32 index,
		 u32 lp)
{
	struct strand *s = w->setup_strand;

	*me = (struct claim_worker){.w = w, .index = index};
	me->t.strand = s;
	me->t.where = WHERE_IDLE;
	lp_init(&me->t.lp, w->module, s, lp, 0);
}

static bool set_up_failed(struct claim_world *w, const char *who,
			  const char *what)
{
	snprintf(w->setup_error, sizeof(w->setup_error), "%s: %s", who, what);
	return false;
}

static bool make_vm(struct claim_world *w)
{
	const struct kvm_vm_config config = {
		.vcpus = w->claim->vcpus,
		.pages = w->claim->pages,
		.max_level = w->claim->huge ? LEVEL_2M : LEVEL_4K,
		.params = {.gpaw = 48,
			   .pending_ve_disable = w->claim->ve_disable},
		.policy = w->claim->policy,
	};

	w->vm = kvm_create_vm(w->host, &w->builder.t, &config);
	if (!w->vm || kvm_finalize(&w->builder.t, w->vm))
		return set_up_failed(w, "the VM", "could not be made");
	if (claim_run_ops(w, &w->builder, &w->claim->setup))
		return set_up_failed(w, "setup", "an operation failed");
	return true;
}

/* A vCPU is in the guest when the strands' own part begins. */
static bool set_up_strand(struct claim_world *w, struct claim_worker *me)
{
	int error = 0;

	me->claim = &w->claim->strand[me->index];
	if (me->claim->is_vcpu) {
		me->vcpu = kvm_vcpu(w->vm, me->claim->vcpu);
		error = kvm_vcpu_start(&me->t, me->vcpu);
	}
	if (!error)
		error = claim_run_ops(w, me, &me->claim->setup);
	if (error || kvm_vm_bugged(w->vm))
		return set_up_failed(w, me->claim->name,
				     "an operation of its setup failed");
	return true;
}

static void set_up(struct strand *s, void *world)
{
	struct claim_world *w = world;

	w->setup_strand = s;
	join(w, &w->builder, 0, BUILDER_LP);
	for (u32 i = 0; i < w->claim->strands; i++)
		join(w, &w->worker[i], i, i);
	if (!make_vm(w))
		return;
	for (u32 i = 0; i < w->claim->strands; i++)
		if (!set_up_strand(w, &w->worker[i]))
			return;
}

/* ------------------------------------------------------------- execution */

static void strand_main(struct strand *s, void *worker)
{
	struct claim_worker *me = worker;

	me->error = claim_run_ops(me->w, me, &me->claim->body);
	me->done = !me->error;
	if (me->vcpu)
		kvm_vcpu_finish(me->vcpu);
	(void)s;
}

static bool add_strands(struct claim_world *w, struct machine *m)
{
	for (u32 i = 0; i < w->claim->strands; i++) {
		struct claim_worker *me = &w->worker[i];
		struct strand *s = machine_strand(m, i, strand_main, me);

		if (!s)
			return false;
		s->trace = &w->trace;
		s->user = me;
		me->t.strand = me->t.lp.strand = s;
	}
	return true;
}

static bool make_module(struct claim_world *w)
{
	struct kvm_host_config config = {
		.memory = HPA(GIB),
		.memory_bytes = GIB,
		.first_hkid = tdx_platform_default.first_private_hkid + 1,
		.hkids = 1,
	};

	w->module = tdx_module_create(&tdx_platform_default, &no_costs);
	if (!w->module ||
	    tdx_module_add_tdmr(w->module, config.memory, config.memory_bytes))
		return false;
	config.module = w->module;
	w->host = kvm_host_create(&config);
	return w->host;
}

static void world_end(void *world)
{
	struct claim_world *w = world;

	if (w->host)
		kvm_host_destroy(w->host);
	tdx_module_destroy(w->module);
	w->vm = NULL;
	w->host = NULL;
	w->module = NULL;
}

static bool run_set_up(struct claim_world *w)
{
	enum step_end end;

	if (w->setup_strand)
		step_reuse(w->setup_strand, set_up, w);
	else
		w->setup_strand =
			machine_strand(w->setup_machine, 0, set_up, w);
	if (!w->setup_strand)
		return false;
	end = step_run(w->setup_strand, UINT64_MAX);
	if (end != STEP_RETURNED && !w->setup_error[0])
		set_up_failed(w, "setup",
			      end == STEP_HALTED
				      ? machine_reason(w->setup_machine)
				      : "it waits for what no strand does");
	return !w->setup_error[0];
}

static bool world_begin(void *world, struct machine *m)
{
	struct claim_world *w = world;

	w->machine = m;
	w->setup_error[0] = '\0';
	watch_begin(w);
	if (make_module(w) && run_set_up(w) && add_strands(w, m)) {
		record_inside(w);
		return true;
	}
	world_end(w);
	return false;
}

/* ----------------------------------------------------------------- world */

struct claim_world *claim_world_new(const struct claim *claim)
{
	const struct step_config config = {.max_strands = 1};
	struct claim_world *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->claim = claim;
	w->setup_machine = step_create(&config);
	if (!w->setup_machine) {
		claim_world_free(w);
		return NULL;
	}
	return w;
}

void claim_world_free(struct claim_world *w)
{
	if (!w)
		return;
	world_end(w);
	events_free(&w->early);
	if (w->setup_machine)
		machine_destroy(w->setup_machine);
	free(w);
}

struct explore_program claim_world_program(struct claim_world *w)
{
	return (struct explore_program){
		.ctx = w,
		.begin = world_begin,
		.check = watch_check,
		.end = world_end,
		.step = watch_step,
		/*
		 * Counts of readers, vCPUs and pages: who adds looks at the
		 * flags below the count, or not at all.
		 */
		.counting = 1u << LINE_XADD16 | 1u << LINE_XADD64,
		.takes_locks = true,
	};
}

const char *claim_world_setup_error(const struct claim_world *w)
{
	return w->setup_error[0] ? w->setup_error : NULL;
}

size_t claim_world_steps(const struct claim_world *w)
{
	return w->watch.steps;
}

void claim_world_record(struct claim_world *w, struct events *events)
{
	w->record = events;
}
