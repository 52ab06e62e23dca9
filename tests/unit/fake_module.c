/* SPDX-License-Identifier: GPL-2.0-only */
/* The TDX module: TDCALL, and how a guest leaves KVM_RUN. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/fake_kvm.h"

#define PAGE	      4096ull
#define SHARED_BIT    (1ull << 47)
#define CHUNK	      (2ull << 20) /* of MapGPA that KVM gives out at once */
#define ACCEPTED_YET  0x00000B0A00000000ull
#define SIZE_MISMATCH 0xC0000B0B00000000ull
#define NO_VE	      0xC000070400000000ull
#define VMCALL_RETRY  1ull
#define VMCALL_WRONG  0x8000000000000000ull

enum { PIO_OFFSET = 4096 };

_Thread_local struct fake_vcpu *fake_current;
_Thread_local uint64_t fake_ve;

/* ----------------------------------------------------------------- leaving */

/* Back when the driver runs this vCPU again. */
void fake_leave(int error, uint32_t reason)
{
	struct fake_vcpu *vcpu = fake_current;

	vcpu->error = error;
	vcpu->run->exit_reason = reason;
	context_switch(&vcpu->guest, &vcpu->host);
}

void fake_leave_if_kicked(void)
{
	if (__atomic_load_n(&fake_current->run->immediate_exit,
			    __ATOMIC_RELAXED))
		fake_leave(EINTR, KVM_EXIT_INTR);
}

void fake_bug(void)
{
	fake_vm.bugged = true;
	for (;;)
		fake_leave(EIO, KVM_EXIT_UNKNOWN);
}

static void memory_fault(uint64_t gpa, bool private)
{
	struct kvm_memory_fault *fault =
		(struct kvm_memory_fault *)&fake_current->run->hw;

	fault->flags = private ? KVM_MEMORY_EXIT_FLAG_PRIVATE : 0;
	fault->gpa = gpa & -PAGE;
	fault->size = PAGE;
	fake_leave(EFAULT, KVM_EXIT_MEMORY_FAULT);
}

/* ------------------------------------------------------------------- pages */

bool fake_has(uint64_t gpa, uint8_t bit)
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
void fake_fault_in(uint64_t gpa)
{
	const struct fake_slot *slot;

	while (!fake_has(gpa, PAGE_PRIVATE) || !fake_slot_of(gpa, &slot) ||
	       slot->gmem < 0)
		memory_fault(gpa, true);
	set(gpa, PAGE_MAPPED);
}

/* What a shared access to the page does; the attribute must say so. */
void fake_touch_shared(uint64_t gpa)
{
	while (fake_has(gpa, PAGE_PRIVATE))
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
	fake_fault_in(gpa);
	r->rax = ACCEPTED_YET;
	if (fake_has(gpa, PAGE_ACCEPTED))
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
	struct kvm_run *run = fake_current->run;

	run->io.direction = KVM_EXIT_IO_OUT;
	run->io.size = (uint8_t)r->r12;
	run->io.port = (uint16_t)r->r14;
	run->io.count = 1;
	run->io.data_offset = PIO_OFFSET;
	memcpy((char *)run + PIO_OFFSET, &r->r15, r->r12);
	fake_leave(0, KVM_EXIT_IO);
}

/* A halt ends by an interrupt, taken or not. */
static void do_halt(void)
{
	const struct timespec time = {0, 100000};

	while (!__atomic_load_n(&fake_current->msi, __ATOMIC_ACQUIRE)) {
		fake_leave_if_kicked();
		nanosleep(&time, NULL);
	}
}

/* In pieces; the driver may say where the guest has to ask again. */
static void map_gpa(struct td_registers *r)
{
	struct kvm_run *run = fake_current->run;
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
		fake_current->converts = true;
		fake_leave(0, KVM_EXIT_HYPERCALL);
		fake_current->converts = false;
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
	struct kvm_run *run = fake_current->run;

	run->system_event.type = KVM_SYSTEM_EVENT_TDX_FATAL;
	run->system_event.ndata = 16;
	memset((void *)run->system_event.data, 0, 16 * sizeof(uint64_t));
	run->system_event.data[12] = r->r12;
	run->system_event.data[13] = r->r13;
	run->system_event.data[14] = r->r14;
	fake_leave(0, KVM_EXIT_SYSTEM_EVENT);
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
		__atomic_store_n(&fake_current->apic_on,
				 r->r12 == 0x80F && r->r13 & 0x100,
				 __ATOMIC_RELEASE);
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

void fake_tdcall(struct td_registers *r)
{
	switch (r->rax) {
	case 0:
		vmcall(r);
		break;
	case 1:
		*r = (struct td_registers){.rcx = 48};
		break;
	case 3:
		*r = (struct td_registers){
			.rcx = 48, .r9 = fake_ve, .rax = fake_ve ? 0 : NO_VE};
		fake_ve = 0;
		break;
	case 6:
		accept(r);
		break;
	default:
		abort();
	}
}
