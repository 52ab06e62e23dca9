/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCM's programs can count for as long as another program runs, and then write
 * one row.  That program is cat: it says back what it is told, by which is
 * known that PCM counts, and ends when the socket is closed.
 */
#define _GNU_SOURCE /* asprintf */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/observe/pcm.h"
#include "bench/result/encode.h"

static const struct companion_kind kind = {
	.package = "pcm", .stdio = true, .last_line = true};

static const struct program {
	const char *name, *suffix;
} programs[] = {{"pcm", ".pcm.csv"}, {"pcm-memory", ".pcm-memory.csv"}};

enum { START_MS = 30000 };

static const struct program *find_program(const char *name)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		if (strcmp(programs[i].name, name) == 0)
			return &programs[i];
	return NULL;
}

int pcm_choose(struct pcm *p, const char *name, struct err *e)
{
	const struct program *program = find_program(name);

	*p = (struct pcm){.program = NULL};
	if (!program)
		return err_set(e, EXIT_USAGE,
			       "run: --pcm: \"%.60s\": expected pcm or "
			       "pcm-memory",
			       name);
	p->program = program->name;
	companion_init(&p->companion, &kind);
	return 0;
}

int pcm_start(struct pcm *p, const char *result, struct err *e)
{
	char *csv;

	p->path = companion_path(result, find_program(p->program)->suffix, e);
	if (!p->path)
		return -1;
	if (asprintf(&csv, "-csv=%s", p->path) < 0)
		return err_set(e, EXIT_FAILED, "out of memory");
	companion_start(&p->companion,
			(const char *const[]){p->program, csv, "-nc", "--",
					      "cat", NULL});
	free(csv);
	companion_ask(&p->companion, "begin\n");
	if (!companion_heard(&p->companion, "begin\n", START_MS))
		companion_lost(&p->companion, "it does not begin");
	p->since_ns = companion_now_ns();
	return 0;
}

/* False: out of memory. */
static bool add_figures(struct pcm *p, double seconds, json_t *facts)
{
	FILE *f = fopen(p->path, "re");
	struct pcm_memory memory;
	json_t *figures;
	int bad = 0;

	if (!f) {
		companion_lost(&p->companion, "it wrote nothing");
		return true;
	}
	figures = pcm_figures(f, seconds, &memory);
	fclose(f);
	if (figures && json_array_size(figures) == 0)
		companion_lost(&p->companion, "it wrote no figures");
	if (isfinite(memory.read))
		bad |= json_object_set_new(facts, "read_bytes_per_s",
					   json_real(memory.read));
	if (isfinite(memory.write))
		bad |= json_object_set_new(facts, "write_bytes_per_s",
					   json_real(memory.write));
	return !(bad | json_object_set_new(facts, "figures", figures));
}

json_t *pcm_finish(struct pcm *p)
{
	struct companion *c = &p->companion;
	double seconds = (double)(companion_now_ns() - p->since_ns) / 1e9;
	json_t *facts = json_pack("{ss}", "program", p->program);
	bool good = facts;

	companion_end(c, 0);
	if (good && !c->missing[0])
		good = !json_object_set_new(facts, "seconds",
					    json_real(seconds)) &&
		       add_figures(p, seconds, facts);
	if (good && companion_facts(c, p->path, facts))
		return facts;
	json_decref(facts);
	return NULL;
}

void pcm_free(struct pcm *p)
{
	if (!p->program)
		return;
	companion_free(&p->companion);
	free(p->path);
	*p = (struct pcm){.program = NULL};
}
