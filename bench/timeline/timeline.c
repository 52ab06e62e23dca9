/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "bench/base/names.h"
#include "bench/timeline/timeline.h"
#include "model/module/module.h"

const struct timeline_form timeline_forms[] = {
	{"json", "trace events for Perfetto and Chrome", timeline_json_head,
	 timeline_json_event, timeline_json_tail},
	{"text", "a line an event", timeline_text_head, timeline_text_event,
	 timeline_text_tail},
	{"mail", "the same, at most 75 columns wide", timeline_text_head,
	 timeline_mail_event, timeline_text_tail},
	{.name = NULL},
};

static const char *form_name(const void *forms, size_t index)
{
	return ((const struct timeline_form *)forms)[index].name;
}

const struct timeline_form *timeline_form(const char *name, const struct at *at)
{
	int form =
		name ? parse_name(name, "form", form_name, timeline_forms, at)
		     : 0;

	return form < 0 ? NULL : &timeline_forms[form];
}

const char *timeline_status(u64 status, char *buf, size_t size)
{
	char *number;

	if (status == EXIT_EPT_VIOLATION) {
		snprintf(buf, size, "EPT violation");
		return buf;
	}
	tdx_status_print(status, buf, size);
	number = strstr(buf, " (0x");
	if (number)
		*number = '\0';
	return buf;
}

/* ------------------------------------------- the window, a heap by time */

static bool earlier(const struct timeline_event *a,
		    const struct timeline_event *b)
{
	return a->at_ps < b->at_ps ||
	       (a->at_ps == b->at_ps && a->number < b->number);
}

