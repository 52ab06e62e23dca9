/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The backend kvm: a scenario on a real VM of /dev/kvm.  Makes the VM and a
 * thread for each vCPU and host script, watches over them, reads out what the
 * agent recorded.
 */
#define _GNU_SOURCE /* affinity */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kvm/cell.h"
#include "kvm/facts.h"
#include "kvm/mailbox.h"
#include "kvm/probe/probe.h"

/*
 * How long the watch over the threads sleeps while nothing happens: each time
 * it wakes up it takes a CPU from a vCPU.  And while vCPUs are kicked.
 */
enum { WATCH_NS = 100000000, KICK_NS = 2000000 };
#define PATIENCE_NS 5000000000ull

uint64_t kvm_cell_now_ns(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000000ull + (uint64_t)at.tv_nsec;
}

void kvm_cell_sleep_ns(uint64_t ns)
{
	struct timespec time = {(time_t)(ns / 1000000000ull),
				(long)(ns % 1000000000ull)};

	nanosleep(&time, NULL);
}

bool kvm_cell_gone(const struct kvm_cell *cell)
{
	return __atomic_load_n(&cell->gone, __ATOMIC_ACQUIRE);
}

void kvm_cell_end(struct kvm_cell *cell, enum cell_status status,
		  const char *format, ...)
{
	struct sample *sample = cell->sample;
	va_list args;

	pthread_mutex_lock(&cell->lock);
	if (!cell->failed) {
		sample->status = status;
		va_start(args, format);
		vsnprintf(sample->reason, sizeof(sample->reason), format, args);
		va_end(args);
	}
	cell->failed = true;
	pthread_mutex_unlock(&cell->lock);
	__atomic_store_n(&vmm_shared(&cell->vm)->gone, 1, __ATOMIC_RELEASE);
	if (!__atomic_exchange_n(&cell->gone, 1, __ATOMIC_ACQ_REL))
		kvm_cell_tell(cell); /* it is news once */
}

static uint32_t seat_of(const struct kvm_cell_thread *t)
{
	return (uint32_t)(t - t->cell->thread);
}

/* What is done here is itself not seen by the probe. */
void kvm_cell_measure(struct kvm_cell_thread *t, bool begin)
{
	struct kvm_cell *cell = t->cell;

	if (!begin)
		probe_measure(cell->setup->probe, seat_of(t), false);
	pthread_mutex_lock(&cell->lock);
	kvm_stats_read(cell->stats, begin);
	pthread_mutex_unlock(&cell->lock);
	if (begin)
		probe_measure(cell->setup->probe, seat_of(t), true);
}

void kvm_cell_over(struct kvm_cell_thread *t)
{
	struct kvm_cell *cell = t->cell;

	if (t->over)
		return;
	t->over = true;
	if (__atomic_add_fetch(&cell->vcpus_over, 1, __ATOMIC_ACQ_REL) ==
	    cell->scenario->vcpus)
		kvm_cell_tell(cell);
}

/* ---------------------------------------------------------------- threads */

/* False: the thread runs wherever the kernel puts it. */
static bool pin(const struct kvm_cell_thread *t)
{
	const struct cell_setup *setup = t->cell->setup;
	uint32_t place =
		t->worker ? t->cell->scenario->vcpus + t->index : t->index;
	uint32_t cpu;
	size_t bytes;
	cpu_set_t *set;
	bool bound;

	if (!setup->os_cpu)
		return true; /* nobody asked for a CPU */
	cpu = setup->os_cpu[place % setup->topology->ncpus];
	bytes = CPU_ALLOC_SIZE(cpu + 1);
	set = CPU_ALLOC(cpu + 1);
	if (!set)
		return false;
	CPU_ZERO_S(bytes, set);
	CPU_SET_S(cpu, bytes, set);
	bound = pthread_setaffinity_np(pthread_self(), bytes, set) == 0;
	CPU_FREE(set);
	return bound;
}

static void *thread_main(void *arg)
{
	struct kvm_cell_thread *t = arg;

	if (!pin(t))
		__atomic_add_fetch(&t->cell->unpinned, 1, __ATOMIC_ACQ_REL);
	probe_sit(t->cell->setup->probe, seat_of(t));
	if (t->worker) {
		kvm_cell_host(t);
	} else {
		kvm_cell_vcpu(t);
		kvm_cell_over(t);
	}
	__atomic_store_n(&t->ended, 1, __ATOMIC_RELEASE);
	if (!t->worker)
		__atomic_add_fetch(&t->cell->vcpus_left, 1, __ATOMIC_ACQ_REL);
	kvm_cell_tell(t->cell);
	return NULL;
}

/* Only to end a KVM_RUN with EINTR. */
static void on_kick(int number)
{
	(void)number;
}

