/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Without BPF: two events of perf for each function and thread, at its entry
 * and at its return.  They count, and write the time and some registers into a
 * buffer of the thread, which one thread more reads out: no call waits for it.
 */
#include <asm/perf_regs.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench/backend.h"
#include "bench/base/files.h"
#include "kvm/probe/account.h"
#include "kvm/probe/impl.h"
#include "kvm/probe/ring.h"

enum { ENTRY, RETURN, NR_SIDES };

/* Of a sample, in the order in which perf has them: that of the bits. */
#define REGISTERS                                                              \
	(1ull << PERF_REG_X86_AX | 1ull << PERF_REG_X86_DX |                   \
	 1ull << PERF_REG_X86_SI)
enum { AX, DX, SI, NR_REGISTERS };

struct sampled {
	struct perf_event_header header;
	uint64_t id, time, abi, reg[NR_REGISTERS];
};

struct event {
	int fd; /* -1: none */
	uint64_t id;
};

/** A thread that is watched. */
struct watched {
	struct kprobes *kprobes;
	struct event event[PROBE_POINTS][NR_SIDES];
	struct perf_ring ring;
	int source; /* atomic: the event whose ring it is; -1: not there */
	struct probe_seat seat; /* its `slot` is a kind */
};

struct kprobes {
	const struct probe_table *table;
	uint32_t type; /* of the PMU */
	uint32_t seats;
	struct watched *watched; /* of each seat */
	/* Of all seats. */
	struct probe_slot slot[PROBE_POINTS][PROBE_KINDS];
	pthread_mutex_t missing; /* of the probe's places, when threads sit */
	pthread_t reader;
	bool reads;
	int wake;      /* an eventfd: a thread has sat down, or `over` is set */
	uint32_t over; /* atomic */
};

/* ---------------------------------------------------------------- opening */

static int pmu_type(uint32_t *type)
{
	FILE *f = fopen("/sys/bus/event_source/devices/kprobe/type", "re");
	int n = f ? fscanf(f, "%u", type) : 0;

	if (f)
		fclose(f);
	return n == 1 ? 0 : -1;
}

/* For the calling thread, wherever it runs; stopped. */
static int open_event(uint32_t type, const char *function, int side)
{
	struct perf_event_attr attr = {
		.type = type,
		.size = sizeof(attr),
		.config = side == RETURN, /* the PMU's "retprobe" */
		.disabled = 1,
		.kprobe_func = (uintptr_t)function,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TIME |
			       PERF_SAMPLE_REGS_INTR,
		.sample_regs_intr = REGISTERS,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.watermark = 1,
		.wakeup_watermark = PERF_RING_MOST / 8,
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1,
			    PERF_FLAG_FD_CLOEXEC);
}

static void say(struct probe *probe, const char *why)
{
	size_t n = strlen(probe->why);

	snprintf(probe->why + n, sizeof(probe->why) - n, "%s", why);
}

/* 0, or errno. */
static int try_point(uint32_t type, const char *function)
{
	int error = 0;

	for (int side = ENTRY; !error && side < NR_SIDES; side++) {
		int fd = open_event(type, function, side);

		if (fd < 0)
			error = errno;
		else
			close(fd);
	}
	return error;
}

/* The functions that can be watched; the last errno of those that cannot. */
static uint32_t try_all(struct probe *probe, uint32_t type, int *error)
{
	uint32_t good = 0;

	for (uint32_t i = 0; i < probe->table->n; i++) {
		int e;

		if (!probe->place[i].name)
			continue;
		e = try_point(type, probe->place[i].name);
		good += e == 0;
		if (!e)
			continue;
		*error = e;
		probe_miss(probe, i, "cannot be traced in this kernel (%s)",
			   strerror(e));
	}
	return good;
}

static void no_event(struct event *e)
{
	if (e->fd >= 0)
		close(e->fd);
	e->fd = -1;
}

static void leave_seat(struct watched *w)
{
	perf_ring_close(&w->ring);
	for (uint32_t i = 0; i < PROBE_POINTS; i++) {
		no_event(&w->event[i][ENTRY]);
		no_event(&w->event[i][RETURN]);
	}
	memset(&w->seat, 0, sizeof(w->seat));
	w->source = -1;
}

static struct kprobes *new_kprobes(const struct probe *probe, uint32_t type)
{
	struct kprobes *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	pthread_mutex_init(&k->missing, NULL);
	k->table = probe->table;
	k->type = type;
	k->seats = probe->seats;
	k->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	k->watched = calloc(k->seats, sizeof(*k->watched));
	if (!k->watched || k->wake < 0) {
		if (k->wake >= 0)
			close(k->wake);
		free(k->watched);
		free(k);
		return NULL;
	}
	for (uint32_t seat = 0; seat < k->seats; seat++) {
		struct watched *w = &k->watched[seat];

		w->kprobes = k;
		w->source = -1;
		for (uint32_t i = 0; i < PROBE_POINTS; i++)
			w->event[i][ENTRY].fd = w->event[i][RETURN].fd = -1;
	}
	return k;
}

