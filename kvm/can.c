/* SPDX-License-Identifier: GPL-2.0-only */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kvm/can.h"
#include "kvm/memory.h"

/* ECX of leaf 1 and, of SVM, of leaf 0x80000001. */
#define CPUID_VMX	 (1u << 5)
#define CPUID_HYPERVISOR (1u << 31)
#define CPUID_SVM	 (1u << 2)

/* ----------------------------------------------------------------- asking */

static const struct cap {
	const char *name;
	unsigned long number;
	size_t at; /* in struct kvm_answers */
} caps[] = {
#define CAP(name, member)                                                      \
	{                                                                      \
#name, name, offsetof(struct kvm_answers, member)              \
	}
	CAP(KVM_CAP_VM_TYPES, vm_types),
	CAP(KVM_CAP_GUEST_MEMFD, guest_memfd),
	CAP(KVM_CAP_GUEST_MEMFD_FLAGS, guest_memfd_flags),
	CAP(KVM_CAP_MEMORY_ATTRIBUTES, attributes),
	CAP(KVM_CAP_PRE_FAULT_MEMORY, pre_fault),
	CAP(KVM_CAP_BINARY_STATS_FD, stats),
#undef CAP
};

enum { VM_TYPES, GUEST_MEMFD, FLAGS, ATTRIBUTES, PRE_FAULT, STATS, NR_CAPS };

_Static_assert(sizeof(caps) / sizeof(*caps) == NR_CAPS, "one name each");

void kvm_ask_vm(struct kvm_answers *a, int vm)
{
	size_t i;

	for (i = 0; i < NR_CAPS; i++) {
		int value = ioctl(vm, KVM_CHECK_EXTENSION, caps[i].number);

		*(unsigned *)((char *)a + caps[i].at) =
			value < 0 ? 0 : (unsigned)value;
	}
}

static void ask_cpu(struct kvm_answers *a)
{
	unsigned eax, ebx, ecx = 0, edx;

	if (__get_cpuid(1, &eax, &ebx, &ecx, &edx)) {
		a->hypervisor = ecx & CPUID_HYPERVISOR;
		if (ecx & CPUID_VMX)
			a->cpu = KVM_CPU_VMX;
	}
	if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) &&
	    (ecx & CPUID_SVM))
		a->cpu = KVM_CPU_SVM;
}

int kvm_ask(struct kvm_answers *a, const char *path)
{
	struct utsname name;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	*a = (struct kvm_answers){.error = fd < 0 ? errno : 0};
	ask_cpu(a);
	if (uname(&name) == 0)
		sscanf(name.release, "%u.%u", &a->major, &a->minor);
	if (fd < 0)
		return -1;
	a->api = ioctl(fd, KVM_GET_API_VERSION, 0);
	kvm_ask_vm(a, fd);
	return fd;
}

/* ---------------------------------------------------------------- judging */

/* NULL: whatever that is not in the rows above. */
static const struct closed {
	int error;
	const char *cure;
} closed[] = {
	{EACCES, "sudo usermod -aG kvm $USER, and log in again"},
	{EPERM, "a container or policy that lets /dev/kvm in"},
	{EBUSY, "no other hypervisor that holds VMX: lsmod"},
	{0, ""},
};

static const char *closed_cure(int error)
{
	const struct closed *row = closed;

	while (row->error && row->error != error)
		row++;
	return row->cure;
}

/* No device, or nothing behind it: no module has been loaded. */
static void say_absent(const struct kvm_answers *a, struct ability *ability)
{
	static const char *const cure[] = {
		[KVM_CPU_VMX] = "sudo modprobe kvm_intel",
		[KVM_CPU_SVM] = "sudo modprobe kvm_amd",
		[KVM_CPU_NEITHER] = "VMX or SVM switched on in the firmware",
	};

	snprintf(ability->why, sizeof(ability->why), "no /dev/kvm%s",
		 a->cpu == KVM_CPU_NEITHER
			 ? ", and the CPU shows neither VMX nor SVM"
			 : "");
	ability->cure = a->cpu == KVM_CPU_NEITHER && a->hypervisor
				? "nested virtualization of the hypervisor: "
				  "kvm_intel.nested=1 or kvm_amd.nested=1"
				: cure[a->cpu];
}

