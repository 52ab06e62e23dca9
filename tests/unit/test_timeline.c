/* SPDX-License-Identifier: GPL-2.0-only */
/* The timeline's window and slices, told by hooks that are called by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/timeline/timeline.h"

enum { STRANDS = 3 };

struct rig {
	struct timeline t;
	struct strand strand[STRANDS];
	char *text;
	size_t size;
	FILE *out;
};

static const struct timeline_form *form(const char *name)
{
	const struct timeline_form *f = timeline_forms;

	while (strcmp(f->name, name) != 0)
		f++;
	return f;
}

static void begin(struct rig *r, const char *name, const char *title)
{
	const struct timeline_cast cast = {.tds = 1, .vcpus = 2, .hosts = 1};

	memset(r, 0, sizeof(*r));
	r->out = open_memstream(&r->text, &r->size);
	assert_non_null(r->out);
	for (u32 i = 0; i < STRANDS; i++)
		r->strand[i] = (struct strand){.id = i, .timed = true};
	assert_int_equal(
		timeline_begin(&r->t, form(name), &cast, title, r->out), 0);
}

static void end(struct rig *r, u64 end_ps)
{
	json_t *facts = json_pack("{ss}", "status", "ok");

	timeline_end(&r->t, end_ps, facts);
	json_decref(facts);
	assert_int_equal(fclose(r->out), 0);
	timeline_free(&r->t);
}

static struct strand *at(struct rig *r, u32 strand, u64 us)
{
	r->strand[strand].clock = us * PS_PER_US;
	return &r->strand[strand];
}

static void call(struct rig *r, u32 strand, u64 from, u64 to)
{
	const struct trace *hook = &r->t.trace;

	hook->call_enter(hook->ctx, at(r, strand, from), "TDH.VP.FLUSH");
	hook->call_exit(hook->ctx, at(r, strand, to), "TDH.VP.FLUSH", 0);
}

/* The trace events, in order. */
static json_t *events_of(const struct rig *r, json_t **document)
{
	*document = json_loadb(r->text, r->size, 0, NULL);
	assert_non_null(*document);
	return json_object_get(*document, "traceEvents");
}

static const char *member(json_t *event, const char *key)
{
	return json_string_value(json_object_get(event, key));
}

/* What comes in out of order goes out in order. */
static void events_are_sorted(void **state)
{
	json_t *document, *events, *e;
	struct rig r;
	double last = 0, ts;
	size_t i, n = 0;

	(void)state;
	begin(&r, "json", "t");
	call(&r, 0, 50, 60);
	call(&r, 1, 10, 55);
	call(&r, 2, 1, 2);
	end(&r, 0);
	events = events_of(&r, &document);
	json_array_foreach(events, i, e)
	{
		if (strcmp(member(e, "ph"), "M") == 0)
			continue;
		ts = json_number_value(json_object_get(e, "ts"));
		assert_true(ts >= last);
		last = ts;
		n++;
	}
	assert_int_equal(n, 6);
	json_decref(document);
	free(r.text);
}

/* More events than the window holds: none is lost, no memory is added. */
static void memory_is_bounded(void **state)
{
	const u64 calls = 3 * TIMELINE_WINDOW;
	struct rig r;

	(void)state;
	begin(&r, "text", "t");
	for (u64 i = 0; i < calls; i++) {
		call(&r, (u32)(i % STRANDS), 2 * i, 2 * i + 1);
		assert_true(r.t.n <= TIMELINE_WINDOW);
	}
	end(&r, 0);
	assert_int_equal(r.t.totals.events, 2 * calls);
	assert_int_equal(r.t.totals.calls, calls);
	assert_int_equal(r.t.misfits, 0);
	free(r.text);
}

/* What was still going on ends with the run and says so. */
static void open_slices_are_cut(void **state)
{
	struct rig r;
	const struct trace *hook = &r.t.trace;

	(void)state;
	begin(&r, "text", "t");
	hook->vcpu(hook->ctx, at(&r, 0, 1), true);
	hook->call_enter(hook->ctx, at(&r, 0, 2), "TDG.MEM.PAGE.ACCEPT");
	hook->kick_sent(hook->ctx, at(&r, 2, 3), &r.strand[0]);
	end(&r, 9 * PS_PER_US);
	assert_non_null(strstr(r.text, "TDG.MEM.PAGE.ACCEPT: not over when the "
				       "run ended, 7.000 us"));
	assert_non_null(strstr(r.text, "guest: not over when the run ended, "
				       "8.000 us"));
	assert_non_null(strstr(r.text, "kick not taken"));
	assert_int_equal(r.t.totals.calls, 0);
	free(r.text);
}

/* An end without its begin is noticed. */
static void misfits_are_counted(void **state)
{
	struct rig r;
	const struct trace *hook = &r.t.trace;

	(void)state;
	begin(&r, "json", "t");
	hook->span(hook->ctx, at(&r, 0, 1), "mmu_lock", true);
	hook->span(hook->ctx, at(&r, 0, 2), "kick", false);
	hook->vcpu(hook->ctx, at(&r, 1, 2), false);
	for (u32 i = 0; i < TIMELINE_DEPTH + 1; i++)
		hook->span(hook->ctx, at(&r, 2, 3), "idle", true);
	end(&r, 0);
	assert_int_equal(r.t.misfits, 3);
	free(r.text);
}

/* Two kicks under way to one strand are two arrows, both taken at once. */
static void kicks_are_paired(void **state)
{
	json_t *document, *events, *e;
	json_int_t out[2] = {0}, in[2] = {0};
	size_t i, sent = 0, taken = 0;
	struct rig r;
	const struct trace *hook = &r.t.trace;

	(void)state;
	begin(&r, "json", "t");
	hook->kick_sent(hook->ctx, at(&r, 2, 1), &r.strand[0]);
	hook->kick_sent(hook->ctx, at(&r, 1, 2), &r.strand[0]);
	hook->kick_taken(hook->ctx, at(&r, 0, 3));
	hook->kick_taken(hook->ctx, at(&r, 0, 4));
	end(&r, 0);
	events = events_of(&r, &document);
	json_array_foreach(events, i, e)
	{
		json_int_t id = json_integer_value(json_object_get(e, "id"));

		if (strcmp(member(e, "ph"), "s") == 0)
			out[sent++ % 2] = id;
		if (strcmp(member(e, "ph"), "f") == 0)
			in[taken++ % 2] = id;
	}
	assert_int_equal(sent, 2);
	assert_int_equal(taken, 2);
	assert_int_equal(out[0], in[0]);
	assert_int_equal(out[1], in[1]);
	assert_int_not_equal(out[0], out[1]);
	json_decref(document);
	free(r.text);
}

/* Any title is a string, and any is broken into lines of 75 bytes. */
static void titles_do_no_harm(void **state)
{
	static const char title[] =
		"\"}],\\ </script> \xff \xe6\x97\xa5 "
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"x";
	json_t *document, *events;
	struct rig r;
	char *line, *rest;

	(void)state;
	begin(&r, "json", title);
	end(&r, 0);
	events = events_of(&r, &document);
	assert_int_equal(json_array_size(events), 1 + 2 * STRANDS);
	json_decref(document);
	free(r.text);

	begin(&r, "mail", title);
	call(&r, 0, 1, 2);
	end(&r, 0);
	for (line = strtok_r(r.text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		assert_true(strlen(line) <= 75);
	free(r.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_sorted),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(open_slices_are_cut),
		cmocka_unit_test(misfits_are_counted),
		cmocka_unit_test(kicks_are_paired),
		cmocka_unit_test(titles_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
