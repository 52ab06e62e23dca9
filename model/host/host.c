/* SPDX-License-Identifier: GPL-2.0-only */
/* The host that all VMs share: physical memory, HKIDs, names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/host/internal.h"

const char *kvm_op_name(enum kvm_op op)
{
	static const char *const name[NR_KVM_OPS] = {
		[KVM_OP_FAULT] = "fault",	[KVM_OP_MAP] = "map",
		[KVM_OP_REMOVAL] = "removal",	[KVM_OP_TRACK] = "track",
		[KVM_OP_KICK] = "kick",		[KVM_OP_CONVERT] = "convert",
		[KVM_OP_BUILD] = "build",	[KVM_OP_RECLAIM] = "reclaim",
		[KVM_OP_TEARDOWN] = "teardown", [KVM_OP_IOCTL] = "ioctl",
	};

	return name[op];
}

const char *where_name(enum where where)
{
	static const char *const name[NR_WHERES] = {
		[WHERE_GUEST] = "guest",       [WHERE_MODULE] = "module",
		[WHERE_BUSY] = "busy",	       [WHERE_KVM] = "kvm",
		[WHERE_MMU_LOCK] = "mmu_lock", [WHERE_KEPT_OUT] = "kept_out",
		[WHERE_IDLE] = "idle",
	};

	return name[where];
}

void *zalloc_lines(size_t bytes)
{
	void *memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);

	if (memory)
		memset(memory, 0, bytes);
	return memory;
}

struct kvm_host *kvm_host_create(const struct kvm_host_config *config)
{
	struct kvm_host *host = zalloc_lines(sizeof(*host));

	if (!host)
		return NULL;
	host->module = config->module;
	host->costs = config->costs;
	host->next = config->memory.v;
	host->end = config->memory.v + config->memory_bytes;
	host->first_hkid = config->first_hkid;
	host->hkids = config->hkids;
	host->packages = tdx_module_platform(config->module)->packages;
	host->hkid_used = calloc(config->hkids + 1, sizeof(bool));
	host->memory = sizeof(*host) + config->hkids + 1;
	qspin_init(&host->tdx_lock, host->nodes, WHERE_IDLE);
	if (!host->hkid_used) {
		kvm_host_destroy(host);
		return NULL;
	}
	return host;
}

static void vms_lock(struct kvm_host *host)
{
	while (__atomic_test_and_set(&host->vms_lock, __ATOMIC_ACQUIRE))
		;
}

static void vms_unlock(struct kvm_host *host)
{
	__atomic_clear(&host->vms_lock, __ATOMIC_RELEASE);
}

void host_add_vm(struct kvm_host *host, struct kvm_vm *vm)
{
	vms_lock(host);
	vm->next = host->vms;
	host->vms = vm;
	vms_unlock(host);
}

void host_remove_vm(struct kvm_host *host, struct kvm_vm *vm)
{
	struct kvm_vm **at = &host->vms;

	vms_lock(host);
	while (*at && *at != vm)
		at = &(*at)->next;
	if (*at)
		*at = vm->next;
	vms_unlock(host);
}

void kvm_host_destroy(struct kvm_host *host)
{
	if (!host)
		return;
	while (host->vms)
		kvm_free_vm(host->vms);
	free(host->hkid_used);
	free(host);
}

u64 kvm_host_memory(const struct kvm_host *host)
{
	return __atomic_load_n(&host->memory, __ATOMIC_RELAXED);
}

void host_charge(struct kvm_host *host, s64 bytes)
{
	__atomic_fetch_add(&host->memory, (u64)bytes, __ATOMIC_RELAXED);
}

#define EXTENT_ALIGN (16ull << 20)

bool host_get_extent(struct kvm_host *host, u64 bytes, u64 *base)
{
	u64 start = (host->next + EXTENT_ALIGN - 1) & ~(EXTENT_ALIGN - 1);

	if (start > host->end || bytes > host->end - start)
		return false;
	host->next = start + bytes;
	*base = start;
	return true;
}

/* Only the last one can be given back: worlds make their VMs and end. */
void host_put_extent(struct kvm_host *host, u64 base, u64 end)
{
	if (host->next == end)
		host->next = base;
}

int host_get_hkid(struct kvm_host *host, u32 *hkid)
{
	for (u32 i = 0; i < host->hkids; i++) {
		if (host->hkid_used[i])
			continue;
		host->hkid_used[i] = true;
		*hkid = host->first_hkid + i;
		return 0;
	}
	return -ENOSPC;
}

void host_put_hkid(struct kvm_host *host, u32 hkid)
{
	host->hkid_used[hkid - host->first_hkid] = false;
}

struct lp host_lp(struct kvm_thread *t, u32 id, u32 package)
{
	struct lp lp = {0};

	lp_init(&lp, t->lp.module, t->strand, id, package);
	return lp;
}

void clear_pages(struct kvm_thread *t, struct kvm_vm *vm, u64 pages)
{
	if (!vm->config.clear_removed)
		return;
	for (u64 i = 0; i < pages; i++)
		spend_work(t->strand, vm->host->costs.clear_4k_ps,
			   WORK_CLEAR_4K);
}

void flush_pages(struct kvm_thread *t, struct kvm_vm *vm, u64 pages)
{
	for (u64 i = 0; i < pages; i++)
		spend_work(t->strand, vm->host->costs.flush_4k_ps,
			   WORK_FLUSH_4K);
}
