/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Without BPF: an event of perf for each function and thread, which counts
 * how often the function is entered.  It knows neither times nor what is
 * returned.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kvm/probe/impl.h"

/* Files of all seats, PROBE_POINTS for each; -1: none. */
struct kprobes {
	uint32_t type; /* of the PMU */
	int *fd;
};

static int pmu_type(uint32_t *type)
{
	FILE *f = fopen("/sys/bus/event_source/devices/kprobe/type", "re");
	int n = f ? fscanf(f, "%u", type) : 0;

	if (f)
		fclose(f);
	return n == 1 ? 0 : -1;
}

/* For the calling thread, wherever it runs; stopped. */
static int open_event(uint32_t type, const char *function)
{
	struct perf_event_attr attr = {
		.type = type,
		.size = sizeof(attr),
		.disabled = 1,
		.kprobe_func = (uintptr_t)function,
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1,
			    PERF_FLAG_FD_CLOEXEC);
}

static void say(struct probe *probe, const char *why)
{
	size_t n = strlen(probe->why);

	snprintf(probe->why + n, sizeof(probe->why) - n, "%s", why);
}

/* The functions that can be counted; the last errno of those that cannot. */
static uint32_t try_all(struct probe *probe, uint32_t type, int *error)
{
	uint32_t good = 0;

	for (uint32_t i = 0; i < probe->table->n; i++) {
		int fd;

		if (!probe->place[i].name)
			continue;
		if (probe->table->point[i].split != SPLIT_NOT) {
			probe_miss(probe, i,
				   "its kinds of calls differ in arguments, "
				   "which kprobes do not tell");
			continue;
		}
		fd = open_event(type, probe->place[i].name);
		if (fd < 0) {
			*error = errno;
			probe_miss(probe, i,
				   "cannot be traced in this kernel (%s)",
				   strerror(errno));
			continue;
		}
		good++;
		close(fd);
	}
	return good;
}

static int kprobes_open(struct probe *probe)
{
	size_t n = (size_t)probe->seats * PROBE_POINTS;
	struct kprobes *k;
	uint32_t type;
	int error = 0;

	if (pmu_type(&type)) {
		say(probe, "the kernel has no kprobes for perf_event_open");
		return -1;
	}
	if (try_all(probe, type, &error) == 0) {
		say(probe, error == EACCES || error == EPERM
				   ? "refused: it needs CAP_PERFMON, or root"
				   : strerror(error));
		return -1;
	}
	k = calloc(1, sizeof(*k));
	if (k)
		k->fd = malloc(n * sizeof(*k->fd));
	if (!k || !k->fd) {
		free(k);
		say(probe, "out of memory");
		return -1;
	}
	k->type = type;
	for (size_t i = 0; i < n; i++)
		k->fd[i] = -1;
	probe->state = k;
	return 0;
}

static int *fds_of(struct probe *probe, uint32_t seat)
{
	struct kprobes *k = probe->state;

	return k->fd + (size_t)seat * PROBE_POINTS;
}

static void kprobes_detach(struct probe *probe)
{
	int *fd = fds_of(probe, 0);

	for (size_t i = 0; i < (size_t)probe->seats * PROBE_POINTS; i++) {
		if (fd[i] >= 0)
			close(fd[i]);
		fd[i] = -1;
	}
}

static void kprobes_close(struct probe *probe)
{
	struct kprobes *k = probe->state;

	kprobes_detach(probe);
	free(k->fd);
	free(k);
}

/* Events belong to threads, which have yet to begin. */
static void kprobes_attach(struct probe *probe)
{
	kprobes_detach(probe);
}

static void kprobes_sit(struct probe *probe, uint32_t seat)
{
	const struct kprobes *k = probe->state;
	int *fd = fds_of(probe, seat);

	for (uint32_t i = 0; i < probe->table->n; i++) {
		if (probe->place[i].name)
			fd[i] = open_event(k->type, probe->place[i].name);
	}
}

static void kprobes_measure(struct probe *probe, uint32_t seat, bool begin)
{
	const int *fd = fds_of(probe, seat);

	for (uint32_t i = 0; i < probe->table->n; i++) {
		if (fd[i] >= 0)
			ioctl(fd[i],
			      begin ? PERF_EVENT_IOC_ENABLE
				    : PERF_EVENT_IOC_DISABLE,
			      0);
	}
}

static void kprobes_read(struct probe *probe, uint32_t seat, uint32_t point,
			 uint32_t kind, struct probe_sum *sum)
{
	int fd = fds_of(probe, seat)[point];
	uint64_t count = 0;

	if (kind == 0 && fd >= 0 && read(fd, &count, sizeof(count)) > 0)
		sum->calls += count;
}

const struct probe_way probe_by_kprobes = {
	.name = "kprobes",
	.open = kprobes_open,
	.close = kprobes_close,
	.attach = kprobes_attach,
	.detach = kprobes_detach,
	.sit = kprobes_sit,
	.measure = kprobes_measure,
	.read = kprobes_read,
};
