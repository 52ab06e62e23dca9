/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls that are taken over, /dev/kvm, and VMs. */
#define _GNU_SOURCE /* memfd_create */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/fake_kvm.h"

/* Weak: tests that are not linked with --wrap have neither. */
#define REAL __attribute__((weak))
extern int __real_open(const char *path, int flags, ...) REAL;
extern int __real_close(int fd) REAL;
extern int __real_ioctl(int fd, unsigned long request, ...) REAL;
extern void *__real_mmap(void *at, size_t bytes, int prot, int flags, int fd,
			 off_t offset) REAL;
extern int __real_munmap(void *at, size_t bytes) REAL;
extern int __real_fallocate(int fd, int mode, off_t offset, off_t bytes) REAL;
extern void *__real_calloc(size_t n, size_t bytes) REAL;
int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_ioctl(int fd, unsigned long request, void *arg);
void *__wrap_mmap(void *at, size_t bytes, int prot, int flags, int fd,
		  off_t offset);
int __wrap_munmap(void *at, size_t bytes);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);

enum object { NOTHING, SYSTEM, VM, VCPU, GMEM };

struct fake_options fake_options;
struct fake_counts fake_counts;
struct fake_vm fake_vm;

static enum object kind[FAKE_FDS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t mapped; /* bytes */
static const char *complaint;
static struct {
	unsigned calls, nth, error;
	const char *failed; /* name */
	int with;
} plan;

/* Above 0: the caller is this fake itself. */
static _Thread_local unsigned inside;

/* ------------------------------------------------------------ for tests */

void fake_kvm_begin(const struct fake_options *options)
{
	free(fake_vm.page);
	fake_options = *options;
	memset(&fake_counts, 0, sizeof(fake_counts));
	memset(&fake_vm, 0, sizeof(fake_vm));
	memset(&plan, 0, sizeof(plan));
	memset(kind, 0, sizeof(kind));
	mapped = 0;
	complaint = NULL;
}

unsigned fake_kvm_left(void)
{
	unsigned n = mapped != 0, i;

	for (i = 0; i < FAKE_FDS; i++)
		n += kind[i] != NOTHING;
	return n;
}

const char *fake_kvm_complaint(void)
{
	return complaint;
}

void fake_kvm_fail(unsigned nth, unsigned error)
{
	plan.nth = nth;
	plan.error = error;
	plan.calls = 0;
}

const char *fake_kvm_failed(int *error)
{
	*error = plan.with;
	return plan.failed;
}

struct fake_counts fake_kvm_counts(void)
{
	return fake_counts;
}

int fake_expected(int error)
{
	errno = error;
	return -1;
}

int fake_refuse(int error, const char *what)
{
	if (!complaint)
		complaint = what;
	return fake_expected(error);
}

/* Is this the call that has to fail?  Errors end with 0. */
static bool fails(const char *name, const int *errors)
{
	unsigned i;

	if (inside || !plan.nth || ++plan.calls != plan.nth)
		return false;
	for (i = 0; i < plan.error && errors[i]; i++)
		;
	if (!errors[i])
		return false;
	plan.failed = name;
	plan.with = errors[i];
	errno = errors[i];
	return true;
}

/* -------------------------------------------------------------- objects */

static int new_object(enum object what, const char *name, size_t bytes)
{
	int fd = (int)syscall(SYS_memfd_create, name, MFD_CLOEXEC);

	if (fd < 0 || fd >= FAKE_FDS || ftruncate(fd, (off_t)bytes))
		abort();
	kind[fd] = what;
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
		return kind[fd] == SYSTEM	? 1024
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
	return new_object(VM, "vm", 0);
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
		.fd = new_object(VCPU, "vcpu", FAKE_RUN_BYTES),
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
	    (r->guest_memfd >= FAKE_FDS || kind[r->guest_memfd] != GMEM))
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
	return new_object(GMEM, "guest_memfd", g->size);
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
	enum object of;
	int (*fn)(int fd, void *arg);
	const int *errors;
} calls[] = {
	CALL(SYSTEM, KVM_GET_API_VERSION, get_api_version, ERRORS(EINVAL)),
	CALL(SYSTEM, KVM_CHECK_EXTENSION, check_extension, ERRORS(EINVAL)),
	CALL(VM, KVM_CHECK_EXTENSION, check_extension, ERRORS(EINVAL)),
	CALL(SYSTEM, KVM_CREATE_VM, create_vm,
	     ERRORS(ENOMEM, EINVAL, EOPNOTSUPP, EMFILE)),
	CALL(SYSTEM, KVM_GET_VCPU_MMAP_SIZE, get_mmap_size, ERRORS(EINVAL)),
	CALL(SYSTEM, KVM_GET_SUPPORTED_CPUID, get_supported_cpuid,
	     ERRORS(E2BIG, ENOMEM, EFAULT)),
	CALL(VM, KVM_ENABLE_CAP, enable_cap, ERRORS(EINVAL, EEXIST, EIO)),
	CALL(VM, KVM_CREATE_VCPU, create_vcpu,
	     ERRORS(EINVAL, EEXIST, ENOMEM, EIO, EMFILE)),
	CALL(VM, KVM_SET_USER_MEMORY_REGION, set_slot,
	     ERRORS(EINVAL, EEXIST, ENOMEM, EIO)),
	CALL(VM, KVM_SET_USER_MEMORY_REGION2, set_slot2,
	     ERRORS(EINVAL, EEXIST, ENOMEM, EBADF, EIO)),
	CALL(VM, KVM_SET_MEMORY_ATTRIBUTES, set_attributes,
	     ERRORS(EINVAL, ENOMEM, EAGAIN, EIO)),
	CALL(VM, KVM_CREATE_GUEST_MEMFD, create_gmem,
	     ERRORS(EINVAL, ENOMEM, EMFILE, EIO)),
	CALL(VM, KVM_SIGNAL_MSI, signal_msi, ERRORS(EINVAL, EIO)),
	CALL(VM, KVM_MEMORY_ENCRYPT_OP, encrypt_vm,
	     ERRORS(EINVAL, EBUSY, EAGAIN, EIO, ENOMEM, E2BIG)),
	CALL(VCPU, KVM_MEMORY_ENCRYPT_OP, encrypt_vcpu,
	     ERRORS(EINVAL, EBUSY, EINTR, EIO, ENOMEM, E2BIG)),
	CALL(VCPU, KVM_SET_CPUID2, set_cpuid2, ERRORS(EINVAL, ENOMEM, EIO)),
	CALL(VCPU, KVM_GET_TSC_KHZ, get_tsc_khz, ERRORS(EIO)),
	CALL(VCPU, KVM_PRE_FAULT_MEMORY, prefault,
	     ERRORS(EINVAL, EINTR, EAGAIN, EIO)),
	CALL(VCPU, KVM_RUN, run,
	     ERRORS(EINTR, EAGAIN, EIO, EINVAL, EFAULT, ENOMEM)),
	CALL(VCPU, KVM_GET_SREGS, protected, ERRORS(EINVAL)),
	CALL(VCPU, KVM_SET_SREGS, protected, ERRORS(EINVAL)),
	CALL(VCPU, KVM_SET_REGS, protected, ERRORS(EINVAL)),
};

