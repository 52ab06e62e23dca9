/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is looked at while an execution runs, and when it has ended: the
 * claims, and for those that are shown, the events.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bench/explore/impl.h"

const struct check_name claim_checks[] = {
	{"no-deadlock", CHECK_NO_DEADLOCK, "somebody can always go on"},
	{"no-livelock", CHECK_NO_LIVELOCK,
	 "no strand tries for ever what nobody will let succeed"},
	{"no-halt", CHECK_NO_HALT, "no sanity check of the module fails"},
	{"invariants", CHECK_INVARIANTS,
	 "at the end locks are free and counts are right"},
	{"mutual-exclusion", CHECK_EXCLUSION,
	 "who holds a lock exclusively is alone"},
	{"vm-not-bugged", CHECK_NOT_BUGGED, "KVM does not give the VM up"},
	{"every-fault-ends", CHECK_FAULTS_END,
	 "at the end all operations are done"},
	{"no-zero-step", CHECK_NO_ZERO_STEP,
	 "no vCPU gets a GPA on its zero-step list"},
	{"pages-kept", CHECK_PAGES,
	 "at the end a page is mapped once or free, as the PAMT says"},
	{NULL, 0, NULL},
};

static bool claimed(const struct claim_world *w, u32 check)
{
	return w->claim->checks & check;
}

void watch_fail(struct claim_world *w, const char *format, ...)
{
	va_list args;

	if (w->watch.why[0])
		return;
	va_start(args, format);
	vsnprintf(w->watch.why, sizeof(w->watch.why), format, args);
	va_end(args);
}

static struct claim_worker *worker_of(struct strand *s)
{
	return s->user;
}

static const char *name_of(struct strand *s)
{
	return worker_of(s)->claim->name;
}

void record(struct claim_world *w, u32 strand, struct event event)
{
	if (!w->record)
		return;
	event.strand = strand;
	event.step = w->watch.steps;
	events_add(w->moved >> strand & 1 ? w->record : &w->early, &event);
}

void record_inside(struct claim_world *w)
{
	for (u32 i = 0; w->record && i < w->claim->strands; i++)
		if (w->worker[i].vcpu && w->worker[i].vcpu->inside)
			events_add(w->record,
				   &(struct event){.kind = EVENT_ENTERED,
						   .strand = i});
}

void claim_world_see(void *world, const struct explore_step *step)
{
	struct claim_world *w = world;

	w->moving = step->strand;
	if (w->moved >> step->strand & 1)
		return;
	w->moved |= 1u << step->strand;
	for (size_t i = 0; i < w->early.n; i++)
		if (w->early.event[i].strand == step->strand)
			record(w, step->strand, w->early.event[i]);
}

/* ----------------------------------------------------------------- calls */

static void call_enter(void *world, struct strand *s, const char *call)
{
	record(world, s->id, (struct event){.kind = EVENT_CALL, .name = call});
}

static u32 call_number(const char *call)
{
	u32 i = 0;

	while (i < NR_TDX_CALLS && tdx_call_name((enum tdx_call)i) != call)
		i++;
	return i;
}

static const char *in_a_row(u32 times, char *text, size_t size)
{
	text[0] = '\0';
	if (times > 1)
		snprintf(text, size, " %u times in a row", times);
	return text;
}

static void check_limit(struct claim_world *w, struct strand *s,
			const struct claim_limit *l, const char *call,
			tdx_status status, u32 busy)
{
	char text[96];

	if (l->call && l->call != call)
		return;
	/* A try that is not BUSY counts as well. */
	if (l->tries && busy >= l->tries)
		watch_fail(w, "%s: %s is BUSY%s", name_of(s), call,
			   in_a_row(busy, text, sizeof(text)));
	if (!l->tries && (status & TDX_STATUS_MASK) == l->status)
		watch_fail(w, "%s: %s answers %s", name_of(s), call,
			   tdx_status_print(status, text, sizeof(text)));
}

static void call_exit(void *world, struct strand *s, const char *call,
		      u64 status)
{
	struct claim_world *w = world;
	struct claim_worker *me = worker_of(s);
	u32 number = call_number(call);

	record(w, s->id,
	       (struct event){
		       .kind = EVENT_STATUS, .name = call, .status = status});
	if (number == NR_TDX_CALLS)
		return;
	me->busy[number] = tdx_operand_busy(status) ? me->busy[number] + 1 : 0;
	for (u32 i = 0; i < w->claim->limits; i++)
		check_limit(w, s, &w->claim->limit[i], call, status,
			    me->busy[number]);
}

