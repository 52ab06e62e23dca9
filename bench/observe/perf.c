/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * perf is attached once to the whole process, with its events off (-D -1).
 * Threads that come later inherit them.  Through its control file descriptor
 * events are switched on and off, and perf says "ack" when that is done.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/observe/perf.h"
#include "bench/result/encode.h"

static const struct companion_kind kind = {.package = "linux-perf"};

/* ------------------------------------------------------------ command line */

struct perf_option {
	const char *name;
	bool value;
};

/* Those that change neither what perf is attached to nor what it writes. */
static const struct perf_option stat_options[] = {
	{"-e", true}, {"-d", false}, {NULL, false}};
static const struct perf_option record_options[] = {
	{"-e", true},  {"-F", true},	       {"-c", true},
	{"-g", false}, {"--call-graph", true}, {NULL, false}};

static const struct perf_option *find_option(const struct perf_option *table,
					     const char *name)
{
	while (table->name && strcmp(table->name, name) != 0)
		table++;
	return table->name ? table : NULL;
}

static int take_options(struct perf *p, char *rest, struct err *e)
{
	const struct perf_option *option = NULL;
	const char *word;

	while ((word = strsep(&rest, " "))) {
		if (!*word)
			continue;
		if (p->nargv == PERF_WORDS)
			return err_set(e, EXIT_USAGE,
				       "run: --perf: expected at most %d words",
				       PERF_WORDS - 1);
		if (option && option->value) {
			option = NULL;
		} else {
			option = find_option(p->record ? record_options
						       : stat_options,
					     word);
			if (!option)
				return err_set(e, EXIT_USAGE,
					       "run: --perf: \"%.60s\": "
					       "expected %s",
					       word,
					       p->record ? "-e, -F, -c, -g or "
							   "--call-graph"
							 : "-e or -d");
		}
		p->argv[p->nargv++] = word;
	}
	if (option && option->value)
		return err_set(e, EXIT_USAGE,
			       "run: --perf: %s needs a value behind it",
			       option->name);
	return 0;
}

int perf_choose(struct perf *p, const char *words, struct err *e)
{
	char *rest;

	*p = (struct perf){.words = strdup(words)};
	if (!p->words)
		return err_set(e, EXIT_FAILED, "out of memory");
	companion_init(&p->companion, &kind);
	rest = p->words;
	p->argv[p->nargv++] = "perf";
	p->argv[p->nargv++] = strsep(&rest, " ");
	p->record = strcmp(p->argv[1], "record") == 0;
	if (!p->record && strcmp(p->argv[1], "stat") != 0)
		return err_set(e, EXIT_USAGE,
			       "run: --perf: \"%.60s\": expected stat or "
			       "record",
			       p->argv[1]);
	return take_options(p, rest, e);
}

/* ------------------------------------------------------------------- a run */

/* Long enough for a busy host, of which every thread is looked for. */
enum { START_MS = 10000 };

static void start(struct perf *p)
{
	int control = p->companion.theirs;
	const char *argv[PERF_WORDS + 16];
	char pid[16], ends[40];
	const char *const more[] = {"-p", pid, "-D", "-1", "--control", ends,
				    "-o", p->path,
				    /* of stat only */
				    "-x", ";"};
	size_t n = sizeof(more) / sizeof(*more) - (p->record ? 2 : 0);

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	snprintf(ends, sizeof(ends), "fd:%d,%d", control, control);
	memcpy(argv, p->argv, p->nargv * sizeof(*argv));
	memcpy(argv + p->nargv, more, n * sizeof(*argv));
	argv[p->nargv + n] = NULL;
	companion_start(&p->companion, argv);
}

int perf_start(struct perf *p, const char *result, struct err *e)
{
	p->path = companion_path(result, p->record ? ".perf.data" : ".perf.csv",
				 e);
	if (!p->path)
		return -1;
	start(p);
	/* Its answer says that it is attached. */
	companion_ask(&p->companion, "disable\n");
	if (!companion_heard(&p->companion, "ack\n", START_MS))
		companion_lost(&p->companion, "it does not answer");
	return 0;
}

void perf_tell(struct perf *p, bool begin)
{
	p->asked = begin;
	if (!begin)
		p->until_ns = companion_now_ns();
	companion_ask(&p->companion, begin ? "enable\n" : "disable\n");
}

bool perf_obeyed(struct perf *p, int ms)
{
	if (!companion_heard(&p->companion, "ack\n", ms))
		return p->companion.missing[0];
	if (p->asked) {
		p->since_ns = companion_now_ns();
	} else {
		p->windows++;
		p->window_ns += p->until_ns - p->since_ns;
	}
	return true;
}

/* ------------------------------------------------------------- its results */

static json_t *words_json(const struct perf *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->nargv; i++)
		json_array_append_new(list, json_bytes(p->argv[i]));
	return list;
}

/* False: out of memory. */
static bool add_events(struct perf *p, json_t *facts)
{
	FILE *f = fopen(p->path, "re");
	json_t *events = f ? perf_stat_events(f) : NULL;

	if (!f) {
		companion_lost(&p->companion, "it wrote nothing");
		return true;
	}
	fclose(f);
	return json_object_set_new(facts, "events", events) == 0;
}

/* False: out of memory. */
static bool add_windows(const struct perf *p, json_t *facts)
{
	return !json_object_set_new(facts, "windows",
				    json_integer(p->windows)) &&
	       !json_object_set_new(facts, "time_ns",
				    json_integer((json_int_t)p->window_ns));
}

json_t *perf_finish(struct perf *p)
{
	struct companion *c = &p->companion;
	json_t *facts = json_pack("{so}", "command", words_json(p));
	bool good = facts;

	companion_end(c, SIGINT);
	if (!p->windows)
		companion_lost(c, "nothing was measured with it");
	if (good && !c->missing[0])
		good = add_windows(p, facts) &&
		       (p->record || add_events(p, facts));
	if (good && companion_facts(c, p->path, facts))
		return facts;
	json_decref(facts);
	return NULL;
}

void perf_free(struct perf *p)
{
	if (!p->words)
		return;
	companion_free(&p->companion);
	free(p->words);
	free(p->path);
	*p = (struct perf){.words = NULL};
}
