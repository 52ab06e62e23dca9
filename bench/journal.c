/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "bench/journal.h"

#define CELL_LINE "{\"cell\":%zu,\"data\":"

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

	j->file = NULL;
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
	return 0;
}

static int check_header(const struct journal *j, const char *line,
			const json_t *header, struct err *e)
{
	json_t *found = json_loads(line, 0, NULL);
	int same = found && json_equal(found, header);

	json_decref(found);
	if (!same)
		return err_set(
			e, EXIT_USAGE,
			"%s: is of another config, cost table or version",
			j->path);
	return 0;
}

/* The text of a cell's line, cut out in place; NULL for a broken line. */
static char *cell_text(char *line, size_t n, size_t *index)
{
	json_t *whole = json_loadb(line, n, 0, NULL);
	int start = 0;

	if (!whole)
		return NULL;
	json_decref(whole);
	if (sscanf(line, CELL_LINE "%n", index, &start) != 1 || start == 0)
		return NULL;
	line[n - 2] = '\0'; /* the brace and the newline */
	return line + start;
}

static int read_cells(struct journal *j, const json_t *header,
		      journal_cell_fn *cell, void *ctx, struct err *e)
{
	char *line = NULL, *text;
	size_t room = 0, index;
	ssize_t n = getline(&line, &room, j->file);
	off_t good = n;
	int status = n > 0 ? check_header(j, line, header, e)
			   : err_set(e, EXIT_USAGE, "%s: empty", j->path);

	while (status == 0 && (n = getline(&line, &room, j->file)) > 2) {
		text = line[n - 1] == '\n' ? cell_text(line, (size_t)n, &index)
					   : NULL;
		if (!text)
			break;
		status = cell(ctx, index, text);
		if (status)
			err_set(e, EXIT_FAILED, "%s: cell %zu cannot be taken",
				j->path, index);
		good += n;
	}
	free(line);
	if (status == 0 && (fseeko(j->file, good, SEEK_SET) ||
			    ftruncate(fileno(j->file), good)))
		return failed(j, "cannot be written", e);
	return status;
}

int journal_resume(struct journal *j, const char *result_path,
		   const json_t *header, journal_cell_fn *cell, void *ctx,
		   struct err *e)
{
	if (open_journal(j, result_path, 0, e) ||
	    read_cells(j, header, cell, ctx, e)) {
		release(j);
		return -1;
	}
	return 0;
}

int journal_add(struct journal *j, size_t index, const char *text,
		struct err *e)
{
	if (fprintf(j->file, CELL_LINE "%s}\n", index, text) < 0 ||
	    fflush(j->file))
		return failed(j, "cannot be written", e);
	return 0;
}

void journal_close(struct journal *j, int done)
{
	if (done && j->path)
		unlink(j->path);
	release(j);
}
