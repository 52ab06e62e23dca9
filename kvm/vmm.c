/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <linux/kvm_para.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm/td.h"
#include "kvm/vmm.h"

#define BYTES_2M    (2ull << 20)
#define GIB	    (1ull << 30)
#define IMAGE_BYTES 0x10000ull

/* The memory may be of several slots. */
enum { SLOT_CONTROL, SLOT_IMAGE, SLOT_OWN, SLOT_MEMORY };

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

/* In a TD all pages of control memory, which ends below the image. */
static void share_control(uint64_t *pd, size_t bytes)
{
	size_t i;

	for (i = 0; i * BYTES_2M < bytes; i++)
		pd[i] |= TD_SHARED_BIT;
}

/* The two GiB below 4, and memory as far as it goes. */
static void make_tables(const struct vmm *vm)
{
	uint64_t *tables = (uint64_t *)vm->own.at, *pd;
	uint32_t i;

	tables[0] = AGENT_TABLES + 4096ull + TABLE_ENTRY;
	make_pd(tables, 0, AGENT_TABLES);
	pd = make_pd(tables, 1, AGENT_CONTROL);
	if (vmm_is_td(vm))
		share_control(pd, vm->control_bytes);
	for (i = 0; i * GIB < vm->memory.bytes; i++)
		make_pd(tables, i + 2, AGENT_MEMORY + i * GIB);
}

/* What agent and host share; not private in any VM. */
static int make_control(struct vmm *vm, struct err *e)
{
	vm->control_bytes = (vm->nvcpus + 1ull) << AGENT_BOX_SHIFT;
	vm->control = memory_map(vm->control_bytes);
	if (!vm->control)
		return err_set(e, EXIT_FAILED, "kvm: out of memory");
	if (memory_plain_slot(vm->fd, SLOT_CONTROL, AGENT_CONTROL, vm->control,
			      vm->control_bytes))
		return err_set(e, EXIT_FAILED, "KVM_SET_USER_MEMORY_REGION: %s",
			       strerror(errno));
	return 0;
}

static int make_memory(struct vmm *vm, const struct vmm_shape *shape,
		       struct err *e)
{
	/* A guest_memfd that the host maps is for what is measured only. */
	const struct memory_kind *kind =
		vmm_is_td(vm) ? &memory_kind_td : &memory_kinds[0];
	const struct memory_place
		memory =
			{
				.vm = vm->fd,
				.slot = SLOT_MEMORY,
				.gpa = AGENT_MEMORY,
				.bytes = (shape->pages * 4096 + BYTES_2M - 1) &
					 -BYTES_2M,
				.huge = shape->huge,
				.own = shape->own,
				.nown = shape->nown,
			},
		own =
			{
				.vm = vm->fd,
				.slot = SLOT_OWN,
				.gpa = AGENT_TABLES,
				.bytes = AGENT_STACKS - AGENT_TABLES +
					 ((size_t)vm->nvcpus
					  << AGENT_STACK_SHIFT),
			},
		image = {
			.vm = vm->fd,
			.slot = SLOT_IMAGE,
			.gpa = AGENT_IMAGE,
			.bytes = IMAGE_BYTES,
		};

	if (memory_make(&vm->memory, shape->memory, &memory, e) ||
	    memory_make(&vm->own, kind, &own, e) ||
	    memory_make(&vm->image, kind, &image, e) || make_control(vm, e))
		return -1;
	make_tables(vm);
	memcpy(vm->image.at, agent_image,
	       (size_t)(agent_image_end - agent_image));
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

/* What a vCPU begins with; a TD's is the TDX module's choice. */
static int make_state(struct vmm *vm, uint32_t index, struct err *e)
{
	int fd = vm->vcpu[index].fd;
	const char *what = "KVM_SET_CPUID2";

	if (vmm_is_td(vm))
		return td_vcpu(fd, e);
	if (set_cpuid(vm, fd))
		goto failed;
	what = "KVM_SET_SREGS";
	if (vmm_start_state(fd, index))
		goto failed;
	return 0;
failed:
	return err_set(e, EXIT_FAILED, "kvm: vCPU %u: %s: %s", index, what,
		       strerror(errno));
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
	if (make_state(vm, index, e))
		return -1;
	if (index >= vm->nvcpus)
		return 0;
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

/* The guest's requests for conversions come out as exits. */
static int let_convert(const struct vmm *vm)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_EXIT_HYPERCALL,
		.args = {1ull << KVM_HC_MAP_GPA_RANGE},
	};

