/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* asprintf, memfd_create */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/base/child.h"
#include "bench/base/output.h"
#include "bench/observe/companion.h"
#include "bench/result/encode.h"

/* perf record writes out what it has; that can be much. */
enum { PATIENCE_MS = 30000 };

void companion_lost(struct companion *c, const char *format, ...)
{
	va_list args;

	if (c->missing[0])
		return;
	va_start(args, format);
	vsnprintf(c->missing, sizeof(c->missing), format, args);
	va_end(args);
}

void companion_init(struct companion *c, const struct companion_kind *kind)
{
	int ends[2];

	*c = (struct companion){.kind = kind, .socket = -1, .theirs = -1};
	c->log = memfd_create("companion", MFD_CLOEXEC);
	if (c->log < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		companion_lost(c, "%s", strerror(errno));
		return;
	}
	c->socket = ends[0];
	c->theirs = ends[1];
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void companion_start(struct companion *c, const char *const *argv)
{
	bool stdio = c->kind->stdio;
	const struct child_files files = {
		.in = stdio ? c->theirs : -1,
		.out = stdio ? c->theirs : c->log,
		.err = c->log,
		.keep = stdio ? -1 : c->theirs,
	};
	int error = c->missing[0] ? 0 : child_spawn(argv, &files, &c->pid);

	close_end(&c->theirs);
	if (error == ENOENT)
		companion_lost(c, "%.40s is not in PATH (package %.40s)",
			       argv[0], c->kind->package);
	else if (error)
		companion_lost(c, "%.40s cannot be run: %s", argv[0],
			       strerror(error));
	if (error)
		c->pid = 0;
}

/* A line that says something: no heading, and not what perf says always. */
static bool says_something(const char *line)
{
	return *line && line[strlen(line) - 1] != ':' &&
	       strncmp(line, "Events ", 7) != 0;
}

static void read_log(const struct companion *c, char *line, size_t size)
{
	char text[8192], *rest = text, *next;
	ssize_t n = pread(c->log, text, sizeof(text) - 1, 0);

	line[0] = '\0';
	text[n > 0 ? n : 0] = '\0';
	while ((next = strsep(&rest, "\n"))) {
		next += strspn(next, " \t");
		if (!says_something(next))
			continue;
		snprintf(line, size, "%.150s", next);
		if (!c->kind->last_line)
			return;
	}
}

void companion_end(struct companion *c, int signal_number)
{
	/* perf record takes a closed socket for an end without ceremony. */
	if (!signal_number)
		close_end(&c->socket);
	if (c->pid)
		child_end(c->pid, signal_number, PATIENCE_MS);
	c->pid = 0;
	close_end(&c->socket);
}

/* Nobody told it to end. */
static void died(struct companion *c)
{
	char line[160];

	if (!c->pid)
		return;
	companion_end(c, 0);
	read_log(c, line, sizeof(line));
	companion_lost(c, "it ended early%s%s", line[0] ? ": " : "", line);
}

void companion_ask(struct companion *c, const char *command)
{
	size_t n = strlen(command);

	c->nheard = 0;
	if (!c->missing[0] &&
	    send(c->socket, command, n, MSG_NOSIGNAL) != (ssize_t)n)
		died(c);
}

char *companion_path(const char *result, const char *suffix, struct err *e)
{
	static const char end[] = ".json";
	size_t n = strlen(result);
	char *path;

	if (n > strlen(end) && strcmp(result + n - strlen(end), end) == 0)
		n -= strlen(end);
	if (asprintf(&path, "%.*s%s", (int)n, result, suffix) < 0) {
		err_set(e, EXIT_FAILED, "out of memory");
		return NULL;
	}
	if (output_check(path, e)) {
		free(path);
		return NULL;
	}
	if (unlink(path) && errno != ENOENT) {
		err_set(e, EXIT_FAILED, "%.200s: %s", path, strerror(errno));
		free(path);
		return NULL;
	}
	return path;
}

/* Answers end with a NUL or not; a stream of others must not fill it up. */
static bool has_heard(struct companion *c, const char *answer)
{
	for (size_t i = 0; i < c->nheard; i++)
		if (!c->heard[i])
			c->heard[i] = '\n';
	c->heard[c->nheard] = '\0';
	if (strstr(c->heard, answer))
		return true;
	if (c->nheard == COMPANION_ANSWER) {
		c->nheard /= 2;
		memmove(c->heard, c->heard + COMPANION_ANSWER - c->nheard,
			c->nheard);
	}
	return false;
}

bool companion_heard(struct companion *c, const char *answer, int timeout_ms)
{
	struct pollfd at = {.fd = c->socket, .events = POLLIN};
	ssize_t got;

	while (!c->missing[0] && poll(&at, 1, timeout_ms) > 0) {
		got = read(c->socket, c->heard + c->nheard,
			   COMPANION_ANSWER - c->nheard);
		if (got <= 0) {
			died(c);
			break;
		}
		c->nheard += (size_t)got;
		if (has_heard(c, answer))
			return true;
	}
	return false;
}

bool companion_facts(const struct companion *c, const char *path, json_t *facts)
{
	const char *slash = strrchr(path, '/');
	struct stat is;
	int bad = 0;

	/* By its last name: it lies beside the result. */
	if (stat(path, &is) == 0 && is.st_size == 0)
		unlink(path);
	else if (access(path, F_OK) == 0)
		bad |= json_object_set_new(
			facts, "file", json_bytes(slash ? slash + 1 : path));
	if (c->missing[0])
		bad |= json_object_set_new(facts, "missing",
					   json_bytes(c->missing));
	return !bad;
}

uint64_t companion_now_ns(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

void companion_free(struct companion *c)
{
	if (c->pid)
		child_end(c->pid, 0, 0);
	c->pid = 0;
	close_end(&c->socket);
	close_end(&c->theirs);
	close_end(&c->log);
}
