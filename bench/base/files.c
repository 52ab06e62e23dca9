/* SPDX-License-Identifier: GPL-2.0-only */
#include <sys/resource.h>

#include "bench/base/files.h"

void files_allow(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}
