/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* asprintf, memfd_create */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/run/journal.h"

static int failed(const struct journal *j, const char *what, struct err *e)
{
	return err_set(e, EXIT_FAILED, "%s: %s: %s", j->path, what,
		       strerror(errno));
}

/* Take the file; a lock tells a run that goes on from one that was left. */
static int open_journal(struct journal *j, const char *result_path, int flags,
			struct err *e)
{
	int fd;

	*j = (struct journal){0};
	if (asprintf(&j->path, "%s.journal", result_path) < 0) {
		j->path = NULL;
		return err_set(e, EXIT_FAILED, "out of memory");
	}
	fd = open(j->path, flags | O_RDWR | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST) {
		err_set(e, EXIT_FAILED,
			"%s: exists: go on with --resume, or remove it",
			j->path);
		errno = EEXIST;
		return -1;
	}
	if (fd < 0)
		return failed(j, "cannot be opened", e);
	j->file = fdopen(fd, "r+");
	if (!j->file || flock(fd, LOCK_EX | LOCK_NB))
		return failed(j, "in use", e);
	return 0;
}

static void release(struct journal *j)
{
	int kept = errno;

	if (j->file)
		fclose(j->file);
	free(j->path);
	free(j->entry);
	*j = (struct journal){0};
	errno = kept;
}

int journal_create(struct journal *j, const char *result_path,
		   const json_t *header, struct err *e)
{
	if (open_journal(j, result_path, O_CREAT | O_EXCL, e)) {
		release(j);
		return -1;
	}
	if (json_dumpf(header, j->file, JSON_COMPACT) ||
	    fputc('\n', j->file) == EOF || fflush(j->file)) {
		failed(j, "cannot be written", e);
		journal_close(j, 1);
		return -1;
	}
	j->end = ftello(j->file);
	return 0;
}

int journal_in_memory(struct journal *j, struct err *e)
{
	int fd = memfd_create("tdmem-journal", MFD_CLOEXEC);

	*j = (struct journal){.path = strdup("memory")};
	j->file = fd < 0 ? NULL : fdopen(fd, "r+");
	if (j->file && j->path)
		return 0;
	if (!j->file && fd >= 0)
		close(fd);
	release(j);
	return err_set(e, EXIT_FAILED, "no memory for a journal: %s",
		       strerror(errno));
}

/* ---------------------------------------------------------------- entries */

static int remember(struct journal *j, const struct run_item *item,
		    const struct repeat *repeat,
		    const struct repeat_place *place, off_t line)
{
	if (j->n == j->room) {
		size_t room = j->room ? 2 * j->room : 64;
		struct journal_entry *bigger =
			realloc(j->entry, room * sizeof(*bigger));

		if (!bigger)
			return -1;
		j->entry = bigger;
		j->room = room;
	}
	j->entry[j->n++] = (struct journal_entry){
		.item = *item,
		.status = repeat->status,
		.rate = repeat->rate,
		.line = line,
		.place = *place,
	};
	return 0;
}

int journal_add(struct journal *j, const struct run_item *item,
		const struct repeat *repeat, struct err *e)
{
	struct repeat_place place;

	if (repeat_print(j->file, item, repeat, &place))
		return err_set(e, EXIT_FAILED, "out of memory");
	if (fputc('\n', j->file) == EOF || fflush(j->file))
		return failed(j, "cannot be written", e);
	if (remember(j, item, repeat, &place, j->end))
		return err_set(e, EXIT_FAILED, "out of memory");
	j->end += (off_t)(place.offset + place.size) + 2;
	return 0;
}

static int by_item(const void *x, const void *y)
{
	const struct run_item *a = &((const struct journal_entry *)x)->item;
	const struct run_item *b = &((const struct journal_entry *)y)->item;

	if (a->cell != b->cell)
		return a->cell < b->cell ? -1 : 1;
	return (a->repeat > b->repeat) - (a->repeat < b->repeat);
}

