/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "bench/base/child.h"
#include "bench/observe/counters.h"
#include "bench/result/encode.h"
#include "bench/result/metrics.h"
#include "bench/run/remote.h"
#include "bench/run/sides.h"

/* Far above the largest repeat: every bucket of every histogram filled. */
enum { MAX_OUTPUT = 256 << 20 };

/* How it ended, unless well: one line, with what it said itself. */
static int check_end(const char *binary, const struct child_output *out,
		     struct err *e)
{
	const char *colon = out->error[0] ? ": " : "";

	if (WIFSIGNALED(out->status))
		return err_set(e, EXIT_FAILED, "%.150s: ended by signal %d%s%s",
			       binary, WTERMSIG(out->status), colon,
			       out->error);
	if (WEXITSTATUS(out->status))
		return err_set(e, EXIT_FAILED, "%.150s: exit status %d%s%s",
			       binary, WEXITSTATUS(out->status), colon,
			       out->error);
	return 0;
}

int remote_version(const char *binary, char *buf, size_t size, struct err *e)
{
	static const char begin[] = "tdmem ";
	const char *const argv[] = {binary, "--version", NULL};
	struct child_output out;
	int status;

	if (child_run(argv, 4096, NULL, &out, e))
		return -1;
	out.text[strcspn(out.text, "\n")] = '\0';
	status = check_end(binary, &out, e);
	if (status == 0 && (strncmp(out.text, begin, strlen(begin)) != 0 ||
			    strlen(out.text) - strlen(begin) >= size ||
			    !out.text[strlen(begin)]))
		status = err_set(e, EXIT_USAGE,
				 "%.200s: --version: expected \"tdmem "
				 "VERSION\", not \"%.40s\"",
				 binary, out.text);
	if (status == 0)
		snprintf(buf, size, "%s", out.text + strlen(begin));
	free(out.text);
	return status;
}

/* ------------------------------------------------------------------ checks */

struct check {
	const char *binary;
	const struct run_item *item;
	struct err *e;
	const struct counters *counters;
};

__attribute__((format(printf, 2, 3))) static int bad(const struct check *c,
						     const char *format, ...)
{
	char why[200];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	return err_set(c->e, EXIT_FAILED,
		       "%.150s: cell %zu, repeat %" PRIu32 ": %s", c->binary,
		       c->item->cell, c->item->repeat, why);
}

static int check_metrics(const struct check *c, json_t *metrics)
{
	const char *name;
	json_t *value;

	if (!json_is_object(metrics))
		return bad(c, "metrics: expected an object");
	json_object_foreach(metrics, name, value)
	{
		int m = metric_find(name);

		if (m < 0 ? !counters_have(c->counters, name)
			  : metric_at((size_t)m)->histogram)
			return bad(c, "metrics: unknown metric \"%.60s\"",
				   name);
		if (!json_is_number(value))
			return bad(c, "metrics.%.60s: expected a number", name);
	}
	return 0;
}

static int check_hists(const struct check *c, json_t *hists)
{
	struct hist *h = calloc(1, sizeof(*h));
	const char *name;
	json_t *value;
	int status = 0;

	if (!h)
		return err_set(c->e, EXIT_FAILED, "out of memory");
	if (!json_is_object(hists))
		status = bad(c, "histograms: expected an object");
	json_object_foreach(hists, name, value)
	{
		int m = metric_find(name);

		if (status)
			break;
		if (m < 0 || !metric_at((size_t)m)->histogram)
			status = bad(c, "histograms: unknown metric \"%.60s\"",
				     name);
		else if (decode_hist(value, h))
			status = bad(c, "histograms.%.60s: no histogram", name);
	}
	free(h);
	return status;
}

static int check_members(const struct check *c, json_t *data, bool warmup)
{
	json_t *probe = json_object_get(data, "probe");
	size_t known = (warmup ? 5u : 4u) + (probe ? 1u : 0u);

	if (probe && !json_is_object(probe))
		return bad(c, "probe: expected an object");
	if (json_is_true(json_object_get(data, "warmup")) != warmup)
		return bad(c, "warmup: expected %s", warmup ? "true" : "none");
	if (json_object_size(data) != known)
		return bad(c, "expected %zu members, not %zu", known,
			   json_object_size(data));
	return 0;
}

