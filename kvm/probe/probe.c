/* SPDX-License-Identifier: GPL-2.0-only */
/* What --probe asks for, by the best way that there is here. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/probe/impl.h"

/* The better one first. */
static const struct probe_way *const ways[] = {&probe_by_bpf,
					       &probe_by_kprobes};

enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

void probe_miss(struct probe *probe, uint32_t point, const char *format, ...)
{
	struct probe_place *place = &probe->place[point];
	va_list args;

	place->name = NULL;
	if (place->missing[0])
		return;
	va_start(args, format);
	vsnprintf(place->missing, sizeof(place->missing), format, args);
	va_end(args);
}

/* ------------------------------------------------------------------- names */

/* What the text asks for; `way` NULL: any, none[0]: not even one. */
struct request {
	const struct probe_table *table;
	const struct probe_way *way;
	bool none;
};

static bool parse(const char *text, struct request *r)
{
	size_t length = strcspn(text, ":");
	const char *way = text[length] ? text + length + 1 : NULL;

	*r = (struct request){.table = probe_table_find(text, length)};
	if (!r->table || !way)
		return r->table;
	r->none = strcmp(way, "none") == 0;
	for (size_t i = 0; i < WAYS; i++) {
		if (strcmp(way, ways[i]->name) == 0)
			r->way = ways[i];
	}
	return r->none || r->way;
}

int probe_check(const char *text, struct err *e)
{
	struct request r;

	if (parse(text, &r))
		return 0;
	return err_set(e, EXIT_USAGE,
		       "--probe %.40s: expected kvm or seamcall, and behind it "
		       "nothing or one of :bpf :kprobes :none",
		       text);
}

bool probe_works(const struct probe *probe)
{
	return probe->way;
}

/* --------------------------------------------------------------- functions */

/* By which name is it here, and if by none, why? */
static void find_name(struct probe *probe, uint32_t i,
		      const struct probe_symbol *s)
{
	const struct probe_point *p = &probe->table->point[i];

	if (s->found)
		probe->place[i].name = p->function;
	else if (s->found_before)
		probe->place[i].name = p->before;
	else if (s->other[0])
		probe_miss(probe, i, "this kernel has it only as %s", s->other);
	else
		probe_miss(probe, i, "not in this kernel, or only inlined");
}

static void find_names(struct probe *probe)
{
	struct probe_symbol symbol[PROBE_POINTS];
	FILE *f = fopen("/proc/kallsyms", "re");

	if (f)
		probe_symbols(f, probe->table, symbol);
	for (uint32_t i = 0; i < probe->table->n; i++) {
		if (f)
			find_name(probe, i, &symbol[i]);
		else /* It may be here: trying it will tell. */
			probe->place[i].name = probe->table->point[i].function;
	}
	if (f)
		fclose(f);
}

static bool any_place(const struct probe *probe)
{
	for (uint32_t i = 0; i < probe->table->n; i++) {
		if (probe->place[i].name)
			return true;
	}
	return false;
}

/* Adds to probe->why what a way cannot be used for. */
static bool open_way(struct probe *probe, const struct probe_way *way)
{
	size_t n = strlen(probe->why);
	int length;

	memset(probe->place, 0, sizeof(probe->place));
	find_names(probe);
	if (!any_place(probe)) {
		snprintf(probe->why, sizeof(probe->why),
			 "this kernel has none of the functions of \"%s\"",
			 probe->table->name);
		return false;
	}
	length = snprintf(probe->why + n, sizeof(probe->why) - n,
			  "%s%s: ", n ? "; " : "", way->name);
	n += (size_t)length;
	if (n >= sizeof(probe->why))
		return false;
	if (way->open(probe) == 0) {
		probe->why[n - (size_t)length] = '\0';
		probe->way = way;
	}
	return probe->way;
}

static void choose_way(struct probe *probe, const struct request *r)
{
	if (r->none)
		snprintf(probe->why, sizeof(probe->why), "asked for none");
	for (size_t i = 0; !r->none && !probe->way && i < WAYS; i++) {
		if (!r->way || r->way == ways[i])
			open_way(probe, ways[i]);
	}
}

int probe_open(const char *text, uint32_t seats, struct probe **probe,
	       struct err *e)
{
	struct probe *p = calloc(1, sizeof(*p));
	struct request r;

	*probe = p;
	if (!p)
		return err_set(e, EXIT_FAILED, "out of memory");
	if (probe_check(text, e)) {
		probe_close(p);
		*probe = NULL;
		return -1;
	}
	parse(text, &r);
	p->seats = seats;
	p->table = r.table;
	choose_way(p, &r);
	return 0;
}

void probe_close(struct probe *probe)
{
	if (!probe)
		return;
	if (probe->way)
		probe->way->close(probe);
	free(probe);
}

/* -------------------------------------------------------------------- use */

void probe_attach(struct probe *probe)
{
	if (probe && probe->way)
		probe->way->attach(probe);
}

void probe_detach(struct probe *probe)
{
	if (probe && probe->way)
		probe->way->detach(probe);
}

void probe_sit(struct probe *probe, uint32_t seat)
{
	if (probe && probe->way && seat < probe->seats)
		probe->way->sit(probe, seat);
}

void probe_measure(struct probe *probe, uint32_t seat, bool begin)
{
	if (probe && probe->way && seat < probe->seats)
		probe->way->measure(probe, seat, begin);
}