static const struct call *find_call(enum object of, unsigned long request)
{
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (calls[i].of == of && calls[i].request == request)
			return &calls[i];
	}
	return NULL;
}

static int dispatch(int fd, unsigned long request, void *arg)
{
	const struct call *call = find_call(kind[fd], request);
	int status;

	if (!call) /* statistics, for one */
		return fake_expected(ENOTTY);
	if (fails(call->name, call->errors))
		return -1;
	if (fake_vm.bugged && call->of != SYSTEM)
		return fake_expected(EIO);
	inside++;
	status = call->fn(fd, arg);
	inside--;
	return status;
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	int status;

	if (fd < 0 || fd >= FAKE_FDS || kind[fd] == NOTHING)
		return __real_ioctl(fd, request, arg);
	pthread_mutex_lock(&lock);
	status = dispatch(fd, request, arg);
	pthread_mutex_unlock(&lock);
	return status;
}

int __wrap_open(const char *path, int flags, ...)
{
	if (strcmp(path, "/dev/kvm"))
		return __real_open(path, flags, 0600);
	if (fails("open", ERRORS(ENOENT, EACCES, EMFILE, EBUSY)))
		return -1;
	return new_object(SYSTEM, "kvm", 0);
}

int __wrap_close(int fd)
{
	if (fd < 0 || fd >= FAKE_FDS || kind[fd] == NOTHING)
		return __real_close(fd);
	pthread_mutex_lock(&lock);
	inside++;
	if (kind[fd] == VCPU)
		close_vcpu(vcpu_of(fd));
	if (kind[fd] == GMEM)
		fake_counts.released++;
	kind[fd] = NOTHING;
	inside--;
	pthread_mutex_unlock(&lock);
	return __real_close(fd);
}

void *__wrap_mmap(void *at, size_t bytes, int prot, int flags, int fd,
		  off_t offset)
{
	void *made;

	if (fails("mmap", ERRORS(ENOMEM)))
		return MAP_FAILED;
	made = __real_mmap(at, bytes, prot, flags, fd, offset);
	if (!inside && made != MAP_FAILED)
		__atomic_add_fetch(&mapped, bytes, __ATOMIC_RELAXED);
	return made;
}

int __wrap_munmap(void *at, size_t bytes)
{
	if (!inside)
		__atomic_sub_fetch(&mapped, bytes, __ATOMIC_RELAXED);
	return __real_munmap(at, bytes);
}

int __wrap_fallocate(int fd, int mode, off_t offset, off_t bytes)
{
	if (fails("fallocate", ERRORS(EIO, EINTR)))
		return -1;
	if (fd < 0 || fd >= FAKE_FDS || kind[fd] != GMEM)
		return __real_fallocate(fd, mode, offset, bytes);
	if (mode != (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE) ||
	    (offset | bytes) & 4095)
		return fake_refuse(EINVAL, "fallocate of a guest_memfd");
	pthread_mutex_lock(&lock);
	fake_punch(fd, (uint64_t)offset, (uint64_t)bytes);
	pthread_mutex_unlock(&lock);
	return __real_fallocate(fd, mode, offset, bytes);
}

void *__wrap_calloc(size_t n, size_t bytes)
{
	return fails("calloc", ERRORS(ENOMEM)) ? NULL : __real_calloc(n, bytes);
}

void fake_lock(void)
{
	pthread_mutex_lock(&lock);
}

void fake_unlock(void)
{
	pthread_mutex_unlock(&lock);
}
