/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions that are watched.  A name that a kernel does not have, or has
 * only inlined, is missing there and nowhere an error.
 */
#include <string.h>

#include "kvm/probe/impl.h"

#define CALLED(f)                                                              \
	{                                                                      \
		f ".calls", f ".latency"                                       \
	}

/* A function of KVM: its metrics have its name. */
#define KVM(f, what)                                                           \
	{                                                                      \
		.function = f, .returns = what, .kind = {CALLED(f)},           \
	}

/* A wrapper of a call of the module: the metrics are those of the call. */
#define CALL_AS(f, prefix)                                                     \
	{                                                                      \
		.function = f, .returns = RETURNS_STATUS, .call = prefix,      \
		.kind = {CALLED(prefix)},                                      \
	}
#define CALL(f) CALL_AS(f, f)

/* Private memory removed and mapped, whatever calls that takes. */
#define SEPT_MAP     CALLED("sept_map")
#define SEPT_REMOVAL CALLED("sept_removal")

/*
 * Outside x86's host-MMIO tracking, which a VM of RAM does not have, request
 * 0x700 is the kick of TRACK and of kick-once only.
 */
#define KICKS                                                                  \
	{                                                                      \
		.function = "kvm_make_all_cpus_request",                       \
		.split = SPLIT_OUTSIDE_GUEST,                                  \
		.kind = {CALLED("kvm_make_all_cpus_request"),                  \
			 {"kicks.rounds", "kick.latency"}},                    \
	}

static const struct probe_point kvm_points[] = {
	KVM("kvm_mmu_page_fault", RETURNS_INT),
	{
		.function = "kvm_mmu_faultin_pfn",
		.before = "kvm_faultin_pfn", /* so in 6.12 */
		.returns = RETURNS_RET_PF,
		.kind = {CALLED("kvm_mmu_faultin_pfn")},
	},
	KVM("kvm_gmem_get_pfn", RETURNS_INT),
	KVM("kvm_tdp_mmu_map", RETURNS_RET_PF),
	KVM("tdp_mmu_set_spte_atomic", RETURNS_INT),
	KVM("kvm_unmap_gfn_range", RETURNS_NOTHING),
	KVM("kvm_tdp_mmu_unmap_gfn_range", RETURNS_NOTHING),
	KVM("tdp_mmu_zap_leafs", RETURNS_NOTHING),
	KVM("kvm_flush_remote_tlbs", RETURNS_NOTHING),
	KICKS,
	KVM("kvm_gmem_fallocate", RETURNS_INT),
	KVM("kvm_set_memslot", RETURNS_INT),
	KVM("kvm_arch_destroy_vm", RETURNS_NOTHING),
};

/* tdh_vp_enter is noinstr: nothing can be attached to it. */
static const struct probe_point seamcall_points[] = {
	CALL("tdh_mem_page_add"),
	CALL("tdh_mem_sept_add"),
	CALL("tdh_mem_page_aug"),
	CALL("tdh_mem_range_block"),
	CALL("tdh_mem_track"),
	CALL("tdh_mem_page_remove"),
	CALL_AS("tdh_phymem_page_wbinvd_hkid", "tdh_phymem_page_wbinvd"),
	CALL_AS("tdh_phymem_page_wbinvd_tdr", "tdh_phymem_page_wbinvd"),
	CALL("tdh_phymem_page_reclaim"),
	CALL("tdh_phymem_cache_wb"),
	CALL("tdh_vp_flush"),
	CALL("tdh_mng_vpflushdone"),
	CALL("tdh_mng_key_freeid"),
	CALL("tdh_mr_extend"),
	CALL("tdh_mr_finalize"),
	CALL("tdh_vp_init"),
	CALL("tdh_vp_create"),
	CALL("tdh_vp_addcx"),
	CALL("tdh_mng_create"),
	CALL("tdh_mng_init"),
	CALL("tdh_mng_addcx"),
	CALL("tdh_mng_key_config"),
	CALL("tdh_mng_rd"),
	CALL("tdh_vp_rd"),
	CALL("tdh_vp_wr"),
	{
		.function = "tdx_sept_set_private_spte",
		.returns = RETURNS_INT,
		.split = SPLIT_PRESENT,
		.kind = {SEPT_MAP, SEPT_REMOVAL},
	},
	{
		/* Of 6.16; in 7.2 the function above does both. */
		.function = "tdx_sept_remove_private_spte",
		.returns = RETURNS_INT,
		.kind = {SEPT_REMOVAL},
	},
	KVM("kvm_mmu_page_fault", RETURNS_INT),
	KICKS,
};

#define TABLE(label)                                                           \
	static const struct probe_table label = {                              \
		.name = #label,                                                \
		.point = label##_points,                                       \
		.n = sizeof(label##_points) / sizeof(label##_points[0]),       \
	};                                                                     \
	_Static_assert(sizeof(label##_points) / sizeof(label##_points[0]) <=   \
			       PROBE_POINTS,                                   \
		       "probe.bpf.c has a program for each")

TABLE(kvm);
TABLE(seamcall);

const struct probe_table *const probe_tables[] = {&kvm, &seamcall, NULL};

const struct probe_table *probe_table_find(const char *name, size_t length)
{
	for (size_t i = 0; probe_tables[i]; i++) {
		if (strlen(probe_tables[i]->name) == length &&
		    memcmp(probe_tables[i]->name, name, length) == 0)
			return probe_tables[i];
	}
	return NULL;
}

static void see(const char *name, const struct probe_point *p,
		struct probe_symbol *symbol)
{
	size_t n = strlen(p->function);

	if (p->before && strcmp(name, p->before) == 0)
		symbol->found_before = true;
	else if (strncmp(name, p->function, n) != 0)
		return;
	else if (!name[n])
		symbol->found = true;
	else if (name[n] == '.' && !symbol->other[0])
		snprintf(symbol->other, sizeof(symbol->other), "%.63s", name);
}

void probe_symbols(FILE *f, const struct probe_table *table,
		   struct probe_symbol symbol[PROBE_POINTS])
{
	enum { NAME_AT = 19 }; /* 16 digits, a blank, the type, a blank */
	char line[512];

	memset(symbol, 0, PROBE_POINTS * sizeof(*symbol));
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\t\n")] = '\0'; /* before the module */
		if (strlen(line) <= NAME_AT)
			continue;
		for (uint32_t i = 0; i < table->n; i++)
			see(line + NAME_AT, &table->point[i], &symbol[i]);
	}
}