static void window_put(struct timeline *t, const struct timeline_event *e)
{
	size_t i = t->n++;

	while (i && earlier(e, &t->window[(i - 1) / 2])) {
		t->window[i] = t->window[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	t->window[i] = *e;
}

static struct timeline_event window_take(struct timeline *t)
{
	struct timeline_event *w = t->window, first = w[0], last = w[--t->n];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < t->n) {
		if (child + 1 < t->n && earlier(&w[child + 1], &w[child]))
			child++;
		if (!earlier(&w[child], &last))
			break;
		w[i] = w[child];
		i = child;
	}
	w[i] = last;
	return first;
}

static bool is_mmu_lock(const struct timeline_event *e)
{
	return e->slice == SLICE_SPAN && strcmp(e->name, "mmu_lock") == 0;
}

static void count(struct timeline_totals *totals,
		  const struct timeline_event *e)
{
	totals->events++;
	if (e->kind == TIMELINE_KICK)
		totals->kicks++;
	if (e->kind == TIMELINE_BEGIN && is_mmu_lock(e))
		totals->waiting++;
	if (e->kind != TIMELINE_END)
		return;
	if (is_mmu_lock(e))
		totals->waiting--;
	if (e->slice != SLICE_CALL || e->cut)
		return;
	totals->calls++;
	totals->busy += tdx_operand_busy(e->value);
}

static void write_first(struct timeline *t)
{
	struct timeline_event e = window_take(t);

	count(&t->totals, &e);
	if (t->written_ps < e.at_ps)
		t->written_ps = e.at_ps;
	t->form->event(t, &e);
}

static void add(struct timeline *t, struct timeline_event e)
{
	e.number = t->number++;
	if (t->seen_ps < e.at_ps)
		t->seen_ps = e.at_ps;
	if (t->n == TIMELINE_WINDOW)
		write_first(t);
	window_put(t, &e);
}

/* -------------------------------------------------------------- slices */

static void open_slice(struct timeline *t, u32 strand, u64 at_ps,
		       enum timeline_slice slice, const char *name)
{
	struct timeline_strand *s = &t->strand[strand];

	if (s->depth == TIMELINE_DEPTH) {
		t->misfits++;
		return;
	}
	s->open[s->depth++] = (struct timeline_open){name, at_ps, slice};
	add(t, (struct timeline_event){.at_ps = at_ps,
				       .name = name,
				       .strand = strand,
				       .kind = TIMELINE_BEGIN,
				       .slice = (u8)slice});
}

static void close_top(struct timeline *t, u32 strand, u64 at_ps, u64 value,
		      bool cut)
{
	struct timeline_strand *s = &t->strand[strand];
	const struct timeline_open *top = &s->open[--s->depth];

	add(t, (struct timeline_event){.at_ps = at_ps,
				       .since_ps = top->since_ps,
				       .value = value,
				       .name = top->name,
				       .strand = strand,
				       .kind = TIMELINE_END,
				       .slice = (u8)top->slice,
				       .cut = cut});
}

static void close_slice(struct timeline *t, u32 strand, u64 at_ps,
			const char *name, u64 value)
{
	struct timeline_strand *s = &t->strand[strand];

	if (s->depth && strcmp(s->open[s->depth - 1].name, name) == 0)
		close_top(t, strand, at_ps, value, false);
	else
		t->misfits++;
}

void timeline_slice(struct timeline *t, u32 strand, u64 at_ps,
		    const struct timeline_change *c)
{
	if (c->begin)
		open_slice(t, strand, at_ps, c->slice, c->name);
	else
		close_slice(t, strand, at_ps, c->name, c->value);
}

/* --------------------------------------------------------------- kicks */

/* A number that no other kick has; below 2^53 in any run that ends. */
static u64 kick_number(const struct timeline *t, u32 target, u64 nth)
{
	return nth * t->strands + target + 1;
}

void timeline_kick(struct timeline *t, u32 strand, u64 at_ps, u32 target)
{
	struct timeline_strand *to = &t->strand[target];

	add(t,
	    (struct timeline_event){.at_ps = at_ps,
				    .value = kick_number(t, target, to->sent++),
				    .name = "kick",
				    .strand = strand,
				    .other = target,
				    .kind = TIMELINE_KICK});
}

static void take_kicks(struct timeline *t, u32 strand, u64 at_ps, bool cut)
{
	struct timeline_strand *s = &t->strand[strand];

	while (s->taken < s->sent)
		add(t, (struct timeline_event){
			       .at_ps = at_ps,
			       .value = kick_number(t, strand, s->taken++),
			       .name = cut ? "kick not taken" : "kicked",
			       .strand = strand,
			       .kind = TIMELINE_KICKED,
			       .cut = cut});
}

void timeline_kicked(struct timeline *t, u32 strand, u64 at_ps)
{
	take_kicks(t, strand, at_ps, false);
}

/* ------------------------------------------------ the hooks of the machine */

/* The strand and its time; locked until leave(). */
static struct timeline *enter(void *ctx, struct strand *s, u64 *at_ps)
{
	struct timeline *t = ctx;

	*at_ps = now(s);
	pthread_mutex_lock(&t->lock);
	return t;
}

static void leave(struct timeline *t)
{
	pthread_mutex_unlock(&t->lock);
}

static void on_slice(void *ctx, struct strand *s, enum timeline_slice slice,
		     const char *name, bool begin, u64 value)
{
	u64 at_ps;
	struct timeline *t = enter(ctx, s, &at_ps);

	timeline_slice(t, s->id, at_ps,
		       &(struct timeline_change){slice, name, begin, value});
	leave(t);
}

static void on_call_enter(void *ctx, struct strand *s, const char *call)
{
	on_slice(ctx, s, SLICE_CALL, call, true, 0);
}

static void on_call_exit(void *ctx, struct strand *s, const char *call,
			 u64 status)
{
	on_slice(ctx, s, SLICE_CALL, call, false, status);
}

static void on_vcpu(void *ctx, struct strand *s, bool inside)
{
	on_slice(ctx, s, SLICE_GUEST, "guest", inside, 0);
}

static void on_span(void *ctx, struct strand *s, const char *what, bool begin)
{
	on_slice(ctx, s, SLICE_SPAN, what, begin, 0);
}

static void on_kick_sent(void *ctx, struct strand *s, struct strand *target)
{
	u64 at_ps;
	struct timeline *t = enter(ctx, s, &at_ps);

	timeline_kick(t, s->id, at_ps, target->id);
	leave(t);
}

static void on_kick_taken(void *ctx, struct strand *s)
{
	u64 at_ps;
	struct timeline *t = enter(ctx, s, &at_ps);

	timeline_kicked(t, s->id, at_ps);
	leave(t);
}

static void on_measure(void *ctx, struct strand *s, bool begin)
{
	u64 at_ps;
	struct timeline *t = enter(ctx, s, &at_ps);

	add(t, (struct timeline_event){.at_ps = at_ps,
				       .value = begin,
				       .name = begin ? "measure" : "measured",
				       .strand = s->id,
				       .kind = TIMELINE_MEASURE});
	leave(t);
}

/* ------------------------------------------------------- begin and end */

static void name_strand(const struct timeline_cast *cast, u32 i, char *name)
{
	u32 vcpus = cast->tds * cast->vcpus;

	if (cast->names)
		snprintf(name, TIMELINE_NAME, "%s", cast->names[i]);
	else if (i >= vcpus)
		snprintf(name, TIMELINE_NAME, "host thread %u", i - vcpus);
	else if (cast->tds > 1)
		snprintf(name, TIMELINE_NAME, "TD %u vCPU %u", i / cast->vcpus,
			 i % cast->vcpus);
	else
		snprintf(name, TIMELINE_NAME, "vCPU %u", i);
}

int timeline_begin(struct timeline *t, const struct timeline_form *form,
		   const struct timeline_cast *cast, const char *title,
		   FILE *out)
{
	*t = (struct timeline){
		.trace = {.ctx = t,
			  .call_enter = on_call_enter,
			  .call_exit = on_call_exit,
			  .vcpu = on_vcpu,
			  .kick_sent = on_kick_sent,
			  .kick_taken = on_kick_taken,
			  .span = on_span,
			  .measure = on_measure},
		.form = form,
		.out = out,
		.title = title,
		.strands = cast->tds * cast->vcpus + cast->hosts,
	};
	pthread_mutex_init(&t->lock, NULL);
	t->strand = calloc(t->strands + 1ull, sizeof(*t->strand));
	t->window = malloc(TIMELINE_WINDOW * sizeof(*t->window));
	if (!t->strand || !t->window)
		return -1;
	for (u32 i = 0; i < t->strands; i++)
		name_strand(cast, i, t->strand[i].name);
	form->head(t);
	return 0;
}

void timeline_end(struct timeline *t, u64 end_ps, const json_t *facts)
{
	if (end_ps < t->seen_ps)
		end_ps = t->seen_ps;
	for (u32 i = 0; i < t->strands; i++) {
		while (t->strand[i].depth)
			close_top(t, i, end_ps, 0, true);
		take_kicks(t, i, end_ps, true);
	}
	while (t->n)
		write_first(t);
	t->form->tail(t, facts);
}

void timeline_free(struct timeline *t)
{
	pthread_mutex_destroy(&t->lock);
	free(t->strand);
	free(t->window);
}
