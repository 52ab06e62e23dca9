/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A timeline as text: time, strand and what it did, a line an event.  A line
 * stands where the event ends: that of a call says its status and how long it
 * took.
 */
#include <inttypes.h>
#include <string.h>

#include "bench/base/plain.h"
#include "bench/timeline/timeline.h"

enum { MAIL_WIDTH = 75, TIME_WIDTH = 12, NAME_WIDTH = 16, MORE_INDENT = 2 };

static const char *took(u64 ps, char *buf, size_t size)
{
	snprintf(buf, size, "%" PRIu64 ".%03" PRIu64 " us",
		 (u64)(ps / PS_PER_US), (u64)(ps % PS_PER_US / PS_PER_NS));
	return buf;
}

static void tell_end(const struct timeline_event *e, char *text, size_t size)
{
	char status[96], time[32];

	took(e->at_ps - e->since_ps, time, sizeof(time));
	if (e->cut)
		snprintf(text, size, "%s: not over when the run ended, %s",
			 e->name, time);
	else if (e->slice == SLICE_CALL)
		snprintf(text, size, "%s -> %s, %s", e->name,
			 timeline_status(e->value, status, sizeof(status)),
			 time);
	else
		snprintf(text, size, "%s: %s", e->name, time);
}

/* False: nothing is said of it. */
static bool tell(const struct timeline *t, const struct timeline_event *e,
		 char *text, size_t size)
{
	switch ((enum timeline_kind)e->kind) {
	case TIMELINE_BEGIN:
		snprintf(text, size, "%s ...", e->name);
		return e->slice != SLICE_CALL;
	case TIMELINE_END:
		tell_end(e, text, size);
		return true;
	case TIMELINE_KICK:
		snprintf(text, size, "kicks %s", t->strand[e->other].name);
		return true;
	case TIMELINE_KICKED:
		snprintf(text, size, "%s", e->name);
		return true;
	case TIMELINE_MEASURE:
		snprintf(text, size, "measure %s",
			 e->value ? "begins" : "ends");
		return true;
	}
	return false;
}

static void put_left(struct timeline *t, const struct timeline_event *e)
{
	fprintf(t->out, "%*" PRIu64 ".%03" PRIu64 "  %-*s ", TIME_WIDTH - 4,
		(u64)(e->at_ps / PS_PER_US),
		(u64)(e->at_ps % PS_PER_US / PS_PER_NS), NAME_WIDTH,
		t->strand[e->strand].name);
}

/* How much of a text fits into a line: to the last space, or as much. */
static size_t piece(const char *text, size_t width)
{
	size_t n = strlen(text);

	if (n <= width)
		return n;
	for (n = width; n && text[n] != ' '; n--)
		;
	if (n)
		return n;
	/* Not within a character of UTF-8. */
	for (n = width; n && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
		;
	return n ? n : width;
}

static void put_pieces(struct timeline *t, const char *text, size_t indent)
{
	size_t width = MAIL_WIDTH - indent;

	for (bool first = true; *text; first = false) {
		size_t n = piece(text, width);

		if (!first)
			fprintf(t->out, "%*s", (int)indent, "");
		fprintf(t->out, "%.*s\n", (int)n, text);
		text += n;
		while (*text == ' ')
			text++;
		if (first) {
			indent += MORE_INDENT;
			width -= MORE_INDENT;
		}
	}
}

void timeline_text_event(struct timeline *t, const struct timeline_event *e)
{
	char text[192];

	if (!tell(t, e, text, sizeof(text)))
		return;
	put_left(t, e);
	fprintf(t->out, "%s\n", text);
}

void timeline_mail_event(struct timeline *t, const struct timeline_event *e)
{
	char text[192];

	if (!tell(t, e, text, sizeof(text)))
		return;
	put_left(t, e);
	put_pieces(t, text, TIME_WIDTH + NAME_WIDTH + 3);
}

void timeline_text_head(struct timeline *t)
{
	put_pieces(t, t->title, 0);
	fprintf(t->out, "%*s  %-*s %s\n", TIME_WIDTH, "us", NAME_WIDTH,
		"strand", "what");
}

void timeline_text_tail(struct timeline *t, const json_t *facts)
{
	const char *status =
		json_string_value(json_object_get(facts, "status"));
	const char *reason =
		json_string_value(json_object_get(facts, "reason"));
	char text[512];

	plain_copy(text, sizeof(text), reason ? reason : "");
	fprintf(t->out, "ended: %s\n", status ? status : "?");
	put_pieces(t, text, 0);
	fprintf(t->out,
		"%" PRIu64 " calls, %" PRIu64 " of them BUSY, %" PRIu64
		" kicks\n",
		t->totals.calls, t->totals.busy, t->totals.kicks);
}
