/* SPDX-License-Identifier: GPL-2.0-only */
/* What host threads do to the memory of a VM of /dev/kvm. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kvm/cell.h"
#include "kvm/td.h"
#include "kvm/td_build.h"
#include "kvm/uapi_tdx.h"

typedef void host_fn(struct kvm_cell_thread *t, const struct host_op *op);

static void do_barrier(struct kvm_cell_thread *t, const struct host_op *op)
{
	struct agent_barrier *b = &vmm_shared(&t->cell->vm)->barrier[op->arg];

	if (__atomic_add_fetch(&b->arrived, 1, __ATOMIC_ACQ_REL) == b->expected)
		__atomic_store_n(&b->open, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&b->open, __ATOMIC_ACQUIRE) &&
	       !kvm_cell_gone(t->cell))
		sched_yield();
}

static void do_measure(struct kvm_cell_thread *t, const struct host_op *op)
{
	if (op->arg)
		kvm_cell_measure(t, true);
	if (!op->arg)
		t->end_ns = kvm_cell_now_ns();
	else if (!t->measured)
		t->begin_ns = kvm_cell_now_ns();
	if (!op->arg)
		kvm_cell_measure(t, false);
	t->measured = true;
}

static void do_sleep(struct kvm_cell_thread *t, const struct host_op *op)
{
	(void)t;
	kvm_cell_sleep_ns(op->arg);
}

static void do_stop(struct kvm_cell_thread *t, const struct host_op *op)
{
	const struct vmm *vm = &t->cell->vm;
	uint32_t i;

	(void)op;
	__atomic_store_n(&vmm_shared(vm)->stop, 1, __ATOMIC_RELEASE);
	kvm_cell_tell(t->cell);
	/* A TD halts in KVM; other VMs leave it. */
	for (i = 0; vmm_is_td(vm) && i < vm->nvcpus; i++) {
		if (td_wake(vm->fd, i))
			kvm_cell_end(t->cell, CELL_FAILED, "KVM_SIGNAL_MSI: %s",
				     strerror(errno));
	}
}

void kvm_cell_record(struct kvm_cell_thread *t, const char *metric,
		     uint64_t value)
{
	struct hist *h;

	pthread_mutex_lock(&t->cell->lock);
	h = sample_hist(t->cell->sample, metric);
	if (h)
		hist_record(h, value);
	pthread_mutex_unlock(&t->cell->lock);
	if (!h)
		kvm_cell_end(t->cell, CELL_FAILED, "kvm: out of memory");
}

static void record(struct kvm_cell_thread *t, const char *metric,
		   uint64_t begin_ns)
{
	kvm_cell_record(t, metric, kvm_cell_now_ns() - begin_ns);
}

/* Of several pages the time of each is not known. */
static void removed(struct kvm_cell_thread *t, uint64_t pages,
		    uint64_t begin_ns)
{
	t->did[KVM_DID_REMOVAL] += pages;
	if (pages == 1)
		record(t, "removal.latency", begin_ns);
}

static bool punch(struct kvm_cell_thread *t, uint64_t offset, uint64_t pages)
{
	const struct memory *memory = &t->cell->vm.memory;
	uint64_t begin_ns = kvm_cell_now_ns();

	if (memory_punch(memory, offset, pages * 4096)) {
		kvm_cell_end(t->cell, CELL_FAILED, "%s: %s",
			     memory_punch_name(memory), strerror(errno));
		return false;
	}
	removed(t, pages, begin_ns);
	return true;
}

static void do_punch(struct kvm_cell_thread *t, const struct host_op *op)
{
	uint64_t done = 0, pages;

	for (; done < op->pages && !kvm_cell_gone(t->cell); done += pages) {
		uint64_t begin_ns = kvm_cell_now_ns(), taken_ns;

		pages = op->pages - done;
		if (op->arg && pages > op->arg)
			pages = op->arg;
		if (!punch(t, op->gpa + done * 4096, pages))
			return;
		taken_ns = kvm_cell_now_ns() - begin_ns;
		if (op->pace_ns > taken_ns)
			kvm_cell_sleep_ns(op->pace_ns - taken_ns);
	}
}

