/* SPDX-License-Identifier: GPL-2.0-only */
/* The state that the vCPUs of VMs whose state is not protected begin in. */
#include <cpuid.h>
#include <sys/ioctl.h>

#include "kvm/vmm.h"

/* That of a TD's vCPU (TDX module, TDH.VP.INIT). */
enum {
	RESET_CR0 = 0x21,
	RESET_CR4 = 0x40,
	RESET_EFER = 0x900, /* without SCE, which nothing here needs */
	RESET_RIP_LOW = 0xFFF0,
};

#define CR0_PG		  0x80000000u
#define CR4_PAE		  0x20u
#define EFER_LMA	  0x400u
#define signature_TCG_ebx 0x54474354u /* "TCGT" */

static struct kvm_segment flat(uint8_t type, bool code64)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = type == 0xb ? 8 : 16,
		.type = type,
		.present = 1,
		.db = !code64,
		.l = code64,
		.s = 1,
		.g = 1,
	};
}

/*
 * QEMU's emulation of nested paging (7.2, 10.0) hangs when a guest runs without
 * paging of its own; there a vCPU begins in long mode.
 */
static bool emulated(void)
{
	unsigned a, b = 0, c, d;

	__cpuid(0x40000000, a, b, c, d);
	return b == signature_TCG_ebx;
}

static void set_long_mode(struct kvm_sregs *sregs, struct kvm_regs *regs)
{
	sregs->cs = flat(0xb, true);
	sregs->cr0 |= CR0_PG;
	sregs->cr4 |= CR4_PAE;
	sregs->efer |= EFER_LMA;
	sregs->cr3 = AGENT_TABLES;
	regs->rip = AGENT_IMAGE;
}

int vmm_start_state(int vcpu, uint32_t index)
{
	struct kvm_segment data = flat(0x3, false);
	struct kvm_regs regs = {
		.rip = AGENT_IMAGE + RESET_RIP_LOW,
		.rsi = index,
		.rflags = 2,
	};
	struct kvm_sregs sregs;

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		return -1;
	sregs.cs = flat(0xb, false);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cr0 = RESET_CR0;
	sregs.cr4 = RESET_CR4;
	sregs.efer = RESET_EFER;
	if (emulated())
		set_long_mode(&sregs, &regs);
	return ioctl(vcpu, KVM_SET_SREGS, &sregs) ||
	       ioctl(vcpu, KVM_SET_REGS, &regs);
}
