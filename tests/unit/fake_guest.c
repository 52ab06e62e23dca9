/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What runs on a vCPU of the fake KVM: the agent's interpreter and its TD
 * side, on a TDCALL that plays the TDX module and leaves KVM_RUN as KVM does.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guest-agent/image/mailbox.h"
#include "guest-agent/td.h"
#include "tests/unit/fake_kvm.h"

#define PAGE	      4096ull
#define SHARED_BIT    (1ull << 47)
#define CHUNK	      (2ull << 20) /* of MapGPA that KVM gives out at once */
#define NO_MEMORY     0xD0000000ull
#define ACCEPTED_YET  0x00000B0A00000000ull
#define SIZE_MISMATCH 0xC0000B0B00000000ull
#define VMCALL_RETRY  1ull
#define VMCALL_WRONG  0x8000000000000000ull

enum { STACK_BYTES = 256 << 10, PIO_OFFSET = 4096 };

/** A vCPU as the agent sees it. */
struct guest {
	struct agent_port port; /* must be first */
	struct fake_vcpu *vcpu;
	struct agent_box *box;
};

static _Thread_local struct fake_vcpu *current;
/* Of the #VE that has been given and not asked for: its GPA. */
static _Thread_local uint64_t ve;

/* ----------------------------------------------------------------- leaving */

/* Back when the driver runs this vCPU again. */
static void leave(int error, uint32_t reason)
{
	struct fake_vcpu *vcpu = current;

	vcpu->error = error;
	vcpu->run->exit_reason = reason;
	context_switch(&vcpu->guest, &vcpu->host);
}

static void leave_if_kicked(void)
{
	if (__atomic_load_n(&current->run->immediate_exit, __ATOMIC_RELAXED))
		leave(EINTR, KVM_EXIT_INTR);
}

static void bug(void)
{
	fake_vm.bugged = true;
	for (;;)
		leave(EIO, KVM_EXIT_UNKNOWN);
}

static void memory_fault(uint64_t gpa, bool private)
{
	struct kvm_memory_fault *fault =
		(struct kvm_memory_fault *)&current->run->hw;

	fault->flags = private ? KVM_MEMORY_EXIT_FLAG_PRIVATE : 0;
	fault->gpa = gpa & -PAGE;
	fault->size = PAGE;
	leave(EFAULT, KVM_EXIT_MEMORY_FAULT);
}

/* ------------------------------------------------------------------- pages */

static bool has(uint64_t gpa, uint8_t bit)
{
	bool is;

	fake_lock();
	is = fake_vm.page[gpa / PAGE] & bit;
	fake_unlock();
	return is;
}

static void set(uint64_t gpa, uint8_t bits)
{
	fake_lock();
	fake_vm.page[gpa / PAGE] |= bits;
	fake_unlock();
}

/* An access to private memory: AUG, once the attribute says so. */
static void fault_in(uint64_t gpa)
{
	const struct fake_slot *slot;

	while (!has(gpa, PAGE_PRIVATE) || !fake_slot_of(gpa, &slot) ||
	       slot->gmem < 0)
		memory_fault(gpa, true);
	set(gpa, PAGE_MAPPED);
}

/* What a shared access to the page does; the attribute must say so. */
static void touch_shared(uint64_t gpa)
{
	while (has(gpa, PAGE_PRIVATE))
		memory_fault(gpa, false);
	*(uint64_t *)fake_shared(gpa) = gpa;
}

/* ----------------------------------------------------------- TDX module */

static void accept(struct td_registers *r)
{
	uint64_t gpa = r->rcx & -PAGE, zero[PAGE / 8] = {0};

	r->rax = SIZE_MISMATCH | 1;
	if (r->rcx & (PAGE - 1))
		return;
	fault_in(gpa);
	r->rax = ACCEPTED_YET;
	if (has(gpa, PAGE_ACCEPTED))
		return;
	fake_lock();
	fake_private(gpa, zero, sizeof(zero), true);
	fake_vm.page[gpa / PAGE] |= PAGE_ACCEPTED;
	fake_counts.accepted++;
	fake_unlock();
	r->rax = 0;
}

static void do_out(struct td_registers *r)
{
	struct kvm_run *run = current->run;

	run->io.direction = KVM_EXIT_IO_OUT;
	run->io.size = (uint8_t)r->r12;
	run->io.port = (uint16_t)r->r14;
	run->io.count = 1;
	run->io.data_offset = PIO_OFFSET;
	memcpy((char *)run + PIO_OFFSET, &r->r15, r->r12);
	leave(0, KVM_EXIT_IO);
}

