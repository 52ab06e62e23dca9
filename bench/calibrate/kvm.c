/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a VM exit and entry cost on this host, where there is KVM: a guest of
 * twelve bytes executes CPUID, which always exits and which the kernel
 * handles without coming back to user space.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/calibrate/impl.h"

#ifdef __x86_64__
#include <cpuid.h>

/*
 * KVM can also run on a CPU that shows neither, in software; what an exit
 * costs then is nothing that a host with TDX would know.
 */
static bool has_vmx_or_svm(void)
{
	unsigned int a, b, c, d;

	if (__get_cpuid(1, &a, &b, &c, &d) && c >> 5 & 1)
		return true;
	return __get_cpuid(0x80000001, &a, &b, &c, &d) && c >> 2 & 1;
}

enum { EXITS = 1000, LOAD_AT = 0x1000, DONE_PORT = 0x10, PAGE = 4096 };

/* 16-bit code; it begins again after each OUT. */
static const unsigned char guest_code[] = {
	0xbe, EXITS & 0xff, EXITS >> 8, /* mov si, EXITS */
	0x0f, 0xa2,			/* cpuid */
	0x4e,				/* dec si */
	0x75, 0xfb,			/* jnz to the cpuid */
	0xe6, DONE_PORT,		/* out DONE_PORT, al */
	0xeb, 0xf4,			/* jmp to the begin */
};

struct vm {
	int kvm, vm, vcpu;
	void *memory;
	struct kvm_run *run;
	size_t run_bytes;
};

static void vm_end(struct vm *m)
{
	if (m->run != MAP_FAILED)
		munmap(m->run, m->run_bytes);
	if (m->memory != MAP_FAILED)
		munmap(m->memory, PAGE);
	if (m->vcpu >= 0)
		close(m->vcpu);
	if (m->vm >= 0)
		close(m->vm);
	if (m->kvm >= 0)
		close(m->kvm);
}

static int set_registers(const struct vm *m)
{
	struct kvm_regs regs = {.rip = LOAD_AT, .rflags = 2};
	struct kvm_sregs sregs;

	if (ioctl(m->vcpu, KVM_GET_SREGS, &sregs))
		return -1;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	return ioctl(m->vcpu, KVM_SET_SREGS, &sregs) ||
			       ioctl(m->vcpu, KVM_SET_REGS, &regs)
		       ? -1
		       : 0;
}

static int add_memory(struct vm *m)
{
	struct kvm_userspace_memory_region region = {.guest_phys_addr = LOAD_AT,
						     .memory_size = PAGE};

	m->memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m->memory == MAP_FAILED)
		return -1;
	memcpy(m->memory, guest_code, sizeof(guest_code));
	region.userspace_addr = (u64)(uintptr_t)m->memory;
	return ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

/* NULL, or what failed, with errno. */
static const char *vm_begin(struct vm *m)
{
	int bytes;

	*m = (struct vm){-1, -1, -1, MAP_FAILED, MAP_FAILED, 0};
	m->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (m->kvm < 0)
		return "/dev/kvm";
	m->vm = ioctl(m->kvm, KVM_CREATE_VM, 0);
	if (m->vm < 0)
		return "KVM_CREATE_VM";
	/* Intel's real mode needs three pages that the guest never uses. */
	ioctl(m->vm, KVM_SET_TSS_ADDR, 0xfffbd000);
	if (add_memory(m))
		return "KVM_SET_USER_MEMORY_REGION";
	m->vcpu = ioctl(m->vm, KVM_CREATE_VCPU, 0);
	if (m->vcpu < 0)
		return "KVM_CREATE_VCPU";
	bytes = ioctl(m->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (bytes < (int)sizeof(*m->run))
		return "KVM_GET_VCPU_MMAP_SIZE";
	m->run_bytes = (size_t)bytes;
	m->run = mmap(NULL, m->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		      m->vcpu, 0);
	if (m->run == MAP_FAILED)
		return "mmap of the vCPU";
	return set_registers(m) ? "KVM_SET_REGS" : NULL;
}

static double exit_batch(struct bench *b, void *ctx, char *why, size_t size)
{
	const struct vm *m = ctx;
	u64 begin = tclock_read(&b->clock), ticks;

	if (ioctl(m->vcpu, KVM_RUN, 0)) {
		snprintf(why, size, "KVM_RUN: %s", strerror(errno));
		return -1;
	}
	ticks = tclock_read(&b->clock) - begin;
	if (m->run->exit_reason != KVM_EXIT_IO ||
	    m->run->io.port != DONE_PORT) {
		snprintf(why, size, "the guest ended with exit reason %u",
			 m->run->exit_reason);
		return -1;
	}
	return (double)ticks / EXITS;
}

void measure_vm_exit(struct bench *b, struct primitive *p)
{
	const char *failed;
	struct vm m;

	if (!has_vmx_or_svm()) {
		snprintf(p->why, sizeof(p->why),
			 "this CPU shows neither VMX nor SVM");
		return;
	}
	failed = vm_begin(&m);
	if (failed)
		snprintf(p->why, sizeof(p->why), "%s: %s", failed,
			 strerror(errno));
	else
		measure(b, p, exit_batch, &m);
	vm_end(&m);
}
#else
void measure_vm_exit(struct bench *b, struct primitive *p)
{
	(void)b;
	snprintf(p->why, sizeof(p->why), "not an x86 CPU");
}
#endif