static void do_convert(struct kvm_cell_thread *t, const struct host_op *op)
{
	uint64_t begin_ns = kvm_cell_now_ns();

	if (memory_convert(&t->cell->vm.memory, op->gpa, op->pages * 4096,
			   op->arg != 0))
		kvm_cell_end(t->cell, CELL_FAILED,
			     "KVM_SET_MEMORY_ATTRIBUTES: %s", strerror(errno));
	else if (!op->arg)
		removed(t, op->pages, begin_ns);
}

static void do_slot(struct kvm_cell_thread *t, const struct host_op *op)
{
	uint64_t begin_ns = kvm_cell_now_ns();

	if (memory_reslot(&t->cell->vm.memory, op->gpa, op->pages * 4096))
		kvm_cell_end(t->cell, CELL_FAILED,
			     "KVM_SET_USER_MEMORY_REGION: %s", strerror(errno));
	else
		removed(t, op->pages, begin_ns);
}

/* By a vCPU that never runs: such an ioctl waits until its vCPU does not. */
static bool prefault(struct kvm_cell_thread *t, uint64_t offset, uint64_t bytes)
{
	const struct vmm *vm = &t->cell->vm;
	struct kvm_pre_fault_memory range = {
		.gpa = vm->memory.gpa + offset,
		.size = bytes,
	};
	uint64_t begin_ns = kvm_cell_now_ns();

	while (ioctl(vm->vcpu[vm->nvcpus + t->index].fd, KVM_PRE_FAULT_MEMORY,
		     &range)) {
		if ((errno == EAGAIN || errno == EINTR) &&
		    !kvm_cell_gone(t->cell))
			continue;
		kvm_cell_end(t->cell, CELL_FAILED, "KVM_PRE_FAULT_MEMORY: %s",
			     strerror(errno));
		return false;
	}
	t->did[KVM_DID_PREFAULT]++;
	record(t, "prefault.latency", begin_ns);
	return true;
}

/* Page by page, so that each is timed. */
static void do_prefault(struct kvm_cell_thread *t, const struct host_op *op)
{
	uint64_t step = t->cell->scenario->huge ? 512 : 1, i;

	for (i = 0; i < op->pages && !kvm_cell_gone(t->cell); i += step) {
		if (!prefault(t, op->gpa + i * 4096, step * 4096))
			return;
	}
}

static bool all_left(const struct kvm_cell *cell)
{
	return __atomic_load_n(&cell->vcpus_left, __ATOMIC_ACQUIRE) ==
	       cell->scenario->vcpus;
}

static void do_join(struct kvm_cell_thread *t, const struct host_op *op)
{
	(void)op;
	kvm_cell_await(t->cell, all_left);
}

static void do_teardown(struct kvm_cell_thread *t, const struct host_op *op)
{
	uint64_t begin_ns;

	do_join(t, op);
	pthread_mutex_lock(&t->cell->lock);
	kvm_stats_read(t->cell->stats, false);
	kvm_stats_leave(t->cell->stats); /* or they keep the VM alive */
	pthread_mutex_unlock(&t->cell->lock);
	begin_ns = kvm_cell_now_ns();
	pthread_mutex_lock(&t->cell->lock); /* nobody is being kicked */
	vmm_release(&t->cell->vm);
	pthread_mutex_unlock(&t->cell->lock);
	t->did[KVM_DID_TEARDOWN]++;
	record(t, "teardown.latency", begin_ns);
}

/* Ordered: a TD can do what a VM with private memory can. */
enum need { ANY_VM, PRIVATE_MEMORY, TD };

