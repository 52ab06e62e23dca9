/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* memmem */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/result/encode.h"
#include "bench/run/repeat.h"

/*
 * What comes before the text.  No string can hold it as it is: the quotes
 * within a string of JSON have backslashes.
 */
#define DATA ",\"data\":"

int repeat_print(FILE *f, const struct run_item *item,
		 const struct repeat *repeat, struct repeat_place *place)
{
	json_t *reason = json_bytes(repeat->reason);
	char *quoted = reason ? json_dumps(reason, JSON_ENCODE_ANY) : NULL;
	char rate[40] = "null";
	int n;

	json_decref(reason);
	if (!quoted)
		return -1;
	if (!isnan(repeat->rate))
		snprintf(rate, sizeof(rate), "%.17g", repeat->rate);
	n = fprintf(f,
		    "{\"cell\":%zu,\"repeat\":%" PRIu32
		    ",\"status\":\"%s\",\"rate\":%s,\"reason\":%s" DATA,
		    item->cell, item->repeat, cell_status_name(repeat->status),
		    rate, quoted);
	free(quoted);
	*place = (struct repeat_place){n < 0 ? 0 : (size_t)n,
				       strlen(repeat->text)};
	fprintf(f, "%s}", repeat->text);
	return 0;
}

static int take_status(const json_t *line, enum cell_status *status)
{
	const char *name = json_string_value(json_object_get(line, "status"));

	for (int s = CELL_OK; name && s < CELL_STOPPED; s++) {
		if (strcmp(name, cell_status_name((enum cell_status)s)) == 0) {
			*status = (enum cell_status)s;
			return 0;
		}
	}
	return -1;
}

static int take_members(const json_t *line, struct run_item *item,
			struct repeat *repeat)
{
	json_t *cell = json_object_get(line, "cell");
	json_t *number = json_object_get(line, "repeat");
	json_t *rate = json_object_get(line, "rate");
	const char *reason = json_string_value(json_object_get(line, "reason"));

	if (!json_is_integer(cell) || json_integer_value(cell) < 0 ||
	    !json_is_integer(number) || json_integer_value(number) < 0 ||
	    json_integer_value(number) > UINT32_MAX ||
	    !(json_is_number(rate) || json_is_null(rate)) || !reason ||
	    take_status(line, &repeat->status))
		return -1;
	item->cell = (size_t)json_integer_value(cell);
	item->repeat = (uint32_t)json_integer_value(number);
	repeat->rate =
		json_is_number(rate) ? json_number_value(rate) : (double)NAN;
	repeat->text = NULL;
	snprintf(repeat->reason, sizeof(repeat->reason), "%s", reason);
	return 0;
}

/* What is before the text, as an object of its own. */
static json_t *parse_head(const char *line, size_t n)
{
	char *head = malloc(n + 1);
	json_t *json = NULL;

	if (head) {
		memcpy(head, line, n);
		head[n] = '}';
		json = json_loadb(head, n + 1, JSON_REJECT_DUPLICATES, NULL);
	}
	free(head);
	return json;
}

int repeat_parse(const char *line, size_t n, struct run_item *item,
		 struct repeat *repeat, struct repeat_place *place,
		 json_t **data)
{
	const char *end = memmem(line, n, DATA, strlen(DATA));
	json_t *head, *text;
	int status = -1;

	*data = NULL;
	if (!end || line[n - 1] != '}')
		return -1;
	place->offset = (size_t)(end - line) + strlen(DATA);
	place->size = n - place->offset - 1;
	head = parse_head(line, (size_t)(end - line));
	text = json_loadb(line + place->offset, place->size,
			  JSON_REJECT_DUPLICATES, NULL);
	if (head && json_is_object(text))
		status = take_members(head, item, repeat);
	json_decref(head);
	if (status == 0)
		*data = text;
	else
		json_decref(text);
	return status;
}
