/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The trace event format, JSON object form, as Perfetto and chrome://tracing
 * read it: times in microseconds, of which the six decimals are picoseconds.
 */
#include <inttypes.h>
#include <string.h>

#include "bench/result/encode.h"
#include "bench/timeline/timeline.h"
#include "model/module/module.h"

/* One process; a track's number is not 0, which viewers take for idle. */
#define HEAD "{\"ph\":\"%s\",\"pid\":1,\"tid\":%" PRIu32
#define TIME ",\"ts\":%" PRIu64 ".%06" PRIu64

static void open_event(struct timeline *t, const char *phase, u32 strand,
		       u64 at_ps)
{
	fprintf(t->out, ",\n" HEAD TIME, phase, strand + 1,
		(u64)(at_ps / PS_PER_US), (u64)(at_ps % PS_PER_US));
}

/* Names in events are the program's own: nothing in them is quoted. */
static void put_name(struct timeline *t, const char *name, const char *category)
{
	fprintf(t->out, ",\"name\":\"%s\",\"cat\":\"%s\"", name, category);
}

/* ------------------------------------------------------------------ head */

static void put_metadata(struct timeline *t, u32 tid, const char *what,
			 json_t *value)
{
	json_t *args = value ? json_pack("{so}", "name", value) : NULL;

	fprintf(t->out, HEAD ",\"name\":\"%s\",\"args\":", "M", tid, what);
	/* A name is no reason to fail: without memory there is none. */
	if (!args || json_dumpf(args, t->out, JSON_COMPACT))
		fputs("{}", t->out);
	fputc('}', t->out);
	json_decref(args);
}

void timeline_json_head(struct timeline *t)
{
	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", t->out);
	put_metadata(t, 0, "process_name", json_bytes(t->title));
	for (u32 i = 0; i < t->strands; i++) {
		fputs(",\n", t->out);
		put_metadata(t, i + 1, "thread_name",
			     json_string(t->strand[i].name));
		fprintf(t->out,
			",\n" HEAD ",\"name\":\"thread_sort_index\",\"args\":"
			"{\"sort_index\":%" PRIu32 "}}",
			"M", i + 1, i);
	}
}

/* ---------------------------------------------------------------- events */

static const char *const categories[] = {
	[SLICE_GUEST] = "guest",
	[SLICE_CALL] = "call",
	[SLICE_SPAN] = "host",
};

static void put_counter(struct timeline *t, const char *name,
			const char *series, u64 value)
{
	open_event(t, "C", 0, t->written_ps);
	fprintf(t->out, ",\"name\":\"%s\",\"args\":{\"%s\":%" PRIu64 "}}", name,
		series, value);
}

static void put_begin(struct timeline *t, const struct timeline_event *e)
{
	open_event(t, "B", e->strand, e->at_ps);
	put_name(t, e->name, categories[e->slice]);
	fputc('}', t->out);
}

static void put_busy(struct timeline *t, const struct timeline_event *e,
		     const char *status)
{
	open_event(t, "i", e->strand, e->at_ps);
	put_name(t, "BUSY", "busy");
	fprintf(t->out, ",\"s\":\"t\",\"args\":{\"status\":\"%s\"}}", status);
	put_counter(t, "BUSY", "calls", t->totals.busy);
}

static void put_end(struct timeline *t, const struct timeline_event *e)
{
	bool call = e->slice == SLICE_CALL && !e->cut;
	char status[96];

	if (call)
		timeline_status(e->value, status, sizeof(status));
	if (call && tdx_operand_busy(e->value))
		put_busy(t, e, status);
	open_event(t, "E", e->strand, e->at_ps);
	put_name(t, e->name, categories[e->slice]);
	if (call)
		fprintf(t->out, ",\"args\":{\"status\":\"%s\"}", status);
	else if (e->cut)
		fputs(",\"args\":{\"cut\":true}", t->out);
	fputc('}', t->out);
}

static void put_flow(struct timeline *t, const struct timeline_event *e,
		     const char *phase)
{
	open_event(t, phase, e->strand, e->at_ps);
	put_name(t, "kick", "kick");
	fprintf(t->out, ",\"id\":%" PRIu64 "%s}", e->value,
		phase[0] == 'f' ? ",\"bp\":\"e\"" : "");
}

/* An arrow ends in a slice, so it gets one, without length. */
static void put_kicked(struct timeline *t, const struct timeline_event *e)
{
	open_event(t, "B", e->strand, e->at_ps);
	put_name(t, e->name, "kick");
	fputc('}', t->out);
	put_flow(t, e, "f");
	open_event(t, "E", e->strand, e->at_ps);
	put_name(t, e->name, "kick");
	fputc('}', t->out);
}

static void put_measure(struct timeline *t, const struct timeline_event *e)
{
	open_event(t, "i", e->strand, e->at_ps);
	put_name(t, e->value ? "measure begins" : "measure ends", "measure");
	fputs(",\"s\":\"t\"}", t->out);
}

void timeline_json_event(struct timeline *t, const struct timeline_event *e)
{
	switch ((enum timeline_kind)e->kind) {
	case TIMELINE_BEGIN:
		put_begin(t, e);
		break;
	case TIMELINE_END:
		put_end(t, e);
		break;
	case TIMELINE_KICK:
		put_flow(t, e, "s");
		return;
	case TIMELINE_KICKED:
		put_kicked(t, e);
		return;
	case TIMELINE_MEASURE:
		put_measure(t, e);
		return;
	}
	if (e->slice == SLICE_SPAN && strcmp(e->name, "mmu_lock") == 0)
		put_counter(t, "mmu_lock waiters", "strands",
			    t->totals.waiting);
}

void timeline_json_tail(struct timeline *t, const json_t *facts)
{
	fputs("\n],\"otherData\":", t->out);
	if (json_dumpf(facts, t->out, JSON_STYLE))
		fputs("{}", t->out);
	fputs("}\n", t->out);
}
