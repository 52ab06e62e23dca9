/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm/vmm.h"

#define BYTES_2M    (2ull << 20)
#define GIB	    (1ull << 30)
#define IMAGE_BYTES 0x10000ull

enum { SLOT_MEMORY, SLOT_CONTROL, SLOT_IMAGE, SLOT_PRIVATE };

extern const char agent_image[], agent_image_end[];

/* ----------------------------------------------------------- what is here */

int vmm_open(struct kvm_answers *answers, char *why, size_t size)
{
	struct ability ability;
	int fd = kvm_ask(answers, "/dev/kvm");

	if (kvm_can_run(answers, &ability))
		return fd;
	ability_line(&ability, why, size);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* ---------------------------------------------------------------- control */

/* Present, writable, accessed and dirty; of a PD also the page size. */
enum { TABLE_ENTRY = 0x63, PAGE_ENTRY = 0xe3 };

/* A PD with 1 GiB from `gpa`, and the entry of the PDPT for it. */
static uint64_t *make_pd(uint64_t *tables, uint32_t index, uint64_t gpa)
{
	uint64_t *pdpt = tables + 512, *pd = pdpt + 512 * (index + 1ull);
	uint32_t i;

	pdpt[gpa >> 30] = AGENT_TABLES + 4096ull * (index + 2) + TABLE_ENTRY;
	for (i = 0; i < 512; i++)
		pd[i] = gpa + i * BYTES_2M + PAGE_ENTRY;
	return pd;
}

/* The two GiB below 4, and memory as far as it goes. */
static void make_tables(const struct vmm *vm)
{
	uint64_t *tables = (uint64_t *)vm->private;
	uint32_t i;

	tables[0] = AGENT_TABLES + 4096ull + TABLE_ENTRY;
	make_pd(tables, 0, AGENT_TABLES);
	make_pd(tables, 1, AGENT_CONTROL);
	for (i = 0; i * GIB < vm->memory.bytes; i++)
		make_pd(tables, i + 2, AGENT_MEMORY + i * GIB);
}

/* What agent and host share, what the agent has for itself, and the image. */
static int make_control(struct vmm *vm, struct err *e)
{
	vm->control_bytes = (vm->nvcpus + 1ull) << AGENT_BOX_SHIFT;
	vm->private_bytes = AGENT_STACKS - AGENT_TABLES +
			    ((size_t)vm->nvcpus << AGENT_STACK_SHIFT);
	vm->control = memory_map(vm->control_bytes);
	vm->private = memory_map(vm->private_bytes);
	vm->image = memory_map(IMAGE_BYTES);
	if (!vm->control || !vm->private || !vm->image)
		return err_set(e, EXIT_FAILED, "kvm: out of memory");
	make_tables(vm);
	memcpy(vm->image, agent_image, (size_t)(agent_image_end - agent_image));
	if (memory_plain_slot(vm->fd, SLOT_CONTROL, AGENT_CONTROL, vm->control,
			      vm->control_bytes) ||
	    memory_plain_slot(vm->fd, SLOT_PRIVATE, AGENT_TABLES, vm->private,
			      vm->private_bytes) ||
	    memory_plain_slot(vm->fd, SLOT_IMAGE, AGENT_IMAGE, vm->image,
			      IMAGE_BYTES))
		return err_set(e, EXIT_FAILED, "KVM_SET_USER_MEMORY_REGION: %s",
			       strerror(errno));
	return 0;
}

/* ------------------------------------------------------------------ vCPUs */

/* All that KVM can give, so that the guest has long mode and its pages. */
static int set_cpuid(const struct vmm *vm, int fd)
{
	enum { MOST = 512 };
	struct kvm_cpuid2 *cpuid = calloc(
		1, sizeof(*cpuid) + MOST * sizeof(struct kvm_cpuid_entry2));
	int status = -1;

	if (cpuid) {
		cpuid->nent = MOST;
		status = ioctl(vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid) ||
			 ioctl(fd, KVM_SET_CPUID2, cpuid);
	}
	free(cpuid);
	return status;
}

static int make_vcpu(struct vmm *vm, uint32_t index, struct err *e)
{
	struct vmm_vcpu *vcpu = &vm->vcpu[index];
	const char *what = "KVM_CREATE_VCPU";
	int khz;

	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)index);
	if (vcpu->fd < 0)
		goto failed;
	what = "mmap of a vCPU";
	vcpu->run = mmap(NULL, vm->run_bytes, PROT_READ | PROT_WRITE,
			 MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		vcpu->run = NULL;
		goto failed;
	}
	what = "KVM_SET_CPUID2";
	if (set_cpuid(vm, vcpu->fd))
		goto failed;
	what = "KVM_SET_SREGS";
	if (vmm_start_state(vcpu->fd, index))
		goto failed;
	what = "KVM_GET_TSC_KHZ";
	khz = ioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0);
	if (khz <= 0)
		goto failed;
	vmm_box(vm, index)->ns_mult = (1000000ull << 32) / (unsigned)khz;
	return 0;
