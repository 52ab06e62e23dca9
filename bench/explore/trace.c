/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An execution as a timeline.  Time stands still while orders are run, so a
 * step is drawn as a microsecond: it tells what came before what, not how
 * long it took.
 */
#include <stdio.h>

#include "bench/base/plain.h"
#include "bench/explore/explore.h"

static void put_slice(struct timeline *t, const struct event *e, u64 at_ps,
		      enum timeline_slice slice)
{
	const struct timeline_change change = {
		.slice = slice,
		.name = slice == SLICE_GUEST ? "guest" : e->name,
		.begin = e->kind == EVENT_CALL || e->kind == EVENT_ENTERED ||
			 e->begin,
		.value = e->status,
	};

	timeline_slice(t, e->strand, at_ps, &change);
}

static void put_event(struct timeline *t, const struct event *e)
{
	u64 at_ps = e->step * PS_PER_US;

	switch (e->kind) {
	case EVENT_CALL:
	case EVENT_STATUS:
		put_slice(t, e, at_ps, SLICE_CALL);
		break;
	case EVENT_ENTERED:
	case EVENT_EXITED:
		put_slice(t, e, at_ps, SLICE_GUEST);
		break;
	case EVENT_SPAN:
		put_slice(t, e, at_ps, SLICE_SPAN);
		break;
	case EVENT_KICK:
		timeline_kick(t, e->strand, at_ps, e->other);
		break;
	case EVENT_KICKED:
		timeline_kicked(t, e->strand, at_ps);
		break;
	default: /* has no place in a timeline */
		break;
	}
}

static json_t *facts_of(const struct execution *x)
{
	return json_pack("{ss, sb, ss, ss, ss, sI, ss*}", "generator",
			 "tdmem " TDMEM_VERSION, "model_output", 1, "claim",
			 x->claim->name, "policy", x->claim->policy_name,
			 "status", x->why ? "broken" : "ok", "steps",
			 (json_int_t)x->steps, "reason", x->why);
}

int execution_timeline(const struct execution *x,
		       const struct timeline_form *form, FILE *out,
		       struct err *e)
{
	const char *names[CLAIM_STRANDS];
	const struct timeline_cast cast = {.hosts = x->claim->strands,
					   .names = names};
	json_t *facts = facts_of(x);
	char name[4 * sizeof(x->claim->name)], title[512];
	struct timeline t;
	int failed;

	for (u32 i = 0; i < x->claim->strands; i++)
		names[i] = x->claim->strand[i].name;
	plain_copy(name, sizeof(name), x->claim->name);
	snprintf(title, sizeof(title),
		 "tdmem, model output: claim %s, policy %s, a step is 1 us",
		 name, x->claim->policy_name);
	failed = timeline_begin(&t, form, &cast, title, out) || !facts;
	if (!failed) {
		for (size_t i = 0; i < x->events.n; i++)
			put_event(&t, &x->events.event[i]);
		timeline_end(&t, x->steps * PS_PER_US, facts);
		failed = t.misfits != 0;
	}
	timeline_free(&t);
	json_decref(facts);
	return failed ? err_set(e, EXIT_FAILED, "explore: %s",
				t.misfits ? "slices do not fit into each other"
					  : "out of memory")
		      : 0;
}
