/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/base/args.h"
#include "bench/base/layout.h"
#include "bench/base/man.h"

int fail(const struct err *e)
{
	fprintf(stderr, "tdmem: %s\n", e->text);
	return (int)e->status;
}

/* ------------------------------------------------------------------- help */

enum { HELP_WIDTH = 80 };

/* "  -o, --output PATH"; --help is in no table. */
static const struct option_spec help_option = {
	.name = "help[=man]",
	.help = "print this, or a manual page, and exit",
};

static size_t option_text(const struct option_spec *o, char *text, size_t size)
{
	char letter[4] = "";

	if (o->letter)
		snprintf(letter, sizeof(letter), "-%c,", o->letter);
	return (size_t)snprintf(text, size, "  %-3s --%s%s%s", letter, o->name,
				o->value ? " " : "", o->value ? o->value : "");
}

static size_t widest_option(const struct option_spec *o)
{
	char text[64];
	size_t widest = option_text(&help_option, text, sizeof(text));

	for (; o->name; o++) {
		size_t n = option_text(o, text, sizeof(text));

		widest = n > widest ? n : widest;
	}
	return widest;
}

static void print_option(const struct option_spec *o, size_t widest)
{
	char text[64], left[72];

	option_text(o, text, sizeof(text));
	snprintf(left, sizeof(left), "%-*s  ", (int)widest, text);
	layout_wrap(stdout, HELP_WIDTH, left, widest + 2, o->help);
}

static void print_help(const struct command_spec *spec)
{
	const char *space = spec->operands[0] ? " " : "";
	size_t widest = widest_option(spec->options);

	printf("Usage: tdmem %s [OPTION]...%s%s\n\n%s\n\n", spec->name, space,
	       spec->operands, spec->summary);
	for (const struct option_spec *o = spec->options; o->name; o++)
		print_option(o, widest);
	print_option(&help_option, widest);
	if (spec->text)
		printf("\n%s", spec->text);
}

/* ---------------------------------------------------------------- parsing */

struct parser {
	const struct command_spec *spec;
	struct err *e;
	char **argv;
	int argc, next;
};

__attribute__((format(printf, 2, 3))) static int bad(struct parser *p,
						     const char *format, ...)
{
	char why[200];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	return err_set(p->e, EXIT_USAGE, "%s: %s; see tdmem %s --help",
		       p->spec->name, why, p->spec->name);
}

static int store_number(struct parser *p, const struct option_spec *o,
			const char *value)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(value, &end, 10);
	if (end == value || *end || errno || isspace((unsigned char)*value))
		return bad(p, "--%s: \"%.40s\" is no number", o->name, value);
	if (v < o->min || v > o->max)
		return bad(p, "--%s: %ld is not within %ld to %ld", o->name, v,
			   o->min, o->max);
	*(long *)o->to = v;
	return 0;
}

static int store_real(struct parser *p, const struct option_spec *o,
		      const char *value)
{
	char *end;
	double v = strtod(value, &end);

	if (end == value || *end || isspace((unsigned char)*value))
		return bad(p, "--%s: \"%.40s\" is no number", o->name, value);
	/* Written so that "nan" is not within anything. */
	if (!(v >= (double)o->min && v <= (double)o->max))
		return bad(p, "--%s: %.40s is not within %ld to %ld", o->name,
			   value, o->min, o->max);
	*(double *)o->to = v;
	return 0;
}

static int store_listed(struct parser *p, const struct option_spec *o,
			const char *value)
{
	struct strings *list = o->to;
	const char **v = realloc(list->v, (list->n + 1) * sizeof(*v));

	if (!v)
		return bad(p, "out of memory");
	list->v = v;
	list->v[list->n++] = value;
	return 0;
}

static int store(struct parser *p, const struct option_spec *o,
		 const char *value)
{
	switch (o->type) {
	case OPTION_FLAG:
		*(bool *)o->to = true;
		return 0;
	case OPTION_STRING:
		*(const char **)o->to = value;
		return 0;
	case OPTION_NUMBER:
		return store_number(p, o, value);
	case OPTION_REAL:
		return store_real(p, o, value);
	default:
		return store_listed(p, o, value);
	}
}

/* `inline_value`: what was written behind "=" or the letter, or NULL. */
static int take_option(struct parser *p, const struct option_spec *o,
		       const char *inline_value)
{
	const char *value = inline_value;

	if (o->type == OPTION_FLAG && value)
		return bad(p, "--%s takes no value", o->name);
	if (o->type != OPTION_FLAG && !value) {
		if (p->next == p->argc)
			return bad(p, "--%s needs %s", o->name, o->value);
		value = p->argv[p->next++];
	}
	return store(p, o, value);
}

static int parse_long(struct parser *p, const char *text)
{
	size_t n = strcspn(text, "=");

	for (const struct option_spec *o = p->spec->options; o->name; o++)
		if (strlen(o->name) == n && memcmp(o->name, text, n) == 0)
			return take_option(p, o, text[n] ? text + n + 1 : NULL);
	return bad(p, "unknown option --%.*s", n > 40 ? 40 : (int)n, text);
}

static int parse_letter(struct parser *p, const char *text)
{
	for (const struct option_spec *o = p->spec->options; o->name; o++)
		if (o->letter && o->letter == text[0])
			return take_option(p, o, text[1] ? text + 1 : NULL);
	return bad(p, "unknown option -%.40s", text);
}

static int add_operand(struct parser *p, struct operands *operands,
		       const char *text)
{
	if (operands->n == p->spec->max_operands)
		return bad(p, "\"%.80s\" is one operand too many", text);
	operands->v[operands->n++] = text;
	return 0;
}

static int wants_help(const char *arg)
{
	return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

int args_parse(const struct command_spec *spec, int argc, char **argv,
	       struct operands *operands, struct err *e)
{
	struct parser p = {spec, e, argv, argc, 1};
	bool options = true;
	int status = 0;

	operands->n = 0;
	while (p.next < argc && status == 0) {
		const char *arg = argv[p.next++];

		if (options && strcmp(arg, "--help=man") == 0) {
			man_command(spec);
			return 1;
		}
		if (options && wants_help(arg)) {
			print_help(spec);
			return 1;
		}
		if (!options || arg[0] != '-' || !arg[1])
			status = add_operand(&p, operands, arg);
		else if (strcmp(arg, "--") == 0)
			options = false;
		else if (arg[1] == '-')
			status = parse_long(&p, arg + 2);
		else
			status = parse_letter(&p, arg + 1);
	}
	if (status == 0 && operands->n < spec->min_operands)
		return bad(&p, "expected %s", spec->operands);
	return status;
}

int args_bad(const char *command, struct err *e, const char *what,
	     const char *value)
{
	return err_set(e, EXIT_USAGE, "%s: %s%s%.60s%s; see tdmem %s --help",
		       command, what, value ? " \"" : "", value ? value : "",
		       value ? "\"" : "", command);
}