/* ----------------------------------------------------------------- locks */

static struct watched_word *watched(struct claim_world *w, const char *name,
				    const void *word)
{
	struct watch *watch = &w->watch;
	u32 i = 0;

	while (i < watch->words && watch->word[i].word != word)
		i++;
	if (i == WATCHED_WORDS)
		return NULL;
	if (i == watch->words)
		watch->word[watch->words++] =
			(struct watched_word){.word = word, .name = name};
	return &watch->word[i];
}

static void count_holder(struct watched_word *word, struct strand *s,
			 bool exclusive, bool begin)
{
	if (exclusive)
		word->writer = begin ? s->id + 1 : 0;
	else if (begin)
		word->readers++;
	else if (word->readers) /* 0: taken before the strands' own part */
		word->readers--;
}

static void held(void *world, struct strand *s, const char *what,
		 const void *lock, bool exclusive, bool begin)
{
	struct claim_world *w = world;
	struct watched_word *word;

	if (begin)
		record(w, s->id,
		       (struct event){.kind = EVENT_HELD,
				      .name = what,
				      .word = lock,
				      .exclusive = exclusive});
	if (!claimed(w, CHECK_EXCLUSION))
		return;
	word = watched(w, what, lock);
	if (!word) {
		watch_fail(w, "more lock words than can be watched");
		return;
	}
	if (begin && (word->writer || (exclusive && word->readers)))
		watch_fail(w, "%s: gets %s while another holds it", name_of(s),
			   what);
	count_holder(word, s, exclusive, begin);
}

static void lost(void *world, struct strand *s, const struct obstacle *o)
{
	worker_of(s)->lost = *o;
	record(world, s->id,
	       (struct event){.kind = EVENT_LOST,
			      .name = o->what,
			      .word = o->word,
			      .value = explore_word(o)});
}

/*
 * After so many tries that failed: wait until the next one need not.
 * Where this is called from nothing of the module is held.
 */
void watch_attempt(struct claim_worker *me, enum attempt attempt)
{
	struct strand *s = me->t.strand;
	struct obstacle o = me->lost;

	/* What VP.ENTER looks for is what a fault may bring about. */
	if (o.word && attempt != ATTEMPT_ENTER && o.flip)
		return;
	if (!o.word || me->futile++ < me->w->claim->futile)
		return;
	if (explore_obstructed(&o))
		record(me->w, s->id, (struct event){.kind = EVENT_WAIT});
	me->lost.word = NULL;
	me->futile = 0;
	explore_await(s, &o, attempt != ATTEMPT_IN_KVM);
}

static void attempted(void *world, struct strand *s, bool enter)
{
	(void)world;
	watch_attempt(worker_of(s), enter ? ATTEMPT_ENTER : ATTEMPT_IN_KVM);
}

static void progressed(void *world, struct strand *s)
{
	struct claim_world *w = world;

	w->watch.progressed = w->watch.steps;
	worker_of(s)->lost.word = NULL;
	worker_of(s)->futile = 0;
}

/* ----------------------------------------------------------- vCPUs, kicks */

static void vcpu(void *world, struct strand *s, bool inside)
{
	record(world, s->id,
	       (struct event){.kind = inside ? EVENT_ENTERED : EVENT_EXITED});
}

static void kick_sent(void *world, struct strand *s, struct strand *target)
{
	record(world, s->id,
	       (struct event){.kind = EVENT_KICK, .other = target->id});
}

static void kick_taken(void *world, struct strand *s)
{
	record(world, s->id, (struct event){.kind = EVENT_KICKED});
}

static void span(void *world, struct strand *s, const char *what, bool begin)
{
	record(world, s->id,
	       (struct event){
		       .kind = EVENT_SPAN, .name = what, .begin = begin});
}

void watch_begin(struct claim_world *w)
{
	events_free(&w->early);
	w->moved = 0;
	w->watch.words = 0;
	w->watch.steps = w->watch.progressed = 0;
	w->watch.why[0] = '\0';
	w->trace = (struct trace){
		.ctx = w,
		.call_enter = call_enter,
		.call_exit = call_exit,
		.vcpu = vcpu,
		.kick_sent = kick_sent,
		.kick_taken = kick_taken,
		.lost = lost,
		.attempt = attempted,
		.progress = progressed,
	};
	if (claimed(w, CHECK_EXCLUSION) || w->record)
		w->trace.held = held;
	if (w->record)
		w->trace.span = span;
}

