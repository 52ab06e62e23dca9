/* SPDX-License-Identifier: GPL-2.0-only */
/* /dev/kvm, and VMs. */
#define _GNU_SOURCE /* memfd_create */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/fake_kvm.h"

/* -------------------------------------------------------------- objects */

int fake_object(enum fake_object what, const char *name, size_t bytes)
{
	int fd = (int)syscall(SYS_memfd_create, name, MFD_CLOEXEC);

	if (fd < 0 || fd >= FAKE_FDS || ftruncate(fd, (off_t)bytes))
		abort();
	fake_kind[fd] = what;
	return fd;
}

static struct fake_vcpu *vcpu_of(int fd)
{
	unsigned i;

	for (i = 0; i < fake_vm.nvcpus; i++) {
		if (fake_vm.vcpu[i].fd == fd)
			return &fake_vm.vcpu[i];
	}
	abort();
}

static void close_vcpu(struct fake_vcpu *vcpu)
{
	if (vcpu->started)
		context_destroy(&vcpu->guest);
	munmap(vcpu->run, FAKE_RUN_BYTES);
	vcpu->fd = -1;
}

void fake_object_close(int fd)
{
	if (fake_kind[fd] == FAKE_VCPU)
		close_vcpu(vcpu_of(fd));
	if (fake_kind[fd] == FAKE_GMEM)
		fake_counts.released++;
	fake_kind[fd] = FAKE_NOTHING;
}

/* --------------------------------------------------------------- /dev/kvm */

static int get_api_version(int fd, void *arg)
{
	(void)fd;
	return arg ? fake_refuse(EINVAL, "KVM_GET_API_VERSION: argument")
		   : KVM_API_VERSION;
}

static int check_extension(int fd, void *arg)
{
	static const struct {
		unsigned long cap;
		int value;
	} caps[] = {
		{KVM_CAP_SPLIT_IRQCHIP, 1},
		{KVM_CAP_X2APIC_API, 3},
		{KVM_CAP_EXIT_HYPERCALL, 1 << KVM_HC_MAP_GPA_RANGE},
		{KVM_CAP_USER_MEMORY2, 1},
		{KVM_CAP_MEMORY_FAULT_INFO, 1},
		{KVM_CAP_MEMORY_ATTRIBUTES, KVM_MEMORY_ATTRIBUTE_PRIVATE},
		{KVM_CAP_GUEST_MEMFD, 1},
		{KVM_CAP_PRE_FAULT_MEMORY, 1},
	};
	unsigned long cap = (uintptr_t)arg;
	size_t i;

	if (cap == KVM_CAP_VM_TYPES)
		return fake_options.only_ordinary ? 1 : 1 | 1 << KVM_X86_TDX_VM;
	if (cap == KVM_CAP_MAX_VCPUS)
		return fake_kind[fd] == FAKE_SYSTEM ? 1024
		       : fake_options.max_vcpus ? (int)fake_options.max_vcpus
						: 8;
	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		if (caps[i].cap == cap)
			return caps[i].value;
	}
	return 0;
}

static int create_vm(int fd, void *arg)
{
	unsigned long type = (uintptr_t)arg;

	(void)fd;
	if (type != KVM_X86_DEFAULT_VM &&
	    (type != KVM_X86_TDX_VM || fake_options.only_ordinary))
		return fake_refuse(EINVAL, "KVM_CREATE_VM: type");
	fake_vm.type = type;
	fake_vm.page = calloc(FAKE_GFNS, 1);
	if (!fake_vm.page)
		abort();
	return fake_object(FAKE_VM, "vm", 0);
}

static int get_mmap_size(int fd, void *arg)
{
	(void)fd;
	return arg ? fake_refuse(EINVAL, "KVM_GET_VCPU_MMAP_SIZE: argument")
		   : FAKE_RUN_BYTES;
}

static int get_supported_cpuid(int fd, void *arg)
{
	(void)fd;
	return fake_cpuid_supported(arg) ? 0 : fake_expected(E2BIG);
}

/* -------------------------------------------------------------------- VMs */

static int enable_cap(int fd, void *arg)
{
	const struct kvm_enable_cap *cap = arg;
	uint64_t rest = cap->args[1] | cap->args[2] | cap->args[3];

	(void)fd;
	if (cap->flags || rest)
		return fake_refuse(EINVAL, "KVM_ENABLE_CAP: flags, arguments");
	switch (cap->cap) {
	case KVM_CAP_X2APIC_API:
		if (cap->args[0] & ~3ull)
			return fake_refuse(EINVAL, "KVM_CAP_X2APIC_API");
		fake_vm.x2apic_api = cap->args[0] == 3;
		return 0;
	case KVM_CAP_SPLIT_IRQCHIP:
		if (cap->args[0] > 4096 || fake_vm.split_irqchip ||
		    fake_vm.nvcpus)
			return fake_refuse(EEXIST, "KVM_CAP_SPLIT_IRQCHIP");
		fake_vm.split_irqchip = true;
		return 0;
	case KVM_CAP_EXIT_HYPERCALL:
		if (cap->args[0] & ~(1ull << KVM_HC_MAP_GPA_RANGE))
			return fake_refuse(EINVAL, "KVM_CAP_EXIT_HYPERCALL");
		fake_vm.hypercalls = cap->args[0] != 0;
		return 0;
	default:
		return fake_refuse(EINVAL, "KVM_ENABLE_CAP: capability");
	}
}

