/* SPDX-License-Identifier: GPL-2.0-only */
/* RET_PF_* have other values in other kernels: BTF has those of this one. */
#include <bpf/btf.h>
#include <string.h>

#include "kvm/probe/impl.h"

/* It has no name of its own: known by its first value. */
static bool is_ret_pf(const struct btf *btf, const struct btf_type *t)
{
	return btf_is_enum(t) && btf_vlen(t) &&
	       strcmp(btf__name_by_offset(btf, btf_enum(t)->name_off),
		      "RET_PF_CONTINUE") == 0;
}

static void take_names(struct probe *probe, const struct btf *btf,
		       const struct btf_type *t)
{
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_enum *v = &btf_enum(t)[i];

		if (v->val >= 0 &&
		    (size_t)v->val <
			    sizeof(probe->ret_pf) / sizeof(probe->ret_pf[0]))
			snprintf(probe->ret_pf[v->val],
				 sizeof(probe->ret_pf[0]), "%s",
				 btf__name_by_offset(btf, v->name_off));
	}
}

static bool returns_ret_pf(const struct probe_table *table)
{
	uint32_t i = 0;

	while (i < table->n && table->point[i].returns != RETURNS_RET_PF)
		i++;
	return i < table->n;
}

/* KVM is a module, or built in. */
void probe_find_ret_pf(struct probe *probe)
{
	struct btf *base =
		returns_ret_pf(probe->table) ? btf__load_vmlinux_btf() : NULL;
	struct btf *kvm = base ? btf__load_module_btf("kvm", base) : NULL;
	const struct btf *btf = kvm ? kvm : base;
	uint32_t from = kvm ? btf__type_cnt(base) : 1;

	for (uint32_t id = from; btf && id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (is_ret_pf(btf, t)) {
			take_names(probe, btf, t);
			break;
		}
	}
	btf__free(kvm);
	btf__free(base);
}