/*
 * The seed is a hash of the config's seed and the cell's axes: with the same
 * one it was the same cell that was run.
 */
static int check_data(const struct check *c, const struct repeat *repeat,
		      json_t *data, uint64_t seed, bool warmup)
{
	json_t *got = json_object_get(data, "seed");
	const char *status = json_string_value(json_object_get(data, "status"));

	if (!json_is_integer(got) || (uint64_t)json_integer_value(got) != seed)
		return bad(c,
			   "expected the seed %" PRIu64
			   ": it ran another cell, or another config",
			   seed);
	if (!status || strcmp(status, cell_status_name(repeat->status)) != 0)
		return bad(c, "status: expected \"%s\"",
			   cell_status_name(repeat->status));
	if (check_members(c, data, warmup) ||
	    check_metrics(c, json_object_get(data, "metrics")))
		return -1;
	return check_hists(c, json_object_get(data, "histograms"));
}

/* --------------------------------------------------------------- executing */

static int take_line(const struct side *side, const struct remote_item *what,
		     const struct child_output *out, struct repeat *result,
		     struct err *e)
{
	const struct run_item *item = &what->item;
	const struct check c = {side->binary, item, e, side->counters};
	size_t n = strcspn(out->text, "\n");
	struct repeat_place place;
	struct run_item got;
	json_t *data;
	int status;

	if (n + 1 != out->n ||
	    repeat_parse(out->text, n, &got, result, &place, &data))
		return bad(&c, "expected one line of JSON with a repeat");
	if (got.cell != item->cell || got.repeat != item->repeat)
		status = bad(&c, "it ran cell %zu, repeat %" PRIu32, got.cell,
			     got.repeat);
	else
		status = check_data(&c, result, data, what->seed,
				    item->repeat < side->config.repeat.warmup);
	if (status == 0) {
		json_t *rate = json_object_get(json_object_get(data, "metrics"),
					       what->rate);

		result->rate = rate ? json_number_value(rate) : (double)NAN;
		result->text = json_dumps(data, JSON_STYLE);
		if (!result->text)
			status = err_set(e, EXIT_FAILED, "out of memory");
	}
	json_decref(data);
	return status;
}

/* BINARY run CONFIG --set ... --one CELL:REPEAT:SIDE */
static const char **make_argv(const struct side *side, const char *one)
{
	const char **argv = calloc(2 * side->set.n + 11, sizeof(*argv));
	size_t n = 0;

	if (!argv)
		return NULL;
	argv[n++] = side->binary;
	argv[n++] = "run";
	for (size_t i = 0; i < side->set.n; i++) {
		argv[n++] = "--set";
		argv[n++] = side->set.v[i];
	}
	if (side->counters) {
		argv[n++] = "--counters";
		argv[n++] = side->counters->list;
	}
	if (side->probe_text) {
		argv[n++] = "--probe";
		argv[n++] = side->probe_text;
	}
	argv[n++] = "--one";
	argv[n++] = one;
	argv[n++] = "--"; /* a config's name may begin with a dash */
	argv[n++] = side->config.file;
	return argv;
}

int remote_repeat(const struct side *side, const struct remote_item *what,
		  const atomic_int *stop, struct repeat *result, struct err *e)
{
	struct child_output out;
	const char **argv;
	char one[64];
	int status;

	snprintf(one, sizeof(one), "%zu:%" PRIu32 ":%s", what->item.cell,
		 what->item.repeat, side->config.side);
	argv = make_argv(side, one);
	if (!argv)
		return err_set(e, EXIT_FAILED, "out of memory");
	status = child_run(argv, MAX_OUTPUT, stop, &out, e);
	free(argv);
	if (status)
		return -1;
	result->text = NULL;
	if (!out.stopped) {
		status = check_end(side->binary, &out, e);
		if (status == 0)
			status = take_line(side, what, &out, result, e);
	}
	free(out.text);
	return status;
}
