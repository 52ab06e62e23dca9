/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include <utf8proc.h>

#include "bench/base/layout.h"
#include "bench/base/plain.h"

/* What is at the start of a text. */
struct piece {
	size_t bytes;
	size_t columns;
	utf8proc_int32_t c; /* -1: a byte that is no UTF-8 */
};

static size_t colour_bytes(const char *text)
{
	size_t n;

	if (text[0] != '\033' || text[1] != '[')
		return 0;
	n = 2 + strspn(text + 2, "0123456789;");
	return text[n] == 'm' ? n + 1 : 0;
}

static struct piece piece_at(const char *text)
{
	struct piece piece = {.bytes = colour_bytes(text)};
	utf8proc_ssize_t n;

	if (piece.bytes)
		return piece;
	n = utf8proc_iterate((const utf8proc_uint8_t *)text, -1, &piece.c);
	if (n <= 0)
		return (struct piece){.bytes = 1, .columns = 1, .c = -1};
	piece.bytes = (size_t)n;
	piece.columns = (size_t)utf8proc_charwidth(piece.c);
	return piece;
}

size_t layout_width(const char *text)
{
	size_t width = 0;

	while (*text) {
		struct piece piece = piece_at(text);

		width += piece.columns;
		text += piece.bytes;
	}
	return width;
}

/* ------------------------------------------------------------------ plain */

/* It stands on the character before it. */
static bool is_mark(struct piece piece)
{
	utf8proc_category_t category = utf8proc_category(piece.c);

	return piece.columns == 0 && (category == UTF8PROC_CATEGORY_MN ||
				      category == UTF8PROC_CATEGORY_ME);
}

char *layout_plain(struct arena *arena, const char *text, bool ascii)
{
	/* At most four bytes for one: "\xNN" of a bad byte or a control. */
	char *plain = arena_alloc(arena, 4 * strlen(text) + 1, 1), *to = plain;

	while (plain && *text) {
		char piece[PLAIN_LONGEST];
		size_t n = plain_character(piece, text);

		if (ascii && n > 1)
			strcpy(piece, is_mark(piece_at(text)) ? "" : "?");
		to = stpcpy(to, piece);
		text += n;
	}
	/* A blank at the end would be taken away on the way of a mail. */
	if (plain && to > plain && to[-1] == ' ')
		to = stpcpy(to - 1, "\\x20");
	return plain;
}

/* -------------------------------------------------------------------- cut */

/* Bytes from the start that take at most so many columns. */
static size_t fit(const char *text, size_t columns)
{
	size_t n = 0, width = 0;

	while (text[n]) {
		struct piece piece = piece_at(text + n);

		if (width + piece.columns > columns)
			break;
		width += piece.columns;
		n += piece.bytes;
	}
	return n;
}

/* Where an end begins that takes at most so many columns. */
static size_t fit_end(const char *text, size_t columns)
{
	size_t n = 0, width = layout_width(text);

	while (width > columns) {
		struct piece piece = piece_at(text + n);

		width -= piece.columns;
		n += piece.bytes;
	}
	/* Marks that stood on what is gone. */
	while (text[n] && !piece_at(text + n).columns)
		n += piece_at(text + n).bytes;
	return n;
}

const char *layout_cut(struct arena *arena, const char *text, size_t width)
{
	size_t end = (width - 2) / 2;

	if (layout_width(text) <= width)
		return text;
	return arena_print(arena, "%.*s..%s", (int)fit(text, width - 2 - end),
			   text, text + fit_end(text, end));
}

/* ------------------------------------------------------------------- wrap */

/* Columns of the first n bytes. */
static size_t width_of(const char *text, size_t n)
{
	size_t width = 0;

	for (size_t i = 0; i < n; i += piece_at(text + i).bytes)
		width += piece_at(text + i).columns;
	return width;
}

void layout_wrap(FILE *f, size_t width, const char *head, size_t indent,
		 const char *text)
{
	size_t n = strlen(head), blanks = 0, column;

	/* Blanks are only written before something. */
	while (n && head[n - 1] == ' ') {
		n--;
		blanks++;
	}
	fprintf(f, "%.*s", (int)n, head);
	column = width_of(head, n);
	text += strspn(text, " ");
	while (*text) {
		size_t at = column + blanks;
		size_t fits = fit(text, at < width ? width - at : 0);

		n = strcspn(text, " ");
		if (fits < n && at > indent) {
			fputc('\n', f);
			column = 0;
			blanks = indent;
			continue;
		}
		/* A line holds at least one character, whatever it takes. */
		if (fits < n)
			n = fits ? fits : piece_at(text).bytes;
		fprintf(f, "%*s%.*s", (int)blanks, "", (int)n, text);
		column = at + width_of(text, n);
		text += n;
		/* The rest of a broken word begins a line. */
		blanks = *text == ' ' ? 1 : width;
		text += strspn(text, " ");
	}
	fputc('\n', f);
}
