/* SPDX-License-Identifier: GPL-2.0-only */
/* Making a VM and its vCPUs, and freeing the host's side of it. */
#include <errno.h>
#include <stdlib.h>

#include "model/host/internal.h"

int vm_check_range(struct kvm_thread *t, const struct kvm_vm *vm, gpa_t gpa,
		   u64 pages)
{
	u64 gfn = gpa.v >> 12;

	if (vm_seen_dead(t, vm))
		return -EIO;
	if (gpa.v & 4095 || !pages || gfn >= vm->config.pages ||
	    pages > vm->config.pages - gfn)
		return -EINVAL;
	return 0;
}

/* -------------------------------------------------- memory of a new VM */

#define REGION_ALIGN (2ull << 20)

static u64 align_up(u64 value, u64 to)
{
	return (value + to - 1) & ~(to - 1);
}

static u64 control_pages(const struct kvm_vm_config *config)
{
	/* The TDR, and a source page for PAGE.ADD. */
	return 2 + TDX_TDCS_PAGES + (u64)config->vcpus * TDX_TDVPS_PAGES;
}

/** S-EPT pages for all memory, and some for links that lose a race. */
static u64 sept_pages(const struct kvm_vm *vm)
{
	u64 tables = vm->config.pages, sum = 0;

	for (enum tdx_level l = LEVEL_4K; l < vm->root_level; l++) {
		tables = (tables + 511) / 512;
		sum += tables;
	}
	return sum + vm->config.vcpus + 64;
}

/**
 * Regions that share no 2M page: control pages, S-EPT pages, guest memory.
 * Guest memory lies in the order of GPAs, as from a file of large folios, so
 * that each 2M of it can be mapped at once.
 */
static int get_memory(struct kvm_vm *vm)
{
	u64 control = align_up(control_pages(&vm->config) << 12, REGION_ALIGN);
	u64 sept, data = vm->config.pages << 12;

	vm->sept_pages = sept_pages(vm);
	sept = align_up(vm->sept_pages << 12, REGION_ALIGN);
	data = align_up(data, REGION_ALIGN);
	if (!host_get_extent(vm->host, control + sept + data, &vm->extent))
		return -ENOMEM;
	vm->extent_end = vm->extent + control + sept + data;
	vm->control = HPA(vm->extent);
	vm->sept = HPA(vm->extent + control);
	vm->data = HPA(vm->extent + control + sept);
	return 0;
}

hpa_t vm_control_page(struct kvm_vm *vm)
{
	return HPA(vm->control.v + (vm->control_used++ << 12));
}

static s64 vm_bytes(const struct kvm_vm *vm)
{
	return (s64)(sizeof(*vm) + vm->config.vcpus * sizeof(struct kvm_vcpu));
}

static int get_host_memory(struct kvm_vm *vm)
{
	vm->vcpu = zalloc_lines(vm->config.vcpus * sizeof(struct kvm_vcpu));
	vm->root = zalloc_lines(sizeof(*vm->root));
	if (vm->root)
		host_charge(vm->host, (s64)sizeof(*vm->root));
	if (!vm->vcpu || !vm->root)
		return -ENOMEM;
	return attributes_init(vm);
}

static struct kvm_vm *vm_new(struct kvm_host *host,
			     const struct kvm_vm_config *config)
{
	struct kvm_vm *vm = zalloc_lines(sizeof(*vm));

	if (!vm)
		return NULL;
	vm->host = host;
	vm->config = *config;
	vm->root_level = config->params.gpaw == 52 ? LEVEL_256T : LEVEL_512G;
	qrw_init(&vm->mmu_lock, host->nodes, WHERE_MMU_LOCK);
	qspin_init(&vm->slots_lock, host->nodes, WHERE_IDLE);
	qspin_init(&vm->invalidate_lock, host->nodes, WHERE_IDLE);
	/* Waiting for it is waiting for what mmu_lock leaves to it. */
	qspin_init(&vm->sept_lock, host->nodes, WHERE_MMU_LOCK);
	host_charge(host, vm_bytes(vm));
	host_add_vm(host, vm);
	if (get_host_memory(vm) || get_memory(vm)) {
		kvm_free_vm(vm);
		return NULL;
	}
	return vm;
}

