/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bench/base/man.h"

/* -------------------------------------------------------------------- texts */

/* Nothing of a text is a request, an escape or a hyphen where one breaks. */
static void put_n(const char *text, size_t n)
{
	if (n && (*text == '.' || *text == '\''))
		fputs("\\&", stdout);
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\\')
			fputs("\\e", stdout);
		else if (text[i] == '-')
			fputs("\\-", stdout);
		else if (text[i] == '~' || text[i] == '^')
			printf("\\%s", text[i] == '~' ? "(ti" : "(ha");
		else
			putchar(text[i]);
	}
}

static void put(const char *text)
{
	put_n(text, strlen(text));
}

static void put_font(char font, const char *text)
{
	printf("\\f%c", font);
	put(text);
	fputs("\\fR", stdout);
}

static void put_upper(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		putchar(toupper((unsigned char)text[i]));
}

/* ------------------------------------------------------- the text of --help */

enum block { FLOW, BREAK, LITERAL };

struct reader {
	enum block block;
	bool begun; /* a section has a text */
};

static void set_block(struct reader *r, enum block block)
{
	if (r->block == LITERAL && block != LITERAL)
		puts(".fi");
	if (r->block != LITERAL && block == LITERAL)
		puts(r->begun ? ".PP\n.nf" : ".nf");
	else if (r->block == BREAK && block == FLOW && r->begun)
		puts(".PP");
	else if (r->block == LITERAL && block == FLOW)
		puts(".PP");
	r->block = block;
	r->begun |= block != BREAK;
}

/* "Examples:" begins a section, and so does "Example: tdmem ...". */
static size_t title(const char *line, size_t n)
{
	size_t word = 0;

	while (word < n && isalpha((unsigned char)line[word]))
		word++;
	if (!word || word == n || line[word] != ':' ||
	    !isupper((unsigned char)*line))
		return 0;
	if (word + 1 == n ||
	    (word + 2 < n && strncmp(line + word, ": tdmem ", 8) == 0))
		return word;
	return 0;
}

static void put_line(struct reader *r, const char *line, size_t n)
{
	size_t word = title(line, n);

	if (n == 0 || word)
		set_block(r, BREAK);
	if (word) {
		fputs(".SH ", stdout);
		put_upper(line, word);
		putchar('\n');
		r->begun = false;
		line += word + (word + 1 == n ? 1 : 2);
		n -= word + (word + 1 == n ? 1 : 2);
	}
	if (n == 0)
		return;
	set_block(r, word || *line == ' ' ? LITERAL : FLOW);
	/* The margin of --help is that of the page here. */
	if (n > 2 && strncmp(line, "  ", 2) == 0) {
		line += 2;
		n -= 2;
	}
	put_n(line, n);
	putchar('\n');
}

/* Up to `end`, or where the text ends; `begun`: something stands before it. */
static void put_text(const char *text, const char *end, bool begun)
{
	struct reader r = {.block = BREAK, .begun = begun};

	while (*text && text != end) {
		size_t n = strcspn(text, "\n");

		put_line(&r, text, n);
		text += n + (text[n] == '\n');
	}
	set_block(&r, BREAK);
}

/* Where the sections begin: what is before describes the command. */
static const char *sections(const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (title(text, n))
			break;
		text += n + (text[n] == '\n');
	}
	return text;
}

/* -------------------------------------------------------------------- parts */

static void put_name(const char *name)
{
	put("tdmem");
	if (name) {
		put("-");
		put(name);
	}
}

static void put_head(const char *name, const char *summary)
{
	size_t n = strlen(summary);

	fputs(".\\\" SPDX-License-Identifier: GPL-2.0-only\n.TH ", stdout);
	put_upper("tdmem", 5);
	if (name) {
		put("-");
		put_upper(name, strlen(name));
	}
	puts(" 1 \"\" \"tdmem " TDMEM_VERSION "\" \"tdmem\"\n.SH NAME");
	put_name(name);
	fputs(" \\- ", stdout);
	/* A sentence there, a phrase here. */
	putchar(tolower((unsigned char)*summary));
	put_n(summary + 1, n - 1 - (summary[n - 1] == '.'));
	putchar('\n');
}

static void put_option(const struct option_spec *o)
{
	char letter[3] = {'-', o->letter};

	puts(".TP");
	if (o->letter) {
		put_font('B', letter);
		fputs(", ", stdout);
	}
	fputs("\\fB\\-\\-", stdout);
	put(o->name);
	fputs("\\fR", stdout);
	if (o->value) {
		putchar(' ');
		put_font('I', o->value);
	}
	putchar('\n');
	put(o->help);
	putchar('\n');
}

static void put_options(const struct option_spec *options)
{
	static const struct option_spec help = {
		.name = "help[=man]",
		.help = "print a summary, or this page, and exit"};

	puts(".SH OPTIONS");
	for (const struct option_spec *o = options; o->name; o++)
		put_option(o);
	put_option(&help);
}

/* Statuses mean the same for every command. */
static void put_statuses(void)
{
	static const char *const status[] = {
		"done", "failed", "wrong usage or configuration",
		"regression found", "not supported here"};

	puts(".SH \"EXIT STATUS\"");
	for (size_t i = 0; i < sizeof(status) / sizeof(*status); i++)
		printf(".TP\n%zu\n%s\n", i, status[i]);
}

/* ------------------------------------------------------------------- pages */

void man_command(const struct command_spec *spec)
{
	const char *text = spec->text ? spec->text : "";

	put_head(spec->name, spec->summary);
	fputs(".SH SYNOPSIS\n\\fBtdmem ", stdout);
	put(spec->name);
	fputs("\\fR [\\fIOPTION\\fR]...", stdout);
	if (spec->operands[0]) {
		putchar(' ');
		put_font('I', spec->operands);
	}
	puts("\n.SH DESCRIPTION");
	put(spec->summary);
	putchar('\n');
	put_text(text, sections(text), true);
	put_options(spec->options);
	put_statuses();
	put_text(sections(text), NULL, true);
	puts(".SH \"SEE ALSO\"\n.BR tdmem (1)");
}

void man_program(const char *summary, const struct man_item *command, size_t n)
{
	put_head(NULL, "memory operations of TDX, measured and modelled");
	puts(".SH SYNOPSIS\n"
	     "\\fBtdmem\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]... "
	     "[\\fIOPERAND\\fR]...\n"
	     ".SH DESCRIPTION");
	put_text(summary, NULL, false);
	puts(".SH COMMANDS");
	for (size_t i = 0; i < n; i++) {
		puts(".TP");
		put_font('B', command[i].name);
		if (command[i].operands[0]) {
			putchar(' ');
			put_font('I', command[i].operands);
		}
		putchar('\n');
		put(command[i].text);
		putchar('\n');
	}
	put_statuses();
	puts(".SH ENVIRONMENT\n.TP\n.B NO_COLOR\n"
	     "when it is set and not empty nothing is coloured\n"
	     ".SH \"SEE ALSO\"");
	for (size_t i = 0; i < n; i++) {
		fputs(".BR ", stdout);
		put_name(command[i].name);
		printf(" (1)%s\n", i + 1 < n ? "," : "");
	}
}
