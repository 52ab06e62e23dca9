/* SPDX-License-Identifier: GPL-2.0-only */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "model/machine/threads_delay.h"

bool thread_delay(u64 *ns)
{
	int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	unsigned long long delay;
	char text[80];
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	/* Time on a CPU, time waiting for one, times that it got one. */
	if (sscanf(text, "%*u %llu", &delay) != 1)
		return false;
	*ns = delay;
	return true;
}
