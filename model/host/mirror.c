/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mirror of the S-EPT: tables that appear on demand and stay until the
 * VM is freed.
 */
#include <stdlib.h>

#include "model/host/internal.h"

/* Never held across anything that a strand can stop at. */
static void table_lock(struct kvm_vm *vm)
{
	while (__atomic_test_and_set(&vm->table_lock, __ATOMIC_ACQUIRE))
		;
}

static void table_unlock(struct kvm_vm *vm)
{
	__atomic_clear(&vm->table_lock, __ATOMIC_RELEASE);
}

static struct mirror_table *table_new(struct kvm_vm *vm)
{
	struct mirror_table *table;
	u64 page = __atomic_fetch_add(&vm->sept_used, 1, __ATOMIC_RELAXED);

	if (page >= vm->sept_pages)
		return NULL;
	table = zalloc_lines(sizeof(*table));
	if (!table)
		return NULL;
	table->external = HPA(vm->sept.v + (page << 12));
	host_charge(vm->host, sizeof(*table));
	table_lock(vm);
	table->next = vm->tables;
	vm->tables = table;
	table_unlock(vm);
	return table;
}

struct mirror_table *mirror_table_get(struct kvm_vm *vm)
{
	struct mirror_table *table;

	table_lock(vm);
	table = vm->spare;
	if (table) {
		vm->spare = spte_table(table->spte[0]);
		table->spte[0] = SPTE_NONE;
	}
	table_unlock(vm);
	return table ? table : table_new(vm);
}

void mirror_table_put(struct kvm_vm *vm, struct mirror_table *table)
{
	table_lock(vm);
	table->spte[0] = (uintptr_t)vm->spare;
	vm->spare = table;
	table_unlock(vm);
}

static void table_free(struct kvm_vm *vm, struct mirror_table *table)
{
	host_charge(vm->host, -(s64)sizeof(*table));
	free(table);
}

/* A run that is cut off may leave tables that are linked nowhere. */
void mirror_free(struct kvm_vm *vm)
{
	while (vm->tables) {
		struct mirror_table *table = vm->tables;

		vm->tables = table->next;
		table_free(vm, table);
	}
	if (vm->root)
		table_free(vm, vm->root);
}

/* ------------------------------------------------------------- walking */

/** The lowest entry that covers a GPA: a leaf, or one that is absent. */
static void walk(struct kvm_vm *vm, gpa_t gpa, struct spte_ref *ref)
{
	struct mirror_table *table = vm->root;
	enum tdx_level level = vm->root_level;
	unsigned i = spte_index(gpa, level);

	while (level > LEVEL_4K && spte_present(table->spte[i]) &&
	       !spte_leaf(table->spte[i])) {
		table = spte_table(table->spte[i]);
		level--;
		i = spte_index(gpa, level);
	}
	ref->spte = &table->spte[i];
	ref->line = &table->line[i / 8];
	ref->level = level;
	ref->gpa = GPA(gpa.v & ~(LEVEL_BYTES(level) - 1));
}

gpa_t mirror_after(struct kvm_vm *vm, gpa_t gpa)
{
	struct spte_ref ref;

	walk(vm, gpa, &ref);
	if (!spte_leaf(*ref.spte))
		return GPA((gpa.v & ~0xfffull) + 4096);
	return GPA(ref.gpa.v + LEVEL_BYTES(ref.level));
}

bool mirror_next_leaf(struct kvm_vm *vm, gpa_t gpa, gpa_t end,
		      struct spte_ref *ref)
{
	while (gpa.v < end.v) {
		walk(vm, gpa, ref);
		if (spte_leaf(*ref->spte))
			return true;
		gpa.v = ref->gpa.v + LEVEL_BYTES(ref->level);
	}
	return false;
}

typedef int table_fn(struct kvm_thread *t, struct kvm_vm *vm, hpa_t page);

static int each_below(struct kvm_thread *t, struct kvm_vm *vm,
		      struct mirror_table *table, table_fn *fn)
{
	int ret = 0;

	for (unsigned i = 0; i < 512 && !ret; i++) {
		u64 spte = table->spte[i];

		if (!spte_present(spte) || spte_leaf(spte))
			continue;
		ret = each_below(t, vm, spte_table(spte), fn);
		if (!ret)
			ret = fn(t, vm, spte_table(spte)->external);
	}
	return ret;
}

int mirror_each_table(struct kvm_thread *t, struct kvm_vm *vm, table_fn *fn)
{
	return each_below(t, vm, vm->root, fn);
}