bool kvm_can_run(const struct kvm_answers *a, struct ability *ability)
{
	*ability = (struct ability){.what = "VMs of /dev/kvm", .cure = ""};
	if (a->error == ENOENT || a->error == ENODEV || a->error == ENXIO) {
		say_absent(a, ability);
	} else if (a->error) {
		snprintf(ability->why, sizeof(ability->why), "/dev/kvm: %s",
			 strerror(a->error));
		ability->cure = closed_cure(a->error);
	} else if (a->api != KVM_API_VERSION) {
		snprintf(ability->why, sizeof(ability->why),
			 "/dev/kvm: API version %d, expected %d", a->api,
			 KVM_API_VERSION);
		ability->cure = "Linux 2.6.22 or newer";
	}
	return !ability->why[0];
}

/** So many bits of a capability must be there. */
struct need {
	unsigned cap;
	uint64_t bits; /* 0: nothing is needed */
};

static bool has_all(const struct kvm_answers *a, const struct need *need,
		    size_t n, struct ability *ability)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct cap *cap = &caps[need[i].cap];
		unsigned has = *(const unsigned *)((const char *)a + cap->at);

		if ((has & need[i].bits) == need[i].bits)
			continue;
		snprintf(ability->why, sizeof(ability->why),
			 "%s is %#x, needed %#llx (Linux %u.%u)", cap->name,
			 has, (unsigned long long)need[i].bits, a->major,
			 a->minor);
		return false;
	}
	return true;
}

bool kvm_can_have(const struct kvm_answers *a, const struct memory_kind *kind,
		  struct ability *ability)
{
	const struct need needs[] = {
		{VM_TYPES, kind->vm_type ? 1ull << kind->vm_type : 0},
		{GUEST_MEMFD, kind->gmem},
		{FLAGS, kind->gmem_flags},
		{ATTRIBUTES, kind->private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0},
	};

	*ability = (struct ability){
		.name = kind->name, .what = kind->summary, .cure = kind->cure};
	return has_all(a, needs, sizeof(needs) / sizeof(*needs), ability);
}

/* -------------------------------------------------------------------- all */

/* What a workload or a metric needs besides memory. */
static const struct {
	const char *what, *cure;
	struct need need;
} extras[] = {
	{"pages given before they are touched (KVM_PRE_FAULT_MEMORY)",
	 "Linux 6.10 or newer, and two-dimensional paging",
	 {PRE_FAULT, 1}},
	{"KVM's own statistics", "Linux 5.14 or newer", {STATS, 1}},
};

static void ask_kind(const struct kvm_answers *kvm_says, int kvm,
		     const struct memory_kind *kind, struct ability *ability)
{
	struct kvm_answers a = *kvm_says;
	int vm;

	if (!kvm_can_have(&a, kind, ability))
		return;
	vm = ioctl(kvm, KVM_CREATE_VM, kind->vm_type);
	if (vm < 0) {
		ability->cure = closed_cure(errno);
		snprintf(ability->why, sizeof(ability->why),
			 "KVM_CREATE_VM: %s", strerror(errno));
		return;
	}
	kvm_ask_vm(&a, vm);
	close(vm);
	kvm_can_have(&a, kind, ability);
}

static size_t list_all(const struct kvm_answers *a, int kvm,
		       struct ability *list, size_t most)
{
	const struct memory_kind *kind;
	size_t n = 0, i;

	for (kind = memory_kinds; kind->name && n < most; kind++)
		ask_kind(a, kvm, kind, &list[n++]);
	for (i = 0; i < sizeof(extras) / sizeof(*extras) && n < most; i++) {
		list[n] = (struct ability){.what = extras[i].what,
					   .cure = extras[i].cure};
		has_all(a, &extras[i].need, 1, &list[n++]);
	}
	return n;
}

size_t kvm_abilities(struct ability *list, size_t most)
{
	struct kvm_answers a;
	struct ability all;
	int kvm = kvm_ask(&a, "/dev/kvm");
	size_t n = kvm_can_run(&a, &all) ? list_all(&a, kvm, list, most) : 0;

	if (kvm >= 0)
		close(kvm);
	return n;
}