/* NULL: nothing here can do it yet. */
static const struct {
	host_fn *fn;
	enum need need;
	const char *what;
} ops[NR_HOST_OPCODES] = {
	[HOST_BARRIER] = {do_barrier, ANY_VM, NULL},
	[HOST_MEASURE] = {do_measure, ANY_VM, NULL},
	[HOST_SLEEP] = {do_sleep, ANY_VM, NULL},
	[HOST_STOP] = {do_stop, ANY_VM, NULL},
	[HOST_PUNCH] = {do_punch, ANY_VM, NULL},
	[HOST_JOIN] = {do_join, ANY_VM, NULL},
	[HOST_TEARDOWN] = {do_teardown, ANY_VM, NULL},
	[HOST_BUILD] = {td_host_build, TD, "PAGE.ADD"},
	[HOST_FINALIZE] = {td_host_finalize, TD, "MR.FINALIZE"},
	[HOST_IOCTL] = {td_host_ioctl, TD, "ioctls that race a build"},
	[HOST_PREFAULT] = {do_prefault, ANY_VM, "KVM_PRE_FAULT_MEMORY"},
	[HOST_CONVERT] = {do_convert, PRIVATE_MEMORY, "private memory"},
	[HOST_SLOT] = {do_slot, ANY_VM, NULL},
	[HOST_TRACK] = {NULL, TD, "TRACK"},
};

/* ------------------------------------------------------------ what it can */

static enum need has(const struct memory_kind *kind)
{
	if (kind->vm_type == KVM_X86_TDX_VM)
		return TD;
	return kind->private ? PRIVATE_MEMORY : ANY_VM;
}

static const char *host_refused(const struct scenario *s,
				const struct memory_kind *kind,
				const struct host_op *op)
{
	uint64_t end;

	if (op->opcode == HOST_LOOP || op->opcode == HOST_END)
		return NULL;
	if (op->opcode == HOST_BARRIER && op->arg >= AGENT_MAX_BARRIERS)
		return "so many barriers";
	if (op->opcode == HOST_TEARDOWN && op->arg)
		return "a HKID to release early";
	if (op->opcode == HOST_TEARDOWN && s->hosts > 1)
		return "a teardown by several threads";
	if (op->opcode == HOST_CONVERT && has(kind) == TD)
		return "conversions that the guest has not asked for";
	if ((op->opcode == HOST_BUILD ||
	     (op->opcode >= HOST_PREFAULT && op->opcode <= HOST_TRACK)) &&
	    (__builtin_add_overflow(op->gpa, op->pages * 4096, &end) ||
	     end > s->pages * 4096))
		return "memory beyond its end";
	return !ops[op->opcode].fn || ops[op->opcode].need > has(kind)
		       ? ops[op->opcode].what
		       : NULL;
}

static const char *guest_refused(const struct memory_kind *kind,
				 const struct agent_op *op)
{
	switch (op->opcode) {
	case AGENT_ACCEPT:
		return has(kind) < TD ? "pages to accept" : NULL;
	case AGENT_CONVERT:
		return has(kind) >= PRIVATE_MEMORY
			       ? NULL
			       : "private memory (host.memory is not "
				 "\"private\")";
	case AGENT_STUCK:
		return "a fault that nobody resolves (stuck vCPUs)";
	case AGENT_BARRIER:
		return op->arg < AGENT_MAX_BARRIERS ? NULL : "so many barriers";
	default:
		return NULL;
	}
}

static const char *refused(const struct scenario *s,
			   const struct memory_kind *kind)
{
	const char *why = NULL;
	uint32_t i, k;

	if (s->tds != 1)
		return "several VMs at once";
	if (!s->finalized && has(kind) < TD)
		return "a build of a TD";
	if (s->vcpus > AGENT_MAX_VCPUS)
		return "so many vCPUs";
	if (s->pages > (uint64_t)AGENT_MAX_GIB << 18)
		return "so much memory";
	for (i = 0; !why && i < s->vcpus; i++) {
		if (s->vcpu[i].n > AGENT_MAX_OPS)
			return "so long a script";
		for (k = 0; !why && k < s->vcpu[i].n; k++)
			why = guest_refused(kind, &s->vcpu[i].op[k]);
	}
	for (i = 0; !why && i < s->hosts; i++) {
		for (k = 0; !why && k < s->host[i].n; k++)
			why = host_refused(s, kind, &s->host[i].op[k]);
	}
	return why;
}

