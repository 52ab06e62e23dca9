/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * By BPF: a program at entry and one at exit of each function (fentry and
 * fexit), found by the kernel's BTF, so that the same object serves every
 * kernel.
 */
#define _GNU_SOURCE /* gettid */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "bench/backend.h"
#include "bench/stats/stats.h"
#include "kvm/probe/impl.h"

extern const char probe_object[], probe_object_end[]; /* object.S */

struct mapping {
	char *at; /* NULL: none */
	size_t bytes;
};

struct bpf {
	struct bpf_object *object;
	int threads; /* file of the map; the object owns it */
	struct mapping seats, slots;
	struct probe_setup setup;
	struct bpf_program *enter[PROBE_POINTS], *leave[PROBE_POINTS];
	struct bpf_link *link[2 * PROBE_POINTS];
	struct bpf_link *exits; /* NULL: not attached */
	uint64_t missed;	/* before this execution */
	uint32_t *tid;		/* of each seat; 0: free */
};

/* -------------------------------------------------------------- the object */

static int fill_setup(const struct probe *probe, struct probe_setup *setup)
{
	struct stat ns;

	if (stat("/proc/self/ns/pid", &ns))
		return -1;
	/* As the kernel has it inside: 20 bits of minor. */
	setup->pid_dev = (uint64_t)major(ns.st_dev) << 20 | minor(ns.st_dev);
	setup->pid_ino = ns.st_ino;
	for (uint32_t i = 0; i < probe->table->n; i++) {
		const struct probe_point *p = &probe->table->point[i];

		setup->rule[i] = (struct probe_rule){
			.first_slot = setup->slots_of_seat,
			.split = p->split,
			.returns = p->returns,
		};
		if (probe->place[i].name)
			setup->slots_of_seat += probe_kinds(p);
	}
	return 0;
}

static struct bpf_program *program(const struct bpf *b, const char *what,
				   uint32_t point)
{
	char name[32];

	snprintf(name, sizeof(name), "%s_%u", what, point);
	return bpf_object__find_program_by_name(b->object, name);
}

/* Both programs of a point, or none; without BTF it is missing. */
static void aim(struct probe *probe, struct bpf *b, uint32_t i)
{
	const char *name = probe->place[i].name;
	int error;

	b->enter[i] = program(b, "enter", i);
	b->leave[i] = program(b, "leave", i);
	if (name) {
		error = bpf_program__set_attach_target(b->enter[i], 0, name);
		if (!error)
			error = bpf_program__set_attach_target(b->leave[i], 0,
							       name);
		if (error)
			probe_miss(probe, i, "not in the kernel's BTF: %s",
				   strerror(-error));
	}
	bpf_program__set_autoload(b->enter[i], probe->place[i].name);
	bpf_program__set_autoload(b->leave[i], probe->place[i].name);
}

static int size_maps(const struct probe *probe, struct bpf *b)
{
	const struct {
		const char *name;
		uint32_t entries;
	} maps[] = {
		{"threads", probe->seats},
		{"seats", probe->seats},
		{"slots", probe->seats * b->setup.slots_of_seat},
	};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		struct bpf_map *map =
			bpf_object__find_map_by_name(b->object, maps[i].name);
		int error = bpf_map__set_max_entries(map, maps[i].entries);

		if (error)
			return error;
	}
	return bpf_map__set_initial_value(
		bpf_object__find_map_by_name(b->object, PROBE_SETUP_SECTION),
		&b->setup, sizeof(b->setup));
}

static void unload(struct bpf *b)
{
	bpf_object__close(b->object);
	b->object = NULL;
}