void kvm_free_vm(struct kvm_vm *vm)
{
	if (!vm)
		return;
	host_remove_vm(vm->host, vm);
	if (vm->reclaimed)
		host_put_extent(vm->host, vm->extent, vm->extent_end);
	mirror_free(vm);
	attributes_free(vm);
	host_charge(vm->host, -vm_bytes(vm));
	free(vm->vcpu);
	free(vm);
}

/* ------------------------------------------------------ building the TD */

/** Configure the key on every package. */
static tdx_status configure_keys(struct kvm_thread *t, struct kvm_vm *vm)
{
	tdx_status status = TDX_SUCCESS;

	for (u32 i = 0; i < vm->host->packages && !status; i++) {
		struct lp lp = host_lp(t, t->lp.id, i);

		status = seamcall(t, TDH_MNG_KEY_CONFIG,
				  tdh_mng_key_config(&lp, vm_tdr(vm)));
	}
	return status;
}

static tdx_status create_td(struct kvm_thread *t, struct kvm_vm *vm)
{
	hpa_t tdr = vm_control_page(vm);
	tdx_status status;

	qspin_lock(t, &vm->host->tdx_lock);
	status = seamcall(t, TDH_MNG_CREATE,
			  tdh_mng_create(&t->lp, tdr, vm->hkid));
	if (!status)
		status = configure_keys(t, vm);
	qspin_unlock(t, &vm->host->tdx_lock);
	for (u32 i = 0; i < TDX_TDCS_PAGES && !status; i++)
		status = seamcall(
			t, TDH_MNG_ADDCX,
			tdh_mng_addcx(&t->lp, tdr, vm_control_page(vm)));
	if (!status)
		status =
			seamcall(t, TDH_MNG_INIT,
				 tdh_mng_init(&t->lp, tdr, &vm->config.params));
	return status;
}

static tdx_status create_vcpu(struct kvm_thread *t, struct kvm_vm *vm,
			      struct kvm_vcpu *vcpu)
{
	tdx_status status;

	vcpu->vm = vm;
	qspin_init(&vcpu->mutex, vm->host->nodes, WHERE_IDLE);
	vcpu->tdvpr = vm_control_page(vm);
	status = seamcall(t, TDH_VP_CREATE,
			  tdh_vp_create(&t->lp, vm_tdr(vm), vcpu->tdvpr));
	for (u32 i = 1; i < TDX_TDVPS_PAGES && !status; i++)
		status = seamcall(
			t, TDH_VP_ADDCX,
			tdh_vp_addcx(&t->lp, vcpu->tdvpr, vm_control_page(vm)));
	if (!status)
		status = seamcall(t, TDH_VP_INIT,
				  tdh_vp_init(&t->lp, vcpu->tdvpr, 0));
	vcpu->lp_id = t->lp.id;
	vcpu->lp_package = t->lp.package;
	vcpu->associated = !status;
	return status;
}

static tdx_status create_all(struct kvm_thread *t, struct kvm_vm *vm)
{
	tdx_status status = create_td(t, vm);

	for (u32 i = 0; i < vm->config.vcpus && !status; i++) {
		status = create_vcpu(t, vm, &vm->vcpu[i]);
		progress(t->strand);
	}
	return status;
}

struct kvm_vm *kvm_create_vm(struct kvm_host *host, struct kvm_thread *t,
			     const struct kvm_vm_config *config)
{
	struct kvm_vm *vm = vm_new(host, config);
	enum where before;
	int ret;

	if (!vm)
		return NULL;
	before = account(t, WHERE_KVM);
	qspin_lock(t, &host->tdx_lock);
	ret = host_get_hkid(host, &vm->hkid);
	qspin_unlock(t, &host->tdx_lock);
	if (!ret && create_all(t, vm) != TDX_SUCCESS) {
		host_put_hkid(host, vm->hkid);
		ret = -EIO;
	}
	account(t, before);
	if (!ret)
		return vm;
	kvm_free_vm(vm);
	return NULL;
}
