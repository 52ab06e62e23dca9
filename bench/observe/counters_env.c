/* SPDX-License-Identifier: GPL-2.0-only */
/* What can be counted on this host, why not the rest, what would change it. */
#include <errno.h>
#include <limits.h>
#include <perfmon/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/observe/counters_env.h"
#include "bench/observe/counters_impl.h"

static const char *const no_change = "";

/* What to do about an errno of perf_event_open(). */
static const char *cure(int error)
{
	switch (error) {
	case ENOENT:
	case ENODEV:
	case EOPNOTSUPP:
		return "the bare machine, or a virtual PMU for this guest";
	case EACCES:
	case EPERM:
		return "sysctl kernel.perf_event_paranoid=1, or CAP_PERFMON; "
		       "no filter of perf_event_open";
	case ENOSYS:
		return "a kernel with CONFIG_PERF_EVENTS, no filter of it";
	default:
		return no_change;
	}
}

/* 0, or the errno of counting it. */
static int try_event(uint32_t type, uint64_t config, bool kernel)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = type,
		.config = config,
		.exclude_kernel = !kernel,
		.exclude_hv = !kernel,
	};
	int fd = counter_open(&attr, -1);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

struct event {
	const char *what;
	uint32_t type;
	uint64_t config;
	bool kernel;
};

static const struct event events[] = {
	{"CPU's counters, user mode (cycles)", PERF_TYPE_HARDWARE,
	 PERF_COUNT_HW_CPU_CYCLES, false},
	{"CPU's counters, kernel mode", PERF_TYPE_HARDWARE,
	 PERF_COUNT_HW_CPU_CYCLES, true},
	{"kernel's own, user mode (page-faults)", PERF_TYPE_SOFTWARE,
	 PERF_COUNT_SW_PAGE_FAULTS, false},
	{"kernel's own, kernel mode (context-switches)", PERF_TYPE_SOFTWARE,
	 PERF_COUNT_SW_CONTEXT_SWITCHES, true},
};

void ability_of_event(size_t i, struct ability *a)
{
	const struct event *e = &events[i];
	int error = try_event(e->type, e->config, e->kernel);

	*a = (struct ability){.what = e->what, .cure = no_change};
	if (!error)
		return;
	counter_why(error, a->why, sizeof(a->why));
	a->cure = cure(error);
}

void ability_of_msr(const char *path, struct ability *a)
{
	*a = (struct ability){
		.what = "model-specific registers (uncore counters)",
		.cure = "the bare machine, root, and the module msr"};
	if (access(path, R_OK))
		snprintf(a->why, sizeof(a->why), "%s: %s", path,
			 strerror(errno));
}

size_t abilities(void)
{
	return sizeof(events) / sizeof(*events);
}

static bool is_in(const char *name, const char *path)
{
	char file[PATH_MAX];

	while (*path) {
		size_t n = strcspn(path, ":");

		snprintf(file, sizeof(file), "%.*s/%s", (int)n, path, name);
		if (n && access(file, X_OK) == 0)
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

static const struct program {
	const char *name, *what, *cure;
} programs[] = {
	{"perf", "Linux perf (tdmem run --perf)",
	 "the package linux-perf"},
	{"pcm", "Intel PCM (tdmem run --pcm)", "the package pcm"},
	{"pcm-memory", "Intel PCM's memory bandwidth (tdmem run --pcm)",
	 "the package pcm"},
};

enum { NR_PROGRAMS = sizeof(programs) / sizeof(*programs) };

void ability_of_program(const char *name, const char *path, struct ability *a)
{
	*a = (struct ability){.what = name, .cure = no_change};
	for (size_t i = 0; i < NR_PROGRAMS; i++) {
		if (strcmp(programs[i].name, name) == 0) {
			a->what = programs[i].what;
			a->cure = programs[i].cure;
		}
	}
	if (!is_in(name, path ? path : ""))
		snprintf(a->why, sizeof(a->why), "%s is not in PATH", name);
}

/* PCM is nothing without what it reads. */
static void print_programs(const struct ability *msr, FILE *f)
{
	struct ability a;

	for (size_t i = 0; i < NR_PROGRAMS; i++) {
		ability_of_program(programs[i].name, getenv("PATH"), &a);
		if (!a.why[0] && i > 0 && msr->why[0]) {
			memcpy(a.why, msr->why, sizeof(a.why));
			a.cure = msr->cure;
		}
		ability_print(&a, f);
	}
}

void counters_print_env(FILE *f)
{
	struct ability a;

	fputs("\nCounters (tdmem run --counters) and programs:\n", f);
	for (size_t i = 0; i < abilities(); i++) {
		ability_of_event(i, &a);
		ability_print(&a, f);
	}
	ability_of_msr("/dev/cpu/0/msr", &a);
	ability_print(&a, f);
	print_programs(&a, f);
}
