/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines of a script in, results out, differences told.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/base/plain.h"
#include "bench/script/impl.h"

/* --------------------------------------------------------------- values */

void put_hex(json_t *object, const char *key, u64 value)
{
	char text[20];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
	json_object_set_new(object, key, json_string(text));
}

void put_int(json_t *object, const char *key, s64 value)
{
	json_object_set_new(object, key, json_integer(value));
}

static const char *exit_text(u64 reason)
{
	switch (reason) {
	case EXIT_EXTERNAL_INTERRUPT:
		return "TD exit: external interrupt";
	case EXIT_EPT_VIOLATION:
		return "TD exit: EPT violation";
	case EXIT_TDVMCALL:
		return "TD exit: TDVMCALL";
	default:
		return "TD exit";
	}
}

/* Two codes carry a level where others carry an operand. */
static void status_text(tdx_status status, char *text, size_t size)
{
	const u64 code = status & TDX_STATUS_MASK;
	char *number;

	if (!code && status) {
		snprintf(text, size, "%s", exit_text(status));
		return;
	}
	if (code == TDX_PAGE_ALREADY_ACCEPTED || code == TDX_PAGE_SIZE_MISMATCH)
		tdx_status_print(code, text, size);
	else
		tdx_status_print(status, text, size);
	number = strstr(text, " (0x");
	if (number)
		*number = '\0';
	if (code == TDX_PAGE_ALREADY_ACCEPTED || code == TDX_PAGE_SIZE_MISMATCH)
		snprintf(text + strlen(text), size - strlen(text),
			 " | level %llu",
			 (unsigned long long)(status & ~TDX_STATUS_MASK));
}

void put_status(json_t *object, tdx_status status)
{
	char text[96];

	status_text(status, text, sizeof(text));
	put_hex(object, "status", status);
	json_object_set_new(object, "text", json_string(text));
}

void put_halt(const struct world *w, json_t *object)
{
	json_object_set_new(object, "halt", json_string(w->halt));
}

/* ---------------------------------------------------------------- lines */

struct reader {
	FILE *in;
	char *line; /* SCRIPT_LINE_MAX + 1 bytes, owned */
	size_t len, number;
};

enum read_end { READ_LINE, READ_EOF, READ_TOO_LONG, READ_ERROR };

static enum read_end read_line(struct reader *r)
{
	int c;

	r->len = 0;
	r->number++;
	while ((c = getc_unlocked(r->in)) != EOF && c != '\n') {
		if (r->len == SCRIPT_LINE_MAX)
			return READ_TOO_LONG;
		r->line[r->len++] = (char)c;
	}
	if (c == EOF && ferror(r->in))
		return READ_ERROR;
	return c == EOF && !r->len ? READ_EOF : READ_LINE;
}

static bool blank(const struct reader *r)
{
	size_t i;

	for (i = 0; i < r->len; i++) {
		if (!strchr(" \t\r", r->line[i]) || !r->line[i])
			return false;
	}
	return true;
}

/* --------------------------------------------------------------- running */

struct run {
	const struct script_options *options;
	struct script_result *result;
	struct world world;
	struct reader reader;
	char where[300]; /* "FILE:LINE" */
};

static char *dump(const json_t *json)
{
	return json ? json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
}

/* A status says more with its name beside it. */
static void explain(const json_t *json, char *text, size_t size)
{
	char name[96];
	u64 value;

	text[0] = '\0';
	if (!json_is_string(json) ||
	    !script_hex(json_string_value(json), &value))
		return;
	status_text(value, name, sizeof(name));
	snprintf(text, size, " (%s)", name);
}

