/* SPDX-License-Identifier: GPL-2.0-only */
/* A shell's command line, broken so that it stays the same command. */
#include <stdlib.h>
#include <string.h>

#include "bench/base/layout.h"

struct line {
	FILE *f;
	size_t width, indent, column;
	bool begun; /* has a word */
};

static void new_line(struct line *line, size_t indent)
{
	fprintf(line->f, "%s\\\n%*s", line->begun ? " " : "", (int)indent, "");
	line->column = indent;
	line->begun = false;
}

/* Columns that are left, with " \" at the end of the line. */
static size_t room(const struct line *line)
{
	size_t taken = line->column + line->begun + 2;

	return taken < line->width ? line->width - taken : 0;
}

static void put(struct line *line, const char *text, size_t n)
{
	fprintf(line->f, "%s%.*s", line->begun ? " " : "", (int)n, text);
	line->column += line->begun + n;
	line->begun = true;
}

/* Where a word ends: at a blank that is not quoted. */
static size_t word_bytes(const char *text)
{
	char quote = '\0';
	size_t n = 0;

	while (text[n] && (quote || !strchr(" \t\n", text[n]))) {
		if (text[n] == '\\' && quote != '\'' && text[n + 1])
			n++;
		else if (quote && text[n] == quote)
			quote = '\0';
		else if (!quote && (text[n] == '\'' || text[n] == '"'))
			quote = text[n];
		n++;
	}
	return n;
}

/* Take the quotes away, in place. */
static size_t unquote(char *word)
{
	char *to = word, quote = '\0';

	for (const char *from = word; *from; from++) {
		if (*from == '\\' && quote != '\'' && from[1] &&
		    (!quote || strchr("\\\"$`\n", from[1])))
			*to++ = *++from;
		else if (quote && *from == quote)
			quote = '\0';
		else if (!quote && (*from == '\'' || *from == '"'))
			quote = *from;
		else
			*to++ = *from;
	}
	*to = '\0';
	return (size_t)(to - word);
}

static bool is_printable(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return true;
}

/*
 * A word in pieces $'...', each as long as fits: a line that ends in a
 * backslash goes on without a blank when the next has no indent.
 */
static void put_pieces(struct line *line, const char *word, size_t n)
{
	for (size_t i = 0; i < n || n == 0;) {
		size_t left = room(line);

		fputs(line->begun ? " $'" : "$'", line->f);
		left -= 3;
		for (; i < n && left >= 4; i++) {
			unsigned char c = (unsigned char)word[i];

			if (c < 0x20 || c >= 0x7f)
				left -= (size_t)fprintf(line->f, "\\x%02x", c);
			else if (c == '\'' || c == '\\')
				left -= (size_t)fprintf(line->f, "\\%c", c);
			else
				left -= (size_t)fprintf(line->f, "%c", c);
		}
		fputc('\'', line->f);
		line->begun = false;
		if (i >= n)
			break;
		new_line(line, 0);
	}
	line->column = line->width;
	line->begun = true;
}

bool layout_command(FILE *f, size_t width, size_t indent, const char *command)
{
	struct line line = {f, width, indent, 0, false};
	size_t n;

	fprintf(f, "%*s", (int)indent, "");
	line.column = indent;
	for (;; command += n) {
		char *word;

		command += strspn(command, " \t\n");
		n = word_bytes(command);
		if (n == 0)
			break;
		if (is_printable(command, n) && n <= width - indent - 4) {
			if (n > room(&line))
				new_line(&line, indent + 2);
			put(&line, command, n);
			continue;
		}
		word = strndup(command, n);
		if (!word)
			return false;
		if (line.begun)
			new_line(&line, indent + 2);
		put_pieces(&line, word, unquote(word));
		free(word);
	}
	fputc('\n', f);
	return true;
}
