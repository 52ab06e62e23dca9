/* SPDX-License-Identifier: GPL-2.0-only */
/* What perf and Intel PCM found beside a run, for people. */
#include <stdlib.h>

#include "bench/base/plain.h"
#include "bench/base/table.h"
#include "bench/report/report.h"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static double number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static void print_plain(FILE *f, const char *text)
{
	char *plain = plain_text(text);

	print_wrapped(f, 0, plain ? plain : "?");
	free(plain);
}

/* "task-clock 47.92 msec, page-faults 27, no cycles (not supported)" */
static void list_events(FILE *to, const json_t *events)
{
	const char *separator = "";
	const json_t *event;
	size_t i;

	json_array_foreach((json_t *)events, i, event)
	{
		const char *missing = text_of(event, "missing");
		const char *unit = text_of(event, "unit");

		if (*missing)
			fprintf(to, "%sno %.60s (%.40s)", separator,
				text_of(event, "event"), missing);
		else
			fprintf(to, "%s%.60s %.12g%s%.20s", separator,
				text_of(event, "event"),
				number_of(event, "value"), *unit ? " " : "",
				unit);
		separator = ", ";
	}
}

static void perf_text(FILE *to, const json_t *perf)
{
	const char *mode = json_string_value(
		json_array_get(json_object_get(perf, "command"), 1));
	const char *file = text_of(perf, "file");

	fprintf(to,
		"perf %.20s, of all threads of the run while %.0f repeats "
		"measured (%.1f ms)",
		mode ? mode : "?", number_of(perf, "windows"),
		number_of(perf, "time_ns") / 1e6);
	if (*file)
		fprintf(to, ", in %.200s", file);
	if (json_object_get(perf, "events"))
		fputs(": ", to);
	list_events(to, json_object_get(perf, "events"));
}

static void pcm_text(FILE *to, const json_t *pcm)
{
	fprintf(to, "%.20s, of the whole machine for %.1f s, in %.200s",
		text_of(pcm, "program"), number_of(pcm, "seconds"),
		text_of(pcm, "file"));
	if (json_object_get(pcm, "read_bytes_per_s"))
		fprintf(to, ": memory read %.1f MB/s, written %.1f MB/s",
			number_of(pcm, "read_bytes_per_s") / 1e6,
			number_of(pcm, "write_bytes_per_s") / 1e6);
}

static void print_one(FILE *f, const char *name, const json_t *facts,
		      void (*fill)(FILE *, const json_t *))
{
	const char *missing = text_of(facts, "missing");
	char *text = NULL;
	size_t size;
	FILE *to = facts ? open_memstream(&text, &size) : NULL;

	if (!to)
		return;
	if (*missing)
		fprintf(to, "%s: %.300s", name, missing);
	else
		fill(to, facts);
	if (fclose(to) == 0)
		print_plain(f, text);
	free(text);
}

void report_companions(const json_t *all, FILE *f)
{
	print_one(f, "perf", json_object_get(all, "perf"), perf_text);
	print_one(f, "Intel PCM", json_object_get(all, "pcm"), pcm_text);
}