static bool has_ended(const struct kvm_cell_thread *t)
{
	return !t->started || __atomic_load_n(&t->ended, __ATOMIC_ACQUIRE);
}

/*
 * Out of the guest, or out of a sleep.  immediate_exit is for a signal that
 * comes before KVM_RUN.
 */
static void kick(struct kvm_cell *cell)
{
	uint32_t i;

	pthread_mutex_lock(&cell->lock);
	for (i = 0; i < cell->nthreads; i++) {
		if (has_ended(&cell->thread[i]))
			continue;
		if (!cell->thread[i].worker && cell->vm.vcpu)
			cell->vm.vcpu[i].run->immediate_exit = 1;
		pthread_kill(cell->thread[i].thread, SIGUSR1);
	}
	pthread_mutex_unlock(&cell->lock);
}

/* The first thread that has not ended; nthreads: none. */
static uint32_t first_left(const struct kvm_cell *cell)
{
	uint32_t i = 0;

	while (i < cell->nthreads && has_ended(&cell->thread[i]))
		i++;
	return i;
}

/*
 * No guest can do this: a signal ends KVM_RUN unless KVM itself hangs.  Host
 * threads are not given up, what they do to memory can take its time.
 */
static int give_up(struct kvm_cell *cell, uint32_t vcpu, struct err *err)
{
	cell->abandoned = true;
	return err_set(err, EXIT_FAILED,
		       "kvm: vCPU %u does not leave KVM_RUN, kicked for %llu s",
		       vcpu, PATIENCE_NS / 1000000000ull);
}

static bool out_of_time(const struct kvm_cell *cell)
{
	uint64_t max_ns = cell->setup->max_ns;

	return max_ns && kvm_cell_now_ns() - cell->begin_ns > max_ns;
}

static uint64_t next_look(const struct kvm_cell *cell)
{
	uint64_t now_ns = kvm_cell_now_ns(), max_ns = cell->setup->max_ns;
	uint64_t end_ns = cell->begin_ns + max_ns + 1;

	if (kvm_cell_gone(cell))
		return now_ns + KICK_NS;
	return max_ns && end_ns < now_ns + WATCH_NS ? end_ns
						    : now_ns + WATCH_NS;
}

static int watch(struct kvm_cell *cell, struct err *err)
{
	const struct cell_setup *setup = cell->setup;
	uint64_t kicked_ns = 0; /* since when */
	uint64_t news = 0;
	uint32_t left;

	while ((left = first_left(cell)) < cell->nthreads) {
		news = kvm_cell_await_news(cell, news, next_look(cell));
		if (setup->stop && *setup->stop)
			kvm_cell_end(cell, CELL_STOPPED, "%s", "interrupted");
		else if (out_of_time(cell))
			kvm_cell_end(cell, CELL_TIMEOUT,
				     "not done after %.3f s",
				     (double)setup->max_ns / 1e9);
		if (!kvm_cell_gone(cell))
			continue;
		kick(cell);
		if (!kicked_ns)
			kicked_ns = kvm_cell_now_ns();
		else if (left < cell->scenario->vcpus &&
			 kvm_cell_now_ns() - kicked_ns > PATIENCE_NS)
			return give_up(cell, left, err);
	}
	cell->ran_ns = kvm_cell_now_ns() - cell->begin_ns;
	sample_set(cell->sample, "run.time", (double)cell->ran_ns);
	sample_set(cell->sample, "run.unpinned", cell->unpinned);
	return 0;
}

static int run_threads(struct kvm_cell *cell, struct err *err)
{
	struct sigaction kicked = {.sa_handler = on_kick}, before;
	uint32_t i;

	cell->begin_ns = kvm_cell_now_ns();
	sigaction(SIGUSR1, &kicked, &before);
	for (i = 0; i < cell->nthreads; i++) {
		struct kvm_cell_thread *t = &cell->thread[i];
		int error = pthread_create(&t->thread, NULL, thread_main, t);

		t->started = error == 0;
		if (!error)
			continue;
		kvm_cell_end(cell, CELL_FAILED, "a thread: %s",
			     strerror(error));
		break;
	}
	if (watch(cell, err))
		return -1;
	for (i = 0; i < cell->nthreads; i++) {
		if (cell->thread[i].started)
			pthread_join(cell->thread[i].thread, NULL);
	}
	sigaction(SIGUSR1, &before, NULL);
	return 0;
}

/* ----------------------------------------------------------------- making */

static bool make_threads(struct kvm_cell *cell)
{
	const struct scenario *s = cell->scenario;
	uint32_t i;

	cell->nthreads = s->vcpus + s->hosts;
	cell->thread = calloc(cell->nthreads, sizeof(*cell->thread));
	for (i = 0; cell->thread && i < cell->nthreads; i++) {
		struct kvm_cell_thread *t = &cell->thread[i];

		t->cell = cell;
		t->worker = i >= s->vcpus;
		t->index = t->worker ? i - s->vcpus : i;
		if (!t->worker)
			continue;
		t->loops = calloc(s->host[t->index].n + 1, sizeof(*t->loops));
		if (!t->loops)
			return false;
	}
	return cell->thread;
}

