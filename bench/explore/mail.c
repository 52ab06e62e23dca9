/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An execution in columns, one a strand, time downwards: as mails about races
 * have it.  A line belongs to one strand, so lines are in the order in which
 * things happened.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/explore/explore.h"

enum { WIDTH = 75, INDENT = 2, GAP = 1 };

/* What comes again and again is drawn once: so often, so many events long. */
enum { REPEATS = 4, PERIOD = 12 };

struct drawing {
	const struct execution *x;
	FILE *out;
	u32 columns, width;	    /* of one column */
	u32 column[CLAIM_STRANDS];  /* of a strand; those that do nothing have
				       none */
	u32 strand[CLAIM_STRANDS];  /* of a column */
	const struct event **event; /* owned; those that are drawn */
	size_t n;
};

/* ------------------------------------------------------------ what is said */

/* The end of a call without anything of others in between. */
static const struct event *ends_at_once(const struct drawing *d, size_t i)
{
	const struct event *call = d->event[i];
	const struct event *next = i + 1 < d->n ? d->event[i + 1] : NULL;

	if (!next || call->kind != EVENT_CALL || next->strand != call->strand)
		return NULL;
	return next->kind == EVENT_STATUS || next->kind == EVENT_HALT ? next
								      : NULL;
}

static const char *status_text(tdx_status status, char *text, size_t size)
{
	char *paren;

	if (status == EXIT_EPT_VIOLATION)
		return "EPT violation";
	tdx_status_print(status, text, size);
	paren = strchr(text, '(');
	if (paren && paren > text)
		paren[-1] = '\0';
	/* TDX_OPERAND_BUSY | RCX: a place to break the line is enough */
	return text;
}

void event_print(const struct execution *x, const struct event *e, char *text,
		 size_t size)
{
	char status[96];

	switch (e->kind) {
	case EVENT_CALL:
		snprintf(text, size, "%s", e->name);
		break;
	case EVENT_STATUS:
		snprintf(text, size, "-> %s",
			 status_text(e->status, status, sizeof(status)));
		break;
	case EVENT_LOST:
		snprintf(text, size, "loses %s (0x%" PRIx64 ")", e->name,
			 e->value);
		break;
	case EVENT_HELD:
		snprintf(text, size, "has %s %s", e->name,
			 e->exclusive ? "exclusive" : "shared");
		break;
	case EVENT_ENTERED:
		snprintf(text, size, "[in the guest]");
		break;
	case EVENT_EXITED:
		snprintf(text, size, "[TD exit]");
		break;
	case EVENT_KICK:
		snprintf(text, size, "kicks %s",
			 x->claim->strand[e->other].name);
		break;
	case EVENT_KICKED:
		snprintf(text, size, "takes the kick");
		break;
	case EVENT_OP:
		snprintf(text, size, "%s:", e->text);
		break;
	case EVENT_OP_END:
		if (e->error)
			snprintf(text, size, "%s: %s", e->text,
				 strerror(-e->error));
		else
			snprintf(text, size, "%s: done", e->text);
		break;
	case EVENT_WAIT:
		snprintf(text, size, "...");
		break;
	case EVENT_HALT:
		snprintf(text, size, "-> the module halts");
		break;
	case EVENT_SPAN:
		snprintf(text, size, "%s %s", e->name,
			 e->begin ? "begins" : "ends");
		break;
	}
}

static bool is_inner(enum event_kind kind)
{
	return kind == EVENT_LOST || kind == EVENT_HELD;
}

/* ------------------------------------------------------------- how it looks */

/* How much of a text fits: all, or up to where it may be broken. */
static size_t piece(const char *text, size_t width)
{
	size_t n = strlen(text), at;

	if (n <= width)
		return n;
	for (at = width; at > width / 3; at--)
		if (text[at] == ' ' || text[at - 1] == '_' ||
		    text[at - 1] == '.')
			return at;
	return width;
}

static void put_line(const struct drawing *d, u32 column, u32 indent,
		     const char *text, size_t n)
{
	fprintf(d->out, "%*s%.*s\n", (int)(column * (d->width + GAP) + indent),
		"", (int)n, text);
}

static void put(const struct drawing *d, u32 column, u32 indent,
		const char *text)
{
	while (*text) {
		size_t n = piece(text, d->width - indent);
		size_t last = n;

		while (last && text[last - 1] == ' ')
			last--;
		put_line(d, column, indent, text, last);
		text += n;
		while (*text == ' ')
			text++;
		/* What is left over is set off. */
		if (indent < 2 * INDENT)
			indent += INDENT;
	}
}