static void tell_mismatch(const struct run *run, const char *path,
			  const json_t *want, const json_t *have)
{
	const char *member = strrchr(path, '.');
	char want_text[100] = "", have_text[100] = "";
	char text[2200], plain[4 * 2200];
	char *a, *b;

	if (!run->options->diag)
		return;
	if (!strcmp(member, ".status")) {
		explain(want, want_text, sizeof(want_text));
		explain(have, have_text, sizeof(have_text));
	}
	a = dump(want);
	b = dump(have);
	snprintf(text, sizeof(text),
		 "%s: %.300s: expected %.600s%s, got %.600s%s", run->where,
		 path, a ? a : "?", want_text, b ? b : "no such member",
		 have_text);
	plain_copy(plain, sizeof(plain), text);
	fprintf(run->options->diag, "%s\n", plain);
	free(a);
	free(b);
}

static void check(struct run *run, const struct script_step *step,
		  const json_t *got)
{
	struct script_result *result = run->result;
	const json_t *want, *have;
	char path[160] = "$";

	if (!step->expect ||
	    script_expect(step->expect, got, &result->expectations, path,
			  sizeof(path), &want, &have))
		return;
	tell_mismatch(run, path, want, have);
	if (!result->mismatches++)
		result->first_mismatch = run->reader.number;
}

/* What was done, before what came of it. */
static json_t *new_result(const struct run *run, const struct script_step *step)
{
	json_t *json = json_object();

	put_int(json, "line", (s64)run->reader.number);
	json_object_set_new(json, "op", json_string(step->op->name));
	if (step->op->selector == SELECT_CALL)
		json_object_set_new(json, "name",
				    json_string(tdx_call_name(step->call->id)));
	if (step->op->selector == SELECT_OBJECT)
		json_object_set_new(json, "what",
				    json_string(step->object->name));
	return json;
}

static int run_step(struct run *run, json_t *line, struct err *e)
{
	struct script_step step = {.where = run->where};
	struct script_step outer = {0}, inner = {0};
	json_t *result;
	int ret;

	if (script_parse(line, &step, &outer, &inner, e))
		return -1;
	result = new_result(run, &step);
	ret = script_step_run(&run->world, &step, result, e);
	if (!ret) {
		run->result->lines++;
		check(run, &step, result);
		if (run->options->out) {
			json_dumpf(result, run->options->out, 0);
			putc('\n', run->options->out);
		}
	}
	json_decref(result);
	return ret;
}

static int run_line(struct run *run, struct err *e)
{
	json_error_t json_error;
	json_t *line;
	int ret;

	line = json_loadb(run->reader.line, run->reader.len,
			  JSON_REJECT_DUPLICATES, &json_error);
	if (!line)
		return err_set(e, EXIT_USAGE,
			       "%s: $: expected a JSON object: %s", run->where,
			       json_error.text);
	ret = run_step(run, line, e);
	json_decref(line);
	return ret;
}

static int run_lines(struct run *run, struct err *e)
{
	for (;;) {
		enum read_end end = read_line(&run->reader);

		snprintf(run->where, sizeof(run->where), "%s:%zu",
			 run->options->name, run->reader.number);
		switch (end) {
		case READ_EOF:
			return 0;
		case READ_ERROR:
			return err_set(e, EXIT_FAILED, "%s: cannot be read",
				       run->options->name);
		case READ_TOO_LONG:
			return err_set(e, EXIT_USAGE,
				       "%s: $: expected a line of at most %u "
				       "bytes",
				       run->where, SCRIPT_LINE_MAX);
		case READ_LINE:
			break;
		}
		if (blank(&run->reader))
			continue;
		if (run_line(run, e))
			return -1;
		if (run->result->mismatches && !run->options->keep_going)
			return 0;
	}
}

int script_run(FILE *in, const struct script_options *options,
	       struct script_result *result, struct err *e)
{
	struct run run = {
		.options = options,
		.result = result,
		.reader = {.in = in},
	};
	int ret;

	memset(result, 0, sizeof(*result));
	run.reader.line = malloc(SCRIPT_LINE_MAX + 1);
	if (!run.reader.line || world_create(&run.world, options->threads)) {
		free(run.reader.line);
		return err_set(e, EXIT_FAILED, "%s: out of memory",
			       options->name);
	}
	ret = run_lines(&run, e);
	world_destroy(&run.world);
	free(run.reader.line);
	return ret;
}