static void free_threads(struct kvm_cell *cell)
{
	uint32_t i;

	for (i = 0; cell->thread && i < cell->nthreads; i++)
		free(cell->thread[i].loops);
	free(cell->thread);
}

/* --------------------------------------------------------------- backend */

/* What this kernel has not got is a result; other failures are not. */
static int refuse(struct sample *sample, const struct err *err)
{
	if (err->status != EXIT_UNSUPPORTED)
		return -1;
	sample->status = CELL_UNSUPPORTED;
	snprintf(sample->reason, sizeof(sample->reason), "%.*s",
		 (int)sizeof(sample->reason) - 1, err->text);
	return 0;
}

/* The probe is on these threads and nothing else, so it is off before. */
static int run_probed(struct kvm_cell *cell, struct err *err)
{
	struct probe *probe = cell->setup->probe;
	bool good = true;

	probe_attach(probe);
	if (run_threads(cell, err))
		return -1;
	if (!cell->failed)
		good = probe_fill(probe, cell->sample);
	probe_detach(probe);
	return good ? 0 : err_set(err, EXIT_FAILED, "kvm: out of memory");
}

static int execute(struct kvm_cell *cell, struct err *err)
{
	const struct scenario *s = cell->scenario;
	struct memory_part *own;
	struct vmm_shape shape;
	int status;

	if (!make_threads(cell) || kvm_cell_shape(cell, &shape, &own))
		return err_set(err, EXIT_FAILED, "kvm: out of memory");
	status = vmm_create(&cell->vm, &shape, err);
	free(own);
	if (status)
		return refuse(cell->sample, err);
	mailbox_load(&cell->vm, s);
	cell->stats = kvm_stats_open(&cell->vm);
	if (!cell->stats) {
		vmm_close(&cell->vm);
		return err_set(err, EXIT_FAILED, "kvm: out of memory");
	}
	status = run_probed(cell, err);
	if (cell->abandoned)
		return -1;
	if (!status && !cell->failed)
		status = kvm_cell_guest_metrics(cell, err);
	if (!cell->failed) {
		kvm_cell_host_metrics(cell);
		kvm_stats_metrics(cell->stats, cell->sample);
	}
	kvm_stats_free(cell->stats);
	vmm_close(&cell->vm);
	return status;
}

static void free_cell(struct kvm_cell *cell)
{
	free_threads(cell);
	kvm_news_destroy(&cell->news);
	pthread_mutex_destroy(&cell->lock);
	free(cell);
}

int kvm_cell_run(const struct memory_kind *memory,
		 const struct scenario *scenario,
		 const struct cell_setup *setup, struct sample *sample,
		 struct err *err)
{
	struct kvm_cell *cell;
	int status;

	sample->status = CELL_OK;
	if (!kvm_cell_fits(scenario, memory, sample->reason,
			   sizeof(sample->reason))) {
		sample->status = CELL_UNSUPPORTED;
		return 0;
	}
	cell = calloc(1, sizeof(*cell));
	if (!cell)
		return err_set(err, EXIT_FAILED, "kvm: out of memory");
	cell->scenario = scenario;
	cell->setup = setup;
	cell->memory = memory;
	cell->finalized = scenario->finalized;
	cell->sample = sample;
	pthread_mutex_init(&cell->lock, NULL);
	kvm_news_init(&cell->news);
	status = execute(cell, err);
	/* What a thread that is in the kernel still has is left to it. */
	if (!cell->abandoned)
		free_cell(cell);
	return status;
}

static int run(const struct scenario *scenario, const struct cell_setup *setup,
	       struct sample *sample, struct err *err)
{
	return kvm_cell_run(&memory_kinds[setup->memory], scenario, setup,
			    sample, err);
}

static bool available(char *why, size_t size)
{
	struct kvm_answers answers;
	int fd = vmm_open(&answers, why, size);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static const char *memory_name(const void *ctx, size_t index)
{
	(void)ctx;
	return memory_kinds[index].name;
}

static json_t *facts(const struct topology *topology, const uint32_t *os_cpu,
		     uint32_t memory)
{
	(void)topology;
	(void)os_cpu;
	return kvm_facts(&memory_kinds[memory]);
}

const struct backend backend_kvm = {
	.name = "kvm",
	.summary = "a VM of /dev/kvm that is not a TD",
	.real_cpus = true,
	.memories = memory_name,
	.available = available,
	.abilities = kvm_abilities,
	.facts = facts,
	.run = run,
};