bool kvm_cell_fits(const struct scenario *s, const struct memory_kind *kind,
		   char *why, size_t size)
{
	const char *what = refused(s, kind);

	if (what && has(kind) == TD)
		snprintf(why, size, "the backend tdx has TDs, without %s",
			 what);
	else if (what)
		snprintf(why, size,
			 "the backend kvm has VMs that are no TDs, without %s",
			 what);
	return !what;
}

/* ---------------------------------------------------------------- script */

static uint32_t after_loop(struct kvm_cell_thread *t, const struct host_op *op,
			   uint32_t at)
{
	if (!t->loops[at])
		t->loops[at] = (uint32_t)op->count;
	if (t->loops[at] <= 1) {
		t->loops[at] = 0;
		return at + 1;
	}
	t->loops[at]--;
	return (uint32_t)op->arg;
}

void kvm_cell_host(struct kvm_cell_thread *t)
{
	const struct host_script *script = &t->cell->scenario->host[t->index];
	uint32_t next = 0;

	while (next < script->n && !kvm_cell_gone(t->cell)) {
		const struct host_op *op = &script->op[next];

		if (op->opcode == HOST_END)
			return;
		if (op->opcode == HOST_LOOP) {
			next = after_loop(t, op, next);
			continue;
		}
		ops[op->opcode].fn(t, op);
		next++;
	}
}

/* --------------------------------------------------------------- metrics */

static const struct {
	const char *count, *rate;
} metrics[NR_KVM_DID] = {
	[KVM_DID_REMOVAL] = {"removal.count", "removal.rate"},
	[KVM_DID_PREFAULT] = {"prefault.count", "prefault.rate"},
	[KVM_DID_TEARDOWN] = {"teardown.count", "teardown.rate"},
	[KVM_DID_BUILD] = {"build.count", "build.rate"},
	[KVM_DID_IOCTL] = {"ioctl.count", "ioctl.rate"},
};

/* Of the threads that measured: all that they did, from first to last. */
static void sum_up(const struct kvm_cell *cell, struct kvm_cell_thread *sum)
{
	uint32_t i, k;

	sum->begin_ns = UINT64_MAX;
	for (i = cell->scenario->vcpus; i < cell->nthreads; i++) {
		const struct kvm_cell_thread *t = &cell->thread[i];

		if (!t->measured || t->end_ns <= t->begin_ns)
			continue;
		if (t->begin_ns < sum->begin_ns)
			sum->begin_ns = t->begin_ns;
		if (t->end_ns > sum->end_ns)
			sum->end_ns = t->end_ns;
		for (k = 0; k < NR_KVM_DID; k++)
			sum->did[k] += t->did[k];
		sum->busy += t->busy;
	}
}

void kvm_cell_host_metrics(const struct kvm_cell *cell)
{
	struct kvm_cell_thread sum = {.cell = NULL};
	uint32_t i;

	sum_up(cell, &sum);
	for (i = 0; sum.end_ns && i < NR_KVM_DID; i++) {
		if (!sum.did[i])
			continue;
		sample_set(cell->sample, metrics[i].count, (double)sum.did[i]);
		sample_set(cell->sample, metrics[i].rate,
			   (double)sum.did[i] * 1e9 /
				   (double)(sum.end_ns - sum.begin_ns));
	}
	if (sum.did[KVM_DID_IOCTL])
		sample_set(cell->sample, "ioctl.busy", (double)sum.busy);
}
