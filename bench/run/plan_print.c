/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/result/encode.h"
#include "bench/run/plan_print.h"

static void print_value(json_t *value)
{
	char *text = json_is_string(value)
			     ? strdup(json_string_value(value))
			     : json_dumps(value, JSON_STYLE | JSON_ENCODE_ANY);

	fputs(text ? text : "?", stdout);
	free(text);
}

static void print_cell(const struct sides *sides, size_t index)
{
	const char *key, *gap = "";
	struct cell cell;
	const struct side *side = sides_cell(sides, index, &cell);
	json_t *axes = plan_axes(&side->config, &cell), *v;

	json_object_foreach(axes, key, v)
	{
		printf("%s%s ", gap, key);
		print_value(v);
		gap = ", ";
	}
	json_decref(axes);
	putchar('\n');
}

static void print_rounds(const struct repeat_rule *rule, size_t cells)
{
	printf("%zu cells, ", cells);
	if (rule->min == rule->max)
		printf("%" PRIu32 " repeats of each in %" PRIu32 " rounds",
		       rule->min, schedule_most(rule));
	else
		printf("%" PRIu32 " to %" PRIu32 " repeats of each in %" PRIu32
		       " to %" PRIu32 " rounds",
		       rule->min, rule->max, rule->warmup + rule->min,
		       schedule_most(rule));
	if (rule->warmup)
		printf(", %" PRIu32 " of them warm-up", rule->warmup);
	putchar('\n');
}

static void print_rule(const struct repeat_rule *rule, size_t cells)
{
	print_rounds(rule, cells);
	if (rule->ci_width >= 0)
		printf("a cell is done when the 95 %% interval of its median "
		       "rate is at most %g %%\nof the median wide\n",
		       rule->ci_width * 100);
	if (rule->time_s > 0)
		printf("nothing beyond %" PRIu32 " repeats is begun after "
		       "%g s\n",
		       rule->min, rule->time_s);
}

static void print_program(const struct side *base)
{
	json_t *path = json_bytes(base->binary);

	fputs("base is run by ", stdout);
	/* quoted: it may hold anything */
	json_dumpf(path, stdout, JSON_ENCODE_ANY);
	json_decref(path);
	printf(", tdmem %s\n", base->version);
}

static void print_differences(const struct sides *sides)
{
	json_t *list = sides_differences(sides), *row;
	size_t i;

	if (sides->side[0].binary)
		print_program(&sides->side[0]);
	if (json_array_size(list) == 0)
		puts("the configs of base and new do not differ");
	json_array_foreach(list, i, row)
	{
		printf("%s: base ",
		       json_string_value(json_object_get(row, "path")));
		json_dumpf(json_object_get(row, "base"), stdout,
			   JSON_STYLE | JSON_ENCODE_ANY);
		fputs(", new ", stdout);
		json_dumpf(json_object_get(row, "new"), stdout,
			   JSON_STYLE | JSON_ENCODE_ANY);
		putchar('\n');
	}
	json_decref(list);
}

void plan_print(const struct sides *sides)
{
	for (size_t i = 0; i < sides_cells(sides); i++)
		print_cell(sides, i);
	print_rule(&sides_main(sides)->config.repeat, sides_cells(sides));
	if (sides->n > 1)
		print_differences(sides);
}
