/* SPDX-License-Identifier: GPL-2.0-only */
/* An execution for programs: JSON, and dot for pictures. */
#include <inttypes.h>
#include <stdio.h>

#include "bench/explore/explore.h"

static const char *const kind_names[] = {
	[EVENT_CALL] = "call",	     [EVENT_STATUS] = "status",
	[EVENT_LOST] = "lost",	     [EVENT_HELD] = "held",
	[EVENT_ENTERED] = "entered", [EVENT_EXITED] = "exited",
	[EVENT_KICK] = "kick",	     [EVENT_KICKED] = "kicked",
	[EVENT_OP] = "op",	     [EVENT_OP_END] = "op-end",
	[EVENT_WAIT] = "wait",	     [EVENT_HALT] = "halt",
	[EVENT_SPAN] = "span",
};

static void set(json_t *o, const char *key, json_t *value)
{
	json_object_set_new(o, key, value);
}

static json_t *hex(u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_string(text);
}

static json_t *event_json(const struct execution *x, const struct event *e)
{
	json_t *o = json_object();
	char text[160];

	event_print(x, e, text, sizeof(text));
	set(o, "step", json_integer((json_int_t)e->step));
	set(o, "strand", json_integer(e->strand));
	set(o, "kind", json_string(kind_names[e->kind]));
	set(o, "text", json_string(text));
	if (e->name)
		set(o, "name", json_string(e->name));
	if (e->kind == EVENT_STATUS)
		set(o, "status", hex(e->status));
	if (e->kind == EVENT_LOST)
		set(o, "word", hex(e->value));
	if (e->kind == EVENT_KICK)
		set(o, "target", json_integer(e->other));
	if (e->kind == EVENT_OP_END)
		set(o, "error", json_integer(e->error));
	return o;
}

json_t *execution_json(const struct execution *x)
{
	json_t *strands = json_array(), *events = json_array();

	for (u32 i = 0; i < x->claim->strands; i++)
		json_array_append_new(strands,
				      json_string(x->claim->strand[i].name));
	for (size_t i = 0; i < x->events.n; i++) {
		const struct event *e = &x->events.event[i];

		if (event_is_drawn(e))
			json_array_append_new(events, event_json(x, e));
	}
	return json_pack("{so, so, so}", "strands", strands, "events", events,
			 "why", x->why ? json_string(x->why) : json_null());
}

/* ------------------------------------------------------------------- dot */

static void quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void dot_strand(const struct execution *x, u32 strand, FILE *out)
{
	const struct events *events = &x->events;
	char text[160];
	size_t last = events->n;

	fprintf(out, "  subgraph cluster_%u {\n    label=", strand);
	quoted(out, x->claim->strand[strand].name);
	fputs(";\n", out);
	for (size_t i = 0; i < events->n; i++) {
		const struct event *e = &events->event[i];

		if (e->strand != strand || !event_is_drawn(e))
			continue;
		event_print(x, e, text, sizeof(text));
		fprintf(out, "    e%zu [label=", i);
		quoted(out, text);
		fputs("];\n", out);
		if (last < events->n)
			fprintf(out, "    e%zu -> e%zu;\n", last, i);
		last = i;
	}
	fputs("  }\n", out);
}

/* Where one strand's event is what another's comes from. */
static void dot_cause(const struct events *events, size_t i, FILE *out)
{
	const struct event *e = &events->event[i];

	for (size_t k = i; k-- > 0;) {
		const struct event *from = &events->event[k];
		bool holder = e->kind == EVENT_LOST && from->shown &&
			      from->kind == EVENT_HELD &&
			      from->word == e->word &&
			      from->strand != e->strand;
		bool kick = e->kind == EVENT_KICKED &&
			    from->kind == EVENT_KICK &&
			    from->other == e->strand;

		if (!holder && !kick)
			continue;
		fprintf(out, "  e%zu -> e%zu [style=dashed];\n", k, i);
		return;
	}
}

void execution_dot(const struct execution *x, FILE *out)
{
	fputs("digraph execution {\n  node [shape=box];\n  label=", out);
	quoted(out, x->why ? x->why : x->claim->name);
	fputs(";\n", out);
	for (u32 i = 0; i < x->claim->strands; i++)
		dot_strand(x, i, out);
	for (size_t i = 0; i < x->events.n; i++)
		dot_cause(&x->events, i, out);
	fputs("}\n", out);
}