static const char *name_of_column(const struct drawing *d, u32 column)
{
	return d->x->claim->strand[d->strand[column]].name;
}

static void put_heading(const struct drawing *d)
{
	for (u32 i = 0; i < d->columns; i++)
		fprintf(d->out, i + 1 < d->columns ? "%-*s" : "%.*s",
			(int)(d->width + GAP), name_of_column(d, i));
	fputc('\n', d->out);
	for (u32 i = 0; i < d->columns; i++) {
		size_t n = strlen(name_of_column(d, i));

		for (size_t k = 0; k < n; k++)
			fputc('-', d->out);
		if (i + 1 < d->columns)
			fprintf(d->out, "%*s", (int)(d->width + GAP - n), "");
	}
	fputc('\n', d->out);
}

/* How many events it were. */
static size_t put_event(const struct drawing *d, size_t i)
{
	const struct event *e = d->event[i];
	const struct event *end = ends_at_once(d, i);
	char text[320], more[160];

	event_print(d->x, e, text, sizeof(text));
	if (end) {
		event_print(d->x, end, more, sizeof(more));
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 " %s", more);
	}
	put(d, d->column[e->strand], is_inner(e->kind) ? INDENT : 0, text);
	return end ? 2 : 1;
}

/* ------------------------------------------------ what comes several times */

static bool same(const struct event *a, const struct event *b)
{
	return a->kind == b->kind && a->strand == b->strand &&
	       a->other == b->other && a->name == b->name &&
	       a->status == b->status && a->word == b->word &&
	       a->value == b->value && a->error == b->error &&
	       !strcmp(a->text, b->text);
}

/* Where it reads well to begin. */
static bool begins(const struct event *e)
{
	return e->kind == EVENT_CALL || e->kind == EVENT_EXITED;
}

/* Do the events from i on, up to i + period, belong to one strand? */
static bool alone(const struct drawing *d, size_t i, size_t period)
{
	for (size_t k = 1; k < period; k++)
		if (d->event[i + k]->strand != d->event[i]->strand)
			return false;
	return true;
}

/* How often those events are there, one time right after the other. */
static size_t times(const struct drawing *d, size_t i, size_t period)
{
	size_t k = i + period;

	while (k < d->n && same(d->event[k], d->event[k - period]))
		k++;
	return (k - i) / period;
}

/* What comes again from i on, once; how many events it were, 0: it does not. */
static size_t put_repeated(const struct drawing *d, size_t i)
{
	char text[40];

	if (!begins(d->event[i]))
		return 0;
	for (size_t p = 1; p <= PERIOD && i + p < d->n; p++) {
		size_t n = times(d, i, p);

		if (n < REPEATS || !alone(d, i, p))
			continue;
		for (size_t k = i; k < i + p;)
			k += put_event(d, k);
		snprintf(text, sizeof(text), "(%zu more times)", n - 1);
		put(d, d->column[d->event[i]->strand], 0, text);
		return n * p;
	}
	return 0;
}

static void put_events(const struct drawing *d)
{
	for (size_t i = 0, n; i < d->n; i += n) {
		n = put_repeated(d, i);
		if (!n)
			n = put_event(d, i);
	}
}

/* What is drawn, and a column for each strand that does any of it. */
static void choose_events(struct drawing *d)
{
	const struct events *events = &d->x->events;
	bool seen[CLAIM_STRANDS] = {false};

	for (size_t i = 0; i < events->n; i++) {
		if (!event_is_drawn(&events->event[i]))
			continue;
		d->event[d->n++] = &events->event[i];
		seen[events->event[i].strand] = true;
	}
	for (u32 i = 0; i < d->x->claim->strands; i++) {
		d->column[i] = d->columns;
		d->strand[d->columns] = i;
		d->columns += seen[i];
	}
	d->columns += !d->columns;
	d->width = (WIDTH - GAP * (d->columns - 1)) / d->columns;
}

int execution_mail(const struct execution *x, FILE *out)
{
	struct drawing d = {
		.x = x,
		.out = out,
		.event = calloc(x->events.n + 1, sizeof(*d.event)),
	};
	char why[256];

	if (!d.event)
		return -1;
	choose_events(&d);
	put_heading(&d);
	put_events(&d);
	free(d.event);
	if (!x->why)
		return 0;
	fputs("\n", out);
	d.width = WIDTH;
	snprintf(why, sizeof(why), "=> %s", x->why);
	put(&d, 0, 0, why);
	return 0;
}
