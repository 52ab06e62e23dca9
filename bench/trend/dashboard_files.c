/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* asprintf */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/trend/dashboard_impl.h"

/* ---------------------------------------------------------------- writing */

static int cannot(struct err *e, const char *path)
{
	return err_set(e, EXIT_FAILED, "%s: cannot be written: %s", path,
		       strerror(errno));
}

static char *in_site(const struct site *site, const char *name, struct err *e)
{
	char *path = arena_print(site->arena, "%s/%s", site->out, name);

	if (!path)
		err_set(e, EXIT_FAILED, "out of memory");
	return path;
}

/*
 * A file beside and a rename, so that whoever has a page open never loads
 * half a file; not synced, as all of it can be made again.
 */
static FILE *open_beside(const char *temporary)
{
	int fd = open(temporary,
		      O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		      0666);

	return fd < 0 ? NULL : fdopen(fd, "w");
}

static int close_beside(FILE *f, bool bad, const char *temporary,
			const char *path)
{
	bad |= ferror(f) != 0;
	if (fclose(f) || bad || rename(temporary, path)) {
		unlink(temporary);
		return -1;
	}
	return 0;
}

int site_write_file(const struct site *site, const char *name,
		    bool (*put)(FILE *f, const void *arg), const void *arg,
		    struct err *e)
{
	char *path = in_site(site, name, e);
	char *temporary =
		path ? arena_print(site->arena, "%s.tmp", path) : NULL;
	FILE *f;

	if (!temporary)
		return err_set(e, EXIT_FAILED, "out of memory");
	f = open_beside(temporary);
	if (!f)
		return cannot(e, path);
	if (close_beside(f, !put(f, arg), temporary, path))
		return cannot(e, path);
	return 0;
}

/*
 * No byte of a text may mean anything to whoever reads the file as markup:
 * the JSON is ASCII, and these can only be within strings.
 */
static int put_plain(const char *buffer, size_t size, void *file)
{
	for (size_t i = 0; i < size; i++) {
		int c = (unsigned char)buffer[i];

		if (c == '<' || c == '>' || c == '&')
			fprintf(file, "\\u%04x", (unsigned int)c);
		else
			putc(c, file);
	}
	return 0;
}

/** Data, and what pages know it by: a slug, in which nothing needs quoting. */
struct named_data {
	const char *name;
	const json_t *data;
};

static bool put_data(FILE *f, const void *arg)
{
	const struct named_data *d = arg;
	int bad;

	fprintf(f, "var tdmem_data = tdmem_data || {};\ntdmem_data[\"%s\"] = ",
		d->name);
	bad = json_dump_callback(d->data, put_plain, f,
				 JSON_COMPACT | JSON_ENSURE_ASCII |
					 JSON_REAL_PRECISION(6));
	fputs(";\n", f);
	return !bad;
}

int site_write_data(const struct site *site, const char *name, json_t *data,
		    struct err *e)
{
	char *file = arena_print(site->arena, "data/%s.js", name);
	int status = -1;

	if (!data || !file)
		err_set(e, EXIT_FAILED, "out of memory");
	else
		status = site_write_file(site, file, put_data,
					 &(struct named_data){name, data}, e);
	json_decref(data);
	return status;
}

/* ---------------------------------------------------------------- folders */

static bool is_empty(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	bool empty = d != NULL;

	while (d && (entry = readdir(d)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			empty = false;
	if (d)
		closedir(d);
	return empty;
}

static int make_folder(const char *path, struct err *e)
{
	if (mkdir(path, 0777) && errno != EEXIST)
		return cannot(e, path);
	return 0;
}

/* Somebody's own index.html must not go because of a slip of the hand. */
static int check_ours(const struct site *site, struct err *e)
{
	char *mark = in_site(site, SITE_MARK, e);

	if (!mark)
		return -1;
	if (access(mark, F_OK) && !is_empty(site->out))
		return err_set(e, EXIT_USAGE,
			       "%s: expected a new or empty folder or an older "
			       "dashboard",
			       site->out);
	return 0;
}

int site_make_folders(const struct site *site, struct err *e)
{
	char *data = in_site(site, "data", e), *lib = in_site(site, "lib", e);

	if (site_check_library(e))
		return -1;
	if (!data || !lib || make_folder(site->out, e) || check_ours(site, e))
		return -1;
	return make_folder(data, e) || make_folder(lib, e) ? -1 : 0;
}

static bool is_wanted(const struct site *site, const char *file)
{
	static const char *const kinds[] = {"run-", "workload-"};
	const struct site_names *slugs[] = {&site->run_slug, &site->slug};
	size_t n = strlen(file);

	for (size_t i = 0; i < 2; i++) {
		size_t skip = strlen(kinds[i]);
		char slug[NAME_MAX + 1];

		if (strncmp(file, kinds[i], skip) != 0 || n < skip + 3 ||
		    strcmp(file + n - 3, ".js") != 0)
			continue;
		snprintf(slug, sizeof(slug), "%.*s", (int)(n - skip - 3),
			 file + skip);
		return json_object_get(slugs[i]->index, slug) != NULL;
	}
	return true;
}

int site_remove_old(const struct site *site, struct err *e)
{
	char *path = in_site(site, "data", e);
	DIR *d = path ? opendir(path) : NULL;
	struct dirent *entry;

	if (!d)
		return path ? cannot(e, path) : -1;
	while ((entry = readdir(d)))
		if (!is_wanted(site, entry->d_name))
			unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
	return 0;
}

/* ------------------------------------------------------------------ links */

char *site_encode_path(struct arena *arena, const char *path)
{
	static const char hex[] = "0123456789ABCDEF";
	char *text = arena_alloc(arena, 3 * strlen(path) + 1, 1), *to = text;

	for (; text && *path; path++) {
		unsigned char c = (unsigned char)*path;

		if ((c < 0x80 && isalnum(c)) || strchr("/-._~", c)) {
			*to++ = (char)c;
		} else {
			*to++ = '%';
			*to++ = hex[c >> 4];
			*to++ = hex[c & 15];
		}
	}
	return text;
}

/* "../" for each folder of `from` that is not above `to`, then the rest. */
static char *relative(struct arena *arena, const char *from, const char *to)
{
	size_t same = 0, i = 0, ups = 0;
	char *text, *end;

	for (; from[i] && from[i] == to[i]; i++)
		if (from[i] == '/')
			same = i + 1;
	for (i = same; from[i]; i++)
		ups += from[i] == '/';
	text = end = arena_alloc(arena, 3 * ups + strlen(to + same) + 3, 1);
	if (!text)
		return NULL;
	for (i = 0; i < ups; i++)
		end = stpcpy(end, "../");
	stpcpy(ups ? end : stpcpy(end, "./"), to + same);
	return text;
}

char *site_base(const struct site *site, struct err *e)
{
	char *from = realpath(site->out, NULL), *to = realpath(site->dir, NULL);
	char *base = NULL, *a = NULL, *b = NULL;

	if (!from || !to) {
		err_set(e, EXIT_FAILED, "%s: %s", from ? site->dir : site->out,
			strerror(errno));
		goto out;
	}
	a = arena_print(site->arena, "%s/", strcmp(from, "/") ? from : "");
	b = arena_print(site->arena, "%s/", strcmp(to, "/") ? to : "");
	if (a && b)
		base = relative(site->arena, a, b);
	if (base)
		base = site_encode_path(site->arena, base);
	if (!base)
		err_set(e, EXIT_FAILED, "out of memory");
out:
	free(from);
	free(to);
	return base;
}
