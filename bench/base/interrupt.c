/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bench/base/interrupt.h"

static void both_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

static void die_of(int signal_number)
{
	sigset_t set;

	both_signals(&set);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void *wait_for_signals(void *interrupt)
{
	struct interrupt *i = interrupt;
	struct pollfd fds[] = {{.fd = i->over, .events = POLLIN},
			       {.fd = i->signals, .events = POLLIN}};
	struct signalfd_siginfo info;
	bool taken = false;

	while (!fds[0].revents) {
		if (poll(fds, 2, -1) < 0 || !fds[1].revents ||
		    read(i->signals, &info, sizeof(info)) != sizeof(info))
			continue;
		if (taken)
			die_of((int)info.ssi_signo);
		taken = true;
		*i->stop = 1;
	}
	return NULL;
}

static void close_both(struct interrupt *i)
{
	if (i->signals >= 0)
		close(i->signals);
	if (i->over >= 0)
		close(i->over);
}

int interrupt_begin(struct interrupt *i, atomic_int *stop, struct err *e)
{
	sigset_t set;
	int error;

	both_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, &i->before);
	i->stop = stop;
	i->signals = signalfd(-1, &set, SFD_CLOEXEC);
	i->over = eventfd(0, EFD_CLOEXEC);
	error = i->signals < 0 || i->over < 0
			? errno
			: pthread_create(&i->thread, NULL, wait_for_signals, i);
	if (!error)
		return 0;
	close_both(i);
	pthread_sigmask(SIG_SETMASK, &i->before, NULL);
	return err_set(e, EXIT_FAILED, "signals cannot be waited for: %s",
		       strerror(error));
}

void interrupt_end(struct interrupt *i)
{
	eventfd_write(i->over, 1);
	pthread_join(i->thread, NULL);
	close_both(i);
	pthread_sigmask(SIG_SETMASK, &i->before, NULL);
}
