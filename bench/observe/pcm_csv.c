/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CSV of Intel PCM: a line with what a column is of (System, Socket 0, SKT0),
 * a line with names, of which the first are Date and Time, and rows.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/observe/pcm.h"
#include "bench/result/encode.h"

/* Where the name of a column does not say it: as PCM's help and source do. */
static const struct column {
	const char *name, *unit;
	/* Of the system: bytes of one, and is it a rate already? */
	double bytes;
	bool rate, write;
} columns[] = {
	{"READ", "GB", 1e9, false, false},
	{"WRITE", "GB", 1e9, false, true},
	{"Read", "MB/s", 1e6, true, false},
	{"Write", "MB/s", 1e6, true, true},
	{"Memory", "MB/s", 0, true, false},
	{"PMM_RD", "GB", 0, false, false},
	{"PMM_WR", "GB", 0, false, false},
	{"HBM_READ", "GB", 0, false, false},
	{"HBM_WRITE", "GB", 0, false, false},
	{"LOCAL", "%", 0, false, false},
	{"INST", "millions", 0, false, false},
	{"ACYC", "millions", 0, false, false},
	{"TIME(ticks)", "millions", 0, false, false},
	{"L3MISS", "millions", 0, false, false},
	{"L2MISS", "millions", 0, false, false},
	{"FREQ", "of nominal", 0, false, false},
	{"AFREQ", "of nominal", 0, false, false},
};

static const struct column *find_column(const char *name)
{
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
		if (strcmp(columns[i].name, name) == 0)
			return &columns[i];
	return NULL;
}

/* The next field of a line without the blanks around it; NULL: none. */
static char *next_field(char **line)
{
	char *field = strsep(line, ",");
	size_t n;

	if (!field)
		return NULL;
	field += strspn(field, " \t");
	n = strcspn(field, "\r\n");
	while (n && (field[n - 1] == ' ' || field[n - 1] == '\t'))
		n--;
	field[n] = '\0';
	return field;
}

static void take_memory(const struct column *c, double value, double seconds,
			struct pcm_memory *memory)
{
	double *to = c->write ? &memory->write : &memory->read;

	if (c->bytes > 0)
		*to = value * c->bytes / (c->rate ? 1 : seconds);
}

/* -1: out of memory. */
static int add_figure(json_t *list, const char *group, const char *name,
		      double value)
{
	const struct column *c = find_column(name);
	json_t *figure = json_pack("{sososf}", "of", json_bytes(group), "name",
				   json_bytes(name), "value", value);
	int bad = !figure;

	if (figure && c)
		bad = json_object_set_new(figure, "unit", json_string(c->unit));
	return bad | json_array_append_new(list, figure);
}

struct lines {
	char *of, *names, *row;
};

/* The two heads and the last row; without all three there is nothing. */
static bool read_lines(FILE *f, struct lines *l)
{
	size_t room = 0;
	char *line = NULL;

	while (getline(&line, &room, f) >= 0) {
		char **to = !l->names ? &l->names : &l->row;

		if (!l->of)
			to = &l->of;
		if (line[strspn(line, " \t\r\n")] == '\0')
			continue;
		free(*to);
		*to = line;
		line = NULL;
		room = 0;
	}
	free(line);
	return l->row && strncmp(l->names, "Date,Time,", 10) == 0;
}

json_t *pcm_figures(FILE *f, double seconds, struct pcm_memory *memory)
{
	struct lines l = {.of = NULL}, at;
	json_t *list = json_array();
	bool good = read_lines(f, &l);
	char *of, *name, *text, *end;
	int bad = !list;

	*memory = (struct pcm_memory){(double)NAN, (double)NAN};
	at = l;
	while (good && !bad && (of = next_field(&at.of)) &&
	       (name = next_field(&at.names)) && (text = next_field(&at.row))) {
		const struct column *c = find_column(name);
		double value = strtod(text, &end);

		if (end == text || *end || !*name || !isfinite(value))
			continue;
		bad = add_figure(list, of, name, value);
		if (c && strcmp(of, "System") == 0)
			take_memory(c, value, seconds, memory);
	}
	free(l.of);
	free(l.names);
	free(l.row);
	if (!bad)
		return list;
	json_decref(list);
	return NULL;
}
