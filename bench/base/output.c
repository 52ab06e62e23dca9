/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/base/output.h"

static int failed(struct err *e, const char *path)
{
	return err_set(e, EXIT_FAILED, "%s: cannot be written: %s", path,
		       strerror(errno));
}

int output_check(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, EXIT_FAILED,
			       "%s: cannot be written: not a regular file",
			       path);
	return 0;
}

int output_open(struct output *out, const char *path, struct err *e)
{
	int fd;

	*out = (struct output){.path = path};
	if (output_check(path, e))
		return -1;
	if (asprintf(&out->temporary, "%s.tmp", path) < 0) {
		out->temporary = NULL;
		return err_set(e, EXIT_FAILED, "out of memory");
	}
	fd = open(out->temporary,
		  O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	out->file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out->file) {
		failed(e, path);
		free(out->temporary);
		out->temporary = NULL;
		return -1;
	}
	return 0;
}

/* So that the rename itself survives a crash; not all folders can sync. */
static void sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder =
		slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(folder);
}

int output_commit(struct output *out, struct err *e)
{
	int bad = ferror(out->file) || fflush(out->file) ||
		  fsync(fileno(out->file));

	if (bad) {
		failed(e, out->path);
		output_abandon(out);
		return -1;
	}
	if (fclose(out->file) || rename(out->temporary, out->path)) {
		failed(e, out->path);
		out->file = NULL;
		output_abandon(out);
		return -1;
	}
	sync_folder(out->path);
	free(out->temporary);
	*out = (struct output){0};
	return 0;
}

void output_abandon(struct output *out)
{
	if (out->file)
		fclose(out->file);
	if (out->temporary)
		unlink(out->temporary);
	free(out->temporary);
	*out = (struct output){0};
}