/* A halt ends by an interrupt, taken or not. */
static void do_halt(void)
{
	const struct timespec time = {0, 100000};

	while (!__atomic_load_n(&current->msi, __ATOMIC_ACQUIRE)) {
		leave_if_kicked();
		nanosleep(&time, NULL);
	}
}

/* In pieces; the driver may say where the guest has to ask again. */
static void map_gpa(struct td_registers *r)
{
	struct kvm_run *run = current->run;
	uint64_t gpa = r->r12 & ~SHARED_BIT, end = gpa + r->r13, piece;

	for (; gpa < end; gpa += piece) {
		piece = CHUNK - gpa % CHUNK;
		if (piece > end - gpa)
			piece = end - gpa;
		run->hypercall.nr = KVM_HC_MAP_GPA_RANGE;
		run->hypercall.args[0] = gpa;
		run->hypercall.args[1] = piece / PAGE;
		run->hypercall.args[2] =
			r->r12 & SHARED_BIT ? 0 : KVM_MAP_GPA_RANGE_ENCRYPTED;
		run->hypercall.ret = 0;
		current->converts = true;
		leave(0, KVM_EXIT_HYPERCALL);
		current->converts = false;
		if (run->hypercall.ret)
			break;
	}
	r->r10 = gpa >= end			? 0
		 : run->hypercall.ret == EAGAIN ? VMCALL_RETRY
						: VMCALL_WRONG;
	r->r11 = gpa | (r->r12 & SHARED_BIT);
}

static void report_fatal(const struct td_registers *r)
{
	struct kvm_run *run = current->run;

	run->system_event.type = KVM_SYSTEM_EVENT_TDX_FATAL;
	run->system_event.ndata = 16;
	memset((void *)run->system_event.data, 0, 16 * sizeof(uint64_t));
	run->system_event.data[12] = r->r12;
	run->system_event.data[13] = r->r13;
	run->system_event.data[14] = r->r14;
	leave(0, KVM_EXIT_SYSTEM_EVENT);
}

static void vmcall(struct td_registers *r)
{
	if (r->rcx & 0x33 || (r->rcx & 0xFC00) != 0xFC00)
		abort(); /* registers that the module or KVM needs */
	r->rax = 0;
	r->r10 = 0;
	switch (r->r11) {
	case 12:
		do_halt();
		break;
	case 30:
		do_out(r);
		break;
	case 32:
		current->apic_on = r->r12 == 0x80F && r->r13 & 0x100;
		break;
	case 0x10001:
		map_gpa(r);
		break;
	case 0x10003:
		report_fatal(r);
		break;
	default:
		r->r10 = VMCALL_WRONG;
	}
}

static void tdcall(struct td_registers *r)
{
	switch (r->rax) {
	case 0:
		vmcall(r);
		break;
	case 1:
		*r = (struct td_registers){.rcx = 48};
		break;
	case 3:
		*r = (struct td_registers){.rcx = 48,
					   .r9 = ve,
					   .rax = ve ? 0 : 0xC000070400000000};
		ve = 0;
		break;
	case 6:
		accept(r);
		break;
	default:
		abort();
	}
}

/* -------------------------------------------------------------------- port */

static struct agent_shared *shared(void)
{
	return fake_shared(AGENT_CONTROL);
}

