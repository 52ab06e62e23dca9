/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/trend/impl.h"

struct walk {
	const char *dir;
	struct arena *arena;
	struct trend_files *files;
	FTS *fts;
	struct err *e;
};

static int no_memory(struct walk *w)
{
	return err_set(w->e, EXIT_FAILED, "out of memory");
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static const char *below(const struct walk *w, const FTSENT *ent)
{
	const char *path = ent->fts_path + strlen(w->dir);

	return path + strspn(path, "/");
}

static struct trend_file *one_more(struct trend_files *files)
{
	size_t room = files->room ? 2 * files->room : 64;
	struct trend_file *bigger;

	if (files->n == files->room) {
		bigger = realloc(files->file, room * sizeof(*bigger));
		if (!bigger)
			return NULL;
		files->file = bigger;
		files->room = room;
	}
	memset(&files->file[files->n], 0, sizeof(*files->file));
	return &files->file[files->n++];
}

static int add(struct walk *w, const FTSENT *ent, const char *skip)
{
	const struct stat *st = ent->fts_statp;
	const char *path = arena_text(w->arena, below(w, ent));
	struct trend_file *file = path ? one_more(w->files) : NULL;
	struct stat self;

	if (!file)
		return no_memory(w);
	file->path = path;
	file->skip = skip;
	if (skip)
		return 0;
	file->device = st->st_dev;
	file->inode = st->st_ino;
	file->size = (uint64_t)st->st_size;
	file->mtime_ns =
		(int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
	file->link =
		lstat(ent->fts_accpath, &self) == 0 && S_ISLNK(self.st_mode);
	return 0;
}

static int add_failed(struct walk *w, const FTSENT *ent)
{
	const char *why = arena_text(w->arena, strerror(ent->fts_errno));

	if (!why)
		return no_memory(w);
	if (ent->fts_level == 0)
		return err_set(w->e, EXIT_FAILED, "%s: cannot be read: %s",
			       w->dir, why);
	return add(w, ent, why);
}

static bool is_json(const FTSENT *ent)
{
	size_t n = strlen(ent->fts_name);

	return n > 5 && strcmp(ent->fts_name + n - 5, ".json") == 0 &&
	       strcmp(ent->fts_name, TREND_ACKS) != 0;
}

static int visit(struct walk *w, FTSENT *ent)
{
	bool hidden = ent->fts_level > 0 && ent->fts_name[0] == '.';

	if (ent->fts_level == 0 && ent->fts_info == FTS_F)
		return err_set(w->e, EXIT_USAGE, "%s: expected a folder",
			       w->dir);
	switch (ent->fts_info) {
	case FTS_D:
		if (hidden)
			fts_set(w->fts, ent, FTS_SKIP);
		return 0;
	case FTS_DC:
		return hidden ? 0 : add(w, ent, "a loop of links");
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return hidden ? 0 : add_failed(w, ent);
	case FTS_F:
		return hidden || !is_json(ent) ? 0 : add(w, ent, NULL);
	case FTS_SLNONE:
		return hidden || !is_json(ent)
			       ? 0
			       : add(w, ent, "a link to nothing");
	case FTS_DEFAULT:
		return hidden || !is_json(ent)
			       ? 0
			       : add(w, ent, "not a regular file");
	default:
		return 0;
	}
}

static int walk_all(struct walk *w)
{
	FTSENT *ent;

	errno = 0;
	while ((ent = fts_read(w->fts))) {
		if (visit(w, ent))
			return -1;
		errno = 0;
	}
	if (errno)
		return err_set(w->e, EXIT_FAILED, "%s: cannot be read: %s",
			       w->dir, strerror(errno));
	return 0;
}

/* ---------------------------------------------------------- met twice */

static int by_file(const void *x, const void *y)
{
	const struct trend_file *a = x, *b = y;

	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	if (a->link != b->link)
		return a->link ? 1 : -1;
	return strcmp(a->path, b->path);
}

static int by_path(const void *x, const void *y)
{
	return strcmp(((const struct trend_file *)x)->path,
		      ((const struct trend_file *)y)->path);
}

/* A link to a result must not count it twice. */
static int skip_same(struct walk *w)
{
	struct trend_file *file = w->files->file, *first = NULL;

	qsort(file, w->files->n, sizeof(*file), by_file);
	for (size_t i = 0; i < w->files->n; i++) {
		if (file[i].skip)
			continue;
		if (!first || first->device != file[i].device ||
		    first->inode != file[i].inode) {
			first = &file[i];
			continue;
		}
		file[i].skip = arena_print(w->arena, "the same file as %s",
					   first->path);
		if (!file[i].skip)
			return no_memory(w);
	}
	qsort(file, w->files->n, sizeof(*file), by_path);
	return 0;
}

int trend_find_files(const char *dir, struct arena *arena,
		     struct trend_files *files, struct err *e)
{
	struct walk w = {.dir = dir, .arena = arena, .files = files, .e = e};
	char *copy = strdup(dir);
	char *const paths[] = {copy, NULL};
	int status;

	*files = (struct trend_files){0};
	if (!copy)
		return no_memory(&w);
	w.fts = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	if (!w.fts) {
		free(copy);
		return err_set(e, EXIT_FAILED, "%s: cannot be read: %s", dir,
			       strerror(errno));
	}
	status = walk_all(&w);
	fts_close(w.fts);
	free(copy);
	if (status == 0)
		status = files->n ? skip_same(&w) : 0;
	return status;
}