void journal_sort(struct journal *j)
{
	if (j->n)
		qsort(j->entry, j->n, sizeof(*j->entry), by_item);
}

static int read_all(int fd, char *buf, size_t n, off_t at)
{
	while (n) {
		ssize_t got = pread(fd, buf, n, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		buf += got;
		at += got;
		n -= (size_t)got;
	}
	return 0;
}

int journal_copy(const struct journal *j, const struct journal_entry *entry,
		 FILE *to)
{
	off_t at = entry->line + (off_t)entry->place.offset;
	size_t left = entry->place.size;
	char buf[16384];

	while (left) {
		size_t n = left < sizeof(buf) ? left : sizeof(buf);

		if (read_all(fileno(j->file), buf, n, at))
			return -1;
		fwrite(buf, 1, n, to);
		at += (off_t)n;
		left -= n;
	}
	return 0;
}

int journal_reason(const struct journal *j, const struct journal_entry *entry,
		   char *buf, size_t size)
{
	size_t n = entry->place.offset + entry->place.size + 1;
	struct repeat_place place;
	struct repeat repeat;
	struct run_item item;
	json_t *data = NULL;
	char *line = malloc(n);
	int status = -1;

	if (line && !read_all(fileno(j->file), line, n, entry->line))
		status = repeat_parse(line, n, &item, &repeat, &place, &data);
	if (status == 0)
		snprintf(buf, size, "%s", repeat.reason);
	json_decref(data);
	free(line);
	return status;
}

/* ----------------------------------------------------------------- resume */

static int check_header(const struct journal *j, const char *line,
			const json_t *header, struct err *e)
{
	json_t *found = json_loads(line, 0, NULL);
	const char *schema =
		json_string_value(json_object_get(found, "schema"));
	int old = schema && strcmp(schema, "tdmem-journal/1") == 0;
	int same = found && json_equal(found, header);

	json_decref(found);
	if (old)
		return err_set(e, EXIT_USAGE,
			       "%s: is of an older version (tdmem-journal/1) "
			       "and cannot be gone on from: remove it",
			       j->path);
	if (!same)
		return err_set(
			e, EXIT_USAGE,
			"%s: is of another config, cost table or version",
			j->path);
	return 0;
}

/* 1: the line is broken, which the last one may be. */
static int take_line(struct journal *j, const char *line, size_t n)
{
	struct repeat_place place;
	struct repeat repeat;
	struct run_item item;
	json_t *data;

	if (line[n - 1] != '\n' ||
	    repeat_parse(line, n - 1, &item, &repeat, &place, &data))
		return 1;
	json_decref(data);
	if (remember(j, &item, &repeat, &place, j->end))
		return -1;
	j->end += (off_t)n;
	return 0;
}

static int read_lines(struct journal *j, const json_t *header, struct err *e)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n = getline(&line, &room, j->file);
	int status = n > 0 ? check_header(j, line, header, e)
			   : err_set(e, EXIT_USAGE, "%s: empty", j->path);
	int taken = 0;

	if (status == 0)
		j->end = n;
	while (status == 0 && taken == 0 &&
	       (n = getline(&line, &room, j->file)) > 2)
		taken = take_line(j, line, (size_t)n);
	free(line);
	if (taken < 0)
		return err_set(e, EXIT_FAILED, "out of memory");
	if (status == 0 && (fseeko(j->file, j->end, SEEK_SET) ||
			    ftruncate(fileno(j->file), j->end)))
		return failed(j, "cannot be written", e);
	return status;
}

int journal_resume(struct journal *j, const char *result_path,
		   const json_t *header, struct err *e)
{
	if (open_journal(j, result_path, 0, e) || read_lines(j, header, e)) {
		release(j);
		return -1;
	}
	return 0;
}

void journal_close(struct journal *j, int done)
{
	if (done && j->path)
		unlink(j->path);
	release(j);
}