static int create_vcpu(int fd, void *arg)
{
	uint32_t id = (uint32_t)(uintptr_t)arg, i;
	struct fake_vcpu *vcpu = &fake_vm.vcpu[fake_vm.nvcpus];

	(void)fd;
	if (fake_vm.type == KVM_X86_TDX_VM && fake_vm.td == TD_NONE)
		return fake_refuse(EIO, "KVM_CREATE_VCPU before INIT_VM");
	if (fake_vm.type == KVM_X86_TDX_VM && !fake_vm.split_irqchip)
		return fake_refuse(EINVAL, "KVM_CREATE_VCPU: irqchip");
	if (fake_vm.nvcpus == FAKE_VCPUS || id >= FAKE_VCPUS)
		return fake_refuse(EINVAL, "KVM_CREATE_VCPU: too many");
	for (i = 0; i < fake_vm.nvcpus; i++) {
		if (fake_vm.vcpu[i].id == id)
			return fake_refuse(EEXIST, "KVM_CREATE_VCPU: number");
	}
	*vcpu = (struct fake_vcpu){
		.vm = &fake_vm,
		.fd = fake_object(FAKE_VCPU, "vcpu", FAKE_RUN_BYTES),
		.id = id,
	};
	vcpu->run = mmap(NULL, FAKE_RUN_BYTES, PROT_READ | PROT_WRITE,
			 MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		abort();
	fake_vm.nvcpus++;
	return vcpu->fd;
}

static int set_slot(int fd, void *arg)
{
	const struct kvm_userspace_memory_region *r = arg;
	struct kvm_userspace_memory_region2 r2 = {
		.slot = r->slot,
		.flags = r->flags,
		.guest_phys_addr = r->guest_phys_addr,
		.memory_size = r->memory_size,
		.userspace_addr = r->userspace_addr,
	};

	(void)fd;
	return fake_set_slot(&r2, true);
}

static int set_slot2(int fd, void *arg)
{
	const struct kvm_userspace_memory_region2 *r = arg;

	(void)fd;
	if ((r->flags & KVM_MEM_GUEST_MEMFD) &&
	    (r->guest_memfd >= FAKE_FDS ||
	     fake_kind[r->guest_memfd] != FAKE_GMEM))
		return fake_refuse(EINVAL, "no guest_memfd of this VM");
	return fake_set_slot(r, false);
}

static int set_attributes(int fd, void *arg)
{
	(void)fd;
	return fake_set_attributes(arg);
}

static int create_gmem(int fd, void *arg)
{
	const struct kvm_create_guest_memfd *g = arg;

	(void)fd;
	if (fake_check_gmem(g))
		return -1;
	return fake_object(FAKE_GMEM, "guest_memfd", g->size);
}

static int signal_msi(int fd, void *arg)
{
	(void)fd;
	return fake_signal_msi(arg);
}

static int encrypt_vm(int fd, void *arg)
{
	(void)fd;
	if (fake_vm.type != KVM_X86_TDX_VM)
		return fake_refuse(ENOTTY, "KVM_MEMORY_ENCRYPT_OP of a VM");
	return fake_td_command(arg, NULL);
}

/* ------------------------------------------------------------------ vCPUs */

static int encrypt_vcpu(int fd, void *arg)
{
	return fake_td_command(arg, vcpu_of(fd));
}

static int set_cpuid2(int fd, void *arg)
{
	const struct kvm_cpuid2 *cpuid = arg;
	struct fake_vcpu *vcpu = vcpu_of(fd);
	uint32_t i;

	if (vcpu->started)
		return fake_refuse(EINVAL, "KVM_SET_CPUID2 after KVM_RUN");
	vcpu->x2apic = false;
	for (i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == 1)
			vcpu->x2apic = cpuid->entries[i].ecx >> 21 & 1;
	}
	return 0;
}

static int get_tsc_khz(int fd, void *arg)
{
	(void)fd;
	return arg ? fake_refuse(EINVAL, "KVM_GET_TSC_KHZ: argument") : 1000000;
}

static int prefault(int fd, void *arg)
{
	(void)fd;
	return fake_prefault(arg);
}

static int run(int fd, void *arg)
{
	struct fake_vcpu *vcpu = vcpu_of(fd);

	return arg ? fake_refuse(EINVAL, "KVM_RUN: argument") : fake_run(vcpu);
}

