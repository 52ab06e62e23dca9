/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words that different strands write, or one writes and others read all the
 * time, lie on different cache lines, unless the real structures put them on
 * one.  On real CPUs a line more or less is a difference in the results.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench/sim/sim.h"
#include "model/host/internal.h"
#include "model/module/td.h"

enum { LINE = 64 };

/** Bytes [from, to) of a structure. */
struct part {
	const char *name;
	size_t from, to;
};

#define PART(type, member)                                                     \
	{                                                                      \
#type "." #member, offsetof(type, member),                     \
			offsetof(type, member) +                               \
				sizeof(((type *)NULL)->member)                 \
	}

static void apart(const struct part *part, size_t n, size_t align)
{
	assert_int_equal(align % LINE, 0);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (part[i].from / LINE <= (part[k].to - 1) / LINE &&
			    part[k].from / LINE <= (part[i].to - 1) / LINE)
				fail_msg("%s and %s share a line", part[i].name,
					 part[k].name);
}

#define APART(type, part)                                                      \
	apart(part, sizeof(part) / sizeof((part)[0]), _Alignof(type))

static void vcpus(void **state)
{
	/* the mode: whoever kicks; the mutex: ioctls; the rest: its thread */
	static const struct part part[] = {
		PART(struct kvm_vcpu, mode),
		PART(struct kvm_vcpu, mutex),
		PART(struct kvm_vcpu, fault),
	};

	(void)state;
	APART(struct kvm_vcpu, part);
	assert_int_equal(sizeof(struct kvm_vcpu) % LINE, 0);
	assert_int_equal(offsetof(struct kvm_vcpu, thread) / LINE,
			 offsetof(struct kvm_vcpu, mode) / LINE);
}

static void vms(void **state)
{
	static const struct part part[] = {
		PART(struct kvm_vm, config),
		PART(struct kvm_vm, inv),
		PART(struct kvm_vm, gate),
		PART(struct kvm_vm, mmu_lock),
		PART(struct kvm_vm, slots_lock),
		PART(struct kvm_vm, sept_lock),
		PART(struct kvm_vm, invalidate_lock),
	};

	(void)state;
	APART(struct kvm_vm, part);
	assert_int_equal(sizeof(struct qnode), LINE);
	assert_int_equal(sizeof(struct qspinlock), LINE);
	assert_int_equal(sizeof(struct qrwlock), LINE);
}

static void hosts(void **state)
{
	static const struct part part[] = {
		PART(struct kvm_host, costs),
		PART(struct kvm_host, memory),
		PART(struct kvm_host, retry_max),
		PART(struct kvm_host, tdx_lock),
		PART(struct kvm_host, nodes),
	};

	(void)state;
	APART(struct kvm_host, part);
}

/* As in the module: each of these words on its line, counters beside locks. */
static void tds(void **state)
{
	static const struct part part[] = {
		PART(struct td, tdr),  PART(struct td, state),
		PART(struct td, tree), PART(struct td, track),
		PART(struct td, hpa),
	};

	(void)state;
	APART(struct td, part);
	assert_int_equal(offsetof(struct td, track.lock) / LINE,
			 offsetof(struct td, track.refcount) / LINE);
	assert_int_equal(offsetof(struct td, state.op_state_lock) / LINE,
			 offsetof(struct td, state.num_assoc_vcpus) / LINE);
	assert_int_equal(offsetof(struct td, track.pair) % 16, 0);
}

static void modules(void **state)
{
	static const struct part part[] = {
		PART(struct tdx_module, costs),
		PART(struct tdx_module, tdmr),
		PART(struct tdx_module, memory),
	};
	static const struct part wbt[] = {
		PART(struct wbt, lock),
	};

	(void)state;
	/* costs and ranges are only read: they may share */
	assert_int_equal(offsetof(struct tdx_module, memory) % LINE, 0);
	apart(&part[1], 2, _Alignof(struct tdx_module));
	APART(struct wbt, wbt);
	assert_int_equal(sizeof(struct wbt) % LINE, 0);
	assert_int_equal(_Alignof(struct tdvps), LINE);
}

static void the_runner(void **state)
{
	static const struct part part[] = {
		PART(struct sim_barrier, arrived),
		PART(struct sim_barrier, open),
	};
	static const struct part sim[] = {
		PART(struct sim, ready),
		PART(struct sim, stop),
		PART(struct sim, gone),
	};

	(void)state;
	APART(struct sim_barrier, part);
	APART(struct sim, sim);
	assert_int_equal(sizeof(struct sim_flag), LINE);
	assert_int_equal(sizeof(struct sim_thread) % LINE, 0);
	assert_int_equal(_Alignof(struct sim_thread), LINE);
	assert_int_equal(sizeof(struct sim_td) % LINE, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vcpus),   cmocka_unit_test(vms),
		cmocka_unit_test(hosts),   cmocka_unit_test(tds),
		cmocka_unit_test(modules), cmocka_unit_test(the_runner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
