/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM_RUN and interrupts, and guests that do something else than the agent. */
#include <errno.h>
#include <stdlib.h>

#include "guest-agent/image/mailbox.h"
#include "guest-agent/td.h"
#include "tests/unit/fake_kvm.h"

#define PAGE	   4096ull
#define SHARED_BIT (1ull << 47)
#define NO_MEMORY  0xD0000000ull

enum { STACK_BYTES = 256 << 10 };

/* --------------------------------------------------------------- the guest */

static void enter_fails(void)
{
	struct kvm_run *run = fake_current->run;

	run->internal.suberror = KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;
	run->internal.ndata = 2;
	run->internal.data[0] = 0xC000010000000080;
	run->internal.data[1] = 3;
	fake_leave(0, KVM_EXIT_INTERNAL_ERROR);
}

static void misbehave(void)
{
	struct kvm_run *run = fake_current->run;
	uint64_t status;

	switch (fake_options.guest) {
	case FAKE_AGENT:
		return;
	case FAKE_FATAL:
		td_report_fatal(fake_tdcall, TD_FATAL_ACCEPT, 0x140000000,
				0xC000010000000001);
		return;
	case FAKE_TRIPLE_FAULT:
		fake_leave(0, KVM_EXIT_SHUTDOWN);
		return;
	case FAKE_MMIO:
		run->mmio.phys_addr = NO_MEMORY;
		fake_leave(0, KVM_EXIT_MMIO);
		return;
	case FAKE_ENTER_FAILS:
		enter_fails();
		return;
	case FAKE_FAIL_ENTRY:
		run->fail_entry.hardware_entry_failure_reason = 0x80000021;
		fake_leave(0, KVM_EXIT_FAIL_ENTRY);
		return;
	case FAKE_POISON:
		fake_leave(EHWPOISON, KVM_EXIT_MEMORY_FAULT);
		return;
	case FAKE_GET_QUOTE:
		fake_leave(0, KVM_EXIT_TDX);
		return;
	case FAKE_OTHER_EVENT:
		run->system_event.type = KVM_SYSTEM_EVENT_CRASH;
		fake_leave(0, KVM_EXIT_SYSTEM_EVENT);
		return;
	case FAKE_BEYOND:
		fake_fault_in(NO_MEMORY);
		return;
	case FAKE_CONVERT_BEYOND:
		if (td_convert(fake_tdcall, SHARED_BIT, NO_MEMORY, PAGE, false,
			       &status) != AGENT_STOP)
			abort();
		td_report_fatal(fake_tdcall, TD_FATAL_CONVERT, NO_MEMORY,
				status);
		return;
	case FAKE_UNACCEPTED:
		fake_touch(AGENT_MEMORY);
		return;
	case FAKE_IMPLICIT:
		fake_touch_shared(AGENT_MEMORY);
		fake_fault_in(AGENT_MEMORY);
		return;
	}
}

static void guest_main(void *vcpu)
{
	uint64_t status;

	if (td_shared_bit(fake_tdcall, &status) != SHARED_BIT)
		abort();
	misbehave();
	fake_agent(vcpu);
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
	fake_current = vcpu;
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
		if (!__atomic_load_n(&fake_vm.vcpu[i].apic_on,
				     __ATOMIC_ACQUIRE))
			return 0;
		__atomic_store_n(&fake_vm.vcpu[i].msi, true, __ATOMIC_RELEASE);
		return 1;
	}
	return fake_refuse(EINVAL, "KVM_SIGNAL_MSI: nobody");
}