static int kprobes_open(struct probe *probe)
{
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
	files_allow();
	probe->state = new_kprobes(probe, type);
	if (!probe->state)
		say(probe, "out of memory");
	else
		probe_find_ret_pf(probe);
	return probe->state ? 0 : -1;
}

/* ---------------------------------------------------------------- reading */

static void take_entry(struct watched *w, uint32_t point,
		       const struct sampled *s)
{
	uint32_t split = w->kprobes->table->point[point].split;
	uint64_t arg = s->reg[probe_split_arg(split) == 1 ? SI : DX];

	w->seat.entered[point].slot = probe_kind(split, arg);
	w->seat.entered[point].ns = s->time;
}

static void take_return(struct watched *w, uint32_t point,
			const struct sampled *s)
{
	uint32_t returns = w->kprobes->table->point[point].returns;
	uint64_t begin_ns = w->seat.entered[point].ns;
	struct probe_slot *slot;

	if (!begin_ns)
		return; /* the entry was lost */
	slot = &w->kprobes->slot[point][w->seat.entered[point].slot];
	w->seat.entered[point].ns = 0;
	hist_record(&slot->hist, s->time - begin_ns);
	if (returns != RETURNS_NOTHING)
		take_result(&w->seat, point, returns, slot, s->reg[AX]);
}

static void take_sample(struct watched *w, const struct sampled *s)
{
	for (uint32_t i = 0; i < w->kprobes->table->n; i++) {
		if (w->event[i][ENTRY].id == s->id)
			take_entry(w, i, s);
		else if (w->event[i][RETURN].id == s->id)
			take_return(w, i, s);
	}
}

static void take(void *context, const struct perf_event_header *record)
{
	struct watched *w = context;

	if (record->type == PERF_RECORD_SAMPLE)
		take_sample(w, (const struct sampled *)record);
	/* No return may be taken for that of an older entry. */
	if (record->type == PERF_RECORD_LOST)
		memset(&w->seat, 0, sizeof(w->seat));
}

/* The rest is there when the source is. */
static int source_of(const struct watched *w)
{
	return __atomic_load_n(&w->source, __ATOMIC_ACQUIRE);
}

static void drain_all(struct kprobes *k)
{
	for (uint32_t seat = 0; seat < k->seats; seat++) {
		if (source_of(&k->watched[seat]) >= 0)
			perf_ring_drain(&k->watched[seat].ring, take,
					&k->watched[seat]);
	}
}

/* A thread that has ended hangs up for ever, and writes nothing more. */
static void forget_ended(struct pollfd *from, bool *ended, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		ended[i] = ended[i] || (from[i].revents & (POLLHUP | POLLERR));
}

/* Until it is over; `from` and `ended` have room for all seats, and one. */
static void read_on(struct kprobes *k, struct pollfd *from, bool *ended)
{
	uint64_t count;

	while (!__atomic_load_n(&k->over, __ATOMIC_ACQUIRE)) {
		for (uint32_t i = 0; i < k->seats; i++) {
			from[i].fd = ended[i] ? -1 : source_of(&k->watched[i]);
			from[i].events = POLLIN;
		}
		from[k->seats] = (struct pollfd){k->wake, POLLIN, 0};
		poll(from, k->seats + 1ul, -1);
		if (read(k->wake, &count, sizeof(count)) > 0)
			continue; /* somebody sat down, or it is over */
		forget_ended(from, ended, k->seats);
		drain_all(k);
	}
}

static void *read_out(void *arg)
{
	struct kprobes *k = arg;
	struct pollfd *from = calloc(k->seats + 1ul, sizeof(*from));
	bool *ended = calloc(k->seats, sizeof(*ended));

	if (from && ended)
		read_on(k, from, ended);
	free(from);
	free(ended);
	return NULL;
}

static void wake_reader(const struct kprobes *k)
{
	const uint64_t one = 1;

	if (write(k->wake, &one, sizeof(one)) < 0)
		return; /* it is full: there is a wake-up to come */
}

static void stop_reader(struct kprobes *k)
{
	if (!k->reads)
		return;
	__atomic_store_n(&k->over, 1, __ATOMIC_RELEASE);
	wake_reader(k);
	pthread_join(k->reader, NULL);
	k->reads = false;
	drain_all(k);
}

/* -------------------------------------------------------------------- use */

static void kprobes_detach(struct probe *probe)
{
	struct kprobes *k = probe->state;

	stop_reader(k);
	for (uint32_t seat = 0; seat < k->seats; seat++)
		leave_seat(&k->watched[seat]);
	memset(k->slot, 0, sizeof(k->slot));
}