static uint32_t load(const uint32_t *word)
{
	leave_if_kicked();
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static bool port_stopped(struct agent_port *port)
{
	(void)port;
	return load(&shared()->stop) || load(&shared()->gone);
}

static enum agent_result port_touch(struct agent_port *port, uint64_t gpa)
{
	uint64_t value = gpa | 1;

	(void)port;
	fault_in(gpa);
	if (!has(gpa, PAGE_ACCEPTED)) {
		if (fake_vm.ve_disable)
			bug();
		ve = gpa;
		return td_pending(tdcall, &value) && value == gpa ? AGENT_VE
								  : AGENT_STOP;
	}
	fake_lock();
	fake_private(gpa, &value, sizeof(value), true);
	fake_unlock();
	return AGENT_OK;
}

static enum agent_result port_accept(struct agent_port *port, uint64_t gpa,
				     unsigned level)
{
	uint64_t status;

	(void)port;
	return td_accept(tdcall, gpa, level, &status);
}

static enum agent_result port_convert(struct agent_port *port, uint64_t gpa,
				      uint64_t bytes, bool to_private)
{
	uint64_t status;

	(void)port;
	return td_convert(tdcall, SHARED_BIT, gpa, bytes, to_private, &status);
}

static enum agent_result port_stuck(struct agent_port *port, uint64_t gpa)
{
	(void)port;
	(void)gpa;
	return AGENT_MISMATCH;
}

static uint64_t port_now_ns(struct agent_port *port)
{
	struct timespec at;

	(void)port;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

static enum agent_result port_spin(struct agent_port *port, uint64_t ns)
{
	uint64_t end = port_now_ns(port) + ns;

	while (!load(&shared()->gone)) {
		if (ns ? port_now_ns(port) >= end : port_stopped(port))
			return AGENT_OK;
		usleep(100);
	}
	return AGENT_STOP;
}

static enum agent_result port_halt(struct agent_port *port)
{
	while (!port_stopped(port))
		td_halt(tdcall);
	return load(&shared()->gone) ? AGENT_STOP : AGENT_OK;
}

static enum agent_result port_leave(struct agent_port *port)
{
	(void)port;
	td_out(tdcall, AGENT_PORT, AGENT_BELL_LEAVE);
	return load(&shared()->gone) ? AGENT_STOP : AGENT_OK;
}

static enum agent_result port_barrier(struct agent_port *port, unsigned id)
{
	struct agent_barrier *b = &shared()->barrier[id];

	(void)port;
	if (__atomic_add_fetch(&b->arrived, 1, __ATOMIC_ACQ_REL) == b->expected)
		__atomic_store_n(&b->open, 1, __ATOMIC_RELEASE);
	while (!load(&b->open)) {
		if (load(&shared()->gone))
			return AGENT_STOP;
		usleep(100);
	}
	return AGENT_OK;
}

static void port_measure(struct agent_port *port, bool begin)
{
	struct agent_box *box = ((struct guest *)port)->box;

	if (begin)
		td_out(tdcall, AGENT_PORT, AGENT_BELL_BEGIN);
	if (!begin)
		box->end_ns = port_now_ns(port);
	else if (box->measured++ == 0)
		box->begin_ns = port_now_ns(port);
	if (!begin)
		td_out(tdcall, AGENT_PORT, AGENT_BELL_END);
}

static void port_record(struct agent_port *port, enum agent_latency what,
			uint64_t begin, uint64_t end)
{
	hist_record(&((struct guest *)port)->box->hist[what], end - begin);
}

/* ----------------------------------------------- is memory what it must be? */

/* As guest-agent/image/check.c does it, on pages that are not mapped here. */
enum { WORDS = PAGE / 8, MARK_AT = 256 };

static uint64_t mark(uint64_t gpa, const struct agent_box *box)
{
	return (gpa ^ box->salt) | 1;
}

static void port_check(struct agent_port *port, uint64_t gpa)
{
	struct agent_box *box = ((struct guest *)port)->box;
	uint64_t at = gpa + MARK_AT * 8, value, marked = mark(gpa, box);

	if (!has(gpa, PAGE_ACCEPTED))
		return;
	fake_lock();
	fake_private(at, &value, sizeof(value), false);
	fake_private(at, &marked, sizeof(marked), true);
	fake_unlock();
	box->check.touches++;
	box->check.fresh += value == 0;
	box->check.stale += value != 0 && value != marked;
}

static void check_page(struct agent_box *box, uint64_t gpa)
{
	uint64_t page[WORDS], status;
	unsigned i, other = 0;

	td_accept(tdcall, gpa, 0, &status);
	fake_lock();
	fake_private(gpa, page, sizeof(page), false);
	fake_unlock();
	for (i = 1; i < WORDS; i++)
		other += i != MARK_AT && page[i];
	box->check.pages++;
	box->check.held += !other && page[0] == (gpa | 1) &&
			   page[MARK_AT] == mark(gpa, box);
	box->check.zero += !other && !page[0] && !page[MARK_AT];
	box->check.damaged += other != 0;
}

static void check_script(struct agent_box *box)
{
	const struct agent_op *op = agent_box_script(box);
	uint32_t i, k;

	for (i = 0; i < box->nops && op[i].opcode != AGENT_END; i++) {
		if (op[i].opcode != AGENT_TOUCH ||
		    (op[i].flags & AGENT_UNTIL_STOP))
			continue;
		for (k = 0; k < op[i].count; k++)
			check_page(box, op[i].gpa + k * op[i].stride);
	}
}

static const struct agent_port_ops ops = {
	.check = port_check,
	.touch = port_touch,
	.accept = port_accept,
	.convert = port_convert,
	.stuck = port_stuck,
	.spin = port_spin,
	.halt = port_halt,
	.leave = port_leave,
	.barrier = port_barrier,
	.measure = port_measure,
	.record = port_record,
	.stopped = port_stopped,
	.now_ns = port_now_ns,
};

/* --------------------------------------------------------------- the guest */

static void enter_fails(void)
{
	struct kvm_run *run = current->run;

	run->internal.suberror = KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;
	run->internal.ndata = 2;
	run->internal.data[0] = 0xC000010000000080;
	run->internal.data[1] = 3;
	leave(0, KVM_EXIT_INTERNAL_ERROR);
}

static void misbehave(void)
{
	struct kvm_run *run = current->run;
	uint64_t status;

	switch (fake_options.guest) {
	case FAKE_AGENT:
		return;
	case FAKE_FATAL:
		td_report_fatal(tdcall, TD_FATAL_ACCEPT, 0x140000000,
				0xC000010000000001);
		return;
	case FAKE_TRIPLE_FAULT:
		leave(0, KVM_EXIT_SHUTDOWN);
		return;
	case FAKE_MMIO:
		run->mmio.phys_addr = NO_MEMORY;
		leave(0, KVM_EXIT_MMIO);
		return;
	case FAKE_ENTER_FAILS:
		enter_fails();
		return;
	case FAKE_GET_QUOTE:
		leave(0, KVM_EXIT_TDX);
		return;
	case FAKE_OTHER_EVENT:
		run->system_event.type = KVM_SYSTEM_EVENT_CRASH;
		leave(0, KVM_EXIT_SYSTEM_EVENT);
		return;
	case FAKE_BEYOND:
		fault_in(NO_MEMORY);
		return;
	case FAKE_CONVERT_BEYOND:
		if (td_convert(tdcall, SHARED_BIT, NO_MEMORY, PAGE, false,
			       &status) != AGENT_STOP)
			abort();
		td_report_fatal(tdcall, TD_FATAL_CONVERT, NO_MEMORY, status);
		return;
	case FAKE_UNACCEPTED:
		port_touch(NULL, AGENT_MEMORY);
		return;
	case FAKE_IMPLICIT:
		touch_shared(AGENT_MEMORY);
		fault_in(AGENT_MEMORY);
		return;
	}
}

static void guest_main(void *arg)
{
	struct fake_vcpu *vcpu = arg;
	struct agent_box *box = fake_shared(
		AGENT_CONTROL + ((vcpu->id + 1ull) << AGENT_BOX_SHIFT));
	struct guest guest = {{&ops}, vcpu, box};
	uint64_t status;

	if (td_shared_bit(tdcall, &status) != SHARED_BIT ||
	    td_wrmsr(tdcall, 0x80F, 0x1FF))
		abort();
	misbehave();
	box->result = agent_run(&guest.port, agent_box_script(box), box->nops);
	if (box->result == AGENT_OK) {
		td_out(tdcall, AGENT_PORT, AGENT_BELL_OVER);
		check_script(box);
	}
	for (;;)
		td_out(tdcall, AGENT_PORT, AGENT_BELL_DONE);
}

/* --------------------------------------------------------------------- KVM */

static const char *run_wrong(const struct fake_vcpu *vcpu)
{
	uint64_t ret = vcpu->run->hypercall.ret;

	if (fake_vm.td != TD_RUNNABLE || !vcpu->initialized)
		return "KVM_RUN before KVM_TDX_FINALIZE_VM";
	if (vcpu->converts && ret && ret != EAGAIN && ret != EINVAL)
		return "KVM_RUN: answer of a hypercall";
	return NULL;
}

/* Called with the lock; the guest runs without it. */
int fake_run(struct fake_vcpu *vcpu)
{
	const char *wrong = run_wrong(vcpu);

	if (wrong)
		return fake_refuse(EINVAL, wrong);
	if (vcpu->run->immediate_exit)
		return fake_expected(EINTR);
	if (!vcpu->started &&
	    context_create(&vcpu->guest, STACK_BYTES, 0, guest_main, vcpu))
		abort();
	vcpu->started = true;
	fake_unlock();
	current = vcpu;
	context_switch(&vcpu->host, &vcpu->guest);
	fake_lock();
	return vcpu->error ? fake_expected(vcpu->error) : 0;
}

int fake_signal_msi(const struct kvm_msi *msi)
{
	uint32_t id = msi->address_hi | (msi->address_lo >> 12 & 0xff), i;

	if (msi->flags || msi->address_lo >> 20 != 0xFEE || msi->data < 16 ||
	    msi->data > 255)
		return fake_refuse(EINVAL, "KVM_SIGNAL_MSI");
	fake_counts.msis++;
	for (i = 0; i < fake_vm.nvcpus; i++) {
		if (fake_vm.vcpu[i].id != id)
			continue;
		/* An APIC that is off takes none. */
		if (!fake_vm.vcpu[i].apic_on)
			return 0;
		__atomic_store_n(&fake_vm.vcpu[i].msi, true, __ATOMIC_RELEASE);
		return 1;
	}
	return fake_refuse(EINVAL, "KVM_SIGNAL_MSI: nobody");
}
