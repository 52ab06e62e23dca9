/* SPDX-License-Identifier: GPL-2.0-only */
/* One execution as a list of events, and what each is in words. */
#include <stdlib.h>
#include <string.h>

#include "bench/explore/explore.h"

/* Who lost shows who had it: the last one before that got the same word. */
static void show_holder(struct events *events, const struct event *loser)
{
	for (size_t i = events->n; i-- > 0;) {
		struct event *held = &events->event[i];

		if (held->kind != EVENT_HELD || held->word != loser->word ||
		    held->strand == loser->strand)
			continue;
		held->shown = true;
		return;
	}
}

void events_add(struct events *events, const struct event *event)
{
	size_t room = events->room ? 2 * events->room : 256;

	if (event->kind == EVENT_LOST)
		show_holder(events, event);
	if (events->n == events->room) {
		struct event *more =
			realloc(events->event, room * sizeof(*events->event));

		if (!more) {
			events->no_memory = true;
			return;
		}
		events->event = more;
		events->room = room;
	}
	events->event[events->n++] = *event;
}

bool event_is_drawn(const struct event *event)
{
	return event->kind != EVENT_SPAN &&
	       (event->kind != EVENT_HELD || event->shown);
}

void events_free(struct events *events)
{
	free(events->event);
	*events = (struct events){0};
}
