/* SPDX-License-Identifier: GPL-2.0-only */
/* Running gnuplot, one process a picture, as many at once as CPUs. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/plot/plot.h"

extern char **environ;

enum { MAX_JOBS = 16 };

struct job {
	pid_t pid; /* 0: none */
	struct plot_entry *entry;
};

struct drawer {
	const struct plot_options *options;
	struct job job[MAX_JOBS];
	size_t jobs;
	struct err *e;
	bool failed;
};

/* In the folder of the pictures; the user's own settings are not read. */
static int start(struct drawer *d, struct job *job, struct plot_entry *entry)
{
	char script[160];
	char *argv[] = {(char[]){"gnuplot"}, (char[]){"-d"}, script, NULL};
	posix_spawn_file_actions_t actions;
	int error;

	snprintf(script, sizeof(script), "%s.gp", entry->name);
	error = posix_spawn_file_actions_init(&actions);
	if (error)
		return error;
	error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
						 "/dev/null", O_RDONLY, 0);
	/* It warns of each line that is empty because its cells are bugged. */
	if (!error)
		error = posix_spawn_file_actions_addopen(
			&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (!error)
		error = posix_spawn_file_actions_adddup2(
			&actions, STDOUT_FILENO, STDERR_FILENO);
	if (!error)
		error = posix_spawn_file_actions_addchdir_np(&actions,
							     d->options->dir);
	if (!error)
		error = posix_spawnp(&job->pid, argv[0], &actions, NULL, argv,
				     environ);
	posix_spawn_file_actions_destroy(&actions);
	job->entry = entry;
	if (error)
		job->pid = 0;
	return error;
}

static void fail_once(struct drawer *d, int error, const struct job *job)
{
	if (d->failed)
		return;
	d->failed = true;
	if (error == ENOENT)
		err_set(d->e, EXIT_UNSUPPORTED,
			"gnuplot is not installed: %.300s has the data and "
			"scripts, but no pictures (Debian: gnuplot-nox)",
			d->options->dir);
	else if (error)
		err_set(d->e, EXIT_FAILED, "gnuplot cannot be run: %s",
			strerror(error));
	else
		err_set(d->e, EXIT_FAILED,
			"gnuplot failed; \"gnuplot %.120s.gp\" in %.300s tells "
			"why",
			job->entry->name, d->options->dir);
}

static void finish(struct drawer *d, struct job *job)
{
	int status = 0;
	pid_t pid;

	do
		pid = waitpid(job->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	job->pid = 0;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		job->entry->drawn = true;
	else
		fail_once(d, 0, job);
}

static void draw_section(struct drawer *d, struct plot_section *section)
{
	size_t next = 0;

	for (size_t i = 0; i < section->n && !d->failed; i++) {
		struct job *job = &d->job[next];
		int error;

		if (section->entry[i].why)
			continue;
		if (job->pid)
			finish(d, job);
		error = start(d, job, &section->entry[i]);
		if (error)
			fail_once(d, error, job);
		next = (next + 1) % d->jobs;
	}
	for (size_t i = 0; i < d->jobs; i++)
		if (d->job[i].pid)
			finish(d, &d->job[i]);
}

int plot_draw(struct plot_section *section, size_t n, struct err *e)
{
	struct drawer d = {.options = section->set->options, .e = e};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	d.jobs = cpus < 1 ? 1 : cpus > MAX_JOBS ? MAX_JOBS : (size_t)cpus;
	for (size_t i = 0; i < n && !d.failed; i++)
		draw_section(&d, &section[i]);
	return d.failed ? -1 : 0;
}