failed:
	return err_set(e, EXIT_FAILED, "kvm: vCPU %u: %s: %s", index, what,
		       strerror(errno));
}

/* ---------------------------------------------------------------- the VM */

static int refuse(const struct memory_kind *kind, const struct ability *ability,
		  struct err *e)
{
	char why[320];

	ability_line(ability, why, sizeof(why));
	return err_set(e, EXIT_UNSUPPORTED, "memory %s: %s", kind->name, why);
}

static int make_vm(struct vmm *vm, const struct memory_kind *kind,
		   struct err *e)
{
	struct kvm_answers answers;
	struct ability ability;
	char why[320];
	int bytes;

	vm->kvm = vmm_open(&answers, why, sizeof(why));
	if (vm->kvm < 0)
		return err_set(e, EXIT_UNSUPPORTED, "kvm: %s", why);
	if (!kvm_can_have(&answers, kind, &ability))
		return refuse(kind, &ability, e);
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, kind->vm_type);
	bytes = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (vm->fd < 0 || bytes <= 0)
		return err_set(e, EXIT_FAILED, "KVM_CREATE_VM: %s",
			       strerror(errno));
	vm->run_bytes = (size_t)bytes;
	kvm_ask_vm(&answers, vm->fd);
	return kvm_can_have(&answers, kind, &ability)
		       ? 0
		       : refuse(kind, &ability, e);
}

static int create(struct vmm *vm, const struct vmm_shape *shape, struct err *e)
{
	size_t bytes = (shape->pages * 4096 + BYTES_2M - 1) & -BYTES_2M;
	uint32_t i;

	if (make_vm(vm, shape->memory, e) ||
	    memory_make(&vm->memory, shape->memory, vm->fd, AGENT_MEMORY, bytes,
			shape->huge, e) ||
	    make_control(vm, e))
		return -1;
	for (i = 0; i < vm->nvcpus; i++) {
		if (make_vcpu(vm, i, e))
			return -1;
	}
	return 0;
}

int vmm_create(struct vmm *vm, const struct vmm_shape *shape, struct err *e)
{
	uint32_t i;

	*vm = (struct vmm){.kvm = -1, .fd = -1, .memory = {.gmem = -1}};
	vm->vcpu = calloc(shape->vcpus, sizeof(*vm->vcpu));
	if (!vm->vcpu)
		return err_set(e, EXIT_FAILED, "kvm: out of memory");
	vm->nvcpus = shape->vcpus;
	for (i = 0; i < vm->nvcpus; i++)
		vm->vcpu[i].fd = -1;
	if (create(vm, shape, e) == 0)
		return 0;
	vmm_close(vm);
	return -1;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void unmap(char **at, size_t bytes)
{
	if (*at)
		munmap(*at, bytes);
	*at = NULL;
}

void vmm_release(struct vmm *vm)
{
	uint32_t i;

	for (i = 0; vm->vcpu && i < vm->nvcpus; i++) {
		if (vm->vcpu[i].run)
			munmap(vm->vcpu[i].run, vm->run_bytes);
		close_fd(&vm->vcpu[i].fd);
	}
	free(vm->vcpu);
	vm->vcpu = NULL;
	close_fd(&vm->fd);
	close_fd(&vm->kvm);
	memory_free(&vm->memory);
}

void vmm_close(struct vmm *vm)
{
	vmm_release(vm);
	unmap(&vm->control, vm->control_bytes);
	unmap(&vm->private, vm->private_bytes);
	unmap(&vm->image, IMAGE_BYTES);
}

struct agent_shared *vmm_shared(const struct vmm *vm)
{
	return (struct agent_shared *)vm->control;
}

struct agent_box *vmm_box(const struct vmm *vm, uint32_t vcpu)
{
	return (struct agent_box *)(vm->control +
				    ((vcpu + 1ull) << AGENT_BOX_SHIFT));
}
