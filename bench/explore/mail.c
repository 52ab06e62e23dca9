/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An execution in columns, one a strand, time downwards: as mails about races
 * have it.  A line belongs to one strand, so lines are in the order in which
 * things happened.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/explore/explore.h"

enum { WIDTH = 75, INDENT = 2, GAP = 1 };

struct drawing {
	const struct execution *x;
	FILE *out;
	u32 columns, width; /* of one column */
};

/* ------------------------------------------------------------ what is said */

/* The end of a call without anything of others in between. */
static const struct event *ends_at_once(const struct execution *x, size_t i)
{
	const struct event *call = &x->events.event[i];

	for (size_t k = i + 1; k < x->events.n; k++) {
		const struct event *next = &x->events.event[k];

		if (next->kind == EVENT_HELD && !next->shown)
			continue;
		return next->strand == call->strand &&
				       next->kind == EVENT_STATUS
			       ? next
			       : NULL;
	}
	return NULL;
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

static void put_heading(const struct drawing *d)
{
	for (u32 i = 0; i < d->columns; i++)
		fprintf(d->out, i + 1 < d->columns ? "%-*s" : "%.*s",
			(int)(d->width + GAP), d->x->claim->strand[i].name);
	fputc('\n', d->out);
	for (u32 i = 0; i < d->columns; i++) {
		size_t n = strlen(d->x->claim->strand[i].name);

		for (size_t k = 0; k < n; k++)
			fputc('-', d->out);
		if (i + 1 < d->columns)
			fprintf(d->out, "%*s", (int)(d->width + GAP - n), "");
	}
	fputc('\n', d->out);
}

static size_t put_event(const struct drawing *d, size_t i)
{
	const struct execution *x = d->x;
	const struct event *e = &x->events.event[i];
	const struct event *end =
		e->kind == EVENT_CALL ? ends_at_once(x, i) : NULL;
	char text[160], status[96];

	if (e->kind == EVENT_HELD && !e->shown)
		return i + 1;
	event_print(x, e, text, sizeof(text));
	if (end)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 " -> %s",
			 status_text(end->status, status, sizeof(status)));
	put(d, e->strand, is_inner(e->kind) ? INDENT : 0, text);
	return end ? (size_t)(end - x->events.event) + 1 : i + 1;
}

void execution_mail(const struct execution *x, FILE *out)
{
	struct drawing d = {
		.x = x,
		.out = out,
		.columns = x->claim->strands,
	};
	char why[256];

	d.width = (WIDTH - GAP * (d.columns - 1)) / d.columns;
	put_heading(&d);
	for (size_t i = 0; i < x->events.n;)
		i = put_event(&d, i);
	if (!x->why)
		return;
	fputs("\n", out);
	d.width = WIDTH;
	snprintf(why, sizeof(why), "=> %s", x->why);
	put(&d, 0, 0, why);
}