/* ------------------------------------------------------------ after a step */

static void check_zero_step(struct claim_world *w)
{
	for (u32 i = 0; i < w->claim->vcpus; i++) {
		struct kvm_vcpu *v = kvm_vcpu(w->vm, i);

		if (tdx_zero_step_listed(w->module, v->tdvpr))
			watch_fail(w, "vCPU %u: a GPA is on its zero-step list",
				   i);
	}
}

const char *watch_step(void *world)
{
	struct claim_world *w = world;

	w->watch.steps++;
	if (claimed(w, CHECK_NO_ZERO_STEP))
		check_zero_step(w);
	if (claimed(w, CHECK_NOT_BUGGED) && kvm_vm_bugged(w->vm))
		watch_fail(w, "the VM is bugged: %s", kvm_vm_bug(w->vm));
	return w->watch.why[0] ? w->watch.why : NULL;
}

/* ------------------------------------------------------------ at the end */

static void check_page(struct claim_world *w, u64 gfn)
{
	hpa_t page = HPA(w->vm->data.v + (gfn << 12));
	struct tdx_show_sept sept;
	struct tdx_show_pamt pamt;
	bool mapped, used;

	tdx_show_sept(w->module, w->vm->control, GPA(gfn << 12), LEVEL_4K,
		      &sept);
	mapped = sept.reachable && strcmp(sept.state, "FREE") != 0;
	tdx_show_pamt(w->module, page, LEVEL_4K, &pamt);
	used = !strcmp(pamt.type, "REG");
	if (mapped && sept.hpa.v != page.v)
		watch_fail(w, "gfn 0x%llx: maps another page",
			   (unsigned long long)gfn);
	if (mapped != used)
		watch_fail(w, "gfn 0x%llx: the S-EPT says %s, the PAMT %s",
			   (unsigned long long)gfn,
			   mapped ? sept.state : "FREE", pamt.type);
}

static void check_done(struct claim_world *w)
{
	char why[160];

	for (u32 i = 0; i < w->claim->strands; i++) {
		struct claim_worker *me = &w->worker[i];

		if (claimed(w, CHECK_FAULTS_END) && !me->done)
			watch_fail(w, "%s: an operation failed: %s",
				   me->claim->name, strerror(-me->error));
	}
	if (claimed(w, CHECK_INVARIANTS) &&
	    !tdx_check_invariants(w->module, why, sizeof(why)))
		watch_fail(w, "at the end: %s", why);
	for (u64 gfn = 0; claimed(w, CHECK_PAGES) && gfn < w->claim->pages;
	     gfn++)
		check_page(w, gfn);
}

/*
 * Nobody got on for half of the steps that an execution may have.  While a
 * shorter counterexample is sought the bound is another one.
 */
static void check_cut(struct claim_world *w)
{
	const struct watch *watch = &w->watch;

	if (claimed(w, CHECK_NO_LIVELOCK) &&
	    watch->steps >= w->claim->bounds.steps &&
	    watch->progressed * 2 < watch->steps)
		watch_fail(
			w, "livelock: nothing was done in %llu steps",
			(unsigned long long)(watch->steps - watch->progressed));
}

const char *watch_check(void *world, enum machine_end end)
{
	struct claim_world *w = world;

	switch (end) {
	case MACHINE_DONE:
		check_done(w);
		break;
	case MACHINE_HALTED:
		record(w, w->moving, (struct event){.kind = EVENT_HALT});
		if (claimed(w, CHECK_NO_HALT))
			watch_fail(w, "halt: %s", machine_reason(w->machine));
		break;
	case MACHINE_DEADLOCK:
		if (claimed(w, CHECK_NO_DEADLOCK))
			watch_fail(w, "deadlock: no strand can go on");
		break;
	case MACHINE_LIVELOCK:
		if (claimed(w, CHECK_NO_LIVELOCK))
			watch_fail(w, "livelock: who is left tries for ever "
				      "what cannot succeed");
		break;
	default:
		check_cut(w);
		break;
	}
	return w->watch.why[0] ? w->watch.why : NULL;
}
