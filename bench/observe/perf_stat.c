/* SPDX-License-Identifier: GPL-2.0-only */
/* What perf stat writes: value;unit;event;run time;share;... , see its CSV. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/observe/perf.h"
#include "bench/result/encode.h"

enum { VALUE, UNIT, EVENT, RUNTIME, SHARE, NR_FIELDS };

/* False: it is not a line of an event. */
static bool split(char *line, char *field[NR_FIELDS])
{
	line[strcspn(line, "\n")] = '\0';
	if (line[0] == '#')
		return false;
	for (int i = 0; i < NR_FIELDS; i++) {
		field[i] = strsep(&line, ";");
		if (!field[i])
			return false;
	}
	/* A figure of several events goes on without a name. */
	return field[EVENT][0];
}

/* "<not supported>", "<not counted>", or a number. */
static json_t *event_of(char *field[NR_FIELDS])
{
	char *end, *value = field[VALUE];
	double number = strtod(value, &end), share = atof(field[SHARE]);

	if (end == value || *end || !isfinite(number)) {
		value += *value == '<';
		value[strcspn(value, ">")] = '\0';
		return json_pack("{soso}", "event", json_bytes(field[EVENT]),
				 "missing", json_bytes(value));
	}
	return json_pack("{sosfsosf}", "event", json_bytes(field[EVENT]),
			 "value", number, "unit", json_bytes(field[UNIT]),
			 "running", isfinite(share) ? share : 0);
}

json_t *perf_stat_events(FILE *f)
{
	json_t *list = json_array();
	char *line = NULL, *field[NR_FIELDS];
	size_t room = 0;
	int bad = !list;

	while (!bad && getline(&line, &room, f) >= 0)
		if (split(line, field))
			bad = json_array_append_new(list, event_of(field));
	free(line);
	if (!bad)
		return list;
	json_decref(list);
	return NULL;
}