/* Of all points, or of one only; a negative errno. */
static int load(struct probe *probe, struct bpf *b, const uint32_t *only)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "tdmem_probe");
	int error;

	b->object = bpf_object__open_mem(
		probe_object, (size_t)(probe_object_end - probe_object), &opts);
	if (!b->object)
		return -errno;
	for (uint32_t i = 0; i < PROBE_POINTS; i++) {
		aim(probe, b, i);
		if (only && i != *only) {
			bpf_program__set_autoload(b->enter[i], false);
			bpf_program__set_autoload(b->leave[i], false);
		}
	}
	memset(&b->setup, 0, sizeof(b->setup));
	error = fill_setup(probe, &b->setup);
	if (!error)
		error = b->setup.slots_of_seat ? size_maps(probe, b) : -ENOENT;
	if (!error)
		error = bpf_object__load(b->object);
	if (error)
		unload(b);
	return error;
}

/*
 * All or none is loaded: when it is none, each function by itself tells which
 * the kernel refuses.
 */
static int load_what_can_be(struct probe *probe, struct bpf *b)
{
	int error = load(probe, b, NULL);
	bool any = false;

	if (!error || error == -EPERM || error == -ENOENT)
		return error;
	for (uint32_t i = 0; i < probe->table->n; i++) {
		int alone = probe->place[i].name ? load(probe, b, &i) : 0;

		if (alone)
			probe_miss(probe, i, "the kernel refuses it: %s",
				   strerror(-alone));
		else
			unload(b);
		any |= probe->place[i].name != NULL;
	}
	return any ? load(probe, b, NULL) : error;
}

static int map_memory(struct bpf *b, const char *name, size_t bytes,
		      struct mapping *m)
{
	int fd = bpf_object__find_map_fd_by_name(b->object, name);
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	*m = (struct mapping){at, bytes};
	return 0;
}

static void unmap(struct mapping *m)
{
	if (m->at)
		munmap(m->at, m->bytes);
	m->at = NULL;
}

/* --------------------------------------------------------------- lifetimes */

static void bpf_free(struct bpf *b)
{
	unmap(&b->seats);
	unmap(&b->slots);
	unload(b);
	free(b->tid);
	free(b);
}

static int make(struct probe *probe, struct bpf *b)
{
	int error;

	b->tid = calloc(probe->seats, sizeof(*b->tid));
	if (!b->tid)
		return -ENOMEM;
	error = load_what_can_be(probe, b);
	if (error)
		return error;
	b->threads = bpf_object__find_map_fd_by_name(b->object, "threads");
	error = map_memory(b, "seats", probe->seats * sizeof(struct probe_seat),
			   &b->seats);
	if (!error)
		error = map_memory(b, "slots",
				   probe->seats *
					   (size_t)b->setup.slots_of_seat *
					   sizeof(struct probe_slot),
				   &b->slots);
	return error;
}

static const char *why_not(int error)
{
	if (error == -EPERM || error == -EACCES)
		return "refused: it needs CAP_BPF and CAP_PERFMON, as root "
		       "has them, and nothing that forbids BPF";
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return "the kernel has no BTF (/sys/kernel/btf/vmlinux)";
	if (error == -ENOENT)
		return "the kernel's BTF has none of the functions";
	return strerror(-error);
}

static void bpf_detach(struct probe *probe)
{
	struct bpf *b = probe->state;

	for (size_t i = 0; i < 2 * PROBE_POINTS; i++) {
		bpf_link__destroy(b->link[i]);
		b->link[i] = NULL;
	}
	bpf_link__destroy(b->exits);
	b->exits = NULL;
	for (uint32_t i = 0; i < probe->seats; i++) {
		if (b->tid[i])
			bpf_map_delete_elem(b->threads, &b->tid[i]);
		b->tid[i] = 0;
	}
}

/* --------------------------------------------------------------------- use */

/* The exit first: an entry alone would be time that never ends. */
static void attach_point(struct probe *probe, struct bpf *b, uint32_t i)
{
	b->link[2 * i] = bpf_program__attach_trace(b->leave[i]);
	if (b->link[2 * i])
		b->link[2 * i + 1] = bpf_program__attach_trace(b->enter[i]);
	if (!b->link[2 * i + 1])
		probe_miss(probe, i, "cannot be traced in this kernel (%s)",
			   strerror(errno));
}

