/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/base/document.h"
#include "bench/base/output.h"

const char *const document_text_json[] = {"text", "json", NULL};

int document_begin(struct document *d, struct err *e)
{
	*d = (struct document){0};
	d->file = open_memstream(&d->text, &d->size);
	return d->file ? 0 : err_set(e, EXIT_FAILED, "out of memory");
}

static int save(const struct document *d, const char *path, struct err *e)
{
	struct output out;

	if (output_open(&out, path, e))
		return -1;
	fwrite(d->text, 1, d->size, out.file);
	return output_commit(&out, e);
}

int document_end(struct document *d, int status, const char *path,
		 struct err *e)
{
	if ((ferror(d->file) | fclose(d->file)) && status == 0)
		status = err_set(e, EXIT_FAILED, "out of memory");
	if (status == 0 && path)
		status = save(d, path, e);
	else if (status == 0)
		fwrite(d->text, 1, d->size, stdout);
	free(d->text);
	return status;
}

/* As a shell reads it: a word that is not plain between single quotes. */
static void quote(FILE *f, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_./=,:@%+";

	if (word[0] && !word[strspn(word, plain)]) {
		fputs(word, f);
		return;
	}
	fputc('\'', f);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", f);
		else
			fputc(*word, f);
	fputc('\'', f);
}

char *document_command(int argc, char *const *argv)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fputs("tdmem", f);
	for (int i = 0; i < argc; i++) {
		fputc(' ', f);
		quote(f, argv[i]);
	}
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

bool document_is_one_of(const char *path, const char *const *files, size_t n)
{
	struct stat a, b;

	if (!path || stat(path, &a))
		return false;
	for (size_t i = 0; i < n; i++)
		if (stat(files[i], &b) == 0 && a.st_dev == b.st_dev &&
		    a.st_ino == b.st_ino)
			return true;
	return false;
}