	return ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
}

static int make_vm(struct vmm *vm, const struct vmm_shape *shape, struct err *e)
{
	const struct memory_kind *kind = shape->memory;
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
	if (vm->fd < 0)
		return err_set(e, EXIT_FAILED, "KVM_CREATE_VM: %s",
			       strerror(errno));
	bytes = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (bytes <= 0)
		return err_set(e, EXIT_FAILED, "KVM_GET_VCPU_MMAP_SIZE: %s",
			       strerror(errno));
	vm->run_bytes = (size_t)bytes;
	kvm_ask_vm(&answers, vm->fd);
	if (!kvm_can_have(&answers, kind, &ability))
		return refuse(kind, &ability, e);
	if (shape->idle && !answers.pre_fault)
		return err_set(e, EXIT_UNSUPPORTED,
			       "KVM_CAP_PRE_FAULT_MEMORY of this VM is 0: it "
			       "takes Linux 6.10 or newer, and two-dimensional "
			       "paging");
	if (kind->vm_type == KVM_X86_SW_PROTECTED_VM && let_convert(vm))
		return err_set(e, EXIT_FAILED, "KVM_CAP_EXIT_HYPERCALL: %s",
			       strerror(errno));
	return 0;
}

/* Private memory that a TD begins with, and the end of its build. */
static int build_td(const struct vmm *vm, const struct vmm_shape *shape,
		    struct err *e)
{
	const struct memory *const parts[] = {&vm->own, &vm->image};
	size_t i;

	for (i = 0; i < 2; i++) {
		if (td_load(vm->vcpu[0].fd, parts[i]->gpa, parts[i]->at,
			    parts[i]->bytes, e))
			return -1;
	}
	return shape->unfinished ? 0 : td_finalize(vm->fd, e);
}

static int create(struct vmm *vm, const struct vmm_shape *shape, struct err *e)
{
	const struct td_shape td = {shape->vcpus + shape->idle,
				    shape->ve_disable};
	uint32_t i;

	if (make_vm(vm, shape, e))
		return -1;
	if (vmm_is_td(vm) && td_begin(vm->kvm, vm->fd, &td, e))
		return -1;
	if (make_memory(vm, shape, e))
		return -1;
	for (i = 0; i < vm->nvcpus + vm->nidle; i++) {
		if (make_vcpu(vm, i, e))
			return -1;
	}
	return vmm_is_td(vm) ? build_td(vm, shape, e) : 0;
}

bool vmm_is_td(const struct vmm *vm)
{
	return vm->type == KVM_X86_TDX_VM;
}

int vmm_create(struct vmm *vm, const struct vmm_shape *shape, struct err *e)
{
	uint32_t i;

	*vm = (struct vmm){
		.type = shape->memory->vm_type,
		.kvm = -1,
		.fd = -1,
		.memory = {.gmem = -1},
		.own = {.gmem = -1},
		.image = {.gmem = -1},
	};
	vm->vcpu =
		calloc((size_t)shape->vcpus + shape->idle, sizeof(*vm->vcpu));
	if (!vm->vcpu)
		return err_set(e, EXIT_FAILED, "kvm: out of memory");
	vm->nvcpus = shape->vcpus;
	vm->nidle = shape->idle;
	for (i = 0; i < vm->nvcpus + vm->nidle; i++)
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

void vmm_release(struct vmm *vm)
{
	uint32_t i;

	for (i = 0; vm->vcpu && i < vm->nvcpus + vm->nidle; i++) {
		if (vm->vcpu[i].run)
			munmap(vm->vcpu[i].run, vm->run_bytes);
		close_fd(&vm->vcpu[i].fd);
	}
	free(vm->vcpu);
	vm->vcpu = NULL;
	close_fd(&vm->fd);
	close_fd(&vm->kvm);
	memory_free(&vm->memory);
	memory_free(&vm->own);
	memory_free(&vm->image);
}

void vmm_close(struct vmm *vm)
{
	vmm_release(vm);
	if (vm->control)
		munmap(vm->control, vm->control_bytes);
	vm->control = NULL;
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
