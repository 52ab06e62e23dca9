/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The steps of a script, one function each, and the table of them.
 */
#include <string.h>

#include "bench/script/impl.h"

static int op_tdmr(struct world *w, const struct script_step *step,
		   json_t *result, struct err *e)
{
	const struct script_args *a = &step->args;
	const u64 gib = 1ull << 30, base = a->v[F_BASE], size = a->v[F_BYTES];

	(void)result;
	if (base % gib)
		return script_bad(e, step, "$.base",
				  "expected a multiple of 1 GiB");
	if (!size || size % gib)
		return script_bad(e, step, "$.size",
				  "expected a multiple of 1 GiB, not 0");
	if (world_add_tdmr(w, HPA(base), size))
		return script_bad(e, step, "$.base",
				  "expected a range of physical memory that no "
				  "other TDMR has");
	return 0;
}

static int op_td(struct world *w, const struct script_step *step,
		 json_t *result, struct err *e)
{
	char why[160];

	(void)result;
	if (!w->has_tdmr)
		return script_bad(e, step, "$.op", "expected a \"tdmr\" first");
	if (w->td[step->args.v[F_TD]].exists)
		return script_bad(e, step, "$.td", "this TD exists already");
	if (world_add_td(w, &step->args, why, sizeof(why)))
		return err_set(e, EXIT_FAILED, "%s: setting up the TD: %s",
			       step->where, why);
	return 0;
}

static int op_reset(struct world *w, const struct script_step *step,
		    json_t *result, struct err *e)
{
	const bool real = w->real;

	(void)result;
	world_destroy(w);
	if (world_create(w, real))
		return err_set(e, EXIT_FAILED, "%s: out of memory",
			       step->where);
	return 0;
}

static int op_irq(struct world *w, const struct script_step *step,
		  json_t *result, struct err *e)
{
	(void)result;
	(void)e;
	w->irq_after = (s64)step->args.v[F_AFTER];
	w->irq_checks = 0;
	return 0;
}

static int op_tsc(struct world *w, const struct script_step *step,
		  json_t *result, struct err *e)
{
	const u64 ps = PS_PER_S / tdx_platform_default.tsc_hz;

	(void)result;
	if (step->args.v[F_ADD] > (UINT64_MAX / 2 - w->now_ps) / ps)
		return script_bad(e, step, "$.add",
				  "more ticks than the clock has room for");
	w->now_ps += step->args.v[F_ADD] * ps;
	return 0;
}

static int op_call(struct world *w, const struct script_step *step,
		   json_t *result, struct err *e)
{
	struct script_call call;
	struct script_lp *lp;

	if (call_prepare(w, step, &call, e))
		return -1;
	lp = call_place(w, &call, NULL);
	if (!world_run(w, lp, call_job, &call)) {
		put_halt(w, result);
		return 0;
	}
	call_done(&call, lp);
	call_answer(w, &call, result);
	return 0;
}

/* --------------------------------------------------------------- races */

/*
 * A halt stops the whole module, so neither call of a race has an answer
 * that it had not given before.
 */
static void race_answer(struct world *w, json_t *result, const char *key,
			const struct script_call *call, bool answered)
{
	json_t *object = json_object();

	if (answered)
		call_answer(w, call, object);
	else if (w->halted)
		put_halt(w, object);
	json_object_set_new(result, key, object);
}

static bool run_inner(struct world *w, struct script_call *inner,
		      const struct script_lp *taken)
{
	struct script_lp *lp = call_place(w, inner, taken);

	if (!world_run(w, lp, call_job, inner))
		return false;
	call_done(inner, lp);
	return true;
}

static int op_race(struct world *w, const struct script_step *step,
		   json_t *result, struct err *e)
{
	struct script_call outer, inner;
	bool outer_done, inner_done = false;
	struct script_lp *lp;
	enum step_end end;
	char point[32] = "";

	if (w->real)
		return err_set(e, EXIT_UNSUPPORTED,
			       "%s: $.op: a \"race\" stops a call in its "
			       "middle, which nobody can do to a real thread",
			       step->where);
	if (call_prepare(w, step->outer, &outer, e) ||
	    call_prepare(w, step->inner, &inner, e))
		return -1;
	lp = call_place(w, &outer, NULL);
	if (call_place(w, &inner, lp) == lp)
		return script_bad(e, step, "$.inner.vcpu",
				  "one vCPU can't do two things at once");
	end = world_start(w, lp, call_job, &outer, step->args.v[F_AT], point);
	outer_done = end == STEP_RETURNED;
	if (end == STEP_PAUSED) {
		inner_done = run_inner(w, &inner, lp);
		outer_done = inner_done && world_finish(w, lp);
	}
	if (outer_done)
		call_done(&outer, lp);
	race_answer(w, result, "outer", &outer, outer_done);
	race_answer(w, result, "inner", &inner, inner_done);
	json_object_set_new(result, "point", json_string(point));
	json_object_set_new(result, "ran", json_boolean(end == STEP_PAUSED));
	if (w->halted)
		put_halt(w, result);
	return 0;
}

/* --------------------------------------------------------------- table */

#define OPS_VCPU (FIELD(TD) | FIELD(VCPU))

static const struct op_kind ops[] = {
	{.name = "tdmr",
	 .required = FIELD(BASE) | FIELD(BYTES),
	 .run = op_tdmr},
	{.name = "td",
	 .required = FIELD(TD) | FIELD(VCPUS) | FIELD(GPAW) | FIELD(STATE),
	 .optional = FIELD(VE_DISABLE) | FIELD(NOTIFY),
	 .run = op_td},
	{.name = "reset", .run = op_reset},
	{.name = "irq", .required = FIELD(AFTER), .run = op_irq},
	{.name = "tsc", .required = FIELD(ADD), .run = op_tsc},
	{.name = "call", .selector = SELECT_CALL, .run = op_call},
	{.name = "enter",
	 .required = OPS_VCPU,
	 .optional = FIELD(LP),
	 .call = &call_enter,
	 .run = op_call},
	{.name = "exit",
	 .required = OPS_VCPU,
	 .call = &call_exit,
	 .run = op_call},
	{.name = "fault",
	 .required = OPS_VCPU | FIELD(GPA) | FIELD(RIP),
	 .call = &call_fault,
	 .run = op_call},
	{.name = "progress",
	 .required = OPS_VCPU | FIELD(RIP),
	 .call = &call_progress,
	 .run = op_call},
	{.name = "lock",
	 .selector = SELECT_OBJECT,
	 .locks = true,
	 .run = op_lock},
	{.name = "unlock",
	 .selector = SELECT_OBJECT,
	 .locks = true,
	 .run = op_lock},
	{.name = "show", .selector = SELECT_OBJECT, .run = op_show},
	{.name = "race", .required = FIELD(AT), .race = true, .run = op_race},
};

const struct op_kind *op_kind_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		if (!strcmp(ops[i].name, name))
			return &ops[i];
	}
	return NULL;
}

int script_step_run(struct world *w, const struct script_step *step,
		    json_t *result, struct err *e)
{
	if (w->halted && step->op->run != op_reset)
		return script_bad(e, step, "$.op",
				  "expected a \"reset\": the module has halted "
				  "(%s)",
				  w->halt);
	return step->op->run(w, step, result, e);
}