static uint64_t missed_by(const struct bpf_program *program)
{
	struct bpf_prog_info info = {.type = 0};
	uint32_t size = sizeof(info);
	int fd = bpf_program__fd(program);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		return 0;
	return info.recursion_misses;
}

/* The kernel leaves a program out that already runs on the same CPU. */
static uint64_t missed(const struct bpf *b)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < PROBE_POINTS; i++)
		sum += missed_by(b->enter[i]) + missed_by(b->leave[i]);
	return sum;
}

static void bpf_attach(struct probe *probe)
{
	struct bpf *b = probe->state;

	memset(b->seats.at, 0, b->seats.bytes);
	memset(b->slots.at, 0, b->slots.bytes);
	for (uint32_t i = 0; i < probe->table->n; i++) {
		if (probe->place[i].name)
			attach_point(probe, b, i);
	}
	b->exits = bpf_program__attach_raw_tracepoint(
		bpf_object__find_program_by_name(b->object, "fault_exits"),
		"kvm_page_fault");
	b->missed = missed(b);
}

static int bpf_open(struct probe *probe)
{
	struct bpf *b = calloc(1, sizeof(*b));
	size_t n = strlen(probe->why);
	int error;

	if (!b)
		return -1;
	/* What it would print is in the errors. */
	libbpf_set_print(NULL);
	error = make(probe, b);
	if (error) {
		snprintf(probe->why + n, sizeof(probe->why) - n, "%s",
			 why_not(error));
		bpf_free(b);
		return -1;
	}
	probe_find_ret_pf(probe);
	probe->state = b;
	/* Only this tells of which functions the kernel cannot do it. */
	bpf_attach(probe);
	bpf_detach(probe);
	return 0;
}

static void bpf_close(struct probe *probe)
{
	bpf_detach(probe);
	bpf_free(probe->state);
}

static void bpf_sit(struct probe *probe, uint32_t seat)
{
	struct bpf *b = probe->state;
	uint32_t tid = (uint32_t)gettid();

	/* There is room for all seats. */
	if (bpf_map_update_elem(b->threads, &tid, &seat, BPF_ANY) == 0)
		b->tid[seat] = tid;
}

static void bpf_measure(struct probe *probe, uint32_t seat, bool begin)
{
	const struct bpf *b = probe->state;
	struct probe_seat *s = (struct probe_seat *)b->seats.at + seat;

	__atomic_store_n(&s->measuring, begin, __ATOMIC_RELEASE);
}

static void bpf_read(struct probe *probe, uint32_t seat, uint32_t point,
		     uint32_t kind, struct probe_sum *sum)
{
	const struct bpf *b = probe->state;
	const struct probe_slot *slot = (const struct probe_slot *)b->slots.at +
					(size_t)seat * b->setup.slots_of_seat +
					b->setup.rule[point].first_slot + kind;

	if (!slot->hist.count)
		return;
	sum->calls += slot->hist.count;
	probe_sum_slot(sum, slot);
}

static void bpf_finish(struct probe *probe, struct sample *sample)
{
	const struct bpf *b = probe->state;
	const struct probe_seat *seat = (const struct probe_seat *)b->seats.at;
	uint64_t exits = 0;

	sample_set(sample, "probe.missed", (double)(missed(b) - b->missed));
	for (uint32_t i = 0; i < probe->seats; i++)
		exits += seat[i].exits;
	if (b->exits)
		sample_set(sample, "faults.exits", (double)exits);
}

const struct probe_way probe_by_bpf = {
	.name = "bpf",
	.open = bpf_open,
	.close = bpf_close,
	.attach = bpf_attach,
	.detach = bpf_detach,
	.sit = bpf_sit,
	.measure = bpf_measure,
	.read = bpf_read,
	.finish = bpf_finish,
};
