/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* pipe2 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/base/child.h"

extern char **environ;

enum { LOOK_MS = 50 }; /* how often *stop is looked at */
enum { NAP_MS = 2 };   /* and whether a child has ended */

struct child {
	pid_t pid;
	int out, err; /* -1: at its end */
	size_t room, nerror;
	struct child_output *output;
};

static int set_attributes(posix_spawnattr_t *a)
{
	sigset_t none, some;

	sigemptyset(&none);
	sigemptyset(&some);
	sigaddset(&some, SIGPIPE);
	sigaddset(&some, SIGXFSZ);
	/* Of its own group: Ctrl-C is for who started it. */
	return posix_spawnattr_setflags(a, POSIX_SPAWN_SETSIGMASK |
						   POSIX_SPAWN_SETSIGDEF |
						   POSIX_SPAWN_SETPGROUP) ||
	       posix_spawnattr_setsigmask(a, &none) ||
	       posix_spawnattr_setsigdefault(a, &some) ||
	       posix_spawnattr_setpgroup(a, 0);
}

/* posix_spawn(), or posix_spawnp() for a name without a folder. */
typedef int spawn_fn(pid_t *, const char *, const posix_spawn_file_actions_t *,
		     const posix_spawnattr_t *, char *const *, char *const *);

static int add_files(posix_spawn_file_actions_t *a,
		     const struct child_files *files)
{
	int bad = files->in < 0
			  ? posix_spawn_file_actions_addopen(a, 0, "/dev/null",
							     O_RDONLY, 0)
			  : posix_spawn_file_actions_adddup2(a, files->in, 0);

	/* Onto itself: it is no more closed by exec. */
	if (files->keep >= 0)
		bad |= posix_spawn_file_actions_adddup2(a, files->keep,
							files->keep);
	return bad | posix_spawn_file_actions_adddup2(a, files->out, 1) |
	       posix_spawn_file_actions_adddup2(a, files->err, 2);
}

static int spawn(spawn_fn *fn, const char *const *argv,
		 const struct child_files *files, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int status = ENOMEM;

	if (posix_spawn_file_actions_init(&actions))
		return ENOMEM;
	if (posix_spawnattr_init(&attributes)) {
		posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	if (!add_files(&actions, files) && !set_attributes(&attributes))
		status = fn(pid, argv[0], &actions, &attributes,
			    (char *const *)(uintptr_t)argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return status;
}

int child_spawn(const char *const *argv, const struct child_files *files,
		pid_t *pid)
{
	return spawn(posix_spawnp, argv, files, pid);
}

int child_end(pid_t pid, int signal_number, unsigned patience_ms)
{
	const struct timespec nap = {.tv_nsec = NAP_MS * 1000000l};
	int status = 0;

	if (signal_number)
		kill(pid, signal_number);
	for (unsigned waited = 0; waitpid(pid, &status, WNOHANG) == 0;
	     waited += NAP_MS) {
		if (waited >= patience_ms)
			kill(pid, SIGKILL);
		nanosleep(&nap, NULL);
	}
	return status;
}

/* Start it with the two pipes; closes what is the child's. */
static int start(struct child *c, const char *const *argv)
{
	struct child_files files = {.in = -1, .keep = -1};
	int out[2], err[2], status;

	if (pipe2(out, O_CLOEXEC))
		return errno;
	if (pipe2(err, O_CLOEXEC)) {
		status = errno;
		close(out[0]);
		close(out[1]);
		return status;
	}
	files.out = out[1];
	files.err = err[1];
	status = spawn(posix_spawn, argv, &files, &c->pid);
	close(out[1]);
	close(err[1]);
	c->out = out[0];
	c->err = err[0];
	return status;
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* 1: more than max bytes, -1: out of memory. */
static int take_out(struct child *c, size_t max)
{
	struct child_output *o = c->output;
	ssize_t got;

	if (o->n + 1 >= c->room) {
		size_t room = c->room ? 2 * c->room : 65536;
		char *bigger = realloc(o->text, room);

		if (!bigger)
			return -1;
		o->text = bigger;
		c->room = room;
	}
	got = read(c->out, o->text + o->n, c->room - o->n - 1);
	if (got > 0)
		o->n += (size_t)got;
	else if (got == 0 || errno != EINTR)
		close_end(&c->out);
	return o->n > max;
}

/* The rest is read as well, so that the child never waits for it. */
static void take_error(struct child *c)
{
	char *to = c->output->error;
	char buf[512];
	ssize_t got = read(c->err, buf, sizeof(buf));

	if (got == 0 || (got < 0 && errno != EINTR))
		close_end(&c->err);
	for (ssize_t i = 0; i < got; i++)
		if (c->nerror + 1 < sizeof(c->output->error))
			to[c->nerror++] = buf[i];
	to[c->nerror] = '\0';
}

static int watch(struct child *c, size_t max, const atomic_int *stop)
{
	int status = 0;

	while (status == 0 && (c->out >= 0 || c->err >= 0)) {
		struct pollfd fds[] = {{.fd = c->out, .events = POLLIN},
				       {.fd = c->err, .events = POLLIN}};

		if (stop && *stop) {
			c->output->stopped = true;
			break;
		}
		if (poll(fds, 2, stop ? LOOK_MS : -1) <= 0)
			continue;
		if (fds[1].revents)
			take_error(c);
		if (fds[0].revents)
			status = take_out(c, max);
	}
	return status;
}

int child_run(const char *const *argv, size_t max, const atomic_int *stop,
	      struct child_output *out, struct err *e)
{
	struct child c = {.output = out, .out = -1, .err = -1};
	int status;

	*out = (struct child_output){.text = calloc(1, 1)};
	if (!out->text)
		return err_set(e, EXIT_FAILED, "out of memory");
	status = start(&c, argv);
	if (status) {
		close_end(&c.out);
		close_end(&c.err);
		free(out->text);
		out->text = NULL;
		return err_set(e, EXIT_FAILED, "%.200s: cannot be run: %s",
			       argv[0], strerror(status));
	}
	status = watch(&c, max, stop);
	if (status || out->stopped)
		kill(c.pid, SIGKILL);
	close_end(&c.out);
	close_end(&c.err);
	while (waitpid(c.pid, &out->status, 0) < 0 && errno == EINTR)
		;
	out->text[out->n] = '\0';
	out->error[strcspn(out->error, "\n")] = '\0';
	if (status == 0)
		return 0;
	free(out->text);
	out->text = NULL;
	return status < 0 ? err_set(e, EXIT_FAILED, "out of memory")
			  : err_set(e, EXIT_FAILED,
				    "%.200s: printed more than %zu bytes",
				    argv[0], max);
}