/* What the driver may ask of a TD and has to be told no. */
static int protected(int fd, void *arg)
{
	(void)fd;
	(void)arg;
	return fake_refuse(EINVAL, "registers of a TD");
}

/* --------------------------------------------------------------- the calls */

#define ERRORS(...) ((const int[]){__VA_ARGS__, 0})
#define CALL(object, request, ...)                                             \
	{                                                                      \
#request, request, object, __VA_ARGS__                         \
	}

static const struct call {
	const char *name;
	unsigned long request;
	enum fake_object of;
	int (*fn)(int fd, void *arg);
	const int *errors;
} calls[] = {
	CALL(FAKE_SYSTEM, KVM_GET_API_VERSION, get_api_version, ERRORS(EINVAL)),
	CALL(FAKE_SYSTEM, KVM_CHECK_EXTENSION, check_extension, ERRORS(EINVAL)),
	CALL(FAKE_VM, KVM_CHECK_EXTENSION, check_extension, ERRORS(EINVAL)),
	CALL(FAKE_SYSTEM, KVM_CREATE_VM, create_vm,
	     ERRORS(ENOMEM, EINVAL, EOPNOTSUPP, EMFILE)),
	CALL(FAKE_SYSTEM, KVM_GET_VCPU_MMAP_SIZE, get_mmap_size,
	     ERRORS(EINVAL)),
	CALL(FAKE_SYSTEM, KVM_GET_SUPPORTED_CPUID, get_supported_cpuid,
	     ERRORS(E2BIG, ENOMEM, EFAULT)),
	CALL(FAKE_VM, KVM_ENABLE_CAP, enable_cap, ERRORS(EINVAL, EEXIST, EIO)),
	CALL(FAKE_VM, KVM_CREATE_VCPU, create_vcpu,
	     ERRORS(EINVAL, EEXIST, ENOMEM, EIO, EMFILE)),
	CALL(FAKE_VM, KVM_SET_USER_MEMORY_REGION, set_slot,
	     ERRORS(EINVAL, EEXIST, ENOMEM, EIO)),
	CALL(FAKE_VM, KVM_SET_USER_MEMORY_REGION2, set_slot2,
	     ERRORS(EINVAL, EEXIST, ENOMEM, EBADF, EIO)),
	CALL(FAKE_VM, KVM_SET_MEMORY_ATTRIBUTES, set_attributes,
	     ERRORS(EINVAL, ENOMEM, EAGAIN, EIO)),
	CALL(FAKE_VM, KVM_CREATE_GUEST_MEMFD, create_gmem,
	     ERRORS(EINVAL, ENOMEM, EMFILE, EIO)),
	CALL(FAKE_VM, KVM_SIGNAL_MSI, signal_msi, ERRORS(EINVAL, EIO)),
	CALL(FAKE_VM, KVM_MEMORY_ENCRYPT_OP, encrypt_vm,
	     ERRORS(EINVAL, EBUSY, EAGAIN, EIO, ENOMEM, E2BIG)),
	CALL(FAKE_VCPU, KVM_MEMORY_ENCRYPT_OP, encrypt_vcpu,
	     ERRORS(EINVAL, EBUSY, EINTR, EIO, ENOMEM, E2BIG)),
	CALL(FAKE_VCPU, KVM_SET_CPUID2, set_cpuid2,
	     ERRORS(EINVAL, ENOMEM, EIO)),
	CALL(FAKE_VCPU, KVM_GET_TSC_KHZ, get_tsc_khz, ERRORS(EIO)),
	CALL(FAKE_VCPU, KVM_PRE_FAULT_MEMORY, prefault,
	     ERRORS(EINVAL, EINTR, EAGAIN, EIO)),
	CALL(FAKE_VCPU, KVM_RUN, run,
	     ERRORS(EINTR, EAGAIN, EIO, EINVAL, EFAULT, ENOMEM)),
	CALL(FAKE_VCPU, KVM_GET_SREGS, protected, ERRORS(EINVAL)),
	CALL(FAKE_VCPU, KVM_SET_SREGS, protected, ERRORS(EINVAL)),
	CALL(FAKE_VCPU, KVM_SET_REGS, protected, ERRORS(EINVAL)),
};

static const struct call *find_call(enum fake_object of, unsigned long request)
{
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (calls[i].of == of && calls[i].request == request)
			return &calls[i];
	}
	return NULL;
}

int fake_ioctl(int fd, unsigned long request, void *arg)
{
	const struct call *call = find_call(fake_kind[fd], request);
	int status;

	if (!call) /* statistics, for one */
		return fake_expected(ENOTTY);
	if (fake_fails(call->name, call->errors))
		return -1;
	if (fake_vm.bugged && call->of != FAKE_SYSTEM)
		return fake_expected(EIO);
	fake_inside++;
	status = call->fn(fd, arg);
	fake_inside--;
	return status;
}