static void kprobes_close(struct probe *probe)
{
	struct kprobes *k = probe->state;

	kprobes_detach(probe);
	pthread_mutex_destroy(&k->missing);
	close(k->wake);
	free(k->watched);
	free(k);
}

/* Events belong to threads, which have yet to begin. */
static void kprobes_attach(struct probe *probe)
{
	struct kprobes *k = probe->state;

	kprobes_detach(probe);
	k->over = 0;
	/* Without one the buffers are read at the end, if they are enough. */
	k->reads = pthread_create(&k->reader, NULL, read_out, k) == 0;
}

/* All events of a thread write into the buffer of the first one. */
static void join_ring(struct watched *w, const struct event *e, int *first)
{
	if (*first < 0 && perf_ring_open(&w->ring, e->fd) == 0)
		*first = e->fd;
	else if (*first >= 0)
		ioctl(e->fd, PERF_EVENT_IOC_SET_OUTPUT, *first);
}

/* Not watched on one thread, its calls would be too few: it is missing. */
static void miss(struct probe *probe, uint32_t point, int error)
{
	struct kprobes *k = probe->state;

	pthread_mutex_lock(&k->missing);
	probe_miss(probe, point, "cannot be watched on all threads (%s)",
		   strerror(error));
	pthread_mutex_unlock(&k->missing);
}

static const char *name_of(struct probe *probe, uint32_t point)
{
	struct kprobes *k = probe->state;
	const char *name;

	pthread_mutex_lock(&k->missing);
	name = probe->place[point].name;
	pthread_mutex_unlock(&k->missing);
	return name;
}

/* False: errno. */
static bool sit_at(struct watched *w, uint32_t point, const char *name,
		   int *first)
{
	for (int side = ENTRY; side < NR_SIDES; side++) {
		struct event *e = &w->event[point][side];

		e->fd = open_event(w->kprobes->type, name, side);
		if (e->fd < 0)
			return false;
		ioctl(e->fd, PERF_EVENT_IOC_ID, &e->id);
		join_ring(w, e, first);
	}
	return true;
}

static void kprobes_sit(struct probe *probe, uint32_t seat)
{
	struct kprobes *k = probe->state;
	struct watched *w = &k->watched[seat];
	int first = -1;

	for (uint32_t i = 0; i < k->table->n; i++) {
		const char *name = name_of(probe, i);

		if (name && !sit_at(w, i, name, &first))
			miss(probe, i, errno);
	}
	__atomic_store_n(&w->source, first, __ATOMIC_RELEASE);
	wake_reader(k);
}

static void kprobes_measure(struct probe *probe, uint32_t seat, bool begin)
{
	const struct kprobes *k = probe->state;
	const struct watched *w = &k->watched[seat];
	unsigned long what =
		begin ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE;

	for (uint32_t i = 0; i < k->table->n; i++) {
		for (int side = ENTRY; side < NR_SIDES; side++) {
			if (w->event[i][side].fd >= 0)
				ioctl(w->event[i][side].fd, what, 0);
		}
	}
}

static uint64_t count_of(const struct event *e)
{
	uint64_t count = 0;

	if (e->fd < 0 || read(e->fd, &count, sizeof(count)) < 0)
		return 0;
	return count;
}

/* Calls are counted even where their samples are lost, their kinds are not. */
static void kprobes_read(struct probe *probe, uint32_t seat, uint32_t point,
			 uint32_t kind, struct probe_sum *sum)
{
	struct kprobes *k = probe->state;
	const struct probe_slot *slot = &k->slot[point][kind];
	bool kinds = probe_kinds(&k->table->point[point]) > 1;

	stop_reader(k);
	if (!kinds)
		sum->calls += count_of(&k->watched[seat].event[point][ENTRY]);
	else if (seat == 0)
		sum->calls += slot->hist.count;
	if (seat == 0)
		probe_sum_slot(sum, slot);
}

/* Entries whose time is not known. */
static uint64_t missed_of(const struct kprobes *k, uint32_t point)
{
	uint64_t entries = 0, seen = 0;

	for (uint32_t seat = 0; seat < k->seats; seat++)
		entries += count_of(&k->watched[seat].event[point][ENTRY]);
	for (uint32_t kind = 0; kind < PROBE_KINDS; kind++)
		seen += k->slot[point][kind].hist.count;
	return entries - seen;
}

static void kprobes_finish(struct probe *probe, struct sample *sample)
{
	uint64_t missed = 0;

	for (uint32_t i = 0; i < probe->table->n; i++) {
		if (probe->place[i].name)
			missed += missed_of(probe->state, i);
	}
	sample_set(sample, "probe.missed", (double)missed);
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
	.finish = kprobes_finish,
};
